//! Somebody new: creates a user in the window, reads the code in the mail, waits for the caja, signs in; forgets the
//! password, sets another, and changes it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fantoccini::key::Key;
use hanna_testkit::cups::Cups;
use hanna_testkit::keyring::Keyring;
use hanna_tests::programs::program;

use crate::pictures::Album;
use crate::server::Server;
use crate::stage::{self, TURN, open};
use crate::window::{Driver, Window};

const EMAIL: &str = "nadia@gym-nuevo.co";
const PASSWORD: &str = "cuatro xilofonos";
const SECOND: &str = "cinco trompetas";
const THIRD: &str = "seis violoncelos";

/// The folder of the server's data, with what the caja does on its terminal and what is mailed.
struct Caja(PathBuf);

impl Caja {
    /// What a subcommand prints.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(program("hanna-server"));
        let output = command.args(arguments).arg("--data-dir").arg(&self.0).output().expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The `n`th mail, once it is there. Their names are in the order of time.
    async fn mail(&self, n: usize) -> String {
        let written = || {
            let entries = std::fs::read_dir(self.0.join("mail")).ok()?;
            let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
            paths.sort();
            paths.get(n).cloned()
        };
        let mut path = written();
        for _ in 0..300 {
            if path.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            path = written();
        }
        std::fs::read_to_string(path.expect("the mail is written")).expect("a mail")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newcomer() {
    let _turn = TURN.lock().await;
    let stage = tempfile::tempdir().expect("a folder");
    let home = stage::home(stage.path());
    let _keyring = Keyring::unlocked(&home);
    let cups = Cups::start().expect("a printer");
    let mut server = Server::start(&stage.path().join("server"));
    let driver = Driver::start(&home, &cups.server());
    let album = Album::open();
    let data = stage.path().join("desk");
    let caja = Caja(stage.path().join("server"));

    let window = open(&driver, &server, &data).await;
    create(&window, &mut server, &album).await;

    // The program is closed before the code is there: it waits for it all the same.
    window.close().await;
    let window = open(&driver, &server, &data).await;
    window.click("create-account").await;
    window.read("progress", "5 de 5").await;
    confirm(&window, &caja, &album).await;

    window.click("to-sign-in").await;
    sign_in(&window, PASSWORD).await;
    window.read("error", "espera la aprobación").await;
    album.keep(&window, "24-pendiente-de-aprobacion").await;
    let listed = caja.run(&["account", "list"]);
    let id =
        listed.lines().find(|line| line.contains(EMAIL)).expect("it waits").split(' ').next().expect("an id");
    assert!(caja.run(&["account", "approve", id]).contains("approved"));
    assert!(caja.mail(1).await.contains("GYM NUEVO"), "the approval is mailed");
    sign_in(&window, PASSWORD).await;
    window.read("tile-CONVENIOS", "sin solicitar").await;
    album.keep_all(&window, "25-aplicacion-sin-solicitar").await;
    window.click("sign-out").await;

    forget(&window, &caja, &album).await;
    sign_in(&window, SECOND).await;
    change(&window, &album).await;
    window.click("sign-out").await;
    sign_in(&window, THIRD).await;
    window.see("tile-CONVENIOS").await;
    window.close().await;
}

async fn create(window: &Window, server: &mut Server, album: &Album) {
    window.click("create-account").await;
    window.see("nit").await;
    window.type_text("899.999.068-2").await;
    window.fill("entity_name", "GYM NUEVO").await;
    window.press(Key::Enter).await;
    window.read("error", "dígito de verificación").await;
    album.keep(window, "20-crear-usuario-nit-errado").await;
    window.fill("nit", "899.999.068-1").await;
    window.read("progress", "1 de 5").await;
    album.keep_all(window, "20-crear-usuario-entidad").await;
    window.press(Key::Enter).await;

    window.see("display_name").await;
    window.type_text("Nadia Núñez").await;
    window.fill("email", "nadia").await;
    window.fill("phone", "300 123 45 67").await;
    window.press(Key::Enter).await;
    window.read("error", "correo").await;
    window.fill("email", EMAIL).await;
    album.keep_all(window, "21-crear-usuario-persona").await;
    window.press(Key::Enter).await;

    window.see("new-password").await;
    window.type_text("colombia2026").await;
    window.read("strength", "primeras").await;
    window.press(Key::Enter).await;
    window.read("error", "adivinar").await;
    window.fill("new-password", PASSWORD).await;
    window.read("strength", "muy buena").await;
    album.keep_all(window, "21-crear-usuario-contrasena").await;
    window.press(Key::Enter).await;

    window.see("accepted").await;
    window.click("next").await;
    window.read("error", "autorizar").await;
    window.click("accepted").await;
    album.keep_all(window, "22-crear-usuario-aviso").await;

    // Without the server nothing is lost: the same button again.
    server.stop();
    window.click("next").await;
    window.read("error", "conexión").await;
    album.keep(window, "22-crear-usuario-sin-conexion").await;
    server.resume();
    window.click("next").await;
    window.read("progress", "5 de 5").await;
    album.keep_all(window, "23-crear-usuario-codigo").await;
}

async fn confirm(window: &Window, caja: &Caja, album: &Album) {
    let code = code_in(&caja.mail(0).await);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    window.fill("code", wrong).await;
    window.press(Key::Enter).await;
    window.read("error", "no es el código").await;
    window.fill("code", &code).await;
    window.press(Key::Enter).await;
    window.see("to-sign-in").await;
    album.keep_all(window, "24-crear-usuario-pendiente").await;
}

async fn forget(window: &Window, caja: &Caja, album: &Album) {
    window.click("forgot-password").await;
    window.see("email").await;
    album.keep_all(window, "26-olvide-contrasena").await;
    window.fill("email", EMAIL).await;
    window.press(Key::Enter).await;
    window.see("code").await;
    let code = code_in(&caja.mail(2).await);
    window.fill("code", &code).await;
    window.fill("new-password", SECOND).await;
    album.keep_all(window, "27-contrasena-nueva").await;
    window.press(Key::Enter).await;
    window.click("to-sign-in").await;
}

async fn change(window: &Window, album: &Album) {
    window.see("tile-CONVENIOS").await;
    window.click("operator").await;
    window.fill("current", "no es esa").await;
    window.fill("new-password", THIRD).await;
    window.press(Key::Enter).await;
    window.read("error", "no es su contraseña").await;
    window.fill("current", SECOND).await;
    album.keep_all(window, "28-cambiar-contrasena").await;
    window.press(Key::Enter).await;
    window.see("changed").await;
    // It opens this PC too.
    window.click("lock").await;
    window.fill("password", THIRD).await;
    window.press(Key::Enter).await;
    window.see("current").await;
}

async fn sign_in(window: &Window, password: &str) {
    window.fill("username", EMAIL).await;
    window.fill("password", password).await;
    window.press(Key::Enter).await;
}

fn code_in(mail: &str) -> String {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
    mail.lines().find(is_code).expect("a code").to_owned()
}
