//! *Exportar pendientes*: what waits, in a file that only the caja reads, for the day this PC cannot deliver it itself.
//!
//! Nothing changes here: what was exported waits on and is delivered when it can be, and the server knows it by its id. All
//! that is needed is kept in the outbox, so it works without the server, without a session, and on a revoked PC.

use std::io::{self, Write};
use std::path::PathBuf;

use hanna_domain::outbox::ItemKind;
use hanna_wire::export::{Head, Sealer};
use hanna_wire::keys::ExportKeys;
use hanna_wire::limits::{BATCH_ITEMS_MAX, BODY_MAX_BYTES};
use hanna_wire::outbox::{Batch, Item};
use uuid::Uuid;

use crate::desk::Desk;
use crate::error::{DeskError, ErrorCode};
use crate::file::write_whole;
use crate::store::{OutboxStore, StoreError};
use crate::view::ExportedOutbox;

/// How long an export waits for the server to say what exports are sealed with, when it never did.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

impl Desk {
    /// Writes everything not done with to `path`, sealed to the caja. It goes on waiting here.
    ///
    /// # Errors
    /// [`ErrorCode::NothingToExport`]; [`ErrorCode::ExportKeyUnknown`] when the server has never said what to seal with, and
    /// does not now; [`ErrorCode::NotSignedIn`] while the databases wait for a password; [`ErrorCode::DiskFull`],
    /// [`ErrorCode::FileFailed`].
    pub async fn export_outbox(&self, path: PathBuf) -> Result<ExportedOutbox, DeskError> {
        let waiting = self.with_stores(|stores| stores.outbox.open_sequences()).await?;
        if waiting.is_empty() {
            return Err(ErrorCode::NothingToExport.into());
        }
        let keys = self.export_keys().await?;
        let mut random = [0; 32];
        self.inner.chance.fill(&mut random);
        let device_id = self.device_id();
        let stores = self.stores()?;
        tokio::task::spawn_blocking(move || {
            let mut count = Count::default();
            write_whole(&path, |out| {
                count = seal(&stores.outbox, &waiting, device_id, &keys, random, out)?;
                Ok(())
            })?;
            tracing::info!(items = waiting.len(), "what waits was exported");
            let path = path.to_string_lossy().into_owned();
            Ok(ExportedOutbox { path, items: count.items, lookups: count.lookups })
        })
        .await?
    }

    /// The name of a file to propose: of this PC, and of this day.
    pub fn export_name(&self) -> String {
        let (_, now) = self.now();
        format!("Pendientes {} {}.hanna", self.inner.device_name, hanna_domain::colombia::day_of(now))
    }

    async fn export_keys(&self) -> Result<ExportKeys, DeskError> {
        if let Err(error) = tokio::time::timeout(PATIENCE, self.learn_export_keys()).await.unwrap_or(Ok(())) {
            tracing::info!(%error, "the server does not say what exports are sealed with");
        }
        let kept = self.with_stores(|stores| stores.outbox.export_keys()).await?;
        kept.ok_or_else(|| ErrorCode::ExportKeyUnknown.into())
    }

    /// Asks the server what exports are sealed with, unless it has said so: a desk that was signed in when its program was
    /// updated has not heard of it.
    pub(crate) async fn learn_export_keys(&self) -> Result<(), DeskError> {
        if self.with_stores(|stores| stores.outbox.export_keys()).await?.is_none() {
            self.fetch_keys().await?;
        }
        Ok(())
    }
}

/// How many items there are, by whether somebody waits for them.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// Uses and voids.
    items: u32,
    lookups: u32,
}

fn seal(
    outbox: &OutboxStore,
    waiting: &[i64],
    device_id: Uuid,
    keys: &ExportKeys,
    random: [u8; 32],
    out: &mut dyn Write,
) -> io::Result<Count> {
    let items = u32::try_from(waiting.len()).map_err(io::Error::other)?;
    let head = Head::new(keys.caja, device_id, items);
    let mut sealer = Sealer::begin(out, head, keys.caja, keys.device.expose(), random)?;
    let mut count = Count::default();
    let (mut page, mut bytes) = (Vec::new(), 0);
    for sequence in waiting {
        // Rows do not go away: what was settled meanwhile is exported all the same, and the caja knows it.
        let row = outbox.item_at(*sequence).and_then(|row| row.ok_or(StoreError::Content("item")));
        let row = row.map_err(io::Error::other)?;
        match row.item.kind() {
            ItemKind::UsageReport | ItemKind::Void => count.items += 1,
            ItemKind::OfflineLookup => count.lookups += 1,
        }
        let item = row.to_wire();
        let weight = serde_json::to_vec(&item)?.len() + 1;
        if page.len() == BATCH_ITEMS_MAX || (!page.is_empty() && bytes + weight > BODY_MAX_BYTES) {
            sealer.page(&batch(&mut page)?, false)?;
            bytes = 0;
        }
        bytes += weight;
        page.push(item);
    }
    sealer.page(&batch(&mut page)?, true)?;
    Ok(count)
}

fn batch(page: &mut Vec<Item>) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Batch { items: std::mem::take(page), waiting: None })?)
}
