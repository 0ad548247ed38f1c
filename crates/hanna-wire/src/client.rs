//! What a desk says it is, and which of them a server still serves.
//!
//! A desk names itself and its version in `User-Agent`, as `hanna-convenios/0.1.0`. A server may say how old that may be:
//! then older desks are answered 426 on every `/v1/` path, with the version in the problem, and `/health` says it to
//! all. Whoever has another name is not concerned.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The name of the desk's program.
pub const NAME: &str = "hanna-convenios";

/// The version of a program, without what may follow it: `MAJOR.MINOR.PATCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

/// The text is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoVersion;

impl fmt::Display for NoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version is MAJOR.MINOR.PATCH")
    }
}

impl std::error::Error for NoVersion {}

impl Version {
    /// Whether a program that says it is `said` is this version or a newer one. What says nothing that is a version is
    /// not, because nobody knows what it would make of an answer.
    pub fn is_met_by(self, said: &str) -> bool {
        // What comes before a release, or is built otherwise, speaks as the release does.
        let release = said.split(['-', '+']).next().unwrap_or_default();
        release.parse::<Self>().is_ok_and(|said| said >= self)
    }
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let number = |part: &str| {
            let is_number = !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
            if is_number { part.parse().map_err(|_| NoVersion) } else { Err(NoVersion) }
        };
        let parts: Vec<&str> = text.split('.').collect();
        let [major, minor, patch] = parts[..] else { return Err(NoVersion) };
        Ok(Self { major: number(major)?, minor: number(minor)?, patch: number(patch)? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let minimum: Version = "0.10.2".parse().expect("a version");
        for newer in ["0.10.2", "0.10.10", "0.11.0", "1.0.0", "0.10.2-beta.1", "0.10.2+build"] {
            assert!(minimum.is_met_by(newer), "{newer}");
        }
        for older in ["0.10.1", "0.9.9", "0.9.20", "0.2.0-rc.1"] {
            assert!(!minimum.is_met_by(older), "{older}");
        }
        assert_eq!(minimum.to_string(), "0.10.2");
    }

    #[test]
    fn what_is_no_version_is_none_and_meets_nothing() {
        let first: Version = "0.0.0".parse().expect("a version");
        for none in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "1.2.x",
            "1..3",
            "+1.2.3",
            "-1.2.3",
            "1.2.4294967296",
            " 1.2.3",
        ] {
            assert_eq!(none.parse::<Version>(), Err(NoVersion), "{none}");
            assert!(!first.is_met_by(none), "{none}");
        }
        assert!(serde_json::from_str::<Version>("\"1.2\"").is_err());
    }
}
