//! Child processes and the steps they belong to.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// Does one step, with a heading before and the time it took after.
///
/// # Errors
/// Those of `work`, with the step named.
pub fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n=== {title}");
    let begun = now();
    let done = work().with_context(|| format!("{title} failed"))?;
    println!("=== {title}: done in {}", shown_duration(begun.elapsed()));
    Ok(done)
}

/// The time, to tell how long a step took.
#[expect(clippy::disallowed_methods, reason = "nothing is decided by it: it is only shown")]
pub fn now() -> Instant {
    Instant::now()
}

/// `850 ms`, `12 s` or `3 min 05 s`.
pub fn shown_duration(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        secs @ 1..60 => format!("{secs} s"),
        secs => format!("{} min {:02} s", secs / 60, secs % 60),
    }
}

/// Shows a command and runs it to its end, its output on the screen.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown_command(command);
    println!("$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(status.success(), "`{line}` ended with {status}");
    Ok(())
}

/// Runs a command to its end and returns what it printed, which is shown only if it fails; its errors stay on the
/// screen.
///
/// # Errors
/// When it cannot be started, does not succeed, or does not print UTF-8.
pub fn output(command: &mut Command) -> Result<String> {
    let line = shown_command(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        print!("{}", String::from_utf8_lossy(&output.stdout));
        bail!("`{line}` ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed something that is no text"))
}

/// Where a program of this name is in `PATH`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&file)).find(|candidate| candidate.is_file())
}

/// The command as a person would type it, without the folder of the program.
fn shown_command(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let program = program.file_stem().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| {
        let arg = arg.to_string_lossy();
        if arg.is_empty() || arg.contains(char::is_whitespace) {
            format!("'{arg}'")
        } else {
            arg.into_owned()
        }
    });
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}

/// A child that ends with the scope that started it, whatever happens in between.
pub struct Guarded(pub Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end, and nobody to tell.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/opt/somewhere/cargo");
        command.args(["test", "--", "a name", ""]);
        assert_eq!(shown_command(&command), "cargo test -- 'a name' ''");
    }

    #[test]
    fn a_duration_is_shown_in_the_unit_that_matters() {
        let shown = [850, 12_400, 185_000].map(|ms| shown_duration(Duration::from_millis(ms)));
        assert_eq!(shown, ["850 ms", "12 s", "3 min 05 s"]);
    }
}
