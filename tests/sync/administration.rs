//! An entity's administrator: asks for CONVENIOS until the caja approves it, and says who works for the entity.

use std::sync::Arc;

use hanna_desk::applications::{ApplicationDraft, ApplicationForm, ApplicationRequest};
use hanna_desk::backend::FailureKind;
use hanna_desk::entity_users::{EntityUser, InvitationForm, Role, SetState};
use hanna_desk::{Desk, DeskError, ErrorCode, Event};
use hanna_domain::{Verdict, colombia};
use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::faults::Fault;
use hanna_testkit::server::TestServer;
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::application::{ApproveApplication, ApprovedBranch, ProposedBranch, RejectApplication};
use hanna_wire::entity_users::UserState;
use hanna_wire::limits::ATTACHMENT_MAX_BYTES;
use hanna_wire::me::ApplicationState;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::accounts::{EMAIL, PASSWORD, SECOND, code_in, form, mails, secret};

const NAME: &str = "cámara de comercio.pdf";

/// A server, and a desk at which the administrator of a new entity is signed in: nothing was asked for.
struct Newcomer {
    server: TestServer,
    clock: Arc<HandClock>,
    desk: TestDesk,
}

impl Newcomer {
    async fn begin() -> Self {
        let clock = HandClock::new();
        let server = TestServer::start(&clock).await;
        let desk = TestDesk::new(&server.url(), &clock, 1);
        let id = desk.register(&form(EMAIL)).await.expect("registered").registration_id.expect("an id");
        let code = code_in(&mails(&server).await[0]);
        desk.confirm_account(id, &code).await.expect("confirmed");
        server.app().approve_account(id, None).await.expect("approved");
        desk.sign_in(EMAIL, &secret(PASSWORD)).await.expect("signed in");
        Self { server, clock, desk }
    }

    /// Everything filled in, and nothing sent.
    async fn fill(&self) -> ApplicationDraft {
        let draft = self.desk.begin_application().await.expect("begun");
        self.desk.keep_application(filled(&draft.form)).await.expect("kept");
        self.desk.attach_file(NAME, pdf(300_000)).await.expect("attached");
        self.desk.begin_application().await.expect("there")
    }

    async fn tile(&self) -> (ApplicationState, Option<String>) {
        let session = self.desk.refresh_session().await.expect("asked");
        let tile = session.applications.into_iter().find(|tile| tile.code == "CONVENIOS").expect("the tile");
        (tile.state, tile.reason)
    }
}

/// The caja rejects a request.
async fn reject(server: &TestServer, id: Uuid, reason: &str) {
    let rejection = RejectApplication { revision: 1, reason: reason.to_owned() };
    server.app().reject_application(id, &rejection, None).await.expect("rejected");
}

/// The caja approves a request as it was asked for, with the usual terms.
async fn approve(server: &TestServer, request: &ApplicationRequest) {
    let today = colombia::day_of(server.clock.read());
    let branches = request.content.branches.iter().map(|proposed| ApprovedBranch {
        code: None,
        name: proposed.name.clone(),
        city: proposed.city.clone(),
    });
    let approval = ApproveApplication {
        revision: request.revision,
        agreement: AgreementTerms::usual("Descuento".into(), today),
        branches: branches.collect(),
    };
    server.app().approve_application(request.id, approval, None).await.expect("approved");
}

fn filled(begun: &ApplicationForm) -> ApplicationForm {
    ApplicationForm {
        contact_phone: secret("300 123 45 67"),
        benefit: " 20 % de descuento\nen la mensualidad ".into(),
        branches: vec![ProposedBranch {
            name: "Sede Norte".into(),
            city: "Barranquilla".into(),
            address: "Carrera 53 # 76-100".into(),
        }],
        ..begun.clone()
    }
}

/// A document of so many bytes.
fn pdf(size: usize) -> Vec<u8> {
    b"%PDF-1.7\n".iter().copied().chain((0..=250).cycle()).take(size).collect()
}

fn code<T>(outcome: Result<T, DeskError>) -> Result<T, ErrorCode> {
    outcome.map_err(|error| error.code())
}

fn states(request: &ApplicationRequest) -> Vec<(ApplicationState, u32)> {
    request.history.iter().map(|event| (event.state, event.revision)).collect()
}

