//! The main job as an operator does it, row by row of the manual: sign in, open CONVENIOS, choose the branch, look up,
//! report, print the report; online, offline, with the program closed in between, and back.

use std::collections::BTreeSet;
use std::path::Path;

use fantoccini::key::Key;
use hanna_desk::ports::{Clock, System};
use hanna_testkit::cups::Cups;
use hanna_testkit::keyring::Keyring;
use hanna_tests::programs::program;
use hanna_wire::usage::UsageRow;
use hanna_wire::verification::Verified;

use crate::pictures::Album;
use crate::printed;
use crate::server::Server;
use crate::stage::{self, TURN, look_up, open, server_rows};
use crate::window::{Driver, Window};

#[tokio::test(flavor = "multi_thread")]
async fn main_flow() {
    let _turn = TURN.lock().await;
    let stage = tempfile::tempdir().expect("a folder");
    let home = stage::home(stage.path());
    let keyring = Keyring::apart(&home);
    let cups = Cups::start().expect("a printer");
    let mut server = Server::start(&stage.path().join("server"));
    let driver = Driver::start(&home, &keyring, &cups.server());
    let album = Album::open();
    let data = stage.path().join("desk");

    let (seen, other) = (server.document("active", 0), server.document("active", 1));
    let window = open(&driver, &server, &data).await;
    sign_in(&window, &server, &album).await;
    choose_branch(&window, &server, &album).await;
    online(&window, &server, &album, [&seen, &other]).await;

    second_instance(&server, &data, &home, &keyring);

    server.stop();
    offline(&window, &server, &album, [&seen, &other]).await;
    window.close().await;

    // The program starts anew without the server: the session and the branch are still there.
    let window = open(&driver, &server, &data).await;
    window.see("document").await;
    look_up(&window, &seen).await;
    window.verdict("ACTIVE_FROM_COPY").await;
    window.read("status-outbox", "2").await;
    album.keep(&window, "12-reiniciado-sin-conexion").await;

    server.resume();
    window.press(Key::F6).await;
    window.see("outbox-empty").await;
    window.read("status-outbox", "todo enviado").await;
    album.keep_all(&window, "13-por-enviar-vacio").await;
    let rows = server_rows(&server, System.now()).await;
    let ids: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!((rows.len(), ids.len()), (3, 3), "each use exactly once");

    report(&window, &server, &album, &home, &cups, &rows).await;
    sign_out(&window, &album).await;
    window.close().await;
    nothing_in_clear(&data, &server, &rows);
}

async fn sign_in(window: &Window, server: &Server, album: &Album) {
    window.see("username").await;
    album.keep_all(window, "01-ingreso").await;
    let account = server.account();
    window.fill("username", account["username"].as_str().expect("a name")).await;
    window.fill("password", "no es la clave").await;
    window.click("sign-in").await;
    window.read("error", "contraseña").await;
    album.keep(window, "02-ingreso-clave-equivocada").await;
    window.fill("password", account["password"].as_str().expect("a password")).await;
    window.press(Key::Enter).await;
    window.see("tile-CONVENIOS").await;
    album.keep_all(window, "03-aplicaciones").await;
}

async fn choose_branch(window: &Window, server: &Server, album: &Album) {
    window.click("acceder").await;
    let code = server.account()["branches"][0].as_str().expect("a branch").to_owned();
    window.see(&format!("branch-{code}")).await;
    album.keep_all(window, "04-sede").await;
    window.click(&format!("branch-{code}")).await;
    window.see("document").await;
    album.keep_all(window, "05-consulta-vacia").await;
}

async fn online(window: &Window, server: &Server, album: &Album, people: [&str; 2]) {
    for (text, word) in [("10456789O1", "letra"), ("900123456-7", "NIT")] {
        look_up(window, text).await;
        window.read("error", word).await;
    }
    album.keep(window, "06-documento-mal-escrito").await;

    // With dots, as on the cédula.
    let dotted = format!("{}.{}", &people[0][..people[0].len() - 3], &people[0][people[0].len() - 3..]);
    look_up(window, &dotted).await;
    window.verdict("ACTIVE").await;
    assert!(!window.text_of("affiliate-name").await.is_empty());
    album.keep_all(window, "07-activo").await;
    window.press(Key::F2).await;
    window.see("reported").await;
    album.keep_all(window, "08-uso-guardado").await;
    window.read("status-outbox", "todo enviado").await;

    look_up(window, people[1]).await;
    window.verdict("ACTIVE").await;
    for (group, verdict, name) in [
        ("company_suspended", "NOT_ACTIVE", "09-no-activo"),
        ("not_registered", "NOT_REGISTERED", "10-no-registra"),
    ] {
        look_up(window, &server.document(group, 0)).await;
        window.verdict(verdict).await;
        assert!(!window.has("report-use").await, "no report without a right to it");
        album.keep_all(window, name).await;
    }
}

