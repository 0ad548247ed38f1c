//! `hanna-deskctl` as a process: one line in, one object out.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::programs::program;

/// A running `hanna-deskctl`, killed when dropped.
#[derive(Debug)]
pub struct Terminal {
    program: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Terminal {
    /// The program without a keyring, over `folder`.
    pub fn start(url: &str, folder: &Path) -> Self {
        Self::start_under(url, folder, &[])
    }

    /// The same with these variables in its environment.
    pub fn start_under(url: &str, folder: &Path, environment: &[(String, String)]) -> Self {
        let mut command = Command::new(program("hanna-deskctl"));
        command.args(["--vault", "memory", "--server", url, "--data-dir"]).arg(folder);
        command.envs(environment.iter().cloned());
        Self::run(command)
    }

    /// Whatever `command` is.
    pub fn run(mut command: Command) -> Self {
        let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let input = program.stdin.take();
        let output = BufReader::new(program.stdout.take().expect("its output"));
        Self { program, input, output }
    }

    /// One line in, one object out.
    pub fn say(&mut self, line: &str) -> Value {
        let input = self.input.as_mut().expect("its input");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("it reads");
        self.hear()
    }

    /// One object.
    pub fn hear(&mut self) -> Value {
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("it answers");
        let object = serde_json::from_str(&answer);
        assert!(object.is_ok(), "no object: {answer:?}");
        object.expect("just asserted")
    }

    /// What `line` gave; it must have been done.
    pub fn get(&mut self, line: &str) -> Value {
        let answer = self.say(line);
        assert_eq!(answer["ok"], true, "{line}: {answer}");
        answer["result"].clone()
    }

    /// The code `line` was refused with.
    pub fn refusal(&mut self, line: &str) -> String {
        let answer = self.say(line);
        assert_eq!(answer["ok"], false, "{line}: {answer}");
        let message = answer["message"].as_str().expect("a message");
        assert!(message.contains(' ') && !message.contains('{'), "no sentence: {message}");
        answer["code"].as_str().expect("a code").to_owned()
    }

    /// Ends its input, and returns whether it ended well.
    pub fn end(&mut self) -> bool {
        self.input = None;
        self.program.wait().expect("it ends").success()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
