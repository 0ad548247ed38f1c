//! A program that is too old for the caja's server, in the real window: who works there is told which one to install, goes on
//! with the copies, and everything is delivered once the server serves it again.

use fantoccini::key::Key;
use hanna_testkit::keyring::Keyring;

use crate::pictures::Album;
use crate::server::Server;
use crate::stage::{self, TURN, credentials, look_up, open};
use crate::window::Driver;

/// A version no desk has yet.
const FAR: &str = "999.0.0";

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_too_old_says_so_and_goes_on() {
    let _turn = TURN.lock().await;
    let stage = tempfile::tempdir().expect("a folder");
    let home = stage::home(stage.path());
    let keyring = Keyring::apart(&home);
    let mut server = Server::start(&stage.path().join("server"));
    let driver = Driver::start(&home, &keyring, "nobody-prints-here");
    let album = Album::open();
    let data = stage.path().join("desk");
    let window = open(&driver, &server, &data).await;
    let (username, password) = credentials(&server, 0);
    window.fill("username", username).await;
    window.fill("password", password).await;
    window.click("sign-in").await;
    window.click("acceder").await;
    window.click("branch-GYM-01").await;
    window.see("document").await;
    let person = server.document("active", 0);
    look_up(&window, &person).await;
    window.verdict("ACTIVE").await;

    serve_since(&mut server, Some(FAR));
    window.run("window.dispatchEvent(new Event('online'))").await;
    window.read("status-connection", FAR).await;
    window.read("too-old", FAR).await;
    look_up(&window, &person).await;
    window.verdict("ACTIVE_FROM_COPY").await;
    window.press(Key::F2).await;
    window.see("reported").await;
    window.read("status-outbox", "por enviar").await;
    album.keep_all(&window, "25-programa-viejo").await;
    window.press(Key::F6).await;
    window.until("it waits", async || window.count("outbox-item").await == 1).await;
    album.keep_all(&window, "25-programa-viejo-por-enviar").await;
    window.close().await;

    // The day begins anew: known operators get in.
    let window = open(&driver, &server, &data).await;
    window.see("document").await;
    window.read("too-old", FAR).await;
    serve_since(&mut server, None);
    window.run("window.dispatchEvent(new Event('online'))").await;
    window.read("status-outbox", "todo enviado").await;
    assert!(!window.has("too-old").await);
    window.close().await;
}

/// The server starts anew, and serves only desks of this version or a newer one; none: all.
fn serve_since(server: &mut Server, version: Option<&str>) {
    let setting = |version: &str| ("HANNA_SERVER_MINIMUM_CLIENT".to_owned(), version.to_owned());
    server.stop();
    server.environment = version.map(setting).into_iter().collect();
    server.resume();
}
