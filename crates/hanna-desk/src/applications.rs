//! Requesting an application for the entity (*solicitud de aplicaciones*).
//!
//! What an administrator fills in is a draft. It is kept on this PC, with the file chosen, for each operator, until the
//! server has the request: leaving the screen, a restart and a lost connection take nothing away. It is sent in two calls,
//! the file and then the request that names it; both can be made again under the same ids.

use std::sync::Arc;

use hanna_domain::Redacted;
use hanna_wire::account::{is_email, phone};
use hanna_wire::application::{
    ApplicationContent, Attachment, CorrectApplication, MediaType, ProposedBranch, SubmitApplication,
};
pub use hanna_wire::application::{ApplicationRequest, FILE_NAME_HEADER, read_file_name};
use hanna_wire::limits;
use hanna_wire::me::{ApplicationState, Me, Role};
use hanna_wire::problem::ErrorCode as Refusal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::backend::{Failure, FailureKind, Upload};
use crate::desk::{Desk, Event};
use crate::error::{DeskError, ErrorCode, Param};
use crate::session::{APPLICATION, Secret};

/// What is filled in of a request, whole or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApplicationForm {
    /// Whom the caja talks to.
    #[ts(type = "string")]
    pub contact_name: Secret,
    /// Their address.
    #[ts(type = "string")]
    pub contact_email: Secret,
    /// As people write it.
    #[ts(type = "string")]
    pub contact_phone: Secret,
    /// The benefit offered to affiliates, in words.
    pub benefit: String,
    /// Where it is given.
    pub branches: Vec<ProposedBranch>,
}

/// The file of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChosenFile {
    /// The attachment it is or will be.
    pub id: Uuid,
    /// As the person called it, without a path.
    pub file_name: String,
    /// What it is, by how it begins.
    pub media_type: MediaType,
    /// Its length, in bytes.
    pub size_bytes: u32,
}

/// What a draft puts right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Correction {
    /// The revision that was rejected.
    pub revision: u32,
    /// Why.
    pub reason: Option<String>,
}

/// A request that was not sent yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApplicationDraft {
    /// The request it is or will be.
    pub id: Uuid,
    /// What is filled in.
    pub form: ApplicationForm,
    /// The file chosen, or the one of the request that is corrected.
    pub file: Option<ChosenFile>,
    /// What is put right; none of a first request.
    pub corrects: Option<Correction>,
}

/// How far the file of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct UploadProgress {
    /// What the connection has taken, in bytes.
    #[ts(type = "number")]
    pub sent_bytes: u64,
    /// How long the file is.
    #[ts(type = "number")]
    pub size_bytes: u64,
}

impl ApplicationDraft {
    /// The first one: whoever fills it in is usually whom the caja talks to.
    fn first(id: Uuid, me: &Me) -> Self {
        let username = Some(&me.operator.username).filter(|name| is_email(name));
        let form = ApplicationForm {
            contact_name: Redacted::new(me.operator.display_name.clone()),
            contact_email: Redacted::new(username.cloned().unwrap_or_default()),
            ..ApplicationForm::default()
        };
        Self { id, form, file: None, corrects: None }
    }

    /// A rejected request, to be put right: everything that was said is there.
    fn correcting(request: ApplicationRequest) -> Self {
        let reason = request.history.iter().rev().find_map(|event| event.reason.clone());
        let ApplicationContent { contact_name, contact_email, contact_phone, benefit, branches, .. } =
            request.content;
        Self {
            id: request.id,
            form: ApplicationForm { contact_name, contact_email, contact_phone, benefit, branches },
            file: Some(request.attachment.into()),
            corrects: Some(Correction { revision: request.revision, reason }),
        }
    }

    fn corrects(&self, request: &ApplicationRequest) -> bool {
        let revision = self.corrects.as_ref().map(|correction| correction.revision);
        self.id == request.id && revision == Some(request.revision)
    }

