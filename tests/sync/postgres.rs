//! Several server processes on one PostgreSQL: what desks were told is recorded arrives once, whatever is killed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hanna_cluster::Cluster;
use hanna_desk::backend::{AccessToken, Backend, FailureKind, Http, ServerAddress};
use hanna_desk::ports::{Chance, Clock, System};
use hanna_domain::{Document, DocumentKind, Redacted};
use hanna_server::demo::Demo;
use hanna_server::{App, Config, SystemClock, SystemEntropy};
use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::port;
use hanna_testkit::proxy::Proxy;
use hanna_tests::programs::program;
use hanna_wire::lookup::LookupRequest;
use hanna_wire::session::{Device, SignIn};
use jiff::Timestamp;
use uuid::Uuid;

/// Desks at work at once, and how many uses each records.
const DESKS: u64 = 3;
const USES: usize = 40;
/// How often a desk tries again before its story has failed.
const TRIES: u32 = 600;

/// A server process over `url`, killed when dropped.
struct Server {
    process: Child,
    address: SocketAddr,
    url: String,
}

impl Server {
    fn start(url: &str, folder: &Path, port: u16) -> Self {
        // Desks of tests ask faster than people.
        Self::start_with(url, folder, port, &["--lookups-a-minute", "1000000", "--lookups-a-day", "1000000"])
    }

    fn start_with(url: &str, folder: &Path, port: u16, settings: &[&str]) -> Self {
        let mut process = Command::new(program("hanna-server"))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--database", url, "--data-dir"])
            .arg(folder)
            .args(settings)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let address = line.trim_end().strip_prefix("listening on http://").expect("where it listens");
        Self { process, address: address.parse().expect("an address"), url: url.to_owned() }
    }

    /// Killed in the middle of whatever it does.
    fn kill(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
    }

