//! `cargo xtask api`: schemathesis against the running server: every route of `docs/openapi.json` with valid data, wrong
//! data and sequences of calls, and all checks on every answer; over the embedded database, and over a PostgreSQL of its own.
//!
//! schemathesis is a Python program. It is installed, to the last package in the versions of
//! `tests/api/requirements.txt`, into a folder of its own beside what cargo builds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::{self, step};
use crate::workspace::Workspace;
use crate::{install, run};

/// Installs schemathesis, starts the server over invented people, and runs every check.
///
/// # Errors
/// When something cannot be installed or started, or a check fails.
pub fn api(workspace: &Workspace) -> Result<()> {
    let environment = step("Schemathesis", || environment(workspace))?;
    step("The API against its document", || check(workspace, &environment, "api", &[]))?;
    on_postgres(workspace, &environment)
}

#[cfg(unix)]
fn on_postgres(workspace: &Workspace, environment: &Path) -> Result<()> {
    step("The API against its document once more, over PostgreSQL", || {
        let cluster = hanna_cluster::Cluster::start()?;
        let database = format!("--database={}", cluster.make("api")?);
        check(workspace, environment, "api-postgres", &[&database])
    })
}

#[cfg(not(unix))]
fn on_postgres(_: &Workspace, _: &Path) -> Result<()> {
    println!("Over PostgreSQL it is checked on Linux and macOS.");
    Ok(())
}

/// Checks a server whose files lie in the folder `name`; `database` says where its database is, when not there too.
fn check(workspace: &Workspace, environment: &Path, name: &str, database: &[&str]) -> Result<()> {
    let folder = workspace.scratch().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut seed = Command::new(workspace.binary("hanna-server"));
    seed.args(["seed-demo", "--json", "--log", "warn", "--affiliates", "2000", "--data-dir"]);
    let demo = process::output(seed.arg(folder.join("data")).args(database))?;
    // Faster than people, and about people nobody knows.
    let more =
        ["--lookups-a-minute=1000000", "--lookups-a-day=1000000", "--watch-enumeration=false", "--log=warn"];
    let (server, address) = run::serve(workspace, &folder, &[&more, database].concat())?;

    let api = workspace.root().join("tests/api");
    let mut checks = Command::new(program(environment, "schemathesis"));
    checks.arg("--config-file").arg(api.join("schemathesis.toml")).arg("run");
    checks.arg(workspace.root().join("docs/openapi.json")).args(["--url", &address, "--checks", "all"]);
    checks.args(["--no-color"]).current_dir(&folder);
    checks.env("HANNA_API_URL", &address).env("HANNA_API_DEMO", demo.trim());
    checks.env("HANNA_API_MAIL", folder.join("data/mail"));
    // What it writes while it works stays out of the checkout.
    checks.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", &api);
    let done = process::run(&mut checks);
    drop(server);
    done
}

/// The folder with schemathesis in it.
fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let asked_path = workspace.root().join("tests/api/requirements.txt");
    let asked = fs::read_to_string(&asked_path).context("tests/api/requirements.txt is missing")?;
    let environment = workspace.scratch().join("schemathesis");
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == asked) {
        println!("Every Python package is here.");
        return Ok(environment);
    }
    install::ensure_installed(install::Purpose::Test)?;
    let python = process::find_program("python3").or_else(|| process::find_program("python"));
    let mut venv = Command::new(python.context("Python 3.10 or newer has to be installed first")?);
    process::run(venv.args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(program(&environment, "python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ]);
    process::run(pip.arg(&asked_path))?;
    fs::write(&installed, asked).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(environment)
}

/// A program of the environment.
fn program(environment: &Path, name: &str) -> PathBuf {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    environment.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
