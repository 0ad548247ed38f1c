//! `cargo xtask check`: what can be said without running the program.

use anyhow::{Result, bail, ensure};

use crate::process::{self, find_program, step};
use crate::workspace::Workspace;
use crate::{direction, generate, install, scan};

/// Every check, the quickest first.
///
/// # Errors
/// The first check that does not pass.
pub fn check(workspace: &Workspace) -> Result<()> {
    step("Packages", || install::ensure_installed(install::Purpose::Run))?;
    checks(workspace)
}

/// The checks, on a machine that has what they take.
///
/// # Errors
/// The first that does not pass.
pub fn checks(workspace: &Workspace) -> Result<()> {
    step("Form", || process::run(&mut workspace.cargo(&["fmt", "--all", "--check"])))?;
    step("Direction of dependencies", || assert_direction(workspace))?;
    step("Files", || assert_files(workspace))?;
    step("Lints", || {
        let mut clippy = workspace.cargo(&[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]);
        process::run(&mut clippy)
    })?;
    step("Generated files", || generate::assert_fresh(workspace))?;
    step("Licences, sources and advisories", || deny(workspace))
}

fn assert_direction(workspace: &Workspace) -> Result<()> {
    let offences = direction::offences(&workspace.metadata()?)?;
    ensure!(offences.is_empty(), "docs/ARCHITECTURE.md draws it otherwise:\n  {}", offences.join("\n  "));
    Ok(())
}

fn assert_files(workspace: &Workspace) -> Result<()> {
    let Some(findings) = scan::scan(workspace.root())? else {
        println!("Left out: there is no git here to tell which files are the project's.");
        return Ok(());
    };
    for long in &findings.long {
        println!("warning: {long} (lines): one subject?");
    }
    if findings.machine.is_empty() {
        return Ok(());
    }
    bail!("these lines name a machine or a registry's host:\n  {}", findings.machine.join("\n  "))
}

fn deny(workspace: &Workspace) -> Result<()> {
    if find_program("cargo-deny").is_none() {
        println!("Left out: cargo-deny is not installed here (cargo install cargo-deny).");
        return Ok(());
    }
    process::run(&mut workspace.cargo(&["deny", "--workspace", "check"]))
}
