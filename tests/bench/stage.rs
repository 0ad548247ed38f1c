//! The stage: a real desk with a full cache, whose server signs while the stage is set and is gone afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use hanna_desk::backend::{AccessToken, Administration, Answered, Backend, Failure, FailureKind, Upload};
use hanna_desk::ports::{Chance, System};
use hanna_desk::{BATCH_ITEMS_MAX, Desk, Setup, VaultChoice};
use hanna_domain::statement::{PublicKey, sign};
use hanna_domain::{
    Affiliate, AffiliateRole, AffiliateStatus, Company, CompanyStatus, DeskPolicy, Document, DocumentKind,
    Redacted, Statement, Tariff,
};
use hanna_wire::account::{
    ChangePassword, CodeSent, Confirm, ForgotPassword, Register, ResendCode, ResetPassword,
};
use hanna_wire::application::{
    ApplicationRequest, ApplicationRequests, Attachment, CorrectApplication, SubmitApplication,
};
use hanna_wire::entity_users::{ChangeUser, EntityBranches, EntityUser, EntityUsers, InviteUser, UserQuery};
use hanna_wire::health::Health;
use hanna_wire::keys::Keys;
use hanna_wire::lookup::{LookupAnswer, LookupRequest, RegularsAnswer, RegularsRequest};
use hanna_wire::me::{Application, ApplicationState, Branch, Me, Operator};
use hanna_wire::outbox::{Batch, BatchAnswer};
use hanna_wire::second_factor::SecondFactor;
use hanna_wire::session::{Granted, Refresh, SignIn};
use hanna_wire::usage::{UsagePage, UsageQuery};
use hanna_wire::verification::{NewReport, ReportCode};
use jiff::{Timestamp, ToSpan};
use jsonwebtoken::EncodingKey;
use tempfile::TempDir;
use uuid::Uuid;

/// How long what follows a card may take before the next person comes.
const BETWEEN_PEOPLE: std::time::Duration = std::time::Duration::from_millis(2);

const BRANCH: Uuid = Uuid::from_u128(4);

/// Everything set.
pub struct Stage {
    pub desk: Desk,
    pub people: u32,
    pub server: Arc<Signer>,
    pub folder: TempDir,
}

impl Stage {
    /// Looks `people` people up once, so that each is in the cache, and takes the server away.
    pub async fn set(people: u32) -> Self {
        let server = Arc::new(Signer::new());
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(Setup {
            data_dir: folder.path().join("desk"),
            device_name: "bench".into(),
            server: "bench".into(),
            vault: VaultChoice::Memory,
            backend: Arc::clone(&server) as _,
            clock: Arc::new(System),
            chance: Arc::new(System),
            batch_items_max: BATCH_ITEMS_MAX,
        })
        .expect("the desk opens");
        desk.sign_in("bench", &Redacted::new("bench".into())).await.expect("signed in");
        desk.choose_branch(BRANCH).await.expect("a branch");
        for n in 0..people {
            desk.lookup(DocumentKind::CC, &number(n)).await.expect("a card");
        }
        server.gone.store(true, Ordering::Relaxed);
        // Three failures in a row, and the copy answers at once.
        for _ in 0..3 {
            desk.lookup(DocumentKind::CC, &number(0)).await.expect("a card");
        }
        Self { desk, people, server, folder }
    }

    /// Reads every file once: what is compared is the work, not whose pages the system has put out of its memory.
    pub fn warm_up(&self) {
        for folder in [self.folder.path().to_owned(), self.folder.path().join("desk")] {
            for entry in
                std::fs::read_dir(folder).expect("a folder").flatten().filter(|entry| entry.path().is_file())
            {
                std::fs::read(entry.path()).expect("read");
            }
        }
    }

    /// Lets what a card leaves to be done afterwards be done: the next person is never there in the same moment.
    pub async fn next_person(&self) {
        let begin = tick();
        while begin.elapsed() < BETWEEN_PEOPLE {
            tokio::task::yield_now().await;
        }
    }

    /// The people in an order that no cache likes: each once before any comes again.
    pub fn shuffled(&self, n: u32) -> String {
        // 7919 is prime, and so shares no factor with a number of people that is not a multiple of it.
        number(u32::try_from(u64::from(n) * 7919 % u64::from(self.people)).expect("within the people"))
    }
}

fn number(n: u32) -> String {
    (1_000_000_000 + u64::from(n)).to_string()
}

/// A server that signs whatever it is asked, until it is gone.
pub struct Signer {
    pub gone: AtomicBool,
    pub public: Vec<u8>,
    private: EncodingKey,
    keys: Keys,
}

