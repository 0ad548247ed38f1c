//! A real Secret Service, in the D-Bus session this test runs in or in one of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `gnome-keyring-daemon`, ended when dropped.
#[derive(Debug)]
pub struct Keyring {
    daemon: Child,
    bus: String,
    /// The bus, when it is its own.
    own_bus: Option<Child>,
}

impl Keyring {
    /// A keyring with its files under `home`, unlocked with an empty password, on the session bus this test runs in: for
    /// tests that ask it themselves. A bus knows one keyring at a time.
    pub fn unlocked(home: &Path) -> Self {
        let bus = std::env::var("DBUS_SESSION_BUS_ADDRESS");
        Self::start(home, bus.expect("no D-Bus session; run under `dbus-run-session --`"), None, true)
    }

    /// The same on a bus of its own, where nothing has started another keyring and no other program of ours runs.
    pub fn apart(home: &Path) -> Self {
        let (daemon, bus) = bus(Command::new("dbus-daemon"));
        Self::start(home, bus, Some(daemon), true)
    }

    /// The keyring under `home`, locked, on a bus of its own without a display: there is nobody to ask for its password.
    pub fn locked(home: &Path) -> Self {
        let mut command = Command::new("dbus-daemon");
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        let (daemon, bus) = bus(command);
        Self::start(home, bus, Some(daemon), false)
    }

    /// Where programs find it: their `DBUS_SESSION_BUS_ADDRESS`.
    pub fn bus(&self) -> &str {
        &self.bus
    }

    fn start(home: &Path, bus: String, own_bus: Option<Child>, unlocked: bool) -> Self {
        let mut command = Command::new("gnome-keyring-daemon");
        command
            .args(["--foreground", "--components=secrets"])
            .args(unlocked.then_some("--unlock"))
            .env("DBUS_SESSION_BUS_ADDRESS", &bus)
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_RUNTIME_DIR", home);
        if !unlocked {
            command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        }
        let mut daemon = command
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
        let keyring = Self { daemon, bus, own_bus };
        keyring.wait_for_name();
        keyring
    }

    /// Waits until the bus knows the service: a program that asks earlier finds none.
    fn wait_for_name(&self) {
        let known = Command::new("gdbus")
            .args(["wait", "--session", "--timeout", "30", "org.freedesktop.secrets"])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .status()
            .expect("gdbus is installed (Debian: libglib2.0-bin)");
        assert!(known.success(), "the keyring {} does not answer", self.daemon.id());
    }
}

/// A bus, and its address.
fn bus(mut command: Command) -> (Child, String) {
    let mut daemon = command
        .args(["--session", "--nofork", "--print-address"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dbus-daemon is installed (Debian: dbus)");
    let mut address = String::new();
    let mut says = BufReader::new(daemon.stdout.take().expect("its output"));
    says.read_line(&mut address).expect("its address");
    (daemon, address.trim().to_owned())
}

impl Drop for Keyring {
    fn drop(&mut self) {
        for process in std::iter::once(&mut self.daemon).chain(self.own_bus.as_mut()) {
            // It may have ended with its session.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
