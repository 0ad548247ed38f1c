//! *Crear usuario*, *Olvidé mi contraseña*, *Cambiar contraseña*.

use hanna_desk::account::{self, CodeOnItsWay, PasswordJudged, RegistrationForm};
use hanna_domain::Redacted;
use tauri::{State, command};
use uuid::Uuid;

use super::Answer;
use crate::shell::Shell;

/// Judges a password while it is typed.
#[command(rename_all = "snake_case")]
pub async fn judge_password(
    password: Redacted<String>,
    personal: Vec<Redacted<String>>,
) -> Answer<PasswordJudged> {
    Ok(account::judge_password(&password, &personal))
}

/// Reads a NIT while it is typed.
#[command(rename_all = "snake_case")]
pub async fn check_nit(text: String) -> Answer<String> {
    Ok(account::check_nit(&text)?)
}

/// Whether mail can be sent and a call made.
#[command(rename_all = "snake_case")]
pub async fn check_contact(email: Redacted<String>, phone: Redacted<String>) -> Answer<()> {
    Ok(account::check_contact(&email, &phone)?)
}

/// Registers somebody.
#[command(rename_all = "snake_case")]
pub async fn register(shell: State<'_, Shell>, form: RegistrationForm) -> Answer<CodeOnItsWay> {
    Ok(shell.desk()?.register(&form).await?)
}

/// Has the code of a registration mailed again.
#[command(rename_all = "snake_case")]
pub async fn resend_code(shell: State<'_, Shell>, id: Uuid) -> Answer<CodeOnItsWay> {
    Ok(shell.desk()?.resend_code(id).await?)
}

/// Confirms a registration.
#[command(rename_all = "snake_case")]
pub async fn confirm_account(shell: State<'_, Shell>, id: Uuid, code: Redacted<String>) -> Answer<()> {
    Ok(shell.desk()?.confirm_account(id, &code).await?)
}

/// Has a code mailed to set a new password.
#[command(rename_all = "snake_case")]
pub async fn forgot_password(shell: State<'_, Shell>, email: Redacted<String>) -> Answer<CodeOnItsWay> {
    Ok(shell.desk()?.forgot_password(&email).await?)
}

/// Sets a new password with the code of the mail.
#[command(rename_all = "snake_case")]
pub async fn reset_password(
    shell: State<'_, Shell>,
    email: Redacted<String>,
    code: Redacted<String>,
    password: Redacted<String>,
) -> Answer<()> {
    Ok(shell.desk()?.reset_password(&email, &code, &password).await?)
}

/// Changes the password of who is signed in.
#[command(rename_all = "snake_case")]
pub async fn change_password(
    shell: State<'_, Shell>,
    current: Redacted<String>,
    password: Redacted<String>,
) -> Answer<()> {
    Ok(shell.desk()?.change_password(&current, &password).await?)
}
