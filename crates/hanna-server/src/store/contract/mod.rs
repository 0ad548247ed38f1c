//! What every store must do, as stories over the trait. Each implementation runs all of them on an empty database.

mod accounts;
mod applications;
mod at_once;
mod audit;
mod business;
mod decisions;
mod entity_users;
pub mod fixtures;
mod imports;
mod items;
mod people;
mod retention;
mod second_factors;
mod verification;

use hanna_domain::outbox::ItemCode;
use hanna_domain::{AffiliateStatus, CompanyStatus, Document, DocumentKind, Reason, Tariff, UsageState};
use hanna_wire::me::{ApplicationState, Role};
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

pub use self::accounts::*;
pub use self::applications::*;
pub use self::at_once::*;
use self::audit::acts_since;
pub use self::audit::*;
pub use self::business::*;
pub use self::decisions::*;
pub use self::entity_users::*;
use self::fixtures::*;
pub use self::imports::*;
pub use self::items::*;
pub use self::people::*;
pub use self::retention::*;
pub use self::second_factors::*;
pub use self::verification::*;
use super::*;
use crate::agreement::tests::agreement;
use crate::testing::TestEntropy;

/// Every story by its name, for an implementation to run.
macro_rules! stories {
    ($run:ident) => {
        $run!(
            secrets_and_keys_are_kept,
            attempts_are_counted_until_they_are_forgotten,
            tokens_live_and_die_with_their_session,
            refresh_tokens_come_in_generations,
            a_revoked_device_signs_in_no_more_and_delivers_what_was_before,
            an_account_sees_its_own_surroundings,
            a_lookup_is_authorised_judged_and_recorded_once,
            regulars_are_answered_within_a_budget_and_counted_once,
            outcomes_are_remembered_with_the_submission_they_answer,
            the_same_id_with_other_content_is_refused,
            the_epoch_and_the_last_sequence_come_with_every_batch,
            a_device_is_known_by_who_signed_in_last_and_items_by_their_answers,
            uses_are_counted_by_person_entity_and_day,
            a_use_is_taken_back_once_by_its_author_and_counts_no_more,
            a_void_waits_for_a_report_that_may_still_come,
            what_a_code_stands_for_is_kept_as_it_was,
            a_lookup_that_a_copy_answered_is_on_record_once,
            pages_are_in_order_and_half_open,
            a_registration_becomes_an_account_that_the_caja_approves,
            a_rejected_registration_leaves_the_user_name_free,
            whoever_has_an_account_is_mailed_that_and_no_code,
            codes_are_counted_and_replaced,
            a_password_is_changed_and_the_other_sessions_end,
            a_forgotten_password_takes_a_code_that_serves_once,
            mails_wait_their_turn_until_they_are_sent_or_expire,
            entities_are_added_once_found_and_renamed,
            a_branch_that_is_closed_looks_nobody_up_and_keeps_its_history,
            an_agreement_holds_from_the_next_statement,
            usage_is_counted_by_entity_branch_and_colombian_day,
            an_import_is_followed_from_its_beginning_to_its_end,
            one_at_a_time_has_the_turn_to_import,
            an_import_is_all_or_nothing,
            an_import_replaces_is_tried_out_and_is_stopped,
            an_installation_happens_once,
            an_installation_never_mixes_with_people_that_are_there,
            uses_at_once_never_pass_the_daily_limit,
            the_same_batch_at_once_is_taken_in_once,
            an_id_with_two_contents_at_once_is_one_item,
            a_report_is_taken_back_once_by_whoever_is_first,
            attempts_at_once_cannot_outrun_the_count,
            a_refresh_token_traded_twice_at_once_begins_one_generation,
            servers_that_start_at_once_agree,
            rounds_at_once_keep_to_the_budget,
            what_processes_count_at_once_adds_up,
            attempts_at_a_code_at_once_cannot_outrun_the_count,
            one_address_confirmed_at_once_is_one_account,
            accounts_approved_at_once_have_one_entity_and_one_administrator,
            senders_at_once_get_each_mail_once,
            acts_are_appended_with_what_they_record_and_only_then,
            blocks_are_added_to_the_head_alone_and_read_with_their_acts,
            who_looked_a_person_up_is_found_by_the_document_and_recorded,
            what_is_decided_about_businesses_is_an_act,
            what_the_caja_decides_about_accounts_is_an_act,
            a_second_factor_that_is_set_up_and_taken_away_is_an_act,
            what_an_administrator_decides_about_people_is_an_act,
            what_becomes_of_a_request_is_an_act,
            an_import_that_begins_stops_or_ends_is_an_act,
            a_request_is_decided_and_the_application_follows,
            a_rejected_request_is_sent_again_and_keeps_what_was_said,
            files_nobody_names_are_few_and_go,
            requests_at_once_are_one_and_decided_once,
            codes_made_at_once_are_different,
            whoever_is_invited_accepts_with_a_first_password,
            people_are_changed_within_their_entity,
            administrators_who_take_the_right_from_each_other_leave_one,
            a_second_factor_is_in_force_once_it_is_confirmed,
            a_code_and_a_recovery_code_serve_once,
            one_code_given_at_once_serves_one,
            accounts_are_made_listed_changed_and_suspended,
            the_last_of_the_caja_stays,
            whom_the_caja_suspended_only_the_caja_lets_in_again,
            devices_say_what_waits,
            what_is_older_goes_and_what_the_rest_needs_stays,
            what_was_purged_does_not_come_in_again,
            the_longest_time_in_which_nothing_was_sealed_is_known,
            a_purge_happens_once_whoever_else_purges,
            what_a_purge_left_must_be_there_for_the_next_one,
        );
    };
}
pub(crate) use stories;

