//! Application requests and their files.

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::admin::business::AdminAgreement;
use hanna_wire::application::{ApplicationEvent, ApplicationRequest, Attachment};
use hanna_wire::me::{ApplicationState, Branch, Entity, Role};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params, params_from_iter};
use uuid::Uuid;

use super::columns::{Json, Micros, Word};
use super::{SqliteStore, audit, businesses, mails};
use crate::audit::NewAct;
use crate::store::{
    AccountState, Applications, Attached, AttachmentFile, Corrected, Correction, Judgement, KeptRequest,
    NewApplication, NewAttachment, NewBranch, RequestFilter, Result, Ruled, Ruling, Submitted, UNNAMED_MAX,
};
use hanna_wire::limits::ATTACHMENTS_WAITING_MAX;

const ATTACHMENT: &str = "f.id, f.file_name, f.media_type, f.size_bytes, f.sha256";

/// The columns of [`ATTACHMENT`], from `first` on.
fn attachment(row: &Row<'_>, first: usize) -> rusqlite::Result<Attachment> {
    Ok(Attachment {
        id: row.get(first)?,
        file_name: row.get(first + 1)?,
        media_type: row.get::<_, Word<_>>(first + 2)?.0,
        size_bytes: row.get(first + 3)?,
        sha256: row.get(first + 4)?,
    })
}

fn attach(tx: &Transaction<'_>, new: &NewAttachment) -> rusqlite::Result<Attached> {
    // Any administrator can make rows here, so what nobody named goes.
    tx.execute(
        "DELETE FROM attachments WHERE added_us < ?1
             AND NOT EXISTS (SELECT 1 FROM application_revisions v WHERE v.attachment_id = attachments.id)",
        [Micros(new.now - UNNAMED_MAX)],
    )?;
    let query = format!("SELECT {ATTACHMENT}, f.entity_id FROM attachments f WHERE f.id = ?1");
    let before = |row: &Row<'_>| Ok((attachment(row, 0)?, row.get::<_, Uuid>(5)?));
    if let Some((before, entity_id)) = tx.query_row(&query, [new.attachment.id], before).optional()? {
        let same = before == new.attachment && entity_id == new.entity_id;
        return Ok(if same { Attached::Kept } else { Attached::IdConflict });
    }
    let (waiting, oldest) = tx.query_row(
        "SELECT count(*), min(f.added_us) FROM attachments f WHERE f.entity_id = ?1
             AND NOT EXISTS (SELECT 1 FROM application_revisions v WHERE v.attachment_id = f.id)",
        [new.entity_id],
        |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Option<Micros>>(1)?)),
    )?;
    if let Some(Micros(oldest)) = oldest.filter(|_| waiting >= ATTACHMENTS_WAITING_MAX) {
        return Ok(Attached::Full(oldest + UNNAMED_MAX));
    }
    tx.execute(
        "INSERT INTO attachments (id, entity_id, file_name, media_type, size_bytes, sha256, added_us, added_by, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            new.attachment.id,
            new.entity_id,
            new.attachment.file_name,
            Word(new.attachment.media_type),
            new.attachment.size_bytes,
            new.attachment.sha256,
            Micros(new.now),
            new.by,
            new.bytes.expose(),
        ],
    )?;
    Ok(Attached::Kept)
}

fn is_file_of(tx: &Transaction<'_>, id: Uuid, entity_id: Uuid) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM attachments WHERE id = ?1 AND entity_id = ?2")?.exists([id, entity_id])
}

/// Whether the entity waits for an answer to another request, or has the application.
fn has_asked(tx: &Transaction<'_>, entity_id: Uuid, application: &str, but: Uuid) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM application_requests
         WHERE entity_id = ?1 AND application = ?2 AND state <> ?3 AND id <> ?4
         UNION ALL
         SELECT 1 FROM applications WHERE entity_id = ?1 AND code = ?2 AND state = ?5",
    )?
    .exists(params![
        entity_id,
        application,
        Word(ApplicationState::Rejected),
        but,
        Word(ApplicationState::Approved)
    ])
}

