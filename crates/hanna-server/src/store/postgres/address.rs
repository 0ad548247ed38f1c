//! `postgres://…`: which servers, and how the line to them is kept private.
//!
//! The parameters are libpq's. A line within this machine (a socket, a loopback address) is plain; any other is
//! encrypted, and the server must prove who it is, unless `sslmode=disable` says that the line is private already. What
//! encrypts without checking (`prefer`, `allow`) is refused: it keeps nothing private from whoever stands in between.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::store::{BoxError, StoreError};

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Connections of one process, when nobody says.
const CONNECTIONS: usize = 16;
const CONNECTIONS_MAX: usize = 1_000;
/// For one host to take a connection, when nobody says. Then the next one is asked.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// For a host that took it, and then says no more.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Where a PostgreSQL is. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    config: Config,
    root_cert: Option<String>,
    connections: usize,
    shown: String,
}

/// An address nobody can connect to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the address of the database: {0}")]
pub struct BadAddress(String);

impl Address {
    /// Whether `text` says that it is one.
    pub fn is_one(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }

    /// How many connections one process has at most.
    pub const fn connections(&self) -> usize {
        self.connections
    }

    /// What the client is told.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// How the line is encrypted: by rustls, as everywhere else.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub fn tls(&self) -> Result<ClientConfig, StoreError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::Failed(error.into()))?;
        let Some(path) = &self.root_cert else {
            let builder =
                builder.with_platform_verifier().map_err(|error| StoreError::Failed(error.into()))?;
            return Ok(builder.with_no_client_auth());
        };
        let unreadable = |error: BoxError| {
            StoreError::Failed(format!("sslrootcert {path} cannot be read: {error}").into())
        };
        let mut roots = RootCertStore::empty();
        for cert in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.into()))? {
            let cert = cert.map_err(|error| unreadable(error.into()))?;
            roots.add(cert).map_err(|error| unreadable(error.into()))?;
        }
        if roots.is_empty() {
            return Err(unreadable("there is no certificate in it".into()));
        }
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut ours = Ours::default();
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !ours.take(name, value)? {
                // What libpq calls `primary` is what can be written.
                others.push(pair.replace("target_session_attrs=primary", "target_session_attrs=read-write"));
            }
        }
        let separator = if others.is_empty() { "" } else { "?" };
        let rest = format!("{place}{separator}{}", others.join("&"));
        // The error of the parser names the parameter, and never its value.
        let mut config = rest.parse::<Config>().map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            BadAddress(cause.unwrap_or_else(|| error.to_string()))
        })?;
        complete(&mut config)?;
        if !others.iter().any(|pair| pair.starts_with("keepalives_idle=")) {
            config.keepalives_idle(SILENCE_MAX);
        }
        config.ssl_mode(ours.mode(&config)?);
        let shown = shown(&config);
        Ok(Self {
            config,
            root_cert: ours.root_cert,
            connections: ours.connections.unwrap_or(CONNECTIONS),
            shown,
        })
    }
}

/// The parameters that are not the client's.
#[derive(Default)]
struct Ours {
    mode: Option<String>,
    root_cert: Option<String>,
    connections: Option<usize>,
}

