//! What the screens see: the results of the desk's use cases, ready to show.
//!
//! These types cross to the UI (bindings in `ui/src/bindings`, made by `cargo xtask gen`) and to
//! `hanna-deskctl`. Times are RFC 3339 in UTC; sentences are not here, only codes.

use hanna_domain::outbox::{ItemCode, ItemKind, ItemState, VoidReason};
use hanna_domain::{
    Affiliate, Cause, Document, Fixer, Reason, Source, Tariff, UsageState, UsedToday, Verdict, words,
};
pub use hanna_report::printing::{PrintJob, PrintState, Printer};
use hanna_wire::client::Version;
use hanna_wire::me::{Application, Branch, Entity, Operator, Role};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::account::PendingRegistration;

words! {
    /// Something the operator has to know about how the desk opened.
    Notice {
        /// There is no OS keyring: the session does not survive a restart.
        NoKeyring = "NO_KEYRING",
        /// An outbox of before could not be opened and was set aside, intact; nothing was brought back from it yet.
        OutboxSetAside = "OUTBOX_SET_ASIDE",
        /// The cache could not be opened and was made anew.
        CacheRebuilt = "CACHE_REBUILT",
    }
}

/// What the window shows first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Start {
    /// Who is signed in; the session survives a restart through the OS keyring.
    pub session: Option<Session>,
    /// What the operator has to know.
    pub notices: Vec<Notice>,
    /// The program's version.
    pub version: String,
    /// The server's address.
    pub server: String,
    /// A registration that waits for the code of its mail.
    pub registration: Option<PendingRegistration>,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Session {
    /// The account.
    pub operator: Operator,
    /// The business.
    pub entity: Option<Entity>,
    /// What the account may do.
    pub roles: Vec<Role>,
    /// Where the operator works; empty: nothing can be looked up.
    pub branches: Vec<Branch>,
    /// The branch chosen on this PC.
    pub branch: Option<Branch>,
    /// The tiles.
    pub applications: Vec<Application>,
    /// Nobody is at the desk: its operator has to unlock it with their password, or another one signs in.
    pub locked: bool,
}

/// A reason with what the catalogue knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct ReasonView {
    /// The code.
    pub code: Reason,
    /// Who can put it right.
    pub fixer: Fixer,
    /// Whether asking again later can help.
    pub asking_again_helps: bool,
}

/// The card: the answer to one lookup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Card {
    /// The lookup.
    pub lookup_id: Uuid,
    /// Who was asked about.
    pub document: Document,
    /// The verdict.
    pub verdict: Verdict,
    /// Where it comes from.
    pub source: Source,
    /// The folio of the statement.
    pub statement_id: Option<Uuid>,
    /// The registered data, when there are any.
    pub affiliate: Option<Affiliate>,
    /// The price category.
    pub tariff: Option<Tariff>,
    /// Why not usable.
    pub reasons: Vec<ReasonView>,
    /// Why SIN DATO, or why the copy answered instead of the server.
    pub cause: Option<Cause>,
    /// How old the statement was when the card was made, in seconds.
    #[ts(type = "number | null")]
    pub age_s: Option<i64>,
    /// Until when the statement is worth something.
    #[ts(type = "string | null")]
    pub valid_until: Option<Timestamp>,
    /// Whether *Reportar uso* exists.
    pub may_report: bool,
    /// Uses already reported today, by the server's account and this PC's, oldest first. Not empty: reporting takes a
    /// deliberate second key.
    pub used_today: Vec<UsedToday>,
    /// The use reported on this card.
    pub reported: Option<Reported>,
    /// Whether the operator may take that use back now.
    pub may_void: bool,
    /// The void, when that use was taken back.
    pub voided: Option<Voided>,
    /// This card replaces one with another verdict that was shown for the same lookup.
    pub replaces: Option<Verdict>,
}

/// A use was reported: it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct Reported {
    /// The report's id.
    pub id: Uuid,
    /// How it stands.
    pub state: ItemState,
    /// When.
    #[ts(type = "string")]
    pub occurred_at: Timestamp,
}

