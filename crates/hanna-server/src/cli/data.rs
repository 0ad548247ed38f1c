//! The subcommands that write data: `migrate`, `seed-demo`, `import-affiliates`, `import-outbox`.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::settings::Effective;
use super::{ImportArgs, ImportOutboxArgs, SeedDemoArgs, open};
use crate::demo::Demo;
use crate::import::{ImportCounts, ImportError, ImportHow, JobError, Progress, Report};
use crate::outbox_file::{ImportedOutbox, OutboxFileError};

pub async fn migrate(holds: &Effective) -> anyhow::Result<ExitCode> {
    let opened = open(holds).await?.opened();
    let mut out = io::stdout().lock();
    if opened.schema_before == opened.schema {
        writeln!(out, "schema {}: nothing to do", opened.schema)?;
    } else {
        writeln!(out, "schema {} -> {}", opened.schema_before, opened.schema)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn seed_demo(args: &SeedDemoArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let demo = open(holds).await?.seed_demo(args.seed, args.affiliates).await?;
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &demo)?;
        writeln!(out)?;
    } else {
        write_demo(&mut out, &demo)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write_demo(out: &mut impl Write, demo: &Demo) -> io::Result<()> {
    if demo.installed_now {
        writeln!(out, "Datos de demostración instalados. Todas las personas y empresas son inventadas.")?;
    } else {
        writeln!(out, "Estos datos de demostración ya estaban instalados; nada cambió.")?;
    }
    writeln!(out, "\nCuentas (usuario · clave · rol · sedes)")?;
    for account in &demo.accounts {
        let roles: Vec<&str> = account.roles.iter().map(|role| role.code()).collect();
        let branches =
            if account.branches.is_empty() { "sin sedes".to_owned() } else { account.branches.join(", ") };
        writeln!(
            out,
            "  {} · {} · {} · {branches}\n      {}",
            account.username,
            account.password,
            roles.join(", "),
            account.remark
        )?;
        if let Some(secret) = &account.totp_secret {
            writeln!(out, "      segundo factor (TOTP, base32): {secret}")?;
        }
    }
    writeln!(out, "\nCédulas para consultar")?;
    let documents = &demo.documents;
    for (title, numbers) in [
        ("activas", &documents.active),
        ("inactivas", &documents.inactive),
        ("activas con empresa suspendida", &documents.company_suspended),
        ("retiradas", &documents.retired),
        ("no registradas", &documents.not_registered),
    ] {
        let some: Vec<&str> = numbers.iter().take(5).map(String::as_str).collect();
        writeln!(out, "  {title}: {}", some.join(", "))?;
    }
    Ok(())
}

pub async fn import_affiliates(args: &ImportArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let is_stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&is_stopped);
    let interrupted = tokio::spawn(async move {
        // Where nobody can interrupt us, nobody does.
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.store(true, Ordering::Relaxed);
            let _ = writeln!(io::stderr(), "Cancelando…");
        }
    });
    let progress: Progress = Box::new(move |step| {
        // If nobody reads the progress, the import goes on.
        let _ = writeln!(io::stderr(), "{} de {} líneas", step.lines, step.lines_total);
        if is_stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let how = ImportHow { replaces: args.replace, dry_run: args.dry_run, job: None };
    let outcome = app.import_at_the_terminal(&args.file, how, args.rejected.clone(), progress).await;
    interrupted.abort();
    match outcome {
        Ok(report) => write_report(&mut io::stdout().lock(), &report, how),
        Err(JobError::Running) => {
            writeln!(io::stdout(), "Ya hay una importación en curso. No se cambió ningún dato.")?;
            Ok(ExitCode::FAILURE)
        }
        Err(JobError::Import(ImportError::File(fault))) => {
            writeln!(io::stdout(), "{fault}\nNo se cambió ningún dato.")?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

fn write_report(out: &mut impl Write, report: &Report, how: ImportHow) -> anyhow::Result<ExitCode> {
    // Also when it was stopped from the console.
    if report.changed.is_none() && (report.stopped || report.bad_total == 0) {
        writeln!(out, "Importación cancelada. No se cambió ningún dato.")?;
        return Ok(ExitCode::FAILURE);
    }
    if let Some(ImportCounts { added, updated, removed }) = report.changed {
        let removed = if how.replaces { format!("; eliminados: {removed}") } else { String::new() };
        let counts = format!("Afiliados nuevos: {added}; actualizados: {updated}{removed}.");
        if how.dry_run {
            writeln!(out, "Prueba terminada, sin errores. {counts} No se cambió ningún dato.")?;
        } else {
            writeln!(out, "Importación terminada. {counts}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    for bad in &report.bad {
        writeln!(out, "{bad}")?;
    }
    let listed = u64::try_from(report.bad.len()).unwrap_or(u64::MAX);
    if report.bad_total > listed {
        writeln!(out, "… y otros errores que no se muestran: {}.", report.bad_total - listed)?;
    }
    writeln!(
        out,
        "Errores: {}, en un archivo de {} líneas. No se cambió ningún dato: corrija el archivo e impórtelo de nuevo.",
        report.bad_total, report.lines
    )?;
    Ok(ExitCode::FAILURE)
}

pub async fn import_outbox(args: &ImportOutboxArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let outcome = open(holds).await?.import_outbox(&args.file).await;
    let mut out = io::stdout().lock();
    match outcome {
        Ok(imported) if args.json => {
            serde_json::to_writer(&mut out, &imported)?;
            writeln!(out)?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(imported) => {
            write_imported(&mut out, &imported)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(OutboxFileError::File(fault)) => {
            writeln!(out, "{fault}\nNo se cambió ningún dato.")?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

fn write_imported(out: &mut impl Write, imported: &ImportedOutbox) -> io::Result<()> {
    writeln!(out, "Equipo {} ({})", imported.device_name, imported.device_id)?;
    writeln!(
        out,
        "Registros en el archivo: {}. Aceptados: {}; aceptados con observación: {}; rechazados: {}; ya estaban: {}.",
        imported.items, imported.accepted, imported.noted, imported.refused, imported.already_there
    )?;
    for (code, count) in &imported.codes {
        writeln!(out, "  {code}: {count}")?;
    }
    if imported.waiting > 0 {
        writeln!(
            out,
            "Sin resolver todavía: {}. Esperan un registro que no ha llegado; importe el archivo otra vez cuando llegue.",
            imported.waiting
        )?;
    }
    Ok(())
}
