//! Devices: the PCs that signed in, and those the caja does not trust any more.
//!
//! A revoked PC is answered nothing but what it needs to deliver what it recorded before: see `POST /v1/outbox`.

use uuid::Uuid;

use crate::app::App;
use crate::store::{Device, StoreError};

impl App {
    /// Every device, the one of the last contact first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn devices(&self) -> Result<Vec<Device>, StoreError> {
        self.store().devices().await
    }

    /// Revokes a device from now on. `false` when there is none of this id.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn revoke_device(&self, id: Uuid) -> Result<bool, StoreError> {
        self.store().revoke_device(id, self.clock().now(), self.run_by().clone()).await
    }

    /// Trusts a device again. `false` when there is none of this id.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn restore_device(&self, id: Uuid) -> Result<bool, StoreError> {
        self.store().restore_device(id, self.clock().now(), self.run_by().clone()).await
    }
}

#[cfg(test)]
mod tests;