pub async fn secrets_and_keys_are_kept(store: &dyn Store) {
    assert_eq!(store.secret("a", [1; 32]).await.expect("kept"), [1; 32]);
    assert_eq!(store.secret("a", [2; 32]).await.expect("kept"), [1; 32]);
    assert_eq!(store.secret("b", [2; 32]).await.expect("kept"), [2; 32]);

    let entropy = TestEntropy::new(1);
    let made = |now| SigningKey::make(&entropy, now).expect("a key");
    let kids = |keys: &[SigningKey]| keys.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>().join(" ");
    let (first, second, third) = (made(noon()), made(noon()), made(noon() + 9000.hours()));
    let keys = store.signing_keys(first.clone(), noon()).await.expect("keys");
    assert_eq!(kids(&keys), first.kid);
    assert_eq!(keys[0].pkcs8.expose(), first.pkcs8.expose());
    let keys = store.signing_keys(second, noon()).await.expect("keys");
    assert_eq!(kids(&keys), first.kid, "one that may sign is there");
    let keys = store.signing_keys(third.clone(), noon() + 9000.hours()).await.expect("keys");
    assert_eq!(keys.len(), 2, "the old one stays, to verify with");
    assert!(kids(&keys).contains(&first.kid) && kids(&keys).contains(&third.kid));
    let fourth = made(noon());
    store.add_key(fourth.clone(), noon(), Actor::Server).await.expect("added");
    let keys = store.keys().await.expect("asked");
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().any(|key| key.kid == fourth.kid && key.pkcs8.expose() == fourth.pkcs8.expose()));
}

pub async fn attempts_are_counted_until_they_are_forgotten(store: &dyn Store) {
    let username = Mac([7; 32]);
    for _ in 0..5 {
        assert_eq!(store.count_attempt(username, noon()).await.expect("counted"), Admission::Admitted);
    }
    let wait = Admission::Wait(noon() + 30.seconds());
    assert_eq!(store.count_attempt(username, noon()).await.expect("counted"), wait);
    assert_eq!(store.count_attempt(Mac([8; 32]), noon()).await.expect("counted"), Admission::Admitted);
    store.forget_attempts(username).await.expect("forgotten");
    assert_eq!(store.count_attempt(username, noon()).await.expect("counted"), Admission::Admitted);
}

pub async fn tokens_live_and_die_with_their_session(store: &dyn Store) {
    furnished(store).await;
    let known = store.credentials("ana".into()).await.expect("asked").expect("there");
    assert_eq!((known.account_id, known.state), (ANA, AccountState::Active));
    assert!(store.credentials("ANA".into()).await.expect("asked").is_none(), "keys are compared as they are");

    let again = store.open_session(opening(2, ANA)).await.expect("the same PC again");
    assert_eq!(again, SessionOpened::Done);
    let caller = store.caller(hash(1), noon()).await.expect("asked").expect("signed in");
    assert_eq!((caller.account_id, caller.device_id, caller.entity_id), (ANA, DEVICE, Some(ENTITY)));
    assert_eq!(caller.roles, [Role::Operator]);
    assert!(store.caller(hash(9), noon()).await.expect("asked").is_none());
    assert!(store.caller(hash(101), noon()).await.expect("asked").is_none(), "a refresh token opens nothing");
    assert!(store.caller(hash(1), noon() + 15.minutes()).await.expect("asked").is_none());

    store.end_session(caller.session_id, noon()).await.expect("ended");
    store.end_session(caller.session_id, noon()).await.expect("ended already");
    assert!(store.caller(hash(1), noon()).await.expect("asked").is_none());
    assert!(store.caller(hash(2), noon()).await.expect("asked").is_some(), "the other session goes on");
}

