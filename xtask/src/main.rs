//! `cargo xtask`: everything that is done to this repository, as one program.
//!
//! Each command first installs what it needs and this machine lacks ([`install`]), so that Rust and Node are all a
//! bare machine has to bring. All cargo commands are given the whole workspace, so that they select the same
//! features and share what they build.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to whoever ran it"
)]

mod api;
mod check;
mod direction;
mod generate;
mod install;
mod npm;
mod process;
mod run;
mod scan;
mod test;
mod ui;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use workspace::Workspace;

/// What `cargo xtask` can do.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", about = "Runs, tests, checks and regenerates Hanna Convenios")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the application against a server with invented people
    Run {
        /// Do the main job in a real window on a virtual display; leave pictures and the report in target/demo
        #[arg(long)]
        headless: bool,
        /// Forget the people, the uses and the session of the runs before
        #[arg(long)]
        fresh: bool,
    },
    /// Run every check and every test
    Test,
    /// Check form, lints, the direction of dependencies, and that nothing generated is stale
    Check,
    /// Check the running server against docs/openapi.json
    Api,
    /// Make the TypeScript bindings and the OpenAPI document anew
    Gen {
        /// Only say whether they are stale
        #[arg(long)]
        check: bool,
    },
    /// Let many seeds make days at the desks, with every fault, and look for a law that breaks
    Simulate {
        /// How many seeds
        #[arg(long, default_value_t = 2_000)]
        seeds: u64,
        /// The first one
        #[arg(long, default_value_t = 1)]
        from: u64,
    },
    /// Measure against the references of docs/benchmarks.md
    Bench {
        /// What to measure; everything when nothing is said
        parts: Vec<test::Part>,
    },
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Run { headless: true, fresh } => run::headless(&workspace, fresh),
        Command::Run { headless: false, fresh } => run::window(&workspace, fresh),
        Command::Test => test::test(&workspace),
        Command::Check => check::check(&workspace),
        Command::Api => test::api(&workspace),
        Command::Gen { check: true } => generate::assert_fresh(&workspace),
        Command::Gen { check: false } => generate::generate(&workspace),
        Command::Simulate { seeds, from } => test::simulate(&workspace, seeds, from),
        Command::Bench { parts } => test::bench(&workspace, &parts),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
