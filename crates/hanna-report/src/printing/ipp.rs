//! Asking the spooler itself how a job stands: one request of the Internet Printing Protocol (RFC 8010, RFC 8011).
//!
//! `lpstat` cannot tell. It lists a job that was printed and one that was cancelled alike as "completed", and the
//! reasons it shows (`lpstat -l`) are, with CUPS 2.4.2, `processing-to-stop-point` for both. The state of the job,
//! which `lpstat` does not show, tells them apart.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::PrintState;

/// How long the spooler may be silent.
const SILENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read. A real one has some 300 bytes.
const ANSWER_MAX_BYTES: u64 = 64 * 1024;

const VERSION: [u8; 2] = [2, 0];
const GET_JOB_ATTRIBUTES: [u8; 2] = [0x00, 0x09];
const REQUEST_ID: [u8; 4] = [0, 0, 0, 1];
/// Version, status and request id.
const ANSWER_HEADER_BYTES: usize = 8;

/// RFC 8010, 3.5: what delimits groups of attributes, and the types of values.
mod tag {
    pub const OPERATION_ATTRIBUTES: u8 = 0x01;
    pub const END: u8 = 0x03;
    pub const LAST_DELIMITER: u8 = 0x0F;
    pub const ENUM: u8 = 0x23;
    pub const KEYWORD: u8 = 0x44;
    pub const URI: u8 = 0x45;
    pub const CHARSET: u8 = 0x47;
    pub const LANGUAGE: u8 = 0x48;
}

/// How job `number` of the spooler at `server` ended; `None`: it has not, or the spooler did not say.
///
/// `server` is what `lpstat -H` prints: the path of a socket, or a host with its port.
pub fn how_it_ended(server: &str, number: u32) -> io::Result<Option<PrintState>> {
    Ok(state(&ask(server, &request(number))?))
}

/// Posts `request`; gives what came back, with the head of HTTP.
fn ask(server: &str, request: &[u8]) -> io::Result<Vec<u8>> {
    #[cfg(unix)]
    if server.starts_with('/') {
        let socket = std::os::unix::net::UnixStream::connect(server)?;
        socket.set_read_timeout(Some(SILENCE))?;
        socket.set_write_timeout(Some(SILENCE))?;
        return post(socket, "localhost", request);
    }
    let address = server.to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let socket = TcpStream::connect_timeout(&address, SILENCE)?;
    socket.set_read_timeout(Some(SILENCE))?;
    socket.set_write_timeout(Some(SILENCE))?;
    post(socket, server, request)
}

fn post(mut socket: impl Read + Write, host: &str, request: &[u8]) -> io::Result<Vec<u8>> {
    // Version 1.0: the answer is not cut in pieces, and ends where the connection does.
    let head = format!(
        "POST /jobs/ HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\r\n",
        request.len()
    );
    socket.write_all(&[head.as_bytes(), request].concat())?;
    let mut answer = Vec::new();
    socket.take(ANSWER_MAX_BYTES).read_to_end(&mut answer)?;
    Ok(answer)
}

fn request(number: u32) -> Vec<u8> {
    let mut request = [&VERSION[..], &GET_JOB_ATTRIBUTES, &REQUEST_ID, &[tag::OPERATION_ATTRIBUTES]].concat();
    let job = format!("ipp://localhost/jobs/{number}");
    for (tag, name, value) in [
        (tag::CHARSET, "attributes-charset", "utf-8"),
        (tag::LANGUAGE, "attributes-natural-language", "en"),
        (tag::URI, "job-uri", job.as_str()),
        (tag::KEYWORD, "requested-attributes", "job-state"),
        // Without a name: one more value of the attribute before.
        (tag::KEYWORD, "", "job-state-reasons"),
    ] {
        request.push(tag);
        for text in [name, value] {
            // All of them are some twenty letters.
            request.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            request.extend(text.as_bytes());
        }
    }
    request.push(tag::END);
    request
}

