//! The server as a value: opened, routed, served; in a process of its own or inside a test.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use hanna_wire::client::Version;
use hanna_wire::export::CajaKey;
use hanna_wire::limits::BODY_MAX_BYTES;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::answer;
use crate::audit::{Actor, Sealer};
use crate::clients;
use crate::clock::{Clock, Entropy};
use crate::console;
use crate::epoch;
use crate::gate::{Budgets, Gate};
use crate::keys::{KeyFault, KeyRing, SigningKey};
use crate::mail::{MailConfig, MailFault, Mailer};
use crate::metrics::Metrics;
use crate::passwords::Passwords;
use crate::reference;
use crate::retention::KEEP_DAYS;
use crate::routes;
use crate::secrets::MacKey;
use crate::serving;
use crate::signer::Signer;
use crate::store::postgres::PostgresStore;
use crate::store::postgres::address::{Address, BadAddress};
use crate::store::sqlite::SqliteStore;
use crate::store::{Opened, Store, StoreError};
use crate::tls::Tls;

/// Where the data are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// One file of the embedded SQLite.
    Sqlite(PathBuf),
    /// A PostgreSQL, which other processes may share.
    Postgres(Box<Address>),
}

/// A database nobody knows how to open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownDatabase {
    /// It is of no kind we know.
    #[error("the database must be given as sqlite:PATH or postgres://…")]
    Kind,
    /// It is a PostgreSQL, badly addressed.
    #[error(transparent)]
    Address(#[from] BadAddress),
}

impl FromStr for Database {
    type Err = UnknownDatabase;

    fn from_str(text: &str) -> Result<Self, UnknownDatabase> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            _ if Address::is_one(text) => Ok(Self::Postgres(Box::new(text.parse()?))),
            _ => Err(UnknownDatabase::Kind),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => write!(f, "{address}"),
        }
    }
}

/// How a server is opened.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the data are.
    pub database: Database,
    /// How long a request may take.
    pub limits: Limits,
    /// How many regulars a branch may have verified again in one Colombian day.
    pub regulars_a_day_max: u32,
    /// How many lookups are answered.
    pub budgets: Budgets,
    /// For how many days records are kept.
    pub keep_records_days: u32,
    /// The proxies in front, beside those on this machine: what they say about whom they speak for is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The oldest desk that is served; all are, if there is none.
    pub minimum_client: Option<Version>,
    /// How mail leaves.
    pub mail: MailConfig,
    /// Who acts through this process where no session says it.
    pub run_by: Actor,
    /// The folder in which files that are imported are kept meanwhile.
    pub imports: PathBuf,
}

/// Enough to verify ten times a day everybody who comes to a busy branch.
pub(crate) const REGULARS_A_DAY_MAX: u32 = 2_000;

impl Config {
    /// The usual limits, and folders for mails and imports: beside the file of the database, or in the working directory.
    pub fn new(database: Database) -> Self {
        let folder = |name: &str| match &database {
            Database::Sqlite(path) => path.with_file_name(name),
            Database::Postgres(_) => PathBuf::from(name),
        };
        Self {
            mail: MailConfig { smtp: None, from: None, folder: folder("mail") },
            imports: folder("imports"),
            database,
            limits: Limits::USUAL,
            regulars_a_day_max: REGULARS_A_DAY_MAX,
            budgets: Budgets::USUAL,
            keep_records_days: KEEP_DAYS,
            trusted_proxies: Vec::new(),
            minimum_client: None,
            run_by: Actor::Server,
        }
    }
}

/// How long a request may take, and how many there may be at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until its head has arrived, from when the connection was free for it; then the connection ends. Longer than desks keep
    /// an idle connection (20 s), so that it is theirs to end it.
    pub head_max: Duration,
    /// Until its body has arrived; then 408.
    pub body_max: Duration,
    /// Until its answer is there, body included; then 503. A file to import has `upload_max` beside it, and reading the audit
    /// again `verify_max`.
    pub answer_max: Duration,
    /// Until a file to import has arrived, of which no piece takes longer than `body_max`; then 408.
    pub upload_max: Duration,
    /// Until a file for an application request has arrived; then 408.
    pub attachment_max: Duration,
    /// Until the whole audit is read again; then 503.
    pub verify_max: Duration,
    /// How long a client may read nothing of its answer; then the connection ends.
    pub unread_max: Duration,
    /// How many connections there are at once; more wait.
    pub connections_max: usize,
}

impl Limits {
    /// Enough for 1 MiB on a bad line.
    pub const USUAL: Self = Self {
        head_max: Duration::from_secs(30),
        body_max: Duration::from_secs(20),
        answer_max: Duration::from_secs(30),
        upload_max: Duration::from_hours(1),
        // 5 MiB on a bad line.
        attachment_max: Duration::from_mins(2),
        // As long as the console waits.
        verify_max: Duration::from_mins(30),
        unread_max: Duration::from_secs(20),
        connections_max: 2_000,
    };
}

/// Why a server cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing key.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The mail server.
    #[error(transparent)]
    Mail(#[from] MailFault),
    /// A task of the runtime ended.
    #[error("the database could not be opened: {0}")]
    Runtime(#[from] tokio::task::JoinError),
}

/// An open server. Cheap to clone: all clones are the same server, which closes with the last one.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    store: Box<dyn Store>,
    opened: Opened,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    signer: Signer,
    mac_key: MacKey,
    caja_key: CajaKey,
    passwords: Passwords,
    limits: Limits,
    regulars_a_day_max: u32,
    keep_records_days: u32,
    trusted_proxies: Vec<IpAddr>,
    minimum_client: Option<Version>,
    run_by: Actor,
    sealer: Sealer,
    /// Held by whoever reads the audit again.
    verifying: Mutex<()>,
    gate: Gate,
    metrics: Arc<Metrics>,
    mailer: Mailer,
    imports: PathBuf,
}

