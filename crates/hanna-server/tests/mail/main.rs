//! Mails over SMTP, to a real mail server on loopback.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use hanna_domain::Redacted;
use hanna_server::{App, Config, Database, MailConfig, SystemClock, SystemEntropy};
use serde_json::json;
use tempfile::TempDir;
use tower::ServiceExt;

/// The mail server, ended with the test.
struct MailServer {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl MailServer {
    fn start(port: u16, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let mut process = Command::new("/usr/bin/python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.py"))
            .arg(folder.path())
            .arg(port.to_string())
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python is installed (Debian: python3-aiosmtpd)");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n", "aiosmtpd is installed (Debian: python3-aiosmtpd)");
        Self { process, port, folder }
    }

    /// The messages it took, in order.
    fn taken(&self) -> Vec<String> {
        let message = |n: usize| std::fs::read_to_string(self.folder.path().join(format!("{n}.eml"))).ok();
        (1..).map_while(message).collect()
    }

    /// Waits until it took so many.
    async fn wait_for(&self, count: usize) {
        let arrive = async {
            while self.taken().len() < count {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let arrived = tokio::time::timeout(Duration::from_secs(90), arrive).await;
        assert!(arrived.is_ok(), "only {} mails arrived", self.taken().len());
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that sends its mail to `url`.
async fn hanna(dir: &TempDir, url: String) -> App {
    let mut config = Config::new(Database::Sqlite(dir.path().join("hanna.sqlite")));
    config.mail = MailConfig {
        smtp: Some(Redacted::new(url)),
        from: Some("Hanna Convenios <hanna@caja.co>".into()),
        ..config.mail
    };
    App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.expect("opened")
}

async fn register(app: &App, n: u8) {
    let body = json!({
        "id": uuid::Uuid::from_u128(n.into()), "nit": "899999068-1", "entity_name": "PEÑA & CÍA",
        "display_name": "Nadia Núñez", "email": format!("nadia{n}@gym-nuevo.co"), "phone": "3001234567",
        "password": "cuatro xilofonos", "privacy_notice": "2026-11",
    });
    let request = Request::post("/v1/accounts").header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).expect("a request");
    let answer = app.router().oneshot(request).await.expect("infallible");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_mail_server_takes_what_is_mailed() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = MailServer::start(free_port(), &["--login", "hanna", "s3cr:et@"]);
    let app = hanna(&dir, format!("smtp://hanna:s3cr%3Aet%40@127.0.0.1:{}", server.port)).await;
    register(&app, 1).await;
    app.deliver_mail().await.expect("delivered");
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    for part in [
        "envelope: hanna@caja.co -> nadia1@gym-nuevo.co\n",
        "From: Hanna Convenios <hanna@caja.co>\n",
        "Subject: Su código para crear el usuario de Hanna Convenios\n",
        "part: text/plain\nHola, Nadia Núñez:\n",
        "usuario de Hanna Convenios para PEÑA & CÍA.",
        "part: text/html\n<!doctype html>",
        "para PEÑA &amp; CÍA.",
    ] {
        assert!(taken[0].contains(part), "{part}: {}", taken[0]);
    }
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
    assert!(taken[0].lines().any(|line| is_code(&line)), "the code, on a line of its own");
    app.deliver_mail().await.expect("delivered");
    assert_eq!(server.taken().len(), 1, "once");
}

#[tokio::test]
async fn no_mail_is_lost_while_the_mail_server_is_down_or_refuses() {
    let dir = tempfile::tempdir().expect("a directory");
    let port = free_port();
    let app = hanna(&dir, format!("smtp://127.0.0.1:{port}")).await;
    register(&app, 1).await;
    register(&app, 2).await;
    app.deliver_mail().await.expect("tried");
    drop(app);

    // Another process, and a mail server that wants to be asked twice.
    let server = MailServer::start(port, &["--refuse", "1"]);
    let app = hanna(&dir, format!("smtp://127.0.0.1:{port}")).await;
    let (done, wait) = tokio::sync::oneshot::channel::<()>();
    let sending = tokio::spawn(async move { app.run_mail(async { wait.await.unwrap_or_default() }).await });
    server.wait_for(2).await;
    done.send(()).expect("it still runs");
    sending.await.expect("it ended");
    let (mut taken, all) = (server.taken(), ["nadia1@gym-nuevo.co", "nadia2@gym-nuevo.co"]);
    taken.sort_by_key(|mail| mail.lines().next().map(str::to_owned));
    assert_eq!(taken.len(), 2, "each once");
    assert!(taken.iter().zip(all).all(|(mail, to)| mail.contains(&format!("To: {to}\n"))));
}

#[tokio::test]
async fn a_password_the_mail_server_does_not_take_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = MailServer::start(free_port(), &["--login", "hanna", "s3cret"]);
    let wrong = hanna(&dir, format!("smtp://hanna:no@127.0.0.1:{}", server.port)).await;
    register(&wrong, 1).await;
    wrong.deliver_mail().await.expect("tried");
    drop(wrong);
    assert_eq!(server.taken().len(), 0);
    let right = hanna(&dir, format!("smtp://hanna:s3cret@127.0.0.1:{}", server.port)).await;
    let sending = tokio::spawn(async move { right.run_mail(std::future::pending()).await });
    server.wait_for(1).await;
    sending.abort();
}
