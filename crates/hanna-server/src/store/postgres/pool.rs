//! Connections, and transactions on them: begun again when that does no harm.
//!
//! Every piece of work may be run more than once: it is given a new transaction each time, and what it writes it writes
//! under ids that were made before. So it is begun again also after a connection broke while it committed, when nobody
//! knows whether it did. How often is bounded; then the caller is told that the database is busy, and asks again later.
//!
//! A transaction that was begun is ended, also when its caller goes away: it runs as a task of its own.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::columns::Columns;
use super::fault::{Done, Remedy, Trouble};
use crate::store::{Result, StoreError};

/// How long a piece of work waits for a connection: longer means that there is more to do than can be done.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long all hosts together may take to give one.
const CREATE_MAX: Duration = Duration::from_secs(15);
/// How long one run of a transaction may take; nothing desks wait for takes that long.
const RUN_MAX: Duration = Duration::from_secs(25);
/// How often a piece of work is run at most.
const RUNS_MAX: u32 = 6;
/// Before the second run; twice as long before each one more.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// What each connection is told first, whatever the database's own settings say: transactions are as `store::postgres`
/// counts on, what was answered is on the disk, and a server that hangs holds no locks for ever. The statements desks wait for
/// have one right plan each, whatever they are given: PostgreSQL would make it anew every time, which takes longer than to
/// follow it, and would compile what is over in a moment.
const GREETING: &str = "
    SET TIME ZONE 'UTC';
    SET plan_cache_mode = force_generic_plan;
    SET jit = off;
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '20s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '30s';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

const SETTINGS: &str = "
    SELECT current_setting('server_version_num')::int, current_setting('fsync'), current_setting('server_encoding')";

/// The oldest PostgreSQL we know.
const VERSION_MIN: i32 = 150_000;

/// The connections of this process.
#[derive(Debug, Clone)]
pub struct Connections(Pool);

/// How a transaction is begun that nobody waits for at a desk: its statements are planned for what they are given.
const WRITING: &str = "BEGIN; SET LOCAL plan_cache_mode = auto";

/// How one is begun that reads one state of the database.
const READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = auto";

/// Work in a transaction, under way.
pub type Running<'a, T> = Pin<Box<dyn Future<Output = Done<T>> + Send + 'a>>;

impl Connections {
    /// The connections to `address`. Nothing is connected yet.
    pub fn new(address: &Address) -> Result<Self> {
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = if address.config().get_ssl_mode() == SslMode::Disable {
            Manager::from_config(address.config().clone(), NoTls, config)
        } else {
            let tls = MakeRustlsConnect::new(address.tls()?);
            Manager::from_config(address.config().clone(), tls, config)
        };
        let greet = Hook::async_fn(|client, _| {
            Box::pin(async move { client.batch_execute(GREETING).await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(manager)
            .max_size(address.connections())
            .wait_timeout(Some(WAIT_MAX))
            .create_timeout(Some(CREATE_MAX))
            .runtime(Runtime::Tokio1)
            .post_create(greet)
            .build();
        pool.map(Self).map_err(|error| StoreError::Failed(error.into()))
    }

    /// A connection for work of its own kind.
    pub async fn get(&self) -> Done<Client> {
        Ok(self.0.get().await?)
    }

    /// Asks whether the database is one we can work with.
    pub async fn check(&self) -> Result<()> {
        let settings = self.ask(|tx| {
            Box::pin(async move {
                let row = tx.row(SETTINGS, &[]).await?;
                Ok((row.value::<i32>(0)?, row.value::<String>(1)?, row.value::<String>(2)?))
            })
        });
        let (version, fsync, encoding) = settings.await?;
        if version < VERSION_MIN {
            return Err(StoreError::Failed(
                format!("PostgreSQL {} is too old: 15 is needed", version / 10_000).into(),
            ));
        }
        if encoding != "UTF8" {
            return Err(StoreError::Failed(format!("the database is in {encoding}: UTF8 is needed").into()));
        }
        if fsync == "off" {
            tracing::warn!("fsync is off in PostgreSQL: a power cut may lose what desks were told is safe");
        }
        Ok(())
    }

    /// Runs `work` as one transaction that may write.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx) -> Running<'a, T> + Send + Sync + 'static,
    {
        Ok(self.run(Begin::Now(WRITING), |_| true, work).await?)
    }

    /// The same for work that begins the transaction itself, beside its first questions ([`Tx::begin`]), and may end it
    /// beside its last ([`Tx::commit`]): each saves the way there and back. Takes everything back unless the result is worth
    /// keeping.
    pub async fn write_at_once<T, F>(&self, keep: fn(&T) -> bool, work: F) -> Done<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx) -> Running<'a, T> + Send + Sync + 'static,
    {
        self.run(Begin::ByTheWork, keep, work).await
    }

    /// Runs `work` on one state of the database.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx) -> Running<'a, T> + Send + Sync + 'static,
    {
        Ok(self.run(Begin::Now(READING), |_| true, work).await?)
    }

    /// Runs `work` without a transaction: it asks one question, or several that need not be of one state, and each of its
    /// statements is a transaction of its own.
    pub async fn ask<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx) -> Running<'a, T> + Send + Sync + 'static,
    {
        Ok(self.run(Begin::Never, |_| true, work).await?)
    }

    async fn run<T, F>(&self, begin: Begin, keep: fn(&T) -> bool, work: F) -> Done<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx) -> Running<'a, T> + Send + Sync + 'static,
    {
        // Whoever waits for a connection may still go away.
        let mut client = self.0.get().await?;
        let pool = self.0.clone();
        let runs = tokio::spawn(async move {
            let mut pause = FIRST_PAUSE;
            for _ in 1..RUNS_MAX {
                let trouble = match run_once(client, begin, keep, &work).await {
                    Ok(done) => return Ok(done),
                    Err(trouble) => trouble,
                };
                match trouble.remedy() {
                    Remedy::Again => {}
                    // The others are as old: none is given out any more.
                    Remedy::Reconnect => drop(pool.retain(|_, _| false)),
                    Remedy::Later | Remedy::Without | Remedy::None => return Err(trouble),
                }
                tracing::debug!(%trouble, "a transaction is begun again");
                tokio::time::sleep(pause).await;
                pause *= 2;
                client = pool.get().await?;
            }
            run_once(client, begin, keep, &work).await
        });
        match runs.await {
            Ok(done) => done,
            Err(panic) => Err(Trouble::Unreadable(panic.into())),
        }
    }
}

/// How a transaction is begun.
#[derive(Debug, Clone, Copy)]
enum Begin {
    Now(&'static str),
    ByTheWork,
    Never,
}

async fn run_once<T, F>(client: Object, begin: Begin, keep: fn(&T) -> bool, work: &F) -> Done<T>
where
    F: for<'a> Fn(&'a Tx) -> Running<'a, T>,
{
    let tx = Tx { client: Some(client), is_open: AtomicBool::new(false), is_own: false };
    let run = async {
        if let Begin::Now(how) = begin {
            tx.open(how).await?;
        }
        let done = work(&tx).await?;
        if tx.is_open() {
            if keep(&done) { tx.commit().await } else { tx.roll_back().await }?;
        }
        Done::Ok(done)
    };
    match tokio::time::timeout(RUN_MAX, run).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(trouble)) => {
            if tx.is_open() && trouble.remedy() != Remedy::Reconnect {
                // If it cannot even be taken back, the connection is dropped, and that takes it back.
                let _ = tokio::time::timeout(RUN_MAX, tx.roll_back()).await;
            }
            Err(trouble)
        }
        Err(_) => {
            // What is still under way goes with its connection.
            tx.close();
            Err(Trouble::TimedOut)
        }
    }
}

