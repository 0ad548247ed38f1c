//! Application requests: what entities ask for, the files they bring, and what the caja decides.

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::application::{ApplicationContent, ApplicationRequest, Attachment};
use hanna_wire::me::ApplicationState;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Mail, NewBranch, Result};
use crate::audit::Actor;
use crate::folded::fold;

/// How long an attachment may be there without a request that names it.
pub const UNNAMED_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What is asked and done about application requests. Mails are put into the queue in the same transaction as what they
/// tell, and the state of the entity's application follows that of its request.
#[async_trait]
pub trait Applications {
    /// Takes a file in. The same again changes nothing. Files that no request named in time go.
    async fn attach(&self, new: NewAttachment) -> Result<Attached>;

    /// Takes a request in. The same again changes nothing, whatever has become of it.
    async fn submit_application(&self, new: NewApplication) -> Result<Submitted>;

    /// Takes in what a rejected request says now: it is submitted again, as its next revision. The same again changes
    /// nothing.
    async fn correct_application(&self, correction: Correction) -> Result<Corrected>;

    /// One page of requests, the newest first.
    async fn application_requests(&self, filter: RequestFilter) -> Result<Vec<ApplicationRequest>>;

    /// A request, whatever its state.
    async fn application_request(&self, id: Uuid) -> Result<Option<KeptRequest>>;

    /// The file that the last revision of a request names; only of `entity_id`, if one is given.
    async fn attachment(&self, request_id: Uuid, entity_id: Option<Uuid>) -> Result<Option<AttachmentFile>>;

    /// Reviews, approves or rejects a request that is submitted or in review. Approving makes the branches and the agreement
    /// that covers them, and assigns them to every active administrator of the entity who is an operator too.
    async fn rule(&self, ruling: Ruling) -> Result<Ruled>;
}

/// A file to take in.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    /// What is said of it.
    pub attachment: Attachment,
    /// The file itself.
    pub bytes: Redacted<Vec<u8>>,
    /// Of which entity.
    pub entity_id: Uuid,
    /// Who brings it.
    pub by: Uuid,
    /// When.
    pub now: Timestamp,
}

/// How taking in a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attached {
    /// It is there.
    Kept,
    /// The id belongs to another one; nothing changed.
    IdConflict,
    /// The entity has too many that no request names; the oldest goes at this moment.
    Full(Timestamp),
}

/// A request to take in.
#[derive(Debug, Clone)]
pub struct NewApplication {
    /// Made by the desk.
    pub id: Uuid,
    /// Which application.
    pub application: String,
    /// Who asks.
    pub entity_id: Uuid,
    /// What is said.
    pub content: ApplicationContent,
    /// The administrator who asks.
    pub by: Uuid,
    /// When.
    pub now: Timestamp,
}

/// How taking in a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It is there.
    Kept,
    /// It was there already; nothing changed.
    Again,
    /// The id belongs to another one; nothing changed.
    IdConflict,
    /// The entity has asked already, or has the application; nothing changed.
    AlreadyRequested,
    /// The attachment is no file of the entity; nothing changed.
    NoAttachment,
}

/// What a rejected request says now.
#[derive(Debug, Clone)]
pub struct Correction {
    /// The request.
    pub id: Uuid,
    /// Of which entity.
    pub entity_id: Uuid,
    /// The revision that was rejected.
    pub revision: u32,
    /// What is said now.
    pub content: ApplicationContent,
    /// The administrator who asks.
    pub by: Uuid,
    /// When.
    pub now: Timestamp,
}

/// How correcting a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corrected {
    /// It is submitted again.
    Done,
    /// It said so already; nothing changed.
    Again,
    /// The entity has no such request.
    Unknown,
    /// That revision is not the rejected one; nothing changed.
    NotRejected,
    /// The entity has asked anew meanwhile, or has the application; nothing changed.
    AlreadyRequested,
    /// The attachment is no file of the entity; nothing changed.
    NoAttachment,
}

/// Which requests to list.
#[derive(Debug, Clone, Default)]
pub struct RequestFilter {
    /// Only of this entity.
    pub entity_id: Option<Uuid>,
    /// Only in this state.
    pub state: Option<ApplicationState>,
    /// Only of entities whose name or NIT has this in it, folded ([`crate::folded`]).
    pub search: Option<String>,
    /// Only those that come after this one in the list: when it was first sent, and its id.
    pub after: Option<(Timestamp, Uuid)>,
    /// At most so many.
    pub limit: u32,
}

impl RequestFilter {
    /// Whether a request is of an entity that is searched for.
    pub fn finds(&self, request: &ApplicationRequest) -> bool {
        let has = |text: &str, search: &str| fold(text).contains(search);
        let entity = &request.entity;
        self.search.as_deref().is_none_or(|search| has(&entity.nit, search) || has(&entity.name, search))
    }
}

/// A request, and who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRequest {
    /// The request.
    pub request: ApplicationRequest,
    /// The user name of who sent its last revision.
    pub asker: Redacted<String>,
    /// Their name.
    pub asker_name: Redacted<String>,
}

/// A file with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentFile {
    /// What is said of it.
    pub attachment: Attachment,
    /// The file itself.
    pub bytes: Redacted<Vec<u8>>,
}

/// What the caja decides.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// The request.
    pub id: Uuid,
    /// The revision it is about.
    pub revision: u32,
    /// What.
    pub judgement: Judgement,
    /// What who asked is told; none when nothing is, or their user name is no address.
    pub mail: Option<Mail>,
    /// Who decides: an account, or whoever is at the terminal of the server.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}

/// Which way a request goes.
#[derive(Debug, Clone)]
pub enum Judgement {
    /// Somebody begins to look at it.
    Review,
    /// It is approved.
    Approve {
        /// The agreement to be.
        agreement_id: Uuid,
        /// What is agreed on.
        terms: Box<AgreementTerms>,
        /// The branches to be, all of them covered.
        branches: Vec<NewBranch>,
    },
    /// It is rejected, with a reason.
    Reject(String),
}

/// How a decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruled {
    /// It is decided now.
    Done,
    /// There is no such request.
    Unknown,
    /// It is decided already, or says something else by now; nothing changed.
    NotPending,
    /// A branch has one of the codes already; nothing changed.
    CodeTaken,
}
