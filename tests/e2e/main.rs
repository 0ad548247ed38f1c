//! The built program in a real window, driven through WebKitWebDriver: a real server, a real keyring in its own D-Bus
//! session, a real printer of its own. And the caja's console in Chromium, served by a real server.
//!
//! `cargo xtask test` runs this under `xvfb-run dbus-run-session`. With `HANNA_DEMO_DIR` the pictures and the report
//! are left there (`cargo xtask run --headless`), otherwise beside the built programs, in `e2e/`.

mod browser;
mod clock;
mod console;
mod main_flow;
mod newcomer;
mod offline_day;
mod pictures;
mod printed;
mod server;
mod stage;
mod too_old;
mod window;
