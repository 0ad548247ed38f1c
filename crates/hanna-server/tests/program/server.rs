//! The program, run in a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

pub fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hanna-server"));
    command.current_dir(dir);
    command
}

pub fn run(dir: &Path, args: &[&str]) -> Output {
    program(dir).args(args).args(database(dir)).output().expect("the program runs")
}

/// A folder whose data are in PostgreSQL has a file that says where.
pub const ADDRESS: &str = "address";

/// Where the folder's data are, unless they are in it.
pub fn database(dir: &Path) -> Vec<String> {
    let address = std::fs::read_to_string(dir.join(ADDRESS));
    address.map(|address| vec!["--database".to_owned(), address]).unwrap_or_default()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// Fills the folder's database with invented people.
pub fn seeded(dir: &Path) -> Value {
    let output = run(dir, &["seed-demo", "--json", "--affiliates", "200"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// A server of the folder's data, ended with the test.
pub struct Server {
    dir: PathBuf,
    pub process: Child,
    pub address: String,
    /// Where it tells what was counted, if it was told to.
    pub metrics: Option<String>,
}

impl Server {
    pub fn start(dir: &Path, more: &[&str]) -> Self {
        let log = std::fs::File::create(dir.join("log")).expect("a file");
        let listen: &[&str] = if more.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut process = program(dir)
            .arg("serve")
            .args(listen)
            .args(more)
            .args(database(dir))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program runs");
        let mut lines = BufReader::new(process.stdout.take().expect("piped"));
        let mut said = |before: &str| {
            let mut line = String::new();
            lines.read_line(&mut line).expect("a line");
            line.trim_end().strip_prefix(before).map(str::to_owned)
        };
        let scheme = if more.contains(&"--tls-cert") { "https" } else { "http" };
        let address = said(&format!("listening on {scheme}://")).expect("the first line");
        assert!(!address.ends_with(":0"), "the port that was picked");
        let metrics = more.contains(&"--metrics-listen").then(|| said("metrics on http://")).flatten();
        let metrics = metrics.and_then(|line| line.strip_suffix("/metrics").map(str::to_owned));
        Self { dir: dir.to_owned(), process, address, metrics }
    }

    /// One request on its own connection; status, headers and body.
    pub fn call(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, String, Value) {
        call(&self.address, method, path, token, body)
    }

    /// The same, with these headers.
    pub fn call_with(&self, method: &str, path: &str, headers: &str, body: &Value) -> (u16, String, Value) {
        call_with(&self.address, method, path, headers, body)
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        Self::log_in(&self.dir)
    }

    /// What the last server of the folder logged.
    pub fn log_in(dir: &Path) -> String {
        std::fs::read_to_string(dir.join("log")).expect("the log")
    }
}

/// One request to the server at `address`, on its own connection; status, headers and body.
pub fn call(
    address: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> (u16, String, Value) {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    call_with(address, method, path, &authorization, body)
}

fn call_with(address: &str, method: &str, path: &str, headers: &str, body: &Value) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: hanna\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    (status, head.to_owned(), serde_json::from_str(body).unwrap_or_default())
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended in most tests.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
