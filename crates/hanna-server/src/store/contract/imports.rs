//! Imports of affiliates, and installations.

use super::*;

pub async fn an_import_is_all_or_nothing(store: &dyn Store) {
    furnished(store).await;
    let status = async |lookup, number| {
        let affiliate = statement(store, question(lookup, NORTH, number)).await.affiliate;
        affiliate.map(|affiliate| (affiliate.status, affiliate.company.map(|company| company.status)))
    };
    let clean =
        vec![person(2, "1001", AffiliateStatus::Suspended), person(3, "1003", AffiliateStatus::Active)];
    let counts = store
        .import_affiliates(Box::new(Rows::new(clean)), ImportHow::default(), noon(), Actor::Server)
        .await
        .expect("asked");
    assert_eq!(counts, Some(ImportCounts { added: 1, updated: 1, removed: 0 }));
    assert_eq!(status(1, "1001").await.map(|(status, _)| status), Some(AffiliateStatus::Suspended));

    let mut contradicting = person(4, "1004", AffiliateStatus::Active);
    if let Some(company) = &mut contradicting.affiliate.company {
        company.status = CompanyStatus::Suspended;
    }
    let bad = Rows::new(vec![
        person(2, "1001", AffiliateStatus::Inactive),
        person(3, "1001", AffiliateStatus::Active),
        contradicting,
    ]);
    let refused = std::sync::Arc::clone(&bad.refused);
    assert_eq!(
        store
            .import_affiliates(Box::new(bad), ImportHow::default(), noon(), Actor::Server)
            .await
            .expect("asked"),
        None
    );
    let mut refused = refused.lock().expect("not poisoned").clone();
    refused.sort_by_key(|(line, _)| *line);
    assert_eq!(
        refused,
        [
            (3, RowConflict::DuplicateDocument { first_line: 2 }),
            (4, RowConflict::CompanyDisagrees { first_line: 2 }),
        ]
    );
    let unchanged = Some((AffiliateStatus::Suspended, Some(CompanyStatus::Active)));
    assert_eq!(status(2, "1001").await, unchanged);
    assert_eq!(status(3, "1004").await, None);
}

pub async fn an_import_replaces_is_tried_out_and_is_stopped(store: &dyn Store) {
    furnished(store).await;
    let active = AffiliateStatus::Active;
    let import = async |numbers: &[&str], how, stopped_at| {
        let rows = numbers.iter().zip(2..).map(|(number, line)| person(line, number, active)).collect();
        let mut rows = Rows::new(rows);
        rows.stopped_at = stopped_at;
        store.import_affiliates(Box::new(rows), how, noon(), Actor::Server).await.expect("asked")
    };
    let counts = |added, updated, removed| Some(ImportCounts { added, updated, removed });
    let (adding, replacing) = (ImportHow::default(), ImportHow { replaces: true, ..ImportHow::default() });
    let tried = |how| ImportHow { dry_run: true, ..how };
    import(&[], replacing, None).await;
    assert_eq!(import(&["1001", "1002", "1003"], adding, None).await, counts(3, 0, 0));
    assert_eq!(import(&["1003", "1004"], adding, None).await, counts(1, 1, 0));

    // What is only tried, or stopped at its end or just before it is kept, changes nothing.
    for _ in 0..2 {
        assert_eq!(import(&["1001", "1005"], tried(adding), None).await, counts(1, 1, 0));
        assert_eq!(import(&["1001", "1005"], tried(replacing), None).await, counts(1, 1, 3));
        for asked in [1, 2] {
            assert_eq!(import(&["1001", "1005"], replacing, Some(asked)).await, None);
        }
    }
    assert_eq!(import(&["1001", "1005"], replacing, None).await, counts(1, 1, 3));
    assert_eq!(import(&["1001", "1002", "1003", "1004", "1005"], tried(adding), None).await, counts(3, 2, 0));
    let gone = statement(store, question(1, NORTH, "1003")).await;
    assert_eq!((gone.affiliate, gone.usable), (None, false));
}

pub async fn an_installation_never_mixes_with_people_that_are_there(store: &dyn Store) {
    let rows = || Rows::new(vec![person(1, "1001", AffiliateStatus::Active)]);
    let counts = store.import_affiliates(Box::new(rows()), ImportHow::default(), noon(), Actor::Server).await;
    assert!(counts.expect("asked").is_some());
    let installed =
        store.install(installation("a"), Box::new(rows()), noon(), Actor::Server).await.expect("asked");
    assert_eq!(installed, Installed::OthersThere);
    assert!(store.credentials("ana".into()).await.expect("asked").is_none());
}

pub async fn an_installation_happens_once(store: &dyn Store) {
    let twice = Rows::new(vec![
        person(1, "1001", AffiliateStatus::Active),
        person(2, "1001", AffiliateStatus::Active),
    ]);
    let install = async |mark: &str, rows| {
        store.install(installation(mark), Box::new(rows), noon(), Actor::Server).await.expect("asked")
    };
    assert_eq!(install("a", twice).await, Installed::Contradiction);
    assert!(store.credentials("ana".into()).await.expect("asked").is_none(), "nothing changed");
    let one = || Rows::new(vec![person(1, "1001", AffiliateStatus::Active)]);
    assert_eq!(install("a", one()).await, Installed::Done);
    assert_eq!(install("a", one()).await, Installed::AlreadyThere);
    assert_eq!(install("b", one()).await, Installed::OthersThere);
}
