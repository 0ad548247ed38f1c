//! A newcomer's day: creates a user in the window, reads the code in the mail, waits for the caja, signs in; forgets the
//! password, sets another, and changes it; asks for CONVENIOS with a document, puts it right, waits for the caja again, opens
//! the tile, chooses a sede and consults the first person; invites somebody. The caja decides in its console, in Chromium.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fantoccini::key::Key;
use hanna_testkit::cups::Cups;
use hanna_testkit::keyring::Keyring;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::pictures::Album;
use crate::server::Server;
use crate::stage::{self, TURN, look_up, open};
use crate::window::{Driver, Window};

const EMAIL: &str = "nadia@gym-nuevo.co";
const PASSWORD: &str = "cuatro xilofonos";
const SECOND: &str = "cinco trompetas";
const THIRD: &str = "seis violoncelos";

/// The folder of the server's data, with what is mailed.
struct Mails(PathBuf);

impl Mails {
    /// The `n`th mail, once it is there. Their names are in the order of time.
    async fn nth(&self, n: usize) -> String {
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
    let keyring = Keyring::apart(&home);
    let cups = Cups::start().expect("a printer");
    let mut server = Server::start(&stage.path().join("server"));
    let driver = Driver::start(&home, &keyring, &cups.server());
    let album = Album::open();
    let data = stage.path().join("desk");
    let mails = Mails(stage.path().join("server"));
    let mut caja = Browser::open(&server, &album, "24-consola-");
    caja.does("sign_in", &of_the_caja(&server));

    let window = open(&driver, &server, &data).await;
    create(&window, &mut server, &album).await;

    // The program is closed before the code is there: it waits for it all the same.
    window.close().await;
    let window = open(&driver, &server, &data).await;
    window.click("create-account").await;
    window.read("progress", "5 de 5").await;
    confirm(&window, &mails, &album).await;

    window.click("to-sign-in").await;
    sign_in(&window, PASSWORD).await;
    window.read("error", "espera la aprobación").await;
    album.keep(&window, "24-pendiente-de-aprobacion").await;
    caja.does("approve_registration", &json!({ "who": "Nadia Núñez" }));
    assert!(mails.nth(1).await.contains("GYM NUEVO"), "the approval is mailed");
    sign_in(&window, PASSWORD).await;
    window.read("tile-CONVENIOS", "sin solicitar").await;
    album.keep_all(&window, "25-aplicacion-sin-solicitar").await;
    window.click("sign-out").await;

    forget(&window, &mails, &album).await;
    sign_in(&window, SECOND).await;
    change(&window, &album).await;
    window.click("sign-out").await;
    sign_in(&window, THIRD).await;
    let document = document(stage.path());
    begin_request(&window, &album).await;
    // The program is closed in the middle of the form: what was typed is there.
    window.close().await;
    let window = open(&driver, &server, &data).await;
    request(&window, &mut server, &mut caja, &document, &album).await;
    at_work(&window, &server, &album).await;
    invite(&window, &album).await;
    window.close().await;
    who_asked(&server, &mut caja);
}

/// The caja answers the person who asks who looked them up, and hands over what there is about them.
fn who_asked(server: &Server, caja: &mut Browser) {
    let number = server.document("active", 0);
    let purpose = "derecho de petición 2026-118";
    let export =
        caja.does("search_audit", &json!({ "number": number, "purpose": purpose, "who": "Nadia Núñez" }));
    assert_eq!(export["document"]["number"], number);
    assert_eq!(export["lookups"].as_array().map(Vec::len), Some(1), "{export}");
    assert!(export["accesses"].to_string().contains(purpose), "who looked at the audit is in it too");
}

/// Who decides at the console, with the second factor.
fn of_the_caja(server: &Server) -> Value {
    let accounts = server.people["accounts"].as_array().expect("a list");
    let account =
        accounts.iter().find(|account| !account["totp_secret"].is_null()).expect("somebody of the caja");
    json!({ "username": account["username"], "password": account["password"], "secret": account["totp_secret"] })
}

/// The document that goes with the request: half a megabyte.
fn document(stage: &Path) -> PathBuf {
    let path = stage.join("cámara de comercio GYM NUEVO.pdf");
    let bytes: Vec<u8> = b"%PDF-1.7\n".iter().copied().chain((0..=250).cycle()).take(500_000).collect();
    std::fs::write(&path, bytes).expect("written");
    path
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

async fn confirm(window: &Window, mails: &Mails, album: &Album) {
    let code = code_in(&mails.nth(0).await);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    window.fill("code", wrong).await;
    window.press(Key::Enter).await;
    window.read("error", "no es el código").await;
    window.fill("code", &code).await;
    window.press(Key::Enter).await;
    window.see("to-sign-in").await;
    album.keep_all(window, "24-crear-usuario-pendiente").await;
}

async fn forget(window: &Window, mails: &Mails, album: &Album) {
    window.click("forgot-password").await;
    window.see("email").await;
    album.keep_all(window, "26-olvide-contrasena").await;
    window.fill("email", EMAIL).await;
    window.press(Key::Enter).await;
    window.see("code").await;
    let code = code_in(&mails.nth(2).await);
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

async fn begin_request(window: &Window, album: &Album) {
    // The way on has the focus.
    window.see("request-it").await;
    window.press(Key::Enter).await;
    window.read("progress", "1 de 5").await;
    window.fill("contact_phone", "300 123 45 67").await;
    album.keep_all(window, "29-solicitar-contacto").await;
    window.press(Key::Enter).await;
    window.see("benefit").await;
    window.type_text("20 % de descuento en la mensualidad y una valoración física sin costo.").await;
    album.keep_all(window, "30-solicitar-beneficio").await;
    window.press(Key::Enter).await;
    window.see("branch-0-name").await;
    window.type_text("Sede Norte").await;
    window.fill("branch-0-city", "Barranquilla").await;
    window.fill("branch-0-address", "Carrera 53 # 76-100").await;
    window.click("add-branch").await;
    window.see("branch-1-name").await;
    window.type_text("Sede Soledad").await;
    window.fill("branch-1-city", "Soledad").await;
    // Left, so that it is kept; the address stays empty.
    window.press(Key::Tab).await;
    album.keep(window, "31-solicitar-sedes-a-medias").await;
}

async fn request(window: &Window, server: &mut Server, caja: &mut Browser, document: &Path, album: &Album) {
    window.click("request-it").await;
    window.read("progress", "3 de 5").await;
    assert_eq!(window.value("branch-1-name").await, "Sede Soledad");
    window.press(Key::Enter).await;
    window.read("error", "Escriba este dato").await;
    window.fill("branch-1-address", "Calle 30 # 12-45").await;
    album.keep_all(window, "31-solicitar-sedes").await;
    window.press(Key::Enter).await;

    window.see("choose-file").await;
    let wrong = document.with_file_name("carta.pdf");
    std::fs::write(&wrong, "Señores: esto es texto").expect("written");
    window.upload("file-input", &wrong).await;
    window.read("error", "no es un PDF").await;
    album.keep(window, "32-solicitar-archivo-no-sirve").await;
    window.upload("file-input", document).await;
    window.read("chosen-file", "GYM NUEVO.pdf").await;
    album.keep_all(window, "32-solicitar-archivo").await;
    window.click("next").await;

    window.read("request-content", "2 sedes").await;
    album.keep_all(window, "33-solicitar-revisar").await;
    server.stop();
    window.click("next").await;
    window.read("error", "conexión").await;
    server.resume();
    window.click("next").await;
    window.see("to-applications").await;
    album.keep_all(window, "34-solicitud-enviada").await;
    window.press(Key::Enter).await;
    window.read("tile-CONVENIOS", "enviada").await;
    album.keep_all(window, "35-aplicacion-solicitada").await;

    caja.does("review_request", &json!({ "entity": "GYM NUEVO" }));
    window.click("reload").await;
    window.read("tile-CONVENIOS", "en revisión").await;
    caja.does("reject_request", &json!({ "reason": "La cámara de comercio está vencida." }));
    window.click("reload").await;
    window.read("tile-CONVENIOS", "vencida").await;
    album.keep_all(window, "36-solicitud-rechazada").await;
    window.click("request-it").await;
    window.read("rejected", "vencida").await;
    album.keep_all(window, "37-solicitud-corregir").await;
    window.click("change-file").await;
    let renewed = document.with_file_name("cámara de comercio renovada.pdf");
    std::fs::copy(document, &renewed).expect("copied");
    window.upload("file-input", &renewed).await;
    window.read("chosen-file", "renovada").await;
    window.click("next").await;
    window.read("request-content", "renovada").await;
    window.click("next").await;
    window.click("to-applications").await;
    window.read("request", "de nuevo").await;

    // The answer comes while one looks: nobody presses anything.
    caja.does("approve_request", &json!({ "entity": "GYM NUEVO" }));
    window.see("approved-now").await;
    album.keep_all(window, "38-aplicacion-aprobada").await;
}

async fn at_work(window: &Window, server: &Server, album: &Album) {
    window.click("acceder").await;
    window.see("branch-search").await;
    album.keep_all(window, "39-primera-sede").await;
    window.type_text("norte").await;
    window.press(Key::Enter).await;
    window.see("document").await;
    assert!(window.text().await.contains("Sede Norte"), "the sede that was typed");
    look_up(window, &server.document("active", 0)).await;
    window.verdict("ACTIVE").await;
    album.keep_all(window, "40-primera-consulta").await;
}

async fn invite(window: &Window, album: &Album) {
    window.press(Key::Escape).await;
    window.run("location.hash = '#/aplicaciones'").await;
    window.click("users").await;
    window.see("user-search").await;
    window.read("users-empty", "Invite").await;
    album.keep_all(window, "41-usuarios-nadie-mas").await;
    window.click("invite").await;
    window.fill("display_name", "Luis Peñaranda").await;
    window.fill("email", "luis@gym-nuevo.co").await;
    album.keep_all(window, "42-usuarios-invitar").await;
    window.click("invite-send").await;
    window.read("invited", "luis@gym-nuevo.co").await;
    album.keep_all(window, "43-usuarios").await;
    let rows = window.count("manage").await;
    assert_eq!(rows, 2);
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