fn submit(tx: &Transaction<'_>, new: &NewApplication) -> rusqlite::Result<Submitted> {
    let first = tx
        .query_row(
            "SELECT r.entity_id, r.application, v.content FROM application_requests r
             JOIN application_revisions v ON v.request_id = r.id AND v.revision = 1 WHERE r.id = ?1",
            [new.id],
            |row| Ok((row.get::<_, Uuid>(0)?, row.get::<_, String>(1)?, row.get::<_, Json<_>>(2)?.0)),
        )
        .optional()?;
    if let Some(first) = first {
        let same = first == (new.entity_id, new.application.clone(), new.content.clone());
        return Ok(if same { Submitted::Again } else { Submitted::IdConflict });
    }
    if has_asked(tx, new.entity_id, &new.application, new.id)? {
        return Ok(Submitted::AlreadyRequested);
    }
    if !is_file_of(tx, new.content.attachment_id, new.entity_id)? {
        return Ok(Submitted::NoAttachment);
    }
    tx.execute(
        "INSERT INTO application_requests (id, entity_id, application, state, revision, sent_us, asked_by)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
        params![
            new.id,
            new.entity_id,
            new.application,
            Word(ApplicationState::Submitted),
            Micros(new.now),
            new.by
        ],
    )?;
    add_revision(tx, new.id, 1, &new.content)?;
    let event = Event { by: Some(new.by), now: new.now, state: ApplicationState::Submitted, reason: None };
    happened(tx, new.id, &event)?;
    audit::append(tx, &NewAct::application_submitted(new.id, new.entity_id, 1, new.by, new.now))?;
    Ok(Submitted::Kept)
}

fn add_revision(
    tx: &Transaction<'_>,
    id: Uuid,
    revision: u32,
    content: &hanna_wire::application::ApplicationContent,
) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO application_revisions (request_id, revision, content, attachment_id) VALUES (?1, ?2, ?3, ?4)",
        params![id, revision, Json(content), content.attachment_id],
    )?;
    Ok(())
}

/// What happens to a request.
struct Event<'a> {
    by: Option<Uuid>,
    now: Timestamp,
    state: ApplicationState,
    reason: Option<&'a str>,
}

/// Puts a request into another state, writes that down, and lets the entity's application follow.
fn happened(tx: &Transaction<'_>, id: Uuid, event: &Event<'_>) -> rusqlite::Result<()> {
    let Event { by, now, state, reason } = *event;
    tx.execute("UPDATE application_requests SET state = ?2 WHERE id = ?1", params![id, Word(state)])?;
    tx.execute(
        "INSERT INTO application_events (request_id, place, at_us, state, revision, reason, by_account)
         SELECT r.id, 1 + (SELECT count(*) FROM application_events e WHERE e.request_id = r.id), ?2, ?3, r.revision, ?4, ?5
         FROM application_requests r WHERE r.id = ?1",
        params![id, Micros(now), Word(state), reason, by],
    )?;
    tx.execute(
        "INSERT INTO applications (entity_id, code, state, reason)
         SELECT r.entity_id, r.application, ?2, ?3 FROM application_requests r WHERE r.id = ?1
         ON CONFLICT (entity_id, code) DO UPDATE SET state = excluded.state, reason = excluded.reason",
        params![id, Word(state), reason],
    )?;
    Ok(())
}

