//! The subcommands of whoever runs the server: `device`, `keys`, `epoch`.

use std::io::{self, Write};
use std::process::ExitCode;

use super::{DeviceArgs, Place, open};
use crate::app::App;

pub async fn list_devices(place: &Place) -> anyhow::Result<ExitCode> {
    let devices = open(place).await?.devices().await?;
    let mut out = io::stdout().lock();
    writeln!(out, "{:<36}  {:<20}  {:>13}  {:<20}  name", "id", "last contact", "last sequence", "revoked")?;
    for device in devices {
        let revoked = device.revoked_at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
        let (contact, sequence) = (device.last_contact_at, device.last_sequence);
        writeln!(out, "{}  {contact:.0}  {sequence:>13}  {revoked:<20}  {}", device.id, device.name)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn revoke_device(args: &DeviceArgs) -> anyhow::Result<ExitCode> {
    let known = open(&args.place).await?.revoke_device(args.id).await?;
    anyhow::ensure!(known, "there is no device {}", args.id);
    writeln!(io::stdout(), "{} is revoked", args.id)?;
    Ok(ExitCode::SUCCESS)
}

pub async fn restore_device(args: &DeviceArgs) -> anyhow::Result<ExitCode> {
    let known = open(&args.place).await?.restore_device(args.id).await?;
    anyhow::ensure!(known, "there is no device {}", args.id);
    writeln!(io::stdout(), "{} is trusted", args.id)?;
    Ok(ExitCode::SUCCESS)
}

pub async fn rotate_keys(place: &Place) -> anyhow::Result<ExitCode> {
    let app = open(place).await?;
    let kid = app.rotate_keys().await?;
    writeln!(io::stdout(), "{kid} signs from now on\n")?;
    write_keys(&app).await
}

pub async fn list_keys(place: &Place) -> anyhow::Result<ExitCode> {
    write_keys(&open(place).await?).await
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

pub async fn renew_epoch(place: &Place) -> anyhow::Result<ExitCode> {
    let epoch = open(place).await?.renew_epoch().await?;
    writeln!(io::stdout(), "epoch {epoch}")?;
    Ok(ExitCode::SUCCESS)
}