pub async fn refresh_tokens_come_in_generations(store: &dyn Store) {
    furnished(store).await;
    let trade = async |presented: u8, given: u8, now: Timestamp| {
        let rotation =
            Rotation { presented: hash(presented + 100), device_id: DEVICE, tokens: tokens(given, now), now };
        store.refresh_session(rotation).await.expect("asked")
    };
    let later = noon() + 2.minutes();
    assert_eq!(trade(1, 2, noon()).await, Refreshed::Granted);
    assert_eq!(trade(1, 3, later).await, Refreshed::Granted, "the one before, in time");
    assert_eq!(trade(2, 4, later).await, Refreshed::Granted, "the lost one was not lost");
    assert_eq!(trade(3, 5, later + 2.minutes()).await, Refreshed::Granted, "its sibling, in time");
    assert!(store.caller(hash(5), later + 2.minutes()).await.expect("asked").is_some());
    assert_eq!(trade(2, 6, later + 121.seconds()).await, Refreshed::Reused, "too late");
    for byte in [1, 2, 3, 4, 5] {
        assert!(store.caller(hash(byte), later).await.expect("asked").is_none());
        assert_eq!(trade(byte, 7, later).await, Refreshed::NotGood);
    }
}

pub async fn an_account_sees_its_own_surroundings(store: &dyn Store) {
    furnished(store).await;
    let day = date(2026, 11, 22);
    let ana = store.surroundings(ANA, day).await.expect("asked").expect("there");
    assert_eq!(ana.branches, [branch(NORTH, "A"), branch(SOUTH, "B")], "by code");
    assert_eq!(ana.entity.map(|entity| entity.nit).as_deref(), Some("1"));
    assert_eq!(ana.agreements.len(), 2);
    assert_eq!(ana.agreements[0], agreement(date(2026, 1, 1), date(2026, 12, 31)));
    assert_eq!(ana.applications[0].state, ApplicationState::Approved);
    let luis = store.surroundings(LUIS, day).await.expect("asked").expect("there");
    assert_eq!((luis.roles, luis.branches.len()), (vec![Role::EntityAdmin], 0));
    assert!(store.surroundings(ENTITY, day).await.expect("asked").is_none());
    assert_eq!(store.branches(ENTITY).await.expect("asked").len(), 2);
}

pub async fn a_lookup_is_authorised_judged_and_recorded_once(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    assert!(active.usable);
    assert_eq!(active.affiliate, Some(person(1, "1001", AffiliateStatus::Active).affiliate));
    let retired = statement(store, question(2, NORTH, "1002")).await;
    assert_eq!(retired.reasons, [Reason::AffiliateRetired]);
    let nobody = statement(store, question(3, NORTH, "1003")).await;
    assert_eq!((nobody.reasons, nobody.tariff), (vec![Reason::NotAffiliated], Tariff::D));

    let mut again = question(1, NORTH, "1001");
    again.asked.statement_id = Uuid::from_u128(77);
    assert_eq!(statement(store, again).await.jti, Uuid::from_u128(77), "the same lookup, answered anew");
    for other in [question(1, SOUTH, "1001"), question(1, NORTH, "1002")] {
        let mut other = other;
        other.asked.statement_id = Uuid::from_u128(78);
        assert_eq!(store.answer_lookup(other).await.expect("asked"), Answered::IdConflict);
    }
    let elsewhere = store.answer_lookup(question(4, ELSEWHERE, "1001")).await.expect("asked");
    assert_eq!(elsewhere, Answered::BranchNotAllowed);
}

