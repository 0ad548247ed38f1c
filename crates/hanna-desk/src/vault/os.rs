//! The OS keyring: Secret Service, macOS Keychain, Windows Credential Manager.
//!
//! The keyring's calls block, can wait for ever on a question to the person, and panic inside an async
//! runtime; so they live on a thread of their own and every call has a limit.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use hanna_domain::Redacted;
use keyring::{Entry, Error};

use super::{Vault, VaultError};

/// The name of the program in the keyring.
const SERVICE: &str = "Hanna Convenios";

/// How long a call may take; an unlock question may be on the screen meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);

type Answer = Result<Option<Redacted<String>>, VaultError>;
type Task = (Operation, Sender<Answer>);

enum Operation {
    Get(String),
    Set(String, Redacted<String>),
    Delete(String),
}

/// The OS keyring, for one data folder.
#[derive(Debug)]
pub struct OsVault {
    tasks: Sender<Task>,
    /// Tells the entries of one data folder from another's.
    scope: String,
}

impl OsVault {
    /// Opens the keyring and proves that it keeps what it is given: creating a store can succeed where
    /// reading and writing fail.
    ///
    /// # Errors
    /// [`VaultError::Absent`] where there is no keyring, [`VaultError::Locked`] where it stays locked.
    pub fn open(scope: &str) -> Result<Self, VaultError> {
        let (tasks, inbox) = channel();
        thread::Builder::new()
            .name("keyring".into())
            .spawn(move || serve(&inbox))
            .map_err(|error| VaultError::Failed(error.to_string()))?;
        let vault = Self { tasks, scope: scope.to_owned() };
        vault.set("probe", &Redacted::new("ok".to_owned()))?;
        vault.delete("probe")?;
        Ok(vault)
    }

    fn call(&self, operation: Operation) -> Answer {
        let (answer, wait) = channel();
        self.tasks.send((operation, answer)).map_err(|_| VaultError::TimedOut)?;
        match wait.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(VaultError::TimedOut),
        }
    }

    fn entry(&self, name: &str) -> String {
        format!("{name}@{}", self.scope)
    }
}

impl Vault for OsVault {
    fn get(&self, name: &str) -> Result<Option<Redacted<String>>, VaultError> {
        self.call(Operation::Get(self.entry(name)))
    }

    fn set(&self, name: &str, secret: &Redacted<String>) -> Result<(), VaultError> {
        self.call(Operation::Set(self.entry(name), secret.clone()))?;
        match self.get(name)? {
            Some(kept) if kept == *secret => Ok(()),
            _ => Err(VaultError::NotKept),
        }
    }

    fn delete(&self, name: &str) -> Result<(), VaultError> {
        self.call(Operation::Delete(self.entry(name))).map(|_| ())
    }
}

fn serve(inbox: &Receiver<Task>) {
    while let Ok((operation, answer)) = inbox.recv() {
        // The asker may have given up waiting; there is nobody else to tell.
        let _ = answer.send(perform(operation));
    }
}

fn perform(operation: Operation) -> Answer {
    let result = match operation {
        Operation::Get(name) => Entry::new(SERVICE, &name)
            .and_then(|entry| entry.get_password())
            .map(|secret| Some(Redacted::new(secret))),
        Operation::Set(name, secret) => {
            Entry::new(SERVICE, &name).and_then(|entry| entry.set_password(secret.expose())).map(|()| None)
        }
        Operation::Delete(name) => {
            Entry::new(SERVICE, &name).and_then(|entry| entry.delete_credential()).map(|()| None)
        }
    };
    match result {
        Ok(value) => Ok(value),
        Err(Error::NoEntry) => Ok(None),
        Err(Error::NoDefaultStore | Error::PlatformFailure(_)) => Err(VaultError::Absent),
        Err(Error::NoStorageAccess(_)) => Err(VaultError::Locked),
        Err(other) => Err(VaultError::Failed(other.to_string())),
    }
}
