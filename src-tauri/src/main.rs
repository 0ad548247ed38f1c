#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]
//! The program; see the library.

fn main() -> std::process::ExitCode {
    hanna_convenios_lib::run()
}
