//! Application requests and their files. Whoever submits one holds the row of its entity, whoever decides about one or
//! corrects it the row of the request.

use std::sync::Arc;

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::admin::business::AdminAgreement;
use hanna_wire::application::{ApplicationContent, ApplicationEvent, ApplicationRequest, Attachment};
use hanna_wire::limits::ATTACHMENTS_WAITING_MAX;
use hanna_wire::me::{ApplicationState, Branch, Entity, Role};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::{Columns, Count, Moment};
use super::fault::{Done, Trouble};
use super::pool::Tx;
use super::{PostgresStore, audit, businesses, mails};
use crate::audit::NewAct;
use crate::store::words::Word;
use crate::store::{
    AccountState, Applications, Attached, AttachmentFile, Corrected, Correction, Judgement, KeptRequest,
    NewApplication, NewAttachment, NewBranch, RequestFilter, Result, Ruled, Ruling, Submitted, UNNAMED_MAX,
};

const ATTACHMENT: &str = "f.id, f.file_name, f.media_type, f.size_bytes, f.sha256";

/// The columns of [`ATTACHMENT`], from `first` on.
fn attachment(row: &Row, first: usize) -> Done<Attachment> {
    Ok(Attachment {
        id: row.value(first)?,
        file_name: row.value(first + 1)?,
        media_type: row.word(first + 2)?,
        size_bytes: row.count(first + 3)?,
        sha256: row.value(first + 4)?,
    })
}

async fn attach(tx: &Tx, new: &NewAttachment) -> Done<Attached> {
    // Any administrator can make rows here, so what nobody named goes; what somebody names just now is left to them.
    tx.execute(
        "DELETE FROM attachments WHERE id IN
             (SELECT f.id FROM attachments f WHERE f.added_at < $1
                  AND NOT EXISTS (SELECT 1 FROM application_revisions v WHERE v.attachment_id = f.id)
              LIMIT 100 FOR UPDATE SKIP LOCKED)",
        &[&Moment(new.now - UNNAMED_MAX)],
    )
    .await?;
    let sql = format!("SELECT {ATTACHMENT}, f.entity_id FROM attachments f WHERE f.id = $1");
    if let Some(row) = tx.row_or_none(&sql, &[&new.attachment.id]).await? {
        let same = attachment(&row, 0)? == new.attachment && row.value::<Uuid>(5)? == new.entity_id;
        return Ok(if same { Attached::Kept } else { Attached::IdConflict });
    }
    // One file of an entity after the other: their count is theirs alone.
    tx.rows("SELECT 1 FROM entities WHERE id = $1 FOR NO KEY UPDATE", &[&new.entity_id]).await?;
    let waiting = tx
        .row(
            "SELECT count(*), min(f.added_at) FROM attachments f WHERE f.entity_id = $1
                 AND NOT EXISTS (SELECT 1 FROM application_revisions v WHERE v.attachment_id = f.id)",
            &[&new.entity_id],
        )
        .await?;
    if let Some(Moment(oldest)) = waiting.value(1)?
        && waiting.count(0)? >= ATTACHMENTS_WAITING_MAX
    {
        return Ok(Attached::Full(oldest + UNNAMED_MAX));
    }
    // Somebody else may write the same id just now: then this is begun again, and finds it.
    tx.execute(
        "INSERT INTO attachments (id, entity_id, file_name, media_type, size_bytes, sha256, added_at, added_by, bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &new.attachment.id,
            &new.entity_id,
            &new.attachment.file_name,
            &Word(new.attachment.media_type),
            &Count(new.attachment.size_bytes),
            &new.attachment.sha256,
            &Moment(new.now),
            &new.by,
            new.bytes.expose(),
        ],
    )
    .await?;
    Ok(Attached::Kept)
}

/// Held, so that it does not go before somebody names it.
async fn is_file_of(tx: &Tx, id: Uuid, entity_id: Uuid) -> Done<bool> {
    let sql = "SELECT 1 FROM attachments WHERE id = $1 AND entity_id = $2 FOR KEY SHARE";
    tx.exists(sql, &[&id, &entity_id]).await
}

