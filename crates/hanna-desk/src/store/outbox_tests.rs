//! The outbox on a real disk: what is recorded, in which order it goes, and what becomes of it.

use std::collections::HashSet;

use hanna_domain::Document;
use hanna_domain::outbox::{Event, ItemState, VoidReason};
use hanna_wire::outbox::ItemBody;
use jiff::ToSpan;
use uuid::Uuid;

use super::delivery::{ACCEPTED, ITEM_OVERHEAD_BYTES, SENDABLE};
use super::item::COLUMNS;
use super::outbox::COUNTS;
use super::tests::{Folder, item, now};
use super::*;
use crate::ports::{Chance, System};

fn settle(outbox: &OutboxStore, id: Uuid, event: Event) {
    let one = Settled { id, event, code: None, cause: None, next_attempt_at: None };
    outbox.settle(&[one], now()).expect("settled");
}

fn state(outbox: &OutboxStore, id: Uuid) -> ItemState {
    outbox.item(id).expect("read").expect("there").state
}

/// The void of `report`, as an operator records it.
fn void(report: &NewItem) -> NewItem {
    NewItem {
        id: System.id(now()),
        lookup_id: None,
        usage: None,
        body: ItemBody::Void { report_id: report.id, reason: VoidReason::NotUsed, text: None },
        ..report.clone()
    }
}

/// A report and its void, both recorded.
fn pair(outbox: &OutboxStore) -> (Uuid, Uuid) {
    let report = item("1045678901");
    let void = void(&report);
    for one in [&report, &void] {
        assert_eq!(outbox.enqueue(one, None).expect("answered"), Enqueued::Recorded);
    }
    (report.id, void.id)
}

fn taken(outbox: &OutboxStore, count: usize) -> Vec<Uuid> {
    ids(&take(outbox, count, &[]).rows)
}

/// Takes what is about none of these people.
fn take(outbox: &OutboxStore, count: usize, under_way: &[Document]) -> Taken {
    let under_way = under_way.iter().cloned().collect();
    outbox.settle_and_take(&[], now(), now(), count, usize::MAX, &under_way).expect("taken")
}

fn ids(rows: &[ItemRow]) -> Vec<Uuid> {
    rows.iter().map(|row| row.item.id).collect()
}

#[test]
fn what_was_recorded_is_there_after_closing_and_opening() {
    let folder = Folder::new();
    let recorded = item("1045678901");
    assert_eq!(folder.stores().outbox.enqueue(&recorded, None).expect("answered"), Enqueued::Recorded);
    let stores = folder.stores();
    let rows = stores.outbox.open_items().expect("read");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].item.id, rows[0].state, rows[0].sequence), (recorded.id, ItemState::Queued, 1));
    assert_eq!(rows[0].item.document, recorded.document);
    assert_eq!(stores.outbox.counts().expect("counted"), Counts { pending: 1, ..Counts::default() });
}

#[test]
fn a_lookup_is_reported_once() {
    let folder = Folder::new();
    let stores = folder.stores();
    let first = item("1045678901");
    let second = NewItem { id: System.id(now()), ..first.clone() };
    assert_eq!(stores.outbox.enqueue(&first, None).expect("answered"), Enqueued::Recorded);
    assert_eq!(stores.outbox.enqueue(&second, None).expect("answered"), Enqueued::AlreadyThere);
    assert_eq!(stores.outbox.counts().expect("counted"), Counts { pending: 1, ..Counts::default() });
}

#[test]
fn only_what_is_there_already_is_called_so() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let first = item("1045678901");
    outbox.enqueue(&first, None).expect("recorded");
    let same_id = NewItem { lookup_id: Some(System.id(now())), ..first };
    assert_eq!(outbox.enqueue(&same_id, None).expect("answered"), Enqueued::AlreadyThere);
    // A constraint of another kind: nothing was recorded, and nobody may be told that it was before.
    folder.run(
        "outbox.sqlite",
        "CREATE TRIGGER forbidden BEFORE INSERT ON item BEGIN SELECT RAISE(ABORT, 'forbidden'); END",
    );
    let refused = outbox.enqueue(&item("1045678902"), None);
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
}

