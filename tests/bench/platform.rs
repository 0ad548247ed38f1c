//! What the server does in a second on PostgreSQL, over HTTP, in a process of its own: lookups, each authorised, judged,
//! recorded and signed; and uses, each verified, judged and recorded. Against what pgbench does in a second in the same
//! database, with as many clients: the same select with one insert, and one insert.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use hanna_cluster::Cluster;
use hanna_server::demo::{Demo, FEWEST};
use hanna_server::import::ImportHow;
use hanna_server::{App, Config, SystemClock, SystemEntropy};
use hanna_tests::programs::program;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::figures::Figures;
use crate::http::Client;
use crate::import::DURABLE;
use crate::people::{self, BASE, MODULUS, STEP};
use crate::stage::tick;

const PEOPLE: u32 = 1_000_000;
const TURNS: u32 = 3;
/// How many desks ask at once.
const CLIENTS: [usize; 2] = [1, 8];
/// What each of them does in a turn; each use rests on a lookup of that turn.
const LOOKUPS: usize = 2_000;
const SINGLE: usize = 500;
const BATCHES: usize = 3;
const BATCH: usize = 500;
/// How long pgbench does each of its things, in seconds.
const PGBENCH_S: u32 = 5;

const SELECT: &str = "
SELECT a.role, a.first_surname, a.second_surname, a.first_name, a.second_name, a.status, a.tariff, c.name, c.status
FROM affiliates a LEFT JOIN companies c ON c.id = a.company_id WHERE a.number = :number AND a.kind = 'CC';
";
const INSERT_LOOKUP: &str = "
INSERT INTO bench_lookups (id, account_id, device_id, entity_id, branch_id, document_mac, purpose, asked_at, regular)
VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
        sha256(int8send(:number)), 'validar beneficio del convenio', now(), false);
";
const INSERT_USE: &str = "
INSERT INTO bench_uses (id, statement_id, lookup_id, entity_id, branch_id, author_id, occurred_at, day, kind, number,
                        affiliate_name, tariff, company_name)
VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
        now(), current_date, 'CC', :number, 'PEREZ GOMEZ, JUAN CARLOS', 'A', 'EMPRESA S.A.S.');
";

/// What was measured.
pub struct Served {
    people: u32,
    measures: Vec<Measure>,
    selects: [Figures; CLIENTS.len()],
}

/// Times are those of one of them, as if they came one after the other.
#[derive(Default)]
struct Measure {
    what: String,
    clients: usize,
    ours: Figures,
    reference: &'static str,
    theirs: Figures,
    goal: f64,
}

impl Measure {
    fn ratio(&self) -> f64 {
        a_second(&self.ours) / a_second(&self.theirs)
    }

    fn is_met(&self) -> bool {
        self.ratio() >= self.goal
    }
}

fn a_second(each: &Figures) -> f64 {
    1e6 / each.median()
}

/// Measures, turn and turn about.
pub async fn measure() -> Served {
    let stage = Stage::set(people::count(PEOPLE)).await;
    let mut served = Served { people: stage.people, measures: Vec::new(), selects: Default::default() };
    let batches = format!("uses, {BATCH} a request");
    for clients in CLIENTS {
        for (what, reference, goal) in [
            ("lookups", "the same select and one insert", 0.7),
            ("uses, one a request", "one insert", 0.5),
            (batches.as_str(), "one insert", 2.0),
        ] {
            let (ours, theirs) = (Figures::default(), Figures::default());
            served.measures.push(Measure { what: what.to_owned(), clients, ours, reference, theirs, goal });
        }
    }
    // A day that nobody measures: tables that are not empty any more, and what PostgreSQL then knows of them.
    for clients in CLIENTS {
        stage.turn(0, clients, &mut [Measure::default(), Measure::default(), Measure::default()]);
    }
    stage.vacuum();
    for turn in 1..=TURNS {
        for (place, clients) in CLIENTS.into_iter().enumerate() {
            stage.turn(turn, clients, &mut served.measures[3 * place..3 * place + 3]);
            served.selects[place].add(stage.pgbench(clients, &format!("{NUMBER}{SELECT}")));
        }
    }
    served
}

impl Served {
    /// Whether the goals are reached.
    pub fn is_met(&self) -> bool {
        self.measures.iter().all(Measure::is_met)
    }

