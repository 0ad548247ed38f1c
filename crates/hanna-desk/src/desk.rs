//! Opening a desk, and what its use cases share.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hanna_domain::ClockMark;
use hanna_domain::statement::{KeySet, Verifier};
use hanna_wire::me::Me;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

use crate::account::RegistrationForm;
use crate::applications::UploadProgress;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::entity_users::InvitationForm;
use crate::error::{DeskError, ErrorCode};
use crate::ports::{Chance, Clock};
use crate::session::SessionState;
use crate::store::{DatabaseKey, StoreError, Stores, hex};
use crate::tray::Tray;
use crate::vault::{KeyFile, KeyFileError, MemoryVault, OsVault, Vault, VaultError};
use crate::view::{Card, LastSync, Notice, Start, Status};

/// Names of what the cache and the vault keep.
pub(crate) mod name {
    pub(crate) const ME: &str = "me";
    pub(crate) const BRANCH: &str = "branch";
    pub(crate) const LOCKED: &str = "locked";
    pub(crate) const REVOKED: &str = "revoked";
    pub(crate) const KEYS: &str = "keys";
    pub(crate) const REGISTRATION: &str = "registration";
    pub(crate) const DATABASE_KEY: &str = "database-key";
    pub(crate) const REFRESH_TOKEN: &str = "refresh-token";
}

/// How far this PC's clock goes on, without the server, until the disk is told.
const MARK_KEPT_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// Where secrets are kept.
#[derive(Clone)]
pub enum VaultChoice {
    /// The OS keyring; where there is none, as [`VaultChoice::Memory`].
    Os,
    /// Tokens in memory only; the key of the databases on disk, wrapped with the operator's password.
    Memory,
    /// A keyring that the caller brings.
    Keyring(Arc<dyn Vault>),
}

/// What a desk is made of.
#[derive(Clone)]
pub struct Setup {
    /// The folder of the databases; made when it is not there. One program at a time may use it.
    pub data_dir: PathBuf,
    /// What people call this PC.
    pub device_name: String,
    /// The server's address, to show.
    pub server: String,
    /// Where secrets are kept.
    pub vault: VaultChoice,
    /// The server.
    pub backend: Arc<dyn Backend>,
    /// This PC's clock.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub chance: Arc<dyn Chance>,
    /// How many items are delivered in one request: at most [`crate::BATCH_ITEMS_MAX`].
    pub batch_items_max: usize,
}

/// Something the screens want to hear of.
#[derive(Debug, Clone)]
pub enum Event {
    /// The status bar changed.
    Status(Status),
    /// The card of its lookup has changed: a late answer, or how its report or the void of that stands.
    Card(Box<Card>),
    /// A delivery of what had waited is over, or stopped.
    Synced(Box<LastSync>),
    /// The caja revoked this PC: nobody is signed in any more.
    Revoked,
    /// A piece more of a file is on its way.
    Upload(UploadProgress),
}

/// A front desk. Cheap to clone; every clone is the same desk. Its methods want a Tokio runtime.
#[derive(Clone)]
pub struct Desk {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) data_dir: PathBuf,
    pub(crate) device_name: String,
    pub(crate) server: String,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) batch_items_max: usize,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) has_keyring: bool,
    opened: OnceLock<Opened>,
    device_id: OnceLock<Uuid>,
    /// The key of the open databases, where there is no keyring: the next operator's password has to wrap it too.
    pub(crate) unlocked_key: Mutex<Option<DatabaseKey>>,
    pub(crate) session: Mutex<SessionState>,
    /// The form that was sent last, and its id.
    pub(crate) registering: Mutex<Option<(RegistrationForm, Uuid)>>,
    /// The invitation that was sent last, and its id.
    pub(crate) inviting: Mutex<Option<(InvitationForm, Uuid)>>,
    pub(crate) tray: Mutex<Tray>,
    pub(crate) connection: Mutex<Connection>,
    /// Held while the status is made and told.
    pub(crate) telling_status: Mutex<()>,
    clock_mark: Mutex<ClockMark>,
    /// The device time that the mark on the disk has.
    clock_mark_kept: Mutex<Option<Timestamp>>,
    verifier: Mutex<Arc<Verifier>>,
    pub(crate) notices: Mutex<Vec<Notice>>,
    /// One refresh of the session at a time.
    pub(crate) refreshing: tokio::sync::Mutex<()>,
    /// One delivery at a time.
    pub(crate) delivering: tokio::sync::Mutex<()>,
    /// Something was recorded, or the connection is back.
    pub(crate) wake: Notify,
    pub(crate) events: broadcast::Sender<Event>,
    /// Held as long as the desk lives.
    _lock: File,
}

