//! The program against clients that are slow, greedy or broken: raw bytes on real connections.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Server, run, seeded, text};

/// Longer than any limit.
const PATIENCE: Duration = Duration::from_mins(1);

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(&server.address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream
}

/// Everything that comes until the connection ends.
fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the connection lives on: {error}");
    }
    String::from_utf8(answer).expect("text")
}

/// The body of the one answer in `answer`.
fn problem(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    serde_json::from_str(body).expect("a problem")
}

/// Sends `head`, then nothing, or a few bytes every half a second, on a thread of its own; gives what came.
fn slow(server: &Server, head: &str, drip: Option<&'static [u8]>) -> JoinHandle<String> {
    let mut stream = connect(server);
    stream.write_all(head.as_bytes()).expect("sent");
    std::thread::spawn(move || {
        let reader = stream.try_clone().expect("the same connection");
        let (ended, end) = mpsc::channel::<()>();
        let answer = std::thread::spawn(move || {
            let answer = rest(reader);
            drop(ended);
            answer
        });
        if let Some(bytes) = drip {
            // Too slow for a limit on the whole, too fast for one on silence.
            while end.recv_timeout(Duration::from_millis(500)) == Err(RecvTimeoutError::Timeout)
                && stream.write_all(bytes).is_ok()
            {}
        }
        answer.join().expect("read")
    })
}

const POST: &str = "POST /v1/sessions HTTP/1.1\r\nHost: hanna\r\nContent-Type: application/json\r\n";

#[test]
fn slow_clients_are_dropped_while_others_are_answered() {
    let dir = tempfile::tempdir().expect("a directory");
    seeded(dir.path());
    let server = Server::start(dir.path(), &["--head-max-s", "2", "--body-max-s", "2"]);
    let whole = format!("{POST}Content-Length: 100\r\n\r\n");
    let silent = slow(&server, "", None);
    let half_a_head = slow(&server, POST, None);
    let dripping_head = slow(&server, POST, Some(b"X-A: a\r\n"));
    let no_body = slow(&server, &whole, None);
    let dripping_body = slow(&server, &whole, Some(b" "));
    let between = slow(&server, "GET /ready HTTP/1.1\r\nHost: hanna\r\n\r\n", None);
    assert_eq!(server.call("GET", "/ready", None, &Value::Null).0, 200);

    for (what, client) in [("silent", silent), ("half", half_a_head), ("dripping", dripping_head)] {
        let answer = client.join().expect("ended");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{what}: {answer}");
    }
    for (what, client) in [("no body", no_body), ("dripping body", dripping_body)] {
        let answer = client.join().expect("ended");
        assert!(answer.starts_with("HTTP/1.1 408"), "{what}: {answer}");
        assert_eq!(problem(&answer)["code"], "REQUEST_TIMED_OUT", "{what}");
    }
    assert!(between.join().expect("ended").starts_with("HTTP/1.1 200"), "answered, then dropped");
    assert_eq!(server.call("GET", "/ready", None, &Value::Null).0, 200);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[]);
    let answer = |request: String| {
        let mut stream = connect(&server);
        // It may be refused while it is being sent.
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        rest(stream)
    };
    let declared = answer(format!("{POST}Content-Length: 1048577\r\nConnection: close\r\n\r\n{{}}"));
    assert!(declared.starts_with("HTTP/1.1 413"), "{declared}");
    assert_eq!(problem(&declared)["code"], "TOO_LARGE");
    let spaces = " ".repeat(0x10_0001);
    let chunked = answer(format!("{POST}Transfer-Encoding: chunked\r\n\r\n100001\r\n{spaces}\r\n0\r\n\r\n"));
    assert!(chunked.is_empty() || chunked.starts_with("HTTP/1.1 413"), "{chunked}");
    let head = format!("GET /health HTTP/1.1\r\nHost: hanna\r\nX-A: {}\r\n\r\n", "a".repeat(64 * 1024));
    let many = format!("GET /health HTTP/1.1\r\nHost: hanna\r\n{}\r\n", "X-A: a\r\n".repeat(100));
    for request in [head, many] {
        let answer = answer(request);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let (status, _, health) = server.call("GET", "/health", None, &Value::Null);
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
}

