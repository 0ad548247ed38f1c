//! Running one of the spooler's programs to its end, for a limited time.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use super::PrintError;

/// How long a program may take; a spooler on another machine may never answer.
const LIMIT: Duration = Duration::from_secs(15);

/// A program that is going to be run.
pub struct Program {
    name: &'static str,
    command: Command,
}

/// What a program did.
#[derive(Debug)]
pub struct Answer {
    /// Whether it calls itself successful.
    pub succeeded: bool,
    /// What it printed.
    pub output: String,
    /// What it complained about.
    complaints: String,
}

impl Answer {
    /// Both, on one line, for the log.
    pub fn all_it_said(&self) -> String {
        let lines = self.complaints.lines().chain(self.output.lines()).map(str::trim);
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" | ")
    }
}

impl Program {
    /// `name`, found in `PATH`. Its words are those of the C locale, whatever the user's language.
    pub fn new(name: &'static str) -> Self {
        let mut command = Command::new(name);
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { name, command }
    }

    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it. One that takes too long is stopped.
    pub fn run(self) -> Result<Answer, PrintError> {
        self.run_for(LIMIT)
    }

    fn run_for(mut self, limit: Duration) -> Result<Answer, PrintError> {
        let name = self.name;
        let not_run = |source| PrintError::NotRun { program: name, source };
        let mut child = self.command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PrintError::NotInstalled(name),
            _ => not_run(error),
        })?;
        let output = read_apart(child.stdout.take());
        let complaints = read_apart(child.stderr.take());
        // Both end when the program does.
        let (Ok(output), Ok(complaints)) = (output.recv_timeout(limit), complaints.recv_timeout(limit))
        else {
            // It may have ended just now; then there is nothing to stop.
            let _ = child.kill();
            let _ = child.wait();
            return Err(PrintError::NotAnswering(name));
        };
        let status = child.wait().map_err(not_run)?;
        Ok(Answer { succeeded: status.success(), output, complaints })
    }
}

/// Reads all of `pipe` on a thread of its own, so that waiting for it can be given up.
fn read_apart(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before a pipe broke is still what the program said.
            let _ = pipe.read_to_end(&mut bytes);
        }
        // Nobody waits any more when the program took too long.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program::new("sh").args(["-c", script])
    }

    #[test]
    fn what_a_program_says_and_how_it_ends_is_told_apart() {
        let answer = shell("echo yes; echo 'no room' >&2; exit 1").run().expect("it ran");
        assert!(!answer.succeeded);
        assert_eq!(answer.output, "yes\n");
        assert_eq!(answer.all_it_said(), "no room | yes");
    }

    #[test]
    fn a_program_that_is_not_there_is_told_from_one_that_fails() {
        let missing = Program::new("no-such-spooler").run();
        assert!(matches!(missing, Err(PrintError::NotInstalled("no-such-spooler"))), "{missing:?}");
    }

    #[test]
    fn a_program_that_never_ends_is_stopped() {
        let endless = shell("exec sleep 1000").run_for(Duration::from_millis(50));
        assert!(matches!(endless, Err(PrintError::NotAnswering("sh"))), "{endless:?}");
    }

    #[test]
    fn a_program_that_says_much_is_read_to_its_end() {
        let answer =
            shell("head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2").run();
        assert_eq!(answer.expect("it ran").output.len(), 300_000);
    }
}
