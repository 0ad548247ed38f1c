//! Desks of a test, each with a folder, a clock and a line of its own.

use std::path::Path;
use std::sync::Arc;

use hanna_desk::backend::{Http, ServerAddress};
use hanna_desk::view::{Card, Session};
use hanna_desk::{BATCH_ITEMS_MAX, Desk, DeskError, ErrorCode, Setup, VaultChoice};
use hanna_domain::{DocumentKind, Redacted};
use hanna_server::demo::Account;
use tempfile::TempDir;

use crate::chance::Seeded;
use crate::clock::HandClock;
use crate::faults::Line;
use crate::server::TestServer;

/// A front desk with the real engine, databases and HTTP client. Its worker runs only when a test starts it.
pub struct TestDesk {
    /// The engine; closed while the desk is off.
    desk: Option<Desk>,
    /// The line to the server.
    pub line: Arc<Line>,
    /// The PC's clock.
    pub clock: Arc<HandClock>,
    folder: TempDir,
    url: String,
    seed: u64,
}

impl TestDesk {
    /// A new desk for the server at `url`. Desks of one test have different seeds.
    pub fn new(url: &str, clock: &Arc<HandClock>, seed: u64) -> Self {
        let address = ServerAddress::parse(url).expect("an address");
        let line = Line::to(Arc::new(Http::new(address).expect("a client")));
        let mut desk = Self {
            desk: None,
            line,
            clock: Arc::clone(clock),
            folder: tempfile::tempdir().expect("a folder"),
            url: url.to_owned(),
            seed,
        };
        desk.desk = Some(desk.open_again().expect("the desk opens"));
        desk
    }

    /// A new desk, at work at the first account's first branch.
    pub async fn signed_in(server: &TestServer, clock: &Arc<HandClock>, seed: u64) -> Self {
        let desk = Self::new(&server.url(), clock, seed);
        desk.enter(&server.demo.accounts[0]).await.expect("signed in");
        desk
    }

    /// Opens the desk over its folder, as starting the program does.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub async fn switch_on(&mut self) -> Result<(), DeskError> {
        self.seed += 1_000;
        // What the desk of before was still doing in the background holds its folder until it is done.
        self.desk = Some(loop {
            match self.open_again() {
                Err(error) if error.code() == ErrorCode::AlreadyRunning => tokio::task::yield_now().await,
                opened => break opened?,
            }
        });
        Ok(())
    }

    /// Starts the program on this desk's folder.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub fn open_again(&self) -> Result<Desk, DeskError> {
        Desk::open(Setup {
            data_dir: self.folder.path().to_owned(),
            device_name: format!("RECEPCION-{}", self.seed % 1_000),
            server: self.url.clone(),
            vault: VaultChoice::Memory,
            backend: Arc::clone(&self.line) as _,
            clock: Arc::clone(&self.clock) as _,
            chance: Seeded::new(self.seed),
            batch_items_max: BATCH_ITEMS_MAX,
        })
    }

    /// Closes the program.
    pub fn switch_off(&mut self) {
        self.desk = None;
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Signs `account` in, and chooses its first branch.
    ///
    /// # Errors
    /// As [`Desk::sign_in`].
    pub async fn enter(&self, account: &Account) -> Result<Session, DeskError> {
        let session =
            self.desk_ref().sign_in(&account.username, &Redacted::new(account.password.clone())).await?;
        match session.branches.first() {
            Some(branch) => self.desk_ref().choose_branch(branch.id).await,
            None => Ok(session),
        }
    }

    /// Looks the cédula `number` up.
    pub async fn ask(&self, number: &str) -> Card {
        self.desk_ref().lookup(DocumentKind::CC, number).await.expect("a card")
    }

    fn desk_ref(&self) -> &Desk {
        self.desk.as_ref().expect("the desk is on")
    }
}

impl std::ops::Deref for TestDesk {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        self.desk_ref()
    }
}
