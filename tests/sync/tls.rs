//! The desk's program at a server that speaks TLS itself. Elsewhere than on Linux no variable names the roots.

use std::sync::Arc;

use hanna_server::{Tls, TlsFiles};
use hanna_testkit::clock::HandClock;
use hanna_testkit::server::TestServer;
use hanna_tests::terminal::Terminal;
use jiff::Timestamp;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_works_at_a_server_whose_certificate_the_system_trusts_and_at_no_other() {
    #[expect(clippy::disallowed_methods, reason = "the program under test lives in the system's time")]
    let now = Timestamp::now();
    let server = TestServer::start(&HandClock::at(now)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&files.cert, made.cert.pem()).expect("written");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");

    let trusted = files.cert.to_str().expect("text").to_owned();
    let tls = Arc::new(Tls::open(files, Tls::LOOK_EVERY).expect("it speaks TLS"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://localhost:{}", listener.local_addr().expect("an address").port());
    let app = server.app().clone();
    tokio::spawn(async move { app.serve_as(listener, Some(tls), std::future::pending()).await });

    let account = server.demo.accounts[0].clone();
    let sign_in = format!("sign-in {} {}", account.username, account.password);
    // The variable by which the system is told another list of roots.
    let trust = |cert: String| vec![("SSL_CERT_FILE".to_owned(), cert)];
    let mut desk = Terminal::start_under(&url, &folder.path().join("desk"), &trust(trusted));
    desk.get(&sign_in);
    desk.get(&format!("branch {}", account.branches[0]));
    let card = desk.get(&format!("lookup CC {}", server.demo.documents.active[0]));
    assert_eq!((card["verdict"].as_str(), card["source"].as_str()), (Some("ACTIVE"), Some("online")));
    desk.get("report");
    assert_eq!(desk.get("sync")["pending"], 0);

    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let untold = folder.path().join("other.pem");
    std::fs::write(&untold, other.cert.pem()).expect("written");
    let trusted = trust(untold.to_str().expect("text").to_owned());
    let mut distrusting = Terminal::start_under(&url, &folder.path().join("another"), &trusted);
    assert_eq!(distrusting.refusal(&sign_in), "SERVER_UNREACHABLE");
}