/// A use was taken back (*anulada*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Voided {
    /// When.
    #[ts(type = "string")]
    pub occurred_at: Timestamp,
    /// Who.
    pub operator_name: String,
    /// Why.
    pub reason: VoidReason,
    /// Why, in words.
    pub text: Option<String>,
    /// How the void stands.
    pub state: ItemState,
}

/// A lookup of this shift, as the list under the card shows it: no names, the number masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RecentLookup {
    /// The lookup.
    pub lookup_id: Uuid,
    /// When.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// `•••8901`.
    pub document_masked: String,
    /// What the card said.
    pub verdict: Verdict,
    /// Whether a use was reported on it.
    pub used: bool,
}

/// *Por enviar*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct OutboxView {
    /// Every use and void not yet accepted, *Requiere atención* first, then oldest first.
    pub items: Vec<OutboxItem>,
    /// Offline lookups not yet sent, which need nobody.
    pub lookups: u32,
    /// How the last delivery of what had waited went; none while nothing had to wait.
    pub last_sync: Option<LastSync>,
}

/// How a delivery of uses and voids that had waited went: the reconciliation after a time without the server. It is
/// counted from the items as they stand now: one that was sent again since belongs to that later delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct LastSync {
    /// When the server decided on the first of them.
    #[ts(type = "string")]
    pub began_at: Timestamp,
    /// When it decided on the last.
    #[ts(type = "string")]
    pub ended_at: Timestamp,
    /// Counts: uses before voids, by branch and tariff.
    pub groups: Vec<SyncGroup>,
    /// What the server took with a note, oldest first, at most 50. What it refused is in [`OutboxView::items`].
    pub noted: Vec<OutboxItem>,
}

/// One kind of item at one branch and tariff, in a [`LastSync`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SyncGroup {
    /// What they are.
    pub kind: ItemKind,
    /// Where.
    pub branch_name: String,
    /// The tariff of the use, also of one taken back; none when this PC no longer knows the use.
    pub tariff: Option<Tariff>,
    /// How many the server took.
    pub accepted: u32,
    /// How many it took with a note.
    pub noted: u32,
    /// How many it refused: they require attention.
    pub refused: u32,
}

/// One item of *Por enviar*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct OutboxItem {
    /// The item.
    pub id: Uuid,
    /// What it is.
    pub kind: ItemKind,
    /// How it stands.
    pub state: ItemState,
    /// Why the server refused or noted it.
    pub code: Option<ItemCode>,
    /// When it happened.
    #[ts(type = "string")]
    pub occurred_at: Timestamp,
    /// `•••8901`.
    pub document_masked: String,
    /// Where.
    pub branch_name: String,
    /// Who did it.
    pub operator_name: String,
    /// How often it was sent.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_cause: Option<Cause>,
    /// When it is tried next.
    #[ts(type = "string | null")]
    pub next_attempt_at: Option<Timestamp>,
}

/// The status bar. Counts are asked of the database at the moment of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct Status {
    /// Whether the last call to the server succeeded.
    pub online: bool,
    /// Why not.
    pub cause: Option<Cause>,
    /// The oldest version of this program that the server serves, when it does not serve this one.
    #[ts(type = "string | null")]
    pub minimum_version: Option<Version>,
    /// Uses and voids still to be sent.
    pub pending: u32,
    /// Offline lookups still to be sent. *Todo enviado* only when this is 0 too.
    pub lookups: u32,
    /// Items a person has to look at.
    pub needs_attention: u32,
    /// Until when this PC has copies of people of the branch that are worth something; none when it has none.
    #[ts(type = "string | null")]
    pub copies_until: Option<Timestamp>,
    /// When the server last took something or answered.
    #[ts(type = "string | null")]
    pub last_sync_at: Option<Timestamp>,
    /// Whether the server wants the operator to sign in again; what is recorded waits meanwhile.
    pub sign_in_needed: bool,
    /// Whether something is being sent at this moment.
    pub sending: bool,
}

