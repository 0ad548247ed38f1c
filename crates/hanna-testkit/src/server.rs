//! The real server, in the test's process, on a free port.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use hanna_cluster::Cluster;
use hanna_server::demo::Demo;
use hanna_server::{App, Budgets, Config, Database};
use hanna_wire::client::Version;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::chance::Seeded;
use crate::clock::HandClock;
use crate::port;

/// How many people the caja of a test has. Enough for twenty of each kind.
const AFFILIATES: u32 = 400;

/// The file of an embedded database.
const FILE: &str = "hanna.sqlite";

/// A server over this database, without budgets: desks of tests ask faster than people.
pub fn config(database: Database) -> Config {
    Config { budgets: Budgets::NONE, ..Config::new(database) }
}

/// A server whose mails are written to `folder`.
async fn open(
    database: Database,
    folder: &Path,
    clock: &Arc<HandClock>,
    seed: u64,
    minimum_client: Option<Version>,
) -> App {
    let clock = Arc::clone(clock) as _;
    let mut config = Config { minimum_client, ..config(database) };
    config.mail.folder = folder.join("mail");
    App::open(config, clock, Seeded::new(seed)).await.expect("the server opens")
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
    /// Its database lives here, if it is embedded; its mails in the folder `mail`.
    pub folder: TempDir,
    /// The oldest desk that is served, if not all are.
    minimum_client: Option<Version>,
    /// Its database lives here, if it is PostgreSQL's.
    _cluster: Option<Cluster>,
}

/// Names the store of the servers that [`TestServer::start`] starts: `postgres`, or nothing for embedded SQLite.
pub const STORE: &str = "HANNA_TEST_STORE";

impl TestServer {
    /// Starts a server whose clock is `clock`, over a database of its own: [`STORE`] says which kind.
    pub async fn start(clock: &Arc<HandClock>) -> Self {
        Self::start_with(clock, AFFILIATES).await
    }

    /// The same, with so many people.
    pub async fn start_with(clock: &Arc<HandClock>, affiliates: u32) -> Self {
        let Ok(kind) = std::env::var(STORE) else {
            return Self::start_embedded_with(clock, affiliates).await;
        };
        assert_eq!(kind, "postgres", "what {STORE} may say");
        let cluster = Cluster::start().expect("a cluster");
        let url = cluster.make("hanna").expect("a database");
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_over(url.parse().expect("an address"), Some(cluster), folder, clock, affiliates).await
    }

    /// Starts a server over embedded SQLite.
    pub async fn start_embedded(clock: &Arc<HandClock>) -> Self {
        Self::start_embedded_with(clock, AFFILIATES).await
    }

    async fn start_embedded_with(clock: &Arc<HandClock>, affiliates: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::Sqlite(folder.path().join(FILE));
        Self::start_over(database, None, folder, clock, affiliates).await
    }

    async fn start_over(
        database: Database,
        cluster: Option<Cluster>,
        folder: TempDir,
        clock: &Arc<HandClock>,
        affiliates: u32,
    ) -> Self {
        let app = open(database, folder.path(), clock, 1, None).await;
        let demo = app.seed_demo(1, affiliates).await.expect("invented people");
        let listener = port::listen();
        let address = listener.local_addr().expect("an address");
        let (app, clock) = (Some(app), Arc::clone(clock));
        let mut server = Self {
            app,
            address,
            running: None,
            demo,
            clock,
            folder,
            minimum_client: None,
            _cluster: cluster,
        };
        server.serve(listener);
        server
    }

    /// The database's file, if it is embedded.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// Does something with the database while no program has it open, and then answers again, at the same address.
    pub async fn between_lives(&mut self, change: impl FnOnce(&Path)) {
        self.stop().await;
        self.app = None;
        change(&self.database());
        let database = Database::Sqlite(self.database());
        self.app = Some(open(database, self.folder.path(), &self.clock, 2, self.minimum_client).await);
        self.resume();
    }

    /// Serves only desks of this version and newer ones from now on, or all of them; its database must be embedded.
    pub async fn serve_since(&mut self, version: Option<&str>) {
        self.minimum_client = version.map(|version| version.parse().expect("a version"));
        self.between_lives(|_| ()).await;
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
