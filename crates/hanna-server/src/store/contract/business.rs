//! Businesses, and imports that are followed.

use hanna_wire::admin::business::{
    AdminAgreement, ChangeBranch, ImportCounts, ImportMode, ImportState, UsageCounts,
};
use hanna_wire::agreement::{AgreementTerms, OverLimit};

use super::*;

fn act() -> Act {
    Act { by: Actor::Account(LUIS), now: noon() }
}

fn new_entity(id: u128, nit: &str, name: &str) -> Entity {
    Entity { id: Uuid::from_u128(id), nit: nit.into(), name: name.into() }
}

pub(super) fn new_branch(id: u128, code: Option<&str>) -> NewBranch {
    NewBranch {
        id: Uuid::from_u128(id),
        entity_id: ENTITY,
        code: code.map(Into::into),
        name: "Sede Nueva".into(),
        city: "Soledad".into(),
    }
}

pub async fn entities_are_added_once_found_and_renamed(store: &dyn Store) {
    furnished(store).await;
    let today = date(2026, 11, 22);
    let add = async |id, nit: &str, name: &str| {
        store.add_entity(new_entity(id, nit, name), act()).await.expect("asked")
    };
    assert_eq!(add(51, "300", "Clínica Ñandú").await, Put::Done(()));
    assert_eq!(add(51, "300", "Clínica Ñandú").await, Put::Done(()), "the same again");
    assert_eq!(add(51, "300", "Otra").await, Put::IdConflict);
    assert_eq!(add(52, "300", "Clínica Ñandú").await, Put::Taken);
    assert_eq!(add(ANA.as_u128(), "301", "Gimnasio").await, Put::Done(()));

    let list = async |search: Option<&str>, after: Option<Uuid>, limit| {
        let filter = EntityFilter { search: search.map(Into::into), after, limit, today };
        let entities = store.entities(filter).await.expect("asked");
        entities.into_iter().map(|entity| entity.nit).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, 500).await, ["1", "2", "300", "301"], "by NIT");
    assert_eq!(list(None, None, 2).await, ["1", "2"]);
    assert_eq!(list(None, Some(OTHER_ENTITY), 2).await, ["300", "301"]);
    assert_eq!(list(Some("nandu"), None, 500).await, ["300"], "without accents");
    assert_eq!(list(Some("30"), None, 1).await, ["300"]);
    assert_eq!(list(Some("nadie"), None, 500).await, [""; 0]);

    let rename = async |id, name: &str| store.rename_entity(id, name.into(), act()).await.expect("asked");
    assert_eq!(rename(ENTITY, "GYM").await, Put::Done(()));
    assert_eq!(rename(NORTH, "GYM").await, Put::Unknown);
    let detail = store.entity(ENTITY, today).await.expect("asked").expect("there");
    assert_eq!((detail.entity.name.as_str(), detail.entity.nit.as_str()), ("GYM", "1"));
    assert_eq!((detail.entity.branches, detail.entity.agreements_in_force, detail.entity.users), (2, 1, 2));
    assert_eq!(detail.entity.application, ApplicationState::Approved);
    let codes: Vec<&str> = detail.branches.iter().map(|branch| branch.code.as_str()).collect();
    assert_eq!(codes, ["A", "B"]);
    assert_eq!(detail.agreements[0].branches, [NORTH, SOUTH], "by code");
    assert_eq!(detail.agreements[0].terms, agreement(date(2026, 1, 1), date(2026, 12, 31)));
    let over = store.entity(ENTITY, date(2027, 1, 1)).await.expect("asked").expect("there");
    assert_eq!(over.entity.agreements_in_force, 0);
    assert!(store.entity(NORTH, today).await.expect("asked").is_none());
}

