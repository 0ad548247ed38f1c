//! `cargo xtask test`, `cargo xtask simulate` and `cargo xtask bench`.

use std::process::Command;

use anyhow::Result;
use clap::ValueEnum as _;

use crate::process::{self, find_program, now, shown_duration, step};
use crate::workspace::{Targets, Workspace};
use crate::{api, check, install, npm, ui};

/// Every check and every test, on a machine that need have only Rust and Node before.
///
/// The programs are built first, because the tests of the real window and of the terminal program start them.
///
/// # Errors
/// The first step that fails.
pub fn test(workspace: &Workspace) -> Result<()> {
    let begun = now();
    step("Packages", || install::ensure_installed(install::Purpose::Test))?;
    step("Packages of the screens", || ui::install(workspace))?;
    step("Build of the screens", || ui::build(workspace))?;
    check::checks(workspace)?;
    step("Build", || workspace.build(Targets::All))?;
    step("Types of the screens", || ui::script(workspace, "check"))?;
    step("Tests of the screens", || ui::script(workspace, "test"))?;
    step("Accessibility of the screens", || ui::script(workspace, "a11y"))?;
    step("Examples in the documentation", || {
        process::run(&mut workspace.cargo(&["test", "--quiet", "--locked", "--workspace", "--doc"]))
    })?;
    step("Tests, the real window's too", || process::run(&mut on_display(&tests(workspace, &[]))))?;
    step("Desks and the server once more, over PostgreSQL", || {
        let mut stories = tests(workspace, &["--package", "hanna-tests", "--test", "sync"]);
        process::run(stories.env("HANNA_TEST_STORE", "postgres"))
    })?;
    api::api(workspace)?;
    println!("\nEverything passed, in {}.", shown_duration(begun.elapsed()));
    Ok(())
}

/// Checks the server against its document, and nothing else.
///
/// # Errors
/// The first step that fails.
pub fn api(workspace: &Workspace) -> Result<()> {
    step("Packages", || install::ensure_installed(install::Purpose::Test))?;
    step("Build", || workspace.build(Targets::Programs))?;
    api::api(workspace)
}

/// Runs the simulation with `seeds` seeds, the first of them `from`.
///
/// # Errors
/// When it cannot be built, or a seed breaks a law.
pub fn simulate(workspace: &Workspace, seeds: u64, from: u64) -> Result<()> {
    step("Packages", || install::ensure_installed(install::Purpose::Run))?;
    let mut simulation = workspace.cargo(&["test", "--locked", "--workspace", "--test", "simulation"]);
    simulation.args(["--", "--exact", "no_seed_breaks_a_law", "--nocapture"]);
    simulation.env("HANNA_SIM_SEEDS", seeds.to_string()).env("HANNA_SIM_FROM", from.to_string());
    step(&format!("Simulation of {seeds} seeds"), || process::run(&mut simulation))
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// What an operator waits for: a lookup and a report
    Desk,
    /// Delivering ten thousand reports, against PouchDB
    Drain,
    /// Taking in a million affiliates, against bare `COPY` and bare inserts
    Import,
    /// Lookups and uses a second on PostgreSQL with a million affiliates, against pgbench
    Platform,
}

impl Part {
    /// What the benchmark calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Drain => "drain",
            Self::Import => "import",
            Self::Platform => "platform",
        }
    }
}

/// Runs the benchmarks, all of them or `parts`, which write their sections of `docs/benchmarks.md`.
///
/// # Errors
/// When they cannot be built or run, or a goal is missed.
pub fn bench(workspace: &Workspace, parts: &[Part]) -> Result<()> {
    let parts = if parts.is_empty() { Part::value_variants() } else { parts };
    let with_program = parts.contains(&Part::Import) || parts.contains(&Part::Platform);
    // Those start the server's program over a PostgreSQL, which only tests need otherwise.
    let purpose = if with_program { install::Purpose::Test } else { install::Purpose::Run };
    step("Packages", || install::ensure_installed(purpose))?;
    if with_program {
        step("The server's program", || {
            let program =
                ["build", "--locked", "--release", "--package", "hanna-server", "--bin", "hanna-server"];
            process::run(&mut workspace.cargo(&program))
        })?;
    }
    if parts.contains(&Part::Drain) {
        let reference = workspace.root().join("tests/bench/pouchdb");
        step("Packages of the reference", || npm::install(&reference))?;
    }
    let mut bench = workspace.cargo(&[
        "run",
        "--locked",
        "--release",
        "--package",
        "hanna-tests",
        "--bin",
        "bench",
        "--",
    ]);
    process::run(bench.args(parts.iter().map(|part| part.name())))
}

/// nextest where it is installed; it takes minutes to compile, so a bare machine is not made to wait for it. `only` are
/// some of the tests; without any it is all of them.
fn tests(workspace: &Workspace, only: &[&str]) -> Command {
    let (runner, all): (&[&str], &[&str]) = if find_program("cargo-nextest").is_some() {
        (&["nextest", "run", "--locked"], &["--workspace"])
    } else {
        println!("cargo-nextest is not installed: cargo's own runner does it.");
        (&["test", "--locked", "--no-fail-fast"], &["--workspace", "--lib", "--bins", "--tests"])
    };
    workspace.cargo(&[runner, if only.is_empty() { all } else { only }].concat())
}

/// The same command with a session bus and a display of its own, so that tests of the window, the keyring and the
/// printer neither need nor touch those of whoever runs them. Only Linux has, and takes, such things.
///
/// The bus is the outer one: what it starts by itself, such as the keyring's question for a password, sees no display,
/// and so fails at once instead of waiting for an answer.
pub fn on_display(command: &Command) -> Command {
    if !cfg!(target_os = "linux") {
        return wrapped(None, command);
    }
    let mut session = Command::new("dbus-run-session");
    session.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    session.args(["--", "xvfb-run", "--auto-servernum", "--server-args=-screen 0 1600x1200x24"]);
    wrapped(Some(session), command)
}

fn wrapped(outer: Option<Command>, inner: &Command) -> Command {
    let mut command = match outer {
        Some(mut outer) => {
            outer.arg(inner.get_program());
            outer
        }
        None => Command::new(inner.get_program()),
    };
    command.args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = inner.get_current_dir() {
        command.current_dir(folder);
    }
    command
}
