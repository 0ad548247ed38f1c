//! The subcommands of `account` that are about accounts, not registrations.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use hanna_wire::admin::people::AdminUserStanding;
use uuid::Uuid;

use super::open;
use super::settings::Effective;
use crate::app::App;

pub async fn list(holds: &Effective) -> anyhow::Result<ExitCode> {
    let users = open(holds).await?.users().await?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<10}  {:<12}  {:<20}  roles · user name · person · entity",
        "state", "2nd factor", "last sign-in"
    )?;
    for user in users {
        let roles: Vec<&str> = user.roles.iter().map(|role| role.code()).collect();
        let last = user.last_sign_in_at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
        writeln!(
            out,
            "{:<10}  {:<12}  {last:<20}  {} · {} · {} · {}",
            user.state.code(),
            user.second_factor.code(),
            roles.join(", "),
            user.username.expose(),
            user.display_name.expose(),
            user.entity.map_or_else(|| "-".to_owned(), |entity| entity.name)
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn create_caja(username: &str, name: &str, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    app.create_caja_account(username, name).await?;
    writeln!(io::stdout(), "{} is an account of the caja, without a password", username.trim())?;
    write_code(&app, username).await
}

pub async fn password_code(username: &str, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    known(&app, username).await?;
    write_code(&app, username).await
}

async fn write_code(app: &App, username: &str) -> anyhow::Result<ExitCode> {
    let code = app.password_code_for_terminal(username).await?;
    writeln!(io::stdout(), "{} sets its password, once, within half an hour", code.expose())?;
    Ok(ExitCode::SUCCESS)
}

pub async fn reset_password(username: &str, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    app.reset_password_of(known(&app, username).await?).await?;
    writeln!(
        io::stdout(),
        "the password is worth nothing any more; the server that serves mails how to set another"
    )?;
    Ok(ExitCode::SUCCESS)
}

pub async fn reset_second_factor(username: &str, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    app.reset_second_factor(known(&app, username).await?).await?;
    writeln!(io::stdout(), "the second factor is gone; the next to sign in sets up another")?;
    Ok(ExitCode::SUCCESS)
}

pub async fn set(username: &str, standing: AdminUserStanding, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let done = app.set_standing(known(&app, username).await?, standing).await?;
    anyhow::ensure!(
        done,
        "nothing changed: it waits for approval, or is the last active account of the caja"
    );
    writeln!(io::stdout(), "{} is {}", username.trim(), standing.code())?;
    Ok(ExitCode::SUCCESS)
}

async fn known(app: &App, username: &str) -> anyhow::Result<Uuid> {
    app.account_of(username).await?.with_context(|| format!("there is no account {username}"))
}
