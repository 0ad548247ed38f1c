//! What goes wrong with PostgreSQL, sorted by what can be done about it.

use std::io;

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::error::SqlState;

use crate::store::{BoxError, StoreError};

/// The result of work inside a transaction.
pub type Done<T> = Result<T, Trouble>;

/// Why a transaction did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// PostgreSQL said so, or the line to it broke.
    #[error("{}", described(.0))]
    Database(#[from] tokio_postgres::Error),
    /// No connection could be had.
    #[error("no connection to the database: {}", pool_error(.0))]
    Unreachable(#[from] PoolError),
    /// Nothing came back in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// Another transaction wrote the same thing in between.
    #[error("another transaction was faster")]
    Overtaken,
    /// What was answered is on record, and would be answered otherwise by now: the same question is to be asked anew.
    #[error("what is on record would be answered otherwise by now")]
    AnsweredOtherwise,
    /// A row, or what was asked, is not what it should be.
    #[error("a value of the database cannot be read: {0}")]
    Unreadable(BoxError),
}

/// What can be done about a [`Trouble`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The transaction was taken back, through no fault of its own: begin it again.
    Again,
    /// The connection is of no use any more, nor are its siblings, perhaps: begin again on a new one.
    Reconnect,
    /// Nothing now; the same may succeed later.
    Later,
    /// One of the values is at fault: the others may pass without it.
    Without,
    /// Nothing.
    None,
}

impl Trouble {
    /// Whether a row has the key of another one.
    pub fn is_of_a_key(&self) -> bool {
        matches!(self, Self::Database(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION))
    }

    /// What can be done.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Overtaken => Remedy::Again,
            Self::TimedOut | Self::Unreachable(_) | Self::AnsweredOtherwise => Remedy::Later,
            Self::Unreadable(_) => Remedy::None,
            Self::Database(error) => match error.code() {
                Some(state) => of_state(state),
                None if error.is_closed() || is_io(error) => Remedy::Reconnect,
                None => Remedy::None,
            },
        }
    }
}

fn of_state(state: &SqlState) -> Remedy {
    // Two writers of the same new row: the second look finds what the first one wrote.
    if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION]
        .contains(state)
    {
        return Remedy::Again;
    }
    // The server goes down, comes up, or is not (any more) the one that may be written.
    if [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ]
    .contains(state)
    {
        return Remedy::Reconnect;
    }
    match state.code().get(..2) {
        Some("08") => Remedy::Reconnect,
        // Out of disk, memory or connections; cancelled, by its own time limit too; a lock that was not given.
        Some("53" | "55" | "57" | "58") => Remedy::Later,
        // A value nothing can be done with, or one that breaks a rule of its table.
        Some("22" | "23") => Remedy::Without,
        _ => Remedy::None,
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.downcast_ref::<io::Error>().is_some())
}

/// Without the details of PostgreSQL, which quote rows.
fn described(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} (SQLSTATE {})", error.message(), error.code().code()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

fn pool_error(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => described(error),
        other => other.to_string(),
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble.remedy() {
            Remedy::Again | Remedy::Reconnect | Remedy::Later => Self::Busy(trouble.into()),
            Remedy::Without | Remedy::None => Self::Failed(trouble.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_remedy() {
        for (code, remedy) in [
            ("40001", Remedy::Again),
            ("40P01", Remedy::Again),
            ("23505", Remedy::Again),
            ("57P01", Remedy::Reconnect),
            ("57P03", Remedy::Reconnect),
            ("25006", Remedy::Reconnect),
            ("08006", Remedy::Reconnect),
            ("53100", Remedy::Later),
            ("53300", Remedy::Later),
            ("55P03", Remedy::Later),
            ("57014", Remedy::Later),
            ("22021", Remedy::Without),
            ("23503", Remedy::Without),
            ("42P01", Remedy::None),
            ("28P01", Remedy::None),
            ("XX001", Remedy::None),
        ] {
            assert_eq!(of_state(&SqlState::from_code(code)), remedy, "{code}");
        }
    }

    #[test]
    fn what_may_pass_is_busy_and_what_does_not_has_failed() {
        assert!(matches!(StoreError::from(Trouble::Overtaken), StoreError::Busy(_)));
        assert!(matches!(StoreError::from(Trouble::TimedOut), StoreError::Busy(_)));
        assert!(matches!(StoreError::from(Trouble::Unreadable("x".into())), StoreError::Failed(_)));
    }
}