#[tokio::test]
async fn a_request_is_rejected_put_right_and_approved_and_then_the_first_lookup_is_answered() {
    let story = Newcomer::begin().await;
    assert_eq!(story.tile().await.0, ApplicationState::NotRequested);
    let draft = story.fill().await;
    assert_eq!(draft.form.contact_email.expose(), EMAIL, "whoever fills it in is whom the caja talks to");
    let sent = story.desk.send_application().await.expect("sent");
    assert_eq!(sent.content.benefit, "20 % de descuento en la mensualidad");
    assert_eq!((sent.attachment.file_name.as_str(), sent.attachment.size_bytes), (NAME, 300_000));
    assert_eq!(story.tile().await.0, ApplicationState::Submitted);
    assert_eq!(code(story.desk.begin_application().await), Err(ErrorCode::AlreadyRequested));

    reject(&story.server, sent.id, "La cámara de comercio está vencida.").await;
    assert_eq!(
        story.tile().await,
        (ApplicationState::Rejected, Some("La cámara de comercio está vencida.".into()))
    );
    let correcting = story.desk.begin_application().await.expect("begun");
    assert_eq!(correcting.form.benefit, sent.content.benefit, "what was said is there");
    assert_eq!(correcting.file.as_ref().map(|file| file.file_name.as_str()), Some(NAME));
    let reason = correcting.corrects.as_ref().and_then(|correction| correction.reason.as_deref());
    assert_eq!(reason, Some("La cámara de comercio está vencida."));
    // The same file is not brought again: nothing of it is on this PC any more.
    let benefit = "30 % de descuento".to_owned();
    story.desk.keep_application(ApplicationForm { benefit, ..correcting.form }).await.expect("kept");
    let again = story.desk.send_application().await.expect("sent again");
    assert_eq!((again.id, again.revision, again.attachment.id), (sent.id, 2, sent.attachment.id));
    assert_eq!(story.tile().await.0, ApplicationState::Submitted);

    approve(&story.server, &again).await;
    assert_eq!(story.tile().await.0, ApplicationState::Approved);
    let known = story.desk.application_requests().await.expect("listed");
    assert_eq!(known.len(), 1);
    assert_eq!(
        states(&known[0]),
        [
            (ApplicationState::Submitted, 1),
            (ApplicationState::Rejected, 1),
            (ApplicationState::Submitted, 2),
            (ApplicationState::Approved, 2),
        ]
    );
    let branches = story.desk.session().expect("signed in").branches;
    assert_eq!(branches.iter().map(|branch| branch.name.as_str()).collect::<Vec<_>>(), ["Sede Norte"]);
    let card = story.desk.ask(&story.server.demo.documents.active[0]).await;
    assert_eq!(card.verdict, Verdict::Active);
}

