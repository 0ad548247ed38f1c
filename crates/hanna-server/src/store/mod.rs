//! Where everything is kept: one trait of coarse, transactional questions.
//!
//! Each method is one transaction: what it promises holds together or not at all, and a replay of it does no harm. What
//! is decided inside a transaction is decided by the pure functions of [`crate::judge`] and [`crate::usage`], never in SQL.
//! An error is never an answer: `Ok(None)` means that there is no such thing, `Err` that nobody knows. What changes
//! anything, or says anything about a person, appends its act to the [audit](crate::audit) in the same transaction.

use async_trait::async_trait;
use hanna_domain::{Affiliate, Document, Redacted, Statement};
pub use hanna_wire::admin::business::ImportCounts;
use hanna_wire::me::{ApplicationState, Branch, Entity, Operator, Role};
use hanna_wire::second_factor::SecondFactor;
use hanna_wire::usage::{UsageRow, UsageTotal};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::audit::Actor;
use crate::claims::Asked;
use crate::keys::SigningKey;
use crate::secrets::{Mac, TokenHash};
use hanna_wire::agreement::AgreementTerms;

mod accounts;
mod applications;
mod audit;
mod business_usage;
mod businesses;
#[cfg(test)]
mod contract;
mod delivery;
mod entity_users;
mod generations;
mod imports;
mod installation;
mod mails;
mod people;
pub mod postgres;
mod replay;
mod retention;
mod second_factors;
pub mod sqlite;
mod tallies;
mod verification;
mod words;

pub use accounts::{
    Accounts, Applicant, Approval, CodeAsk, CodeAsked, CodeTried, Confirmation, Decided, Letter,
    NewRegistration, OwnPassword, PasswordChange, PasswordReset, Registered, Registration, Rejection,
};
pub use applications::{
    Applications, Attached, AttachmentFile, Corrected, Correction, Judgement, KeptRequest, NewApplication,
    NewAttachment, RequestFilter, Ruled, Ruling, Submitted, UNNAMED_MAX,
};
pub use audit::{AuditStore, LookupRange, Stray, Unsealed};
pub use businesses::{Act, Businesses, EntityFilter, NewBranch, Put};
pub use delivery::{Arrival, Delivered, Delivery, OfflineLookup, Recorded, Sender, Void};
pub use entity_users::{
    EntityUsers, Invitation, Invited, InvitedAgain, Reinvitation, UserChange, UserChanged, UserFilter,
    UserReset,
};
pub use imports::{ImportEnd, ImportStep, ImportTurn, Imports, NewImport};
pub use installation::{Installation, Installed, NewAccount, NewEntity};
pub use mails::{Mail, MailFields, MailQueue, MailTurn};
pub use people::{
    AccountFilter, DeviceFilter, NewUser, PasswordTaken, People, Place, RegistrationFilter, UserPut,
    may_have, user_state,
};
pub use retention::{PurgeOrder, PurgeOutcome, Retention};
pub use second_factors::{FactorConfirmation, OneTimeCode, SecondFactors, second_factor};
pub use tallies::{Counted, Tallies, Tally, owed_by_all};
pub use verification::{KeptReport, ReportKept, Verification};

/// What opening a database found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The schema before; 0 for an empty database.
    pub schema_before: i64,
    /// The schema now.
    pub schema: i64,
}

