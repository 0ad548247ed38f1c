//! The real databases of the desk and of the server on a disk that loses power, over and over, also in the middle of a
//! write, of a flush and of a checkpoint: what was confirmed is there, once, and every database is whole.
//!
//! `HANNA_POWER_CUTS=2000` runs it long; `HANNA_POWER_SEED` chooses other moments.

mod desk;
mod disk;
mod full;
mod server;
mod vfs;

use rand::Rng;
use rand::rngs::StdRng;

/// How often the power goes when nobody says: for the desk, and for the server.
const CUTS: u64 = 150;
/// How often at most until a disk that does not flush is found out.
const CUTS_FOR_A_LIE: u64 = 100;

/// What is not as it was confirmed.
type Loss = String;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse().ok();
    assert!(number.is_some(), "{name}={text} is no number");
    number
}

fn cuts() -> u64 {
    number("HANNA_POWER_CUTS").unwrap_or(CUTS)
}

fn seed() -> u64 {
    number("HANNA_POWER_SEED").unwrap_or(1)
}

/// Cuts the power of `disk` at once, in the middle of some work, or after a checkpoint; now and then while a file is made
/// or deleted, which is seldom done.
fn choose_a_moment(disk: &disk::Disk, chance: &mut StdRng) {
    let most = [8, 60, 600, 4_000][chance.random_range(0..4)];
    disk.cut_after(chance.random_range(0..most), chance.random_ratio(1, 8));
}

/// Whether SQLite finds nothing wrong with a database.
fn is_whole(db: &rusqlite::Connection) -> Result<(), Loss> {
    let verdict: Result<String, _> = db.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    match verdict.as_deref() {
        Ok("ok") => Ok(()),
        other => Err(format!("a database is not whole: {other:?}")),
    }
}

#[test]
fn what_a_desk_confirmed_survives_any_power_cut() {
    let ran = desk::run(seed(), cuts(), true).expect("nothing is lost");
    println!("desk: {ran}");
    ran.assert_that_enough_happened();
}

#[test]
fn what_the_server_confirmed_survives_any_power_cut() {
    let ran = server::run(seed(), cuts(), true).expect("nothing is lost");
    println!("server: {ran}");
    ran.assert_that_enough_happened();
}

#[test]
fn a_disk_that_does_not_flush_is_found_out() {
    for (who, ran) in [
        ("desk", desk::run(seed(), CUTS_FOR_A_LIE, false)),
        ("server", server::run(seed(), CUTS_FOR_A_LIE, false)),
    ] {
        let loss = ran.expect_err("nothing was lost, although nothing was flushed");
        println!("{who}: {loss}");
    }
}

/// What a run came to.
#[derive(Debug)]
struct Ran {
    counts: disk::Counts,
    confirmed: u64,
    unconfirmed_kept: u64,
    checks: u64,
}

impl Ran {
    fn assert_that_enough_happened(&self) {
        let counts = self.counts;
        for (what, times) in [
            ("cuts in a write", counts.in_a_write),
            ("cuts in a flush", counts.in_a_flush),
            ("cuts while a file was made or deleted", counts.in_a_folder),
            ("lost writes", counts.lost),
            ("torn writes", counts.torn),
            ("undone names", counts.names_undone),
        ] {
            assert!(times > 0, "there were no {what}");
        }
        assert!(self.confirmed > 5 * counts.cuts, "hardly anything was confirmed");
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let disk::Counts { cuts, in_a_write, in_a_flush, in_a_folder, lost, torn, names_undone, flushes } =
            self.counts;
        write!(
            f,
            "{cuts} cuts ({in_a_write} in a write, {in_a_flush} in a flush, {in_a_folder} while a file was made or deleted), \
             {} operations confirmed with {flushes} flushes, {} states looked at; of what was not flushed {lost} writes \
             lost, {torn} torn, {names_undone} names undone; {} times the operation in the middle was there",
            self.confirmed, self.checks, self.unconfirmed_kept
        )
    }
}
