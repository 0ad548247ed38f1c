//! Whether the server answers. The truth is the last call, never the system's word.

use hanna_domain::Cause;
use hanna_wire::client::Version;
use jiff::Timestamp;

use crate::backend::{Answered, Failure, FailureKind};
use crate::desk::{Desk, Event, lock};
use crate::error::DeskError;
use crate::view::Status;

/// After this many failures in a row a lookup no longer waits for the server before the copy answers.
const FAILURES_UNTIL_COPY_FIRST: u32 = 3;

/// What the last calls said.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    /// Failures since the last answer; `None` before the first call.
    failures: Option<u32>,
    cause: Option<Cause>,
    /// The oldest version of this program that the server serves, when it does not serve this one.
    minimum_version: Option<Version>,
    last_sync_at: Option<Timestamp>,
    pub(crate) sending: bool,
    /// The delivery going on has decided on something that had waited.
    pub(crate) decided_late: bool,
}

impl Connection {
    pub(crate) fn is_online(&self) -> bool {
        self.failures == Some(0)
    }

    /// Whether the last call went unanswered; before the first one nobody knows.
    pub(crate) fn is_offline(&self) -> bool {
        self.failures.is_some_and(|failures| failures > 0)
    }

    /// Whether to show the copy at once and let the server's answer come when it comes.
    pub(crate) fn copy_first(&self) -> bool {
        self.failures.is_some_and(|failures| failures >= FAILURES_UNTIL_COPY_FIRST)
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        self.cause
    }
}

impl Desk {
    /// Learns from the outcome of a call: the connection, the server's time. When the server is back, what waits is
    /// sent at once.
    pub(crate) fn heard<T>(&self, outcome: &Result<Answered<T>, Failure>) {
        let (changed, is_back) = {
            let mut connection = lock(&self.inner.connection);
            let before = (connection.is_online(), connection.cause, connection.minimum_version);
            connection.minimum_version = match outcome {
                Err(Failure { kind: FailureKind::TooOld(minimum), .. }) => Some(*minimum),
                _ => None,
            };
            match outcome {
                Ok(_) => {
                    connection.failures = Some(0);
                    connection.cause = None;
                    connection.last_sync_at = Some(self.inner.clock.now());
                }
                Err(failure) if failure.kind.hanna_answered() => {
                    connection.failures = Some(0);
                    connection.cause = None;
                }
                Err(failure) => {
                    connection.failures = Some(connection.failures.unwrap_or(0).saturating_add(1));
                    connection.cause = Some(failure.kind.cause());
                }
            }
            let after = (connection.is_online(), connection.cause, connection.minimum_version);
            (before != after, !before.0 && after.0)
        };
        if let Ok(Answered { server_time: Some(server_time), .. }) = outcome {
            self.learn_time(*server_time);
        }
        if is_back {
            self.came_back();
        }
        if changed {
            self.tell_status();
        }
    }

    fn came_back(&self) {
        let Some(opened) = self.opened().cloned() else { return };
        let desk = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = opened.stores.outbox.hurry() {
                tracing::error!(%error, "what waits could not be made due");
            }
            desk.inner.wake.notify_one();
        });
    }

    /// The status bar, with counts asked of the database now.
    ///
    /// # Errors
    /// When the database cannot be asked: nothing is claimed then. Without a keyring that is so until somebody signs in.
    pub fn status(&self) -> Result<Status, DeskError> {
        let stores = self.stores()?;
        let counts = stores.outbox.counts()?;
        let branch_id = lock(&self.inner.session).post().map(|(_, branch_id)| branch_id);
        let copies_until = branch_id.map(|id| stores.cache.copies_until(id)).transpose()?.flatten();
        let connection = lock(&self.inner.connection);
        Ok(Status {
            online: connection.is_online(),
            cause: connection.cause,
            minimum_version: connection.minimum_version,
            pending: counts.pending,
            lookups: counts.lookups,
            needs_attention: counts.needs_attention,
            copies_until,
            last_sync_at: connection.last_sync_at,
            sign_in_needed: lock(&self.inner.session).sign_in_needed(),
            sending: connection.sending,
        })
    }

    /// Tells the screens the status, beside the caller's way. The last that is told is the newest.
    pub(crate) fn tell_status(&self) {
        if self.opened().is_none() {
            return;
        }
        let desk = self.clone();
        tokio::task::spawn_blocking(move || {
            let _one_at_a_time = lock(&desk.inner.telling_status);
            match desk.status() {
                Ok(status) => desk.emit(Event::Status(status)),
                Err(error) => tracing::error!(%error, "the status cannot be told"),
            }
        });
    }
}
