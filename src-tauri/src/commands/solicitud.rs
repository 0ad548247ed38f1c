//! *Solicitar CONVENIOS*.

use hanna_desk::applications::{
    ApplicationDraft, ApplicationForm, ApplicationRequest, ChosenFile, FILE_NAME_HEADER, read_file_name,
};
use hanna_desk::{DeskError, ErrorCode};
use tauri::ipc::{InvokeBody, Request};
use tauri::{State, command};

use super::Answer;
use crate::shell::Shell;

/// What is filled in, to go on with it.
#[command(rename_all = "snake_case")]
pub async fn begin_application(shell: State<'_, Shell>) -> Answer<ApplicationDraft> {
    Ok(shell.desk()?.begin_application().await?)
}

/// Keeps what is filled in.
#[command(rename_all = "snake_case")]
pub async fn keep_application(shell: State<'_, Shell>, form: ApplicationForm) -> Answer<()> {
    Ok(shell.desk()?.keep_application(form).await?)
}

/// Puts the file that is the body to the draft; its name stands in a header.
#[command(rename_all = "snake_case")]
pub async fn attach_file(shell: State<'_, Shell>, request: Request<'_>) -> Answer<ChosenFile> {
    let name = request.headers().get(FILE_NAME_HEADER).and_then(|name| name.to_str().ok());
    let name = name.and_then(read_file_name).unwrap_or_default();
    let bytes = match request.body() {
        InvokeBody::Raw(bytes) => bytes.clone(),
        // A webview without the faster way sends numbers.
        InvokeBody::Json(numbers) => serde_json::from_value(numbers.clone())
            .map_err(|error| DeskError::caused(ErrorCode::Internal, error))?,
    };
    Ok(shell.desk()?.attach_file(&name, bytes).await?)
}

/// Takes the file of the draft away.
#[command(rename_all = "snake_case")]
pub async fn detach_file(shell: State<'_, Shell>) -> Answer<()> {
    Ok(shell.desk()?.detach_file().await?)
}

/// Sends the draft.
#[command(rename_all = "snake_case")]
pub async fn send_application(shell: State<'_, Shell>) -> Answer<ApplicationRequest> {
    Ok(shell.desk()?.send_application().await?)
}