/// Whether the entity, whose row is held from here on, waits for an answer to another request, or has the application.
async fn has_asked(tx: &Tx, entity_id: Uuid, application: &str, but: Uuid) -> Done<bool> {
    tx.execute("SELECT 1 FROM entities WHERE id = $1 FOR NO KEY UPDATE", &[&entity_id]).await?;
    tx.exists(
        "SELECT 1 FROM application_requests
         WHERE entity_id = $1 AND application = $2 AND state <> $3 AND id <> $4
         UNION ALL
         SELECT 1 FROM applications WHERE entity_id = $1 AND code = $2 AND state = $5",
        &[
            &entity_id,
            &application,
            &Word(ApplicationState::Rejected),
            &but,
            &Word(ApplicationState::Approved),
        ],
    )
    .await
}

async fn submit(tx: &Tx, new: &NewApplication) -> Done<Submitted> {
    let first = tx
        .row_or_none(
            "SELECT r.entity_id, r.application, v.content FROM application_requests r
             JOIN application_revisions v ON v.request_id = r.id AND v.revision = 1 WHERE r.id = $1",
            &[&new.id],
        )
        .await?;
    if let Some(row) = first {
        let same = row.value::<Uuid>(0)? == new.entity_id
            && row.value::<String>(1)? == new.application
            && content(&row, 2)? == new.content;
        return Ok(if same { Submitted::Again } else { Submitted::IdConflict });
    }
    if has_asked(tx, new.entity_id, &new.application, new.id).await? {
        return Ok(Submitted::AlreadyRequested);
    }
    if !is_file_of(tx, new.content.attachment_id, new.entity_id).await? {
        return Ok(Submitted::NoAttachment);
    }
    // Somebody else may write the same id just now: then this is begun again, and finds it.
    tx.execute(
        "INSERT INTO application_requests (id, entity_id, application, state, revision, sent_at, asked_by)
         VALUES ($1, $2, $3, $4, 1, $5, $6)",
        &[
            &new.id,
            &new.entity_id,
            &new.application,
            &Word(ApplicationState::Submitted),
            &Moment(new.now),
            &new.by,
        ],
    )
    .await?;
    add_revision(tx, new.id, 1, &new.content).await?;
    let event = Event { by: Some(new.by), now: new.now, state: ApplicationState::Submitted, reason: None };
    happened(tx, new.id, &event).await?;
    let act = NewAct::application_submitted(new.id, new.entity_id, 1, new.by, new.now);
    audit::append(tx, &act).await?;
    Ok(Submitted::Kept)
}

fn content(row: &Row, column: usize) -> Done<ApplicationContent> {
    serde_json::from_str(row.value(column)?).map_err(|error| Trouble::Unreadable(error.into()))
}

async fn add_revision(tx: &Tx, id: Uuid, revision: u32, content: &ApplicationContent) -> Done<()> {
    let text = serde_json::to_string(content).map_err(|error| Trouble::Unreadable(error.into()))?;
    tx.execute(
        "INSERT INTO application_revisions (request_id, revision, content, attachment_id) VALUES ($1, $2, $3, $4)",
        &[&id, &Count(revision), &text, &content.attachment_id],
    )
    .await
    .map(drop)
}

/// What happens to a request.
struct Event<'a> {
    by: Option<Uuid>,
    now: Timestamp,
    state: ApplicationState,
    reason: Option<&'a str>,
}

