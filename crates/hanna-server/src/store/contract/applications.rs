//! Application requests and their files.

use futures_util::future::join_all;
use hanna_domain::Redacted;
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::application::{ApplicationContent, Attachment, MediaType, ProposedBranch};
use hanna_wire::limits::ATTACHMENTS_WAITING_MAX;
use hanna_wire::me::{ApplicationState, Role};
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use super::fixtures::*;
use crate::audit::Actor;
use crate::mail::MailKind;
use crate::store::*;

pub(super) const FILE: Uuid = Uuid::from_u128(300);
pub(super) const REQUEST: Uuid = Uuid::from_u128(400);

/// Two entities that never asked for anything. Luis administers the first, and looks people up.
pub(super) async fn asking(store: &dyn Store) {
    let mut asking = installation("asking");
    for entity in &mut asking.entities {
        entity.application = ApplicationState::NotRequested;
    }
    asking.accounts[1].roles.push(Role::Operator);
    let nobody = Box::new(Rows::new(Vec::new()));
    assert_eq!(
        store.install(asking, nobody, noon(), Actor::Server).await.expect("installed"),
        Installed::Done
    );
}

fn file(id: Uuid, entity_id: Uuid, now: Timestamp) -> NewAttachment {
    let attachment = Attachment {
        id,
        file_name: "cámara.pdf".into(),
        media_type: MediaType::Pdf,
        size_bytes: 5,
        sha256: "0".repeat(64),
    };
    NewAttachment { attachment, bytes: Redacted::new(b"%PDF-".to_vec()), entity_id, by: LUIS, now }
}

pub(super) fn content(attachment_id: Uuid, benefit: &str) -> ApplicationContent {
    ApplicationContent {
        contact_name: Redacted::new("Luis".into()),
        contact_email: Redacted::new("luis@gym.co".into()),
        contact_phone: Redacted::new("3001234567".into()),
        benefit: benefit.into(),
        branches: vec![ProposedBranch {
            name: "Norte".into(),
            city: "Soledad".into(),
            address: "Calle 1".into(),
        }],
        attachment_id,
    }
}

pub(super) fn request(id: Uuid, entity_id: Uuid, attachment_id: Uuid) -> NewApplication {
    let (application, content) = ("CONVENIOS".into(), content(attachment_id, "20 %"));
    NewApplication { id, application, entity_id, content, by: LUIS, now: noon() }
}

pub(super) async fn submitted(store: &dyn Store) {
    assert_eq!(store.attach(file(FILE, ENTITY, noon())).await.expect("asked"), Attached::Kept);
    let submitted = store.submit_application(request(REQUEST, ENTITY, FILE)).await.expect("asked");
    assert_eq!(submitted, Submitted::Kept);
}

pub(super) fn ruling(id: Uuid, revision: u32, judgement: Judgement) -> Ruling {
    let nth = match judgement {
        Judgement::Review => 1,
        Judgement::Approve { .. } => 2,
        Judgement::Reject(_) => 3,
    };
    let mail_id = Uuid::from_u128(id.as_u128() * 10 + nth);
    let recipient = Redacted::new("luis@gym.co".into());
    let mail = Mail::new(mail_id, MailKind::ApplicationApproved, &recipient, &[], noon());
    Ruling { id, revision, judgement, mail: Some(mail), by: Actor::Server, now: noon() }
}

pub(super) fn approve(entity_id: Uuid, first: u128, codes: &[Option<&str>]) -> Judgement {
    let branch = |(place, code): (usize, Option<&str>)| NewBranch {
        id: Uuid::from_u128(first + 1 + place as u128),
        entity_id,
        code: code.map(str::to_owned),
        name: format!("Sede {place}"),
        city: "Soledad".into(),
    };
    Judgement::Approve {
        agreement_id: Uuid::from_u128(first),
        terms: Box::new(AgreementTerms::usual("Convenio".into(), date(2026, 11, 22))),
        branches: codes.iter().copied().enumerate().map(branch).collect(),
    }
}

async fn state(store: &dyn Store) -> Option<(ApplicationState, Option<String>)> {
    let seen = store.surroundings(LUIS, date(2026, 11, 22)).await.expect("asked").expect("there");
    seen.applications.into_iter().next().map(|row| (row.state, row.reason))
}

