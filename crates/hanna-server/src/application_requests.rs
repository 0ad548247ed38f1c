//! Application requests: what may stand in one, what the caja decides, and what is mailed about it.

use hanna_wire::account::{is_email, phone};
use hanna_wire::agreement::TermsFault;
use hanna_wire::application::{
    ApplicationContent, ApplicationRequest, ApproveApplication, ApprovedBranch, RejectApplication,
};
use hanna_wire::limits::{
    ADDRESS_MAX, BENEFIT_MAX, DECISION_REASON_MAX, NAME_MAX, REQUEST_BRANCHES_MAX, USERNAME_MAX,
};
use hanna_wire::problem::ErrorCode;
use uuid::Uuid;

use crate::app::App;
use crate::application;
use crate::branch_code;
use crate::extract::text;
use crate::fault::Fault;
use crate::mail::MailKind;
use crate::store::{Judgement, KeptRequest, Mail, NewBranch, RequestFilter, Ruled, Ruling, StoreError};

/// Why a request cannot be decided so.
#[derive(Debug, thiserror::Error)]
pub enum RulingError {
    /// The reason is empty or too long.
    #[error("the reason must have between 1 and {DECISION_REASON_MAX} characters, and no control characters")]
    Reason,
    /// The terms cannot hold.
    #[error(transparent)]
    Terms(#[from] TermsFault),
    /// There are none, too many, or what they are called is nothing.
    #[error(
        "branches must be 1 to {REQUEST_BRANCHES_MAX}, each with a name, a city and no code of another's"
    )]
    Branches,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RulingError> for Fault {
    fn from(error: RulingError) -> Self {
        match error {
            RulingError::Store(error) => error.into(),
            other => Self::with(ErrorCode::Invalid, other.to_string()),
        }
    }
}

impl App {
    /// Some requests, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn application_requests(
        &self,
        filter: RequestFilter,
    ) -> Result<Vec<ApplicationRequest>, StoreError> {
        self.store().application_requests(filter).await
    }

    /// A request, whatever its state.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn application_request(&self, id: Uuid) -> Result<Option<KeptRequest>, StoreError> {
        self.store().application_request(id).await
    }

    /// Begins to review a request. `by`: who does; none from the terminal of the server.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn review_application(&self, id: Uuid, by: Option<Uuid>) -> Result<Ruled, StoreError> {
        self.rule(id, None, Judgement::Review, by).await
    }

    /// Approves a request, and mails that.
    ///
    /// # Errors
    /// When terms or branches cannot be, or the store cannot be written.
    pub async fn approve_application(
        &self,
        id: Uuid,
        approval: ApproveApplication,
        by: Option<Uuid>,
    ) -> Result<Ruled, RulingError> {
        let ApproveApplication { revision, agreement, branches } = approval;
        agreement.check()?;
        if !are_branches(&branches) {
            return Err(RulingError::Branches);
        }
        let Some(kept) = self.store().application_request(id).await? else { return Ok(Ruled::Unknown) };
        let now = self.clock().now();
        let made = |branch: ApprovedBranch| NewBranch {
            id: self.entropy().id(now),
            entity_id: kept.request.entity.id,
            code: branch.code,
            name: branch.name,
            city: branch.city,
        };
        let judgement = Judgement::Approve {
            agreement_id: self.entropy().id(now),
            terms: Box::new(agreement),
            branches: branches.into_iter().map(made).collect(),
        };
        Ok(self.rule(id, Some(revision), judgement, by).await?)
    }

    /// Rejects a request with a reason, which is mailed.
    ///
    /// # Errors
    /// When the reason is none, or the store cannot be written.
    pub async fn reject_application(
        &self,
        id: Uuid,
        rejection: &RejectApplication,
        by: Option<Uuid>,
    ) -> Result<Ruled, RulingError> {
        let reason = rejection.reason.trim().to_owned();
        text("reason", &reason, DECISION_REASON_MAX).map_err(|_| RulingError::Reason)?;
        Ok(self.rule(id, Some(rejection.revision), Judgement::Reject(reason), by).await?)
    }

    /// `revision`: the one that was looked at; none: whichever it is.
    async fn rule(
        &self,
        id: Uuid,
        revision: Option<u32>,
        judgement: Judgement,
        by: Option<Uuid>,
    ) -> Result<Ruled, StoreError> {
        let Some(kept) = self.store().application_request(id).await? else { return Ok(Ruled::Unknown) };
        let mail = match &judgement {
            Judgement::Review => None,
            Judgement::Approve { .. } => self.ruling_mail(MailKind::ApplicationApproved, &kept, ""),
            Judgement::Reject(reason) => self.ruling_mail(MailKind::ApplicationRejected, &kept, reason),
        };
        let revision = revision.unwrap_or(kept.request.revision);
        let ruling = Ruling { id, revision, judgement, mail, by: self.who(by), now: self.clock().now() };
        let ruled = self.store().rule(ruling).await?;
        if ruled == Ruled::Done {
            tracing::info!(request_id = %id, "an application request was decided about");
            self.mailer().wake();
        }
        Ok(ruled)
    }

    fn ruling_mail(&self, kind: MailKind, kept: &KeptRequest, reason: &str) -> Option<Mail> {
        let now = self.clock().now();
        let KeptRequest { request, asker, asker_name } = kept;
        let fields = [
            ("name", asker_name.expose().as_str()),
            ("entity", &request.entity.name),
            ("application", application::name(&request.application)),
            ("reason", reason),
        ];
        is_email(asker.expose()).then(|| Mail::new(self.entropy().id(now), kind, asker, &fields, now))
    }
}

