//! Stories of retention.

use hanna_domain::outbox::ItemCode;
use hanna_wire::outbox::OutcomeKind;
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use uuid::Uuid;

use super::fixtures::*;
use crate::audit::chain::{Block, Entry, Head};
use crate::audit::{Act, Actor, LastPurge, NewAct, Removed};
use crate::keys::SigningKey;
use crate::secrets::Mac;
use crate::store::*;
use crate::testing::TestEntropy;

/// Three years after noon.
fn later() -> Timestamp {
    noon() + 26_280.hours()
}

/// Two years after noon; what is of before goes.
fn limit() -> Timestamp {
    noon() + 17_520.hours()
}

async fn take_in_at(store: &dyn Store, now: Timestamp, arrivals: Vec<Arrival>) -> Vec<String> {
    let delivery = Delivery {
        arrivals,
        entity_id: ENTITY,
        account_id: ANA,
        device_id: DEVICE,
        waiting: None,
        kept_from: Timestamp::MIN,
        now,
    };
    let delivered = store.take_in(delivery).await.expect("asked");
    let said = |outcome: &hanna_wire::outbox::Outcome| match outcome.code {
        Some(code) => format!("{} {code}", outcome.outcome),
        None => outcome.outcome.to_string(),
    };
    delivered.outcomes.iter().map(said).collect()
}

/// Seals what is not sealed yet, as it was done at `now`, and says where the chain ends then.
async fn sealed(store: &dyn Store, now: Timestamp) -> Head {
    let key = SigningKey::make(&TestEntropy::new(9), now).expect("a key");
    let page = store.unsealed(Head::NONE, 1_000).await.expect("asked");
    let block = Block::seal(page.head, &page.entries, page.until, now, &key).expect("sealed");
    let head = block.head();
    assert!(store.keep_block(page.kept, block).await.expect("kept"));
    head
}

/// Everything there is to purge: two old blocks, and a young one whose acts need some of what is old. Answers with the ends of
/// the old ones, and the statement that is young.
async fn aged(store: &dyn Store) -> ([Head; 2], Statement) {
    furnished(store).await;
    let key = SigningKey::make(&TestEntropy::new(1), noon()).expect("a key");
    store.add_key(key, noon(), Actor::Server).await.expect("added");
    let active = statement(store, question(1, NORTH, "1001")).await;
    let first = sealed(store, noon()).await;
    let copied = offline_lookup(300, 3, NORTH, "1002");
    let broken = unfounded(104, ItemCode::StatementNotGenuine);
    take_in(
        store,
        vec![
            arrival(100, &active, noon()),
            arrival(101, &active, noon()),
            void(201, 101, noon()),
            unfounded(102, ItemCode::StatementNotGenuine),
            copied,
            arrival(103, &active, noon()),
            broken,
        ],
    )
    .await;
    let searched = NewAct { document: Some(Mac([1; 32])), ..NewAct::new(Act::PersonSearched, noon()) };
    store.append(searched.saying(json!({ "purpose": "preguntó" }))).await.expect("appended");
    let second = sealed(store, noon()).await;

    // The void of an old use arrives late, a refused item is judged anew, an old lookup is asked again.
    let mended = Arrival { submission: 1, ..arrival(104, &active, noon()) };
    let taken = take_in_at(store, later(), vec![void(203, 103, noon() + 1.minute()), mended]).await;
    assert_eq!(taken, ["accepted", "accepted_with_note DAILY_LIMIT_REACHED"]);
    let mut again = question(1, NORTH, "1001");
    again.asked.statement_id = Uuid::from_u128(901);
    again.asked.now = later();
    statement(store, again).await;
    let mut young = question(5, NORTH, "1001");
    young.asked.now = later();
    let young = statement(store, young).await;
    assert_eq!(take_in_at(store, later(), vec![arrival(110, &young, later())]).await, ["accepted"]);
    sealed(store, later()).await;
    assert_eq!(store.strays(100).await.expect("asked"), []);
    ([first, second], young)
}

async fn order(store: &dyn Store, until: Head) -> PurgeOrder {
    PurgeOrder {
        after: store.last_purge().await.expect("asked").map(|last| last.id),
        until,
        before: limit(),
        findings: 0,
        despite_findings: false,
        by: Actor::Terminal("eva".into()),
        now: later() + 1.hour(),
    }
}

async fn purged(store: &dyn Store, until: Head) -> Removed {
    match store.purge(order(store, until).await).await.expect("purged") {
        PurgeOutcome::Done(removed) => removed,
        other => panic!("{other:?}"),
    }
}

/// Every act that is sealed, block by block.
async fn acts(store: &dyn Store) -> Vec<(Block, Vec<Entry>)> {
    let (mut all, mut after) = (Vec::new(), 0);
    while let Some((block, entries)) = store.sealed_after(after).await.expect("asked") {
        after = block.number;
        all.push((block, entries));
    }
    all
}

fn words(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.act.as_str()).collect()
}

