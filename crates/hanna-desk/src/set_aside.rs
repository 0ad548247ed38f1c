//! Bringing back what an outbox holds that could not be opened and was set aside.

use std::path::PathBuf;

use crate::desk::{Desk, lock};
use crate::error::{DeskError, ErrorCode};
use crate::store::{StoreError, note_brought_back, set_aside_in};
use crate::view::{Notice, Recovered};

impl Desk {
    /// Brings back what can be read of every outbox of this PC that was set aside, and was not brought back before.
    ///
    /// # Errors
    /// As [`Desk::import_set_aside`], of the first file that gives nothing; what others gave stays.
    pub async fn recover_set_aside(&self) -> Result<Recovered, DeskError> {
        let folder = self.inner.data_dir.clone();
        let files = self.with_stores(move |_| set_aside_in(&folder)).await?;
        let (mut all, mut failed) = (Recovered::default(), None);
        for file in files {
            match self.import_set_aside(file).await {
                Ok(one) => {
                    all.added += one.added;
                    all.already_there += one.already_there;
                    all.is_damaged |= one.is_damaged;
                }
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        lock(&self.inner.notices).retain(|notice| *notice != Notice::OutboxSetAside);
        Ok(all)
    }

    /// Brings back what can be read of the outbox at `path`: items that are not here are added as they stood, under their
    /// ids, and wait to be delivered if they did; others stay as they are. The file itself is not changed.
    ///
    /// # Errors
    /// [`ErrorCode::SetAsideUnreadable`] when nothing of it can be read: no outbox, of another PC, damaged at its beginning;
    /// [`ErrorCode::StoreNewer`], [`ErrorCode::DiskFull`], [`ErrorCode::NotSignedIn`] while the databases wait for a password.
    pub async fn import_set_aside(&self, path: PathBuf) -> Result<Recovered, DeskError> {
        let stores = self.stores()?;
        if !path.is_file() {
            return Err(ErrorCode::SetAsideUnreadable.into());
        }
        let key = self.database_key()?;
        let scratch =
            self.inner.data_dir.join(format!("lectura-{}", self.inner.chance.id(self.inner.clock.now())));
        let recovered = tokio::task::spawn_blocking(move || {
            let recovered = stores.outbox.bring_back(&path, &key, &scratch)?;
            note_brought_back(&path)?;
            Ok::<_, StoreError>(recovered)
        })
        .await?
        .map_err(|error| match error {
            StoreError::Unreadable => DeskError::caused(ErrorCode::SetAsideUnreadable, error),
            other => other.into(),
        })?;
        let Recovered { added, already_there, is_damaged } = recovered;
        tracing::warn!(added, already_there, is_damaged, "an outbox that was set aside was brought back");
        self.inner.wake.notify_one();
        self.tell_status();
        Ok(recovered)
    }
}
