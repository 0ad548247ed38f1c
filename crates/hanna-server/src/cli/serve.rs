//! `hanna-server serve`.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{ServeArgs, open};

/// How long requests may still take after a signal. Longer than any request may.
const GOODBYE_MAX: Duration = Duration::from_secs(35);

pub async fn serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        args.listen.ip().is_loopback() || args.allow_plain_http,
        "{} can be reached from other machines, and plain HTTP would show people's data on the way: listen on a \
         loopback address behind a proxy that speaks TLS, or say --allow-plain-http",
        args.listen.ip()
    );
    let app = open(&args.place).await?;
    let opened = app.opened();
    tracing::info!(schema_before = opened.schema_before, schema = opened.schema, "database open");
    // Listened for before anybody is told that we serve: from then on a signal ends us gently.
    let signal = signal()?;
    let listener =
        TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    announce(listener.local_addr()?)?;

    let (told, begun) = oneshot::channel();
    let shutdown = async move {
        signal.await;
        tracing::info!("shutting down: finishing what was begun");
        // The other side waits as long as we serve.
        let _ = told.send(());
    };
    let goodbye = async move {
        // Never told: we serve until we end by ourselves.
        if begun.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(GOODBYE_MAX).await;
    };
    tokio::select! {
        served = app.serve(listener, shutdown) => served?,
        () = goodbye => tracing::warn!("some connections did not end in time"),
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn announce(address: SocketAddr) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "listening on http://{address}")?;
    stdout.flush()
}

/// Waits for SIGTERM or SIGINT.
#[cfg(unix)]
fn signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
