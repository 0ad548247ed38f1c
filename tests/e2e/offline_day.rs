//! A day without the server, in the real window: ten uses by two operators, one taken back, one person reported at another
//! desk as well, the clock of the PC put back; then the server returns, and everything is right.

use std::collections::BTreeSet;

use fantoccini::key::Key;
use hanna_domain::outbox::ItemCode;
use hanna_testkit::keyring::Keyring;
use hanna_tests::terminal::Terminal;
use hanna_wire::usage::UsageRow;
use jiff::{SignedDuration, Timestamp};

use crate::clock::PcClock;
use crate::pictures::Album;
use crate::server::Server;
use crate::stage::{self, TURN, credentials, look_up, open_under, server_rows};
use crate::window::{Driver, Window};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long a step may take on a busy machine, from the look at the clock to the record.
const STEP: SignedDuration = SignedDuration::from_mins(2);

/// The two accounts of the gym that may work at its first branch.
const ANA: usize = 0;
const LUIS: usize = 1;

/// The clocks of the day: the true time, by which the server and the other desk run, and that of this PC.
struct Clocks {
    world: PcClock,
    pc: PcClock,
}

impl Clocks {
    fn advance(&mut self, by: SignedDuration) {
        self.world.advance(by);
        self.pc.advance(by);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_the_server() {
    let _turn = TURN.lock().await;
    let stage = tempfile::tempdir().expect("a folder");
    let home = stage::home(stage.path());
    let keyring = Keyring::apart(&home);
    // Half past six in the morning in Colombia.
    let morning: Timestamp = "2026-03-03T11:30:00Z".parse().expect("a time");
    let mut clocks = Clocks {
        world: PcClock::at(morning, &stage.path().join("world.rc")),
        pc: PcClock::at(morning, &stage.path().join("pc.rc")),
    };
    let mut server = Server::start_under(&stage.path().join("server"), clocks.world.environment());
    let driver = Driver::start(&home, &keyring, "nobody-prints-here");
    let album = Album::open();
    let data = stage.path().join("desk");
    let people: Vec<String> = (0..11).map(|n| server.document("active", n)).collect();

    let window = open_under(&driver, &server, &data, &clocks.pc.environment()).await;
    before_opening(&window, &server, &people).await;
    let folder = stage.path().join("other");
    let mut other = Terminal::start_under(&server.url(), &folder, &clocks.world.environment());
    let (username, password) = credentials(&server, LUIS);
    other.get(&format!("sign-in {username} {password}"));
    other.get(&format!("lookup CC {}", people[0]));

    server.stop();
    let mut uses = Vec::new();
    for person in &people[..5] {
        uses.push(offline_use(&window, &mut clocks, person).await);
    }
    // The first person again, at the other desk.
    assert_eq!(other.get(&format!("lookup CC {}", people[0]))["verdict"], "ACTIVE_FROM_COPY");
    other.get("report");
    change_operator(&window, &server, &album).await;
    for person in &people[5..10] {
        uses.push(offline_use(&window, &mut clocks, person).await);
    }
    take_back(&window, &album).await;
    window.press(Key::F6).await;
    window.until("eleven items wait", async || window.count("outbox-item").await == 11).await;
    album.keep_all(&window, "20-dia-sin-conexion").await;

    clock_put_back(&window, &mut clocks, &people[2], &album).await;

    // The other desk is first: at this one somebody has to sign in before anything is sent.
    server.resume();
    assert_eq!(other.get("sync")["pending"], 0);
    // As the system does when the network is back.
    window.run("window.dispatchEvent(new Event('online'))").await;
    come_back(&window, &server, &album).await;
    // Online the wrong clock does no harm.
    look_up(&window, &people[10]).await;
    window.verdict("ACTIVE").await;
    window.press(Key::F2).await;
    window.see("reported").await;
    uses.push(clocks.world.now());
    window.read("status-outbox", "todo enviado").await;

    summary(&window, &album).await;
    clocks.pc.advance(DAY);
    window.press(Key::F7).await;
    window.until("every use is listed", async || window.count("history-row").await == 12).await;
    assert_eq!(window.attribute("history-total", "data-uses").await, "11", "one was taken back");
    album.keep_all(&window, "24-reporte-del-dia").await;
    window.close().await;

    let rows = server_rows(&server, clocks.world.now()).await;
    everything_is_right(&rows, &people, &uses);

    let window = open_under(&driver, &server, &data, &clocks.pc.environment()).await;
    window.see("document").await;
    window.press(Key::F6).await;
    assert_eq!(window.attribute("last-sync", "data-accepted").await, "10", "after a restart too");
    window.close().await;
}

async fn sign_in(window: &Window, server: &Server, account: usize) {
    let (username, password) = credentials(server, account);
    window.fill("username", username).await;
    window.fill("password", password).await;
    window.click("sign-in").await;
}

/// Both operators are known at this PC, and the first looks everybody of the day up.
async fn before_opening(window: &Window, server: &Server, people: &[String]) {
    window.see("username").await;
    sign_in(window, server, LUIS).await;
    window.see("tile-CONVENIOS").await;
    window.click("sign-out").await;
    window.see("username").await;
    sign_in(window, server, ANA).await;
    window.see("tile-CONVENIOS").await;
    window.click("acceder").await;
    window.click("branch-GYM-01").await;
    window.see("document").await;
    for person in &people[..10] {
        look_up(window, person).await;
        window.verdict("ACTIVE").await;
    }
}

/// An hour later somebody comes; when their use was reported.
async fn offline_use(window: &Window, clocks: &mut Clocks, person: &str) -> Timestamp {
    clocks.advance(HOUR);
    look_up(window, person).await;
    window.verdict("ACTIVE_FROM_COPY").await;
    let before = clocks.world.now();
    window.press(Key::F2).await;
    window.see("reported").await;
    before
}

/// The desk is locked, and another operator takes over.
async fn change_operator(window: &Window, server: &Server, album: &Album) {
    window.press(Key::F9).await;
    window.see("locked").await;
    album.keep_all(window, "18-bloqueado").await;
    window.click("other-operator").await;
    window.see("username").await;
    sign_in(window, server, LUIS).await;
    window.see("document").await;
    let operator = window.attribute("operator", "title").await;
    assert!(operator.starts_with("Luis Peñaranda · "), "{operator}");
}

/// The last use was of somebody else.
async fn take_back(window: &Window, album: &Album) {
    window.click("void-use").await;
    window.click("void-reason-WRONG_PERSON").await;
    album.keep_all(window, "19-anular-uso").await;
    window.click("void-confirm").await;
    window.read("reported", "anulado").await;
    album.keep_all(window, "19-uso-anulado").await;
}

/// No copy is green by a clock that is behind what the server said.
async fn clock_put_back(window: &Window, clocks: &mut Clocks, person: &str, album: &Album) {
    clocks.advance(HOUR);
    clocks.pc.advance(-DAY);
    window.click("retry-connection").await;
    window.read("status-connection", "sin conexión").await;
    window.press(Key::Escape).await;
    window.see("document").await;
    look_up(window, person).await;
    window.verdict("NO_DATA").await;
    window.read("card", "reloj de este equipo").await;
    assert!(!window.has("report-use").await, "a use could be reported by a wrong clock");
    album.keep_all(window, "21-reloj-atrasado").await;
    window.press(Key::Escape).await;
}

async fn come_back(window: &Window, server: &Server, album: &Album) {
    window.read("status-connection", "en línea").await;
    window.see("sign-in-needed").await;
    album.keep(window, "22-ingresar-otra-vez").await;
    window.click("sign-in-again").await;
    window.fill("password", credentials(server, LUIS).1).await;
    window.click("sign-in").await;
    window.read("synced", "Se entregaron 11 registros que esperaban: 10 aceptados, 1 con observación.").await;
    album.keep_all(window, "22-de-vuelta").await;
}

async fn summary(window: &Window, album: &Album) {
    window.press(Key::F6).await;
    for (name, count) in [("data-accepted", "10"), ("data-noted", "1"), ("data-refused", "0")] {
        assert_eq!(window.attribute("last-sync", name).await, count, "{name}");
    }
    window.read("last-sync-noted", "ya había usado el beneficio").await;
    assert!(!window.has("synced").await, "it was seen");
    album.keep_all(window, "23-ultima-sincronizacion").await;
}

fn everything_is_right(rows: &[UsageRow], people: &[String], uses: &[Timestamp]) {
    let ids: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!((rows.len(), ids.len()), (12, 12), "each use exactly once");
    for (n, (person, at)) in people.iter().zip(uses).enumerate() {
        let close = |row: &&UsageRow| {
            row.document.number() == person && (row.occurred_at - STEP..=row.occurred_at + STEP).contains(at)
        };
        let found: Vec<&UsageRow> = rows.iter().filter(close).collect();
        assert_eq!(found.len(), 1, "use {n} at {at}");
        let row = found[0];
        let operator = if n < 5 { "Ana Rodríguez" } else { "Luis Peñaranda" };
        assert_eq!(row.operator_name, operator, "use {n}");
        assert_eq!(row.void.is_some(), n == 9, "use {n}");
        let code = (n == 0).then_some(ItemCode::DailyLimitReached);
        assert_eq!(row.code, code, "use {n}");
        let behind = row.occurred_at.duration_since(row.device_time.expect("kept"));
        let expected = if n == 10 { DAY } else { SignedDuration::ZERO };
        assert!((behind - expected).abs() < STEP, "use {n}: the clock of the PC was {behind:?} behind");
    }
    let of_both = rows.iter().filter(|row| row.document.number() == people[0]).count();
    assert_eq!(of_both, 2, "what two desks reported is on record twice");
}