impl Signer {
    fn new() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
        let public = pair.public_key().as_ref().to_vec();
        let now = now();
        let key = PublicKey {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            kid: "bench".into(),
            x: base64url(&public),
            not_before: now - 24.hours(),
            not_after: now + 24.hours(),
        };
        Self {
            gone: AtomicBool::new(false),
            public,
            private: EncodingKey::from_ed_der(pkcs8.as_ref()),
            keys: Keys { keys: vec![key], export: None },
        }
    }

    /// The statement for `document`, signed.
    pub fn statement(&self, document: Document, lookup_id: Uuid) -> String {
        let now = now();
        let statement = Statement {
            jti: System.id(now),
            iat: now,
            nbf: now - 1.minute(),
            exp: now + 24.hours(),
            next_update: now + 12.hours(),
            lookup_id,
            document,
            entity_id: Uuid::from_u128(3),
            branch_id: BRANCH,
            affiliate: Some(Affiliate {
                role: AffiliateRole::Worker,
                first_surname: "PÉREZ".into(),
                second_surname: Some("GÓMEZ".into()),
                first_name: "JUAN".into(),
                second_name: Some("CARLOS".into()),
                status: AffiliateStatus::Active,
                tariff: Tariff::B,
                company: Some(Company {
                    name: "TRANSPORTES DEL NORTE S.A.S.".into(),
                    status: CompanyStatus::Active,
                }),
            }),
            tariff: Tariff::B,
            usable: true,
            reasons: vec![],
            used_today: vec![],
        };
        sign(&statement, "bench", &self.private).expect("signed")
    }

    fn answer<T>(&self, value: T) -> Result<Answered<T>, Failure> {
        if self.gone.load(Ordering::Relaxed) {
            return Err(FailureKind::Unreachable.into());
        }
        Ok(Answered { value, server_time: Some(now()) })
    }

    fn granted(&self) -> Result<Answered<Granted>, Failure> {
        let token = || Redacted::new("bench".to_owned());
        let later = now() + 24.hours();
        self.answer(Granted {
            access_token: token(),
            access_expires_at: later,
            refresh_token: token(),
            refresh_expires_at: later,
        })
    }
}

#[async_trait]
impl Backend for Signer {
    async fn sign_in(&self, _: &SignIn) -> Result<Answered<Granted>, Failure> {
        self.granted()
    }
    async fn refresh(&self, _: &Refresh) -> Result<Answered<Granted>, Failure> {
        self.granted()
    }
    async fn sign_out(&self, _: &AccessToken) -> Result<Answered<()>, Failure> {
        self.answer(())
    }
    async fn me(&self, _: &AccessToken) -> Result<Answered<Me>, Failure> {
        self.answer(Me {
            operator: Operator {
                id: Uuid::from_u128(7),
                username: "bench".into(),
                display_name: "Bench".into(),
            },
            entity: None,
            roles: vec![],
            branches: vec![Branch {
                id: BRANCH,
                code: "B".into(),
                name: "Sede Norte".into(),
                city: "Barranquilla".into(),
            }],
            applications: vec![Application {
                code: "CONVENIOS".into(),
                name: "CONVENIOS".into(),
                description: String::new(),
                state: ApplicationState::Approved,
                reason: None,
            }],
            policy: DeskPolicy::default(),
            second_factor: SecondFactor::NotNeeded,
        })
    }
    async fn keys(&self, _: &AccessToken) -> Result<Answered<Keys>, Failure> {
        self.answer(self.keys.clone())
    }
    async fn lookup(
        &self,
        _: &AccessToken,
        request: &LookupRequest,
    ) -> Result<Answered<LookupAnswer>, Failure> {
        if self.gone.load(Ordering::Relaxed) {
            return Err(FailureKind::Unreachable.into());
        }
        self.answer(LookupAnswer { statement: self.statement(request.document.clone(), request.id) })
    }
    async fn register(&self, _: &Register) -> Result<Answered<CodeSent>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn resend_code(&self, _: &ResendCode) -> Result<Answered<CodeSent>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn confirm_account(&self, _: &Confirm) -> Result<Answered<()>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn forgot_password(&self, _: &ForgotPassword) -> Result<Answered<CodeSent>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn reset_password(&self, _: &ResetPassword) -> Result<Answered<()>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn change_password(&self, _: &AccessToken, _: &ChangePassword) -> Result<Answered<()>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn make_report_code(
        &self,
        _: &AccessToken,
        _: &NewReport,
    ) -> Result<Answered<ReportCode>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn refresh_regulars(
        &self,
        _: &AccessToken,
        _: &RegularsRequest,
    ) -> Result<Answered<RegularsAnswer>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn deliver(&self, _: &AccessToken, _: &Batch) -> Result<Answered<BatchAnswer>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn usage_reports(&self, _: &AccessToken, _: &UsageQuery) -> Result<Answered<UsagePage>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn health(&self) -> Result<Answered<Health>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark lives in the system's time")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The clock of a stopwatch.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the system's time")]
pub fn tick() -> std::time::Instant {
    std::time::Instant::now()
}

#[async_trait]
impl Administration for Signer {
    async fn attach(&self, _: &AccessToken, _: Upload) -> Result<Answered<Attachment>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn application_requests(&self, _: &AccessToken) -> Result<Answered<ApplicationRequests>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn submit_application(
        &self,
        _: &AccessToken,
        _: &SubmitApplication,
    ) -> Result<Answered<ApplicationRequest>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn correct_application(
        &self,
        _: &AccessToken,
        _: Uuid,
        _: &CorrectApplication,
    ) -> Result<Answered<ApplicationRequest>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn entity_users(&self, _: &AccessToken, _: &UserQuery) -> Result<Answered<EntityUsers>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn entity_branches(&self, _: &AccessToken) -> Result<Answered<EntityBranches>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn invite_user(&self, _: &AccessToken, _: &InviteUser) -> Result<Answered<EntityUser>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn change_user(
        &self,
        _: &AccessToken,
        _: Uuid,
        _: &ChangeUser,
    ) -> Result<Answered<EntityUser>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn reset_user(&self, _: &AccessToken, _: Uuid) -> Result<Answered<()>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
    async fn invite_again(&self, _: &AccessToken, _: Uuid) -> Result<Answered<()>, Failure> {
        Err(FailureKind::Unreachable.into())
    }
}