#[test]
fn items_move_only_along_the_table() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let recorded = item("1045678901");
    outbox.enqueue(&recorded, None).expect("recorded");
    settle(&outbox, recorded.id, Event::Accept);
    assert_eq!(state(&outbox, recorded.id), ItemState::Queued, "accepted without being sent");
    assert_eq!(take(&outbox, 10, &[]).rows.len(), 1);
    assert!(take(&outbox, 10, &[]).rows.is_empty(), "taken twice");
    settle(&outbox, recorded.id, Event::Refuse);
    assert_eq!(outbox.counts().expect("counted"), Counts { needs_attention: 1, ..Counts::default() });
    assert!(outbox.requeue(recorded.id, now()).expect("asked"));
    assert!(!outbox.requeue(recorded.id, now()).expect("asked"), "queued twice");
    let again = take(&outbox, 10, &[]).rows.remove(0);
    assert_eq!((again.attempts, again.submission), (1, 1), "a new question about the same item");
    settle(&outbox, recorded.id, Event::Accept);
    assert_eq!(outbox.counts().expect("counted"), Counts::default());
    settle(&outbox, recorded.id, Event::Retry);
    assert_eq!(state(&outbox, recorded.id), ItemState::Accepted, "an accepted item moved");
}

#[test]
fn what_was_being_sent_when_the_program_ended_is_queued_again() {
    let folder = Folder::new();
    {
        let stores = folder.stores();
        stores.outbox.enqueue(&item("1045678901"), None).expect("recorded");
        take(&stores.outbox, 10, &[]);
    }
    let stores = folder.stores();
    assert_eq!(stores.outbox.recover().expect("recovered"), 1);
    assert_eq!(take(&stores.outbox, 10, &[]).rows.len(), 1);
}

#[test]
fn an_item_waits_until_it_is_due_unless_hurried() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let recorded = item("1045678901");
    outbox.enqueue(&recorded, None).expect("recorded");
    take(&outbox, 1, &[]);
    let due = now() + 5.minutes();
    let retry =
        Settled { id: recorded.id, event: Event::Retry, code: None, cause: None, next_attempt_at: Some(due) };
    outbox.settle(&[retry], now()).expect("settled");
    assert!(take(&outbox, 1, &[]).rows.is_empty());
    assert_eq!(outbox.next_due(now()).expect("asked"), Some(due));
    assert_eq!(outbox.hurry().expect("hurried"), 1);
    assert_eq!(take(&outbox, 1, &[]).rows.len(), 1);
}

#[test]
fn refused_uses_are_no_uses_of_today() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let recorded = item("1045678901");
    outbox.enqueue(&recorded, None).expect("recorded");
    let uses = |since| outbox.uses_since(&recorded.document, since).expect("read").len();
    let second = |since| outbox.enqueue(&item("1045678901"), Some(since)).expect("answered");
    assert_eq!(uses(now() - 1.hour()), 1);
    assert_eq!(second(now() - 1.hour()), Enqueued::PersonUsed);
    assert_eq!(uses(now() + 1.second()), 0);
    take(&outbox, 1, &[]);
    settle(&outbox, recorded.id, Event::Refuse);
    assert_eq!(uses(now() - 1.hour()), 0);
    assert_eq!(second(now() - 1.hour()), Enqueued::Recorded);
}

#[test]
fn a_void_goes_with_its_report_or_after_it_never_before() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let (report, void) = pair(&outbox);
    assert_eq!(taken(&outbox, 1), [report]);
    assert!(taken(&outbox, 9).is_empty(), "while its report is under way it waits");
    let due = now() + 5.minutes();
    let later =
        Settled { id: report, event: Event::Retry, code: None, cause: None, next_attempt_at: Some(due) };
    outbox.settle(&[later], now()).expect("settled");
    assert!(taken(&outbox, 9).is_empty(), "while its report waits it waits");
    assert_eq!(outbox.next_due(now()).expect("asked"), Some(due), "the worker is not woken for it");
    outbox.hurry().expect("hurried");
    assert_eq!(taken(&outbox, 9), [report, void], "both at once, in their order");
    settle(&outbox, report, Event::Accept);
    settle(&outbox, void, Event::Retry);
    assert_eq!(taken(&outbox, 9), [void]);
}

