//! `cargo xtask bench`: each figure as a ratio to a reference measured in the same run, turn and turn about, because
//! machines are shared and disks change their mind from one minute to the next. Prints the table and writes it to
//! `docs/benchmarks.md`; fails when a goal is missed.

mod figures;
mod lookup;
mod report_use;
mod stage;

use std::process::ExitCode;

use figures::Outcome;

#[tokio::main]
async fn main() -> ExitCode {
    let people: u32 =
        std::env::var("HANNA_BENCH_PEOPLE").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    // On a worker of the runtime, where the window's commands run too.
    let outcomes = tokio::spawn(async move {
        let stage = stage::Stage::set(people).await;
        [lookup::measure(&stage).await, report_use::measure(&stage).await]
    });
    let outcomes = outcomes.await.expect("measured");
    let table = figures::table(people, &outcomes);
    print(&table);
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks.md"), &table).expect("written");
    if outcomes.iter().all(Outcome::is_met) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn print(text: &str) {
    print!("{text}");
}