/// What exists once the databases are open.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) stores: Arc<Stores>,
}

/// Locks a mutex; a panic elsewhere does not stop the desk.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Opens the desk in its data folder. With a keyring the databases are open and the session of before is back;
    /// without one both wait for the operator's password.
    ///
    /// # Errors
    /// [`ErrorCode::AlreadyRunning`], and whatever is wrong with the vault or the databases. Nothing is changed then.
    pub fn open(setup: Setup) -> Result<Self, DeskError> {
        make_private_folder(&setup.data_dir)?;
        let lock_file = lock_folder(&setup.data_dir)?;
        let (vault, has_keyring) = open_vault(&setup)?;
        let desk = Self {
            inner: Arc::new(Inner {
                data_dir: setup.data_dir,
                device_name: setup.device_name,
                server: setup.server,
                backend: setup.backend,
                clock: setup.clock,
                chance: setup.chance,
                batch_items_max: setup.batch_items_max,
                vault,
                has_keyring,
                opened: OnceLock::new(),
                device_id: OnceLock::new(),
                unlocked_key: Mutex::default(),
                session: Mutex::default(),
                registering: Mutex::default(),
                inviting: Mutex::default(),
                tray: Mutex::default(),
                connection: Mutex::default(),
                telling_status: Mutex::default(),
                clock_mark: Mutex::default(),
                clock_mark_kept: Mutex::default(),
                verifier: Mutex::default(),
                notices: Mutex::default(),
                refreshing: tokio::sync::Mutex::default(),
                delivering: tokio::sync::Mutex::default(),
                wake: Notify::new(),
                events: broadcast::channel(64).0,
                _lock: lock_file,
            }),
        };
        if has_keyring {
            desk.open_with_keyring()?;
        } else {
            desk.check_key_file()?;
            lock(&desk.inner.notices).push(Notice::NoKeyring);
        }
        Ok(desk)
    }

    fn open_with_keyring(&self) -> Result<(), DeskError> {
        let folder = &self.inner.data_dir;
        let kept = self.inner.vault.get(name::DATABASE_KEY)?;
        let key = match kept {
            Some(text) => DatabaseKey::from_hex(&text).ok_or(ErrorCode::VaultFailed)?,
            // The keyring came later than the databases: the operator's password opens them, see `session`.
            None if !self.key_file()?.is_empty() => return Ok(()),
            // The keyring lost the key. Nothing is overwritten: it may come back from a backup.
            None if Stores::exist_in(folder) => return Err(ErrorCode::StoreWrongKey.into()),
            None => {
                let key = DatabaseKey::generate(self.inner.chance.as_ref());
                self.inner.vault.set(name::DATABASE_KEY, &key.to_hex())?;
                key
            }
        };
        self.open_stores(&key)?;
        self.restore_session()
    }

    /// Without a keyring: databases that no password opens were made with a keyring that is gone now.
    fn check_key_file(&self) -> Result<(), DeskError> {
        if self.key_file()?.is_empty() && Stores::exist_in(&self.inner.data_dir) {
            return Err(VaultError::Absent.into());
        }
        Ok(())
    }

    /// The key of the open databases.
    pub(crate) fn database_key(&self) -> Result<DatabaseKey, DeskError> {
        if let Some(key) = lock(&self.inner.unlocked_key).clone() {
            return Ok(key);
        }
        let kept = self.inner.vault.get(name::DATABASE_KEY)?.ok_or(ErrorCode::NotSignedIn)?;
        DatabaseKey::from_hex(&kept).ok_or_else(|| ErrorCode::VaultFailed.into())
    }

    pub(crate) fn key_file(&self) -> Result<KeyFile, DeskError> {
        KeyFile::open(&self.inner.data_dir.join("key.json")).map_err(key_file_error)
    }

    /// Opens the databases, once.
    pub(crate) fn open_stores(&self, key: &DatabaseKey) -> Result<(), DeskError> {
        let now = self.inner.clock.now();
        let (stores, notices) = Stores::open(&self.inner.data_dir, key, now)?;
        let recovered = stores.outbox.recover()?;
        if recovered > 0 {
            tracing::info!(items = recovered, "items that were being sent are queued again");
        }
        if let Some(id) = stores.outbox.device_id()? {
            // Nothing was asked of the server before: a fresh value is taken.
            let _ = self.inner.device_id.set(id);
        } else {
            stores.outbox.keep_device_id(self.device_id())?;
        }
        let mark = stores.outbox.clock_mark()?;
        *lock(&self.inner.clock_mark) = mark;
        *lock(&self.inner.clock_mark_kept) = mark.device_time_high;
        if let Some(keys) = stores.cache.reference::<KeySet>(name::KEYS)? {
            *lock(&self.inner.verifier) = Arc::new(Verifier::new(&keys));
        }
        lock(&self.inner.tray).restore(stores.cache.recent()?);
        lock(&self.inner.notices).extend(notices);
        // A second call finds the first one's value and drops its own: the file lock is the desk's, not the call's.
        let _ = self.inner.opened.set(Opened { stores: Arc::new(stores) });
        Ok(())
    }

    /// The session of before: what the server said of the operator, if its refresh token is still there.
    fn restore_session(&self) -> Result<(), DeskError> {
        let stores = self.stores()?;
        let Some(refresh_token) = self.inner.vault.get(name::REFRESH_TOKEN)? else { return Ok(()) };
        if stores.cache.reference::<bool>(name::REVOKED)?.unwrap_or(false) {
            lock(&self.inner.session).revoke(Some(refresh_token));
            return Ok(());
        }
        let Some(me) = stores.cache.reference::<Me>(name::ME)? else { return Ok(()) };
        let branch_id = stores.cache.reference::<Uuid>(name::BRANCH)?;
        let locked = stores.cache.reference::<bool>(name::LOCKED)?.unwrap_or(false);
        let mut session = lock(&self.inner.session);
        session.restore(me, branch_id, Some(refresh_token));
        session.set_locked(locked);
        Ok(())
    }

    /// What the window shows first.
    pub fn start(&self) -> Start {
        Start {
            session: self.session().ok(),
            notices: lock(&self.inner.notices).clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            server: self.inner.server.clone(),
            registration: self.pending_registration(),
        }
    }

    pub(crate) fn has_keyring(&self) -> bool {
        self.inner.has_keyring
    }

    /// This PC, as the server knows it: made at the first start, and kept.
    pub(crate) fn device_id(&self) -> Uuid {
        *self.inner.device_id.get_or_init(|| self.inner.chance.id(self.inner.clock.now()))
    }

    /// The id under which this form was sent before, if it was: an answer may have been lost.
    pub(crate) fn id_for<T: Clone + PartialEq>(&self, sent: &Mutex<Option<(T, Uuid)>>, form: &T) -> Uuid {
        let mut sent = lock(sent);
        match sent.as_ref() {
            Some((before, id)) if before == form => *id,
            _ => {
                let id = self.inner.chance.id(self.inner.clock.now());
                *sent = Some((form.clone(), id));
                id
            }
        }
    }

    /// What happens from now on, for the screens.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    pub(crate) fn emit(&self, event: Event) {
        // Nobody may be listening, as in hanna-deskctl.
        let _ = self.inner.events.send(event);
    }

    pub(crate) fn opened(&self) -> Option<&Opened> {
        self.inner.opened.get()
    }

    pub(crate) fn stores(&self) -> Result<Arc<Stores>, DeskError> {
        self.opened().map(|opened| Arc::clone(&opened.stores)).ok_or_else(|| ErrorCode::NotSignedIn.into())
    }

    /// Runs `task` on the databases, off the runtime's threads: a flush can take long.
    pub(crate) async fn with_stores<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Stores) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, DeskError> {
        let stores = self.stores()?;
        Ok(tokio::task::spawn_blocking(move || task(&stores)).await??)
    }

    pub(crate) fn verifier(&self) -> Arc<Verifier> {
        Arc::clone(&lock(&self.inner.verifier))
    }

    pub(crate) fn use_keys(&self, keys: &KeySet) {
        *lock(&self.inner.verifier) = Arc::new(Verifier::new(keys));
    }

    pub(crate) fn clock_mark(&self) -> ClockMark {
        *lock(&self.inner.clock_mark)
    }

    /// This PC's clock, and the same moment corrected to the server's.
    pub(crate) fn now(&self) -> (Timestamp, Timestamp) {
        let device_time = self.inner.clock.now();
        let mut mark = lock(&self.inner.clock_mark);
        *mark = mark.passed(device_time);
        (device_time, mark.corrected(device_time))
    }

    /// The mark, when this PC's clock has gone on so far that the disk should know it: the caller keeps it with what it
    /// writes anyway. Without the server nothing else tells after a restart that the clock was put back.
    pub(crate) fn mark_to_keep(&self) -> Option<ClockMark> {
        self.now();
        let mark = self.clock_mark();
        let high = mark.device_time_high?;
        let mut kept = lock(&self.inner.clock_mark_kept);
        if kept.is_some_and(|kept| high.duration_since(kept) < MARK_KEPT_EVERY) {
            return None;
        }
        *kept = Some(high);
        Some(mark)
    }

    /// Learns from the time of an answer. It is written to disk when it says something new, beside the answer's way.
    pub(crate) fn learn_time(&self, server_time: Timestamp) {
        let device_time = self.inner.clock.now();
        let (before, after) = {
            let mut mark = lock(&self.inner.clock_mark);
            let before = *mark;
            *mark = before.seen(server_time, device_time);
            (before, *mark)
        };
        let risen_s = match (before.server_time_high, after.server_time_high) {
            (Some(before), Some(after)) => after.duration_since(before).as_secs(),
            _ => i64::MAX,
        };
        let shifted_ms = before.offset_ms.abs_diff(after.offset_ms);
        // A clock that was put forward and right again would stay behind after a restart.
        let fell = after.device_time_high < before.device_time_high;
        if risen_s < 30 && shifted_ms < 2_000 && !fell {
            return;
        }
        let Some(opened) = self.opened().cloned() else { return };
        *lock(&self.inner.clock_mark_kept) = after.device_time_high;
        tokio::task::spawn_blocking(move || {
            if let Err(error) = opened.stores.outbox.keep_clock_mark(after) {
                tracing::warn!(%error, "the clock mark was not kept");
            }
        });
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("data_dir", &self.inner.data_dir).finish_non_exhaustive()
    }
}

