//! The built server, as a process, on a port that stays the same while it is stopped and started.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hanna_testkit::port;
use hanna_tests::programs::program;
use serde_json::Value;

pub struct Server {
    data: PathBuf,
    listen: String,
    process: Option<Child>,
    /// What it is started with, the next time.
    pub environment: Vec<(String, String)>,
    /// What `seed-demo --json` printed.
    pub people: Value,
}

impl Server {
    /// A server with invented people, answering.
    pub fn start(data: &Path) -> Self {
        Self::start_under(data, Vec::new())
    }

    /// The same with these variables in its environment.
    pub fn start_under(data: &Path, environment: Vec<(String, String)>) -> Self {
        let seeded = Command::new(program("hanna-server"))
            .args(["seed-demo", "--json", "--affiliates", "2000", "--data-dir"])
            .arg(data)
            .envs(environment.iter().cloned())
            .stderr(Stdio::null())
            .output()
            .expect("seed-demo runs");
        assert!(seeded.status.success(), "seed-demo failed");
        let people = serde_json::from_slice(&seeded.stdout).expect("JSON");
        let (data, listen) = (data.to_owned(), format!("127.0.0.1:{}", port::free()));
        let mut server = Self { data, listen, process: None, environment, people };
        server.resume();
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Answers again, where it answered before.
    pub fn resume(&mut self) {
        let mut process = Command::new(program("hanna-server"))
            .args(["serve", "--listen", &self.listen, "--data-dir"])
            .arg(&self.data)
            // Tests ask faster than people.
            .args(["--lookups-a-minute", "1000000", "--lookups-a-day", "1000000"])
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut first = String::new();
        let mut lines = BufReader::new(process.stdout.take().expect("its output"));
        lines.read_line(&mut first).expect("a line");
        self.process = Some(process);
        let address = first.trim().strip_prefix("listening on http://").expect("its first line").to_owned();
        self.listen = address;
    }

    /// Ends the process.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Killing tells whether it was still alive; either way it is over.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// The `n`th document of somebody who may use the benefit.
    pub fn document(&self, group: &str, n: usize) -> String {
        self.people["documents"][group][n].as_str().expect("a document").to_owned()
    }

    /// The first account: several branches, an agreement in force.
    pub fn account(&self) -> &Value {
        &self.people["accounts"][0]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
