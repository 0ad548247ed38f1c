//! The epoch of the data, which every batch is answered with. Renewed after the database was restored from a backup: what
//! desks had delivered since the backup was made is not in it, and they offer it again, under the same ids.

use uuid::Uuid;

use crate::app::App;
use crate::clock::Entropy;
use crate::store::StoreError;

/// The epoch to begin.
pub fn made(entropy: &dyn Entropy) -> Uuid {
    uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid()
}

impl App {
    /// The epoch of the data.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn epoch(&self) -> Result<Uuid, StoreError> {
        self.store().epoch(made(self.entropy())).await
    }

    /// Begins another epoch, and answers with it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn renew_epoch(&self) -> Result<Uuid, StoreError> {
        let next = made(self.entropy());
        self.store().renew_epoch(next, self.clock().now(), self.run_by().clone()).await?;
        Ok(next)
    }
}
