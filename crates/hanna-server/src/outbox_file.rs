//! *Exportar pendientes*: the outbox of a PC that cannot deliver it any more, taken in from its file.
//!
//! A file is what its PC sealed, and nothing else is: see `hanna_wire::export`. Everything in it is judged as if the PC had
//! delivered it, by the same code and in the name of whoever signed in there last; so a second run changes nothing, nor does
//! the PC when it delivers after all. A file that is not whole and genuine is refused before any of it is judged.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;

use hanna_domain::outbox::ItemCode;
use hanna_wire::export::{ExportFault, Head, Opener, read_head};
use hanna_wire::keys::Key;
use hanna_wire::outbox::OutcomeKind;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{Act, NewAct};
use crate::fault::Fault;
use crate::routes::outbox::{ArrivedBatch, ArrivedItem, take_in};
use crate::store::{Sender, StoreError};

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedOutbox {
    /// The PC that made it.
    pub device_id: Uuid,
    /// What people call that PC.
    pub device_name: String,
    /// How many items it has: the sum of the counts below.
    pub items: u32,
    /// Taken in now.
    pub accepted: u32,
    /// Taken in now, with a note.
    pub noted: u32,
    /// Refused: the PC will show them as *Requiere atención* when it delivers.
    pub refused: u32,
    /// To be judged later: what they are about may still come. Importing the file again judges them again.
    pub waiting: u32,
    /// Answered before, by a delivery or an import; the first answer stands.
    pub already_there: u32,
    /// How often each note and each refusal of now was given.
    pub codes: BTreeMap<&'static str, u32>,
}

/// Why a file is not taken in. Nothing was changed, unless the database failed on the way: then the file can be imported
/// again.
#[derive(Debug, thiserror::Error)]
pub enum OutboxFileError {
    /// It is not one this server takes in.
    #[error(transparent)]
    File(#[from] OutboxFileFault),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in it could not be judged.
    #[error("the items could not be judged: {0}")]
    Judging(String),
    /// A task of the runtime ended.
    #[error("the file could not be read: {0}")]
    Runtime(#[from] tokio::task::JoinError),
}

/// What is wrong with a file, in Spanish: whoever loads it reads this.
#[derive(Debug, thiserror::Error)]
pub enum OutboxFileFault {
    /// It cannot be opened or read.
    #[error("El archivo no se puede leer: {0}.")]
    Unreadable(#[source] std::io::Error),
    /// It is something else.
    #[error("El archivo no es una exportación de pendientes de Hanna Convenios.")]
    Other,
    /// It was made by a newer program.
    #[error(
        "El archivo es de una versión más nueva ({0}) que este programa: actualice el servidor e impórtelo de nuevo."
    )]
    Newer(u16),
    /// It ends too early.
    #[error("El archivo está incompleto: cópielo de nuevo desde el equipo que lo exportó.")]
    Cut,
    /// It is sealed to another key.
    #[error("El archivo está sellado para otra caja, o para otra instalación del servidor.")]
    OtherCaja,
    /// It says to be of a PC that never signed in here.
    #[error("El archivo es de un equipo que este servidor no conoce ({0}).")]
    UnknownDevice(Uuid),
    /// It is not as its PC made it.
    #[error("El archivo no es auténtico: fue modificado, o no lo hizo el equipo que dice.")]
    NotGenuine,
}

impl From<ExportFault> for OutboxFileFault {
    fn from(fault: ExportFault) -> Self {
        match fault {
            ExportFault::Other => Self::Other,
            ExportFault::Newer(version) => Self::Newer(version),
            ExportFault::Cut => Self::Cut,
            ExportFault::NotGenuine => Self::NotGenuine,
            ExportFault::Io(error) => Self::Unreadable(error),
        }
    }
}

impl From<ExportFault> for OutboxFileError {
    fn from(fault: ExportFault) -> Self {
        Self::File(fault.into())
    }
}

impl From<Fault> for OutboxFileError {
    fn from(fault: Fault) -> Self {
        let cause = fault.cause.map_or_else(|| fault.code.to_string(), |cause| cause.to_string());
        Self::Judging(cause)
    }
}

impl App {
    /// Takes in what a PC exported.
    ///
    /// # Errors
    /// See [`OutboxFileError`].
    pub async fn import_outbox(&self, path: &Path) -> Result<ImportedOutbox, OutboxFileError> {
        let path = path.to_owned();
        let (file, head) = blocking(move || {
            let mut file = BufReader::new(File::open(path).map_err(ExportFault::Io)?);
            let head = read_head(&mut file)?;
            Ok((file, head))
        })
        .await?;
        let (device_name, sender) = self.sender_of(head).await?;
        let app = self.clone();
        // Once through, so that nothing is judged of a file that is not whole.
        let file = blocking(move || app.check(file, head)).await?;
        let said = json!({ "items": head.items, "sender": sender.account_id });
        let act = NewAct::new(Act::OutboxImported, self.clock().now()).by(self.run_by());
        self.store().append(act.at_device(head.device_id).saying(said)).await?;
        let app = self.clone();
        let mut opener = blocking(move || app.pages(file, head)).await?;
        let mut imported = ImportedOutbox {
            device_id: head.device_id,
            device_name,
            items: 0,
            accepted: 0,
            noted: 0,
            refused: 0,
            waiting: 0,
            already_there: 0,
            codes: BTreeMap::new(),
        };
        loop {
            let page;
            (opener, page) = blocking(move || {
                let page = opener.page()?.map(|page| batch(&page)).transpose()?;
                Ok((opener, page))
            })
            .await?;
            let Some(page) = page else { return Ok(imported) };
            self.import_page(sender, page, &mut imported).await?;
        }
    }

