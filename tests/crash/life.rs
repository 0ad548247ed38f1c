//! One life of `hanna-deskctl`: commands in, confirmations out, until it is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use hanna_tests::programs::program;
use serde_json::Value;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// See the module.
pub struct Life {
    process: Child,
    answers: Receiver<Value>,
    threads: Vec<JoinHandle<()>>,
}

impl Life {
    /// Starts the program over `folder`, and gives it `commands` without waiting for its answers.
    pub fn begin(url: &str, folder: &Path, commands: &[String]) -> Self {
        let mut process = Command::new(program("hanna-deskctl"))
            .args(["--vault", "memory", "--server", url, "--data-dir"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut input = process.stdin.take().expect("its input");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let text = commands.iter().fold(String::new(), |text, command| text + command + "\n");
        let writer = std::thread::spawn(move || {
            // A program that was killed reads no more.
            let _ = input.write_all(text.as_bytes());
        });
        let (said, answers) = channel();
        let reader = std::thread::spawn(move || {
            // A line that was cut off by the end confirms nothing.
            let whole = |line: &String| serde_json::from_str::<Value>(line).ok();
            for answer in output.lines().map_while(Result::ok).filter_map(|line| whole(&line)) {
                if said.send(answer).is_err() {
                    break;
                }
            }
        });
        Self { process, answers, threads: vec![writer, reader] }
    }

    /// Waits for `count` answers, then a moment or for one more, and kills the program. Every answer it gave.
    pub fn killed_after(mut self, count: usize, moment: Duration) -> Vec<Value> {
        let mut answers: Vec<Value> =
            (0..count).map_while(|_| self.answers.recv_timeout(PATIENCE).ok()).collect();
        answers.extend(self.answers.recv_timeout(moment).ok());
        self.process.kill().expect("killed");
        answers.extend(self.answers.iter());
        self.end();
        answers
    }

    /// Lets the program do everything and end by itself.
    pub fn lived_out(mut self) -> Vec<Value> {
        let answers = self.answers.iter().collect();
        assert!(self.process.wait().expect("it ends").success(), "it ends well");
        self.end();
        answers
    }

    fn end(&mut self) {
        for thread in self.threads.drain(..) {
            thread.join().expect("it ends with the program");
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // It has ended already, unless a check failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