fn correct(tx: &Transaction<'_>, correction: &Correction) -> rusqlite::Result<Corrected> {
    let Some(KeptRequest { request, .. }) = one(tx, correction.id)? else { return Ok(Corrected::Unknown) };
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
    if has_asked(tx, correction.entity_id, &request.application, request.id)? {
        return Ok(Corrected::AlreadyRequested);
    }
    if !is_file_of(tx, correction.content.attachment_id, correction.entity_id)? {
        return Ok(Corrected::NoAttachment);
    }
    add_revision(tx, request.id, next, &correction.content)?;
    tx.execute(
        "UPDATE application_requests SET revision = ?2, asked_by = ?3 WHERE id = ?1",
        params![request.id, next, correction.by],
    )?;
    let (by, now) = (Some(correction.by), correction.now);
    happened(tx, request.id, &Event { by, now, state: ApplicationState::Submitted, reason: None })?;
    let act = NewAct::application_submitted(request.id, request.entity.id, next, correction.by, now);
    audit::append(tx, &act)?;
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

fn request(row: &Row<'_>) -> rusqlite::Result<KeptRequest> {
    let request = ApplicationRequest {
        id: row.get(0)?,
        application: row.get(1)?,
        state: row.get::<_, Word<_>>(2)?.0,
        revision: row.get(3)?,
        content: row.get::<_, Json<_>>(4)?.0,
        entity: Entity { id: row.get(5)?, nit: row.get(6)?, name: row.get(7)? },
        attachment: attachment(row, 10)?,
        history: Vec::new(),
    };
    let (asker, asker_name) = (Redacted::new(row.get(8)?), Redacted::new(row.get(9)?));
    Ok(KeptRequest { request, asker, asker_name })
}

fn history(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Vec<ApplicationEvent>> {
    tx.prepare_cached(
        "SELECT h.at_us, h.state, h.revision, h.reason, a.display_name
         FROM application_events h LEFT JOIN accounts a ON a.id = h.by_account
         WHERE h.request_id = ?1 ORDER BY h.place",
    )?
    .query_map([id], |row| {
        Ok(ApplicationEvent {
            at: row.get::<_, Micros>(0)?.0,
            state: row.get::<_, Word<_>>(1)?.0,
            revision: row.get(2)?,
            reason: row.get(3)?,
            by: row.get(4)?,
        })
    })?
    .collect()
}

fn one(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Option<KeptRequest>> {
    let kept = tx.query_row(&requests_where("r.id = ?1"), [id], request).optional()?;
    let Some(mut kept) = kept else { return Ok(None) };
    kept.request.history = history(tx, id)?;
    Ok(Some(kept))
}

fn page(tx: &Transaction<'_>, filter: &RequestFilter) -> rusqlite::Result<Vec<ApplicationRequest>> {
    let query = requests_where(
        "(?1 IS NULL OR r.entity_id = ?1) AND (?2 IS NULL OR r.state = ?2)
         AND (?3 IS NULL OR (r.sent_us, r.id) < (?3, ?4))
         ORDER BY r.sent_us DESC, r.id DESC",
    );
    let (after_at, after_id) = filter.after.map(|(at, id)| (Micros(at), id)).unzip();
    let mut statement = tx.prepare_cached(&query)?;
    let mut rows = statement.query(params![filter.entity_id, filter.state.map(Word), after_at, after_id])?;
    let mut requests = Vec::new();
    while let Some(row) = rows.next()? {
        if requests.len() >= filter.limit as usize {
            break;
        }
        let KeptRequest { mut request, .. } = request(row)?;
        if filter.finds(&request) {
            request.history = history(tx, request.id)?;
            requests.push(request);
        }
    }
    Ok(requests)
}

fn file(
    tx: &Transaction<'_>,
    request_id: Uuid,
    entity_id: Option<Uuid>,
) -> rusqlite::Result<Option<AttachmentFile>> {
    let query = format!(
        "SELECT {ATTACHMENT}, f.bytes FROM application_requests r
         JOIN application_revisions v ON v.request_id = r.id AND v.revision = r.revision
         JOIN attachments f ON f.id = v.attachment_id
         WHERE r.id = ?1 AND (?2 IS NULL OR r.entity_id = ?2)"
    );
    tx.query_row(&query, params![request_id, entity_id], |row| {
        Ok(AttachmentFile { attachment: attachment(row, 0)?, bytes: Redacted::new(row.get(5)?) })
    })
    .optional()
}

fn rule(tx: &Transaction<'_>, ruling: &Ruling) -> rusqlite::Result<Ruled> {
    let Some(KeptRequest { request, .. }) = one(tx, ruling.id)? else { return Ok(Ruled::Unknown) };
    let is_open = matches!(request.state, ApplicationState::Submitted | ApplicationState::InReview);
    if !is_open || request.revision != ruling.revision {
        return Ok(Ruled::NotPending);
    }
    let (state, reason) = match &ruling.judgement {
        Judgement::Review if request.state == ApplicationState::InReview => return Ok(Ruled::Done),
        Judgement::Review => (ApplicationState::InReview, None),
        Judgement::Reject(reason) => (ApplicationState::Rejected, Some(reason.as_str())),
        Judgement::Approve { agreement_id, terms, branches } => {
            if is_any_taken(tx, branches)? {
                return Ok(Ruled::CodeTaken);
            }
            add_branches(tx, &request.entity, branches)?;
            let covered = branches.iter().map(|branch| branch.id).collect();
            let terms = terms.as_ref().clone();
            let agreement = AdminAgreement { id: *agreement_id, terms, branches: covered };
            businesses::put_agreement(tx, request.entity.id, &agreement)?;
            (ApplicationState::Approved, None)
        }
    };
    happened(tx, request.id, &Event { by: ruling.by.account_id(), now: ruling.now, state, reason })?;
    if let Some(mail) = &ruling.mail {
        mails::add(tx, mail)?;
    }
    audit::append(tx, &NewAct::application_ruled(ruling, request.entity.id))?;
    Ok(Ruled::Done)
}

fn is_any_taken(tx: &Transaction<'_>, branches: &[NewBranch]) -> rusqlite::Result<bool> {
    let codes: Vec<&str> = branches.iter().filter_map(|branch| branch.code.as_deref()).collect();
    let places = vec!["?"; codes.len()].join(", ");
    tx.prepare(&format!("SELECT 1 FROM branches WHERE code IN ({places})"))?.exists(params_from_iter(codes))
}

/// Makes the branches; those who administer the entity and look people up do so at them.
fn add_branches(tx: &Transaction<'_>, entity: &Entity, branches: &[NewBranch]) -> rusqlite::Result<()> {
    // Those with a code first: none is made that another of them has.
    let (coded, uncoded): (Vec<_>, Vec<_>) = branches.iter().partition(|branch| branch.code.is_some());
    for branch in coded.into_iter().chain(uncoded) {
        let code = match &branch.code {
            Some(code) => code.clone(),
            None => businesses::made_code(tx, entity.id, &entity.name)?,
        };
        let (name, city) = (branch.name.clone(), branch.city.clone());
        businesses::insert_branch(tx, entity.id, &Branch { id: branch.id, code, name, city })?;
        tx.execute(
            "INSERT INTO account_branches (account_id, branch_id)
             SELECT a.id, ?2 FROM accounts a WHERE a.entity_id = ?1 AND a.state = ?3
                 AND EXISTS (SELECT 1 FROM account_roles r WHERE r.account_id = a.id AND r.role = ?4)
                 AND EXISTS (SELECT 1 FROM account_roles r WHERE r.account_id = a.id AND r.role = ?5)",
            params![
                entity.id,
                branch.id,
                Word(AccountState::Active),
                Word(Role::EntityAdmin),
                Word(Role::Operator)
            ],
        )?;
    }
    Ok(())
}

#[async_trait]
impl Applications for SqliteStore {
    async fn attach(&self, new: NewAttachment) -> Result<Attached> {
        self.write(move |tx| attach(tx, &new)).await
    }

    async fn submit_application(&self, new: NewApplication) -> Result<Submitted> {
        self.write(move |tx| submit(tx, &new)).await
    }

    async fn correct_application(&self, correction: Correction) -> Result<Corrected> {
        self.write(move |tx| correct(tx, &correction)).await
    }

    async fn application_requests(&self, filter: RequestFilter) -> Result<Vec<ApplicationRequest>> {
        self.read(move |tx| page(tx, &filter)).await
    }

    async fn application_request(&self, id: Uuid) -> Result<Option<KeptRequest>> {
        self.read(move |tx| one(tx, id)).await
    }

    async fn attachment(&self, request_id: Uuid, entity_id: Option<Uuid>) -> Result<Option<AttachmentFile>> {
        self.read(move |tx| file(tx, request_id, entity_id)).await
    }

    async fn rule(&self, ruling: Ruling) -> Result<Ruled> {
        self.write(move |tx| rule(tx, &ruling)).await
    }
}