impl App {
    /// Opens the database, brings it to this program's schema, and makes the signing key if none may sign now.
    ///
    /// # Errors
    /// See [`OpenError`]; a database of a newer program is left alone.
    pub async fn open(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let mailer = config.mail.mailer()?;
        let (store, opened) = open_store(config.database).await?;
        let now = clock.now();
        let mac_key = MacKey::new(&store.secret("audit_key", entropy.bytes()).await?);
        store.epoch(epoch::made(entropy.as_ref())).await?;
        let keys = store.signing_keys(SigningKey::make(entropy.as_ref(), now)?, now).await?;
        let inner = Inner {
            store,
            opened,
            clock,
            entropy,
            signer: Signer::new(KeyRing::new(keys), now),
            caja_key: CajaKey::derive(&mac_key.of_exports()),
            mac_key,
            passwords: Passwords::default(),
            limits: config.limits,
            regulars_a_day_max: config.regulars_a_day_max,
            keep_records_days: config.keep_records_days,
            trusted_proxies: config.trusted_proxies,
            minimum_client: config.minimum_client,
            run_by: config.run_by,
            sealer: Sealer::new(),
            verifying: Mutex::new(()),
            gate: Gate::new(config.budgets),
            metrics: Arc::default(),
            mailer,
            imports: config.imports,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Everything the server answers.
    pub fn router(&self) -> Router {
        let (router, _) = routes::all().split_for_parts();
        self.finish(router.merge(console::routes()))
    }

    /// What every route has in common.
    pub(crate) fn finish(&self, router: Router<Self>) -> Router {
        router
            .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
            .layer(CatchPanicLayer::custom(answer::panicked))
            .layer(axum::middleware::from_fn(reference::tag))
            .layer(axum::middleware::from_fn_with_state(self.clone(), clients::refuse_old))
            .layer(axum::middleware::from_fn_with_state(self.clone(), answer::finish))
            // Harder work makes answers hardly smaller: most of what is long in them are ids, folios and signatures.
            .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
            .with_state(self.clone())
    }

    /// Serves plain HTTP on `listener` until `shutdown`; then lets what was begun end.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        self.serve_as(listener, None, shutdown).await;
    }

    /// Serves on `listener` until `shutdown`, with TLS if it is given; then lets what was begun end.
    pub async fn serve_as(
        &self,
        listener: TcpListener,
        tls: Option<Arc<Tls>>,
        shutdown: impl Future<Output = ()>,
    ) {
        serving::serve(listener, tls, self.router(), *self.limits(), self.metrics_held(), shutdown).await;
    }

    /// Serves `/metrics`, and nothing else, until `shutdown`.
    pub async fn serve_metrics(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let router = routes::metrics(self.clone());
        serving::serve(listener, None, router, *self.limits(), Arc::default(), shutdown).await;
    }

    /// What was counted, as Prometheus reads it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn metrics_text(&self) -> Result<String, fmt::Error> {
        let keys = self.keys().await.unwrap_or_else(|_| self.signer().held());
        let key = keys.current(self.clock().now()).or_else(|| keys.newest());
        self.metrics().text(key.map(|key| key.not_after))
    }

    /// What opening the database found.
    pub fn opened(&self) -> Opened {
        self.inner.opened
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.inner.store.as_ref()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.inner.entropy.as_ref()
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.inner.signer
    }

    pub(crate) fn mac_key(&self) -> &MacKey {
        &self.inner.mac_key
    }

    /// What desks seal their exports to.
    pub(crate) fn caja_key(&self) -> &CajaKey {
        &self.inner.caja_key
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    pub(crate) fn regulars_a_day_max(&self) -> u32 {
        self.inner.regulars_a_day_max
    }

    pub(crate) fn keep_records_days(&self) -> u32 {
        self.inner.keep_records_days
    }

    pub(crate) fn trusted_proxies(&self) -> &[IpAddr] {
        &self.inner.trusted_proxies
    }

    pub(crate) fn minimum_client(&self) -> Option<Version> {
        self.inner.minimum_client
    }

    pub(crate) fn run_by(&self) -> &Actor {
        &self.inner.run_by
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    pub(crate) fn verifying(&self) -> &Mutex<()> {
        &self.inner.verifying
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    fn metrics_held(&self) -> Arc<Metrics> {
        Arc::clone(&self.inner.metrics)
    }

    pub(crate) fn mailer(&self) -> &Mailer {
        &self.inner.mailer
    }

    /// The folder in which files that are imported are kept meanwhile.
    pub(crate) fn imports(&self) -> &Path {
        &self.inner.imports
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }
}

async fn open_store(database: Database) -> Result<(Box<dyn Store>, Opened), OpenError> {
    match database {
        Database::Sqlite(path) => {
            let (store, opened) = tokio::task::spawn_blocking(move || SqliteStore::open(&path)).await??;
            Ok((Box::new(store) as Box<dyn Store>, opened))
        }
        Database::Postgres(address) => {
            let (store, opened) = PostgresStore::open(&address).await?;
            Ok((Box::new(store) as Box<dyn Store>, opened))
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("opened", &self.inner.opened).finish_non_exhaustive()
    }
}