impl Ours {
    fn take(&mut self, name: &str, value: &str) -> Result<bool, BadAddress> {
        match name {
            "sslmode" => self.mode = Some(value.to_owned()),
            "sslrootcert" => self.root_cert = Some(decoded(value)?),
            "pool_max_conns" => {
                let count = value.parse().ok().filter(|count| (1..=CONNECTIONS_MAX).contains(count));
                let bad = || BadAddress(format!("pool_max_conns is a number from 1 to {CONNECTIONS_MAX}"));
                self.connections = Some(count.ok_or_else(bad)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn mode(&self, config: &Config) -> Result<SslMode, BadAddress> {
        match self.mode.as_deref() {
            Some("disable") => Ok(SslMode::Disable),
            None if config.get_hosts().iter().all(is_here)
                && config.get_hostaddrs().iter().all(IpAddr::is_loopback) =>
            {
                Ok(SslMode::Disable)
            }
            // The certificate is always checked, with the name in it.
            Some("require" | "verify-full") | None => Ok(SslMode::Require),
            Some(_) => Err(BadAddress(
                "sslmode is disable, require or verify-full (the last two are the same)".into(),
            )),
        }
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// What nobody said.
fn complete(config: &mut Config) -> Result<(), BadAddress> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        #[cfg(unix)]
        config.host_path("/var/run/postgresql");
        #[cfg(not(unix))]
        config.host("localhost");
    }
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
    match config.get_target_session_attrs() {
        TargetSessionAttrs::ReadOnly => {
            return Err(BadAddress("target_session_attrs=read-only: the server has to write".into()));
        }
        // Of several hosts only one can be written.
        TargetSessionAttrs::Any if hosts > 1 => {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        _ => {}
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_MAX);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE_MAX);
    }
    if config.get_application_name().is_none() {
        config.application_name("hanna-server");
    }
    Ok(())
}

fn shown(config: &Config) -> String {
    let name = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    };
    let hosts: Vec<String> = if config.get_hosts().is_empty() {
        config.get_hostaddrs().iter().map(ToString::to_string).collect()
    } else {
        config.get_hosts().iter().map(name).collect()
    };
    format!("postgres://{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

/// A value of a URL's query: `%2F` is `/`.
fn decoded(value: &str) -> Result<String, BadAddress> {
    let bad = || BadAddress("a % in a value is followed by two hexadecimal digits".into());
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, next)) = rest.split_first() {
        rest = next;
        if first == b'%' {
            let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(bad)?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
            rest = &rest[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    #[test]
    fn several_hosts_mean_the_one_that_can_be_written() {
        let pair = address("postgres://ana:secreto@uno:5433,dos:5434/hanna");
        assert_eq!(pair.config.get_hosts().len(), 2);
        assert_eq!(pair.config.get_ports(), [5433, 5434]);
        assert_eq!(pair.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        let one = address("postgresql://uno/hanna");
        assert_eq!(one.config.get_target_session_attrs(), TargetSessionAttrs::Any);
        let primary = address("postgres://uno/hanna?target_session_attrs=primary&connect_timeout=2");
        assert_eq!(primary.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(primary.config.get_connect_timeout(), Some(&Duration::from_secs(2)));
        let refused = "postgres://uno/hanna?target_session_attrs=read-only".parse::<Address>();
        assert!(refused.is_err());
    }

    #[test]
    fn a_line_that_leaves_the_machine_is_encrypted_and_checked() {
        let mode = |text: &str| address(text).config.get_ssl_mode();
        assert_eq!(mode("postgres://caja.example/hanna"), SslMode::Require);
        assert_eq!(mode("postgres://127.0.0.1,caja.example/hanna"), SslMode::Require);
        assert_eq!(mode("postgres://caja.example/hanna?sslmode=disable"), SslMode::Disable);
        for here in [
            "postgres://localhost/hanna",
            "postgres://127.0.0.1/h",
            "postgres:///hanna",
            "postgres://[::1]/h",
        ] {
            assert_eq!(mode(here), SslMode::Disable, "{here}");
            assert_eq!(mode(&format!("{here}?sslmode=verify-full")), SslMode::Require, "{here}");
        }
        for unchecked in ["prefer", "allow", "verify-ca", ""] {
            assert!(format!("postgres://uno/hanna?sslmode={unchecked}").parse::<Address>().is_err());
        }
    }

    #[test]
    fn the_password_is_never_shown() {
        let address = address("postgres://ana:secreto@caja.example/hanna?pool_max_conns=3");
        assert_eq!(address.to_string(), "postgres://caja.example/hanna");
        assert!(!format!("{address:?}").contains("secreto"));
        assert_eq!(address.connections(), 3);
        let bad = "postgres://ana:secreto@caja.example/hanna?conect_timeout=1".parse::<Address>();
        let said = bad.expect_err("no such parameter").to_string();
        assert!(said.contains("conect_timeout") && !said.contains("secreto"), "{said}");
        assert!("postgres://uno/hanna?pool_max_conns=0".parse::<Address>().is_err());
    }

    #[test]
    fn the_certificates_file_is_read_when_it_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("raíz ca.pem");
        std::fs::write(&path, "nada").expect("written");
        let written = path.to_str().expect("UTF-8").replace(' ', "%20");
        let empty = address(&format!("postgres://uno/hanna?sslrootcert={written}"));
        let said = empty.tls().expect_err("no certificate").to_string();
        assert!(said.contains("raíz ca.pem"), "{said}");
        assert!("postgres://uno/hanna?sslrootcert=%zz".parse::<Address>().is_err());
    }
}