    /// The section of `docs/benchmarks.md`.
    pub fn section(&self) -> String {
        let mut text = format!(
            "## The server on PostgreSQL\n\n\
             {} people. What is done in a second, over HTTP on loopback, by the server in a process of its own, every commit flushed to \
             the disk; the\nclients and PostgreSQL share the machine with it. The references are transactions of pgbench in the same \
             database, prepared, with as\nmany clients, turn and turn about, after a turn that is not measured. Its select alone: {}.\n\n\
             | what | clients | a second | reference | its a second | ratio | goal | |\n|---|--:|--:|---|--:|--:|--:|---|\n",
            self.people,
            CLIENTS
                .iter()
                .zip(&self.selects)
                .map(|(clients, select)| format!("{:.0} a second with {clients}", a_second(select)))
                .collect::<Vec<_>>()
                .join(", ")
        );
        for measure in &self.measures {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {} | {:.0} | {:.2} | ≥ {:.1} | {} |",
                measure.what,
                measure.clients,
                a_second(&measure.ours),
                measure.reference,
                a_second(&measure.theirs),
                measure.ratio(),
                measure.goal,
                if measure.is_met() { "met" } else { "**missed**" },
            );
        }
        text
    }
}

/// The server, its people and its database.
struct Stage {
    people: u32,
    demo: Demo,
    server: Child,
    address: SocketAddr,
    folder: TempDir,
    // Last, because the server uses it.
    cluster: Cluster,
}

const DATABASE: &str = "hanna";
/// What each script of pgbench begins with: anybody's number.
const NUMBER: &str = "\\set number :base + (random(1, :people) * :step) % :modulus\n";

impl Stage {
    async fn set(people: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::start_with(DURABLE).expect("a cluster");
        let url = cluster.make(DATABASE).expect("a database");
        let config = Config::new(url.parse().expect("an address"));
        let app = App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.expect("opened");
        let demo = app.seed_demo(1, FEWEST).await.expect("businesses");
        let csv = folder.path().join("afiliados.csv");
        people::write_csv(&csv, people);
        let progress = Box::new(|_| ControlFlow::Continue(()));
        let report =
            app.import_affiliates(&csv, ImportHow::default(), None, progress).await.expect("imported");
        assert!(report.changed.is_some(), "{:?}", report.bad);
        for (copy, of) in [("bench_lookups", "lookups"), ("bench_uses", "usage_reports")] {
            let made = cluster.sql(DATABASE, &format!("CREATE TABLE {copy} (LIKE {of} INCLUDING ALL)"));
            made.expect("made");
        }
        let (server, address) = serve(&url, folder.path());
        let stage = Self { people, demo, server, address, folder, cluster };
        stage.vacuum();
        stage
    }

    /// What PostgreSQL does by itself every minute or so.
    fn vacuum(&self) {
        self.cluster.sql(DATABASE, "VACUUM ANALYZE").expect("vacuumed");
    }

    /// Each of three measures once, with so many clients.
    fn turn(&self, turn: u32, clients: usize, measures: &mut [Measure]) {
        let [lookups, single, batches] = measures else { unreachable!("three of them") };
        self.cluster.sql(DATABASE, "CHECKPOINT").expect("written");
        let mut desks: Vec<Desk> =
            (0..clients).map(|client| Desk::enter(self, turn, clients, client)).collect();
        lookups.ours.add(at_once(&mut desks, |desk| {
            let people: Vec<u64> = (0..LOOKUPS).map(|_| desk.next_number()).collect();
            desk.statements.reserve(LOOKUPS);
            move |desk: &mut Desk| people.iter().map(|number| desk.look_up(*number)).count()
        }));
        lookups.theirs.add(self.pgbench(clients, &format!("{NUMBER}BEGIN;{SELECT}{INSERT_LOOKUP}COMMIT;\n")));
        single.ours.add(at_once(&mut desks, |desk| {
            let requests: Vec<Value> = (0..SINGLE).map(|_| desk.batch(1)).collect();
            move |desk: &mut Desk| requests.iter().map(|batch| desk.deliver(batch)).sum()
        }));
        let insert = self.pgbench(clients, &format!("{NUMBER}{INSERT_USE}"));
        single.theirs.add(insert);
        batches.ours.add(at_once(&mut desks, |desk| {
            let size = BATCH.min(desk.statements.len() / BATCHES);
            let requests: Vec<Value> = (0..BATCHES).map(|_| desk.batch(size)).collect();
            move |desk: &mut Desk| requests.iter().map(|batch| desk.deliver(batch)).sum()
        }));
        batches.theirs.add(insert);
    }

