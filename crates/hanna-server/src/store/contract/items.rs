//! Stories of what desks do beside reporting uses: taking back, answering from copies, verifying again, being revoked.

use hanna_domain::outbox::{ItemCode, VoidReason};
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use super::fixtures::*;
use crate::store::*;
use crate::testing::TestEntropy;

pub async fn a_use_is_taken_back_once_by_its_author_and_counts_no_more(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let later = noon() + 5.minutes();
    let not_allowed = refused(ItemCode::VoidNotAllowed);
    assert_eq!(take_in(store, vec![arrival(100, &active, noon())]).await, [ACCEPTED]);
    let of_another = Arrival { author_id: LUIS, ..void(200, 100, later) };
    let tomorrow = void(201, 100, noon() + 12.hours());
    assert_eq!(take_in(store, vec![of_another, tomorrow]).await, [not_allowed, not_allowed]);
    let foreign = Delivery {
        arrivals: vec![void(202, 100, later)],
        entity_id: OTHER_ENTITY,
        account_id: ANA,
        device_id: DEVICE,
        waiting: None,
        kept_from: Timestamp::MIN,
        now: noon(),
    };
    let outcomes = store.take_in(foreign).await.expect("asked").outcomes;
    assert_eq!(outcomes[0].code, Some(ItemCode::VoidNotAllowed), "of another entity");

    assert_eq!(take_in(store, vec![void(203, 100, later)]).await, [ACCEPTED]);
    assert_eq!(take_in(store, vec![void(203, 100, later)]).await, [ACCEPTED], "its replay");
    let already = refused(ItemCode::AlreadyVoided);
    assert_eq!(take_in(store, vec![void(204, 100, later)]).await, [already]);
    assert_eq!(take_in(store, vec![arrival(100, &active, noon())]).await, [ACCEPTED], "the report's replay");

    let rows = all_uses(store).await;
    assert_eq!(rows.len(), 1, "both are kept, as a pair");
    let void = rows[0].void.as_ref().expect("taken back");
    assert_eq!((void.id, void.occurred_at, void.reason), (Uuid::from_u128(203), later, VoidReason::Other));
    assert_eq!((void.operator_name.as_str(), void.text.as_deref()), ("ANA", Some("era para la hermana")));
    assert!(statement(store, question(2, NORTH, "1001")).await.used_today.is_empty());
    assert_eq!(take_in(store, vec![arrival(101, &active, later)]).await, [ACCEPTED], "the first of its day");
    assert_eq!(take_in(store, vec![arrival(102, &active, later)]).await, [NOTED]);
    let used = statement(store, question(3, NORTH, "1001")).await.used_today;
    assert_eq!(used.iter().map(|used| used.occurred_at).collect::<Vec<Timestamp>>(), [later, later]);

    let totals = async |filter: UsageFilter| {
        let totals = store.usage_totals(filter).await.expect("asked");
        totals.iter().map(|one| (one.branch_id, one.uses, one.noted, one.voided)).collect::<Vec<_>>()
    };
    assert_eq!(totals(ever()).await, [(NORTH, 2, 1, 1)]);
    assert_eq!(
        totals(UsageFilter { branches: Some(vec![SOUTH, NORTH]), ..ever() }).await,
        [(NORTH, 2, 1, 1)]
    );
    assert_eq!(totals(UsageFilter { branches: Some(vec![SOUTH]), ..ever() }).await, []);
    assert_eq!(totals(UsageFilter { branches: Some(vec![]), ..ever() }).await, []);
    assert_eq!(totals(UsageFilter { from: later, ..ever() }).await, [(NORTH, 2, 1, 0)]);
    assert_eq!(totals(UsageFilter { entity_id: OTHER_ENTITY, ..ever() }).await, []);
}

pub async fn a_void_waits_for_a_report_that_may_still_come(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let early = void(200, 100, noon());
    assert_eq!(take_in(store, vec![early.clone(), early.clone()]).await, [RETRY, RETRY]);
    let report = arrival(100, &active, noon());
    assert_eq!(take_in(store, vec![early.clone(), report, early]).await, [RETRY, ACCEPTED, ACCEPTED]);

    let not_genuine = refused(ItemCode::StatementNotGenuine);
    let not_allowed = refused(ItemCode::VoidNotAllowed);
    let of_nothing = void(201, 101, noon());
    let taken = take_in(store, vec![unfounded(101, ItemCode::StatementNotGenuine), of_nothing.clone()]).await;
    assert_eq!(taken, [not_genuine, not_allowed], "what was refused cannot be taken back");
    let mended = Arrival { submission: 1, ..arrival(101, &active, noon()) };
    let again = Arrival { submission: 1, ..of_nothing };
    assert_eq!(take_in(store, vec![mended, again]).await, [ACCEPTED, ACCEPTED]);
    assert_eq!(take_in(store, vec![void(202, 200, noon())]).await, [not_allowed], "a void is no use");
}

pub async fn a_lookup_that_a_copy_answered_is_on_record_once(store: &dyn Store) {
    furnished(store).await;
    let not_allowed = refused(ItemCode::BranchNotAllowed);
    let elsewhere = offline_lookup(300, 1, ELSEWHERE, "1001");
    let of_an_admin = Arrival { author_id: LUIS, ..offline_lookup(301, 1, NORTH, "1001") };
    assert_eq!(take_in(store, vec![elsewhere, of_an_admin]).await, [not_allowed, not_allowed]);

    let copied = offline_lookup(302, 1, NORTH, "1001");
    assert_eq!(take_in(store, vec![copied.clone(), copied]).await, [ACCEPTED, ACCEPTED]);
    statement(store, question(1, NORTH, "1001")).await;
    let other_person = store.answer_lookup(question(1, NORTH, "1002")).await.expect("asked");
    assert_eq!(other_person, Answered::IdConflict, "its id is taken");

    statement(store, question(2, NORTH, "1001")).await;
    assert_eq!(
        take_in(store, vec![offline_lookup(303, 2, NORTH, "1001")]).await,
        [ACCEPTED],
        "answered late"
    );
    let conflict = refused(ItemCode::IdConflict);
    let others = vec![offline_lookup(304, 2, NORTH, "1002"), offline_lookup(305, 2, SOUTH, "1001")];
    assert_eq!(take_in(store, others).await, [conflict, conflict]);
}