pub(crate) fn key_file_error(error: KeyFileError) -> DeskError {
    match error {
        KeyFileError::Io(error) => StoreError::from(error).into(),
        KeyFileError::Damaged => DeskError::caused(ErrorCode::VaultFailed, error),
        KeyFileError::WrongPassword => DeskError::caused(ErrorCode::WrongCredentials, error),
    }
}

/// Makes the data folder, for the person alone where the system knows that.
fn make_private_folder(folder: &Path) -> Result<(), DeskError> {
    fs::create_dir_all(folder).map_err(StoreError::from)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(StoreError::from)?;
    }
    Ok(())
}

fn lock_folder(folder: &Path) -> Result<File, DeskError> {
    let file = File::create(folder.join("desk.lock")).map_err(StoreError::from)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ErrorCode::AlreadyRunning.into()),
        Err(TryLockError::Error(error)) => Err(StoreError::from(error).into()),
    }
}

fn open_vault(setup: &Setup) -> Result<(Arc<dyn Vault>, bool), DeskError> {
    match &setup.vault {
        VaultChoice::Os => {}
        VaultChoice::Memory => return Ok((Arc::new(MemoryVault::default()), false)),
        VaultChoice::Keyring(vault) => return Ok((Arc::clone(vault), true)),
    }
    let folder = fs::canonicalize(&setup.data_dir).map_err(StoreError::from)?;
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let scope = hex(digest.get(..8).unwrap_or_default());
    match OsVault::open(&scope) {
        Ok(vault) => Ok((Arc::new(vault), true)),
        Err(VaultError::Absent) => {
            tracing::warn!("no keyring: the session will not survive a restart");
            Ok((Arc::new(MemoryVault::default()), false))
        }
        Err(error) => Err(error.into()),
    }
}
