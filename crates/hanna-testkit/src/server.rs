//! The real server, in the test's process, on a free port.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use hanna_server::demo::Demo;
use hanna_server::{App, Config, Database};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::chance::Seeded;
use crate::clock::HandClock;

/// How many people the caja of a test has. Enough for twenty of each kind.
const AFFILIATES: u32 = 400;

/// A server with invented people, answering until it is stopped or dropped.
pub struct TestServer {
    app: App,
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
        let database = Database::Sqlite(folder.path().join("hanna.sqlite"));
        let app = App::open(Config::new(database), Arc::clone(clock) as _, Seeded::new(1))
            .await
            .expect("the server opens");
        let demo = app.seed_demo(1, affiliates).await.expect("invented people");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut server = Self { app, address, running: None, demo, clock: Arc::clone(clock), folder };
        server.serve(listener);
        server
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("hanna.sqlite")
    }

    /// Goes on over another database, as after a backup was restored, at the same address.
    pub async fn go_on_over(&mut self, database: PathBuf) {
        self.stop().await;
        self.app =
            App::open(Config::new(Database::Sqlite(database)), Arc::clone(&self.clock) as _, Seeded::new(2))
                .await
                .expect("the server opens");
        self.resume();
    }

    /// On a runtime of its own, which ends with it: a connection that is open must not be answered any more.
    fn serve(&mut self, listener: TcpListener) {
        let (stop, stopped) = oneshot::channel::<()>();
        let app = self.app.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    served = app.serve(listener, std::future::pending()) => served.expect("serving"),
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
    pub const fn app(&self) -> &App {
        &self.app
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
