//! A server that is not Hanna: it gives every request the same answer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::server::TestServer;

/// Any port of this machine that nobody uses.
const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Impostor {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Impostor {
    /// Answers everything with `status`, `media_type` and `body`.
    pub async fn answering(status: u16, media_type: &'static str, body: &'static str) -> Self {
        Self::serving(FREE_PORT, same_answer(status, media_type, body)).await
    }

    /// The same where `server` answered, which was stopped: as a captive portal does.
    pub async fn in_place_of(
        server: &TestServer,
        status: u16,
        media_type: &'static str,
        body: &'static str,
    ) -> Self {
        Self::serving(server.address(), same_answer(status, media_type, body)).await
    }

    /// Takes connections where `server` did, and never says anything: as a VPN that leads nowhere does.
    pub async fn silent_in_place_of(server: &TestServer) -> Self {
        Self::serving(server.address(), Router::new().fallback(std::future::pending::<StatusCode>)).await
    }

    async fn serving(address: SocketAddr, router: Router) -> Self {
        let listener = TcpListener::bind(address).await.expect("the port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { address, task }
    }

    /// Answers no more; the port is free when this returns.
    pub async fn leave(mut self) {
        self.task.abort();
        let ended = (&mut self.task).await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "the impostor had ended before");
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// One answer a connection, so that none is left open for the server that comes back.
fn same_answer(status: u16, media_type: &'static str, body: &'static str) -> Router {
    let status = StatusCode::from_u16(status).expect("a status");
    let headers = [(header::CONTENT_TYPE, media_type), (header::CONNECTION, "close")];
    Router::new().fallback(move || async move { (status, headers, body).into_response() })
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.task.abort();
    }
}