/// The result of a question to the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why the store could not answer. Holds no data of rows.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process held the database too long, or the disk is full: the same question may succeed later.
    #[error("the database cannot be written now: {0}")]
    Busy(#[source] BoxError),
    /// The database was written by a newer program; this one must not touch it.
    #[error("the database has schema {found}, this program knows up to {known}: use the newer program")]
    Newer {
        /// What the database says.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// Anything else.
    #[error("the database failed: {0}")]
    Failed(#[source] BoxError),
}

/// A cause, whatever its type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What Hanna needs to keep, and to ask. See the module's text.
#[async_trait]
pub trait Store:
    Accounts
    + Applications
    + AuditStore
    + Businesses
    + EntityUsers
    + Imports
    + MailQueue
    + People
    + Retention
    + SecondFactors
    + Tallies
    + Verification
    + Send
    + Sync
    + 'static
{
    // The server itself.

    /// The schema the database has now, which another program may have changed.
    async fn schema(&self) -> Result<i64>;

    /// The secret called `name`: the one kept, or `candidate`, which is kept then.
    async fn secret(&self, name: &'static str, candidate: [u8; 32]) -> Result<Vec<u8>>;

    /// Keeps `candidate` unless there is a key that may sign at `now`; answers with every key, in the order in which they
    /// were kept.
    async fn signing_keys(&self, candidate: SigningKey, now: Timestamp) -> Result<Vec<SigningKey>>;

    /// Every key, in the order in which they were kept.
    async fn keys(&self) -> Result<Vec<SigningKey>>;

    /// Keeps a key.
    async fn add_key(&self, key: SigningKey, now: Timestamp, by: Actor) -> Result<()>;

    /// The epoch of these data: the one kept, or `candidate`, which is kept then.
    async fn epoch(&self, candidate: Uuid) -> Result<Uuid>;

    /// Begins the epoch `next`: the data were restored from a backup, and desks must offer again what they had delivered
    /// since.
    async fn renew_epoch(&self, next: Uuid, now: Timestamp, by: Actor) -> Result<()>;

    // Sessions.

    /// Counts an attempt (to sign in, to register), before anything is looked at: attempts at once cannot outrun the count.
    async fn count_attempt(&self, username: Mac, now: Timestamp) -> Result<Admission>;

    /// Forgets the attempts: the password was right.
    async fn forget_attempts(&self, username: Mac) -> Result<()>;

    /// What is needed to check a password.
    async fn credentials(&self, username_key: String) -> Result<Option<Credentials>>;

    /// Opens a session and registers its device, unless that is revoked, or the password that was right is not the account's any
    /// more: a sign-in under way does not outlive a reset. An account that has a second factor needs it; what
    /// is given for it serves once, and is not taken back when the device is revoked.
    async fn open_session(&self, opening: Opening) -> Result<SessionOpened>;

    /// Trades a refresh token, also of a revoked device: it may still deliver.
    async fn refresh_session(&self, rotation: Rotation) -> Result<Refreshed>;

    /// Ends a session, and with it all its tokens.
    async fn end_session(&self, session_id: Uuid, now: Timestamp) -> Result<()>;

    /// Whose access token this is, if it is still good.
    async fn caller(&self, access: TokenHash, now: Timestamp) -> Result<Option<Caller>>;

    /// Who the account is, and what they may do.
    async fn surroundings(&self, account_id: Uuid, today: Date) -> Result<Option<Surroundings>>;

    // Devices.

    /// Every device, the one of the last contact first.
    async fn devices(&self) -> Result<Vec<Device>>;

    /// Revokes a device from `now` on; one that is revoked already stays so from then on. `false` when there is none.
    async fn revoke_device(&self, id: Uuid, now: Timestamp, by: Actor) -> Result<bool>;

    /// Trusts a device again. `false` when there is none.
    async fn restore_device(&self, id: Uuid, now: Timestamp, by: Actor) -> Result<bool>;

    // The work of a desk.

    /// Judges a lookup and records who asked. The same id with the same content is the same lookup: recorded once,
    /// answered anew.
    async fn answer_lookup(&self, question: Question) -> Result<Answered>;

    /// Judges people whom a branch consulted lately and records who asked, all or nothing. As [`Self::answer_lookup`],
    /// but within a budget: see [`Round`].
    async fn answer_regulars(&self, round: Round) -> Result<RoundAnswered>;

    /// Takes in a batch, item by item, in one transaction. Every outcome is remembered until it is purged, with the submission it
    /// answers: a replay gets the first one again, also a refusal. A higher submission of an item that was refused is a
    /// new question and judged anew, because a person may have put right what was wrong; of one that was taken in it gets
    /// the acceptance. The same id with other content is always refused and changes nothing. Not remembered is what can
    /// only be judged later ([`OutcomeKind::Retry`](hanna_wire::outbox::OutcomeKind)). What is not remembered and happened
    /// before [`Delivery::kept_from`] or the limit of a purge is refused.
    async fn take_in(&self, delivery: Delivery) -> Result<Delivered>;

    /// Who signed in last at a device for an entity: in whose name is taken in what the device itself cannot deliver. None
    /// when nobody ever did.
    async fn last_sender(&self, device_id: Uuid) -> Result<Option<Sender>>;

    /// Which of these items are held, each with the submission its answer belongs to.
    async fn held(&self, ids: Vec<Uuid>) -> Result<Vec<(Uuid, u32)>>;

    /// One page of reported uses, newest first.
    async fn usage_reports(&self, filter: UsageFilter) -> Result<Vec<UsageRow>>;

    /// Counts of reported uses by branch and price category, by the branch's name; whatever `after` and `limit` say.
    async fn usage_totals(&self, filter: UsageFilter) -> Result<Vec<UsageTotal>>;

    /// The branches of an entity, by code.
    async fn branches(&self, entity_id: Uuid) -> Result<Vec<Branch>>;

    // Administration.

    /// Adds or updates affiliates and their companies, all or nothing: `None` when the source found anything wrong or was
    /// stopped, and nothing changed.
    async fn import_affiliates(
        &self,
        source: Box<dyn ImportSource>,
        how: ImportHow,
        now: Timestamp,
        by: Actor,
    ) -> Result<Option<ImportCounts>>;

    /// Fills an empty database with businesses, everything that belongs to them, and people: all or nothing.
    async fn install(
        &self,
        installation: Installation,
        people: Box<dyn ImportSource>,
        now: Timestamp,
        by: Actor,
    ) -> Result<Installed>;
}

/// Whether a password may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Admitted,
    /// Not before this moment. The attempt was not counted.
    Wait(Timestamp),
}

/// What is needed to check a password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The account.
    pub account_id: Uuid,
    /// Whether it may sign in.
    pub state: AccountState,
    /// A PHC string.
    pub password_hash: String,
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// It may.
    Active,
    /// It waits for approval.
    Pending,
    /// It was suspended.
    Suspended,
}

impl AccountState {
    /// The word in SQL.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Pending => "PENDING",
            Self::Suspended => "SUSPENDED",
        }
    }

    /// The value with this word.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Active, Self::Pending, Self::Suspended].into_iter().find(|state| state.code() == code)
    }
}