    /// How long one transaction of `script` takes, as if they came one after the other.
    fn pgbench(&self, clients: usize, script: &str) -> Duration {
        let file = self.folder.path().join("script.sql");
        std::fs::write(&file, script).expect("written");
        let mut pgbench = self.cluster.program("pgbench");
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--client", &clients.to_string()]);
        pgbench.args(["--time", &PGBENCH_S.to_string(), "--file"]).arg(&file);
        for (name, value) in
            [("people", self.people.into()), ("base", BASE), ("step", STEP), ("modulus", MODULUS)]
        {
            pgbench.arg(format!("--define={name}={value}"));
        }
        let output = pgbench.arg(DATABASE).output().expect("run");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next());
        Duration::from_secs_f64(
            1.0 / tps.and_then(|tps| tps.parse::<f64>().ok()).expect("transactions a second"),
        )
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn serve(url: &str, folder: &Path) -> (Child, SocketAddr) {
    let mut server = Command::new(program("hanna-server"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database", url, "--data-dir"])
        .arg(folder)
        // Eight desks that ask all the time are as many as hundreds of people: no budget is for them.
        .args(["--lookups-a-minute", "100000000", "--lookups-a-day", "100000000"])
        .args(["--entity-lookups-a-minute", "100000000", "--entity-lookups-a-day", "100000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let address = line.trim_end().strip_prefix("listening on http://").expect("where it listens");
    let address = address.parse().expect("an address");
    (server, address)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark need not be repeatable to the id")]
fn id() -> Uuid {
    Uuid::now_v7()
}

/// What a desk sends, and no more.
struct Desk {
    client: Client,
    author: Value,
    branch: Value,
    statements: Vec<Value>,
    people: u32,
    asked: u64,
    sequence: u64,
}

impl Desk {
    fn enter(stage: &Stage, turn: u32, clients: usize, client: usize) -> Self {
        let account = &stage.demo.accounts[0];
        let sign_in = json!({
            "username": account.username, "password": account.password,
            "device": { "id": id(), "name": format!("BENCH-{client}") },
        });
        let mut desk = Client::to(stage.address);
        let tokens = desk.ask("POST", "/v1/sessions", &sign_in);
        tokens["access_token"].as_str().expect("a token").clone_into(&mut desk.token);
        let me = desk.ask("GET", "/v1/me", &Value::Null);
        // Nobody is asked about twice while there are people enough.
        let before = (0..turn).map(|_| CLIENTS.iter().sum::<usize>()).sum::<usize>()
            + CLIENTS.iter().take_while(|other| **other != clients).sum::<usize>()
            + client;
        Self {
            client: desk,
            author: me["operator"]["id"].clone(),
            branch: me["branches"][0]["id"].clone(),
            statements: Vec::new(),
            people: stage.people,
            asked: u64::try_from(before * LOOKUPS).expect("a number"),
            sequence: 0,
        }
    }

    fn next_number(&mut self) -> u64 {
        self.asked += 1;
        people::number(self.asked % u64::from(self.people) + 1)
    }

    fn look_up(&mut self, number: u64) {
        let lookup = json!({
            "id": id(), "branch_id": self.branch,
            "document": { "kind": "CC", "number": number.to_string() }, "purpose": "validar beneficio del convenio",
        });
        let mut answer = self.client.ask("POST", "/v1/lookups", &lookup);
        self.statements.push(answer["statement"].take());
    }

    /// Uses of so many people, each resting on a statement of its own.
    fn batch(&mut self, size: usize) -> Value {
        #[expect(clippy::disallowed_methods, reason = "the server lives in the system's time")]
        let now = Timestamp::now();
        let items: Vec<Value> = (0..size)
            .map(|_| {
                self.sequence += 1;
                let statement = self.statements.pop().expect("looked up before");
                json!({
                    "id": id(), "sequence": self.sequence, "author_id": self.author, "device_time": now,
                    "occurred_at": now,
                    "body": { "kind": "usage_report", "branch_id": self.branch, "statement": statement },
                })
            })
            .collect();
        json!({ "items": items })
    }

    /// Delivers a batch, and gives how many of it were accepted, which is all.
    fn deliver(&mut self, batch: &Value) -> usize {
        let answer = self.client.ask("POST", "/v1/outbox", batch);
        let outcomes = answer["outcomes"].as_array().expect("outcomes");
        let accepted = |outcome: &&Value| matches!(outcome["outcome"].as_str(), Some(word) if word.starts_with("accepted"));
        assert_eq!(outcomes.iter().filter(accepted).count(), batch["items"].as_array().expect("items").len());
        outcomes.len()
    }
}

/// Lets every desk do what `prepare` made ready, at once, and gives how long one of what they did took, as if they came
/// one after the other.
fn at_once<W>(desks: &mut [Desk], prepare: impl Fn(&mut Desk) -> W) -> Duration
where
    W: FnOnce(&mut Desk) -> usize + Send,
{
    let ready: Vec<(&mut Desk, W)> = desks
        .iter_mut()
        .map(|desk| {
            let work = prepare(desk);
            (desk, work)
        })
        .collect();
    let begin = tick();
    let done: usize = std::thread::scope(|scope| {
        let at_work: Vec<_> = ready.into_iter().map(|(desk, work)| scope.spawn(move || work(desk))).collect();
        at_work.into_iter().map(|desk| desk.join().expect("done")).sum()
    });
    begin.elapsed() / u32::try_from(done).expect("a number")
}
