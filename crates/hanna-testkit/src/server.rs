//! The real server, in the test's process, on a free port.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use hanna_server::demo::Demo;
use hanna_server::{App, Budgets, Config, Database};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::chance::Seeded;
use crate::clock::HandClock;

/// How many people the caja of a test has. Enough for twenty of each kind.
const AFFILIATES: u32 = 400;

/// A server over this file, without budgets: desks of tests ask faster than people.
pub fn config(database: PathBuf) -> Config {
    Config { budgets: Budgets::NONE, ..Config::new(Database::Sqlite(database)) }
}

async fn open(database: PathBuf, clock: &Arc<HandClock>, seed: u64) -> App {
    let clock = Arc::clone(clock) as _;
    App::open(config(database), clock, Seeded::new(seed)).await.expect("the server opens")
}

/// A server with invented people, answering until it is stopped or dropped.
pub struct TestServer {
    /// None only between two lives.
    app: Option<App>,
    address: SocketAddr,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// Who can sign in, and whom to look up.
    pub demo: Demo,
    /// The server's clock.
    pub clock: Arc<HandClock>,
    /// Its database lives here.
    pub folder: TempDir,
}

impl TestServer {
    /// Starts a server whose clock is `clock`.
    pub async fn start(clock: &Arc<HandClock>) -> Self {
        Self::start_with(clock, AFFILIATES).await
    }

    /// The same, with so many people.
    pub async fn start_with(clock: &Arc<HandClock>, affiliates: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let app = open(folder.path().join("hanna.sqlite"), clock, 1).await;
        let demo = app.seed_demo(1, affiliates).await.expect("invented people");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut server =
            Self { app: Some(app), address, running: None, demo, clock: Arc::clone(clock), folder };
        server.serve(listener);
        server
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("hanna.sqlite")
    }

    /// Does something with the database while no program has it open, and then answers again, at the same address.
    pub async fn between_lives(&mut self, change: impl FnOnce(&Path)) {
        self.stop().await;
        self.app = None;
        change(&self.database());
        self.app = Some(open(self.database(), &self.clock, 2).await);
        self.resume();
    }

    /// On a runtime of its own, which ends with it: a connection that is open must not be answered any more.
    fn serve(&mut self, listener: TcpListener) {
        let (stop, stopped) = oneshot::channel::<()>();
        let app = self.app().clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = app.serve(listener, std::future::pending()) => {}
                    // Dropped or sent: either way the server stops.
                    _ = stopped => {}
                }
            });
        });
        self.running = Some((stop, thread));
    }

    /// Where it listens while it answers.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The server itself, to change what the caja knows.
    pub fn app(&self) -> &App {
        self.app.as_ref().expect("between two lives there is no server")
    }

    /// Stops answering; the port and every connection are closed.
    pub async fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            let ended = tokio::task::spawn_blocking(move || thread.join()).await.expect("waited for");
            ended.expect("the server ended well");
        }
    }

    /// Answers again, at the same address.
    pub fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).expect("the same port");
        self.serve(listener);
    }
}