/// Puts a request into another state, writes that down, and lets the entity's application follow.
async fn happened(tx: &Tx, id: Uuid, event: &Event<'_>) -> Done<()> {
    let Event { by, now, state, reason } = *event;
    tx.execute("UPDATE application_requests SET state = $2 WHERE id = $1", &[&id, &Word(state)]).await?;
    tx.execute(
        "INSERT INTO application_events (request_id, place, at, state, revision, reason, by_account)
         SELECT r.id, 1 + (SELECT count(*) FROM application_events e WHERE e.request_id = r.id), $2::timestamptz,
                $3::text, r.revision, $4::text, $5::uuid
         FROM application_requests r WHERE r.id = $1",
        &[&id, &Moment(now), &Word(state), &reason, &by],
    )
    .await?;
    tx.execute(
        "INSERT INTO applications (entity_id, code, state, reason)
         SELECT r.entity_id, r.application, $2::text, $3::text FROM application_requests r WHERE r.id = $1
         ON CONFLICT (entity_id, code) DO UPDATE SET state = excluded.state, reason = excluded.reason",
        &[&id, &Word(state), &reason],
    )
    .await
    .map(drop)
}

async fn correct(tx: &Tx, correction: &Correction) -> Done<Corrected> {
    let Some(KeptRequest { request, .. }) = hold(tx, correction.id).await? else {
        return Ok(Corrected::Unknown);
    };
    if request.entity.id != correction.entity_id {
        return Ok(Corrected::Unknown);
    }
    let next = correction.revision.saturating_add(1);
    if request.revision == next && request.content == correction.content {
        return Ok(Corrected::Again);
    }
    if request.state != ApplicationState::Rejected || request.revision != correction.revision {
        return Ok(Corrected::NotRejected);
    }
    if has_asked(tx, correction.entity_id, &request.application, request.id).await? {
        return Ok(Corrected::AlreadyRequested);
    }
    if !is_file_of(tx, correction.content.attachment_id, correction.entity_id).await? {
        return Ok(Corrected::NoAttachment);
    }
    add_revision(tx, request.id, next, &correction.content).await?;
    tx.execute(
        "UPDATE application_requests SET revision = $2, asked_by = $3 WHERE id = $1",
        &[&request.id, &Count(next), &correction.by],
    )
    .await?;
    let (by, now) = (Some(correction.by), correction.now);
    happened(tx, request.id, &Event { by, now, state: ApplicationState::Submitted, reason: None }).await?;
    let act = NewAct::application_submitted(request.id, request.entity.id, next, correction.by, now);
    audit::append(tx, &act).await?;
    Ok(Corrected::Done)
}

/// What [`request`] reads.
fn requests_where(condition: &str) -> String {
    format!(
        "SELECT r.id, r.application, r.state, r.revision, v.content, e.id, e.nit, e.name, a.username, a.display_name,
                {ATTACHMENT}
         FROM application_requests r
         JOIN application_revisions v ON v.request_id = r.id AND v.revision = r.revision
         JOIN attachments f ON f.id = v.attachment_id
         JOIN entities e ON e.id = r.entity_id
         JOIN accounts a ON a.id = r.asked_by
         WHERE {condition}"
    )
}

fn request(row: &Row) -> Done<KeptRequest> {
    let request = ApplicationRequest {
        id: row.value(0)?,
        application: row.value(1)?,
        state: row.word(2)?,
        revision: row.count(3)?,
        content: content(row, 4)?,
        entity: Entity { id: row.value(5)?, nit: row.value(6)?, name: row.value(7)? },
        attachment: attachment(row, 10)?,
        history: Vec::new(),
    };
    let (asker, asker_name) = (Redacted::new(row.value(8)?), Redacted::new(row.value(9)?));
    Ok(KeptRequest { request, asker, asker_name })
}

/// Reads what happened to requests, all of them at once.
async fn add_histories(tx: &Tx, requests: &mut [ApplicationRequest]) -> Done<()> {
    let ids: Vec<Uuid> = requests.iter().map(|request| request.id).collect();
    let rows = tx
        .rows(
            "SELECT h.at, h.state, h.revision, h.reason, a.display_name, h.request_id
             FROM application_events h LEFT JOIN accounts a ON a.id = h.by_account
             WHERE h.request_id = ANY($1::uuid[]) ORDER BY h.request_id, h.place",
            &[&ids],
        )
        .await?;
    for row in &rows {
        let of: Uuid = row.value(5)?;
        let event = ApplicationEvent {
            at: row.moment(0)?,
            state: row.word(1)?,
            revision: row.count(2)?,
            reason: row.value(3)?,
            by: row.value(4)?,
        };
        if let Some(request) = requests.iter_mut().find(|request| request.id == of) {
            request.history.push(event);
        }
    }
    Ok(())
}

