//! What the stories of the window share.

use std::path::{Path, PathBuf};

use fantoccini::key::Key;
use hanna_desk::backend::{Backend, Http, ServerAddress};
use hanna_desk::ports::{Chance, Clock, System};
use hanna_domain::Redacted;
use hanna_tests::programs::program;
use hanna_wire::session::{Device, SignIn};
use hanna_wire::usage::{UsageQuery, UsageRow};
use jiff::{Timestamp, ToSpan};
use tokio::sync::Mutex;

use crate::server::Server;
use crate::window::{Driver, Window};

/// One display, one bus, one keyring: the stories take turns.
pub static TURN: Mutex<()> = Mutex::const_new(());

/// A person's home folder under `stage`.
pub fn home(stage: &Path) -> PathBuf {
    let home = stage.join("home");
    std::fs::create_dir_all(home.join("Documentos")).expect("a home");
    std::fs::create_dir_all(home.join(".config")).expect("a home");
    std::fs::write(home.join(".config/user-dirs.dirs"), "XDG_DOCUMENTS_DIR=\"$HOME/Documentos\"\n")
        .expect("a home");
    home
}

/// The program in its window.
pub async fn open(driver: &Driver, server: &Server, data: &Path) -> Window {
    open_under(driver, server, data, &[]).await
}

/// The same with these variables in its environment.
pub async fn open_under(
    driver: &Driver,
    server: &Server,
    data: &Path,
    environment: &[(String, String)],
) -> Window {
    let program = program("hanna-convenios");
    let mut arguments: Vec<String> =
        environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    arguments.push(program.to_str().expect("UTF-8").to_owned());
    arguments.extend(["--server".to_owned(), server.url(), "--data-dir".to_owned()]);
    arguments.push(data.to_str().expect("UTF-8").to_owned());
    let window = Window::open(driver, Path::new("/usr/bin/env"), &arguments).await;
    window.resize(1280, 800).await;
    window
}

/// The name and the password of the `n`th account.
pub fn credentials(server: &Server, n: usize) -> (&str, &str) {
    let account = &server.people["accounts"][n];
    let word = |name: &str| account[name].as_str().expect("a word");
    (word("username"), word("password"))
}

/// Consults a person as an operator does: the focus is in the field, nobody has to click.
pub async fn look_up(window: &Window, number: &str) {
    window.press(Key::Escape).await;
    window.type_text(number).await;
    window.press(Key::Enter).await;
}

/// What the server holds of the days around `now`, asked as the first account.
pub async fn server_rows(server: &Server, now: Timestamp) -> Vec<UsageRow> {
    let backend = Http::new(ServerAddress::parse(&server.url()).expect("an address")).expect("a client");
    let (username, password) = credentials(server, 0);
    let request = SignIn {
        username: username.to_owned(),
        password: Redacted::new(password.to_owned()),
        device: Device { id: System.id(System.now()), name: "e2e".into() },
        otp: None,
    };
    let granted = backend.sign_in(&request).await.expect("signed in").value;
    let query = UsageQuery {
        from: now - 24.hours(),
        to: now + 24.hours(),
        branch_id: None,
        cursor: None,
        limit: None,
    };
    backend.usage_reports(&granted.access_token, &query).await.expect("listed").value.rows
}
