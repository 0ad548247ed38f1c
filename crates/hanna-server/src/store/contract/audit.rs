//! Stories of the audit.

use hanna_domain::outbox::ItemCode;
use hanna_domain::{Document, DocumentKind, Verdict};
use hanna_wire::admin::audit::AccessAct;
use jiff::ToSpan;
use serde_json::json;
use uuid::Uuid;

use super::fixtures::*;
use crate::audit::chain::{Block, Entry, Field, Head};
use crate::audit::{Act, Actor, NewAct};
use crate::keys::SigningKey;
use crate::store::*;
use crate::testing::TestEntropy;

pub(super) async fn acts(store: &dyn Store) -> Vec<Entry> {
    let unsealed = store.unsealed(Head::NONE, 1_000).await.expect("asked");
    assert_eq!((unsealed.kept, unsealed.head), (Head::NONE, Head::NONE));
    unsealed.entries
}

/// The words of the acts since the store was furnished.
pub(super) async fn acts_since(store: &dyn Store) -> Vec<String> {
    words(store).await.split_off(3)
}

async fn words(store: &dyn Store) -> Vec<String> {
    acts(store).await.into_iter().map(|entry| entry.act).collect()
}

pub async fn acts_are_appended_with_what_they_record_and_only_then(store: &dyn Store) {
    furnished(store).await;
    assert_eq!(words(store).await, ["INSTALLED", "AFFILIATES_IMPORTED", "SIGN_IN"]);
    let active = statement(store, question(1, NORTH, "1001")).await;
    store.answer_lookup(question(2, ELSEWHERE, "1001")).await.expect("asked");
    let taken = take_in(
        store,
        vec![
            arrival(100, &active, noon()),
            arrival(100, &active, noon()),
            void(200, 100, noon()),
            void(201, 999, noon()),
            unfounded(101, ItemCode::StatementNotGenuine),
            offline_lookup(300, 3, NORTH, "1002"),
        ],
    )
    .await;
    assert_eq!(taken[3], RETRY);
    let again = Arrival { submission: 1, ..arrival(101, &active, noon()) };
    take_in(store, vec![again]).await;
    assert!(
        !store.revoke_device(ANA, noon(), Actor::Server).await.expect("asked"),
        "there is no such device"
    );
    assert!(store.revoke_device(DEVICE, noon(), Actor::Account(LUIS)).await.expect("asked"));
    assert!(store.restore_device(DEVICE, noon(), Actor::Terminal("ana".into())).await.expect("asked"));
    store.renew_epoch(Uuid::from_u128(43), noon(), Actor::Server).await.expect("renewed");
    store.end_session(Uuid::from_u128(1), noon()).await.expect("ended");
    store.end_session(Uuid::from_u128(1), noon()).await.expect("ended already");
    let made = SigningKey::make(&TestEntropy::new(1), noon()).expect("a key");
    store.add_key(made, noon(), Actor::Server).await.expect("added");

    let entries = acts(store).await;
    assert_eq!(
        acts_since(store).await,
        [
            "LOOKUP",
            "ITEM",
            "ITEM",
            "ITEM",
            "ITEM",
            "ITEM",
            "DEVICE_REVOKED",
            "DEVICE_TRUSTED",
            "EPOCH_BEGUN",
            "SESSION_ENDED",
            "KEY_MADE"
        ],
        "nothing for a lookup that was turned away, a replay, what can only be judged later"
    );
    for entry in &entries {
        let act = Act::from_code(&entry.act).expect("a word of ours");
        assert_eq!(entry.record.is_some(), act.has_record(), "{}", entry.act);
    }
    let of_luis = Field::Bytes(LUIS.as_bytes().to_vec());
    assert!(entries.iter().any(|entry| entry.act == "DEVICE_REVOKED" && entry.columns.contains(&of_luis)));
    assert!(store.strays(100).await.expect("asked").is_empty());
    // The answer to a submission stays what it was when a higher one is judged.
    let of_101 = Field::Bytes(Uuid::from_u128(101).as_bytes().to_vec());
    let judged = entries.iter().filter(|entry| entry.act == "ITEM" && entry.columns.contains(&of_101));
    let refused = Field::Text(b"refused".to_vec());
    let refusals: Vec<bool> =
        judged.map(|entry| entry.record.as_ref().is_some_and(|record| record.contains(&refused))).collect();
    assert_eq!(refusals, [true, false]);
}