pub async fn outcomes_are_remembered_with_the_submission_they_answer(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let first = arrival(100, &active, noon());
    assert_eq!(take_in(store, vec![first.clone()]).await, [ACCEPTED]);
    // Judged again it would be noted: it is not judged again.
    assert_eq!(take_in(store, vec![first.clone(), first.clone()]).await, [ACCEPTED, ACCEPTED]);
    let second = arrival(101, &active, noon());
    assert_eq!(take_in(store, vec![second.clone()]).await, [NOTED]);
    assert_eq!(take_in(store, vec![second]).await, [NOTED]);

    let accepted = Arrival { submission: 1, ..first };
    assert_eq!(
        take_in(store, vec![accepted]).await,
        [ACCEPTED],
        "the acceptance, also of a higher submission"
    );

    let broken = unfounded(102, ItemCode::StatementNotGenuine);
    let not_genuine = refused(ItemCode::StatementNotGenuine);
    assert_eq!(take_in(store, vec![broken.clone()]).await, [not_genuine]);
    let mended = arrival(102, &active, noon());
    assert_eq!(take_in(store, vec![mended.clone()]).await, [not_genuine], "as the first time");
    let still_broken = Arrival { submission: 3, ..unfounded(102, ItemCode::StatementNotValid) };
    assert_eq!(take_in(store, vec![still_broken.clone()]).await, [refused(ItemCode::StatementNotValid)]);
    let again = Arrival { submission: 4, ..mended.clone() };
    assert_eq!(take_in(store, vec![again.clone()]).await, [NOTED], "somebody put right what was wrong");
    assert_eq!(
        take_in(store, vec![broken, Arrival { submission: 2, ..mended }, still_broken, again]).await,
        [not_genuine, NOTED, refused(ItemCode::StatementNotValid), NOTED],
        "each submission has its own answer; one that was never judged gets the last"
    );
    assert_eq!(all_uses(store).await.len(), 3);
}

pub async fn the_epoch_and_the_last_sequence_come_with_every_batch(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let deliver = async |arrivals| {
        let delivery = Delivery {
            arrivals,
            entity_id: ENTITY,
            account_id: ANA,
            device_id: DEVICE,
            waiting: None,
            kept_from: Timestamp::MIN,
            now: noon(),
        };
        let delivered = store.take_in(delivery).await.expect("asked");
        (delivered.epoch, delivered.last_sequence)
    };
    assert_eq!(deliver(vec![]).await, (EPOCH, 0));
    let item = |id, sequence| Arrival { sequence, ..arrival(id, &active, noon()) };
    let refused = Arrival { sequence: 9, ..unfounded(103, ItemCode::StatementNotGenuine) };
    assert_eq!(deliver(vec![item(101, 7), item(102, 3)]).await, (EPOCH, 0), "before the batch");
    assert_eq!(deliver(vec![refused]).await, (EPOCH, 7));
    assert_eq!(deliver(vec![]).await, (EPOCH, 9), "a refused item is held too");
    let conflict = Arrival { content_hash: [9; 32], ..item(101, 12) };
    deliver(vec![conflict]).await;
    assert_eq!(deliver(vec![]).await, (EPOCH, 9), "and one that changed nothing is not");

    assert_eq!(store.epoch(Uuid::from_u128(42)).await.expect("asked"), EPOCH, "it goes on");
    store.renew_epoch(Uuid::from_u128(43), noon(), Actor::Server).await.expect("renewed");
    assert_eq!(deliver(vec![]).await, (Uuid::from_u128(43), 9));
    assert_eq!(store.epoch(Uuid::from_u128(42)).await.expect("asked"), Uuid::from_u128(43));
}

pub async fn the_same_id_with_other_content_is_refused(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let first = arrival(100, &active, noon());
    let other = Arrival { content_hash: [9; 32], ..first.clone() };
    let conflict = refused(ItemCode::IdConflict);
    assert_eq!(take_in(store, vec![first.clone(), other.clone()]).await, [ACCEPTED, conflict]);
    assert_eq!(take_in(store, vec![other, first]).await, [conflict, ACCEPTED]);

    let broken = unfounded(101, ItemCode::StatementNotValid);
    let other = Arrival { content_hash: [9; 32], ..arrival(101, &active, noon()) };
    assert_eq!(take_in(store, vec![broken, other]).await, [refused(ItemCode::StatementNotValid), conflict]);
    let higher = Arrival { submission: 1, content_hash: [9; 32], ..arrival(101, &active, noon()) };
    assert_eq!(take_in(store, vec![higher]).await, [conflict], "whatever its submission");
    assert_eq!(all_uses(store).await.len(), 1);
}