pub async fn a_revoked_device_signs_in_no_more_and_delivers_what_was_before(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let is_revoked =
        async || store.caller(hash(1), noon()).await.expect("asked").map(|caller| caller.device_revoked);
    assert_eq!(is_revoked().await, Some(false));
    assert!(store.revoke_device(DEVICE, noon() + 1.hour(), Actor::Server).await.expect("asked"));
    assert!(
        store.revoke_device(DEVICE, noon(), Actor::Server).await.expect("asked"),
        "the first moment stays"
    );
    assert_eq!(is_revoked().await, Some(true), "its session goes on");
    let refused_opening = store.open_session(opening(2, ANA)).await.expect("asked");
    assert_eq!(refused_opening, SessionOpened::DeviceRevoked);
    assert!(store.caller(hash(2), noon()).await.expect("asked").is_none(), "nothing was opened");

    let after = arrival(101, &active, noon() + 1.hour() + 1.microsecond());
    let taken = take_in(store, vec![arrival(100, &active, noon() + 1.hour()), after]).await;
    assert_eq!(taken, [ACCEPTED, refused(ItemCode::BranchNotAllowed)]);
    let devices = store.devices().await.expect("listed");
    assert_eq!((devices.len(), devices[0].id, devices[0].last_sequence), (1, DEVICE, 1));
    assert_eq!(devices[0].revoked_at, Some(noon() + 1.hour()));
    assert!(store.restore_device(DEVICE, noon(), Actor::Server).await.expect("asked"));
    assert_eq!(store.open_session(opening(2, ANA)).await.expect("asked"), SessionOpened::Done);
    assert!(
        !store.revoke_device(ANA, noon(), Actor::Server).await.expect("asked"),
        "there is no such device"
    );
}

pub async fn regulars_are_answered_within_a_budget_and_counted_once(store: &dyn Store) {
    furnished(store).await;
    let round = async |questions: Vec<Question>, budget| match store
        .answer_regulars(Round { questions, budget })
        .await
        .expect("asked")
    {
        RoundAnswered::Claims { statements, budget_left } => {
            let ids = statements.iter().map(|statement| statement.lookup_id.as_u128()).collect();
            Ok::<(Vec<u128>, u32), RoundAnswered>((ids, budget_left))
        }
        other => Err(other),
    };
    // Each time with folios of its own.
    let folios = TestEntropy::new(9);
    let ask = |lookup, branch_id, number| {
        let mut question = question(lookup, branch_id, number);
        question.asked.statement_id = folios.new_id();
        question
    };
    let three = || vec![ask(1, NORTH, "1001"), ask(2, NORTH, "1002"), ask(3, NORTH, "1003")];
    assert_eq!(round(three(), 2).await, Ok((vec![1, 2], 0)));
    assert_eq!(round(three(), 2).await, Ok((vec![1, 2], 0)), "counted once");
    assert_eq!(round(three(), 4).await, Ok((vec![1, 2, 3], 1)));
    assert_eq!(round(vec![ask(4, SOUTH, "1001")], 1).await, Ok((vec![4], 0)), "each branch has its own");
    let mut of_another = ask(5, NORTH, "1001");
    of_another.account_id = LUIS;
    assert_eq!(round(vec![of_another], 9).await, Err(RoundAnswered::BranchNotAllowed));
    let conflict = round(vec![ask(6, NORTH, "1001"), ask(1, NORTH, "1002")], 9).await;
    assert_eq!(conflict, Err(RoundAnswered::IdConflict));
    statement(store, ask(7, NORTH, "1001")).await;
    assert_eq!(
        round(vec![ask(6, NORTH, "1001")], 4).await,
        Ok((vec![6], 0)),
        "6 was not kept, and 7 is no regular"
    );
}

pub async fn a_device_is_known_by_who_signed_in_last_and_items_by_their_answers(store: &dyn Store) {
    furnished(store).await;
    let sender = |account_id| Some(Sender { entity_id: ENTITY, account_id, device_id: DEVICE });
    let last = async || store.last_sender(DEVICE).await.expect("asked");
    assert_eq!(last().await, sender(ANA));
    let luis = Opening { now: noon() + 1.hour(), ..opening(2, LUIS) };
    store.open_session(luis).await.expect("opened");
    assert_eq!(last().await, sender(LUIS));
    let stranger = store.last_sender(Uuid::from_u128(32)).await.expect("asked");
    assert_eq!(stranger, None, "nobody signed in there");

    let active = statement(store, question(1, NORTH, "1001")).await;
    let taken = take_in(store, vec![arrival(100, &active, noon()), void(200, 300, noon())]).await;
    assert_eq!(taken, [ACCEPTED, RETRY]);
    let again = Arrival { submission: 2, ..unfounded(101, ItemCode::StatementNotGenuine) };
    take_in(store, vec![again]).await;
    let ids = [100, 101, 200, 999].map(Uuid::from_u128);
    let held = store.held(ids.to_vec()).await.expect("asked");
    assert_eq!(held, [(ids[0], 0), (ids[1], 2)], "what is to be sent again later is not held");
}