/// A second start hands over to the first window, and ends.
fn second_instance(server: &Server, data: &Path, home: &Path, keyring: &Keyring) {
    let second = std::process::Command::new(program("hanna-convenios"))
        .args(["--server", &server.url(), "--data-dir"])
        .arg(data)
        .env("HOME", home)
        .env("DBUS_SESSION_BUS_ADDRESS", keyring.bus())
        .status()
        .expect("started");
    assert!(second.success(), "the second program did not end well");
}

async fn offline(window: &Window, server: &Server, album: &Album, people: [&str; 2]) {
    // Seen before, and used today: the second key.
    look_up(window, people[0]).await;
    window.verdict("ACTIVE_FROM_COPY").await;
    window.read("card-line2", "copia").await;
    window.read("status-connection", "sin conexión").await;
    album.keep_all(window, "11-activo-segun-copia").await;
    window.press(Key::F2).await;
    window.see("report-again").await;
    album.keep(window, "11-segunda-tecla").await;
    window.click("report-again").await;
    window.see("reported").await;

    look_up(window, people[1]).await;
    window.verdict("ACTIVE_FROM_COPY").await;
    window.press(Key::F2).await;
    window.see("reported").await;

    look_up(window, &server.document("active", 2)).await;
    window.verdict("NO_DATA").await;
    window.read("card", "no es una negativa").await;
    assert!(!window.has("report-use").await);
    album.keep_all(window, "11-sin-dato").await;

    window.press(Key::F6).await;
    window.until("two items wait", async || window.count("outbox-item").await == 2).await;
    album.keep_all(window, "11-por-enviar").await;
}

async fn report(
    window: &Window,
    server: &Server,
    album: &Album,
    home: &Path,
    cups: &Cups,
    rows: &[UsageRow],
) {
    window.press(Key::F7).await;
    window.until("three uses are listed", async || window.count("history-row").await == 3).await;
    album.keep_all(window, "14-reporte").await;

    window.click("save-pdf").await;
    let path = window.text_of("saved-path").await;
    assert!(path.starts_with(home.to_str().expect("UTF-8")), "{path}");
    let text = printed::text(Path::new(&path));
    assert_lists(&text, rows);
    assert_genuine(server, &text, rows).await;
    std::fs::copy(&path, album.folder().join("reporte.pdf")).expect("kept");

    window.click("print").await;
    window.see("printer-select").await;
    album.keep(window, "15-imprimir").await;
    window.click("print-confirm").await;
    window.see("print-result").await;
    album.keep(window, "16-impreso").await;
    window
        .until("the page arrives at the printer", async || !printed::pdfs(&cups.printed()).is_empty())
        .await;
    let arrived = printed::pdfs(&cups.printed());
    assert_lists(&printed::text(&arrived[0]), rows);
    window.click("print-close").await;
}

/// Whoever holds the report asks the server with the code that stands on it.
async fn assert_genuine(server: &Server, text: &str, rows: &[UsageRow]) {
    let code = text
        .split_once("Código de verificación ")
        .expect("a code")
        .1
        .split(['.', ' '])
        .next()
        .expect("a word");
    let answer = reqwest::get(format!("{}/v1/verify/{code}", server.url())).await.expect("asked");
    assert_eq!(answer.status(), 200, "{code}");
    let verified: Verified = answer.json().await.expect("JSON");
    let uses = rows.len() as u64;
    assert!(matches!(&verified, Verified::Report(report) if report.uses() == uses), "{verified:?}");
}

/// The report names everybody, with the whole document.
fn assert_lists(text: &str, rows: &[UsageRow]) {
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    for row in rows {
        assert!(digits.contains(row.document.number()), "a document is missing:\n{text}");
        let surname = row.affiliate_name.split([',', ' ']).next().expect("a name");
        assert!(text.contains(surname), "a name is missing:\n{text}");
    }
}

async fn sign_out(window: &Window, album: &Album) {
    window.click("sign-out").await;
    window.see("username").await;
    album.keep(window, "17-salida").await;
}

/// No document, name or token stands in clear in the data folder: databases, logs, what the webview keeps.
fn nothing_in_clear(data: &Path, server: &Server, rows: &[UsageRow]) {
    let mut secrets: Vec<String> = rows.iter().map(|row| row.document.number().to_owned()).collect();
    secrets.extend(rows.iter().map(|row| row.affiliate_name.clone()));
    secrets.push(server.account()["password"].as_str().expect("a password").to_owned());
    let mut folders = vec![data.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // Sockets and the like cannot be read, and hold nothing.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            files += 1;
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{} holds something personal in clear", path.display());
            }
        }
    }
    assert!(files >= 4, "only {files} files were found");
    let refused = std::process::Command::new("sqlite3")
        .arg(data.join("outbox.sqlite"))
        .arg("SELECT count(*) FROM sqlite_master")
        .output()
        .expect("sqlite3 is installed");
    assert!(!refused.status.success(), "sqlite3 opens the outbox");
}