    /// What is sent, when nothing is missing.
    fn content(&self) -> Result<ApplicationContent, DeskError> {
        let form = &self.form;
        let contact_email = Redacted::new(form.contact_email.expose().trim().to_owned());
        if !is_email(contact_email.expose()) {
            return Err(ErrorCode::EmailInvalid.into());
        }
        let contact_phone = phone(form.contact_phone.expose()).ok_or(ErrorCode::PhoneInvalid)?;
        let file = self.file.as_ref().ok_or(ErrorCode::RequestIncomplete)?;
        if form.branches.is_empty() || form.branches.len() > limits::REQUEST_BRANCHES_MAX {
            return Err(ErrorCode::RequestIncomplete.into());
        }
        let branch = |branch: &ProposedBranch| {
            Ok::<_, DeskError>(ProposedBranch {
                name: words(&branch.name, limits::NAME_MAX)?,
                city: words(&branch.city, limits::NAME_MAX)?,
                address: words(&branch.address, limits::ADDRESS_MAX)?,
            })
        };
        Ok(ApplicationContent {
            contact_name: Redacted::new(words(form.contact_name.expose(), limits::NAME_MAX)?),
            contact_email,
            contact_phone: Redacted::new(contact_phone),
            benefit: words(&form.benefit, limits::BENEFIT_MAX)?,
            branches: form.branches.iter().map(branch).collect::<Result<_, _>>()?,
            attachment_id: file.id,
        })
    }
}

impl From<Attachment> for ChosenFile {
    fn from(sent: Attachment) -> Self {
        Self {
            id: sent.id,
            file_name: sent.file_name,
            media_type: sent.media_type,
            size_bytes: sent.size_bytes,
        }
    }
}

/// One line of text, neither empty nor over `max` characters. A tab or a line that was pasted in becomes a space.
fn words(text: &str, max: usize) -> Result<String, DeskError> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.is_empty() || line.chars().count() > max {
        return Err(ErrorCode::RequestIncomplete.into());
    }
    Ok(line.to_owned())
}

/// The name of a file without a path, as long as the contract takes it: the ending stays.
fn file_name(name: &str) -> String {
    let name: String =
        name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    let over = name.chars().count().saturating_sub(limits::FILE_NAME_MAX);
    let name: String = name.chars().skip(over).collect();
    if name.trim().is_empty() { "adjunto".to_owned() } else { name.trim().to_owned() }
}

impl Desk {
    /// Who is signed in, if they administer their entity.
    pub(crate) fn administrator(&self) -> Result<Arc<Me>, DeskError> {
        let me = self.me()?;
        if me.roles.contains(&Role::EntityAdmin) { Ok(me) } else { Err(ErrorCode::Forbidden.into()) }
    }

    /// The requests of the own entity, the newest first.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`], or why the server cannot be asked.
    pub async fn application_requests(&self) -> Result<Vec<ApplicationRequest>, DeskError> {
        let me = self.administrator()?;
        let page = self
            .authorized_as(Some(me.operator.id), |backend, token| async move {
                backend.application_requests(&token).await
            })
            .await?;
        Ok(page.value.items)
    }

    /// What is filled in, to go on with it: the draft of before, the rejected request to put right, or an empty form.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`], [`ErrorCode::AlreadyRequested`] when there is nothing to ask for; with a request to put
    /// right and no draft of that yet, why the server cannot be asked.
    pub async fn begin_application(&self) -> Result<ApplicationDraft, DeskError> {
        let me = self.administrator()?;
        let kept = self.draft(&me).await?;
        let tile = me.applications.iter().find(|application| application.code == APPLICATION);
        let draft = match (tile.map(|tile| tile.state), kept) {
            (Some(ApplicationState::NotRequested), Some(kept)) => return Ok(kept),
            (Some(ApplicationState::NotRequested), None) => {
                ApplicationDraft::first(self.inner.chance.id(self.inner.clock.now()), &me)
            }
            (Some(ApplicationState::Rejected), kept) => match (self.rejected_request().await, kept) {
                (Err(_), Some(kept)) if kept.corrects.is_some() => return Ok(kept),
                (Err(error), _) => return Err(error),
                // Somebody put it right already, at another PC.
                (Ok(None), _) => return Err(ErrorCode::AlreadyRequested.into()),
                (Ok(Some(request)), Some(kept)) if kept.corrects(&request) => return Ok(kept),
                (Ok(Some(request)), _) => ApplicationDraft::correcting(request),
            },
            _ => return Err(ErrorCode::AlreadyRequested.into()),
        };
        let (operator, begun) = (me.operator.id, draft.clone());
        self.with_stores(move |stores| stores.cache.keep_draft_file(operator, &begun, None)).await?;
        Ok(draft)
    }

