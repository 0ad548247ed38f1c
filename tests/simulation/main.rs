//! Several real desks and the real server in one process, without sockets and without waiting: a seed makes a day at the
//! desks, and what goes wrong in it. The laws of [`laws`] are looked at after every step.
//!
//! | set | to |
//! |---|---|
//! | `SEED=7` | replay one seed, and tell what happened |
//! | `HANNA_SIM_SEEDS=2000` | run so many |
//! | `HANNA_SIM_FROM=1` | beginning with this one |
//!
//! `cargo xtask simulate --seeds 2000` does it.
//!
//! A run depends on nothing but its seed: the plan is made beforehand ([`plan`]), time moves only when everybody waits
//! ([`time`]), and what blocks has one thread.
#![expect(clippy::print_stdout, reason = "a run shows its seeds, its faults and its failures")]

mod deeds;
mod desk;
mod disk;
mod faults;
mod forge;
mod laws;
mod model;
mod plan;
mod sabotage;
mod server;
mod shrink;
mod time;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use faults::{Fault, TABLE};
use laws::Violation;
use plan::{Action, Met, Plan, Step};
use sabotage::Bug;
use wire::lock;
use world::run;

/// Seeds that once broke a law. They are run always.
const KEPT: [u64; 4] = [348, 376, 428, 616];
/// How many seeds are run when nobody says.
const SEEDS: u64 = 60;
/// From so many seeds on every fault must have happened.
const SEEDS_FOR_ALL_FAULTS: u64 = 300;
/// How many failures are made short; the others are only named.
const STORIES_MAX: usize = 3;
/// How many seeds are run twice.
const SEEDS_TWICE: u64 = 12;
/// Within how many seeds a deliberate bug has to be found.
const SEEDS_FOR_A_BUG: u64 = 300;

/// What many runs came to.
#[derive(Default)]
struct Totals {
    runs: u64,
    steps: u64,
    confirmed: u64,
    happened: BTreeMap<Fault, u64>,
    noted: BTreeMap<&'static str, u64>,
    failed: BTreeMap<u64, Violation>,
}

/// Runs the seeds, two at a time.
fn run_all(seeds: Range<u64>, kept: &[u64]) -> Totals {
    let totals = Mutex::new(Totals::default());
    let count = u64::try_from(kept.len()).unwrap_or(0);
    let next = AtomicU64::new(0);
    let take = || {
        let place = next.fetch_add(1, Ordering::Relaxed);
        match kept.get(usize::try_from(place).ok()?) {
            Some(seed) => Some(*seed),
            None => Some(seeds.start + place - count).filter(|seed| *seed < seeds.end),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) = take() {
                    let outcome = run(&Plan::of(seed), None);
                    let mut totals = lock(&totals);
                    totals.runs += 1;
                    totals.steps += outcome.steps;
                    totals.confirmed += outcome.confirmed;
                    for (fault, times) in outcome.happened {
                        *totals.happened.entry(fault).or_default() += times;
                    }
                    for (what, times) in outcome.noted {
                        *totals.noted.entry(what).or_default() += times;
                    }
                    if let Some(violation) = outcome.violation {
                        println!("seed {seed} breaks a law: {}", violation.law);
                        totals.failed.insert(seed, violation);
                    }
                }
            });
        }
    });
    totals.into_inner().expect("nobody panicked with it")
}

impl Totals {
    fn show(&self) {
        println!("{} seeds, {} steps, {} uses confirmed", self.runs, self.steps, self.confirmed);
        for (what, times) in &self.noted {
            println!("  {times:>8}  {what}");
        }
        println!("faults:");
        for (fault, _, name, _) in TABLE {
            println!("  {:>8}  {name}", self.happened.get(&fault).copied().unwrap_or(0));
        }
    }

