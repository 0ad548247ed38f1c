//! Stories of things that happen at the same moment, wherever they come from.

use futures_util::future::join_all;
use hanna_domain::outbox::ItemCode;
use hanna_domain::{Document, DocumentKind, Statement};
use hanna_wire::outbox::Outcome;
use jiff::{SignedDuration, ToSpan};
use uuid::Uuid;

use super::fixtures::*;
use crate::secrets::Mac;
use crate::store::replay::Taken;
use crate::store::*;
use crate::testing::TestEntropy;

/// A PC of Ana's, signed in.
async fn device(store: &dyn Store, n: u8) -> Uuid {
    let device_id = Uuid::from_u128(1_000 + u128::from(n));
    let opening = Opening { device_id, ..opening(10 + n, ANA) };
    assert_eq!(store.open_session(opening).await.expect("asked"), SessionOpened::Done);
    device_id
}

/// The outcomes of a batch of a PC; a database that is busy is asked again, as a desk does.
async fn deliver(store: &dyn Store, device_id: Uuid, arrivals: Vec<Arrival>) -> Vec<Taken> {
    let delivery = Delivery {
        arrivals,
        entity_id: ENTITY,
        account_id: ANA,
        device_id,
        waiting: None,
        kept_from: Timestamp::MIN,
        now: noon(),
    };
    loop {
        match store.take_in(delivery.clone()).await {
            Ok(delivered) => {
                return delivered
                    .outcomes
                    .into_iter()
                    .map(|Outcome { outcome, code, .. }| (outcome, code))
                    .collect();
            }
            Err(StoreError::Busy(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

fn about(statement: &Statement, number: u32) -> Statement {
    let document = Document::parse(DocumentKind::CC, &number.to_string()).expect("a cédula");
    Statement { document, ..statement.clone() }
}

pub async fn uses_at_once_never_pass_the_daily_limit(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let mut deliveries = Vec::new();
    for n in 0..12_u8 {
        let device_id = device(store, n).await;
        let mut arrivals = vec![arrival(100 + u128::from(n), &active, noon())];
        if n % 4 == 0 {
            // Some come within a batch about many people, each with people of their own.
            arrivals.extend((0..90_u32).map(|other| {
                let number = 2_000 + u32::from(n) * 100 + other;
                arrival(u128::from(number), &about(&active, number), noon())
            }));
        }
        deliveries.push(deliver(store, device_id, arrivals));
    }
    let outcomes = join_all(deliveries).await;
    let first: Vec<Taken> = outcomes.iter().map(|outcomes| outcomes[0]).collect();
    assert_eq!(first.iter().filter(|taken| **taken == ACCEPTED).count(), 1, "{first:?}");
    assert_eq!(first.iter().filter(|taken| **taken == NOTED).count(), 11, "{first:?}");
    assert!(outcomes.iter().flat_map(|outcomes| &outcomes[1..]).all(|taken| *taken == ACCEPTED));
    assert_eq!(all_uses(store).await.len(), 12 + 3 * 90);
}

pub async fn the_same_batch_at_once_is_taken_in_once(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let items: Vec<Arrival> = (0..40_u32)
        .map(|n| Arrival {
            sequence: i64::from(n) + 1,
            ..arrival(u128::from(100 + n), &about(&active, 3_000 + n), noon())
        })
        .collect();
    let mut deliveries = Vec::new();
    for n in 0..6_u8 {
        let device_id = device(store, n).await;
        let mut arrivals = items.clone();
        if n % 2 == 1 {
            arrivals.reverse();
        }
        deliveries.push(deliver(store, device_id, arrivals));
    }
    for outcomes in join_all(deliveries).await {
        assert_eq!(outcomes, vec![ACCEPTED; 40]);
    }
    assert_eq!(all_uses(store).await.len(), 40);
}

pub async fn an_id_with_two_contents_at_once_is_one_item(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let mut deliveries = Vec::new();
    for n in 0..8_u8 {
        let device_id = device(store, n).await;
        // Of other persons, so that nothing but the id brings them together.
        let use_of = about(&active, 4_000 + u32::from(n % 2));
        let item = Arrival { content_hash: [n % 2; 32], ..arrival(100, &use_of, noon()) };
        deliveries.push(deliver(store, device_id, vec![item]));
    }
    let outcomes: Vec<Taken> = join_all(deliveries).await.into_iter().flatten().collect();
    let won = usize::from(outcomes[0] != ACCEPTED);
    for (n, taken) in outcomes.iter().enumerate() {
        let expected = if n % 2 == won { ACCEPTED } else { refused(ItemCode::IdConflict) };
        assert_eq!(*taken, expected, "{outcomes:?}");
    }
    assert_eq!(all_uses(store).await.len(), 1);
}

pub async fn a_report_is_taken_back_once_by_whoever_is_first(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    assert_eq!(take_in(store, vec![arrival(100, &active, noon())]).await, [ACCEPTED]);
    let mut deliveries = Vec::new();
    for n in 0..6_u8 {
        let device_id = device(store, n).await;
        deliveries.push(deliver(store, device_id, vec![void(200 + u128::from(n), 100, noon() + 1.minute())]));
    }
    let outcomes: Vec<Taken> = join_all(deliveries).await.into_iter().flatten().collect();
    assert_eq!(outcomes.iter().filter(|taken| **taken == ACCEPTED).count(), 1, "{outcomes:?}");
    let already = refused(ItemCode::AlreadyVoided);
    assert_eq!(outcomes.iter().filter(|taken| **taken == already).count(), 5, "{outcomes:?}");
}

pub async fn attempts_at_once_cannot_outrun_the_count(store: &dyn Store) {
    let attempts = (0..20).map(|_| store.count_attempt(Mac([7; 32]), noon()));
    let admitted: Vec<Admission> =
        join_all(attempts).await.into_iter().map(|admission| admission.expect("counted")).collect();
    assert_eq!(admitted.iter().filter(|admission| **admission == Admission::Admitted).count(), 5);
}

pub async fn a_refresh_token_traded_twice_at_once_begins_one_generation(store: &dyn Store) {
    furnished(store).await;
    let trade = |presented: u8, given: u8| {
        store.refresh_session(Rotation {
            presented: hash(presented + 100),
            device_id: DEVICE,
            tokens: tokens(given, noon()),
            now: noon(),
        })
    };
    let (one, other) = tokio::join!(trade(1, 2), trade(1, 3));
    assert_eq!((one.expect("asked"), other.expect("asked")), (Refreshed::Granted, Refreshed::Granted));
    // Both are of the second generation: had one been of a third, trading the other would not begin the next.
    assert_eq!(trade(2, 4).await.expect("asked"), Refreshed::Granted);
    assert_eq!(trade(3, 5).await.expect("asked"), Refreshed::Granted, "of the one before, in time");
    assert_eq!(trade(1, 6).await.expect("asked"), Refreshed::Reused);
}

pub async fn servers_that_start_at_once_agree(store: &dyn Store) {
    let entropy = TestEntropy::new(1);
    let starts = (0..6_u8).map(|n| {
        let key = SigningKey::make(&entropy, noon()).expect("a key");
        async move {
            let secret = store.secret("audit_key", [n; 32]).await.expect("kept");
            let epoch = store.epoch(Uuid::from_u128(u128::from(n))).await.expect("kept");
            let keys = store.signing_keys(key, noon()).await.expect("kept");
            assert_eq!(keys.len(), 1);
            (secret, epoch, keys[0].kid.clone())
        }
    });
    let found = join_all(starts).await;
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
}

pub async fn rounds_at_once_keep_to_the_budget(store: &dyn Store) {
    furnished(store).await;
    let folios = TestEntropy::new(9);
    let rounds = (0..6_u128).map(|n| {
        let questions: Vec<Question> = (0..3)
            .map(|m| {
                let mut question = question(10 * n + m + 1, NORTH, "1001");
                question.asked.statement_id = folios.new_id();
                question
            })
            .collect();
        store.answer_regulars(Round { questions, budget: 10 })
    });
    let mut answered = 0;
    for round in join_all(rounds).await {
        match round.expect("asked") {
            RoundAnswered::Claims { statements, .. } => answered += statements.len(),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(answered, 10);
}

pub async fn what_processes_count_at_once_adds_up(store: &dyn Store) {
    let most = SignedDuration::from_mins(10);
    let counted =
        |byte, added: SignedDuration| Counted { key: Mac([byte; 32]), added, most, blocked_until: None };
    let minute = SignedDuration::from_mins(1);
    let parts = (0..5).map(|_| store.add_tallies(vec![counted(1, minute), counted(2, -minute)], noon()));
    for sums in join_all(parts).await {
        assert_eq!(sums.expect("added")[1].until, noon(), "of nothing nothing is given back");
    }
    let add = async |now, counted: Counted| store.add_tallies(vec![counted], now).await.expect("added")[0];
    let hear = async |now| add(now, counted(1, SignedDuration::ZERO)).await;
    assert_eq!(hear(noon()).await, Tally { until: noon() + 5.minutes(), blocked_until: None });
    assert_eq!(
        add(noon() + 1.minute(), counted(1, -minute)).await.until,
        noon() + 4.minutes(),
        "one was given back"
    );
    assert_eq!(add(noon(), counted(1, most)).await.until, noon() + most, "never more than there can be");

    let blocked_until = Some(noon() + 1.hour());
    let blocked = Counted { blocked_until, ..counted(1, SignedDuration::ZERO) };
    assert_eq!(add(noon(), blocked).await.blocked_until, blocked_until);
    assert_eq!(hear(noon() + 30.minutes()).await, Tally { until: noon() + 30.minutes(), blocked_until });
    hear(noon() + 1.hour()).await;
    assert_eq!(hear(noon() + 1.hour()).await.blocked_until, None, "it has passed and was cleared away");
    // Another clock, that runs a little ahead, binds as much as can be; one that runs far ahead binds nobody.
    add(noon() + 4.minutes(), counted(4, most)).await;
    assert_eq!(add(noon(), counted(4, -minute)).await.until, noon() + 9.minutes());
    add(noon() + 48.hours(), counted(3, minute)).await;
    assert_eq!(add(noon(), counted(3, minute)).await.until, noon() + 1.minute());
}
