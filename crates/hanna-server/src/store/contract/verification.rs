use hanna_domain::{CodeOf, VerificationCode};
use hanna_wire::verification::{TariffUses, Verified, VerifiedReport, VerifiedUse};

use super::*;

pub async fn what_a_code_stands_for_is_kept_as_it_was(store: &dyn Store) {
    furnished(store).await;
    let active = statement(store, question(1, NORTH, "1001")).await;
    let taken = take_in(store, vec![arrival(100, &active, noon()), arrival(101, &active, noon())]).await;
    assert_eq!(taken, [ACCEPTED, NOTED]);
    assert_eq!(take_in(store, vec![void(200, 101, noon())]).await, [ACCEPTED]);
    let of = |of, id| VerificationCode { of, id: Uuid::from_u128(id) };
    let receipt = store.verify(of(CodeOf::Use, 100)).await.expect("asked").expect("reported");
    let Verified::Use(VerifiedUse { entity_name, branch_name, occurred_at, tariff, voided }) = receipt else {
        panic!("a use")
    };
    assert_eq!((occurred_at, tariff, voided), (noon(), active.tariff, false));
    let rows = all_uses(store).await;
    assert_eq!(branch_name, rows[0].branch_name);
    let voided = store.verify(of(CodeOf::Use, 101)).await.expect("asked").expect("reported");
    assert!(matches!(voided, Verified::Use(VerifiedUse { voided: true, .. })), "{voided:?}");
    for unknown in [of(CodeOf::Use, 102), of(CodeOf::Use, 200), of(CodeOf::Report, 100)] {
        assert_eq!(store.verify(unknown).await.expect("asked"), None, "{unknown}");
    }

    let around = || UsageFilter { from: noon() - 1.hour(), to: noon() + 1.hour(), ..ever() };
    let new = |id, uses| KeptReport { id: Uuid::from_u128(id), account_id: ANA, uses, now: noon() };
    let keep = async |report| store.keep_report(report).await.expect("kept");
    let expected = VerifiedReport {
        entity_name,
        branches: Vec::new(),
        from: around().from,
        to: around().to,
        made_at: noon(),
        totals: vec![TariffUses { tariff: active.tariff, uses: 1 }],
        voided: 1,
    };
    let kept = ReportKept::Kept(Box::new(expected.clone()));
    assert_eq!(keep(new(300, around())).await, kept);
    // Later, and after another use: what was printed stays what is answered.
    assert_eq!(take_in(store, vec![arrival(102, &active, noon())]).await, [NOTED]);
    assert_eq!(keep(KeptReport { now: noon() + 1.hour(), ..new(300, around()) }).await, kept);
    let verified = store.verify(of(CodeOf::Report, 300)).await.expect("asked");
    assert_eq!(verified, Some(Verified::Report(expected.clone())));
    for other in [
        new(300, UsageFilter { from: noon(), ..around() }),
        KeptReport { account_id: LUIS, ..new(300, around()) },
        new(300, UsageFilter { entity_id: OTHER_ENTITY, ..around() }),
    ] {
        assert_eq!(keep(other).await, ReportKept::IdConflict);
    }
    let north = new(301, UsageFilter { branches: Some(vec![NORTH]), ..around() });
    let ReportKept::Kept(of_north) = keep(north).await else { panic!("kept") };
    assert_eq!((of_north.branches.as_slice(), of_north.uses()), ([branch_name].as_slice(), 2));
    let nothing = new(302, UsageFilter { branches: Some(vec![SOUTH]), ..around() });
    let ReportKept::Kept(nothing) = keep(nothing).await else { panic!("kept") };
    assert_eq!((nothing.branches.len(), nothing.totals.as_slice(), nothing.voided), (1, [].as_slice(), 0));
}