#[tokio::test]
async fn what_is_filled_in_survives_a_lost_connection_lost_answers_and_a_restart_and_arrives_once() {
    let mut story = Newcomer::begin().await;
    story.fill().await;
    story.desk.line.cut(Some(FailureKind::Unreachable));
    assert_eq!(code(story.desk.send_application().await), Err(ErrorCode::ServerUnreachable));
    story.desk.line.cut(None);
    // The file arrives, and nobody hears of it.
    story.desk.line.next(Fault::LoseAnswer);
    assert_eq!(code(story.desk.send_application().await), Err(ErrorCode::ServerUnreachable));

    story.desk.switch_off();
    story.desk.switch_on().await.expect("opened");
    story.desk.sign_in(EMAIL, &secret(PASSWORD)).await.expect("signed in");
    let draft = story.desk.begin_application().await.expect("there");
    assert_eq!(draft.form.branches[0].address, "Carrera 53 # 76-100");
    assert_eq!(draft.file.as_ref().map(|file| file.size_bytes), Some(300_000));

    let mut events = story.desk.events();
    // The file goes through; the request arrives, and nobody hears of that.
    story.desk.line.next(Fault::Forge(|statement| statement));
    story.desk.line.next(Fault::LoseAnswer);
    assert_eq!(code(story.desk.send_application().await), Err(ErrorCode::ServerUnreachable));
    let request = story.desk.send_application().await.expect("the same again");
    assert_eq!((request.id, request.revision), (draft.id, 1));
    assert_eq!(story.desk.application_requests().await.expect("listed").len(), 1);
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::Upload(progress) = event {
            told.push(progress.sent_bytes);
        }
    }
    assert!(told.len() > 2 && told.contains(&300_000), "{told:?}");
    assert_eq!(code(story.desk.send_application().await), Err(ErrorCode::ItemNotFound), "the draft is gone");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_before_the_server_is_asked() {
    let mut story = Newcomer::begin().await;
    let begun = story.desk.begin_application().await.expect("begun");
    let form = filled(&begun.form);
    story.server.stop().await;
    let too_large = story.desk.attach_file(NAME, pdf(ATTACHMENT_MAX_BYTES + 1)).await;
    assert_eq!(code(too_large), Err(ErrorCode::AttachmentTooLarge));
    let disguised = story.desk.attach_file("foto.png", b"GIF89a".to_vec()).await;
    assert_eq!(code(disguised), Err(ErrorCode::AttachmentKind));
    let send = async |change: fn(&mut ApplicationForm)| {
        let mut form = form.clone();
        change(&mut form);
        story.desk.keep_application(form).await.expect("kept, right or not");
        code(story.desk.send_application().await.map(drop))
    };
    assert_eq!(send(|_| {}).await, Err(ErrorCode::RequestIncomplete), "no file");
    story.desk.attach_file(NAME, pdf(ATTACHMENT_MAX_BYTES)).await.expect("just small enough");
    assert_eq!(send(|form| form.contact_email = secret("nadia")).await, Err(ErrorCode::EmailInvalid));
    assert_eq!(send(|form| form.contact_phone = secret("no")).await, Err(ErrorCode::PhoneInvalid));
    assert_eq!(send(|form| form.benefit = " ".into()).await, Err(ErrorCode::RequestIncomplete));
    assert_eq!(send(|form| form.branches.clear()).await, Err(ErrorCode::RequestIncomplete));
    assert_eq!(send(|form| form.branches[0].city.clear()).await, Err(ErrorCode::RequestIncomplete));
    assert_eq!(send(|_| {}).await, Err(ErrorCode::ServerUnreachable), "nothing was wrong");
    story.server.resume();
    story.desk.send_application().await.expect("the largest file there may be arrives");
}

fn invitation(email: &str) -> InvitationForm {
    InvitationForm {
        display_name: secret(" Luis Peñaranda "),
        email: secret(email),
        roles: vec![Role::Operator],
        branches: Vec::new(),
    }
}

async fn user(desk: &Desk, id: Uuid) -> EntityUser {
    let page = desk.entity_users("", None).await.expect("listed");
    page.items.into_iter().find(|user| user.id == id).expect("in the list")
}