pub async fn a_branch_that_is_closed_looks_nobody_up_and_keeps_its_history(store: &dyn Store) {
    furnished(store).await;
    let add = async |new| store.add_branch(new, act()).await.expect("asked");
    let Put::Done(made) = add(new_branch(61, None)).await else { panic!("not added") };
    assert_eq!(made.code, "ENT-01", "from the entity's name");
    let Put::Done(again) = add(new_branch(61, None)).await else { panic!("not the same") };
    assert_eq!(again, made);
    assert_eq!(add(NewBranch { city: "Malambo".into(), ..new_branch(61, None) }).await, Put::IdConflict);
    assert_eq!(add(new_branch(62, Some("C"))).await, Put::Taken, "another entity's");
    let Put::Done(next) = add(new_branch(62, None)).await else { panic!("not added") };
    assert_eq!(next.code, "ENT-02");
    assert_eq!(add(NewBranch { entity_id: NORTH, ..new_branch(63, None) }).await, Put::Unknown);

    let change = async |closed, now| {
        let change = ChangeBranch { closed, city: Some("Soledad".into()), ..ChangeBranch::default() };
        let changed =
            store.change_branch(NORTH, change, Act { by: Actor::Server, now }).await.expect("asked");
        let Put::Done(branch) = changed else { panic!("{changed:?}") };
        assert_eq!(
            (branch.code.as_str(), branch.name.as_str(), branch.city.as_str()),
            ("A", "Sede A", "Soledad")
        );
        branch.closed_at
    };
    let before = statement(store, question(1, NORTH, "1001")).await;
    assert_eq!(change(None, noon()).await, None);
    assert_eq!(change(Some(true), noon()).await, Some(noon()));
    assert_eq!(change(Some(true), noon() + 1.hour()).await, Some(noon()), "since it was closed first");
    assert_eq!(change(None, noon()).await, Some(noon()));

    let refused = store.answer_lookup(question(2, NORTH, "1001")).await.expect("asked");
    assert_eq!(refused, Answered::BranchNotAllowed);
    let round = Round { questions: vec![question(3, NORTH, "1001")], budget: 9 };
    assert_eq!(store.answer_regulars(round).await.expect("asked"), RoundAnswered::BranchNotAllowed);
    let day = date(2026, 11, 22);
    let ana = store.surroundings(ANA, day).await.expect("asked").expect("there");
    assert_eq!(ana.branches, [branch(SOUTH, "B")]);
    assert_eq!(
        take_in(store, vec![arrival(100, &before, noon())]).await,
        [ACCEPTED],
        "what was recorded there"
    );
    assert_eq!(all_uses(store).await[0].branch_id, NORTH);
    assert_eq!(store.entity(ENTITY, day).await.expect("asked").expect("there").entity.branches, 3);

    assert_eq!(change(Some(false), noon()).await, None);
    assert!(statement(store, question(4, NORTH, "1001")).await.lookup_id == Uuid::from_u128(4));
    let unknown = store.change_branch(ENTITY, ChangeBranch::default(), act()).await.expect("asked");
    assert_eq!(unknown, Put::Unknown);
}

pub async fn an_agreement_holds_from_the_next_statement(store: &dyn Store) {
    furnished(store).await;
    let terms = |tariffs: &[Tariff]| AgreementTerms {
        tariffs: tariffs.to_vec(),
        over_limit: OverLimit::Refuse,
        ..agreement(date(2026, 1, 1), date(2026, 12, 31))
    };
    let put = |id: u128, tariffs: &[Tariff], branches: &[Uuid]| AdminAgreement {
        id: Uuid::from_u128(id),
        terms: terms(tariffs),
        branches: branches.to_vec(),
    };
    // The one that was installed.
    let first = ENTITY.as_u128() + 100;
    assert!(statement(store, question(1, NORTH, "1001")).await.usable);
    let change = async |agreement| store.change_agreement(agreement, act()).await.expect("asked");
    assert_eq!(change(put(first, &[Tariff::A], &[NORTH])).await, Put::Done(()));
    let not_covered = statement(store, question(2, NORTH, "1001")).await;
    assert_eq!(not_covered.reasons, [Reason::BenefitNotCovered]);
    let elsewhere = statement(store, question(3, SOUTH, "1001")).await;
    assert_eq!(elsewhere.reasons, [Reason::AgreementNotStarted], "it does not hold there any more");
    assert_eq!(change(put(first, &[Tariff::A], &[NORTH, ELSEWHERE])).await, Put::BranchElsewhere);
    assert_eq!(change(put(999, &[Tariff::A], &[NORTH])).await, Put::Unknown);

    let add =
        async |entity_id, agreement| store.add_agreement(entity_id, agreement, act()).await.expect("asked");
    let second = put(71, &[Tariff::A, Tariff::B], &[SOUTH, NORTH]);
    assert_eq!(add(ENTITY, put(71, &[Tariff::B], &[ELSEWHERE])).await, Put::BranchElsewhere);
    assert_eq!(add(NORTH, second.clone()).await, Put::Unknown);
    assert_eq!(add(ENTITY, second.clone()).await, Put::Done(()));
    let in_other_order = AdminAgreement { branches: vec![NORTH, SOUTH], ..second.clone() };
    assert_eq!(add(ENTITY, in_other_order).await, Put::Done(()), "the same again");
    assert_eq!(add(ENTITY, put(71, &[Tariff::B], &[SOUTH, NORTH])).await, Put::IdConflict);
    assert_eq!(add(OTHER_ENTITY, second).await, Put::IdConflict);
    assert!(statement(store, question(4, SOUTH, "1001")).await.usable);
    let detail = store.entity(ENTITY, date(2026, 11, 22)).await.expect("asked").expect("there");
    assert_eq!(detail.agreements.len(), 2);
    assert!(detail.agreements.contains(&put(first, &[Tariff::A], &[NORTH])));
}

