//! The window of Hanna Convenios: wiring only.
//!
//! This crate binds the screens (`ui/`) to the desk (`hanna-desk`). There is no SQL, no HTTP and no decision
//! here: a command binds the state, calls one function of the desk, and maps the error.

mod arguments;
mod commands;
mod error;
mod logs;
mod shell;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tauri::{App, AppHandle, Manager, WebviewUrl, WebviewWindowBuilder, WindowEvent};

pub use error::CommandError;

use arguments::Arguments;
use shell::Shell;

/// Runs the program until its window is closed.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let program = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| show_window(app)))
        .plugin(tauri_plugin_window_state::Builder::new().build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .on_window_event(|window, event| match event {
            WindowEvent::CloseRequested { api, .. } if window.state::<Shell>().keeps_open(window) => {
                api.prevent_close();
            }
            // Whoever starts the program while this one is ending would be sent to a window that is gone.
            WindowEvent::Destroyed => tauri_plugin_single_instance::destroy(window.app_handle()),
            _ => {}
        })
        .setup(move |app| set_up(app, arguments))
        .invoke_handler(tauri::generate_handler![
            commands::ingreso::start,
            commands::ingreso::sign_in,
            commands::cuenta::judge_password,
            commands::cuenta::check_nit,
            commands::cuenta::check_contact,
            commands::cuenta::register,
            commands::cuenta::resend_code,
            commands::cuenta::confirm_account,
            commands::cuenta::forgot_password,
            commands::cuenta::reset_password,
            commands::cuenta::change_password,
            commands::ingreso::lock_desk,
            commands::ingreso::unlock_desk,
            commands::ingreso::close_window,
            commands::ingreso::sign_out,
            commands::aplicaciones::refresh_session,
            commands::aplicaciones::application_requests,
            commands::solicitud::begin_application,
            commands::solicitud::keep_application,
            commands::solicitud::attach_file,
            commands::solicitud::detach_file,
            commands::solicitud::send_application,
            commands::entidad::entity_users,
            commands::entidad::entity_branches,
            commands::entidad::invite_user,
            commands::entidad::assign_user,
            commands::entidad::set_user_state,
            commands::entidad::reset_user,
            commands::entidad::invite_again,
            commands::sede::choose_branch,
            commands::consulta::lookup,
            commands::consulta::clear_card,
            commands::consulta::report_use,
            commands::consulta::void_use,
            commands::consulta::recent_lookups,
            commands::por_enviar::outbox,
            commands::por_enviar::retry_item,
            commands::por_enviar::retry_all,
            commands::por_enviar::withdraw_item,
            commands::por_enviar::export_outbox,
            commands::por_enviar::recover_set_aside,
            commands::por_enviar::sync_now,
            commands::por_enviar::status,
            commands::reporte::history,
            commands::reporte::save_report,
            commands::reporte::save_report_as,
            commands::reporte::open_report,
            commands::reporte::printers,
            commands::reporte::print_report,
        ])
        .run(tauri::generate_context!());
    match program {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the window could not be opened");
            ExitCode::FAILURE
        }
    }
}

fn set_up(app: &mut App, arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let data_dir = match &arguments.data_dir {
        Some(folder) => folder.clone(),
        None => app.path().app_local_data_dir()?,
    };
    logs::begin(&data_dir)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "the program starts");
    open_window(app, &data_dir)?;
    app.manage(Shell::new(arguments, data_dir));
    Ok(())
}

fn open_window(app: &App, data_dir: &std::path::Path) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
        .title("Hanna Convenios")
        .inner_size(1280.0, 800.0)
        .min_inner_size(900.0, 640.0)
        .center()
        // What the webview keeps (the theme chosen) belongs to this data folder too.
        .data_directory(webview_folder(data_dir))
        // A file that is dropped is the screen's: the window's own handler would take it away.
        .disable_drag_drop_handler()
        .on_navigation(|url| matches!(url.scheme(), "tauri") || url.host_str() == Some("tauri.localhost"))
        .build()?;
    Ok(())
}

fn webview_folder(data_dir: &std::path::Path) -> PathBuf {
    data_dir.join("webview")
}

/// A second start brings the first window to the front.
fn show_window(app: &AppHandle) {
    let Some(window) = app.get_webview_window("main") else { return };
    for done in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = done {
            tracing::warn!(%error, "the window could not be brought to the front");
        }
    }
}

#[cfg(test)]
mod tests {
    /// The three lists of commands (here, in `build.rs`, in the capability) are the same.
    #[test]
    fn every_command_is_declared_and_allowed() {
        let handler = include_str!("lib.rs");
        let commands: Vec<&str> = handler
            .lines()
            .filter_map(|line| line.trim().strip_prefix("commands::")?.strip_suffix(','))
            .filter_map(|path| path.rsplit("::").next())
            .collect();
        assert!(commands.len() > 10, "the list was not found");
        let declared = include_str!("../build.rs");
        let capability: serde_json::Value =
            serde_json::from_str(include_str!("../capabilities/main.json")).expect("json");
        let allowed: Vec<&str> =
            capability["permissions"].as_array().expect("a list").iter().filter_map(|p| p.as_str()).collect();
        for command in &commands {
            assert!(declared.contains(&format!("\"{command}\"")), "{command} is not declared in build.rs");
            let permission = format!("allow-{}", command.replace('_', "-"));
            assert!(allowed.contains(&permission.as_str()), "{command} is not allowed");
        }
        let own = allowed.iter().filter(|permission| permission.starts_with("allow-")).count();
        assert_eq!(own, commands.len(), "the capability allows a command that does not exist");
    }
}