/// The hashes of a pair of tokens, and their ends.
#[derive(Debug, Clone, Copy)]
pub struct TokenPair {
    /// Of the access token.
    pub access: TokenHash,
    /// When it ends.
    pub access_expires_at: Timestamp,
    /// Of the refresh token.
    pub refresh: TokenHash,
    /// When it ends.
    pub refresh_expires_at: Timestamp,
}

/// A session to open.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The session.
    pub session_id: Uuid,
    /// Whose.
    pub account_id: Uuid,
    /// The PHC string of the password that was right. It may be another one by now.
    pub password_hash: Redacted<String>,
    /// At which PC.
    pub device_id: Uuid,
    /// What people call the PC.
    pub device_name: String,
    /// The second factor, when it was given.
    pub otp: Option<OneTimeCode>,
    /// Its first tokens.
    pub tokens: TokenPair,
    /// When.
    pub now: Timestamp,
}

/// How opening a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionOpened {
    /// It is open.
    Done,
    /// The password is another one meanwhile, or the account is not active any more; nothing changed.
    NotGood,
    /// Its device is revoked; there is no session.
    DeviceRevoked,
    /// The account has a second factor, which was not given; nothing changed.
    SecondFactorRequired,
    /// What was given is not the code, or has served before; nothing changed.
    CodeWrong,
}

/// A PC that signed in at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Made by the desk.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its first sign-in.
    pub first_seen_at: Timestamp,
    /// The last time it signed in, refreshed its session or delivered.
    pub last_contact_at: Timestamp,
    /// The highest `sequence` held of it, 0 for none.
    pub last_sequence: i64,
    /// How many items still waited there when it said so last; none when it never did.
    pub waiting: Option<u64>,
    /// Since when it is revoked, if it is.
    pub revoked_at: Option<Timestamp>,
}

/// A refresh token to trade.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// The token that arrived.
    pub presented: TokenHash,
    /// The device it came from.
    pub device_id: Uuid,
    /// What to give for it.
    pub tokens: TokenPair,
    /// When.
    pub now: Timestamp,
}

/// What became of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// It was traded.
    Granted,
    /// It is unknown, expired, of another device, or its session has ended.
    NotGood,
    /// The account is not active; the token stays as it is.
    AccountNotActive,
    /// It had been traded too long ago: somebody else has it. Its session has ended now.
    Reused,
}

/// Who calls: the session behind an access token.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The session.
    pub session_id: Uuid,
    /// Who is signed in.
    pub account_id: Uuid,
    /// At which PC.
    pub device_id: Uuid,
    /// For which business; none for people of the caja.
    pub entity_id: Option<Uuid>,
    /// Whether the account may still be used.
    pub state: AccountState,
    /// Whether the caja has revoked the PC.
    pub device_revoked: bool,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Whether the session has the second factor that the account needs.
    pub second_factor: SecondFactor,
}