pub async fn blocks_are_added_to_the_head_alone_and_read_with_their_acts(store: &dyn Store) {
    furnished(store).await;
    let key = SigningKey::make(&TestEntropy::new(1), noon()).expect("a key");
    let seal = |unsealed: &Unsealed| {
        Block::seal(unsealed.head, &unsealed.entries, unsealed.until, noon(), &key).expect("sealed")
    };
    let none = store.audit_head().await.expect("asked");
    assert_eq!(none, None);
    let first = store.unsealed(Head::NONE, 2).await.expect("asked");
    assert_eq!(first.entries.len(), 2);
    let block = seal(&first);
    assert!(store.keep_block(Head::NONE, block.clone()).await.expect("asked"));
    assert!(store.keep_block(Head::NONE, block.clone()).await.expect("asked"), "it is there already");
    let mut other = block.clone();
    other.sealed_us += 1;
    assert!(!store.keep_block(Head::NONE, other).await.expect("asked"), "somebody was faster");
    let (read, entries) = store.sealed_after(i64::MIN).await.expect("asked").expect("there");
    assert_eq!((&read, &entries), (&block, &first.entries));
    assert!(read.is_genuine(&key.public_key));
    assert!(store.sealed_after(1).await.expect("asked").is_none());

    let second = store.unsealed(Head::NONE, 100).await.expect("asked");
    assert_eq!((second.kept, second.head, second.entries.len()), (block.head(), block.head(), 1));
    let next = seal(&second);
    assert!(store.keep_block(second.kept, next.clone()).await.expect("asked"));
    assert_eq!(store.audit_head().await.expect("asked"), Some(next.head()));
    let rest = store.unsealed(next.head(), 100).await.expect("asked");
    assert!(rest.entries.is_empty() && rest.until == next.until);
    // A process that knows of more than there is builds on what it knows.
    let known = Head { number: 7, ..next.head() };
    let shorter = store.unsealed(known, 100).await.expect("asked");
    assert_eq!((shorter.kept, shorter.head), (next.head(), known));
}

pub async fn who_looked_a_person_up_is_found_by_the_document_and_recorded(store: &dyn Store) {
    furnished(store).await;
    let asked = question(1, NORTH, "1001");
    let mac = asked.document_mac;
    let active = statement(store, asked).await;
    statement(store, question(2, SOUTH, "1002")).await;
    take_in(store, vec![arrival(100, &active, noon()), offline_lookup(300, 3, SOUTH, "1001")]).await;
    take_in(store, vec![void(200, 100, noon() + 1.minute())]).await;
    let act = |act, document| NewAct {
        document: Some(document),
        ..NewAct::new(act, noon()).by(&Actor::Terminal("eva".into())).saying(json!({ "purpose": "preguntó" }))
    };
    let found = store.person_lookups(LookupRange::ALL, act(Act::PersonSearched, mac)).await.expect("asked");
    let told: Vec<(&str, &str, Verdict, bool)> = found
        .lookups
        .iter()
        .map(|one| (one.branch_name.as_str(), one.operator_name.as_str(), one.verdict, one.from_copy))
        .collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&("Sede A", "ANA", Verdict::Active, false)));
    assert!(told.contains(&("Sede B", "ANA", Verdict::ActiveFromCopy, true)));
    assert!(found.accesses.is_empty(), "the search itself comes after");
    assert!(found.lookups.is_sorted_by_key(|one| std::cmp::Reverse((one.answered_at, one.answer_id))));
    let first = LookupRange { after: None, limit: 1 };
    let first = store.person_lookups(first, act(Act::PersonSearched, mac)).await.expect("asked");
    assert_eq!((&first.lookups[..], first.accesses.len()), (&found.lookups[..1], 1), "the search of before");
    let after = (first.lookups[0].answered_at, first.lookups[0].answer_id);
    let rest = LookupRange { after: Some(after), limit: 100 };
    let rest = store.person_lookups(rest, act(Act::PersonSearched, mac)).await.expect("asked");
    assert_eq!((&rest.lookups[..], rest.accesses.len()), (&found.lookups[1..], 0), "who else, once");
    let nobody =
        store.person_lookups(LookupRange::ALL, act(Act::PersonSearched, Mac([9; 32]))).await.expect("asked");
    assert!(nobody.lookups.is_empty() && nobody.accesses.is_empty());

    let document = Document::parse(DocumentKind::CC, "1001").expect("a cédula");
    let data = store.personal_data(document, act(Act::PersonExported, mac)).await.expect("asked");
    assert_eq!(data.registered.and_then(|person| person.company_nit).as_deref(), Some("899999068"));
    assert_eq!((data.lookups.lookups.len(), data.uses.len()), (2, 1));
    assert!(data.uses[0].row.void.is_some() && data.uses[0].entity_name == "ENTIDAD 1");
    let access = &data.lookups.accesses[0];
    assert_eq!((access.act, access.by.as_deref()), (AccessAct::Searched, Some("terminal:eva")));
    assert_eq!((access.purpose.as_deref(), access.account_name.as_deref()), (Some("preguntó"), None));
    assert_eq!(data.lookups.accesses.len(), 3);
    let words = words(store).await;
    assert_eq!(words.last().map(String::as_str), Some("PERSON_EXPORTED"));
}