#[tokio::test]
async fn somebody_invited_sets_a_password_works_and_is_out_as_soon_as_they_are_suspended() {
    const LUIS: &str = "luis@gym-nuevo.co";
    let story = Newcomer::begin().await;
    story.desk.line.next(Fault::LoseAnswer);
    assert_eq!(code(story.desk.invite_user(&invitation(LUIS)).await), Err(ErrorCode::ServerUnreachable));
    let mailed = mails(&story.server).await.len();
    let invited = story.desk.invite_user(&invitation(LUIS)).await.expect("invited");
    assert_eq!(mails(&story.server).await.len(), mailed, "one invitation, one mail");
    assert_eq!(
        (invited.state, invited.display_name.expose().as_str()),
        (UserState::Invited, "Luis Peñaranda")
    );
    assert_eq!(code(story.desk.invite_user(&invitation(EMAIL)).await), Err(ErrorCode::UsernameTaken));
    assert_eq!(code(story.desk.invite_user(&invitation("luis")).await), Err(ErrorCode::EmailInvalid));
    let found = story.desk.entity_users("PENARANDA", None).await.expect("asked").items;
    assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), [invited.id], "whatever the accents");

    // At another PC, with what the mail says.
    let other = TestDesk::new(&story.server.url(), &story.clock, 2);
    story.clock.advance(SignedDuration::from_mins(5));
    other.forgot_password(&secret(LUIS)).await.expect("sent");
    let code_mailed = code_in(mails(&story.server).await.last().expect("a mail"));
    other.reset_password(&secret(LUIS), &code_mailed, &secret(SECOND)).await.expect("set");
    other.sign_in(LUIS, &secret(SECOND)).await.expect("signed in");
    assert_eq!(user(&story.desk, invited.id).await.state, UserState::Active);
    assert_eq!(code(other.entity_users("", None).await), Err(ErrorCode::Forbidden), "an operator");
    assert_eq!(code(story.desk.invite_again(invited.id).await), Err(ErrorCode::ItemNotFound), "no more");

    let suspended = story.desk.set_user_state(invited.id, SetState::Suspended).await.expect("suspended");
    assert_eq!(suspended.state, UserState::Suspended);
    assert_eq!(code(other.refresh_session().await), Err(ErrorCode::SessionExpired));
    assert_eq!(code(other.sign_in(LUIS, &secret(SECOND)).await), Err(ErrorCode::AccountNotActive));
    story.desk.set_user_state(invited.id, SetState::Active).await.expect("let in again");
    other.sign_in(LUIS, &secret(SECOND)).await.expect("signed in");

    // A password that is worth nothing any more ends the session too.
    story.clock.advance(SignedDuration::from_mins(5));
    story.desk.reset_user(invited.id).await.expect("reset");
    assert_eq!(code(other.refresh_session().await), Err(ErrorCode::SessionExpired));
    assert_eq!(code(other.sign_in(LUIS, &secret(SECOND)).await), Err(ErrorCode::WrongCredentials));
}

#[tokio::test]
async fn an_entity_keeps_an_administrator_and_nobody_locks_themselves_out() {
    let story = Newcomer::begin().await;
    let own = story.desk.session().expect("signed in").operator.id;
    let alone = story.desk.assign_user(own, vec![Role::Operator], vec![]).await;
    assert_eq!(code(alone), Err(ErrorCode::LastAdministrator));
    let suspend = story.desk.set_user_state(own, SetState::Suspended).await;
    assert_eq!(code(suspend), Err(ErrorCode::LastAdministrator));
    assert_eq!(user(&story.desk, own).await.state, UserState::Active);
    let stranger = story.server.demo.accounts[0].username.clone();
    let others = story.desk.entity_users(&stranger, None).await.expect("asked");
    assert!(others.items.is_empty(), "the people of another entity are nobody here");
    let unknown = story.desk.set_user_state(Uuid::from_u128(1), SetState::Suspended).await;
    assert_eq!(code(unknown), Err(ErrorCode::ItemNotFound));
    let invited = story.desk.invite_user(&invitation("luis@gym-nuevo.co")).await.expect("invited");
    // Nobody's letter box is filled: after a few mails it takes longer and longer.
    let mut outcomes = Vec::new();
    for _ in 0..8 {
        outcomes.push(code(story.desk.invite_again(invited.id).await));
    }
    assert_eq!((outcomes[0], outcomes[7]), (Ok(()), Err(ErrorCode::SlowDown)));
}

#[tokio::test]
async fn an_account_of_the_caja_is_not_signed_in_at_a_desk_and_leaves_nothing_there() {
    let clock = HandClock::new();
    let mut server = TestServer::start(&clock).await;
    let desk = TestDesk::new(&server.url(), &clock, 1);
    // With its second factor, and with that to set up yet.
    for username in ["convenios@lacaja.co", "nueva@lacaja.co"] {
        let account =
            server.demo.accounts.iter().find(|account| account.username == username).expect("listed");
        let password = secret(&account.password);
        assert_eq!(code(desk.sign_in(username, &password).await), Err(ErrorCode::SecondFactorRequired));
        assert_eq!(code(desk.session()), Err(ErrorCode::NotSignedIn));
        // Nor without the server: this PC does not know them.
        server.stop().await;
        assert_eq!(code(desk.sign_in(username, &password).await), Err(ErrorCode::ServerUnreachable));
        server.resume();
    }
    let operator = server.demo.accounts[0].clone();
    desk.sign_in(&operator.username, &secret(&operator.password)).await.expect("an operator");
}
