//! The Hanna backend over HTTP, with `reqwest`.
//!
//! [`Http`] writes the requests and reads the answers; a [`Transport`] carries them: a network, or a test's.

use std::time::Duration;

use async_trait::async_trait;
use hanna_wire::account::{
    ChangePassword, CodeSent, Confirm, ForgotPassword, Register, ResendCode, ResetPassword,
};
use hanna_wire::health::Health;
use hanna_wire::keys::Keys;
use hanna_wire::lookup::{LookupAnswer, LookupRequest, RegularsAnswer, RegularsRequest};
use hanna_wire::me::Me;
use hanna_wire::outbox::{Batch, BatchAnswer};
use hanna_wire::session::{Granted, Refresh, SignIn};
use hanna_wire::usage::{UsagePage, UsageQuery};
use hanna_wire::verification::{NewReport, ReportCode};
use hanna_wire::{client, limits, path};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Request, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use super::{AccessToken, Answered, Backend, Failure, FailureKind, ServerAddress, classify};

/// Carries a request to the server, and its answer back.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The answer to `request`, whatever its status.
    ///
    /// # Errors
    /// No answer came.
    async fn exchange(&self, request: Request) -> Result<Response, Failure>;
}

/// How long any request may take, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// A network, and how long it may be silent.
#[derive(Debug, Clone)]
pub struct Network {
    client: Client,
    /// For a request that may take longer than the others: while it is sent, nothing comes back.
    patient: Client,
}

#[async_trait]
impl Transport for Network {
    async fn exchange(&self, request: Request) -> Result<Response, Failure> {
        let takes_long = request.timeout().is_some_and(|timeout| *timeout > PATIENCE);
        let client = if takes_long { &self.patient } else { &self.client };
        client.execute(request).await.map_err(|error| broken(&error))
    }
}

/// Speaks to one server.
#[derive(Debug, Clone)]
pub struct Http<T = Network> {
    pub(super) client: Client,
    transport: T,
    address: ServerAddress,
}

impl Http {
    /// A client for the server at `address`.
    ///
    /// # Errors
    /// When the system's certificates or proxy settings cannot be read.
    pub fn new(address: ServerAddress) -> Result<Self, reqwest::Error> {
        let client = builder(&address).read_timeout(Duration::from_secs(15)).build()?;
        let patient = builder(&address).build()?;
        Ok(Self { transport: Network { client: client.clone(), patient }, client, address })
    }

    /// The same client over another transport.
    pub fn over<T: Transport>(&self, transport: T) -> Http<T> {
        Http { client: self.client.clone(), transport, address: self.address.clone() }
    }
}