#[test]
fn more_connections_than_there_may_be_wait_for_their_turn() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &["--connections-max", "2"]);
    let (first, second) = (connect(&server), connect(&server));
    let mut third = connect(&server);
    third.write_all(b"GET /health HTTP/1.1\r\nHost: hanna\r\nConnection: close\r\n\r\n").expect("sent");
    third.set_read_timeout(Some(Duration::from_millis(300))).expect("set");
    let early = third.peek(&mut [0]).expect_err("answered while two others are there");
    assert!(matches!(early.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    drop(first);
    third.set_read_timeout(Some(PATIENCE)).expect("set");
    assert!(rest(third).starts_with("HTTP/1.1 200"));
    drop(second);
}

#[test]
fn a_signal_lets_what_was_begun_end_and_takes_in_nothing_new() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = Server::start(dir.path(), &[]);
    let mut begun = connect(&server);
    let body = "{\"username\": 1}";
    write!(begun, "{POST}Content-Length: {}\r\n\r\n{}", body.len(), &body[..5]).expect("sent");
    // One that was accepted later is answered: so the first is being worked on.
    assert_eq!(server.call("GET", "/health", None, &Value::Null).0, 200);
    server.signal("-TERM");
    while TcpStream::connect(&server.address).is_ok() {
        std::thread::yield_now();
    }
    begun.write_all(&body.as_bytes()[5..]).expect("sent");
    let answer = rest(begun);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(problem(&answer)["code"], "MALFORMED");
    assert_eq!(server.process.wait().expect("it ends").code(), Some(0));
}

#[test]
fn what_does_not_end_after_a_signal_is_cut_off() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = Server::start(dir.path(), &["--shutdown-max-s", "1"]);
    let mut begun = connect(&server);
    write!(begun, "{POST}Content-Length: 100\r\n\r\n{{").expect("sent");
    assert_eq!(server.call("GET", "/health", None, &Value::Null).0, 200);
    server.signal("-TERM");
    assert_eq!(server.process.wait().expect("it ends").code(), Some(0));
    assert_eq!(rest(begun), "");
    assert!(server.log().contains("some connections did not end in time"));
}

#[test]
fn guesses_from_one_address_are_slowed_down_whoever_is_guessed_at() {
    let dir = tempfile::tempdir().expect("a directory");
    seeded(dir.path());
    let server = Server::start(dir.path(), &[]);
    let guess = |n: usize, address: &str| {
        let sign_in = json!({
            "username": format!("nadie{n}@gymcaribe.co"), "password": "adivino",
            "device": { "id": "01936d3e-0000-7000-8000-000000000001", "name": "PC" },
        });
        // What a client invents stands before what the proxy adds, and changes nothing.
        let forwarded = format!("X-Forwarded-For: {}, {address}\r\n", ["198.51.100.7", "ñ", ""][n % 3]);
        server.call_with("POST", "/v1/sessions", &forwarded, &sign_in)
    };
    for n in 0..30 {
        assert_eq!(guess(n, "203.0.113.9").0, 401, "guess {n}");
    }
    let (status, head, problem) = guess(30, "203.0.113.9");
    assert_eq!((status, &problem["code"]), (429, &json!("SLOW_DOWN")));
    assert!(head.to_lowercase().contains("\r\nretry-after: "), "{head}");
    assert_eq!(guess(31, "203.0.113.10").0, 401, "others go on");
}

#[test]
fn what_was_counted_is_told_at_an_address_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &["--metrics-listen", "127.0.0.1:0"]);
    server.call("GET", "/ready", None, &Value::Null);
    let metrics = server.metrics.clone().expect("announced");
    let mut stream = TcpStream::connect(&metrics).expect("it listens");
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: hanna\r\nConnection: close\r\n\r\n").expect("sent");
    let answer = rest(stream);
    assert!(answer.contains("content-type: application/openmetrics-text"), "{answer}");
    assert!(answer.contains("hanna_http_requests_total{method=\"GET\",route=\"/ready\",status=\"200\"} 1"));
    assert!(answer.contains("hanna_http_connections "));
    assert_eq!(server.call("GET", "/metrics", None, &Value::Null).0, 404);
    let refused = run(dir.path(), &["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "0.0.0.0:0"]);
    assert!(text(&refused.stderr).contains("--allow-plain-http"));
}
