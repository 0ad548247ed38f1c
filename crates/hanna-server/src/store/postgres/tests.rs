use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use hanna_cluster::Cluster;
use hanna_domain::AffiliateStatus;
use hanna_domain::outbox::VoidReason;
use hanna_wire::outbox::OutcomeKind;

use super::columns::Columns;
use super::*;
use crate::audit::chain::Head;
use crate::audit::{Act, NewAct};
use crate::store::contract::{self, fixtures};
use crate::store::{Arrival, AuditStore, ImportRow, Recorded, RowConflict, SourceState, StoreError, Void};

async fn open(cluster: &Cluster, database: &str) -> PostgresStore {
    let url = cluster.make(database).expect("a database");
    let (store, opened) = PostgresStore::open(&url.parse().expect("an address")).await.expect("opened");
    assert_eq!(opened, Opened { schema_before: 0, schema: migrate::newest() });
    store
}

/// One cluster for all, a database each.
#[tokio::test(flavor = "multi_thread")]
async fn every_story_of_the_contract_on_postgresql() {
    let cluster = Cluster::start().expect("a cluster");
    macro_rules! run_on_postgres {
        ($($story:ident),+ $(,)?) => {$(
            println!("{}", stringify!($story));
            // A name of PostgreSQL's has 63 letters at most.
            let name: String = stringify!($story).chars().take(60).collect();
            {
                // Its connections end with it: a cluster has 100 of them for all.
                let store = open(&cluster, &name).await;
                contract::$story(&store).await;
            }
        )+};
    }
    contract::stories!(run_on_postgres);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_made_once_and_a_newer_one_is_left_alone() {
    let cluster = Cluster::start().expect("a cluster");
    let url = cluster.make("hanna").expect("a database");
    let address: Address = url.parse().expect("an address");
    let opened = futures_util::future::join_all((0..4).map(|_| PostgresStore::open(&address))).await;
    let mut before: Vec<i64> =
        opened.into_iter().map(|opened| opened.expect("opened").1.schema_before).collect();
    before.sort_unstable();
    let newest = migrate::newest();
    assert_eq!(before, [0, newest, newest, newest], "processes that start at once");
    cluster.sql("hanna", "UPDATE schema_version SET version = version + 1").expect("changed");
    let refused = PostgresStore::open(&address).await.map(drop).expect_err("refused");
    assert!(matches!(refused, StoreError::Newer { found, known } if (found, known) == (newest + 1, newest)));

    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    cluster.sql("postgres", latin).expect("a database");
    let refused = PostgresStore::open(&cluster.url("latin").parse().expect("an address")).await;
    assert!(refused.map(drop).expect_err("refused").to_string().contains("UTF8"));
    let nowhere = PostgresStore::open(&cluster.url("nowhere").parse().expect("an address")).await;
    assert!(nowhere.map(drop).expect_err("refused").to_string().contains("nowhere"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_the_database_cannot_hold_keeps_back_its_own_item_alone() {
    let cluster = Cluster::start().expect("a cluster");
    let store = open(&cluster, "hanna").await;
    fixtures::furnished(&store).await;
    let active = fixtures::statement(&store, fixtures::question(1, fixtures::NORTH, "1001")).await;
    let now = fixtures::noon();
    assert_eq!(
        fixtures::take_in(&store, vec![fixtures::arrival(99, &active, now)]).await,
        [fixtures::ACCEPTED]
    );
    let void = Void { report_id: Uuid::from_u128(99), reason: VoidReason::Other, text: Some("a\0b".into()) };
    let items: Vec<Arrival> = vec![
        fixtures::arrival(100, &active, now),
        fixtures::recorded(101, now, Recorded::Void(void)),
        fixtures::offline_lookup(102, 2, fixtures::NORTH, "1001"),
    ];
    let taken = fixtures::take_in(&store, items).await;
    assert_eq!(taken, [fixtures::NOTED, (OutcomeKind::Retry, None), fixtures::ACCEPTED]);
    assert_eq!(cluster.sql("hanna", "SELECT count(*) FROM outbox_items").expect("counted"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_break_all_the_time_lose_and_double_nothing() {
    let cluster = Cluster::start().expect("a cluster");
    let store = open(&cluster, "hanna").await;
    fixtures::furnished(&store).await;
    let active = fixtures::statement(&store, fixtures::question(1, fixtures::NORTH, "1001")).await;
    let is_over = AtomicBool::new(false);
    let broken = std::thread::scope(|scope| {
        let breaking = scope.spawn(|| {
            let mut broken = 0_u32;
            while !is_over.load(Ordering::Relaxed) {
                let killed = cluster.sql(
                    "postgres",
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'hanna'",
                );
                broken += killed.expect("killed").parse::<u32>().expect("a number");
            }
            broken
        });
        let deliver = async |n: u128| {
            let item = vec![fixtures::arrival(100 + n, &active, fixtures::noon())];
            let delivery = Delivery {
                arrivals: item,
                entity_id: fixtures::ENTITY,
                account_id: fixtures::ANA,
                device_id: fixtures::DEVICE,
                waiting: None,
                kept_from: Timestamp::MIN,
                now: fixtures::noon(),
            };
            // As a desk does: the same again, until it is answered.
            loop {
                match store.take_in(delivery.clone()).await {
                    Ok(delivered) => return delivered.outcomes[0].outcome,
                    Err(StoreError::Busy(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let delivering = async {
            let mut accepted = 0;
            for n in 0..60 {
                let (one, other) = tokio::join!(deliver(2 * n), deliver(2 * n + 1));
                accepted += [one, other].iter().filter(|outcome| **outcome == OutcomeKind::Accepted).count();
            }
            accepted
        };
        let accepted = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(delivering));
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(accepted, 1, "one within the limit, the others with a note");
        breaking.join().expect("it ends")
    });
    println!("{broken} connections broken");
    assert!(broken >= 5, "hardly any was broken: {broken}");
    assert_eq!(fixtures::all_uses(&store).await.len(), 120);
    let counted =
        cluster.sql("hanna", "SELECT count(*), count(DISTINCT id) FROM outbox_items").expect("counted");
    assert_eq!(counted, "120|120");
}

/// A real serialization failure: what the transaction read first was changed by another one before it wrote.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_taken_back_for_another_is_begun_again_a_few_times() {
    let cluster = Arc::new(Cluster::start().expect("a cluster"));
    let store = open(&cluster, "hanna").await;
    cluster.sql("hanna", "CREATE TABLE counted (n bigint); INSERT INTO counted VALUES (0)").expect("made");
    let count = async |others: u32| {
        let (cluster, runs) = (Arc::clone(&cluster), Arc::new(AtomicU32::new(0)));
        let in_work = Arc::clone(&runs);
        let done = store.0.write(move |tx| {
            let (cluster, runs) = (Arc::clone(&cluster), Arc::clone(&in_work));
            Box::pin(async move {
                tx.batch("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT n FROM counted").await?;
                if runs.fetch_add(1, Ordering::SeqCst) < others {
                    cluster.sql("hanna", "UPDATE counted SET n = n + 1").expect("changed");
                }
                tx.batch("UPDATE counted SET n = n + 100").await
            })
        });
        (done.await, runs.load(Ordering::SeqCst))
    };
    let (done, runs) = count(3).await;
    done.expect("written");
    assert_eq!((runs, cluster.sql("hanna", "SELECT n FROM counted").expect("read").as_str()), (4, "103"));
    let (never, runs) = count(u32::MAX).await;
    assert!(matches!(never, Err(StoreError::Busy(_))), "the caller may ask again later");
    assert_eq!((runs, cluster.sql("hanna", "SELECT n FROM counted").expect("read").as_str()), (6, "109"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_as_before_is_left_alone_by_an_import() {
    let cluster = Cluster::start().expect("a cluster");
    let store = open(&cluster, "hanna").await;
    let import = async |rows| {
        let counts = store
            .import_affiliates(
                Box::new(fixtures::Rows::new(rows)),
                ImportHow::default(),
                fixtures::noon(),
                Actor::Server,
            )
            .await;
        let counts = counts.expect("asked").expect("clean");
        (counts.added, counts.updated)
    };
    let person = fixtures::person;
    let active = AffiliateStatus::Active;
    assert_eq!(import(vec![person(2, "1001", active), person(3, "1002", active)]).await, (2, 0));
    assert_eq!(
        import(vec![person(2, "1001", active), person(3, "1002", AffiliateStatus::Retired)]).await,
        (0, 2)
    );
    let written = "SELECT number, import_id, import_line FROM affiliates ORDER BY number";
    assert_eq!(cluster.sql("hanna", written).expect("read"), "1001|1|2\n1002|2|3");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_whose_transaction_is_still_open_is_not_passed_over_by_the_sealer() {
    let cluster = Cluster::start().expect("a cluster");
    let store = Arc::new(open(&cluster, "hanna").await);
    let act = |word| NewAct::new(word, fixtures::noon()).by(&Actor::Server);
    let (told, mut appended) = tokio::sync::mpsc::channel(1);
    let (end, ended) = tokio::sync::watch::channel(false);
    // Appends first, and commits last.
    let slow = tokio::spawn({
        let (store, first) = (Arc::clone(&store), Arc::new(act(Act::DeviceRevoked)));
        async move {
            store
                .0
                .write(move |tx| {
                    let (first, told, mut ended) = (Arc::clone(&first), told.clone(), ended.clone());
                    Box::pin(async move {
                        audit::append(tx, &first).await?;
                        told.send(()).await.expect("told");
                        ended.wait_for(|ended| *ended).await.expect("it ends");
                        Ok(())
                    })
                })
                .await
        }
    });
    appended.recv().await.expect("appended");
    AuditStore::append(store.as_ref(), act(Act::DeviceTrusted)).await.expect("appended");
    assert_eq!(cluster.sql("hanna", "SELECT act FROM audit").expect("read"), "DEVICE_TRUSTED");
    let words = async || {
        let unsealed = store.unsealed(Head::NONE, 10).await.expect("asked");
        unsealed.entries.into_iter().map(|entry| entry.act).collect::<Vec<_>>()
    };
    assert_eq!(words().await, Vec::<String>::new(), "nobody knows what stands before it");
    let (waiting, ()) = tokio::join!(words(), async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        end.send_replace(true);
    });
    slow.await.expect("it ended").expect("committed");
    assert_eq!(waiting, ["DEVICE_REVOKED", "DEVICE_TRUSTED"], "as soon as it has ended");

    // One that is taken back leaves its number out.
    let taken_back = store.0.write(|tx| {
        Box::pin(async move {
            audit::append(tx, &NewAct::new(Act::EpochBegun, fixtures::noon())).await?;
            Err::<(), _>(fault::Trouble::Unreadable("taken back".into()))
        })
    });
    assert!(taken_back.await.is_err());
    AuditStore::append(store.as_ref(), act(Act::DeviceRevoked)).await.expect("appended");
    assert_eq!(words().await, ["DEVICE_REVOKED", "DEVICE_TRUSTED", "DEVICE_REVOKED"]);
    assert_eq!(cluster.sql("hanna", "SELECT string_agg(id::text, ' ') FROM audit").expect("read"), "1 2 4");
}

/// People without end.
struct Endless {
    rows: u64,
    /// Is told that the import is in its middle.
    in_the_middle: Option<tokio::sync::oneshot::Sender<()>>,
}

impl ImportSource for Endless {
    fn next_row(&mut self) -> Option<ImportRow> {
        self.rows += 1;
        if self.rows == 100_000 {
            let told = self.in_the_middle.take().map(|told| told.send(()));
            assert!(told.is_some(), "once");
        }
        let number = (1_000_000 + self.rows).to_string();
        Some(fixtures::person(self.rows, &number, AffiliateStatus::Active))
    }

    fn refuse(&mut self, _line: u64, _why: RowConflict) {}

    fn lines(&self) -> u64 {
        self.rows
    }

    fn state(&mut self) -> SourceState {
        SourceState::Sound
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_nobody_waits_for_any_more_ends_with_its_connection() {
    let cluster = Cluster::start().expect("a cluster");
    let store = open(&cluster, "hanna").await;
    let (told, middle) = tokio::sync::oneshot::channel();
    let source = Box::new(Endless { rows: 0, in_the_middle: Some(told) });
    tokio::select! {
        _ = store.import_affiliates(source, ImportHow::default(), fixtures::noon(), Actor::Server) => unreachable!("it has no end"),
        told = middle => told.expect("told"),
    }
    // Its settings and its table were for it alone.
    let timeout = || {
        store.0.ask(|tx| Box::pin(async { tx.row("SHOW statement_timeout", &[]).await?.value::<String>(0) }))
    };
    assert_eq!(timeout().await.expect("asked"), "20s");
    let rows = fixtures::Rows::new(vec![fixtures::person(2, "1001", AffiliateStatus::Active)]);
    let counts =
        store.import_affiliates(Box::new(rows), ImportHow::default(), fixtures::noon(), Actor::Server).await;
    assert_eq!(counts.expect("asked").map(|counts| counts.added), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_everybody_forgets_companies_nobody_works_for() {
    let cluster = Cluster::start().expect("a cluster");
    let store = open(&cluster, "hanna").await;
    let employed = fixtures::person(2, "1001", AffiliateStatus::Active);
    let mut alone = employed.clone();
    (alone.affiliate.company, alone.company_nit) = (None, None);
    let import = async |row: &ImportRow, replaces| {
        let rows = Box::new(fixtures::Rows::new(vec![row.clone()]));
        let how = ImportHow { replaces, ..ImportHow::default() };
        let counts =
            store.import_affiliates(rows, how, fixtures::noon(), Actor::Server).await.expect("asked");
        assert!(counts.is_some());
        cluster.sql("hanna", "SELECT count(*) FROM companies").expect("counted")
    };
    assert_eq!(import(&employed, false).await, "1");
    assert_eq!(
        import(&alone, false).await,
        "1",
        "nobody works there, but the file does not say what there is"
    );
    assert_eq!(import(&employed, true).await, "1");
    assert_eq!(import(&alone, true).await, "0");
}