async fn one(tx: &Tx, id: Uuid) -> Done<Option<KeptRequest>> {
    let Some(row) = tx.row_or_none(&requests_where("r.id = $1"), &[&id]).await? else { return Ok(None) };
    let mut kept = request(&row)?;
    add_histories(tx, std::slice::from_mut(&mut kept.request)).await?;
    Ok(Some(kept))
}

/// The same, without its history, held until the end of the transaction.
async fn hold(tx: &Tx, id: Uuid) -> Done<Option<KeptRequest>> {
    tx.execute("SELECT 1 FROM application_requests WHERE id = $1 FOR UPDATE", &[&id]).await?;
    tx.row_or_none(&requests_where("r.id = $1"), &[&id]).await?.as_ref().map(request).transpose()
}

async fn page(tx: &Tx, filter: &RequestFilter) -> Done<Vec<ApplicationRequest>> {
    let sql = requests_where(
        "($1::uuid IS NULL OR r.entity_id = $1) AND ($2::text IS NULL OR r.state = $2)
         AND ($3::timestamptz IS NULL OR (r.sent_at, r.id) < ($3, $4::uuid))
         ORDER BY r.sent_at DESC, r.id DESC LIMIT $5",
    );
    // What is searched for is told here: there may be none among the first.
    let at_most = filter.search.is_none().then_some(Count(filter.limit));
    let (after_at, after_id) = filter.after.map(|(at, id)| (Moment(at), id)).unzip();
    let rows =
        tx.rows(&sql, &[&filter.entity_id, &filter.state.map(Word), &after_at, &after_id, &at_most]).await?;
    let mut requests = rows.iter().map(|row| Ok(request(row)?.request)).collect::<Done<Vec<_>>>()?;
    requests.retain(|request| filter.finds(request));
    requests.truncate(filter.limit as usize);
    add_histories(tx, &mut requests).await?;
    Ok(requests)
}

async fn file(tx: &Tx, request_id: Uuid, entity_id: Option<Uuid>) -> Done<Option<AttachmentFile>> {
    let sql = format!(
        "SELECT {ATTACHMENT}, f.bytes FROM application_requests r
         JOIN application_revisions v ON v.request_id = r.id AND v.revision = r.revision
         JOIN attachments f ON f.id = v.attachment_id
         WHERE r.id = $1 AND ($2::uuid IS NULL OR r.entity_id = $2)"
    );
    let Some(row) = tx.row_or_none(&sql, &[&request_id, &entity_id]).await? else { return Ok(None) };
    Ok(Some(AttachmentFile { attachment: attachment(&row, 0)?, bytes: Redacted::new(row.value(5)?) }))
}

/// Begun again after a connection broke while it committed, it says that the request is not pending any more: it was decided
/// so.
async fn rule(tx: &Tx, ruling: &Ruling) -> Done<Ruled> {
    let Some(KeptRequest { request, .. }) = hold(tx, ruling.id).await? else { return Ok(Ruled::Unknown) };
    let is_open = matches!(request.state, ApplicationState::Submitted | ApplicationState::InReview);
    if !is_open || request.revision != ruling.revision {
        return Ok(Ruled::NotPending);
    }
    let (state, reason) = match &ruling.judgement {
        Judgement::Review if request.state == ApplicationState::InReview => return Ok(Ruled::Done),
        Judgement::Review => (ApplicationState::InReview, None),
        Judgement::Reject(reason) => (ApplicationState::Rejected, Some(reason.as_str())),
        Judgement::Approve { agreement_id, terms, branches } => {
            let codes: Vec<&str> = branches.iter().filter_map(|branch| branch.code.as_deref()).collect();
            if tx.exists("SELECT 1 FROM branches WHERE code = ANY($1::text[])", &[&codes]).await? {
                return Ok(Ruled::CodeTaken);
            }
            add_branches(tx, &request.entity, branches).await?;
            let covered = branches.iter().map(|branch| branch.id).collect();
            let terms = terms.as_ref().clone();
            let agreement = AdminAgreement { id: *agreement_id, terms, branches: covered };
            businesses::put_agreement(tx, request.entity.id, &agreement).await?;
            (ApplicationState::Approved, None)
        }
    };
    let by = ruling.by.account_id();
    happened(tx, request.id, &Event { by, now: ruling.now, state, reason }).await?;
    if let Some(mail) = &ruling.mail {
        mails::add(tx, mail).await?;
    }
    audit::append(tx, &NewAct::application_ruled(ruling, request.entity.id)).await?;
    Ok(Ruled::Done)
}

