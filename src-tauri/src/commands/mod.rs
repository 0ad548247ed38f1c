//! The commands of the window, by screen. Each binds the state and calls one function of the desk.

pub mod aplicaciones;
pub mod consulta;
pub mod cuenta;
pub mod entidad;
pub mod ingreso;
pub mod por_enviar;
pub mod reporte;
pub mod sede;
pub mod solicitud;

use std::path::PathBuf;

use hanna_desk::{DeskError, ErrorCode};
use tauri::AppHandle;
use tauri_plugin_dialog::DialogExt;

use crate::CommandError;

/// What a command answers.
pub type Answer<T> = Result<T, CommandError>;

/// Where the operator wants a file; nothing when they think better of it.
async fn ask_where(app: &AppHandle, kind: &str, ending: &str, name: String) -> Answer<Option<PathBuf>> {
    let (chosen, choice) = tokio::sync::oneshot::channel();
    app.dialog().file().add_filter(kind, &[ending]).set_file_name(name).save_file(move |path| {
        // The window may be gone; then nobody waits.
        let _ = chosen.send(path);
    });
    let Some(path) = choice.await.ok().flatten() else { return Ok(None) };
    Ok(Some(path.into_path().map_err(|error| DeskError::caused(ErrorCode::FileFailed, error))?))
}
