//! The console in Chromium, with somebody of the caja before it. What each deed is stands in `ui/scripts/console-e2e.js`.

use std::path::Path;
use std::process::Command;

use hanna_tests::terminal::Terminal;
use serde_json::{Value, json};

use crate::pictures::Album;
use crate::server::Server;

/// A browser with one page, ended when dropped.
pub struct Browser(Terminal);

impl Browser {
    /// A browser at the console of `server`. Its pictures go to `album`, and their names begin with `prefix`.
    pub fn open(server: &Server, album: &Album, prefix: &str) -> Self {
        let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui");
        assert!(
            ui.join("dist-console/console.html").is_file(),
            "the console is not built: `npm run build` in ui"
        );
        let mut node = Command::new("node");
        // A browser wakes services of the session bus, which tests of the desk start themselves.
        node.env("DBUS_SESSION_BUS_ADDRESS", "disabled:");
        node.arg("scripts/console-e2e.js").arg(server.url()).arg(album.folder()).arg(prefix).current_dir(ui);
        Self(Terminal::run(node))
    }

    /// Does a deed, and gives what it gave.
    pub fn does(&mut self, deed: &str, details: &Value) -> Value {
        self.0.get(&json!([deed, details]).to_string())
    }
}