/// What whoever decides is told.
///
/// # Errors
/// `NOT_FOUND`, `NOT_PENDING`, `BRANCH_CODE_TAKEN`.
pub const fn ruled(ruled: Ruled) -> Result<(), Fault> {
    match ruled {
        Ruled::Done => Ok(()),
        Ruled::Unknown => Err(Fault::new(ErrorCode::NotFound)),
        Ruled::NotPending => Err(Fault::new(ErrorCode::NotPending)),
        Ruled::CodeTaken => Err(Fault::new(ErrorCode::BranchCodeTaken)),
    }
}

fn are_branches(branches: &[ApprovedBranch]) -> bool {
    let is_named = |branch: &ApprovedBranch| {
        text("name", &branch.name, NAME_MAX).is_ok() && text("city", &branch.city, NAME_MAX).is_ok()
    };
    let mut codes: Vec<&str> = branches.iter().filter_map(|branch| branch.code.as_deref()).collect();
    let given = codes.len();
    codes.sort_unstable();
    codes.dedup();
    (1..=REQUEST_BRANCHES_MAX).contains(&branches.len())
        && branches.iter().all(is_named)
        && codes.len() == given
        && codes.into_iter().all(branch_code::is_one)
}

/// What an entity says when it asks.
///
/// # Errors
/// `INVALID`, naming the field.
pub fn check_content(content: &ApplicationContent) -> Result<(), Fault> {
    let invalid = |detail: String| Err(Fault::with(ErrorCode::Invalid, detail));
    text("contact_name", content.contact_name.expose(), NAME_MAX)?;
    text("contact_email", content.contact_email.expose(), USERNAME_MAX)?;
    if !is_email(content.contact_email.expose()) {
        return invalid("contact_email is no e-mail address".to_owned());
    }
    if phone(content.contact_phone.expose()).as_ref() != Some(content.contact_phone.expose()) {
        return invalid("contact_phone is no telephone number in digits".to_owned());
    }
    text("benefit", &content.benefit, BENEFIT_MAX)?;
    if !(1..=REQUEST_BRANCHES_MAX).contains(&content.branches.len()) {
        return invalid(format!("branches are not between 1 and {REQUEST_BRANCHES_MAX}"));
    }
    for branch in &content.branches {
        text("branches.name", &branch.name, NAME_MAX)?;
        text("branches.city", &branch.city, NAME_MAX)?;
        text("branches.address", &branch.address, ADDRESS_MAX)?;
    }
    Ok(())
}