/// How a job stands for good, by the answer of the spooler.
fn state(answer: &[u8]) -> Option<PrintState> {
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let mut rest = answer.get(body + ANSWER_HEADER_BYTES..)?;
    let mut state = None;
    let mut went_wrong = false;
    while let Some((attribute, after)) = attribute(rest) {
        rest = after;
        match attribute {
            (tag::ENUM, b"job-state", value) => state = value.last().copied(),
            (tag::KEYWORD, _, b"job-completed-with-errors") => went_wrong = true,
            _ => {}
        }
    }
    // RFC 8011, 5.3.7. CUPS stops (6) a job whose filter failed; it does not go on by itself.
    match state? {
        6..=8 => Some(PrintState::Failed),
        9 if went_wrong => Some(PrintState::Failed),
        9 => Some(PrintState::Done),
        _ => None,
    }
}

/// The type of the first value in `bytes`, the name of its attribute, the value, and what comes after it.
type Attribute<'a> = (u8, &'a [u8], &'a [u8]);

fn attribute(mut bytes: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    loop {
        let (&tag, after) = bytes.split_first()?;
        match tag {
            tag::END => return None,
            ..=tag::LAST_DELIMITER => bytes = after,
            _ => {
                let (name, after) = counted(after)?;
                let (value, after) = counted(after)?;
                return Some(((tag, name, value), after));
            }
        }
    }
}

/// A text after its length.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What CUPS 2.4.2 answers about a job.
    fn answer(state: u8, reasons: &[&str]) -> Vec<u8> {
        let mut answer =
            b"HTTP/1.0 200 OK\r\nContent-Type: application/ipp\r\n\r\n\x02\x00\x00\x00\x00\x00\x00\x01"
                .to_vec();
        let mut put = |tag: u8, name: &[u8], value: &[u8]| {
            answer.push(tag);
            for part in [name, value] {
                answer.extend(u16::try_from(part.len()).expect("short").to_be_bytes());
                answer.extend(part);
            }
        };
        put(tag::CHARSET, b"attributes-charset", b"utf-8");
        put(tag::ENUM, b"job-state", &[0, 0, 0, state]);
        for (index, reason) in reasons.iter().enumerate() {
            let name: &[u8] = if index == 0 { b"job-state-reasons" } else { b"" };
            put(tag::KEYWORD, name, reason.as_bytes());
        }
        answer.push(tag::END);
        answer
    }

    #[test]
    fn the_state_decides_and_errors_spoil_it() {
        for (number, reasons, expected) in [
            (3, &["none"][..], None),
            (4, &["job-hold-until-specified"], None),
            (5, &["job-printing"], None),
            (6, &["job-stopped"], Some(PrintState::Failed)),
            (7, &["processing-to-stop-point"], Some(PrintState::Failed)),
            (8, &["aborted-by-system"], Some(PrintState::Failed)),
            (9, &["processing-to-stop-point"], Some(PrintState::Done)),
            (9, &["job-completed-successfully"], Some(PrintState::Done)),
            (9, &["none", "job-completed-with-errors"], Some(PrintState::Failed)),
        ] {
            assert_eq!(state(&answer(number, reasons)), expected, "{number} {reasons:?}");
        }
    }

    #[test]
    fn what_is_no_answer_says_nothing() {
        assert_eq!(state(b""), None);
        assert_eq!(state(b"HTTP/1.0 426 Upgrade Required\r\n\r\n"), None);
        assert_eq!(state(b"HTTP/1.0 200 OK\r\n\r\n\x02\x00\x04\x06\x00\x00\x00\x01\x01\x03"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_and_any_cut_are_read_without_panic(
            noise in prop::collection::vec(any::<u8>(), 0..200), cut in 0..100usize,
        ) {
            let _ = state(&[b"HTTP/1.0 200 OK\r\n\r\n".as_slice(), &noise].concat());
            let whole = answer(9, &["none"]);
            let _ = state(&whole[..whole.len().saturating_sub(cut)]);
        }
    }
}