#[test]
fn a_use_is_taken_back_once_and_counts_no_more() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let report = item("1045678901");
    outbox.enqueue(&report, None).expect("recorded");
    assert_eq!(outbox.enqueue(&void(&report), None).expect("answered"), Enqueued::Recorded);
    assert_eq!(outbox.enqueue(&void(&report), None).expect("answered"), Enqueued::AlreadyThere);
    assert!(outbox.uses_since(&report.document, now() - 1.hour()).expect("read").is_empty());
    let voids = || outbox.voids_between(now() - 1.hour(), now() + 1.hour()).expect("read");
    let void = voids().remove(&report.id).expect("its void").item.id;
    taken(&outbox, 9);
    settle(&outbox, void, Event::Refuse);
    assert_eq!(voids()[&report.id].state, ItemState::NeedsAttention);
    assert_eq!(outbox.void_of(report.id).expect("read").expect("its void").item.id, void);
    assert_eq!(
        outbox.uses_since(&report.document, now() - 1.hour()).expect("read").len(),
        1,
        "it takes nothing back"
    );
    outbox.withdraw(void, "era correcto", now()).expect("answered");
    assert!(voids().is_empty() && outbox.void_of(report.id).expect("read").is_none());
}

#[test]
fn the_void_of_a_refused_report_waits_for_it_and_is_given_up_with_it() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let (report, void) = pair(&outbox);
    taken(&outbox, 1);
    settle(&outbox, report, Event::Refuse);
    assert!(taken(&outbox, 9).is_empty());
    assert!(outbox.withdraw(report, "se registró por error", now()).expect("answered"));
    assert_eq!((state(&outbox, report), state(&outbox, void)), (ItemState::Withdrawn, ItemState::Withdrawn));
    assert_eq!(outbox.counts().expect("counted"), Counts::default());
    assert!(!outbox.withdraw(report, "otra vez", now()).expect("answered"), "given up twice");
}

#[test]
fn what_was_accepted_is_offered_again_to_a_server_that_lost_it() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let (report, void) = pair(&outbox);
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let deliver = || {
        for id in taken(&outbox, 9) {
            settle(&outbox, id, Event::Accept);
        }
    };
    assert_eq!(take(&outbox, 0, &[]).accepted, 0);
    deliver();
    assert_eq!(take(&outbox, 0, &[]).accepted, 2, "the sequence of the last one");
    assert_eq!(outbox.know_server(first, false, now()).expect("known"), 0, "the server of before");
    assert_eq!(
        outbox.know_server(first, true, now()).expect("known"),
        2,
        "it holds less than it had accepted"
    );
    assert_eq!(taken(&outbox, 9), [report, void], "in their order, under the same ids");
    for id in [report, void] {
        settle(&outbox, id, Event::Accept);
    }
    assert_eq!(outbox.know_server(second, false, now()).expect("known"), 2, "another epoch");
    deliver();
    assert_eq!(outbox.know_server(second, false, now()).expect("known"), 0);
}

#[test]
fn only_what_is_done_with_is_forgotten_in_time() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let (done, open) = (item("1045678901"), item("1045678902"));
    outbox.enqueue(&done, None).expect("recorded");
    taken(&outbox, 1);
    settle(&outbox, done.id, Event::Accept);
    outbox.enqueue(&open, None).expect("recorded");
    assert_eq!(outbox.forget_settled(now()).expect("forgotten"), 0, "not yet");
    assert_eq!(outbox.forget_settled(now() + 35.hours()).expect("forgotten"), 1);
    assert!(outbox.item(done.id).expect("read").is_none());
    assert_eq!(state(&outbox, open.id), ItemState::Queued);
}

/// A folder as the first version of the program left it, with a report on its way.
#[test]
fn a_full_outbox_of_the_first_schema_is_carried_over_whole() {
    let folder = Folder::new();
    drop(folder.stores());
    folder.run(
        "outbox.sqlite",
        &format!(
            "DROP TABLE item_body; DROP TABLE item; DROP TABLE server_mark; DROP TABLE clock_mark; DROP TABLE device;
             DROP TABLE export_key; {}
             INSERT INTO item (id, kind, state, lookup_id, author_id, author_name, branch_id, branch_name, document_kind,
                 document_number, affiliate_name, tariff, company_name, statement, device_time, occurred_at, attempts)
             VALUES (x'000102030405060708090a0b0c0d0e0f', 'usage_report', 'sending', x'10', x'{}', 'Ana',
                 x'0a1b2c3d4e5f60718293a4b5c6d7e8f9', 'Sede Norte', 'CC', '1045678901', 'PÉREZ, JUAN', 'B', NULL, 'a.b.c',
                 1, 2, 3);
             PRAGMA user_version = 1;",
            include_str!("migrations/outbox-001.sql"),
            "07".repeat(16),
        )
        .replace("x'10'", &format!("x'{}'", "10".repeat(16))),
    );
    let stores = folder.stores();
    assert_eq!(stores.outbox.recover().expect("recovered"), 1);
    let row = stores.outbox.open_items().expect("read").remove(0);
    assert_eq!((row.sequence, row.attempts, row.submission), (1, 3, 0));
    assert_eq!(row.item.lookup_id, Some(Uuid::from_bytes([0x10; 16])));
    assert_eq!(row.item.usage.map(|usage| usage.affiliate_name).as_deref(), Some("PÉREZ, JUAN"));
    let branch_id: Uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9".parse().expect("an id");
    assert_eq!(row.item.body, ItemBody::UsageReport { branch_id, statement: "a.b.c".into() });
}

