//! A server that is not Hanna: it gives every request the same answer.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Impostor {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Impostor {
    /// Answers everything with `status`, `media_type` and `body`.
    pub async fn answering(status: u16, media_type: &'static str, body: &'static str) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        let answer =
            move || async move { (status, [(header::CONTENT_TYPE, media_type)], body).into_response() };
        Self::serving(Router::new().fallback(answer)).await
    }

    /// Takes connections and never says anything.
    pub async fn silent() -> Self {
        Self::serving(Router::new().fallback(std::future::pending::<StatusCode>)).await
    }

    async fn serving(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { address, task }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.task.abort();
    }
}
