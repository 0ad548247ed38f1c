//! `cargo xtask run`: the application against a server with invented people.
//!
//! Everything a run keeps lies in `target/demo`: the server's data, the desk's, and their logs. A second run goes on
//! where the first ended; `--fresh` begins anew.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, thread};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, Guarded, step};
use crate::workspace::{Targets, Workspace};
use crate::{install, test, ui};

/// The first line of the server, before the address.
const LISTENING: &str = "listening on ";

/// Opens the window and returns when it is closed; the server ends with it.
///
/// # Errors
/// When something cannot be installed, built or started.
pub fn window(workspace: &Workspace, fresh: bool) -> Result<()> {
    if cfg!(target_os = "linux")
        && env::var_os("DISPLAY").is_none()
        && env::var_os("WAYLAND_DISPLAY").is_none()
    {
        println!(
            "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open.\n\
             \n    cargo xtask run --headless\n\n\
             does the main job in a real window on a virtual display, and leaves pictures of every screen and the \
             report in target/demo."
        );
        return if agreed("Do that now?")? { headless(workspace, fresh) } else { Ok(()) };
    }
    build(workspace, install::Purpose::Run)?;
    let demo = demo(workspace, fresh)?;
    step("Invented people", || seed(workspace, &demo))?;
    let (server, address) = serve(workspace, &demo, &[])?;
    println!("\nThe server answers at {address}; it ends when the window is closed.\n");
    let mut window = Command::new(workspace.binary("hanna-convenios"));
    let done = process::run(window.arg("--server").arg(&address).arg("--data-dir").arg(demo.join("desk")));
    drop(server);
    done
}

/// Does the main job in a real window on a virtual display: the story of the test `main_flow`, which leaves a picture
/// of every screen and the printed report in `target/demo`.
///
/// # Errors
/// When something cannot be installed or built, or the job goes wrong.
pub fn headless(workspace: &Workspace, fresh: bool) -> Result<()> {
    build(workspace, install::Purpose::Test)?;
    let demo = demo(workspace, fresh)?;
    step("The main job in a real window", || {
        let mut story =
            workspace.cargo(&["test", "--locked", "--workspace", "--test", "e2e", "--", "main_flow"]);
        process::run(&mut test::on_display(story.env("HANNA_DEMO_DIR", &demo)))
    })?;
    println!("\nLook at {}:", demo.display());
    for name in files_in(&demo)? {
        println!("  {name}");
    }
    Ok(())
}

fn build(workspace: &Workspace, purpose: install::Purpose) -> Result<()> {
    step("Packages", || install::ensure_installed(purpose))?;
    step("Packages of the screens", || ui::install(workspace))?;
    step("Build of the screens", || ui::build(workspace))?;
    step("Build", || workspace.build(Targets::Programs))
}

fn demo(workspace: &Workspace, fresh: bool) -> Result<PathBuf> {
    let demo = workspace.demo();
    if fresh && demo.exists() {
        fs::remove_dir_all(&demo).with_context(|| format!("cannot empty {}", demo.display()))?;
    }
    fs::create_dir_all(&demo).with_context(|| format!("cannot make {}", demo.display()))?;
    Ok(demo)
}

/// Fills the server's database, unless that was done before, and prints who can sign in and whom to look up.
fn seed(workspace: &Workspace, demo: &Path) -> Result<()> {
    let mut seed = Command::new(workspace.binary("hanna-server"));
    process::run(seed.args(["seed-demo", "--log", "warn", "--data-dir"]).arg(demo.join("data")))
}

/// Starts the server on a free port, over the data in `demo`. It ends when what is returned goes out of scope.
///
/// # Errors
/// When it does not start, with what it said.
pub fn serve(workspace: &Workspace, demo: &Path, more: &[&str]) -> Result<(Guarded, String)> {
    let log_path = demo.join("server.log");
    let mut log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
    let mut command = Command::new(workspace.binary("hanna-server"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(demo.join("data")).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.try_clone()?);
    let mut server = Guarded(command.spawn().context("cannot start hanna-server")?);
    let mut lines = BufReader::new(server.0.stdout.take().context("the server's output is ours")?);
    let mut first = String::new();
    lines.read_line(&mut first)?;
    let Some(address) = first.trim_end().strip_prefix(LISTENING).map(str::to_owned) else {
        let said = fs::read_to_string(&log_path).unwrap_or_default();
        bail!("the server did not start: {first}{said}");
    };
    // Read to its end, so that the server never waits for a reader.
    thread::spawn(move || io::copy(&mut lines, &mut log));
    Ok((server, address))
}

/// Asks whoever sits at the terminal; nobody there means no.
fn agreed(question: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("\n{question} [y/N] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The names of the files directly in `folder`, in order.
fn files_in(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
