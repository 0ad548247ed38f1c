//! Demo data: businesses, accounts and people, all invented, all from a seed.
//!
//! Installed at once into an empty database. A database that holds anything else is left alone: the documents of invented
//! people may be those of real ones.

mod names;
mod organisation;
mod people;

use hanna_wire::me::Role;
use serde::Serialize;

use self::organisation::{Organisation, organisation};
pub use self::people::{FEWEST, PROMISED};
use self::people::{PeopleSource, people};
use crate::app::App;
use crate::passwords::PasswordFault;
use crate::store::{Installation, Installed, StoreError};

/// The seed when none is given.
pub const SEED: u64 = 2026;
/// How many affiliates there are when nobody says.
pub const AFFILIATES: u32 = 50_000;

/// What a demo is good for: who can sign in, and whom they can look up.
#[derive(Debug, Clone, Serialize)]
pub struct Demo {
    /// Those who can sign in, then those who cannot.
    pub accounts: Vec<Account>,
    /// Numbers of cédulas (CC) whose answer is promised.
    pub documents: Documents,
    /// Whether the data were installed just now; otherwise they were there already, and nothing changed.
    #[serde(skip)]
    pub installed_now: bool,
}

/// An account of the demo.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    /// What to sign in with.
    pub username: String,
    /// An invented password, the same for everybody.
    pub password: String,
    /// What the account may do.
    pub roles: Vec<Role>,
    /// The codes of the branches it works at.
    pub branches: Vec<String>,
    /// What its authenticator application was told, in base32; none of an account that needs no second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<String>,
    /// Why it cannot sign in; none when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it is there to show.
    #[serde(skip)]
    pub remark: String,
}

/// Documents of each sort, twenty of each. At a branch whose agreement is in force:
#[derive(Debug, Clone, Default, Serialize)]
pub struct Documents {
    /// may use the benefit;
    pub active: Vec<String>,
    /// may not: inactive;
    pub inactive: Vec<String>,
    /// may not: active, but the company is in arrears;
    pub company_suspended: Vec<String>,
    /// may not: retired;
    pub retired: Vec<String>,
    /// may not: the caja has nobody with this number, under whatever kind.
    pub not_registered: Vec<String>,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The database holds something else. Nothing changed.
    #[error("the database already holds other data (another seed, or real ones): nothing was changed")]
    OthersThere,
    /// The generator made two people who cannot both be: a fault of ours. Nothing changed.
    #[error("the invented people contradict each other: nothing was changed")]
    Contradiction,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The demo's password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordFault),
}

impl App {
    /// Installs the demo of `seed` with `affiliates` people (at least [`FEWEST`]). Doing it again changes nothing.
    ///
    /// # Errors
    /// See [`DemoError`].
    pub async fn seed_demo(&self, seed: u64, affiliates: u32) -> Result<Demo, DemoError> {
        let now = self.clock().now();
        let affiliates = affiliates.max(FEWEST);
        let made = people(seed, affiliates);
        let Organisation { entities, accounts, listed } = organisation(seed, now)?;
        let mark = format!("demo seed={seed} affiliates={affiliates}");
        let installation = Installation { mark, entities, accounts };
        let source = Box::new(PeopleSource::new(made.rows));
        let installed_now =
            match self.store().install(installation, source, now, self.run_by().clone()).await? {
                Installed::Done => true,
                Installed::AlreadyThere => false,
                Installed::OthersThere => return Err(DemoError::OthersThere),
                Installed::Contradiction => return Err(DemoError::Contradiction),
            };
        Ok(Demo { accounts: listed, documents: made.documents, installed_now })
    }
}
