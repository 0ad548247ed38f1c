//! The screens: their packages, their build, their own checks.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};

use crate::npm::{self, modified};
use crate::process;
use crate::workspace::Workspace;

/// Folders of `ui` that are made, not written. The bindings are written anew by every run of the tests, and hold types
/// alone, of which nothing is left in a built screen.
const MADE: &[&str] =
    &["node_modules", "dist", "dist-console", ".mock-dist", ".mock-dist-console", ".shots", "bindings"];

/// The pages that are built: the desk's, which is compiled into the application, and the console's, which the server serves.
const PAGES: &[&str] = &["ui/dist/index.html", "ui/dist-console/console.html"];

/// Installs the packages of the lock file unless that was done since it last changed.
///
/// # Errors
/// When npm fails.
pub fn install(workspace: &Workspace) -> Result<()> {
    npm::install(&folder(workspace))
}

/// Builds the screens into `ui/dist` and the console into `ui/dist-console`, unless nothing changed.
///
/// # Errors
/// When the build fails or leaves no page.
pub fn build(workspace: &Workspace) -> Result<()> {
    let pages: Vec<PathBuf> = PAGES.iter().map(|page| workspace.root().join(page)).collect();
    let mut newest = None;
    for sources in ["ui", "assets"] {
        newest = newest.max(newest_in(&workspace.root().join(sources))?);
    }
    let mut is_fresh = true;
    for page in &pages {
        is_fresh &= modified(page)?.is_some_and(|built| Some(built) > newest);
    }
    if is_fresh {
        println!("The screens are built already.");
        return Ok(());
    }
    process::run(&mut npm::npm(&folder(workspace), &["run", "build"])?)?;
    for page in &pages {
        ensure!(page.is_file(), "the build left no {}", page.display());
    }
    Ok(())
}

/// Runs a script of `ui/package.json`.
///
/// # Errors
/// When the script fails.
pub fn script(workspace: &Workspace, name: &str) -> Result<()> {
    process::run(&mut npm::npm(&folder(workspace), &["run", name])?)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root().join("ui")
}

/// When the newest file or folder below `folder` was changed. Folders count, because a file that was taken away
/// leaves its mark on them alone; `ui` itself does not, because what is made there is made in it.
fn newest_in(folder: &Path) -> Result<Option<SystemTime>> {
    let mut newest = None;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if MADE.iter().any(|made| entry.file_name() == *made) {
            continue;
        }
        newest = newest.max(Some(entry.metadata()?.modified()?));
        if entry.file_type()?.is_dir() {
            newest = newest.max(newest_in(&entry.path())?);
        }
    }
    Ok(newest)
}