/// What goes of [`aged`] once the old blocks are purged.
const OLD: Removed = Removed {
    acts: 10,
    lookups: 1,
    statements: 1,
    items: 5,
    refusals: 0,
    uses: 2,
    voids: 1,
    offline_lookups: 1,
    sessions: 1,
};

pub async fn what_is_older_goes_and_what_the_rest_needs_stays(store: &dyn Store) {
    let ([first, second], _) = aged(store).await;
    let before = acts(store).await;
    assert_eq!(store.purgeable(noon()).await.expect("asked"), Removed::default());
    assert_eq!(store.purgeable(limit()).await.expect("asked"), OLD);
    assert_eq!(acts(store).await, before, "asking changes nothing");
    assert_eq!(store.last_purge().await.expect("asked"), None);

    // Broken off after the first block: the next one goes on.
    let begun = purged(store, first).await;
    assert_eq!((begun.acts, begun.statements, begun.lookups, begun.sessions), (4, 1, 0, 1));
    assert_eq!(store.strays(100).await.expect("asked"), []);
    let rest = store.purgeable(limit()).await.expect("asked");
    assert_eq!(purged(store, second).await, rest);
    assert_eq!(begun.and(rest), OLD);

    let after = acts(store).await;
    let heads =
        |blocks: &[(Block, Vec<Entry>)]| blocks.iter().map(|(block, _)| block.head()).collect::<Vec<_>>();
    let chain = heads(&before);
    assert_eq!(heads(&after), chain, "the chain is the same");
    let [(_, of_first), (_, of_second), young] = &after[..] else { panic!("{after:?}") };
    assert_eq!(words(of_first), ["KEY_MADE"]);
    assert_eq!(
        words(of_second),
        ["ITEM", "ITEM"],
        "a use whose void is young, and a refusal before a young answer"
    );
    assert_eq!(Some(young), before.last(), "what is younger is untouched");
    for ((block, entries), (_, before)) in after.iter().zip(&before) {
        assert!(entries.iter().all(|entry| before.contains(entry)), "as it was sealed: {}", block.number);
        assert_eq!((block.purged, block.leaves.len()), (None, before.len()), "something is left");
    }
    assert_eq!(store.strays(100).await.expect("asked"), []);
    let last = store.last_purge().await.expect("asked").expect("a purge");
    assert_eq!((last.at, last.account_id, last.purge.removed), (later() + 1.hour(), None, rest));
    assert_eq!((last.purge.block.number(), last.purge.kept_from), (2, limit()));
    let uses: Vec<(u128, bool)> =
        all_uses(store).await.iter().map(|row| (row.id.as_u128(), row.void.is_some())).collect();
    assert_eq!(uses.len(), 3);
    assert!(uses.contains(&(103, true)) && uses.contains(&(104, false)) && uses.contains(&(110, false)));

    // When the rest is old too, it goes, and so do the lists of the blocks of which nothing is left.
    let third = sealed(store, later() + 2.hours()).await;
    let mut all = order(store, third).await;
    all.before = later() + 3.hours();
    let before = all.before;
    let left = store.purgeable(before).await.expect("asked");
    assert_eq!(store.purge(all).await.expect("purged"), PurgeOutcome::Done(left));
    assert_eq!((left.uses, left.voids, left.refusals, left.statements, left.lookups), (3, 1, 1, 2, 2));
    assert_eq!((left.items, left.acts), (4, 9), "the purges of before are acts like others");
    assert!(all_uses(store).await.is_empty());
    assert_eq!(store.strays(100).await.expect("asked"), []);
    let after = acts(store).await;
    assert_eq!(heads(&after)[..3], chain);
    let lists: Vec<(Option<i64>, usize)> =
        after.iter().map(|(block, _)| (block.purged, block.leaves.len())).collect();
    assert_eq!(lists, [(None, 5), (Some(8), 0), (Some(5), 0), (Some(2), 0)]);
    assert_eq!(words(&after[0].1), ["KEY_MADE"], "a key stays with its act");
}

pub async fn the_longest_time_in_which_nothing_was_sealed_is_known(store: &dyn Store) {
    let at = |hours: i64| noon() + hours.hours();
    let longest = async |last: Option<&LastPurge>, now| store.longest_pause(last, now).await.expect("asked");
    assert_eq!(longest(None, at(0)).await, None, "nothing was ever sealed");
    // The clock is put back once.
    for hour in [0, 5, 20, 12, 14] {
        store.append(NewAct::new(Act::SignInFailed, at(hour))).await.expect("appended");
        sealed(store, at(hour)).await;
    }
    assert_eq!(longest(None, at(15)).await, Some((at(5), at(20))));
    assert_eq!(longest(None, at(40)).await, Some((at(14), at(40))), "until now");
    assert_eq!(longest(None, at(1)).await, Some((at(5), at(20))), "whatever the clock says now");

    let order = PurgeOrder { now: at(15), before: noon() - 1.hour(), ..order(store, Head::NONE).await };
    let first = acts(store).await[0].0.head();
    assert!(matches!(
        store.purge(PurgeOrder { until: first, ..order }).await.expect("asked"),
        PurgeOutcome::Done(_)
    ));
    let last = store.last_purge().await.expect("asked");
    assert_eq!(longest(last.as_ref(), at(15)).await, None);
    assert_eq!(longest(last.as_ref(), at(18)).await, Some((at(15), at(18))), "since the purge");
    sealed(store, at(17)).await;
    assert_eq!(longest(last.as_ref(), at(18)).await, Some((at(15), at(17))));
    store.append(NewAct::new(Act::SignInFailed, at(30))).await.expect("appended");
    sealed(store, at(30)).await;
    assert_eq!(longest(last.as_ref(), at(31)).await, Some((at(17), at(30))));
}