pub async fn a_request_is_decided_and_the_application_follows(store: &dyn Store) {
    asking(store).await;
    assert_eq!(state(store).await, None);
    let nothing = store.submit_application(request(REQUEST, ENTITY, FILE)).await.expect("asked");
    assert_eq!(nothing, Submitted::NoAttachment);
    submitted(store).await;
    assert_eq!(state(store).await, Some((ApplicationState::Submitted, None)));
    let again = store.submit_application(request(REQUEST, ENTITY, FILE)).await.expect("asked");
    assert_eq!(again, Submitted::Again);
    for (other, expected) in [
        (request(REQUEST, OTHER_ENTITY, FILE), Submitted::IdConflict),
        (request(Uuid::from_u128(401), ENTITY, FILE), Submitted::AlreadyRequested),
        (request(Uuid::from_u128(401), OTHER_ENTITY, FILE), Submitted::NoAttachment),
    ] {
        assert_eq!(store.submit_application(other).await.expect("asked"), expected);
    }

    let rule =
        async |revision, judgement| store.rule(ruling(REQUEST, revision, judgement)).await.expect("asked");
    assert_eq!(rule(2, Judgement::Review).await, Ruled::NotPending, "it does not say that");
    for _ in 0..2 {
        assert_eq!(rule(1, Judgement::Review).await, Ruled::Done);
    }
    assert_eq!(rule(1, approve(ENTITY, 500, &[Some("A")])).await, Ruled::CodeTaken);
    assert_eq!(state(store).await, Some((ApplicationState::InReview, None)), "nothing changed");
    assert_eq!(rule(1, approve(ENTITY, 500, &[None, Some("ENT-01"), None])).await, Ruled::Done);
    assert_eq!(rule(1, Judgement::Reject("Tarde.".into())).await, Ruled::NotPending);
    let unknown = store.rule(ruling(ENTITY, 1, Judgement::Review)).await.expect("asked");
    assert_eq!(unknown, Ruled::Unknown);

    assert_eq!(state(store).await, Some((ApplicationState::Approved, None)));
    let seen = store.surroundings(LUIS, date(2026, 11, 22)).await.expect("asked").expect("there");
    let branches: Vec<_> =
        seen.branches.iter().map(|branch| (branch.code.as_str(), branch.name.as_str())).collect();
    assert_eq!(branches, [("ENT-01", "Sede 1"), ("ENT-02", "Sede 0"), ("ENT-03", "Sede 2")]);
    assert_eq!(seen.agreements.len(), 3, "each is covered");
    let ana = store.surroundings(ANA, date(2026, 11, 22)).await.expect("asked").expect("there");
    assert_eq!(ana.branches.len(), 2, "an operator works where they did");
    let kept = store.application_request(REQUEST).await.expect("asked").expect("there");
    assert_eq!((kept.asker.expose().as_str(), kept.asker_name.expose().as_str()), ("luis", "LUIS"));
    let history: Vec<_> =
        kept.request.history.iter().map(|event| (event.state, event.by.as_deref())).collect();
    assert_eq!(
        history,
        [
            (ApplicationState::Submitted, Some("LUIS")),
            (ApplicationState::InReview, None),
            (ApplicationState::Approved, None)
        ]
    );
}

pub async fn a_rejected_request_is_sent_again_and_keeps_what_was_said(store: &dyn Store) {
    asking(store).await;
    submitted(store).await;
    let correct = async |id, entity_id, revision, benefit: &str| {
        let content = content(FILE, benefit);
        let correction = Correction { id, entity_id, revision, content, by: ANA, now: noon() };
        store.correct_application(correction).await.expect("asked")
    };
    assert_eq!(correct(REQUEST, ENTITY, 1, "30 %").await, Corrected::NotRejected);
    let reject = ruling(REQUEST, 1, Judgement::Reject("Falta.".into()));
    assert_eq!(store.rule(reject).await.expect("asked"), Ruled::Done);
    assert_eq!(state(store).await, Some((ApplicationState::Rejected, Some("Falta.".into()))));
    assert_eq!(correct(REQUEST, OTHER_ENTITY, 1, "30 %").await, Corrected::Unknown);
    assert_eq!(correct(ENTITY, ENTITY, 1, "30 %").await, Corrected::Unknown);
    assert_eq!(correct(REQUEST, ENTITY, 2, "30 %").await, Corrected::NotRejected);
    assert_eq!(correct(REQUEST, ENTITY, 1, "30 %").await, Corrected::Done);
    assert_eq!(correct(REQUEST, ENTITY, 1, "30 %").await, Corrected::Again);
    assert_eq!(correct(REQUEST, ENTITY, 1, "40 %").await, Corrected::NotRejected);
    assert_eq!(state(store).await, Some((ApplicationState::Submitted, None)));
    let kept = store.application_request(REQUEST).await.expect("asked").expect("there");
    assert_eq!((kept.request.revision, kept.request.content.benefit.as_str()), (2, "30 %"));
    assert_eq!(kept.asker.expose(), "ana", "who sent it last");
    let reasons: Vec<_> =
        kept.request.history.iter().map(|event| (event.revision, event.reason.as_deref())).collect();
    assert_eq!(reasons, [(1, None), (1, Some("Falta.")), (2, None)]);
    // The very first content under the id is still known.
    let again = store.submit_application(request(REQUEST, ENTITY, FILE)).await.expect("asked");
    assert_eq!(again, Submitted::Again);

    let listed = async |filter: RequestFilter| {
        let listed = store.application_requests(RequestFilter { limit: 9, ..filter }).await.expect("asked");
        listed.into_iter().map(|request| request.history.len()).collect::<Vec<_>>()
    };
    let all = RequestFilter::default;
    assert_eq!(listed(all()).await, [3]);
    assert_eq!(listed(RequestFilter { search: Some("entidad".into()), ..all() }).await, [3]);
    assert_eq!(listed(RequestFilter { search: Some("nadie".into()), ..all() }).await, [0; 0]);
    assert_eq!(listed(RequestFilter { entity_id: Some(OTHER_ENTITY), ..all() }).await, [0; 0]);
    assert_eq!(listed(RequestFilter { state: Some(ApplicationState::Rejected), ..all() }).await, [0; 0]);
    assert_eq!(listed(RequestFilter { after: Some((noon(), REQUEST)), ..all() }).await, [0; 0]);
    assert_eq!(listed(RequestFilter { after: Some((noon() + 1.second(), FILE)), ..all() }).await, [3]);
}