fn builder(address: &ServerAddress) -> ClientBuilder {
    let builder = Client::builder()
            // The server looks whether it still serves us.
            .user_agent(format!("{}/{}", client::NAME, env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .timeout(PATIENCE)
            .pool_idle_timeout(Duration::from_secs(20))
            // Hanna never redirects; a captive portal does.
            .redirect(reqwest::redirect::Policy::none())
            // Every attempt is the desk's decision.
            .retry(reqwest::retry::never());
    if address.is_loopback() { builder.no_proxy() } else { builder }
}

impl<T: Transport> Http<T> {
    /// The server's address.
    pub const fn address(&self) -> &ServerAddress {
        &self.address
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.address.join(path)
    }

    /// Sends `request` and reads its JSON answer.
    pub(super) async fn json<A: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Answered<A>, Failure> {
        let (response, server_time) = self.send(request).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let body = read(response).await?;
        let value = serde_json::from_slice(&body).map_err(|_| FailureKind::Unreadable)?;
        Ok(Answered { value, server_time })
    }

    /// Sends `request`, whose answer is that it was done.
    pub(super) async fn done(&self, request: RequestBuilder) -> Result<Answered<()>, Failure> {
        let (response, server_time) = self.send(request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Answered { value: (), server_time });
        }
        if response.status().is_success() {
            // Hanna says it with nothing; a captive portal says something.
            return Err(FailureKind::Unreadable.into());
        }
        Err(refusal(response).await)
    }

    async fn send(&self, request: RequestBuilder) -> Result<(Response, Option<Timestamp>), Failure> {
        let request = request.build().map_err(|error| broken(&error))?;
        let response = self.transport.exchange(request).await?;
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let server_time = date.and_then(|date| rfc2822::parse(date).ok()).map(|zoned| zoned.timestamp());
        Ok((response, server_time))
    }
}

#[async_trait]
impl<T: Transport> Backend for Http<T> {
    async fn register(&self, request: &Register) -> Result<Answered<CodeSent>, Failure> {
        self.json(self.client.post(self.url(path::ACCOUNTS)).json(request)).await
    }

    async fn resend_code(&self, request: &ResendCode) -> Result<Answered<CodeSent>, Failure> {
        self.json(self.client.post(self.url(path::ACCOUNTS_CODE)).json(request)).await
    }

    async fn confirm_account(&self, request: &Confirm) -> Result<Answered<()>, Failure> {
        self.done(self.client.post(self.url(path::ACCOUNTS_CONFIRM)).json(request)).await
    }

    async fn forgot_password(&self, request: &ForgotPassword) -> Result<Answered<CodeSent>, Failure> {
        self.json(self.client.post(self.url(path::PASSWORD_FORGOT)).json(request)).await
    }

    async fn reset_password(&self, request: &ResetPassword) -> Result<Answered<()>, Failure> {
        self.done(self.client.post(self.url(path::PASSWORD_RESET)).json(request)).await
    }

    async fn change_password(
        &self,
        token: &AccessToken,
        request: &ChangePassword,
    ) -> Result<Answered<()>, Failure> {
        let call = self.client.post(self.url(path::PASSWORD)).bearer_auth(token.expose());
        self.done(call.json(request)).await
    }

    async fn sign_in(&self, request: &SignIn) -> Result<Answered<Granted>, Failure> {
        self.json(self.client.post(self.url(path::SESSIONS)).json(request)).await
    }

    async fn refresh(&self, request: &Refresh) -> Result<Answered<Granted>, Failure> {
        self.json(self.client.post(self.url(path::SESSIONS_REFRESH)).json(request)).await
    }

    async fn sign_out(&self, token: &AccessToken) -> Result<Answered<()>, Failure> {
        self.done(self.client.delete(self.url(path::SESSIONS_CURRENT)).bearer_auth(token.expose())).await
    }

    async fn me(&self, token: &AccessToken) -> Result<Answered<Me>, Failure> {
        self.json(self.client.get(self.url(path::ME)).bearer_auth(token.expose())).await
    }

    async fn keys(&self, token: &AccessToken) -> Result<Answered<Keys>, Failure> {
        self.json(self.client.get(self.url(path::KEYS)).bearer_auth(token.expose())).await
    }

    async fn lookup(
        &self,
        token: &AccessToken,
        request: &LookupRequest,
    ) -> Result<Answered<LookupAnswer>, Failure> {
        self.json(self.client.post(self.url(path::LOOKUPS)).bearer_auth(token.expose()).json(request)).await
    }

    async fn refresh_regulars(
        &self,
        token: &AccessToken,
        request: &RegularsRequest,
    ) -> Result<Answered<RegularsAnswer>, Failure> {
        let request =
            self.client.post(self.url(path::LOOKUPS_REFRESH)).bearer_auth(token.expose()).json(request);
        self.json(request).await
    }

    async fn deliver(&self, token: &AccessToken, batch: &Batch) -> Result<Answered<BatchAnswer>, Failure> {
        self.json(self.client.post(self.url(path::OUTBOX)).bearer_auth(token.expose()).json(batch)).await
    }

    async fn usage_reports(
        &self,
        token: &AccessToken,
        query: &UsageQuery,
    ) -> Result<Answered<UsagePage>, Failure> {
        self.json(self.client.get(self.url(path::USAGE_REPORTS)).bearer_auth(token.expose()).query(query))
            .await
    }

    async fn make_report_code(
        &self,
        token: &AccessToken,
        report: &NewReport,
    ) -> Result<Answered<ReportCode>, Failure> {
        self.json(self.client.post(self.url(path::REPORT_CODES)).bearer_auth(token.expose()).json(report))
            .await
    }

    async fn health(&self) -> Result<Answered<Health>, Failure> {
        self.json(self.client.get(self.url(path::HEALTH)).timeout(Duration::from_secs(5))).await
    }
}

async fn refusal(response: Response) -> Failure {
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()).map(ToOwned::to_owned);
    let body = read(response).await.unwrap_or_default();
    classify(status, &body, retry_after.as_deref())
}

/// Reads a body, up to the limit of the contract.
async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > limits::BODY_MAX_BYTES {
            return Err(FailureKind::Unreadable.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A request that got no whole HTTP answer.
fn broken(error: &reqwest::Error) -> Failure {
    let kind = if error.is_timeout() {
        FailureKind::TimedOut
    } else if error.is_decode() || error.is_body() {
        FailureKind::Unreadable
    } else {
        FailureKind::Unreachable
    };
    Failure { kind, retry_after: None }
}
