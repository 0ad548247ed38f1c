//! What the commands share: the desk, opened when the window asks for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use hanna_desk::backend::{Http, ServerAddress};
use hanna_desk::ports::System;
use hanna_desk::{BATCH_ITEMS_MAX, Desk, DeskError, ErrorCode, Event, Setup, VaultChoice};
use tauri::{AppHandle, Emitter, Manager, Window};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::arguments::Arguments;

/// How soon a second request to close the window has to come to be obeyed at once.
const ASKED_AGAIN: Duration = Duration::from_secs(5);

/// How often, and after which pause, a folder that another program holds is tried again: three seconds in all.
const ENDING_TRIES: u32 = 30;
const ENDING_PAUSE: Duration = Duration::from_millis(100);

/// The state of the program.
#[derive(Debug)]
pub struct Shell {
    arguments: Arguments,
    data_dir: PathBuf,
    desk: OnceLock<Desk>,
    opening: Mutex<()>,
    asked_to_close: Mutex<Option<Instant>>,
    /// What the program saved itself: the only files it opens.
    saved: Mutex<Vec<PathBuf>>,
}

impl Shell {
    /// The shell of a program started with `arguments`.
    pub fn new(arguments: Arguments, data_dir: PathBuf) -> Self {
        Self {
            arguments,
            data_dir,
            desk: OnceLock::new(),
            opening: Mutex::default(),
            asked_to_close: Mutex::default(),
            saved: Mutex::default(),
        }
    }

    /// The desk.
    ///
    /// # Errors
    /// [`ErrorCode::NotSignedIn`] before [`Shell::open`] succeeded.
    pub fn desk(&self) -> Result<&Desk, DeskError> {
        self.desk.get().ok_or_else(|| ErrorCode::NotSignedIn.into())
    }

    /// Opens the desk, unless it is open. Blocks: the keyring may ask the person something.
    ///
    /// # Errors
    /// As [`Desk::open`]; asking again tries again.
    pub fn open(&self, app: &AppHandle) -> Result<&Desk, DeskError> {
        let _one_at_a_time = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = self.desk.get() {
            return Ok(desk);
        }
        let address = ServerAddress::parse(&self.arguments.server)
            .map_err(|error| DeskError::caused(ErrorCode::ServerAddressInvalid, error))?;
        let backend =
            Http::new(address.clone()).map_err(|error| DeskError::caused(ErrorCode::Internal, error))?;
        let setup = Setup {
            data_dir: self.data_dir.clone(),
            device_name: device_name(),
            server: address.to_string(),
            vault: VaultChoice::Os,
            backend: Arc::new(backend),
            clock: Arc::new(System),
            chance: Arc::new(System),
            batch_items_max: BATCH_ITEMS_MAX,
        };
        let desk = open_after_the_last(&setup)?;
        tauri::async_runtime::spawn(tell_window(app.clone(), desk.events()));
        tauri::async_runtime::spawn(desk.clone().run_worker());
        Ok(self.desk.get_or_init(|| desk))
    }

    /// Asked to close with something unsent, the window stays open and asks first. Asked again soon, it closes: a screen
    /// that does not answer must not hold it.
    #[expect(clippy::disallowed_methods, reason = "how soon a person asks again is no time of the desk")]
    pub fn keeps_open(&self, window: &Window) -> bool {
        let Some(Ok(status)) = self.desk.get().map(Desk::status) else { return false };
        let unsent = status.pending.saturating_add(status.needs_attention);
        if unsent == 0 {
            return false;
        }
        let mut asked = self.asked_to_close.lock().unwrap_or_else(PoisonError::into_inner);
        let again = asked.is_some_and(|asked| asked.elapsed() < ASKED_AGAIN);
        *asked = Some(Instant::now());
        !again && window.emit("closing", unsent).is_ok()
    }

    /// Where the operator looks for documents.
    ///
    /// # Errors
    /// [`ErrorCode::FileFailed`] when the system names no such folder.
    pub fn documents(app: &AppHandle) -> Result<PathBuf, DeskError> {
        let paths = app.path();
        let found = paths.document_dir().or_else(|_| paths.download_dir()).or_else(|_| paths.home_dir());
        found.map_err(|error| DeskError::caused(ErrorCode::FileFailed, error))
    }

    /// Remembers a file the program saved.
    pub fn remember_saved(&self, path: &str) {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).push(PathBuf::from(path));
    }

    /// Whether the program saved this file itself.
    pub fn has_saved(&self, path: &str) -> bool {
        self.saved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|saved| saved.as_os_str() == path)
    }
}

/// A program that was closed just now holds its folder until it has ended: it is waited for.
#[expect(clippy::disallowed_methods, reason = "a program that ends tells nobody")]
fn open_after_the_last(setup: &Setup) -> Result<Desk, DeskError> {
    for _ in 0..ENDING_TRIES {
        match Desk::open(setup.clone()) {
            Err(error) if error.code() == ErrorCode::AlreadyRunning => std::thread::sleep(ENDING_PAUSE),
            opened => return opened,
        }
    }
    Desk::open(setup.clone())
}

/// Passes what happens at the desk on to the window, as long as both live.
async fn tell_window(app: AppHandle, mut events: Receiver<Event>) {
    loop {
        let told = match events.recv().await {
            Ok(Event::Status(status)) => app.emit("status", status),
            Ok(Event::Card(card)) => app.emit("card", *card),
            Ok(Event::Synced(sync)) => app.emit("synced", *sync),
            Ok(Event::Revoked) => app.emit("revoked", ()),
            Ok(Event::Upload(progress)) => app.emit("upload", progress),
            // The window asks for the status by itself, too.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if let Err(error) = told {
            tracing::warn!(%error, "the window was not told");
        }
    }
}

fn device_name() -> String {
    ["COMPUTERNAME", "HOSTNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok())
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .map(|name| name.trim().chars().take(60).collect())
        .filter(|name: &String| !name.is_empty())
        .unwrap_or_else(|| "Recepción".to_owned())
}
