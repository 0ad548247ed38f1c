//! Faults of the line between a desk and the server, by name, beside the real HTTP client.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hanna_desk::backend::{AccessToken, Administration, Answered, Backend, Failure, FailureKind, Upload};
use hanna_wire::account::{
    ChangePassword, CodeSent, Confirm, ForgotPassword, Register, ResendCode, ResetPassword,
};
use hanna_wire::application::{
    ApplicationRequest, ApplicationRequests, Attachment, CorrectApplication, SubmitApplication,
};
use hanna_wire::entity_users::{ChangeUser, EntityBranches, EntityUser, EntityUsers, InviteUser, UserQuery};
use hanna_wire::health::Health;
use hanna_wire::keys::Keys;
use hanna_wire::lookup::{LookupAnswer, LookupRequest, RegularsAnswer, RegularsRequest};
use hanna_wire::me::Me;
use hanna_wire::outbox::{Batch, BatchAnswer};
use hanna_wire::session::{Granted, Refresh, SignIn};
use hanna_wire::usage::{UsagePage, UsageQuery};
use hanna_wire::verification::{NewReport, ReportCode};
use tokio::sync::Notify;
use uuid::Uuid;

/// What happens to the next call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails before the server sees it.
    Fail(FailureKind),
    /// The server does it, and its answer is lost.
    LoseAnswer,
    /// It waits until [`Line::release`], then goes through.
    Hold,
    /// It goes through; a statement in the answer becomes this text.
    Forge(fn(String) -> String),
}

/// The line to the server. Without faults every call goes through.
pub struct Line {
    server: Arc<dyn Backend>,
    faults: Mutex<VecDeque<Fault>>,
    cut: Mutex<Option<FailureKind>>,
    released: Notify,
    tells_of_exports: AtomicBool,
}

impl Line {
    /// A good line to `server`.
    pub fn to(server: Arc<dyn Backend>) -> Arc<Self> {
        Arc::new(Self {
            server,
            faults: Mutex::default(),
            cut: Mutex::default(),
            released: Notify::new(),
            tells_of_exports: AtomicBool::new(true),
        })
    }

    /// The next lookup, delivery, registration, confirmation, attachment, request or invitation meets `fault`; one call a
    /// fault, in order.
    pub fn next(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// From now on every call fails like this; `None` mends the line.
    pub fn cut(&self, how: Option<FailureKind>) {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = how;
    }

    /// Whether the server says what exports are sealed with; one of before did not.
    pub fn tell_of_exports(&self, tells: bool) {
        self.tells_of_exports.store(tells, Ordering::Relaxed);
    }

    /// Lets the call that is held go through.
    pub fn release(&self) {
        self.released.notify_one();
    }

    fn check(&self) -> Result<(), Failure> {
        match *self.cut.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(how) => Err(how.into()),
            None => Ok(()),
        }
    }

    /// Passes a call on, unless the line is cut.
    async fn pass<T>(&self, call: impl Future<Output = Result<T, Failure>> + Send) -> Result<T, Failure> {
        self.check()?;
        call.await
    }

    /// Passes a call on through the next fault. The statement forger it met, if any, comes back beside the answer.
    async fn meet<T>(
        &self,
        call: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<(T, Option<fn(String) -> String>), Failure> {
        self.check()?;
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match fault {
            None => Ok((call.await?, None)),
            Some(Fault::Fail(how)) => Err(how.into()),
            Some(Fault::LoseAnswer) => {
                call.await?;
                Err(FailureKind::Unreachable.into())
            }
            Some(Fault::Hold) => {
                self.released.notified().await;
                Ok((call.await?, None))
            }
            Some(Fault::Forge(forge)) => Ok((call.await?, Some(forge))),
        }
    }
}

#[async_trait]
impl Backend for Line {
    async fn register(&self, request: &Register) -> Result<Answered<CodeSent>, Failure> {
        Ok(self.meet(self.server.register(request)).await?.0)
    }

    async fn resend_code(&self, request: &ResendCode) -> Result<Answered<CodeSent>, Failure> {
        self.pass(self.server.resend_code(request)).await
    }

    async fn confirm_account(&self, request: &Confirm) -> Result<Answered<()>, Failure> {
        Ok(self.meet(self.server.confirm_account(request)).await?.0)
    }

    async fn forgot_password(&self, request: &ForgotPassword) -> Result<Answered<CodeSent>, Failure> {
        self.pass(self.server.forgot_password(request)).await
    }

    async fn reset_password(&self, request: &ResetPassword) -> Result<Answered<()>, Failure> {
        self.pass(self.server.reset_password(request)).await
    }

