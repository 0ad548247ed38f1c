//! The least of an HTTP client, so that what is measured is the server: one connection, one request at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// A connection that is kept.
pub struct Client {
    stream: BufReader<TcpStream>,
    /// What it shows, once there is one.
    pub token: String,
}

impl Client {
    /// Connects.
    pub fn to(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("it listens");
        stream.set_nodelay(true).expect("set");
        Self { stream: BufReader::new(stream), token: String::new() }
    }

    /// Asks; anything but 200 ends the benchmark.
    pub fn ask(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let token = if self.token.is_empty() {
            String::new()
        } else {
            format!("Authorization: Bearer {}\r\n", self.token)
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: hanna\r\n{token}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).expect("sent");
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status).expect("answered");
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("a header");
            if line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).expect("the body");
        assert!(status.contains(" 200 "), "{method} {path}: {status}{}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).expect("JSON")
    }
}
