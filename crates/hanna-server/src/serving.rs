//! Connections: how they are accepted, how long they may take, how they end.
//!
//! hyper is driven here, and not by `axum::serve`, because that one waits for ever for the head of a request. Every wait of
//! a client has an end: for its handshake, for its head, for its body (in `extract`), for its reading the answer; and there
//! are only so many connections, the next one waits in the queue of the system.
//!
//! What is no HTTP, or has a head over [`HEAD_MAX_BYTES`], is answered by hyper, bare.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hanna_wire::limits::{HEAD_MAX_BYTES, HEADERS_MAX};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use crate::app::Limits;
use crate::metrics::Metrics;
use crate::tls::Tls;

/// How long to wait when the system gives no more connections.
const BREATH: Duration = Duration::from_secs(1);

/// Who is at the other end of the connection: a desk, or a proxy.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Serves `router` on `listener` until `shutdown`, with TLS if it is given; then ends idle connections and lets what was
/// begun end.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    limits: Limits,
    metrics: Arc<Metrics>,
    shutdown: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_max)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX_BYTES);
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    // Dropped when we end: whoever still shakes hands has begun nothing.
    let (staying, ending) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            next = next => next,
        };
        let router = router.clone();
        let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            router.clone().oneshot(request.map(Body::new))
        });
        let stream = Unstalled::new(stream, limits.unread_max);
        let (http, tls, watcher, ending) = (http.clone(), tls.clone(), graceful.watcher(), ending.clone());
        let open = metrics.connection();
        tokio::spawn(async move {
            let ended = match tls {
                None => watcher.watch(http.serve_connection(TokioIo::new(stream), answer)).await,
                Some(tls) => match shaken(&tls, stream, limits.head_max, ending).await {
                    Some(stream) => watcher.watch(http.serve_connection(TokioIo::new(stream), answer)).await,
                    None => Ok(()),
                },
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended badly");
            }
            drop((place, open));
        });
    }
    // Whoever comes now is told at once that nobody listens.
    drop((listener, staying));
    graceful.shutdown().await;
}

/// The stream behind a handshake that was good, in time, and before we end.
async fn shaken<T: AsyncRead + AsyncWrite + Unpin>(
    tls: &Arc<Tls>,
    stream: T,
    handshake_max: Duration,
    mut ending: watch::Receiver<()>,
) -> Option<TlsStream<T>> {
    let shaken = tokio::select! {
        _ = ending.changed() => return None,
        shaken = timeout(handshake_max, tls.accept(stream)) => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
    None
}

/// The next connection. Those that fail while they are accepted are the client's trouble.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers must not wait for each other. Where it cannot be set, they are only slower.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                return (stream, peer);
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                sleep(BREATH).await;
            }
        }
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A stream that fails when the other side does not read for too long.
struct Unstalled<T> {
    stream: T,
    unread_max: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T: AsyncWrite + Unpin> Unstalled<T> {
    const fn new(stream: T, unread_max: Duration) -> Self {
        Self { stream, unread_max, stalled: None }
    }

    /// Passes on what writing gave, and counts the time while nothing can be written.
    fn watched<V>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let unread_max = self.unread_max;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(unread_max)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => {
                stalled.as_mut().reset(Instant::now() + unread_max);
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Unstalled<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Unstalled<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watched(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watched(context, ended)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watched(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// Time is tokio's own here: it passes at once when nobody has anything to do.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_given_up_and_one_that_reads_slowly_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut ours = Unstalled::new(ours, Duration::from_secs(20));
        let read = tokio::spawn(async move {
            for _ in 0..3 {
                sleep(Duration::from_secs(15)).await;
                tokio::io::AsyncReadExt::read_exact(&mut theirs, &mut [0; 16]).await.expect("read");
            }
            theirs
        });
        ours.write_all(&[7; 64]).await.expect("slow, but read");
        let _theirs = read.await.expect("read");
        let stalled = ours.write_all(&[7; 64]).await.expect_err("nobody reads any more");
        assert_eq!(stalled.kind(), io::ErrorKind::TimedOut);
    }
}
