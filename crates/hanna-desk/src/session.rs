//! Who is signed in, and their tokens.
//!
//! The refresh token lives in the vault, the access token in memory. A refresh is done once at a time; the new
//! refresh token is written and read back before it is used. A session that the server ended does not stop
//! the desk: lookups answer from copies, uses are recorded, and everything waits until somebody signs in.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hanna_domain::Redacted;
use hanna_domain::statement::KeySet;
use hanna_wire::me::{ApplicationState, Branch, Me};
use hanna_wire::problem::ErrorCode as Refusal;
use hanna_wire::second_factor::SecondFactor;
use hanna_wire::session::{Device, Granted, Refresh, SignIn};
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use crate::backend::{AccessToken, Answered, Backend, Failure, FailureKind};
use crate::desk::{Desk, Event, key_file_error, lock, name};
use crate::error::{DeskError, ErrorCode, Param};
use crate::store::DatabaseKey;
use crate::view::Session;

/// The application of the platform that this program is.
pub(crate) const APPLICATION: &str = "CONVENIOS";

/// A password or a token.
pub(crate) type Secret = Redacted<String>;

const REVOKED: FailureKind = FailureKind::Refused(Refusal::DeviceRevoked);

/// How long signing out waits for the server; the session ends here in any case.
const SIGN_OUT_PATIENCE: Duration = Duration::from_secs(2);

/// What the desk knows of its operator.
#[derive(Debug, Default)]
pub(crate) struct SessionState {
    me: Option<Arc<Me>>,
    branch_id: Option<Uuid>,
    access: Option<(AccessToken, Timestamp)>,
    refresh_token: Option<Secret>,
    ended: bool,
    /// Nobody is at the desk: its operator has to unlock it.
    locked: bool,
    /// The caja revoked this PC: the tokens serve only to deliver what waits.
    revoked: bool,
}

impl SessionState {
    pub(crate) fn restore(&mut self, me: Me, branch_id: Option<Uuid>, refresh_token: Option<Secret>) {
        let ended = refresh_token.is_none();
        *self = Self { me: Some(Arc::new(me)), branch_id, refresh_token, ended, ..Self::default() };
    }

    /// The caja revoked this PC: nobody is signed in any more. `token` replaces the one at hand, if there is none.
    pub(crate) fn revoke(&mut self, token: Option<Secret>) {
        let (access, refresh_token) = (self.access.take(), self.refresh_token.take().or(token));
        let ended = refresh_token.is_none();
        *self = Self { access, refresh_token, ended, revoked: true, ..Self::default() };
    }

    /// Whether what waits may be sent: somebody is signed in, at the desk or not, or was when the PC was revoked.
    pub(crate) fn may_send(&self) -> bool {
        (self.me.is_some() || self.revoked) && !self.ended
    }

    /// Locks or unlocks; `false` when nobody is signed in.
    pub(crate) fn set_locked(&mut self, locked: bool) -> bool {
        self.locked = locked && self.me.is_some();
        self.me.is_some()
    }

    /// Who is signed in, at the desk or not, and at which branch.
    pub(crate) fn post(&self) -> Option<(Arc<Me>, Uuid)> {
        Some((Arc::clone(self.me.as_ref()?), self.branch()?.id))
    }

    /// Who is signed in and at the desk.
    fn present(&self) -> Result<&Arc<Me>, DeskError> {
        if self.locked {
            return Err(ErrorCode::Locked.into());
        }
        self.me.as_ref().ok_or_else(|| ErrorCode::NotSignedIn.into())
    }

    /// Somebody is signed in, and the server wants the password again.
    pub(crate) fn sign_in_needed(&self) -> bool {
        self.me.is_some() && self.ended
    }
}