/// Who an account is, and what they may do.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The account.
    pub operator: Operator,
    /// The business.
    pub entity: Option<Entity>,
    /// The roles.
    pub roles: Vec<Role>,
    /// The branches assigned, by code.
    pub branches: Vec<Branch>,
    /// Applications that were requested for the entity.
    pub applications: Vec<ApplicationRow>,
    /// Today's agreements of those branches.
    pub agreements: Vec<AgreementTerms>,
}

/// An application of an entity.
#[derive(Debug, Clone)]
pub struct ApplicationRow {
    /// `CONVENIOS`.
    pub code: String,
    /// How far it is.
    pub state: ApplicationState,
    /// Why it was rejected.
    pub reason: Option<String>,
}

/// A lookup to answer.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub asked: Asked,
    /// Who asks.
    pub account_id: Uuid,
    /// At which PC.
    pub device_id: Uuid,
    /// The document, as it is recorded.
    pub document_mac: Mac,
    /// Why it is asked.
    pub purpose: String,
}

/// The answer to a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// These claims, to be signed.
    Claims(Box<Statement>),
    /// The branch is not one of the account's.
    BranchNotAllowed,
    /// The entity's application CONVENIOS is not approved.
    NotApproved,
    /// The id belongs to another lookup.
    IdConflict,
}

/// Regulars to verify again.
#[derive(Debug, Clone)]
pub struct Round {
    /// One a person; all of the same account, branch and moment. The same id again is the same lookup, whoever asks.
    pub questions: Vec<Question>,
    /// How many new ones a branch may ask for in one Colombian day. Those over it are left out.
    pub budget: u32,
}

/// The answer to a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundAnswered {
    /// To be signed.
    Claims {
        /// In the order of the questions.
        statements: Vec<Statement>,
        /// How many more the branch may ask for today.
        budget_left: u32,
    },
    /// The branch is not one of the account's.
    BranchNotAllowed,
    /// The entity's application CONVENIOS is not approved.
    NotApproved,
    /// One of the ids belongs to another lookup.
    IdConflict,
}

/// Which reported uses to list.
#[derive(Debug, Clone)]
pub struct UsageFilter {
    /// The entity.
    pub entity_id: Uuid,
    /// Only these branches; `None` for all of the entity.
    pub branches: Option<Vec<Uuid>>,
    /// From this moment on.
    pub from: Timestamp,
    /// Before this moment.
    pub to: Timestamp,
    /// Only rows that come after this one in the list.
    pub after: Option<(Timestamp, Uuid)>,
    /// At most so many.
    pub limit: u32,
}

/// How affiliates are taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportHow {
    /// Whoever the source does not name is removed.
    pub replaces: bool,
    /// Everything is done, counted and taken back.
    pub dry_run: bool,
    /// The import that is done when the people are in, in the same transaction ([`Imports`]).
    pub job: Option<Uuid>,
}

/// Where affiliates come from: a file, or the demo's generator. Rows are pulled one by one, before the transaction.
pub trait ImportSource: Send {
    /// The next good row; bad ones the source keeps for its report.
    fn next_row(&mut self) -> Option<ImportRow>;
    /// A row was good in itself but contradicts an earlier one.
    fn refuse(&mut self, line: u64, why: RowConflict);
    /// How many rows or lines were read.
    fn lines(&self) -> u64;
    /// What is to be done with the rows; asked when there are no more, and again before they are kept.
    fn state(&mut self) -> SourceState;
}

/// What is to be done with the rows of an [`ImportSource`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// Everything was good: they are to be kept.
    Sound,
    /// Something was wrong: none is kept, and what else is wrong is to be found.
    Faulty,
    /// Whoever wanted them does not want them any more.
    Stopped,
}

/// An affiliate to add or update.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// Where it stands in the source: later rows have higher ones.
    pub line: u64,
    /// Whose.
    pub document: Document,
    /// What is registered.
    pub affiliate: Affiliate,
    /// The NIT of the affiliate's company, there when the company is; digits, without the check digit.
    pub company_nit: Option<String>,
}

/// Why two rows of one source cannot both be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowConflict {
    /// The document stands in an earlier line too.
    DuplicateDocument {
        /// That line.
        first_line: u64,
    },
    /// The company has another name or status in an earlier line.
    CompanyDisagrees {
        /// That line.
        first_line: u64,
    },
}
