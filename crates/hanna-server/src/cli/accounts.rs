//! The subcommands of `account`.

use std::io::{self, Write};
use std::process::ExitCode;

use hanna_wire::account::RegistrationState;

use uuid::Uuid;

use super::open;
use super::settings::Effective;
use crate::accounts::Decision;

pub async fn list(all: bool, holds: &Effective) -> anyhow::Result<ExitCode> {
    let state = (!all).then_some(RegistrationState::Pending);
    let registrations = open(holds).await?.registrations(state).await?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<36}  {:<20}  {:<11}  {:<12}  entity · person · e-mail · phone",
        "id", "made", "state", "nit"
    )?;
    for registration in registrations {
        let who = registration.applicant;
        writeln!(
            out,
            "{}  {:.0}  {:<11}  {:<12}  {} · {} · {} · {}",
            registration.id,
            registration.made_at,
            registration.state.code(),
            who.nit,
            who.entity_name,
            who.display_name.expose(),
            who.email.expose(),
            who.phone.expose()
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn approve(id: Uuid, holds: &Effective) -> anyhow::Result<ExitCode> {
    let decision = open(holds).await?.approve_account(id, None).await?;
    say(decision, id, "approved")
}

pub async fn reject(id: Uuid, reason: &str, holds: &Effective) -> anyhow::Result<ExitCode> {
    let decision = open(holds).await?.reject_account(id, reason, None).await?;
    say(decision, id, "rejected")
}

fn say(decision: Decision, id: Uuid, done: &str) -> anyhow::Result<ExitCode> {
    match decision {
        Decision::Done => writeln!(io::stdout(), "{id} is {done}; the server that serves mails it")?,
        Decision::Unknown => anyhow::bail!("there is no registration {id}"),
        Decision::NotPending => anyhow::bail!("{id} is not pending: unconfirmed, or decided already"),
    }
    Ok(ExitCode::SUCCESS)
}
