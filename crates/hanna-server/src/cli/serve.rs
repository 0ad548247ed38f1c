//! `hanna-server serve`.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::open_for;
use super::settings::Effective;
use crate::audit::Actor;
use crate::tls::Tls;

pub async fn serve(holds: &Effective) -> anyhow::Result<ExitCode> {
    let tls = holds.tls().map(|files| Tls::open(files, Tls::LOOK_EVERY)).transpose()?.map(Arc::new);
    let plain = if tls.is_none() { Some(holds.listen) } else { None };
    for address in [plain, holds.metrics_listen].into_iter().flatten() {
        anyhow::ensure!(
            address.ip().is_loopback() || holds.allow_plain_http.0,
            "{} can be reached from other machines, and plain HTTP would show people's data on the way: give the API \
             --tls-cert and --tls-key, listen on a loopback address behind a proxy that speaks TLS, or say --allow-plain-http",
            address.ip()
        );
    }
    let app = open_for(holds, Actor::Server).await?;
    let opened = app.opened();
    tracing::info!(schema_before = opened.schema_before, schema = opened.schema, "database open");
    if !app.settle_imports().await? {
        tracing::info!("an import runs in another process");
    }
    // Listened for before anybody is told that we serve: from then on a signal ends us gently.
    let signal = signal()?;
    let listener = bind(holds.listen).await?;
    let metrics = match holds.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let before = if tls.is_some() { "listening on https://" } else { "listening on http://" };
    announce(before, listener.local_addr()?, "")?;
    if let Some(metrics) = &metrics {
        announce("metrics on http://", metrics.local_addr()?, hanna_wire::path::METRICS)?;
    }

    let (told, begun) = watch::channel(false);
    let ending = |mut begun: watch::Receiver<bool>| async move {
        // Whoever tells lives as long as we serve.
        let _ = begun.wait_for(|begun| *begun).await;
    };
    let shutdown = async move {
        signal.await;
        tracing::info!("shutting down: finishing what was begun");
        told.send_replace(true);
        // Kept until everything has ended.
        told
    };
    let measured = async {
        if let Some(metrics) = metrics {
            app.serve_metrics(metrics, ending(begun.clone())).await;
        }
    };
    let sealed = app.keep_sealing(ending(begun.clone()));
    let shared = app.keep_counting(ending(begun.clone()));
    let purged = app.keep_purging(ending(begun.clone()));
    let served = async {
        tokio::join!(app.serve_as(listener, tls, ending(begun.clone())), measured, sealed, shared, purged)
    };
    let goodbye = async {
        let _told = shutdown.await;
        tokio::time::sleep(holds.shutdown_max()).await;
    };
    tokio::select! {
        _ = served => {}
        () = app.run_mail(std::future::pending()) => {}
        () = goodbye => tracing::warn!("some connections did not end in time"),
    }
    // What was answered last, too.
    app.seal_or_tell().await;
    app.count_together().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

fn announce(before: &str, address: SocketAddr, after: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{before}{address}{after}")?;
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