pub async fn usage_is_counted_by_entity_branch_and_colombian_day(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let at_south = statement(store, question(2, SOUTH, "1001")).await;
    let mut of_somebody_else = active.clone();
    of_somebody_else.document = Document::parse(DocumentKind::CC, "1009").expect("a cédula");
    let round = Round { questions: vec![question(3, NORTH, "1002")], budget: 9 };
    store.answer_regulars(round).await.expect("asked");
    let midnight: Timestamp = "2026-11-23T05:00:00Z".parse().expect("a timestamp");
    take_in(
        store,
        vec![
            arrival(100, &active, noon()),
            arrival(101, &of_somebody_else, noon()),
            arrival(102, &at_south, midnight - 1.millisecond()),
            arrival(103, &active, midnight),
            arrival(104, &of_somebody_else, noon()),
            void(105, 104, noon()),
            offline_lookup(106, 7, SOUTH, "1002"),
        ],
    )
    .await;
    let counts = |lookups, uses, voided, people| UsageCounts { lookups, uses, voided, people };
    let usage = async |from, to| store.usage_by_entity(from, to).await.expect("asked");
    let (day, next) = (date(2026, 11, 22), date(2026, 11, 23));

    let found = usage(day, day).await;
    assert_eq!(found.len(), 2, "also where nothing happened");
    assert_eq!(
        (found[0].entity.id, found[0].total),
        (ENTITY, counts(3, 3, 1, 2)),
        "one came to both branches"
    );
    let branches: Vec<_> = found[0].branches.iter().map(|one| (one.branch.id, one.counts)).collect();
    assert_eq!(branches, [(NORTH, counts(1, 2, 1, 2)), (SOUTH, counts(2, 1, 0, 1))]);
    assert_eq!((found[1].total, found[1].branches.len()), (counts(0, 0, 0, 0), 1));
    assert_eq!(usage(next, next).await[0].total, counts(0, 1, 0, 1));
    assert_eq!(usage(day, next).await[0].total, counts(3, 4, 1, 2));
}

pub(super) fn new_import(id: u128, state: ImportState, at: Timestamp) -> NewImport {
    NewImport {
        id: Uuid::from_u128(id),
        state,
        mode: ImportMode::Upsert,
        dry_run: false,
        file_name: Some("afiliados.csv".into()),
        act: Act { by: Actor::Account(ANA), now: at },
    }
}

fn step(state: ImportState, lines: u64) -> ImportStep {
    ImportStep { state, bytes: 100, bytes_read: lines * 10, lines, rejected: 0 }
}

pub(super) fn ended(state: ImportState, lines: u64, counts: Option<ImportCounts>) -> ImportEnd {
    ImportEnd { step: step(state, lines), counts, reason: None, rejected_csv: None, now: noon() + 1.minute() }
}

