//! `cargo xtask bench [PART…]`, of desk, drain, import and platform: each figure as a ratio to a reference measured in the
//! same run, turn and turn about, because machines are shared and disks change their mind from one minute to the next.
//! Prints the sections of the parts asked for, all of them when none is, and writes them to `docs/benchmarks.md`; fails
//! when a goal is missed.

mod drain;
mod figures;
mod http;
mod import;
mod lookup;
mod page;
mod people;
mod platform;
mod report_use;
mod stage;

use std::process::ExitCode;

use figures::Outcome;

const PARTS: [&str; 4] = ["desk", "drain", "import", "platform"];
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks.md");

#[tokio::main]
async fn main() -> ExitCode {
    let mut asked: Vec<String> = std::env::args().skip(1).collect();
    if asked.is_empty() {
        asked = PARTS.map(ToOwned::to_owned).into();
    }
    let mut all_met = true;
    for part in asked {
        // On a worker of the runtime, where the window's commands run too.
        let (section, is_met) = match part.as_str() {
            "desk" => tokio::spawn(desk()).await.expect("measured"),
            "drain" => tokio::spawn(drained()).await.expect("measured"),
            "import" => tokio::task::spawn_blocking(imported).await.expect("measured"),
            "platform" => tokio::spawn(served()).await.expect("measured"),
            other => {
                print(&format!("There is no part {other}; there are {}.", PARTS.join(", ")));
                return ExitCode::FAILURE;
            }
        };
        print(&section);
        let page = std::fs::read_to_string(PAGE).unwrap_or_default();
        std::fs::write(PAGE, page::with_section(&page, &section)).expect("written");
        all_met &= is_met;
    }
    if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What an operator waits for.
async fn desk() -> (String, bool) {
    let people = people::count(100_000);
    let stage = stage::Stage::set(people).await;
    let outcomes = [lookup::measure(&stage).await, report_use::measure(&stage).await];
    (figures::section(people, &outcomes), outcomes.iter().all(Outcome::is_met))
}

/// What happens when the server is back.
async fn drained() -> (String, bool) {
    let drained = drain::measure().await;
    (drained.section(), drained.is_met())
}

/// What the caja waits for when it takes a file in.
fn imported() -> (String, bool) {
    let imported = import::measure();
    (imported.section(), imported.is_met())
}

/// What all desks together may ask of the server.
async fn served() -> (String, bool) {
    let served = platform::measure().await;
    (served.section(), served.is_met())
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn print(text: &str) {
    println!("{text}");
}
