//! A real Secret Service, in the D-Bus session this test runs in.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `gnome-keyring-daemon`, ended when dropped.
#[derive(Debug)]
pub struct Keyring(Child);

impl Keyring {
    /// A keyring with its files under `home`, unlocked with an empty password. The bus knows one at a time.
    pub fn unlocked(home: &Path) -> Self {
        Self::start(home, true)
    }

    /// A keyring under `home` that stays locked: there is nobody to ask for its password.
    pub fn locked(home: &Path) -> Self {
        Self::start(home, false)
    }

    fn start(home: &Path, unlocked: bool) -> Self {
        assert!(
            std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some(),
            "no D-Bus session; run under `dbus-run-session --`"
        );
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .args(unlocked.then_some("--unlock"))
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_RUNTIME_DIR", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon is installed");
        let mut password = daemon.stdin.take().expect("its input");
        if unlocked {
            password.write_all(b"\n").expect("unlocked");
        }
        drop(password);
        let keyring = Self(daemon);
        keyring.wait_for_name();
        keyring
    }

    /// Waits until the bus knows the service: a program that asks earlier finds none.
    fn wait_for_name(&self) {
        let known = Command::new("gdbus")
            .args(["wait", "--session", "--timeout", "30", "org.freedesktop.secrets"])
            .status()
            .expect("gdbus is installed (Debian: libglib2.0-bin)");
        assert!(known.success(), "the keyring {} does not answer", self.0.id());
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        // It may have ended with its session.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
