//! Desks and the real server, in one process: real HTTP on loopback, real databases, time moved by hand.

mod accounts;
mod administration;
mod bad_answers;
mod deskctl;
mod export;
mod import;
mod last_sync;
mod main_job;
mod postgres;
mod probes;
mod regulars;
mod restored;
mod sessions;
mod several_desks;
mod time;
#[cfg(target_os = "linux")]
mod tls;
mod too_old;
mod unlock;
mod voids;

use std::sync::Arc;

use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::server::TestServer;

/// A server, and one desk signed in at the first branch of the first account.
struct Story {
    server: TestServer,
    clock: Arc<HandClock>,
    desk: TestDesk,
}

impl Story {
    async fn begin() -> Self {
        let clock = HandClock::new();
        Self::at(TestServer::start(&clock).await, clock).await
    }

    /// For what looks into the database's file.
    async fn begin_embedded() -> Self {
        let clock = HandClock::new();
        Self::at(TestServer::start_embedded(&clock).await, clock).await
    }

    async fn at(server: TestServer, clock: Arc<HandClock>) -> Self {
        let desk = TestDesk::new(&server.url(), &clock, 1);
        desk.enter(&server.demo.accounts[0]).await.expect("signed in");
        Self { server, clock, desk }
    }

    /// The `n`th document of somebody who may use the benefit.
    fn active(&self, n: usize) -> &str {
        &self.server.demo.documents.active[n]
    }
}