    /// What the PC is called, and in whose name its items are judged.
    async fn sender_of(&self, head: Head) -> Result<(String, Sender), OutboxFileError> {
        if !head.is_for(self.caja_key().public()) {
            return Err(OutboxFileFault::OtherCaja.into());
        }
        let unknown = || OutboxFileFault::UnknownDevice(head.device_id);
        let devices = self.store().devices().await?;
        let device = devices.into_iter().find(|device| device.id == head.device_id).ok_or_else(unknown)?;
        let sender = self.store().last_sender(head.device_id).await?.ok_or_else(unknown)?;
        Ok((device.name, sender))
    }

    fn pages(&self, mut file: BufReader<File>, head: Head) -> Result<Opener<BufReader<File>>, ExportFault> {
        file.rewind()?;
        if read_head(&mut file)? != head {
            return Err(ExportFault::NotGenuine);
        }
        let device = Key(self.mac_key().of_device(head.device_id));
        Opener::begin(file, head, self.caja_key(), &device)
    }

    /// Reads the file to its end.
    fn check(&self, file: BufReader<File>, head: Head) -> Result<BufReader<File>, ExportFault> {
        let mut pages = self.pages(file, head)?;
        let mut items = 0;
        while let Some(page) = pages.page()? {
            items += batch(&page)?.items.len();
        }
        if u32::try_from(items).is_ok_and(|items| items == head.items) {
            Ok(pages.into_inner())
        } else {
            Err(ExportFault::NotGenuine)
        }
    }

    async fn import_page(
        &self,
        sender: Sender,
        page: ArrivedBatch,
        imported: &mut ImportedOutbox,
    ) -> Result<(), OutboxFileError> {
        let questions: Vec<(Uuid, u32)> = page.items.iter().map(ArrivedItem::question).collect();
        let ids = questions.iter().map(|(id, _)| *id).collect();
        let held: HashMap<Uuid, u32> = self.store().held(ids).await?.into_iter().collect();
        let answer = take_in(self, sender, page).await?;
        for ((id, submission), outcome) in questions.into_iter().zip(answer.outcomes) {
            imported.items += 1;
            let is_answered = held.get(&id).is_some_and(|answered| *answered >= submission);
            let (count, code) = match (outcome.outcome, outcome.code) {
                // Another item of the same id: what is held is not this one.
                (_, code @ Some(ItemCode::IdConflict)) => (&mut imported.refused, code),
                _ if is_answered => (&mut imported.already_there, None),
                (OutcomeKind::Accepted, _) => (&mut imported.accepted, None),
                (OutcomeKind::AcceptedWithNote, code) => (&mut imported.noted, code),
                (OutcomeKind::Refused, code) => (&mut imported.refused, code),
                (OutcomeKind::Retry, _) => (&mut imported.waiting, None),
            };
            *count += 1;
            if let Some(code) = code {
                *imported.codes.entry(code.code()).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// A page that its PC sealed and that is no batch was made by a program we do not know.
fn batch(page: &[u8]) -> Result<ArrivedBatch, ExportFault> {
    serde_json::from_slice(page).map_err(|_| ExportFault::NotGenuine)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExportFault> + Send + 'static,
) -> Result<T, OutboxFileError> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

#[cfg(test)]
mod tests;
