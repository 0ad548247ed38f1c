//! The server's address.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// The base address of a Hanna server: `https` anywhere, plain `http` only on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress(Url);

/// Why a text cannot be the server's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an `http` or `https` address.
    #[error("the server's address is not an http(s) address")]
    NotAnAddress,
    /// Plain `http` to another machine: passwords and personal data would travel in clear.
    #[error("plain http is allowed on this machine only")]
    PlainHttp,
}

impl ServerAddress {
    /// Reads an address such as `https://hanna.example.co`.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text.trim()).map_err(|_| AddressError::NotAnAddress)?;
        match url.scheme() {
            "https" if url.has_host() => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" if url.has_host() => Err(AddressError::PlainHttp),
            _ => Err(AddressError::NotAnAddress),
        }
    }

    /// Whether the server is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The address of one call. `path` begins with a slash.
    pub(super) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_only_here() {
        for good in
            ["https://hanna.example.co", "http://127.0.0.1:8740", "http://localhost:1/", "http://[::1]:9"]
        {
            assert!(ServerAddress::parse(good).is_ok(), "{good}");
        }
        assert_eq!(ServerAddress::parse("http://hanna.example.co"), Err(AddressError::PlainHttp));
        for bad in ["", "hanna", "ftp://127.0.0.1", "file:///etc"] {
            assert_eq!(ServerAddress::parse(bad), Err(AddressError::NotAnAddress), "{bad}");
        }
    }

    #[test]
    fn a_path_prefix_is_kept() {
        let address = ServerAddress::parse("https://caja.example.co/hanna/").expect("an address");
        assert_eq!(address.join("/v1/me"), "https://caja.example.co/hanna/v1/me");
    }
}