    /// Started again where it was.
    fn resume(&mut self, folder: &Path) {
        let url = self.url.clone();
        *self = Self::start(&url, folder, self.address.port());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn invented_people(url: &str) -> Demo {
    let config = Config::new(url.parse().expect("an address"));
    let app = App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.expect("opened");
    app.seed_demo(1, 400).await.expect("invented people")
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[expect(clippy::print_stdout, reason = "the counts are what the stories show")]
fn print(text: &str) {
    println!("{text}");
}

/// Signs in, also while servers come and go.
async fn enter(desk: &TestDesk, demo: &Demo) {
    let mut tries = 0;
    while desk.enter(&demo.accounts[0]).await.is_err() {
        tries += 1;
        assert!(tries < TRIES, "nobody lets the desk in");
        a_moment().await;
    }
}

/// Records uses, each delivered at once if that can be, and gives the ids the desk was told are safe.
async fn work(desk: &TestDesk, demo: &Demo, done: &AtomicUsize) -> BTreeSet<Uuid> {
    let mut recorded = BTreeSet::new();
    let people = &demo.documents.active;
    let mut tries = 0;
    while recorded.len() < USES {
        let card = desk.ask(&people[recorded.len() % people.len()]).await;
        // Without a server and without a copy there is nothing to report on.
        if let Ok(card) = desk.report_use(card.lookup_id, true).await {
            let report = card.reported.expect("just reported");
            assert!(recorded.insert(report.id), "an id is used once");
            done.fetch_add(1, Ordering::SeqCst);
        } else {
            tries += 1;
            assert!(tries < TRIES, "the desk cannot work");
            a_moment().await;
        }
        desk.sync_now().await.expect("tried");
    }
    recorded
}

/// Delivers what is left.
async fn deliver(desk: &TestDesk) {
    for tries in 0.. {
        let status = desk.sync_now().await.expect("tried");
        assert_eq!(status.needs_attention, 0, "nothing was refused");
        if status.pending == 0 {
            break;
        }
        assert!(tries < TRIES, "something is left");
        a_moment().await;
    }
}

/// Reads the whole audit again: nothing that a server sealed was passed over, and every act has its record.
fn verify_audit(url: &str, folder: &Path) {
    let verify = Command::new(program("hanna-server"))
        .args(["audit", "verify", "--database", url, "--data-dir"])
        .arg(folder)
        .output()
        .expect("run");
    let said = String::from_utf8_lossy(&verify.stdout);
    print(said.lines().next().unwrap_or_default());
    assert!(verify.status.success(), "{said}{}", String::from_utf8_lossy(&verify.stderr));
    assert!(said.contains("nothing that is sealed was changed"), "{said}");
}

async fn reached(done: &AtomicUsize, count: usize) {
    while done.load(Ordering::SeqCst) < count {
        a_moment().await;
    }
}

fn clock() -> Arc<HandClock> {
    #[expect(clippy::disallowed_methods, reason = "the servers live in the system's time")]
    HandClock::at(Timestamp::now())
}

fn desks(url: &str) -> Vec<TestDesk> {
    let clock = clock();
    (1..=DESKS).map(|seed| TestDesk::new(url, &clock, seed)).collect()
}

/// Lets the desks work while `event` happens, and compares what they were told with what `database` holds in the end.
async fn nothing_is_lost_or_doubled(
    desks: &[TestDesk],
    demo: &Demo,
    event: impl AsyncFnOnce(&AtomicUsize),
    sql: impl Fn(&str) -> String,
) {
    for desk in desks {
        enter(desk, demo).await;
    }
    let done = AtomicUsize::new(0);
    let (a, b, c, ()) = tokio::join!(
        work(&desks[0], demo, &done),
        work(&desks[1], demo, &done),
        work(&desks[2], demo, &done),
        event(&done),
    );
    for desk in desks {
        deliver(desk).await;
    }
    let told: BTreeSet<Uuid> = [a, b, c].into_iter().flatten().collect();
    let ids = |text: String| text.lines().map(|id| id.parse().expect("an id")).collect::<Vec<Uuid>>();
    let held = ids(sql("SELECT id FROM usage_reports"));
    print(&format!("{} uses confirmed at {} desks, {} held", told.len(), desks.len(), held.len()));
    assert_eq!(held.len(), told.len(), "none is there twice");
    assert_eq!(held.into_iter().collect::<BTreeSet<_>>(), told);
    let gaps = sql("SELECT device_id FROM outbox_items GROUP BY device_id
                    HAVING count(*) <> max(sequence) OR count(DISTINCT sequence) <> count(*)");
    assert_eq!(gaps, "", "each desk's own count has no gap and no number twice");
    let twice = sql("SELECT number, day FROM usage_reports u JOIN outbox_items i USING (id)
                     WHERE outcome = 'accepted' GROUP BY u.kind, number, entity_id, day HAVING count(*) > 1");
    assert_eq!(twice, "", "the demo's gym allows one use a day; the others have a note");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_servers_is_killed_again_and_again_and_nothing_is_lost_or_doubled() {
    let cluster = Cluster::start().expect("a cluster");
    let url = cluster.make("hanna").expect("a database");
    let demo = invented_people(&url).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut servers =
        [Server::start(&url, folder.path(), port::free()), Server::start(&url, folder.path(), port::free())];
    let proxy = Proxy::before(servers.iter().map(|server| server.address).collect()).expect("a proxy");
    let desks = desks(&proxy.url());
    let event = async |done: &AtomicUsize| {
        for n in 0..6 {
            reached(done, 10 + 15 * n).await;
            let server = &mut servers[n % 2];
            server.kill();
            let held = cluster.sql("hanna", "SELECT count(*) FROM usage_reports").expect("counted");
            print(&format!("{held} uses held when server {} was killed", n % 2 + 1));
            a_moment().await;
            server.resume(folder.path());
        }
    };
    nothing_is_lost_or_doubled(&desks, &demo, event, |sql| cluster.sql("hanna", sql).expect("asked")).await;
    verify_audit(&url, folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standby_takes_over_in_the_middle_and_nothing_is_lost_or_doubled() {
    let primary = Cluster::start().expect("a cluster");
    let demo = invented_people(&primary.make("hanna").expect("a database")).await;
    let standby = primary.standby().expect("a standby");
    let url = Cluster::url_of(&[&primary, &standby], "hanna");
    let folder = tempfile::tempdir().expect("a folder");
    let servers =
        [Server::start(&url, folder.path(), port::free()), Server::start(&url, folder.path(), port::free())];
    let proxy = Proxy::before(servers.iter().map(|server| server.address).collect()).expect("a proxy");
    let desks = desks(&proxy.url());
    let event = async |done: &AtomicUsize| {
        reached(done, 40).await;
        let at_the_primary = primary.sql("hanna", "SELECT count(*) FROM usage_reports").expect("counted");
        primary.kill().expect("killed");
        standby.promote().expect("promoted");
        let at_the_standby = standby.sql("hanna", "SELECT count(*) FROM usage_reports").expect("counted");
        print(&format!("{at_the_primary} uses before, {at_the_standby} after the promotion"));
    };
    nothing_is_lost_or_doubled(&desks, &demo, event, |sql| standby.sql("hanna", sql).expect("asked")).await;
    verify_audit(&url, folder.path());
    drop(servers);
}

/// Records `count` uses of people nobody used yet, from the `first` on, and delivers them.
async fn record(desk: &TestDesk, demo: &Demo, first: usize, count: usize) {
    for document in &demo.documents.active[first..first + count] {
        let card = desk.ask(document).await;
        desk.report_use(card.lookup_id, false).await.expect("recorded");
    }
    deliver(desk).await;
}

fn hanna(subcommand: &[&str], url: &str, folder: &Path) {
    let done = Command::new(program("hanna-server"))
        .args(subcommand)
        .args(["--database", url, "--data-dir"])
        .arg(folder)
        .output()
        .expect("run");
    assert!(done.status.success(), "{subcommand:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Lets one of PostgreSQL's programs work.
fn tool(cluster: &Cluster, name: &str, args: &[&str]) {
    let done = cluster.program(name).args(args).output().expect("run");
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
}

/// What `docs/OPERATIONS.md` says to do, with the same programs, on a new machine while the old one can still be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_restored_from_yesterday_gets_everything_again_and_nothing_twice() {
    let (lost, new) = (Cluster::start().expect("a cluster"), Cluster::start().expect("a cluster"));
    let url = lost.make("hanna").expect("a database");
    let demo = invented_people(&url).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(&url, folder.path(), port::free());
    let desk = TestDesk::new(&format!("http://{}", server.address), &clock(), 1);
    enter(&desk, &demo).await;
    record(&desk, &demo, 0, 3).await;
    let dump = folder.path().join("ayer.dump").display().to_string();
    tool(&lost, "pg_dump", &["--format=custom", "--file", &dump, "hanna"]);
    // The key that signs what comes now is not in the backup.
    hanna(&["keys", "rotate"], &url, folder.path());
    server.kill();
    server.resume(folder.path());
    record(&desk, &demo, 3, 4).await;
    server.kill();

    server.url = new.make("hanna").expect("a database");
    let restore = ["--exit-on-error", "--single-transaction", "--no-owner", "--dbname=hanna", &dump];
    tool(&new, "pg_restore", &restore);
    hanna(&["keys", "bring", "--from", &url], &server.url, folder.path());
    hanna(&["epoch", "renew"], &server.url, folder.path());
    server.resume(folder.path());

    let count = |table: &str| new.sql("hanna", &format!("SELECT count(*) FROM {table}")).expect("counted");
    assert_eq!((count("usage_reports").as_str(), count("signing_keys").as_str()), ("3", "2"));
    // The next delivery shows it; the one after brings what was lost.
    record(&desk, &demo, 7, 1).await;
    deliver(&desk).await;
    print(&format!("8 uses confirmed, 3 of them in the backup, {} held", count("usage_reports")));
    assert_eq!(count("usage_reports"), "8");
    assert_eq!(count("(SELECT DISTINCT kind, number FROM usage_reports) AS people"), "8", "nobody twice");
    verify_audit(&server.url, folder.path());
}

/// Whether a server answers `asked`; if not, it says to ask more slowly.
async fn answers(server: &Http, token: &AccessToken, asked: &LookupRequest) -> bool {
    let asked = LookupRequest { id: System.id(System.now()), ..asked.clone() };
    let refused = server.lookup(token, &asked).await.err();
    assert!(refused.is_none_or(|failure| failure.kind == FailureKind::SlowDown), "{refused:?}");
    refused.is_none()
}

/// What an account asks of one process counts at the other, and at one that is started later.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_count_together_how_much_an_account_asks() {
    let cluster = Cluster::start().expect("a cluster");
    let url = cluster.make("hanna").expect("a database");
    let demo = invented_people(&url).await;
    let folder = tempfile::tempdir().expect("a folder");
    let start = || Server::start_with(&url, folder.path(), port::free(), &["--lookups-a-minute", "30"]);
    let backend = |server: &Server| {
        let address = ServerAddress::parse(&format!("http://{}", server.address)).expect("an address");
        Http::new(address).expect("a client")
    };
    let first = start();
    let second = start();
    let [asks, other] = [&first, &second].map(backend);
    let account = &demo.accounts[0];
    let sign_in = SignIn {
        username: account.username.clone(),
        password: Redacted::new(account.password.clone()),
        device: Device { id: System.id(System.now()), name: "RECEPCION-1".into() },
        otp: None,
    };
    let token = asks.sign_in(&sign_in).await.expect("signed in").value.access_token;
    let me = asks.me(&token).await.expect("asked").value;
    let asked = LookupRequest {
        id: Uuid::nil(),
        branch_id: me.branches[0].id,
        document: Document::parse(DocumentKind::CC, &demo.documents.active[0]).expect("a document"),
        purpose: "validar beneficio del convenio".into(),
    };
    let mut admitted = 0;
    while answers(&asks, &token, &asked).await {
        admitted += 1;
    }
    assert!(
        (30..34).contains(&admitted),
        "{admitted} at the first server, which gives one back every two seconds"
    );
    hears(&other, &token, &asked).await;
    drop(first);
    hears(&backend(&start()), &token, &asked).await;
}

/// A process is told within a second, and hears of it within another one if it is asked something meanwhile: long before it
/// would have let through as much as the first one.
async fn hears(server: &Http, token: &AccessToken, asked: &LookupRequest) {
    let mut admitted = 0;
    while answers(server, token, asked).await {
        admitted += 1;
        assert!(admitted < 24, "the other process goes on counting for itself");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
