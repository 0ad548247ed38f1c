//! One front desk of a run: its folder, its keyring, its clock, and the program while it runs.

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};

use hanna_desk::backend::{Http, ServerAddress};
use hanna_desk::view::Card;
use hanna_desk::{BATCH_ITEMS_MAX, Desk, DeskError, ErrorCode, Event, Setup, VaultChoice};
use hanna_domain::Redacted;
use hanna_server::demo::Account;
use hanna_testkit::chance::Seeded;
use tokio::sync::{broadcast, watch};

use crate::disk::Disk;
use crate::sabotage::Bug;
use crate::time::{DeskClock, settle};
use crate::wire::{Around, Wire};

/// How often opening is tried while the program of before still ends.
const OPENINGS: usize = 1_000_000;

/// The program while it runs.
pub struct Running {
    pub desk: Desk,
    pub ended: Arc<watch::Sender<bool>>,
    pub in_flight: Arc<AtomicUsize>,
    pub events: broadcast::Receiver<Event>,
}

/// See the module.
pub struct FrontDesk {
    pub number: usize,
    pub clock: Arc<DeskClock>,
    /// Who works here, and at which branch.
    pub operators: [&'static Account; 2],
    pub branch: &'static str,
    pub running: Option<Running>,
    /// The card the operator looks at.
    pub card: Option<Card>,
    /// It was locked, and nobody has tried to unlock it or to sign in since.
    pub locked: bool,
    pub disk: Arc<Disk>,
    around: Arc<Around>,
    seed: u64,
    openings: u64,
}

impl FrontDesk {
    pub fn new(
        around: &Arc<Around>,
        number: usize,
        folder: &Path,
        seed: u64,
        operators: [&'static Account; 2],
        branch: &'static str,
    ) -> Self {
        Self {
            number,
            clock: DeskClock::new(&around.time),
            operators,
            branch,
            running: None,
            card: None,
            locked: false,
            disk: Disk::new(folder.join(format!("desk-{number}"))),
            around: Arc::clone(around),
            seed,
            openings: 0,
        }
    }

    /// What the server calls this PC.
    pub fn name(&self) -> String {
        format!("RECEPCION-{}", self.number)
    }

    pub fn desk(&self) -> Desk {
        self.running.as_ref().expect("the desk is open").desk.clone()
    }

    /// The process ends: nothing it was doing goes on.
    pub async fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.ended.send_replace(true);
            drop(running);
        }
        self.card = None;
        settle().await;
    }

    /// Starts the program on this desk's folder.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub async fn open(&mut self) -> Result<(), DeskError> {
        let (ended, in_flight) = (Arc::new(watch::Sender::new(false)), Arc::new(AtomicUsize::new(0)));
        self.openings += 1;
        let mut tries = 0;
        let desk = loop {
            match self.try_open(&ended, &in_flight) {
                // What has ended holds the folder until its last thread is done, which takes no time that is counted.
                Err(error) if error.code() == ErrorCode::AlreadyRunning && tries < OPENINGS => {
                    tries += 1;
                    tokio::task::yield_now().await;
                }
                // Somebody makes room on the disk, and starts the program again.
                Err(_) if self.disk.refuses() => self.disk.mend(),
                opened => break opened?,
            }
        };
        if self.around.bug == Some(Bug::ForgetsWhatWasBeingSent) && self.openings == 1 {
            self.disk.outbox().keep_sending();
        }
        self.running = Some(Running { events: desk.events(), desk, ended, in_flight });
        Ok(())
    }

    fn try_open(
        &self,
        ended: &Arc<watch::Sender<bool>>,
        in_flight: &Arc<AtomicUsize>,
    ) -> Result<Desk, DeskError> {
        let wire = Wire {
            around: Arc::clone(&self.around),
            desk: self.number,
            clock: Arc::clone(&self.clock),
            ended: Arc::clone(ended),
            in_flight: Arc::clone(in_flight),
            disk: Arc::clone(&self.disk),
        };
        let chance = self.seed.wrapping_mul(1_000_003) + self.openings * 16 + self.number as u64;
        Desk::open(Setup {
            data_dir: self.disk.folder.clone(),
            device_name: self.name(),
            server: client().address().to_string(),
            vault: VaultChoice::Keyring(Arc::clone(&self.disk.vault) as _),
            backend: Arc::new(client().over(wire)),
            clock: Arc::clone(&self.clock) as _,
            chance: Seeded::new(chance),
            batch_items_max: self.batch_items_max(),
        })
    }

    /// Few items a request, so that several requests are under way; or as many as there are.
    fn batch_items_max(&self) -> usize {
        [1, 2, 4, BATCH_ITEMS_MAX]
            [self.number.wrapping_add(usize::try_from(self.seed % 4).unwrap_or_default()) % 4]
    }

    /// Signs an operator in, and chooses the branch of this desk.
    ///
    /// # Errors
    /// As [`Desk::sign_in`] and [`Desk::choose_branch`].
    pub async fn enter(desk: &Desk, account: &Account, branch: &str) -> Result<(), DeskError> {
        let password = Redacted::new(account.password.clone());
        let session = desk.sign_in(&account.username, &password).await?;
        let branch = session.branches.iter().find(|known| known.code == branch);
        desk.choose_branch(branch.ok_or(ErrorCode::BranchNotAllowed)?.id).await?;
        Ok(())
    }
}

/// The client that writes requests and reads answers, made once: it reads the system's certificates.
fn client() -> &'static Http {
    static CLIENT: OnceLock<Http> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let address = ServerAddress::parse("http://127.0.0.1:1").expect("an address");
        Http::new(address).expect("a client")
    })
}