pub async fn files_nobody_names_are_few_and_go(store: &dyn Store) {
    asking(store).await;
    submitted(store).await;
    assert_eq!(store.attach(file(FILE, ENTITY, noon())).await.expect("asked"), Attached::Kept, "again");
    assert_eq!(store.attach(file(FILE, OTHER_ENTITY, noon())).await.expect("asked"), Attached::IdConflict);
    for n in 0..ATTACHMENTS_WAITING_MAX {
        let one = file(Uuid::from_u128(1_000 + u128::from(n)), ENTITY, noon());
        assert_eq!(store.attach(one).await.expect("asked"), Attached::Kept);
    }
    let full = store.attach(file(Uuid::from_u128(2_000), ENTITY, noon())).await.expect("asked");
    assert_eq!(full, Attached::Full(noon() + UNNAMED_MAX));
    let elsewhere = store.attach(file(Uuid::from_u128(2_001), OTHER_ENTITY, noon())).await.expect("asked");
    assert_eq!(elsewhere, Attached::Kept);
    let later = noon() + 25.hours();
    let kept = store.attach(file(Uuid::from_u128(2_000), ENTITY, later)).await.expect("asked");
    assert_eq!(kept, Attached::Kept);
    let got = store.attachment(REQUEST, Some(ENTITY)).await.expect("asked").expect("named");
    assert_eq!((got.attachment.id, got.bytes.expose().as_slice()), (FILE, &b"%PDF-"[..]));
    assert!(store.attachment(REQUEST, None).await.expect("asked").is_some());
    assert!(store.attachment(REQUEST, Some(OTHER_ENTITY)).await.expect("asked").is_none());
    let gone = request(Uuid::from_u128(401), OTHER_ENTITY, Uuid::from_u128(2_001));
    assert_eq!(store.submit_application(gone).await.expect("asked"), Submitted::NoAttachment);
}

pub async fn requests_at_once_are_one_and_decided_once(store: &dyn Store) {
    asking(store).await;
    assert_eq!(store.attach(file(FILE, ENTITY, noon())).await.expect("asked"), Attached::Kept);
    let all = (0..6).map(|n| store.submit_application(request(Uuid::from_u128(400 + n), ENTITY, FILE)));
    let done: Vec<_> = join_all(all).await.into_iter().map(|done| done.expect("asked")).collect();
    assert_eq!(done.iter().filter(|done| **done == Submitted::Kept).count(), 1, "{done:?}");
    let place = done.iter().position(|done| *done == Submitted::Kept).expect("one");
    let id = Uuid::from_u128(400 + place as u128);
    let all = (0..6).map(|n| match n % 2 {
        0 => store.rule(ruling(id, 1, approve(ENTITY, 500 + 10 * n, &[None]))),
        _ => store.rule(ruling(id, 1, Judgement::Reject("No.".into()))),
    });
    let done: Vec<_> = join_all(all).await.into_iter().map(|done| done.expect("asked")).collect();
    assert_eq!(done.iter().filter(|done| **done == Ruled::Done).count(), 1, "{done:?}");
    let kept = store.application_request(id).await.expect("asked").expect("there");
    assert_eq!(kept.request.history.len(), 2);
}

pub async fn codes_made_at_once_are_different(store: &dyn Store) {
    asking(store).await;
    for (n, entity_id) in [(0, ENTITY), (1, OTHER_ENTITY)] {
        let (file_id, id) = (Uuid::from_u128(310 + n), Uuid::from_u128(410 + n));
        store.attach(file(file_id, entity_id, noon())).await.expect("asked");
        store.submit_application(request(id, entity_id, file_id)).await.expect("asked");
    }
    let both = [(0, ENTITY), (1, OTHER_ENTITY)].map(|(n, entity_id)| {
        store.rule(ruling(Uuid::from_u128(410 + n), 1, approve(entity_id, 500 + 10 * n, &[None, None])))
    });
    for done in join_all(both).await {
        assert_eq!(done.expect("asked"), Ruled::Done);
    }
    let mut codes = Vec::new();
    for entity_id in [ENTITY, OTHER_ENTITY] {
        codes.extend(store.branches(entity_id).await.expect("asked").into_iter().map(|branch| branch.code));
    }
    codes.retain(|code| code.starts_with("ENT-"));
    codes.sort_unstable();
    assert_eq!(codes, ["ENT-01", "ENT-02", "ENT-03", "ENT-04"]);
}