/// Makes the branches; those who administer the entity and look people up do so at them.
async fn add_branches(tx: &Tx, entity: &Entity, branches: &[NewBranch]) -> Done<()> {
    // Those with a code first: none is made that another of them has.
    let (coded, uncoded): (Vec<_>, Vec<_>) = branches.iter().partition(|branch| branch.code.is_some());
    for branch in coded.into_iter().chain(uncoded) {
        let code = match &branch.code {
            Some(code) => code.clone(),
            None => businesses::made_code(tx, entity.id, &entity.name).await?,
        };
        let (name, city) = (branch.name.clone(), branch.city.clone());
        // Somebody else may take the code just now: then this is begun again, and finds it taken.
        businesses::insert_branch(tx, entity.id, &Branch { id: branch.id, code, name, city }).await?;
        tx.execute(
            "INSERT INTO account_branches (account_id, branch_id)
             SELECT a.id, $2::uuid FROM accounts a WHERE a.entity_id = $1 AND a.state = $3
                 AND EXISTS (SELECT 1 FROM account_roles r WHERE r.account_id = a.id AND r.role = $4)
                 AND EXISTS (SELECT 1 FROM account_roles r WHERE r.account_id = a.id AND r.role = $5)",
            &[
                &entity.id,
                &branch.id,
                &Word(AccountState::Active),
                &Word(Role::EntityAdmin),
                &Word(Role::Operator),
            ],
        )
        .await?;
    }
    Ok(())
}

#[async_trait]
impl Applications for PostgresStore {
    async fn attach(&self, new: NewAttachment) -> Result<Attached> {
        let new = Arc::new(new);
        self.0
            .write(move |tx| {
                let new = Arc::clone(&new);
                Box::pin(async move { attach(tx, &new).await })
            })
            .await
    }

    async fn submit_application(&self, new: NewApplication) -> Result<Submitted> {
        let new = Arc::new(new);
        self.0
            .write(move |tx| {
                let new = Arc::clone(&new);
                Box::pin(async move { submit(tx, &new).await })
            })
            .await
    }

    async fn correct_application(&self, correction: Correction) -> Result<Corrected> {
        let correction = Arc::new(correction);
        self.0
            .write(move |tx| {
                let correction = Arc::clone(&correction);
                Box::pin(async move { correct(tx, &correction).await })
            })
            .await
    }

    async fn application_requests(&self, filter: RequestFilter) -> Result<Vec<ApplicationRequest>> {
        let filter = Arc::new(filter);
        self.0
            .read(move |tx| {
                let filter = Arc::clone(&filter);
                Box::pin(async move { page(tx, &filter).await })
            })
            .await
    }

    async fn application_request(&self, id: Uuid) -> Result<Option<KeptRequest>> {
        self.0.read(move |tx| Box::pin(one(tx, id))).await
    }

    async fn attachment(&self, request_id: Uuid, entity_id: Option<Uuid>) -> Result<Option<AttachmentFile>> {
        self.0.ask(move |tx| Box::pin(file(tx, request_id, entity_id))).await
    }

    async fn rule(&self, ruling: Ruling) -> Result<Ruled> {
        let ruling = Arc::new(ruling);
        self.0
            .write(move |tx| {
                let ruling = Arc::clone(&ruling);
                Box::pin(async move { rule(tx, &ruling).await })
            })
            .await
    }
}
