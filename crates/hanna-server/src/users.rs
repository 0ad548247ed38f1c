//! Accounts that the caja makes and mends, in its console or at the terminal of the server.

use hanna_domain::Redacted;
use hanna_wire::account::is_email;
use hanna_wire::admin::people::{AdminUser, AdminUserChange, AdminUserStanding, InviteAccount};
use hanna_wire::limits::NAME_MAX;
use hanna_wire::me::Role;
use uuid::Uuid;

use crate::accounts::check_email;
use crate::app::App;
use crate::codes;
use crate::extract::text;
use crate::mail::MailKind;
use crate::secrets::username_key;
use crate::store::{AccountFilter, Act, CodeAsk, Letter, Mail, NewUser, PasswordTaken, StoreError, UserPut};

/// Why there is no account of the caja.
#[derive(Debug, thiserror::Error)]
pub enum CajaAccountError {
    /// What was said is not as it must be.
    #[error("the user name must be an e-mail address, and the name from 1 to {NAME_MAX} letters")]
    Invalid,
    /// An account has this user name.
    #[error("there is an account with this user name")]
    Taken,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Invites somebody: the account is there, without a password, and its person is mailed how to set one.
    pub(crate) async fn invite(&self, invite: InviteAccount, act: Act) -> Result<UserPut, StoreError> {
        let InviteAccount { id, entity_id, display_name, email, roles, branches } = invite;
        let fields = [("name", display_name.expose().as_str()), ("username", email.expose())];
        let mail = Mail::new(self.entropy().id(act.now), MailKind::Invited, &email, &fields, act.now);
        let new = NewUser { id, entity_id, username: email, display_name, roles, branches, mail: Some(mail) };
        let put = self.store().add_user(new, act).await?;
        if put == UserPut::Done {
            self.mailer().wake();
        }
        Ok(put)
    }

    /// Makes the password of an account worth nothing, and mails how to set another. `false`: there is no such account.
    pub(crate) async fn take_password(&self, id: Uuid, act: Act) -> Result<bool, StoreError> {
        let Some(user) = self.store().user(id).await? else { return Ok(false) };
        let username = user.username.expose();
        let fields = [("name", user.display_name.expose().as_str()), ("username", username)];
        let mail = is_email(username).then(|| {
            Mail::new(self.entropy().id(act.now), MailKind::PasswordTaken, &user.username, &fields, act.now)
        });
        let username_mac = self.mac_key().username(&username_key(username));
        let known =
            self.store().take_password(PasswordTaken { account_id: id, username_mac, mail, act }).await?;
        self.mailer().wake();
        Ok(known)
    }

    fn at_terminal(&self) -> Act {
        self.act(None)
    }

    /// Makes an account of the caja that has no password yet.
    ///
    /// # Errors
    /// See [`CajaAccountError`].
    pub async fn create_caja_account(&self, username: &str, name: &str) -> Result<(), CajaAccountError> {
        let act = self.at_terminal();
        let username = Redacted::new(username.trim().to_owned());
        check_email(&username).map_err(|_| CajaAccountError::Invalid)?;
        text("name", name, NAME_MAX).map_err(|_| CajaAccountError::Invalid)?;
        let new = NewUser {
            id: self.entropy().id(act.now),
            entity_id: None,
            username,
            display_name: Redacted::new(name.to_owned()),
            roles: vec![Role::CajaAdmin],
            branches: Vec::new(),
            mail: None,
        };
        match self.store().add_user(new, act).await? {
            UserPut::UsernameTaken => Err(CajaAccountError::Taken),
            _ => Ok(()),
        }
    }

    /// A code of six digits that sets the password of `username` once within half an hour, as the mailed ones do; in the place
    /// of the one before.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn password_code_for_terminal(&self, username: &str) -> Result<Redacted<String>, StoreError> {
        let now = self.clock().now();
        let username_key = username_key(username);
        let subject = self.mac_key().forgotten(&username_key);
        let code = codes::make(self.entropy());
        let letter = Letter { code: self.mac_key().code(subject, code.expose()), mail: None };
        let ask = CodeAsk {
            subject,
            username_key,
            if_known: letter.clone(),
            if_unknown: letter,
            at_terminal: true,
            now,
        };
        self.store().ask_code(ask).await?;
        Ok(code)
    }

    /// The account with this user name, if there is one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn account_of(&self, username: &str) -> Result<Option<Uuid>, StoreError> {
        let credentials = self.store().credentials(username_key(username)).await?;
        Ok(credentials.map(|credentials| credentials.account_id))
    }

    /// Takes the second factor of an account away, at the terminal of the server. `false`: there is no such account.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn reset_second_factor(&self, account_id: Uuid) -> Result<bool, StoreError> {
        self.store().reset_second_factor(account_id, self.at_terminal()).await
    }

    /// Suspends an account or lets it be used again, at the terminal of the server. `false`: it may not be, or waits for
    /// approval.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn set_standing(
        &self,
        account_id: Uuid,
        standing: AdminUserStanding,
    ) -> Result<bool, StoreError> {
        let change = AdminUserChange { state: Some(standing), ..AdminUserChange::default() };
        Ok(self.store().change_account(account_id, change, self.at_terminal()).await? == UserPut::Done)
    }

    /// Takes the password of an account away, at the terminal of the server. `false`: there is no such account.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn reset_password_of(&self, account_id: Uuid) -> Result<bool, StoreError> {
        self.take_password(account_id, self.at_terminal()).await
    }

    /// Every account, by user name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn users(&self) -> Result<Vec<AdminUser>, StoreError> {
        self.store().users(AccountFilter { limit: u32::MAX, ..AccountFilter::default() }).await
    }
}