    async fn change_password(
        &self,
        token: &AccessToken,
        request: &ChangePassword,
    ) -> Result<Answered<()>, Failure> {
        self.pass(self.server.change_password(token, request)).await
    }

    async fn sign_in(&self, request: &SignIn) -> Result<Answered<Granted>, Failure> {
        self.pass(self.server.sign_in(request)).await
    }

    async fn refresh(&self, request: &Refresh) -> Result<Answered<Granted>, Failure> {
        self.pass(self.server.refresh(request)).await
    }

    async fn sign_out(&self, token: &AccessToken) -> Result<Answered<()>, Failure> {
        self.pass(self.server.sign_out(token)).await
    }

    async fn me(&self, token: &AccessToken) -> Result<Answered<Me>, Failure> {
        self.pass(self.server.me(token)).await
    }

    async fn keys(&self, token: &AccessToken) -> Result<Answered<Keys>, Failure> {
        let mut answer = self.pass(self.server.keys(token)).await?;
        answer.value.export = answer.value.export.filter(|_| self.tells_of_exports.load(Ordering::Relaxed));
        Ok(answer)
    }

    async fn lookup(
        &self,
        token: &AccessToken,
        request: &LookupRequest,
    ) -> Result<Answered<LookupAnswer>, Failure> {
        let (mut answer, forge) = self.meet(self.server.lookup(token, request)).await?;
        if let Some(forge) = forge {
            answer.value.statement = forge(answer.value.statement);
        }
        Ok(answer)
    }

    async fn refresh_regulars(
        &self,
        token: &AccessToken,
        request: &RegularsRequest,
    ) -> Result<Answered<RegularsAnswer>, Failure> {
        self.pass(self.server.refresh_regulars(token, request)).await
    }

    async fn deliver(&self, token: &AccessToken, batch: &Batch) -> Result<Answered<BatchAnswer>, Failure> {
        Ok(self.meet(self.server.deliver(token, batch)).await?.0)
    }

    async fn usage_reports(
        &self,
        token: &AccessToken,
        query: &UsageQuery,
    ) -> Result<Answered<UsagePage>, Failure> {
        self.pass(self.server.usage_reports(token, query)).await
    }

    async fn make_report_code(
        &self,
        token: &AccessToken,
        report: &NewReport,
    ) -> Result<Answered<ReportCode>, Failure> {
        self.pass(self.server.make_report_code(token, report)).await
    }

    async fn health(&self) -> Result<Answered<Health>, Failure> {
        self.pass(self.server.health()).await
    }
}

#[async_trait]
impl Administration for Line {
    async fn attach(&self, token: &AccessToken, upload: Upload) -> Result<Answered<Attachment>, Failure> {
        Ok(self.meet(self.server.attach(token, upload)).await?.0)
    }

    async fn application_requests(
        &self,
        token: &AccessToken,
    ) -> Result<Answered<ApplicationRequests>, Failure> {
        self.pass(self.server.application_requests(token)).await
    }

    async fn submit_application(
        &self,
        token: &AccessToken,
        request: &SubmitApplication,
    ) -> Result<Answered<ApplicationRequest>, Failure> {
        Ok(self.meet(self.server.submit_application(token, request)).await?.0)
    }

    async fn correct_application(
        &self,
        token: &AccessToken,
        id: Uuid,
        request: &CorrectApplication,
    ) -> Result<Answered<ApplicationRequest>, Failure> {
        Ok(self.meet(self.server.correct_application(token, id, request)).await?.0)
    }

    async fn entity_users(
        &self,
        token: &AccessToken,
        query: &UserQuery,
    ) -> Result<Answered<EntityUsers>, Failure> {
        self.pass(self.server.entity_users(token, query)).await
    }

    async fn entity_branches(&self, token: &AccessToken) -> Result<Answered<EntityBranches>, Failure> {
        self.pass(self.server.entity_branches(token)).await
    }

    async fn invite_user(
        &self,
        token: &AccessToken,
        request: &InviteUser,
    ) -> Result<Answered<EntityUser>, Failure> {
        Ok(self.meet(self.server.invite_user(token, request)).await?.0)
    }

    async fn change_user(
        &self,
        token: &AccessToken,
        id: Uuid,
        change: &ChangeUser,
    ) -> Result<Answered<EntityUser>, Failure> {
        self.pass(self.server.change_user(token, id, change)).await
    }

    async fn reset_user(&self, token: &AccessToken, id: Uuid) -> Result<Answered<()>, Failure> {
        self.pass(self.server.reset_user(token, id)).await
    }

    async fn invite_again(&self, token: &AccessToken, id: Uuid) -> Result<Answered<()>, Failure> {
        self.pass(self.server.invite_again(token, id)).await
    }
}