    /// A run in which nothing happens breaks no law, and shows nothing.
    fn assert_that_enough_happened(&self) {
        for (fault, _, name, probability) in TABLE {
            let happened = self.happened.contains_key(&fault);
            assert_eq!(happened, probability > 0.0, "{name} is in the table with {probability}");
        }
        for what in [
            "cards ACTIVO",
            "cards ACTIVO según copia",
            "cards SIN DATO",
            "cards refused from a copy",
            "cards refused",
            "uses taken back before they were sent",
            "uses taken back after they were sent",
            "uses taken back without the server",
            "items given up",
            "regulars verified again",
            "desks locked",
            "desks unlocked",
            "operators who came without the server",
        ] {
            assert!(self.noted.contains_key(what), "there were no {what}");
        }
        assert!(self.confirmed > self.runs, "hardly any use was confirmed");
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse().ok();
    assert!(number.is_some(), "{name}={text} is no number");
    number
}

/// The failures as stories, the shortest that can be found.
fn stories(failed: &BTreeMap<u64, Violation>) -> String {
    let mut text = String::new();
    for (seed, violation) in failed.iter().take(STORIES_MAX) {
        let (plan, outcome) = shrink::shortest(&Plan::of(*seed), violation.law, None);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{}\nreplay it with SEED={seed}", shrink::told(&plan, &outcome));
    }
    text
}

#[test]
fn no_seed_breaks_a_law() {
    if let Some(seed) = number("SEED") {
        let plan = Plan::of(seed);
        let outcome = run(&plan, None);
        println!("{}", shrink::told(&plan, &outcome));
        if let Some(violation) = outcome.violation {
            let failed = BTreeMap::from([(seed, violation)]);
            panic!("seed {seed}, made short:\n{}", stories(&failed));
        }
        return;
    }
    let from = number("HANNA_SIM_FROM").unwrap_or(1);
    let count = number("HANNA_SIM_SEEDS").unwrap_or(SEEDS);
    let totals = run_all(from..from + count, &KEPT);
    totals.show();
    let seeds: Vec<&u64> = totals.failed.keys().collect();
    assert!(totals.failed.is_empty(), "laws are broken by seeds {seeds:?}:\n{}", stories(&totals.failed));
    if count >= SEEDS_FOR_ALL_FAULTS {
        totals.assert_that_enough_happened();
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 1..=number("HANNA_SIM_SEEDS").unwrap_or(SEEDS_TWICE) {
        let plan = Plan::of(seed);
        let (one, other) = (run(&plan, None), run(&plan, None));
        let differ = one.log.iter().zip(&other.log).position(|(one, other)| one != other);
        let shown = differ.map(|line| (&one.log[line.saturating_sub(3)..=line], &other.log[line]));
        assert_eq!(shown, None, "seed {seed}");
        assert_eq!(one.log.len(), other.log.len(), "seed {seed}");
        assert!(one.log.len() > plan.steps.len(), "a run tells what happened");
    }
}

/// What the simulation once found, made short.
#[test]
fn a_use_whose_answer_could_not_be_written_down_is_sent_again() {
    let full = Met { fault: Fault::DiskFullAtAnswer, extent: 1 };
    let step = |action, faults| Step { action, faults };
    let steps = vec![
        step(Action::Ask { desk: 0, person: 0 }, vec![]),
        step(Action::Report { desk: 0, second_key: false }, vec![]),
        step(Action::Deliver { desk: 0 }, vec![None, Some(full)]),
    ];
    let outcome = run(&Plan { seed: 11, desks: 2, steps }, None);
    assert_eq!(outcome.violation, None);
    assert_eq!(outcome.happened, BTreeMap::from([(Fault::DiskFullAtAnswer, 1)]));
}

#[test]
fn what_is_asked_after_a_restart_stands_under_the_right_name() {
    let desk = 0;
    let step = |action| Step { action, faults: vec![] };
    let steps = vec![
        step(Action::SignIn { desk, operator: 1 }),
        step(Action::SignIn { desk, operator: 0 }),
        step(Action::Befalls { fault: Fault::ServerDown, desk, extent: 60 }),
        step(Action::SignIn { desk, operator: 1 }),
        step(Action::Reopen { desk }),
        step(Action::Pass { seconds: 120 }),
        step(Action::Ask { desk, person: 0 }),
    ];
    let outcome = run(&Plan { seed: 11, desks: 2, steps }, None);
    assert_eq!(outcome.violation, None);
    assert_eq!(outcome.noted.get("operators who came without the server"), Some(&1), "{:?}", outcome.noted);
}

/// The first seed that breaks a law when the desk has this bug.
fn seed_that_finds(bug: Bug) -> Option<(u64, Violation)> {
    (1..=SEEDS_FOR_A_BUG).find_map(|seed| Some((seed, run(&Plan::of(seed), Some(bug)).violation?)))
}

fn assert_found(bug: Bug, laws: &[&str]) {
    let found = seed_that_finds(bug);
    assert!(found.is_some(), "{bug:?} stays unnoticed");
    let Some((seed, violation)) = found else { return };
    println!("{bug:?} is found by seed {seed}: {}: {}", violation.law, violation.story);
    let story = || {
        let (plan, outcome) = shrink::shortest(&Plan::of(seed), violation.law, Some(bug));
        shrink::told(&plan, &outcome)
    };
    assert!(laws.contains(&violation.law), "{bug:?} should break another law:\n{}", story());
}

#[test]
fn deleting_what_was_refused_is_noticed() {
    assert_found(Bug::DeletesWhatIsRefused, &["all sent is said only when all is sent"]);
}

#[test]
fn a_new_id_for_each_attempt_is_noticed() {
    assert_found(Bug::NewIdOnRetry, &["the server has only what was confirmed"]);
}

#[test]
fn confirming_without_writing_is_noticed() {
    assert_found(Bug::ConfirmsWithoutWriting, &["all sent is said only when all is sent"]);
}

#[test]
fn ignoring_the_end_of_a_copy_is_noticed() {
    assert_found(Bug::IgnoresExpiry, &["no green past its end"]);
}

#[test]
fn skipping_the_signature_is_noticed() {
    assert_found(Bug::SkipsVerification, &["green says what the server says"]);
}

#[test]
fn forgetting_what_was_being_sent_is_noticed() {
    assert_found(Bug::ForgetsWhatWasBeingSent, &["what can be sent is sent"]);
}

#[test]
fn not_keeping_the_servers_time_is_noticed() {
    assert_found(
        Bug::ClockMarkUnchecked,
        &["no green copy by a clock far off", "no green copy by a clock put back", "no green past its end"],
    );
}

#[test]
fn believing_others_statements_is_noticed() {
    assert_found(Bug::BelievesOthersStatements, &["what is shown was issued"]);
}

#[test]
fn counting_a_timeout_as_delivered_is_noticed() {
    assert_found(Bug::CountsTimeoutAsDelivered, &["all sent is said only when all is sent"]);
}

#[test]
fn green_in_place_of_an_error_is_noticed() {
    assert_found(Bug::GreenOnError, &["what is shown was issued"]);
}

#[test]
fn dropping_what_stands_behind_a_refused_one_is_noticed() {
    assert_found(
        Bug::DropsBehindARefusedOne,
        &["no confirmed use is lost", "every lookup the copy answered is told"],
    );
}

#[test]
fn a_void_before_its_report_is_noticed() {
    assert_found(Bug::VoidsBeforeReports, &["a void never arrives before its report"]);
}

#[test]
fn forgetting_offline_lookups_is_noticed() {
    assert_found(Bug::ForgetsOfflineLookups, &["every lookup the copy answered is told"]);
}

#[test]
fn forgetting_who_made_it_is_noticed() {
    assert_found(Bug::ForgetsWhoMadeIt, &["items stay with who made them"]);
}

#[test]
fn sending_what_was_given_up_is_noticed() {
    assert_found(Bug::SendsWhatWasWithdrawn, &["what was given up stays so"]);
}