pub async fn what_was_purged_does_not_come_in_again(store: &dyn Store) {
    let ([_, second], young) = aged(store).await;
    purged(store, second).await;
    let active = Statement { iat: noon(), nbf: noon(), exp: noon() + 24.hours(), ..young.clone() };
    let uses = all_uses(store).await.len();
    let too_old = "refused TOO_OLD";
    let taken = take_in_at(
        store,
        later(),
        vec![
            arrival(100, &active, noon()),
            void(201, 101, noon()),
            Arrival { submission: 7, ..unfounded(102, ItemCode::StatementNotGenuine) },
            offline_lookup(300, 3, NORTH, "1002"),
            arrival(150, &active, limit() - 1.microsecond()),
            void(250, 150, limit() - 1.microsecond()),
        ],
    )
    .await;
    assert_eq!(taken, [too_old; 6], "also what never arrived");
    assert_eq!(all_uses(store).await.len(), uses);
    // What is still held is answered as ever.
    let held = take_in_at(
        store,
        later(),
        vec![
            arrival(103, &active, noon()),
            void(203, 103, noon() + 1.minute()),
            unfounded(104, ItemCode::StatementNotGenuine),
            Arrival { submission: 1, ..arrival(104, &active, noon()) },
            arrival(110, &young, later()),
        ],
    )
    .await;
    assert_eq!(
        held,
        [
            "accepted_with_note DAILY_LIMIT_REACHED",
            "accepted",
            "refused STATEMENT_NOT_GENUINE",
            "accepted_with_note DAILY_LIMIT_REACHED",
            "accepted"
        ]
    );
    assert_eq!(take_in_at(store, later(), vec![arrival(160, &young, limit())]).await, ["accepted"]);
    assert_eq!(store.strays(100).await.expect("asked"), []);

    // A purge that is asked for less takes nothing back of what was said.
    let third = sealed(store, later() + 1.hour()).await;
    let less = PurgeOrder { before: noon(), ..order(store, third).await };
    assert!(matches!(store.purge(less).await.expect("purged"), PurgeOutcome::Done(_)));
    assert_eq!(take_in_at(store, later(), vec![arrival(100, &active, noon())]).await, [too_old]);

    let kept_from = later() + 1.hour();
    let delivery = Delivery {
        arrivals: vec![arrival(170, &young, later())],
        entity_id: ENTITY,
        account_id: ANA,
        device_id: DEVICE,
        waiting: None,
        kept_from,
        now: kept_from,
    };
    let outcome = &store.take_in(delivery).await.expect("asked").outcomes[0];
    let by_the_settings = (OutcomeKind::Refused, Some(ItemCode::TooOld));
    assert_eq!((outcome.outcome, outcome.code), by_the_settings);
}

pub async fn a_purge_happens_once_whoever_else_purges(store: &dyn Store) {
    let ([_, second], _) = aged(store).await;
    let order = order(store, second).await;
    let (one, other) = tokio::join!(store.purge(order.clone()), store.purge(order.clone()));
    let outcomes = [one.expect("purged"), other.expect("purged")];
    assert!(outcomes.contains(&PurgeOutcome::Done(OLD)) && outcomes.contains(&PurgeOutcome::Overtaken));
    assert_eq!(store.purge(order).await.expect("asked"), PurgeOutcome::Overtaken);
    let unsealed = store.unsealed(Head::NONE, 100).await.expect("asked").entries;
    assert_eq!(words(&unsealed), ["PURGED"]);
    assert_eq!(store.strays(100).await.expect("asked"), []);
}

pub async fn what_a_purge_left_must_be_there_for_the_next_one(store: &dyn Store) {
    let ([first, second], _) = aged(store).await;
    purged(store, first).await;
    // Of the first block the key is left: whoever says that a purge left nothing of it is not believed.
    let last = store.last_purge().await.expect("asked").expect("a purge");
    let mut forged = last.purge.clone();
    forged.left = "0".repeat(64);
    store.append(NewAct::purged(&forged, &Actor::Server, later() + 1.hour())).await.expect("appended");
    let next = order(store, second).await;
    assert_eq!(store.purge(next.clone()).await.expect("asked"), PurgeOutcome::NotAsLeft);
    let despite = PurgeOrder { despite_findings: true, ..next };
    assert!(matches!(store.purge(despite).await.expect("purged"), PurgeOutcome::Done(_)));
    let last = store.last_purge().await.expect("asked").expect("a purge");
    assert_eq!(last.purge.findings, 1, "and that is on record");
}