/// A connection with its transaction. Dropped while that is open, it closes the connection, which takes it back.
#[derive(Debug)]
pub struct Tx {
    /// There until it is dropped.
    client: Option<Object>,
    is_open: AtomicBool,
    /// What was set or made on the connection is for this work alone: nobody else gets it afterwards.
    is_own: bool,
}

/// What a statement is given.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Tx {
    /// Work outside of the pool's ways, on a connection of its own, which is closed with it.
    pub const fn on(client: Object) -> Self {
        Self { client: Some(client), is_open: AtomicBool::new(false), is_own: true }
    }

    /// The connection.
    pub fn client(&self) -> Done<&Object> {
        self.client.as_ref().ok_or_else(|| Trouble::Unreadable("the connection was given back".into()))
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    async fn open(&self, how: &str) -> Done<()> {
        self.is_open.store(true, Ordering::Release);
        Ok(self.client()?.batch_execute(how).await?)
    }

    /// Begins the transaction.
    pub async fn begin(&self) -> Done<()> {
        self.open("BEGIN").await
    }

    /// Begins a transaction that reads one state of the database.
    pub async fn begin_reading(&self) -> Done<()> {
        self.open(READING).await
    }

    /// Ends the transaction. Sent beside its last statements, it ends nothing when one of them fails, and they say so.
    pub async fn commit(&self) -> Done<()> {
        self.client()?.batch_execute("COMMIT").await?;
        self.is_open.store(false, Ordering::Release);
        Ok(())
    }

    /// Takes the transaction back.
    pub async fn roll_back(&self) -> Done<()> {
        self.client()?.batch_execute("ROLLBACK").await?;
        self.is_open.store(false, Ordering::Release);
        Ok(())
    }

    /// Prepares statements, so that they are sent in the order in which they are asked.
    pub async fn prepare(&self, statements: &[&str]) -> Done<()> {
        for sql in statements {
            self.client()?.prepare_cached(sql).await?;
        }
        Ok(())
    }

    /// All rows.
    pub async fn rows(&self, sql: &str, params: Params<'_>) -> Done<Vec<Row>> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query(&statement, params).await?)
    }

    /// The only row there must be.
    pub async fn row(&self, sql: &str, params: Params<'_>) -> Done<Row> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query_one(&statement, params).await?)
    }

    /// The only row there may be.
    pub async fn row_or_none(&self, sql: &str, params: Params<'_>) -> Done<Option<Row>> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query_opt(&statement, params).await?)
    }

    /// Whether there is a row.
    pub async fn exists(&self, sql: &str, params: Params<'_>) -> Done<bool> {
        Ok(!self.rows(sql, params).await?.is_empty())
    }

    /// Writes, and says how many rows.
    pub async fn execute(&self, sql: &str, params: Params<'_>) -> Done<u64> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.execute(&statement, params).await?)
    }

    /// Closes the connection.
    fn close(mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }

    /// Runs statements without values or rows.
    pub async fn batch(&self, sql: &str) -> Done<()> {
        Ok(self.client()?.batch_execute(sql).await?)
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let (true, Some(client)) = (self.is_own || self.is_open(), self.client.take()) {
            drop(Object::take(client));
        }
    }
}
