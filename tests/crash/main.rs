//! The real programs, killed with SIGKILL while they work, over and over, on the same data: what was confirmed is at the
//! server exactly once, what was not at most once.
//!
//! `HANNA_CRASH_KILLS=1000` runs it long; `HANNA_CRASH_SEED` chooses other moments.
#![expect(clippy::print_stdout, reason = "a run shows what it killed and what was confirmed")]

mod life;
#[path = "../e2e/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use hanna_tests::template::memory_folder;
use life::Life;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use server::Server;
use uuid::Uuid;

/// How often the desk is killed when nobody says.
const KILLS: u64 = 40;
/// The most people one life of the desk serves.
const PEOPLE_A_LIFE: usize = 30;
/// Answers to signing in and choosing the branch.
const ANSWERS_OF_THE_BEGINNING: usize = 2;
/// A command takes a few milliseconds: the moment of the kill lies anywhere in it.
const MOMENT_MAX_US: u64 = 6_000;
/// How often the last life sends what is left.
const SYNCS: usize = 5;

#[derive(Debug, Default)]
struct Count {
    desk_kills: u64,
    server_kills: u64,
    lookups: u64,
    confirmed: BTreeSet<Uuid>,
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse().ok();
    assert!(number.is_some(), "{name}={text} is no number");
    number
}

/// Everybody who may use the benefit, so that nobody uses it hundreds of times a day.
fn people(database: &Path) -> Vec<String> {
    let db = Connection::open(database).expect("the server's database");
    let mut query = db
        .prepare(
            "SELECT number FROM affiliates a LEFT JOIN companies c ON c.id = a.company_id
             WHERE a.kind = 'CC' AND a.status = 'ACTIVO' AND coalesce(c.status, 'ACTIVA') = 'ACTIVA' ORDER BY number",
        )
        .expect("a query");
    let rows = query.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("numbers")
}

/// What one life is told to do.
fn commands(beginning: &[String], people: &[String], chance: &mut StdRng) -> Vec<String> {
    let mut commands = beginning.to_vec();
    for _ in 0..PEOPLE_A_LIFE {
        commands.push(format!("lookup CC {}", people[chance.random_range(0..people.len())]));
        commands.push("report".into());
        if chance.random_bool(0.1) {
            commands.push("sync".into());
        }
    }
    commands
}

impl Count {
    /// Takes down what the answers to `commands` confirm.
    fn take(&mut self, commands: &[String], answers: &[Value]) {
        for (command, answer) in commands.iter().zip(answers) {
            let done = answer["ok"] == true;
            match command.split(' ').next() {
                Some("sign-in" | "branch" | "sync") => assert!(done, "{command}: {answer}"),
                Some("lookup") if done => self.lookups += 1,
                Some("report") if done => {
                    let id = answer["result"]["id"].as_str().and_then(|id| id.parse().ok());
                    let fresh = self.confirmed.insert(id.expect("an id"));
                    assert!(fresh, "an id is used once: {answer}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn what_was_confirmed_survives_any_kill_and_arrives_once() {
    let kills = number("HANNA_CRASH_KILLS").unwrap_or(KILLS);
    let seed = number("HANNA_CRASH_SEED").unwrap_or(1);
    let mut chance = StdRng::seed_from_u64(seed);
    // A process that is killed takes nothing with it that it has written: the disk does not matter.
    let folder = memory_folder("crash");
    let (data, desk) = (folder.path().join("server"), folder.path().join("desk"));
    let mut server = Server::start(&data);
    let database = data.join("hanna.sqlite");
    let people = people(&database);
    assert!(people.contains(&server.document("active", 0)), "those who may use the benefit are among them");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let account = server.account();
    let sign_in = format!("sign-in {} {}", text(&account["username"]), text(&account["password"]));
    let beginning = [sign_in, format!("branch {}", text(&account["branches"][0]))];

    let mut count = Count::default();
    // The first sign-in makes the databases, and needs the server: only what comes after may go without it.
    let first = Life::begin(&server.url(), &desk, &beginning).lived_out();
    count.take(&beginning, &first);
    while count.desk_kills < kills {
        let commands = commands(&beginning, &people, &mut chance);
        let life = Life::begin(&server.url(), &desk, &commands);
        // One in ten does not get as far as signing in.
        let answers = match chance.random_range(0..10) {
            0 => chance.random_range(0..ANSWERS_OF_THE_BEGINNING),
            _ => chance.random_range(ANSWERS_OF_THE_BEGINNING..commands.len()),
        };
        let server_dies = chance.random_bool(0.15);
        if server_dies && chance.random_bool(0.5) {
            server.stop();
        }
        let moment = Duration::from_micros(chance.random_range(0..MOMENT_MAX_US));
        count.take(&commands, &life.killed_after(answers, moment));
        count.desk_kills += 1;
        if server_dies {
            server.stop();
            server.resume();
            count.server_kills += 1;
        }
    }

    let mut last = beginning.to_vec();
    last.extend(std::iter::repeat_n("sync".to_owned(), SYNCS));
    last.push("outbox".into());
    let answers = Life::begin(&server.url(), &desk, &last).lived_out();
    count.take(&last, &answers);
    println!(
        "seed {seed}: {} kills of the desk, {} of the server; {} lookups and {} reports confirmed",
        count.desk_kills,
        count.server_kills,
        count.lookups,
        count.confirmed.len()
    );
    let items = answers.last().expect("an answer")["result"]["items"].as_array().expect("items").clone();
    assert!(count.confirmed.len() as u64 > kills, "hardly anything was confirmed");
    compare(&count, &items, &database);
}

/// What the server and the desk hold, against what was confirmed.
fn compare(count: &Count, items: &[Value], database: &Path) {
    let waiting: BTreeSet<Uuid> = items
        .iter()
        .map(|item| {
            assert_eq!(item["state"], "needs_attention", "what can be sent was sent: {item}");
            item["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
        })
        .collect();
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("its database");
    let mut query = db.prepare("SELECT id FROM usage_reports").expect("a query");
    let rows = query.query_map([], |row| row.get(0)).expect("rows");
    let held: BTreeSet<Uuid> = rows.collect::<Result<_, _>>().expect("ids");
    for id in &count.confirmed {
        assert!(held.contains(id) != waiting.contains(id), "{id} was confirmed, and stands in no one place");
    }
    // The desk's own count has no gap and no number twice: nothing was lost, nothing doubled, confirmed or not.
    let (all, distinct, last): (i64, i64, i64) = db
        .query_row(
            "SELECT count(*), count(DISTINCT sequence), coalesce(max(sequence), 0) FROM outbox_items",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .expect("counted");
    assert_eq!((all, all), (distinct, last), "each item of the desk arrived once");
    let unconfirmed = held.difference(&count.confirmed).count() as u64;
    println!("{} at the server, {unconfirmed} of them recorded in the moment of a kill", held.len());
    assert!(unconfirmed <= count.desk_kills, "a life leaves at most one use without its confirmation");
}
