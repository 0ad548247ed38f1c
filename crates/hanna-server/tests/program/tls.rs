//! The program speaking TLS itself, to real clients.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, SupportedProtocolVersion,
    version,
};

use crate::server::{Server, run, text};

const WITH_TLS: &[&str] = &["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Puts a certificate of this machine and its key in `dir`.
fn certified(dir: &Path) -> CertifiedKey<KeyPair> {
    let made = generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(dir.join("cert.pem"), made.cert.pem()).expect("written");
    std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).expect("written");
    made
}

type Client = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts that certificate.
fn client(
    server: &Server,
    made: &CertifiedKey<KeyPair>,
    spoken: &'static SupportedProtocolVersion,
) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[spoken])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    StreamOwned::new(connection, TcpStream::connect(&server.address).expect("it listens"))
}

fn ask(mut client: Client) -> (String, ClientConnection) {
    client.write_all(REQUEST).expect("sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("answered, and ended as TLS ends");
    (answer, client.conn)
}

#[test]
fn the_api_is_served_with_tls_and_to_nobody_in_clear() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = certified(dir.path());
    let mut server = Server::start(dir.path(), &[WITH_TLS, &["--log", "debug"]].concat());
    for (spoken, expected) in
        [(&version::TLS13, ProtocolVersion::TLSv1_3), (&version::TLS12, ProtocolVersion::TLSv1_2)]
    {
        let (answer, connection) = ask(client(&server, &made, spoken));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"status\":\"ok\""), "{answer}");
        assert_eq!(connection.protocol_version(), Some(expected));
        assert_eq!(connection.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    let mut plain = TcpStream::connect(&server.address).expect("it listens");
    plain.write_all(REQUEST).expect("sent");
    let mut answer = Vec::new();
    // It may be reset, with what was sent unread.
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(ask(client(&server, &made, &version::TLS13)).0.starts_with("HTTP/1.1 200"));
    server.signal("-TERM");
    assert_eq!(server.process.wait().expect("it ends").code(), Some(0));
    assert!(server.log().contains("a handshake failed"), "{}", server.log());
}

#[test]
fn a_handshake_that_stalls_is_dropped_while_others_are_answered() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = certified(dir.path());
    let server = Server::start(dir.path(), &[WITH_TLS, &["--head-max-s", "2"]].concat());
    let stalled: Vec<TcpStream> = [&b""[..], b"\x16\x03\x01\x02\x00"]
        .into_iter()
        .map(|begun| {
            let mut stream = TcpStream::connect(&server.address).expect("it listens");
            stream.write_all(begun).expect("sent");
            stream.set_read_timeout(Some(Duration::from_mins(1))).expect("set");
            stream
        })
        .collect();
    assert!(ask(client(&server, &made, &version::TLS13)).0.starts_with("HTTP/1.1 200"));
    for mut stream in stalled {
        assert_eq!(stream.read(&mut [0; 16]).expect("ended"), 0);
    }
}

#[test]
fn a_handshake_that_stalls_keeps_nobody_from_ending() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = certified(dir.path());
    let mut server = Server::start(
        dir.path(),
        &[WITH_TLS, &["--shutdown-max-s", "86400", "--head-max-s", "86400"]].concat(),
    );
    let _stalled = TcpStream::connect(&server.address).expect("it listens");
    // One that was accepted later is answered: so the first is being shaken hands with.
    assert!(ask(client(&server, &made, &version::TLS13)).0.starts_with("HTTP/1.1 200"));
    server.signal("-TERM");
    assert_eq!(server.process.wait().expect("it ends").code(), Some(0));
}

#[test]
fn other_machines_are_served_with_tls_without_more_ado_and_what_does_not_serve_stops_the_start() {
    let dir = tempfile::tempdir().expect("a directory");
    certified(dir.path());
    let refused = run(dir.path(), &["serve", "--listen", "0.0.0.0:0"]);
    assert!(text(&refused.stderr).contains("--tls-cert"), "{}", text(&refused.stderr));
    let everywhere = Server::start(dir.path(), &[WITH_TLS, &["--listen", "0.0.0.0:0"]].concat());
    drop(everywhere);

    let said = |args: &[&str]| {
        let refused = run(dir.path(), &[&["serve", "--listen", "127.0.0.1:0"], args].concat());
        assert_eq!(refused.status.code(), Some(1));
        assert!(refused.stdout.is_empty(), "nobody was told that it listens");
        text(&refused.stderr).to_owned()
    };
    assert!(said(&["--tls-cert", "cert.pem"]).contains("van juntas; falta «tls_key»"));
    assert!(said(&["--tls-cert", "no.pem", "--tls-key", "key.pem"]).contains("no se puede leer no.pem"));
    std::fs::write(dir.path().join("other.pem"), KeyPair::generate().expect("a key").serialize_pem())
        .expect("written");
    let mismatched = said(&["--tls-cert", "cert.pem", "--tls-key", "other.pem"]);
    assert!(mismatched.contains("no es la del certificado"), "{mismatched}");
}
