//! TLS as the server speaks it itself: rustls with one certificate, 1.2 or newer, for HTTP/1.1.
//!
//! The two files are looked at again while the server serves, at a handshake and at most every so often, so that a renewed
//! certificate is taken up without a restart. Files that do not serve change nothing: the certificate that is held goes on,
//! and the log is told once.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is spoken behind TLS.
const HTTP_1_1: &[u8] = b"http/1.1";

/// A certificate and its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, followed by those that lead to a root.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why TLS cannot be spoken. Whoever runs the server reads it, so it is Spanish.
#[derive(Debug)]
pub enum TlsFault {
    /// A file cannot be read.
    Unreadable(&'static str, PathBuf, io::Error),
    /// A file has not what it should.
    NotPem(&'static str, PathBuf, &'static str),
    /// The key is not that of the certificate.
    Mismatch,
    /// A certificate or a key of a kind nobody can use.
    Unusable(rustls::Error),
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(key, path, error) => {
                write!(f, "«{key}»: no se puede leer {} ({error})", path.display())
            }
            Self::NotPem(key, path, what) => {
                write!(f, "«{key}»: en {} no hay {what} en formato PEM", path.display())
            }
            Self::Mismatch => f.write_str("la llave de «tls_key» no es la del certificado de «tls_cert»"),
            Self::Unusable(error) => {
                write!(f, "el certificado de «tls_cert» o la llave de «tls_key» no sirven ({error})")
            }
        }
    }
}

impl std::error::Error for TlsFault {}

/// Speaks TLS with the certificate of two files.
pub struct Tls {
    acceptor: TlsAcceptor,
    held: Arc<Held>,
    files: TlsFiles,
    look_every: Duration,
    looked: Mutex<Looked>,
}

/// When the files were looked at, and what was wrong with them then.
struct Looked {
    at: Instant,
    fault: Option<String>,
}

impl Tls {
    /// How often the files are looked at while the server serves.
    pub const LOOK_EVERY: Duration = Duration::from_mins(1);

    /// Reads the files, which are looked at again at most every `look_every`.
    ///
    /// # Errors
    /// When no client could be answered with them.
    pub fn open(files: TlsFiles, look_every: Duration) -> Result<Self, TlsFault> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let held = Arc::new(Held(Mutex::new(read(&files, &provider)?)));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsFault::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&held) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        let looked = Mutex::new(Looked { at: Instant::now(), fault: None });
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), held, files, look_every, looked })
    }

    /// Shakes hands with a client. There is no limit of time here.
    ///
    /// # Errors
    /// When it speaks no TLS, or none that we speak, or leaves.
    pub async fn accept<T: AsyncRead + AsyncWrite + Unpin>(
        self: &Arc<Self>,
        stream: T,
    ) -> io::Result<TlsStream<T>> {
        if self.is_time_to_look() {
            let tls = Arc::clone(self);
            // It does not panic; and if it did, what is held would go on.
            let _ = tokio::task::spawn_blocking(move || tls.look()).await;
        }
        self.acceptor.accept(stream).await
    }

    fn is_time_to_look(&self) -> bool {
        let mut looked = lock(&self.looked);
        let is_time = looked.at.elapsed() >= self.look_every;
        if is_time {
            looked.at = Instant::now();
        }
        is_time
    }

    /// Takes up a certificate that was renewed.
    fn look(&self) {
        let provider = self.acceptor.config().crypto_provider();
        let fault = match read(&self.files, provider) {
            Ok(key) => {
                if self.held.renew(key) {
                    tracing::info!("the certificate was renewed");
                }
                None
            }
            Err(fault) => Some(fault.to_string()),
        };
        let mut looked = lock(&self.looked);
        if let Some(fault) = &fault
            && looked.fault.as_ref() != Some(fault)
        {
            tracing::error!(%fault, "the files of the certificate do not serve: the one that is held goes on");
        }
        looked.fault = fault;
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

/// What clients are shown.
#[derive(Debug)]
struct Held(Mutex<Arc<CertifiedKey>>);

impl Held {
    /// Holds `key` from now on; says whether it is another.
    fn renew(&self, key: Arc<CertifiedKey>) -> bool {
        let mut held = lock(&self.0);
        let is_another = held.cert != key.cert;
        *held = key;
        is_another
    }
}

impl ResolvesServerCert for Held {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&lock(&self.0)))
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsFault> {
    let certs = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|certs| if certs.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(certs) })
        .map_err(|error| fault_of("tls_cert", &files.cert, error, "un certificado"))?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| fault_of("tls_key", &files.key, error, "una llave privada"))?;
    CertifiedKey::from_der(certs, key, provider).map(Arc::new).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsFault::Mismatch,
        error => TlsFault::Unusable(error),
    })
}

fn fault_of(key: &'static str, path: &Path, error: pem::Error, what: &'static str) -> TlsFault {
    match error {
        pem::Error::Io(error) => TlsFault::Unreadable(key, path.to_owned(), error),
        _ => TlsFault::NotPem(key, path.to_owned(), what),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
