//! Taking in affiliates: the program of the server, in a process of its own, from its start to its end, against the
//! database's own way to take in the same rows in bulk. PostgreSQL: `COPY` by psql into a table with the same columns and
//! the same key. SQLite: a prepared insert in one transaction, into a table with the same columns and the same index.
//!
//! Ours reads CSV, checks every value, finds who stands twice and merges with whoever is there; the references do not.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hanna_cluster::Cluster;
use hanna_tests::programs::program;
use rusqlite::{Connection, params_from_iter};
use tempfile::TempDir;

use crate::figures::Figures;
use crate::people;
use crate::stage::tick;

const PEOPLE: u32 = 1_000_000;
const TURNS: u32 = 3;
const GOAL: f64 = 3.0;
/// How often the memory of a process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A cluster that keeps what it says it keeps.
pub const DURABLE: &str = "
fsync = on
full_page_writes = on
shared_buffers = 256MB
max_wal_size = 4GB
";

/// What was measured.
pub struct Imported {
    people: u32,
    ways: [Way; 2],
}

#[derive(Default)]
struct Way {
    what: &'static str,
    ours: Figures,
    /// The most memory our process ever had, in KiB.
    peak_kib: u64,
    reference: &'static str,
    reference_took: Figures,
}

impl Way {
    fn ratio(&self) -> f64 {
        self.ours.median() / self.reference_took.median()
    }

    fn is_met(&self) -> bool {
        self.ratio() <= GOAL
    }
}

/// Measures, turn and turn about.
pub fn measure() -> Imported {
    let people = people::count(PEOPLE);
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("afiliados.csv");
    people::write_csv(&csv, people);
    let cluster = Cluster::start_with(DURABLE).expect("a cluster");
    let mut postgres =
        Way { what: "import into PostgreSQL", reference: "bare `COPY` of the same rows", ..Way::default() };
    let mut sqlite =
        Way { what: "import into SQLite", reference: "bare inserts of the same rows", ..Way::default() };
    for turn in 0..TURNS {
        turn_on_postgres(&mut postgres, &cluster, &csv, people, turn);
        turn_on_sqlite(&mut sqlite, &csv, people);
    }
    Imported { people, ways: [postgres, sqlite] }
}

impl Imported {
    /// Whether the goals are reached.
    pub fn is_met(&self) -> bool {
        self.ways.iter().all(Way::is_met)
    }

    /// The section of `docs/benchmarks.md`.
    pub fn section(&self) -> String {
        let mut text = format!(
            "## Taking in affiliates\n\n\
             {} people from a CSV file into an empty database, by `hanna-server import-affiliates`, from the start of its process to \
             its end: read,\nchecked, and merged in one transaction, flushed to the disk. The references take in the same rows, with the \
             same key and as durably, and\ncheck nothing. The memory is the most that our process ever had; PostgreSQL's is its own. \
             Milliseconds, turn and turn about.\n\n\
             | what | turns | median | memory | reference | its turns | its median | ratio | goal | |\n\
             |---|--:|--:|--:|---|--:|--:|--:|--:|---|\n",
            self.people
        );
        for way in &self.ways {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {} MiB | {} | {} | {:.0} | {:.2} | ≤ {GOAL:.0} | {} |",
                way.what,
                way.ours.each_ms(),
                way.ours.median() / 1e3,
                way.peak_kib / 1024,
                way.reference,
                way.reference_took.each_ms(),
                way.reference_took.median() / 1e3,
                way.ratio(),
                if way.is_met() { "met" } else { "**missed**" },
            );
        }
        text
    }
}

