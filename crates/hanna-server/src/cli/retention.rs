//! The subcommand `purge`.

use std::io::{self, Write};
use std::process::ExitCode;

use jiff::civil::Date;

use super::settings::Effective;
use super::{PurgeArgs, open};
use crate::audit::{Finding, Removed};
use crate::retention::PurgeError;

pub async fn purge(args: &PurgeArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let latest = app.keeps_from(app.clock().now());
    let before = args.before.unwrap_or(latest);
    anyhow::ensure!(
        before <= latest,
        "los registros se conservan {} días: solo se depura lo anterior al {latest}; para depurar más, cambie \
         «keep_records_days»",
        holds.keep_records_days
    );
    let mut out = io::stdout().lock();
    if args.dry_run {
        write_removed(&mut out, "Se depuraría", before, &app.purgeable(before).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    match app.purge(before, args.despite_findings).await {
        Ok(removed) => {
            write_removed(&mut out, "Se depuró", before, &removed)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(PurgeError::NotAsSealed(findings)) => {
            writeln!(out, "No se siguió depurando: hay algo que no está como se selló.")?;
            for finding in findings.iter().map(Finding::in_spanish) {
                writeln!(out, "  {finding}")?;
            }
            Ok(ExitCode::FAILURE)
        }
        Err(PurgeError::NotAsLeft) => {
            writeln!(out, "No se siguió depurando: lo que dejó la última depuración no está como quedó.")?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

fn write_removed(out: &mut impl Write, what: &str, before: Date, removed: &Removed) -> io::Result<()> {
    if *removed == Removed::default() {
        return writeln!(out, "No hay nada anterior al {before} que depurar.");
    }
    writeln!(out, "{what} lo anterior al {before}:")?;
    for (kind, count) in [
        ("consultas", removed.lookups),
        ("constancias", removed.statements),
        ("usos", removed.uses),
        ("anulaciones", removed.voids),
        ("consultas respondidas por copias", removed.offline_lookups),
        ("envíos de equipos", removed.items),
        ("respuestas a envíos repetidos", removed.refusals),
        ("sesiones", removed.sessions),
        ("actos de la auditoría", removed.acts),
    ] {
        writeln!(out, "  {kind}: {count}")?;
    }
    Ok(())
}