pub async fn an_import_is_followed_from_its_beginning_to_its_end(store: &dyn Store) {
    furnished(store).await;
    let begin = async |id, state, at| store.begin_import(new_import(id, state, at)).await.expect("asked");
    let job = async |id| store.import_job(Uuid::from_u128(id)).await.expect("asked");
    let state = async |id| job(id).await.map(|job| job.state);
    let id = Uuid::from_u128(81);
    assert_eq!(begin(81, ImportState::Receiving, noon()).await, Put::Done(()));
    assert_eq!(begin(81, ImportState::Receiving, noon()).await, Put::IdConflict);
    store.tell_import(id, step(ImportState::Running, 7)).await.expect("told");
    let running = job(81).await.expect("there");
    assert_eq!(
        (running.state, running.bytes, running.bytes_read, running.lines),
        (ImportState::Running, 100, 70, 7)
    );
    assert_eq!((running.began_at, running.ended_at, running.by.as_deref()), (noon(), None, Some("ANA")));
    assert_eq!(running.file_name.as_deref(), Some("afiliados.csv"));
    assert!(store.is_import_wanted(id).await.expect("asked"));

    // The people and that it is done are one.
    let people = || vec![person(2, "1007", AffiliateStatus::Active)];
    let import = async |job| {
        let how = ImportHow { job: Some(job), ..ImportHow::default() };
        store
            .import_affiliates(Box::new(Rows::new(people())), how, noon(), Actor::Server)
            .await
            .expect("asked")
    };
    let counts = ImportCounts { added: 1, updated: 0, removed: 0 };
    assert_eq!(import(id).await, Some(counts));
    let done = job(81).await.expect("there");
    assert_eq!((done.state, done.counts), (ImportState::Done, Some(counts)));
    assert!(!store.is_import_wanted(id).await.expect("asked"));
    store.end_import(id, ended(ImportState::Failed, 9, None)).await.expect("ended");
    assert_eq!(job(81).await.expect("there").counts, Some(counts), "what is done stays done");
    store.end_import(id, ended(ImportState::Done, 9, Some(counts))).await.expect("ended");
    let done = job(81).await.expect("there");
    assert_eq!((done.lines, done.ended_at), (9, Some(noon() + 1.minute())));
    assert!(store.cancel_import(id, act()).await.expect("asked"));
    assert_eq!(state(81).await, Some(ImportState::Done), "too late");

    // One that was asked to stop changes nothing, though its rows were good.
    begin(82, ImportState::Running, noon() + 1.hour()).await;
    assert!(store.cancel_import(Uuid::from_u128(82), act()).await.expect("asked"));
    assert!(!store.is_import_wanted(Uuid::from_u128(82)).await.expect("asked"));
    assert_eq!(import(Uuid::from_u128(82)).await, None);
    store.end_import(Uuid::from_u128(82), ended(ImportState::Cancelled, 2, None)).await.expect("ended");
    assert_eq!(state(82).await, Some(ImportState::Cancelled));
    assert!(!store.cancel_import(Uuid::from_u128(99), act()).await.expect("asked"));

    // What was interrupted failed; what never came whole leaves nothing.
    begin(83, ImportState::Running, noon() + 2.hours()).await;
    begin(84, ImportState::Receiving, noon() + 3.hours()).await;
    assert_eq!(state(83).await, Some(ImportState::Failed));
    assert_eq!(import(Uuid::from_u128(83)).await, None, "it was given up");
    store.forget_import(Uuid::from_u128(83), noon()).await.expect("asked");
    store.forget_import(Uuid::from_u128(84), noon()).await.expect("asked");
    assert_eq!((state(83).await, state(84).await), (Some(ImportState::Failed), None));

    begin(85, ImportState::Running, noon() + 4.hours()).await;
    let rejected_csv = Some(b"linea;columna;motivo\n".to_vec());
    let end = ImportEnd {
        rejected_csv,
        reason: Some("Faltan columnas.".into()),
        ..ended(ImportState::Refused, 3, None)
    };
    store.end_import(Uuid::from_u128(85), end).await.expect("ended");
    let refused = job(85).await.expect("there");
    assert_eq!((refused.state, refused.reason.as_deref()), (ImportState::Refused, Some("Faltan columnas.")));
    let rejected = async |id| store.rejected_lines(Uuid::from_u128(id)).await.expect("asked");
    assert_eq!(rejected(85).await.as_deref(), Some(&b"linea;columna;motivo\n"[..]));
    assert_eq!(rejected(82).await, None);

    let page = async |after, limit| {
        let jobs = store.import_jobs(after, limit).await.expect("asked");
        jobs.into_iter().map(|job| job.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 500).await, [85, 83, 82, 81], "the last one first");
    assert_eq!(page(Some((noon() + 2.hours(), Uuid::from_u128(83))), 1).await, [82]);
    let much_later = ImportEnd { now: noon() + 800.hours(), ..ended(ImportState::Failed, 0, None) };
    begin(86, ImportState::Running, noon() + 800.hours()).await;
    store.end_import(Uuid::from_u128(86), much_later).await.expect("ended");
    assert_eq!(rejected(85).await, None, "kept for some weeks");
}

pub async fn one_at_a_time_has_the_turn_to_import(store: &dyn Store) {
    furnished(store).await;
    let turn = store.import_turn().await.expect("asked").expect("free");
    assert!(store.import_turn().await.expect("asked").is_none());
    store.begin_import(new_import(81, ImportState::Running, noon())).await.expect("asked");
    drop(turn);
    // On PostgreSQL the connection that had it ends a moment later.
    let again = async {
        loop {
            if let Some(turn) = store.import_turn().await.expect("asked") {
                return turn;
            }
            tokio::task::yield_now().await;
        }
    };
    let _again = tokio::time::timeout(std::time::Duration::from_secs(20), again).await.expect("given back");
    store.fail_interrupted_imports(noon() + 1.hour()).await.expect("asked");
    let failed = store.import_job(Uuid::from_u128(81)).await.expect("asked").expect("there");
    assert_eq!((failed.state, failed.ended_at), (ImportState::Failed, Some(noon() + 1.hour())));
}
