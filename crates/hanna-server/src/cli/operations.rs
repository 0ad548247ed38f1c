//! The subcommands of whoever runs the server: `device`, `keys`, `epoch`.

use std::io::{self, Write};
use std::process::ExitCode;

use uuid::Uuid;

use super::open;
use super::settings::Effective;
use crate::app::{App, Database};
use crate::store::postgres::PostgresStore;

pub async fn list_devices(holds: &Effective) -> anyhow::Result<ExitCode> {
    let devices = open(holds).await?.devices().await?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<36}  {:<20}  {:>13}  {:>7}  {:<20}  name",
        "id", "last contact", "last sequence", "waiting", "revoked"
    )?;
    for device in devices {
        let revoked = device.revoked_at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
        let (contact, sequence) = (device.last_contact_at, device.last_sequence);
        let waiting = device.waiting.map_or_else(|| "-".to_owned(), |waiting| waiting.to_string());
        writeln!(
            out,
            "{}  {contact:.0}  {sequence:>13}  {waiting:>7}  {revoked:<20}  {}",
            device.id, device.name
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn revoke_device(id: Uuid, holds: &Effective) -> anyhow::Result<ExitCode> {
    let known = open(holds).await?.revoke_device(id).await?;
    anyhow::ensure!(known, "there is no device {id}");
    writeln!(io::stdout(), "{id} is revoked")?;
    Ok(ExitCode::SUCCESS)
}

pub async fn restore_device(id: Uuid, holds: &Effective) -> anyhow::Result<ExitCode> {
    let known = open(holds).await?.restore_device(id).await?;
    anyhow::ensure!(known, "there is no device {id}");
    writeln!(io::stdout(), "{id} is trusted")?;
    Ok(ExitCode::SUCCESS)
}

pub async fn rotate_keys(holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let kid = app.rotate_keys(None).await?;
    writeln!(io::stdout(), "{kid} signs from now on\n")?;
    write_keys(&app).await
}

pub async fn bring_keys(from: &Database, holds: &Effective) -> anyhow::Result<ExitCode> {
    let Database::Postgres(address) = from else {
        anyhow::bail!("{from} is an embedded database: `restore` brings its keys along");
    };
    let keys = PostgresStore::keys_of(address).await?;
    let app = open(holds).await?;
    let brought = app.bring_keys(keys).await?;
    writeln!(io::stdout(), "keys brought along from {from}: {brought}\n")?;
    write_keys(&app).await
}

pub async fn list_keys(holds: &Effective) -> anyhow::Result<ExitCode> {
    write_keys(&open(holds).await?).await
}

async fn write_keys(app: &App) -> anyhow::Result<ExitCode> {
    let keys = app.list_keys().await?;
    let mut out = io::stdout().lock();
    writeln!(out, "{:<16}  {:<8}  {:<20}  not after", "kid", "use", "not before")?;
    for key in keys {
        let does = if key.signs { "signs" } else { "verifies" };
        // Whole seconds are enough to read.
        let (from, to) = (key.not_before, key.not_after);
        writeln!(out, "{:<16}  {does:<8}  {from:.0}  {to:.0}", key.kid)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn renew_epoch(holds: &Effective) -> anyhow::Result<ExitCode> {
    let epoch = open(holds).await?.renew_epoch().await?;
    writeln!(io::stdout(), "epoch {epoch}")?;
    Ok(ExitCode::SUCCESS)
}