pub async fn uses_are_counted_by_person_entity_and_day(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let at_south = statement(store, question(2, SOUTH, "1001")).await;
    let mut of_somebody_else = active.clone();
    of_somebody_else.document = Document::parse(DocumentKind::CC, "1009").expect("a cédula");
    let midnight = "2026-11-23T05:00:00Z".parse::<Timestamp>().expect("a timestamp");
    let outcomes = take_in(
        store,
        vec![
            arrival(100, &active, noon()),
            arrival(101, &of_somebody_else, noon()),
            arrival(102, &at_south, noon() + 1.minute()),
            arrival(103, &active, midnight - 1.millisecond()),
            arrival(104, &active, midnight),
        ],
    )
    .await;
    assert_eq!(outcomes, [ACCEPTED, ACCEPTED, NOTED, NOTED, ACCEPTED]);

    let again = statement(store, question(3, NORTH, "1001")).await;
    let used: Vec<(Timestamp, &str)> =
        again.used_today.iter().map(|used| (used.occurred_at, used.branch_name.as_str())).collect();
    assert_eq!(
        used,
        [(noon(), "Sede A"), (noon() + 1.minute(), "Sede B"), (midnight - 1.millisecond(), "Sede A")],
        "oldest first, of today only"
    );
    let mut foreign = active.clone();
    foreign.entity_id = OTHER_ENTITY;
    let not_allowed = [refused(ItemCode::BranchNotAllowed)];
    assert_eq!(take_in(store, vec![arrival(105, &foreign, noon())]).await, not_allowed);
    let of_an_admin = Arrival { author_id: LUIS, ..arrival(106, &active, noon()) };
    assert_eq!(take_in(store, vec![of_an_admin]).await, not_allowed);
}

pub async fn pages_are_in_order_and_half_open(store: &dyn Store) {
    furnished(store).await;
    let north = statement(store, question(1, NORTH, "1001")).await;
    let south = statement(store, question(2, SOUTH, "1001")).await;
    let (t0, t1, t2) = (noon(), noon() + 1.microsecond(), noon() + 2.microseconds());
    take_in(
        store,
        vec![
            arrival(101, &north, t0),
            arrival(102, &south, t1),
            arrival(104, &north, t1),
            arrival(103, &south, t1),
            arrival(105, &north, t2),
        ],
    )
    .await;
    let page = async |change: fn(&mut UsageFilter)| {
        let mut filter = UsageFilter {
            entity_id: ENTITY,
            branches: None,
            from: noon(),
            to: noon() + 1.hour(),
            after: None,
            limit: 500,
        };
        change(&mut filter);
        let rows = store.usage_reports(filter).await.expect("asked");
        rows.into_iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(page(|_| {}).await, [105, 104, 103, 102, 101]);
    assert_eq!(page(|f| f.limit = 2).await, [105, 104]);
    assert_eq!(
        page(|f| f.after = Some((noon() + 1.microsecond(), Uuid::from_u128(104)))).await,
        [103, 102, 101]
    );
    assert_eq!(page(|f| f.from = noon() + 1.microsecond()).await, [105, 104, 103, 102]);
    assert_eq!(page(|f| f.to = noon() + 1.microsecond()).await, [101]);
    assert_eq!(page(|f| f.branches = Some(vec![SOUTH])).await, [103, 102]);
    assert_eq!(page(|f| f.branches = Some(vec![SOUTH, NORTH])).await.len(), 5);
    assert_eq!(page(|f| f.branches = Some(vec![])).await, [0_u128; 0]);
    assert_eq!(page(|f| f.entity_id = OTHER_ENTITY).await, [0_u128; 0]);

    let newest = &all_uses(store).await[0];
    assert_eq!(
        (newest.device_time, newest.received_at, newest.sequence),
        (Some(newest.occurred_at - 3.hours()), noon(), 1)
    );
    assert_eq!(newest.affiliate_name, "NÚÑEZ DE LA HOZ, ANA");
    assert_eq!(newest.company_name.as_deref(), Some("TRANSPORTES DEL NORTE"));
    assert_eq!((newest.branch_name.as_str(), newest.operator_name.as_str()), ("Sede A", "ANA"));
    assert_eq!(
        (newest.state, newest.code),
        (UsageState::AcceptedWithNote, Some(ItemCode::DailyLimitReached))
    );
    assert_eq!(newest.occurred_at, t2);
}
