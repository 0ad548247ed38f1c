//! Where the built programs lie.

use std::path::PathBuf;

/// The built program `name`, beside the running test.
///
/// # Panics
/// When it was not built: `cargo build --workspace` makes them all, and `cargo xtask test` runs it first.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let mut folder = std::env::current_exe().expect("this program has a path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is not built; run `cargo build --workspace` first", path.display());
    path
}