/// What *Reporte de Convenio* asks. Days are Colombian days; both belong to the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
pub struct HistoryQuery {
    /// The first day.
    #[ts(type = "string")]
    pub from: Date,
    /// The last day.
    #[ts(type = "string")]
    pub to: Date,
    /// One branch, or all the operator may see.
    pub branch_id: Option<Uuid>,
}

/// *Reporte de Convenio*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct History {
    /// Newest first.
    pub rows: Vec<HistoryRow>,
    /// One for each tariff that occurs, in order.
    pub totals: Vec<TariffTotal>,
    /// False when the server could not be asked: then these are the uses this PC knows of.
    pub complete: bool,
    /// Why it is not complete.
    pub cause: Option<Cause>,
}

/// One reported use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct HistoryRow {
    /// The report's id.
    pub id: Uuid,
    /// When the benefit was used.
    #[ts(type = "string")]
    pub occurred_at: Timestamp,
    /// Who used it. Masked on screens, whole on the printed report.
    pub document: Document,
    /// `PÉREZ GÓMEZ, JUAN CARLOS`.
    pub affiliate_name: String,
    /// At which price category.
    pub tariff: Tariff,
    /// The employer.
    pub company_name: Option<String>,
    /// Where.
    pub branch_name: String,
    /// Who reported it.
    pub operator_name: String,
    /// How it stands.
    pub state: UsageState,
    /// The server's note or refusal.
    pub code: Option<ItemCode>,
    /// The void, when the use was taken back.
    pub voided: Option<Voided>,
    /// Whether the operator may take it back now, on this PC.
    pub may_void: bool,
}

/// How many uses at one tariff. Refused, withdrawn and voided ones do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct TariffTotal {
    /// The tariff.
    pub tariff: Tariff,
    /// How many.
    pub uses: u32,
}

/// A file was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SavedReport {
    /// Where, as the operator would look for it.
    pub path: String,
    /// How many uses it lists.
    pub rows: u32,
    /// How many pages it has.
    pub pages: u32,
}

/// What waits was exported. It waits on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ExportedOutbox {
    /// Where, as the operator would look for it.
    pub path: String,
    /// How many uses and voids it has.
    pub items: u32,
    /// How many offline lookups.
    pub lookups: u32,
}

/// What was brought back from an outbox that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
pub struct Recovered {
    /// Records of any kind that were not here.
    pub added: u32,
    /// Records that were, and stayed as they are.
    pub already_there: u32,
    /// Whether some of it could not be read.
    pub is_damaged: bool,
}

#[cfg(test)]
mod tests {
    use ts_rs::Config;

    use super::*;
    use crate::ErrorCode;
    use hanna_wire::application::ApplicationRequest;
    use hanna_wire::entity_users::{EntityUsers, SetState};

    use crate::account::{CodeOnItsWay, PasswordJudged, RegistrationForm};
    use crate::applications::{ApplicationDraft, UploadProgress};
    use crate::entity_users::InvitationForm;

    /// Writes the types the screens use, with everything they are made of; see `cargo xtask gen`.
    #[test]
    fn export_bindings() -> Result<(), ts_rs::ExportError> {
        let config = Config::from_env();
        ErrorCode::export_all(&config)?;
        Start::export_all(&config)?;
        Status::export_all(&config)?;
        Card::export_all(&config)?;
        RecentLookup::export_all(&config)?;
        OutboxView::export_all(&config)?;
        History::export_all(&config)?;
        HistoryQuery::export_all(&config)?;
        SavedReport::export_all(&config)?;
        ExportedOutbox::export_all(&config)?;
        Recovered::export_all(&config)?;
        Printer::export_all(&config)?;
        RegistrationForm::export_all(&config)?;
        CodeOnItsWay::export_all(&config)?;
        PasswordJudged::export_all(&config)?;
        ApplicationDraft::export_all(&config)?;
        ApplicationRequest::export_all(&config)?;
        UploadProgress::export_all(&config)?;
        EntityUsers::export_all(&config)?;
        SetState::export_all(&config)?;
        InvitationForm::export_all(&config)?;
        PrintJob::export_all(&config)
    }
}