impl Desk {
    /// Signs in: the server says who it is, what they may do, and with which keys it signs.
    ///
    /// Without a keyring the password also opens the databases; then a known operator can do so without the server.
    ///
    /// # Errors
    /// What the server says of the credentials, [`ErrorCode::SecondFactorRequired`] for an account of the caja, or why it
    /// cannot be asked. The session of before stays until a new one is there.
    pub async fn sign_in(&self, username: &str, password: &Secret) -> Result<Session, DeskError> {
        let username = username.trim();
        let unlocked = self.unlock(username, password).await?;
        let request = SignIn {
            username: username.to_owned(),
            password: password.clone(),
            device: Device { id: self.device_id(), name: self.inner.device_name.clone() },
            otp: None,
        };
        let outcome = self.inner.backend.sign_in(&request).await;
        self.heard(&outcome);
        let granted = match outcome {
            Ok(answer) => answer.value,
            Err(failure) if self.opened().is_some() && !failure.kind.hanna_answered() => {
                return self.sign_in_offline(username, password, unlocked, failure).await;
            }
            Err(failure) => return Err(failure.into()),
        };
        let me = self.ask_me(&granted).await?;
        if me.second_factor != SecondFactor::NotNeeded {
            // An account of the caja: nobody looks anybody up with it.
            self.take_leave(&granted.access_token).await;
            return Err(ErrorCode::SecondFactorRequired.into());
        }
        if self.opened().is_none() {
            self.make_databases(username, password).await?;
        } else if !self.inner.has_keyring {
            self.learn_password(username, password).await?;
        }
        self.remember_operator(username, password, me.clone()).await;
        self.begin_session(me, granted).await?;
        self.fetch_keys().await?;
        self.inner.wake.notify_one();
        self.tell_status();
        self.session()
    }

    /// Opens databases that wait for a password. `true`: the password opened them, which proves it.
    async fn unlock(&self, username: &str, password: &Secret) -> Result<bool, DeskError> {
        if self.opened().is_some() {
            return Ok(false);
        }
        let file = self.key_file()?;
        if !file.knows(username) {
            return if file.is_empty() { Ok(false) } else { Err(ErrorCode::KnownOperatorFirst.into()) };
        }
        let (user, secret) = (username.to_owned(), password.clone());
        let key = tokio::task::spawn_blocking(move || file.unwrap_key(&user, &secret))
            .await?
            .map_err(key_file_error)?;
        self.open_stores(&key)?;
        if self.inner.has_keyring {
            self.inner.vault.set(name::DATABASE_KEY, &key.to_hex())?;
        }
        *lock(&self.inner.unlocked_key) = Some(key);
        Ok(true)
    }

    /// The first sign-in without a keyring: makes the key, and wraps it with the password.
    async fn make_databases(&self, username: &str, password: &Secret) -> Result<(), DeskError> {
        let key = DatabaseKey::generate(self.inner.chance.as_ref());
        self.wrap_key(username, password, &key).await?;
        self.open_stores(&key)?;
        *lock(&self.inner.unlocked_key) = Some(key);
        Ok(())
    }

    /// Another operator signs in while the databases are open: from now on their password opens them too.
    pub(crate) async fn learn_password(&self, username: &str, password: &Secret) -> Result<(), DeskError> {
        let key = lock(&self.inner.unlocked_key).clone();
        match key {
            Some(key) => self.wrap_key(username, password, &key).await,
            None => Ok(()),
        }
    }

    async fn wrap_key(&self, username: &str, password: &Secret, key: &DatabaseKey) -> Result<(), DeskError> {
        let mut file = self.key_file()?;
        let chance = Arc::clone(&self.inner.chance);
        let (user, secret, key) = (username.to_owned(), password.clone(), key.clone());
        tokio::task::spawn_blocking(move || file.wrap_key(&user, &secret, &key, chance.as_ref()))
            .await?
            .map_err(key_file_error)
    }

    async fn ask_me(&self, granted: &Granted) -> Result<Me, DeskError> {
        let outcome = self.inner.backend.me(&granted.access_token).await;
        self.heard(&outcome);
        Ok(outcome?.value)
    }

    async fn begin_session(&self, me: Me, granted: Granted) -> Result<(), DeskError> {
        let vault = Arc::clone(&self.inner.vault);
        let token = granted.refresh_token.clone();
        tokio::task::spawn_blocking(move || vault.set(name::REFRESH_TOKEN, &token)).await??;
        let (kept, branch) = {
            let mut session = lock(&self.inner.session);
            let same_operator =
                session.me.as_ref().is_some_and(|before| before.operator.id == me.operator.id);
            if !same_operator {
                lock(&self.inner.tray).forget();
            }
            session.refresh_token = Some(granted.refresh_token);
            session.access = Some((granted.access_token, granted.access_expires_at));
            session.ended = false;
            session.locked = false;
            session.revoked = false;
            session.take_me(me);
            (session.me.clone(), session.branch_id)
        };
        self.with_stores(move |stores| {
            stores.cache.keep_reference(name::ME, kept.as_deref())?;
            stores.cache.keep_reference(name::LOCKED, false)?;
            stores.cache.forget_reference(name::REVOKED)?;
            keep_branch(stores, branch)
        })
        .await
    }