    async fn rejected_request(&self) -> Result<Option<ApplicationRequest>, DeskError> {
        let newest = self.application_requests().await?.into_iter().next();
        Ok(newest.filter(|request| request.state == ApplicationState::Rejected))
    }

    async fn draft(&self, me: &Me) -> Result<Option<ApplicationDraft>, DeskError> {
        let operator = me.operator.id;
        self.with_stores(move |stores| stores.cache.draft(operator)).await
    }

    /// The draft at hand. Without one its screen is out of date.
    async fn draft_at_hand(&self) -> Result<(Arc<Me>, ApplicationDraft), DeskError> {
        let me = self.administrator()?;
        let draft = self.draft(&me).await?.ok_or(ErrorCode::ItemNotFound)?;
        Ok((me, draft))
    }

    /// Keeps what is filled in, right or not.
    ///
    /// # Errors
    /// [`ErrorCode::ItemNotFound`] when no draft was begun, or a fault of this PC.
    pub async fn keep_application(&self, form: ApplicationForm) -> Result<(), DeskError> {
        let (me, draft) = self.draft_at_hand().await?;
        let draft = ApplicationDraft { form, ..draft };
        self.with_stores(move |stores| stores.cache.keep_draft(me.operator.id, &draft)).await
    }

    /// Puts a file to the draft, in the place of the one of before. It stays on this PC until the request is sent.
    ///
    /// # Errors
    /// [`ErrorCode::AttachmentTooLarge`] with `max` in MiB, [`ErrorCode::AttachmentKind`], or a fault of this PC.
    pub async fn attach_file(&self, name: &str, bytes: Vec<u8>) -> Result<ChosenFile, DeskError> {
        let (me, draft) = self.draft_at_hand().await?;
        if bytes.len() > limits::ATTACHMENT_MAX_BYTES {
            return Err(too_large());
        }
        let media_type = MediaType::of(&bytes).ok_or(ErrorCode::AttachmentKind)?;
        let size_bytes = u32::try_from(bytes.len()).map_err(|_| too_large())?;
        let id = self.inner.chance.id(self.inner.clock.now());
        let file = ChosenFile { id, file_name: file_name(name), media_type, size_bytes };
        let draft = ApplicationDraft { file: Some(file.clone()), ..draft };
        self.with_stores(move |stores| stores.cache.keep_draft_file(me.operator.id, &draft, Some(&bytes)))
            .await?;
        Ok(file)
    }

    /// Takes the file of the draft away.
    ///
    /// # Errors
    /// [`ErrorCode::ItemNotFound`] when no draft was begun, or a fault of this PC.
    pub async fn detach_file(&self) -> Result<(), DeskError> {
        let (me, draft) = self.draft_at_hand().await?;
        let draft = ApplicationDraft { file: None, ..draft };
        self.with_stores(move |stores| stores.cache.keep_draft_file(me.operator.id, &draft, None)).await
    }

