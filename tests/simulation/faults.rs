//! Everything that can go wrong, each with its name and how often it does.

use std::fmt;

/// A fault by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    RequestLost,
    RequestLate,
    AnswerLost,
    AnswerLate,
    NoAnswer,
    RequestDoubled,
    RequestOvertaken,
    AnswerCut,
    Portal,
    ServerFailed,
    ServerFailedAfter,
    Unavailable,
    SlowDown,
    BatchRefused,
    RestartBeforeAnswer,
    DeskKilledBefore,
    DeskKilledAfter,
    ForgedSignature,
    ForgedKey,
    OtherPerson,
    OtherBranch,
    OldAnswer,
    ServerRestarted,
    ServerDown,
    ServerRestored,
    ClockJumped,
    KeyRotated,
    SessionRevoked,
    DiskFull,
    DiskFullAtAnswer,
    FileReadOnly,
    DeskKilled,
    SchemaUpgraded,
}

/// What a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strikes {
    /// One exchange between a desk and the server.
    Exchange,
    /// The moment between two steps.
    Between,
}

/// How often each fault happens: to an exchange, or between two steps.
pub const TABLE: [(Fault, Strikes, &str, f64); 33] = [
    (Fault::RequestLost, Strikes::Exchange, "request lost before the server", 0.03),
    (Fault::RequestLate, Strikes::Exchange, "request late", 0.015),
    (Fault::AnswerLost, Strikes::Exchange, "answer lost after the commit", 0.04),
    (Fault::AnswerLate, Strikes::Exchange, "answer late", 0.04),
    (Fault::NoAnswer, Strikes::Exchange, "no answer until the client gives up", 0.015),
    (Fault::RequestDoubled, Strikes::Exchange, "request doubled", 0.02),
    (Fault::RequestOvertaken, Strikes::Exchange, "request overtaken by the next one", 0.02),
    (Fault::AnswerCut, Strikes::Exchange, "answer cut short", 0.02),
    (Fault::Portal, Strikes::Exchange, "HTML of a portal", 0.02),
    (Fault::ServerFailed, Strikes::Exchange, "500 before the commit", 0.015),
    (Fault::ServerFailedAfter, Strikes::Exchange, "500 after the commit", 0.015),
    (Fault::Unavailable, Strikes::Exchange, "503 with Retry-After", 0.015),
    (Fault::SlowDown, Strikes::Exchange, "429 with Retry-After", 0.015),
    (Fault::BatchRefused, Strikes::Exchange, "413", 0.1),
    (Fault::RestartBeforeAnswer, Strikes::Exchange, "server restarted before its answer", 0.01),
    (Fault::DeskKilledBefore, Strikes::Exchange, "desk killed before its request", 0.015),
    (Fault::DeskKilledAfter, Strikes::Exchange, "desk killed before the answer", 0.02),
    (Fault::DiskFullAtAnswer, Strikes::Exchange, "desk disk full when the answer comes", 0.01),
    (Fault::ForgedSignature, Strikes::Exchange, "statement with a forged signature", 0.02),
    (Fault::ForgedKey, Strikes::Exchange, "statement of an unknown key", 0.015),
    (Fault::OtherPerson, Strikes::Exchange, "statement about another person", 0.02),
    (Fault::OtherBranch, Strikes::Exchange, "statement for another branch", 0.015),
    (Fault::OldAnswer, Strikes::Exchange, "statement of an earlier lookup", 0.015),
    (Fault::ServerRestarted, Strikes::Between, "server restarted", 0.015),
    (Fault::ServerDown, Strikes::Between, "server down for a while", 0.04),
    (Fault::ServerRestored, Strikes::Between, "server restored from a copy", SERVER_RESTORED),
    (Fault::ClockJumped, Strikes::Between, "desk clock moved", 0.04),
    (Fault::KeyRotated, Strikes::Between, "signing key rotated", 0.015),
    (Fault::SessionRevoked, Strikes::Between, "session revoked", 0.015),
    (Fault::DiskFull, Strikes::Between, "desk disk full", 0.02),
    (Fault::FileReadOnly, Strikes::Between, "desk files made read-only", 0.01),
    (Fault::DeskKilled, Strikes::Between, "desk killed between two steps", 0.02),
    (Fault::SchemaUpgraded, Strikes::Between, "desk updated with a full outbox", 0.02),
];

/// How often the server comes back from an earlier copy of its database.
pub const SERVER_RESTORED: f64 = 0.015;

impl Fault {
    fn entry(self) -> &'static (Self, Strikes, &'static str, f64) {
        let found = TABLE.iter().find(|entry| entry.0 == self);
        found.expect("every fault is in the table")
    }

    /// The fault, or none, that a number from 0 to 1 stands for; `weight` makes all of them more or less likely.
    pub fn drawn(strikes: Strikes, number: f64, weight: f64) -> Option<Self> {
        let mut upper = 0.0;
        TABLE.iter().filter(|entry| entry.1 == strikes).find_map(|(fault, _, _, probability)| {
            upper += probability * weight;
            (number < upper).then_some(*fault)
        })
    }

    /// Whether it falsifies a statement.
    pub const fn is_forgery(self) -> bool {
        matches!(
            self,
            Self::ForgedSignature | Self::ForgedKey | Self::OtherPerson | Self::OtherBranch | Self::OldAnswer
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().2)
    }
}