    /// Asks the server again who may do what.
    ///
    /// # Errors
    /// Why the server cannot be asked; what was known stays.
    pub async fn refresh_session(&self) -> Result<Session, DeskError> {
        let operator = self.session()?.operator.id;
        let answer = self
            .authorized_as(Some(operator), |backend, token| async move { backend.me(&token).await })
            .await?;
        let (kept, branch) = {
            let mut session = lock(&self.inner.session);
            // Whoever asked may have signed out meanwhile: nobody is signed in again by an answer.
            if session.me.as_ref().is_none_or(|me| me.operator.id != operator) {
                return Err(ErrorCode::NotSignedIn.into());
            }
            session.take_me(answer.value);
            (session.me.clone(), session.branch_id)
        };
        self.with_stores(move |stores| {
            stores.cache.keep_reference(name::ME, kept.as_deref())?;
            keep_branch(stores, branch)
        })
        .await?;
        self.session()
    }

    /// Fetches the keys the server signs with, and what exports are sealed with, and keeps them.
    pub(crate) async fn fetch_keys(&self) -> Result<(), DeskError> {
        let answer = self.authorized(|backend, token| async move { backend.keys(&token).await }).await?.value;
        let keys = KeySet { keys: answer.keys };
        self.use_keys(&keys);
        self.with_stores(move |stores| {
            stores.cache.keep_reference(name::KEYS, &keys)?;
            answer.export.map_or(Ok(()), |export| stores.outbox.keep_export_keys(&export))
        })
        .await
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// [`ErrorCode::NotSignedIn`].
    pub fn session(&self) -> Result<Session, DeskError> {
        let session = lock(&self.inner.session);
        let me = session.me.as_ref().ok_or(ErrorCode::NotSignedIn)?;
        Ok(Session {
            operator: me.operator.clone(),
            entity: me.entity.clone(),
            roles: me.roles.clone(),
            branches: me.branches.clone(),
            branch: session.branch().cloned(),
            applications: me.applications.clone(),
            locked: session.locked,
        })
    }

    /// Chooses the branch of this PC; it is remembered.
    ///
    /// # Errors
    /// [`ErrorCode::ApplicationNotApproved`], [`ErrorCode::NoBranches`], [`ErrorCode::BranchNotAllowed`].
    pub async fn choose_branch(&self, branch_id: Uuid) -> Result<Session, DeskError> {
        {
            let mut session = lock(&self.inner.session);
            let me = session.me.as_ref().ok_or(ErrorCode::NotSignedIn)?;
            check_application(me)?;
            if me.branches.is_empty() {
                return Err(ErrorCode::NoBranches.into());
            }
            if !me.branches.iter().any(|branch| branch.id == branch_id) {
                return Err(ErrorCode::BranchNotAllowed.into());
            }
            session.branch_id = Some(branch_id);
        }
        lock(&self.inner.tray).clear();
        self.with_stores(move |stores| keep_branch(stores, Some(branch_id))).await?;
        self.session()
    }

    /// The operator and the branch of the next lookup.
    pub(crate) fn at_work(&self) -> Result<(Arc<Me>, Uuid), DeskError> {
        let session = lock(&self.inner.session);
        let me = session.present()?;
        check_application(me)?;
        if me.branches.is_empty() {
            return Err(ErrorCode::NoBranches.into());
        }
        let branch = session.branch().ok_or(ErrorCode::NoBranchChosen)?;
        Ok((Arc::clone(me), branch.id))
    }

    pub(crate) fn me(&self) -> Result<Arc<Me>, DeskError> {
        Ok(Arc::clone(lock(&self.inner.session).present()?))
    }

    /// Signs out. What was recorded stays and is sent by whoever signs in next.
    ///
    /// # Errors
    /// [`ErrorCode::UnsentItems`] with `count`, unless `confirmed`.
    pub async fn sign_out(&self, confirmed: bool) -> Result<(), DeskError> {
        self.session()?;
        let counts = self.with_stores(|stores| stores.outbox.counts()).await?;
        let unsent = counts.pending.saturating_add(counts.needs_attention);
        if unsent > 0 && !confirmed {
            let error = DeskError::new(ErrorCode::UnsentItems);
            return Err(error.with("count", Param::Number(u64::from(unsent))));
        }
        let token = lock(&self.inner.session).access.take();
        if let Some((token, _)) = token {
            self.take_leave(&token).await;
        }
        *lock(&self.inner.session) = SessionState::default();
        lock(&self.inner.tray).forget();
        let vault = Arc::clone(&self.inner.vault);
        tokio::task::spawn_blocking(move || vault.delete(name::REFRESH_TOKEN)).await??;
        self.with_stores(|stores| {
            stores.cache.forget_reference(name::ME)?;
            stores.cache.forget_reference(name::BRANCH)?;
            stores.cache.forget_recent()
        })
        .await?;
        self.tell_status();
        Ok(())
    }

    /// Ends a session at the server. Best effort: the token ends by itself in minutes.
    async fn take_leave(&self, token: &AccessToken) {
        let _ = tokio::time::timeout(SIGN_OUT_PATIENCE, self.inner.backend.sign_out(token)).await;
    }

    /// Makes a call with an access token, refreshing the session once when the server no longer knows the token.
    pub(crate) async fn authorized<T, F>(
        &self,
        call: impl Fn(Arc<dyn Backend>, AccessToken) -> F + Send + Sync,
    ) -> Result<Answered<T>, Failure>
    where
        T: Send,
        F: Future<Output = Result<Answered<T>, Failure>> + Send,
    {
        self.authorized_as(None, call).await
    }

    /// [`Desk::authorized`] in the name of `operator` alone: who signed in meanwhile does not ask what they asked.
    pub(crate) async fn authorized_as<T, F>(
        &self,
        operator: Option<Uuid>,
        call: impl Fn(Arc<dyn Backend>, AccessToken) -> F + Send + Sync,
    ) -> Result<Answered<T>, Failure>
    where
        T: Send,
        F: Future<Output = Result<Answered<T>, Failure>> + Send,
    {
        let token = self.token_of(operator, None).await?;
        let mut outcome = call(Arc::clone(&self.inner.backend), token.clone()).await;
        if outcome.as_ref().is_err_and(|failure| failure.kind == FailureKind::SessionExpired) {
            let token = self.token_of(operator, Some(&token)).await?;
            outcome = call(Arc::clone(&self.inner.backend), token).await;
        }
        self.heard(&outcome);
        if outcome.as_ref().is_err_and(|failure| failure.kind == REVOKED) {
            self.forget_everything_but_the_outbox().await;
        }
        outcome
    }

    /// The caja revoked this PC: its copies, its operators and its session go. What was recorded stays, sealed by the
    /// database's key, and is still delivered.
    async fn forget_everything_but_the_outbox(&self) {
        tracing::warn!("the caja revoked this PC");
        lock(&self.inner.session).revoke(None);
        lock(&self.inner.tray).forget();
        let forgotten = self
            .with_stores(|stores| {
                stores.cache.keep_reference(name::REVOKED, true)?;
                stores.cache.forget_people()?;
                stores.cache.forget_reference(name::ME)?;
                stores.cache.forget_reference(name::BRANCH)
            })
            .await;
        if let Err(error) = forgotten {
            tracing::error!(%error, "the copies of a revoked PC could not be forgotten");
        }
        self.inner.wake.notify_one();
        self.emit(Event::Revoked);
        self.tell_status();
    }

    /// An access token of `operator`, if it must be theirs.
    async fn token_of(
        &self,
        operator: Option<Uuid>,
        stale: Option<&AccessToken>,
    ) -> Result<AccessToken, Failure> {
        let token = self.access_token(stale).await?;
        // Asked after the token: whoever it belongs to was signed in then.
        let present = lock(&self.inner.session).me.as_ref().map(|me| me.operator.id);
        let is_theirs = operator.is_none_or(|operator| present == Some(operator));
        if is_theirs { Ok(token) } else { Err(FailureKind::SessionExpired.into()) }
    }

    /// An access token that is not `stale`, refreshed if need be.
    async fn access_token(&self, stale: Option<&AccessToken>) -> Result<AccessToken, Failure> {
        if let Some(token) = self.usable_token(stale) {
            return Ok(token);
        }
        let _one_at_a_time = self.inner.refreshing.lock().await;
        if let Some(token) = self.usable_token(stale) {
            return Ok(token);
        }
        let refresh_token = {
            let mut session = lock(&self.inner.session);
            let token = session.refresh_token.clone().filter(|_| !session.ended);
            session.ended = token.is_none();
            token.ok_or(FailureKind::SessionExpired)?
        };
        let request = Refresh { refresh_token: refresh_token.clone(), device_id: self.device_id() };
        let outcome = self.inner.backend.refresh(&request).await;
        self.heard(&outcome);
        match outcome {
            Ok(answer) => self.adopt(answer.value, &refresh_token).await,
            Err(Failure { kind: FailureKind::SessionExpired | FailureKind::Refused(_), .. }) => {
                tracing::info!("the server ended the session");
                lock(&self.inner.session).end(&refresh_token);
                self.tell_status();
                Err(FailureKind::SessionExpired.into())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Puts a refreshed pair to use: the refresh token is kept and read back first.
    async fn adopt(&self, granted: Granted, used: &Secret) -> Result<AccessToken, Failure> {
        let vault = Arc::clone(&self.inner.vault);
        let token = granted.refresh_token.clone();
        match tokio::task::spawn_blocking(move || vault.set(name::REFRESH_TOKEN, &token)).await {
            Ok(Ok(())) => {}
            // The session goes on in memory; after a restart it may have to be opened again.
            Ok(Err(error)) => tracing::warn!(%error, "the refresh token was not kept"),
            Err(error) => tracing::error!(%error, "keeping the refresh token failed"),
        }
        let mut session = lock(&self.inner.session);
        // Somebody may have signed out, or in, meanwhile.
        if session.refresh_token.as_ref() == Some(used) {
            session.refresh_token = Some(granted.refresh_token);
            session.access = Some((granted.access_token.clone(), granted.access_expires_at));
            session.ended = false;
        }
        Ok(granted.access_token)
    }

    fn usable_token(&self, stale: Option<&AccessToken>) -> Option<AccessToken> {
        let (_, now) = self.now();
        let session = lock(&self.inner.session);
        let (token, expires_at) = session.access.as_ref()?;
        let fresh = now + 10.seconds() < *expires_at;
        (fresh && stale != Some(token)).then(|| token.clone())
    }
}

impl SessionState {
    fn branch(&self) -> Option<&Branch> {
        let (me, id) = (self.me.as_ref()?, self.branch_id?);
        me.branches.iter().find(|branch| branch.id == id)
    }

    /// Takes what the server says of the operator. A branch that is no longer theirs is dropped; a single one is chosen.
    fn take_me(&mut self, me: Me) {
        let still_theirs = self.branch_id.filter(|id| me.branches.iter().any(|branch| branch.id == *id));
        let only_one = match me.branches.as_slice() {
            [only] => Some(only.id),
            _ => None,
        };
        self.branch_id = still_theirs.or(only_one);
        self.me = Some(Arc::new(me));
    }

    /// The server ended the session that `refresh_token` belongs to.
    fn end(&mut self, refresh_token: &Secret) {
        if self.refresh_token.as_ref() == Some(refresh_token) {
            self.access = None;
            self.ended = true;
        }
    }
}

fn keep_branch(stores: &crate::store::Stores, branch: Option<Uuid>) -> Result<(), crate::store::StoreError> {
    match branch {
        Some(branch) => stores.cache.keep_reference(name::BRANCH, branch),
        None => stores.cache.forget_reference(name::BRANCH),
    }
}

fn check_application(me: &Me) -> Result<(), DeskError> {
    let approved = |state| state == ApplicationState::Approved;
    if me.applications.iter().any(|app| app.code == APPLICATION && approved(app.state)) {
        return Ok(());
    }
    Err(ErrorCode::ApplicationNotApproved.into())
}
