//! Where things are, and how cargo is called.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// The checkout and the folder that cargo builds into.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Asks cargo. The target folder need not be inside the checkout.
    ///
    /// # Errors
    /// When cargo cannot read the workspace.
    pub fn find() -> Result<Self> {
        let metadata = metadata(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
        let folder = |key: &str| {
            let path = metadata.get(key).and_then(Value::as_str);
            path.map(PathBuf::from).with_context(|| format!("cargo metadata names no {key}"))
        };
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")? })
    }

    /// The checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What a run leaves for people to look at; always in the checkout.
    pub fn demo(&self) -> PathBuf {
        self.root.join("target/demo")
    }

    /// Where to put what nobody looks at.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// A program of this workspace, as cargo built it for development.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// `cargo`, in the checkout.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = cargo();
        command.args(args).current_dir(&self.root);
        command
    }

    /// Builds every program the window, the server and the tests start. Other than `xtask`, which runs already.
    ///
    /// # Errors
    /// When the build fails.
    pub fn build(&self, targets: Targets) -> Result<()> {
        let targets = match targets {
            Targets::Programs => "--bins",
            Targets::All => "--all-targets",
        };
        process::run(&mut self.cargo(&["build", "--locked", "--workspace", "--exclude", "xtask", targets]))
    }

    /// What cargo knows of every package, those of others too.
    ///
    /// # Errors
    /// When `Cargo.lock` is not the one these manifests ask for, or a package cannot be had.
    pub fn metadata(&self) -> Result<Value> {
        metadata(&mut self.cargo(&["metadata", "--locked", "--format-version", "1"]))
    }
}

/// What to build. The features of what both share are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// The programs.
    Programs,
    /// The programs and the tests.
    All,
}

fn metadata(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&process::output(command)?).context("cargo metadata printed no JSON")
}

/// The cargo that runs this program, as if called by hand: what `cargo run` sets for its child would make build
/// scripts that watch it run again.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").as_deref().unwrap_or(OsStr::new("cargo")));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}
