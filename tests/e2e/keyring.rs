//! A real Secret Service, in the D-Bus session this test runs in.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `gnome-keyring-daemon`, unlocked with an empty password, ended when dropped.
pub struct Keyring(Child);

impl Keyring {
    /// Starts it with its files under `home`.
    pub fn unlocked(home: &Path) -> Self {
        assert!(
            std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some(),
            "no D-Bus session; run under `dbus-run-session --`"
        );
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_RUNTIME_DIR", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon is installed");
        let mut password = daemon.stdin.take().expect("its input");
        password.write_all(b"\n").expect("unlocked");
        Self(daemon)
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        // It may have ended with its session.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