#[test]
fn a_request_takes_no_more_than_fits_and_always_something() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let recorded: Vec<NewItem> = (0..3).map(|_| item("1045678901")).collect();
    for one in &recorded {
        outbox.enqueue(one, None).expect("recorded");
    }
    let weight = ITEM_OVERHEAD_BYTES + serde_json::to_string(&recorded[0].body).expect("JSON").len();
    let take = |bytes_max| {
        let rows =
            outbox.settle_and_take(&[], now(), now(), 10, bytes_max, &HashSet::new()).expect("taken").rows;
        rows.iter().map(|row| row.item.id).collect::<Vec<_>>()
    };
    assert_eq!(take(2 * weight), [recorded[0].id, recorded[1].id]);
    assert_eq!(outbox.counts().expect("counted").pending, 3);
    assert_eq!(take(1), [recorded[2].id], "what fits in no request is taken alone");
    assert!(take(1).is_empty());
}

#[test]
fn nothing_about_a_person_overtakes_what_is_under_way_about_them() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let recorded = [item("1045678901"), item("1045678902"), item("1045678901"), item("1045678903")];
    for one in &recorded {
        outbox.enqueue(one, None).expect("recorded");
    }
    let first = take(&outbox, 1, &[]).rows;
    assert_eq!(ids(&first), [recorded[0].id]);
    let under_way = [first[0].item.document.clone()];
    assert_eq!(
        ids(&take(&outbox, 2, &under_way).rows),
        [recorded[1].id, recorded[3].id],
        "others fill the batch"
    );
    assert!(take(&outbox, 9, &under_way).rows.is_empty());
    settle(&outbox, recorded[0].id, Event::Accept);
    assert_eq!(ids(&take(&outbox, 9, &[]).rows), [recorded[2].id]);
}

#[test]
fn what_waits_is_found_and_counted_without_reading_the_items() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let db = outbox.reader();
    let plan = |query: &str| {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {query}")).expect("a query");
        let rows = explain
            .query_map(rusqlite::params_from_iter(vec![0; explain.parameter_count()]), |row| {
                row.get::<_, String>(3)
            })
            .expect("a plan");
        rows.collect::<Result<Vec<_>, _>>().expect("a plan")
    };
    for query in [COUNTS, ACCEPTED] {
        let plan = plan(query);
        assert!(plan.iter().all(|step| !step.starts_with("SCAN item")), "{plan:?}");
        assert!(plan.iter().any(|step| step.contains("COVERING INDEX item_by_state")), "{plan:?}");
    }
    let due = plan(&format!("SELECT {COLUMNS} FROM item WHERE {SENDABLE} ORDER BY sequence LIMIT 10"));
    assert!(due[0].contains("INDEX item_by_state (state=?)"), "{due:?}");
    assert!(due.iter().all(|step| !step.contains("TEMP B-TREE")), "{due:?}");
}

#[test]
fn a_use_is_known_from_the_moment_it_is_on_the_disk_until_its_day_is_over() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let of = |number: &str, since| outbox.uses_since(&item(number).document, since).expect("asked").len();
    let (midnight, next) = (now() - 5.hours(), now() + 19.hours());
    assert_eq!(of("1045678901", midnight), 0);
    outbox.enqueue(&item("1045678901"), None).expect("recorded");
    assert_eq!((of("1045678901", midnight), of("1045678902", midnight)), (1, 0));
    outbox.enqueue(&item("1045678902"), None).expect("recorded");
    assert_eq!((of("1045678901", midnight), of("1045678902", midnight)), (1, 1));
    assert_eq!((of("1045678901", next), of("1045678902", next)), (0, 0));
    // A clock put back asks about the day before again.
    assert_eq!((of("1045678901", midnight), of("1045678902", midnight)), (1, 1));
}