    /// Sends the draft: the file first, when it is not there yet. The draft goes once the server has the request. How far
    /// the file is, is told as [`Event::Upload`].
    ///
    /// # Errors
    /// What is wrong with a field, [`ErrorCode::RequestIncomplete`], [`ErrorCode::AlreadyRequested`],
    /// [`ErrorCode::ItemNotFound`] when it is not to be corrected any more, or why the server cannot be asked: the draft
    /// stays as it is.
    pub async fn send_application(&self) -> Result<ApplicationRequest, DeskError> {
        let (me, draft) = self.draft_at_hand().await?;
        let content = draft.content()?;
        let operator = me.operator.id;
        let bytes = self.with_stores(move |stores| stores.cache.draft_file(operator)).await?;
        if let (Some(bytes), Some(file)) = (bytes, &draft.file) {
            self.upload(operator, file, bytes).await?;
        }
        let sent = match &draft.corrects {
            None => {
                let request =
                    SubmitApplication { id: draft.id, application: APPLICATION.to_owned(), content };
                self.authorized_as(Some(operator), |backend, token| {
                    let request = request.clone();
                    async move { backend.submit_application(&token, &request).await }
                })
                .await
            }
            Some(correction) => {
                let request = CorrectApplication { revision: correction.revision, content };
                self.authorized_as(Some(operator), |backend, token| {
                    let request = request.clone();
                    async move { backend.correct_application(&token, draft.id, &request).await }
                })
                .await
            }
        };
        let request = sent.map_err(refused)?.value;
        self.with_stores(move |stores| stores.cache.forget_draft(operator)).await?;
        // The tile says so too; when it cannot be asked now, the screen asks again.
        if let Err(error) = self.refresh_session().await {
            tracing::info!(%error, "the request is sent; the tile says so later");
        }
        Ok(request)
    }

    async fn upload(&self, operator: Uuid, file: &ChosenFile, bytes: Vec<u8>) -> Result<(), DeskError> {
        let size_bytes = u64::from(file.size_bytes);
        let desk = self.clone();
        let upload = Upload {
            id: file.id,
            file_name: file.file_name.clone(),
            media_type: file.media_type,
            bytes: bytes.into(),
            tell: Arc::new(move |sent_bytes| {
                desk.emit(Event::Upload(UploadProgress { sent_bytes, size_bytes }));
            }),
        };
        let uploaded = self
            .authorized_as(Some(operator), |backend, token| {
                let upload = upload.clone();
                async move { backend.attach(&token, upload).await }
            })
            .await;
        uploaded.map(drop).map_err(refused)
    }
}

fn too_large() -> DeskError {
    let max_mib = limits::ATTACHMENT_MAX_BYTES / (1024 * 1024);
    DeskError::new(ErrorCode::AttachmentTooLarge).with("max", Param::Number(max_mib as u64))
}

/// What the server's refusals say of a request.
fn refused(failure: Failure) -> DeskError {
    match failure.kind {
        FailureKind::Refused(Refusal::TooLarge) => too_large(),
        FailureKind::Refused(Refusal::UnsupportedMediaType) => ErrorCode::AttachmentKind.into(),
        FailureKind::Refused(Refusal::Invalid) => DeskError::caused(ErrorCode::RequestIncomplete, failure),
        // An answer was lost, and then something else was typed: what was sent first is there.
        FailureKind::Refused(Refusal::IdConflict) => ErrorCode::AlreadyRequested.into(),
        _ => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_has_no_path_and_keeps_its_ending() {
        assert_eq!(file_name("C:\\Usuarios\\Ana\\cámara de comercio.pdf"), "cámara de comercio.pdf");
        assert_eq!(file_name("/media/memoria/foto.png"), "foto.png");
        assert_eq!(file_name(" \n"), "adjunto");
        let long = file_name(&format!("{}.pdf", "ñ".repeat(400)));
        assert_eq!((long.chars().count(), long.ends_with("ñ.pdf")), (limits::FILE_NAME_MAX, true));
    }

    #[test]
    fn a_text_is_one_line_that_says_something() {
        assert_eq!(words(" 20 %\nde\tdescuento ", 40).ok().as_deref(), Some("20 % de descuento"));
        assert_eq!(words(" \n", 40).map_err(|error| error.code()), Err(ErrorCode::RequestIncomplete));
        assert_eq!(words("ñandú", 4).map_err(|error| error.code()), Err(ErrorCode::RequestIncomplete));
    }
}
