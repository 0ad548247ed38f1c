//! Declares the commands, so that each needs a permission of the window's capability.

use std::fs;
use std::path::Path;

const COMMANDS: &[&str] = &[
    "start",
    "sign_in",
    "judge_password",
    "check_nit",
    "check_contact",
    "register",
    "resend_code",
    "confirm_account",
    "forgot_password",
    "reset_password",
    "change_password",
    "lock_desk",
    "unlock_desk",
    "close_window",
    "sign_out",
    "refresh_session",
    "application_requests",
    "begin_application",
    "keep_application",
    "attach_file",
    "detach_file",
    "send_application",
    "entity_users",
    "entity_branches",
    "invite_user",
    "assign_user",
    "set_user_state",
    "reset_user",
    "invite_again",
    "choose_branch",
    "lookup",
    "clear_card",
    "report_use",
    "void_use",
    "recent_lookups",
    "outbox",
    "retry_item",
    "retry_all",
    "withdraw_item",
    "export_outbox",
    "recover_set_aside",
    "sync_now",
    "status",
    "history",
    "save_report",
    "save_report_as",
    "open_report",
    "printers",
    "print_report",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Without the screens built, the program still compiles; `cargo xtask` builds them first.
    let screens = Path::new("ui/dist");
    if !screens.exists() {
        fs::create_dir_all(screens)?;
    }
    println!("cargo:rerun-if-changed=ui/dist");
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(tauri_build::AppManifest::new().commands(COMMANDS));
    tauri_build::try_build(attributes)?;
    Ok(())
}