/// A subcommand of our program, over one of the databases.
fn hanna(subcommand: &str, database: &str, folder: &TempDir) -> Command {
    let mut command = Command::new(program("hanna-server"));
    command.args([subcommand, "--database", database, "--data-dir"]).arg(folder.path());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Takes `csv` in. The database is made before.
fn import(way: &mut Way, database: &str, csv: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(hanna("migrate", database, &folder).status().expect("run").success());
    let begin = tick();
    let peak_kib = watched(hanna("import-affiliates", database, &folder).arg(csv).spawn().expect("started"));
    way.ours.add(begin.elapsed());
    way.peak_kib = way.peak_kib.max(peak_kib);
}

#[expect(clippy::disallowed_methods, reason = "nobody tells when a process has taken more memory")]
fn a_moment() {
    std::thread::sleep(LOOK_EVERY);
}

/// Waits for a process, and gives the most memory it ever had, in KiB.
fn watched(mut process: Child) -> u64 {
    let status = format!("/proc/{}/status", process.id());
    let mut peak_kib = 0;
    loop {
        if let Some(ended) = process.try_wait().expect("waited for") {
            assert!(ended.success(), "the import ended with {ended}");
            return peak_kib;
        }
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
        peak_kib = peak.and_then(|kib| kib.parse().ok()).unwrap_or(peak_kib);
        a_moment();
    }
}

fn turn_on_postgres(way: &mut Way, cluster: &Cluster, csv: &Path, people: u32, turn: u32) {
    let database = format!("turn_{turn}");
    let url = cluster.make(&database).expect("a database");
    import(way, &url, csv);
    let count = |table: &str| {
        let counted = cluster.sql(&database, &format!("SELECT count(*) FROM {table}")).expect("counted");
        assert_eq!(counted, people.to_string(), "people in {table}");
    };
    count("affiliates");

    let folder = tempfile::tempdir().expect("a folder");
    let rows = folder.path().join("rows").display().to_string();
    let psql = |command: &str| {
        let mut psql = cluster.program("psql");
        psql.args(["--no-psqlrc", "--quiet", "--dbname", &database, "--command", command]);
        assert!(psql.status().expect("run").success(), "{command}");
    };
    psql(&format!("\\copy affiliates TO '{rows}'"));
    psql("CREATE TABLE bare (LIKE affiliates INCLUDING ALL)");
    psql("CHECKPOINT");
    let begin = tick();
    psql(&format!("\\copy bare FROM '{rows}'"));
    way.reference_took.add(begin.elapsed());
    count("bare");
    cluster.sql("postgres", &format!("DROP DATABASE {database}")).expect("dropped");
    cluster.sql("postgres", "CHECKPOINT").expect("written");
}

fn turn_on_sqlite(way: &mut Way, csv: &Path, people: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hanna.sqlite");
    import(way, &format!("sqlite:{}", file.display()), csv);
    let count = |db: &Connection| {
        let counted: u32 =
            db.query_row("SELECT count(*) FROM affiliates", [], |row| row.get(0)).expect("counted");
        assert_eq!(counted, people);
    };
    count(&Connection::open(&file).expect("opened"));

    let begin = tick();
    let db = bare(&folder, csv);
    way.reference_took.add(begin.elapsed());
    count(&db);
}

/// The same lines, put into a table as they are.
fn bare(folder: &TempDir, csv: &Path) -> Connection {
    let mut db = Connection::open(folder.path().join("bare.sqlite")).expect("a database");
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         CREATE TABLE affiliates (
             id INTEGER PRIMARY KEY NOT NULL, kind TEXT NOT NULL, number TEXT NOT NULL, first_surname TEXT NOT NULL,
             second_surname TEXT, first_name TEXT NOT NULL, second_name TEXT, status TEXT NOT NULL, tariff TEXT NOT NULL,
             role TEXT NOT NULL, company_nit TEXT
         ) STRICT;
         CREATE UNIQUE INDEX affiliates_by_document ON affiliates (number, kind);",
    )
    .expect("a table");
    let tx = db.transaction().expect("begun");
    {
        let mut insert = tx
            .prepare(
                "INSERT INTO affiliates (kind, number, first_surname, second_surname, first_name, second_name, status, tariff,
                                         role, company_nit)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )
            .expect("prepared");
        for line in BufReader::new(File::open(csv).expect("opened")).lines().skip(1) {
            let line = line.expect("a line");
            insert.execute(params_from_iter(line.split(';').take(10))).expect("a row");
        }
    }
    tx.commit().expect("kept");
    db
}
