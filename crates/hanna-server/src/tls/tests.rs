use axum::Router;
use axum::routing::get;
use rcgen::{CertifiedKey as Made, generate_simple_self_signed};
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::*;
use crate::app::Limits;
use crate::serving;

/// A directory with a certificate of this machine in it, and its key.
struct Certificates {
    dir: TempDir,
}

impl Certificates {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { cert: self.dir.path().join("cert.pem"), key: self.dir.path().join("key.pem") }
    }

    fn put(&self, cert: &str, key: &str) {
        std::fs::write(self.files().cert, cert).expect("written");
        std::fs::write(self.files().key, key).expect("written");
    }

    /// Puts a new certificate there, and gives a client that trusts no other.
    fn renew(&self) -> TlsConnector {
        let made = made();
        self.put(&made.cert.pem(), &made.signing_key.serialize_pem());
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a certificate");
        let mut client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        // One that remembers a session is shown no certificate.
        client.resumption = Resumption::disabled();
        TlsConnector::from(Arc::new(client))
    }
}

fn made() -> Made<rcgen::KeyPair> {
    generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate")
}

/// A server that looks at the files at every handshake; gives where it listens.
async fn serve(files: TlsFiles) -> std::net::SocketAddr {
    let tls = Tls::open(files, Duration::ZERO).expect("it speaks TLS");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/", get(async || "hola"));
    tokio::spawn(serving::serve(
        listener,
        Some(Arc::new(tls)),
        router,
        Limits::USUAL,
        Arc::default(),
        std::future::pending(),
    ));
    address
}

/// What a client is answered.
async fn ask(client: &TlsConnector, address: std::net::SocketAddr) -> io::Result<String> {
    let name = ServerName::try_from("localhost").expect("a name");
    let mut stream = client.connect(name, TcpStream::connect(address).await?).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_files_that_do_not_serve_change_nothing() {
    let certificates = Certificates::new();
    let first = certificates.renew();
    let address = serve(certificates.files()).await;
    let is_answered =
        async |client: &TlsConnector| ask(client, address).await.is_ok_and(|answer| answer.ends_with("hola"));
    assert!(is_answered(&first).await);

    // Another's key, as between the two files of a renewal; half a file; none.
    let cert = std::fs::read_to_string(certificates.files().cert).expect("read");
    certificates.put(&cert, &made().signing_key.serialize_pem());
    assert!(is_answered(&first).await);
    certificates.put(&cert[..cert.len() / 2], "");
    assert!(is_answered(&first).await);
    std::fs::remove_file(certificates.files().key).expect("removed");
    assert!(is_answered(&first).await);

    let second = certificates.renew();
    assert!(is_answered(&second).await);
    assert!(!is_answered(&first).await, "the old certificate is shown no more");
}

#[tokio::test]
async fn the_files_are_looked_at_only_every_so_often() {
    tokio::time::pause();
    let certificates = Certificates::new();
    certificates.renew();
    let tls = Tls::open(certificates.files(), Duration::from_mins(1)).expect("it speaks TLS");
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(!tls.is_time_to_look());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(tls.is_time_to_look());
    assert!(!tls.is_time_to_look(), "one client looks for all");
}

#[test]
fn what_is_wrong_with_the_files_is_said_in_spanish() {
    let certificates = Certificates::new();
    let said = |certificates: &Certificates| {
        let provider = aws_lc_rs::default_provider();
        read(&certificates.files(), &provider).expect_err("no certificate").to_string()
    };
    assert!(said(&certificates).starts_with("«tls_cert»: no se puede leer "), "{}", said(&certificates));
    let right = made();
    let (cert, key) = (right.cert.pem(), right.signing_key.serialize_pem());
    certificates.put("nada", &key);
    assert!(said(&certificates).ends_with("cert.pem no hay un certificado en formato PEM"));
    certificates.put(&cert, &cert);
    assert!(said(&certificates).ends_with("key.pem no hay una llave privada en formato PEM"));
    certificates.put(&cert, &made().signing_key.serialize_pem());
    assert_eq!(said(&certificates), "la llave de «tls_key» no es la del certificado de «tls_cert»");
    certificates.put("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &key);
    assert!(said(&certificates).contains("no sirven"), "{}", said(&certificates));
    certificates.put(&cert, &key);
    assert!(read(&certificates.files(), &aws_lc_rs::default_provider()).is_ok());
}
