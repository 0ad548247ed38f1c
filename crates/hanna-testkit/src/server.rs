//! The real server, in the test's process, on a free port.

use std::net::SocketAddr;
use std::sync::Arc;

use hanna_server::demo::Demo;
use hanna_server::{App, Config, Database};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

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
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::Sqlite(folder.path().join("hanna.sqlite"));
        let app = App::open(Config::new(database), Arc::clone(clock) as _, Seeded::new(1))
            .await
            .expect("the server opens");
        let demo = app.seed_demo(1, AFFILIATES).await.expect("invented people");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut server = Self { app, address, running: None, demo, clock: Arc::clone(clock), folder };
        server.serve(listener);
        server
    }

    fn serve(&mut self, listener: TcpListener) {
        let (stop, stopped) = oneshot::channel::<()>();
        let app = self.app.clone();
        let task = tokio::spawn(async move {
            let shutdown = async move {
                // Dropped or sent: either way the server stops.
                let _ = stopped.await;
            };
            app.serve(listener, shutdown).await.expect("serving");
        });
        self.running = Some((stop, task));
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The server itself, to change what the caja knows.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Stops answering; the port is closed.
    pub async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            // Open connections of desks must not keep it up.
            drop(stop);
            task.abort();
            let _ = task.await;
        }
    }

    /// Answers again, at the same address.
    pub async fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the same port");
        self.serve(listener);
    }
}
