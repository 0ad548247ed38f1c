//! The subcommand `verify`: whether a receipt or a report is genuine.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use hanna_domain::VerificationCode;
use hanna_wire::verification::{Verified, VerifiedReport, VerifiedUse};

use super::audit::in_colombia;
use super::settings::Effective;
use super::{Place, open};

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The code, as it is printed.
    code: VerificationCode,
    #[command(flatten)]
    pub(super) place: Place,
}

pub async fn verify(args: &VerifyArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let verified = open(holds).await?.store().verify(args.code).await?;
    let mut out = io::stdout().lock();
    let Some(verified) = verified else {
        writeln!(out, "Hanna no conoce este código: no es genuino, o el uso aún no ha llegado.")?;
        return Ok(ExitCode::FAILURE);
    };
    match verified {
        Verified::Use(receipt) => write_use(&mut out, &receipt)?,
        Verified::Report(report) => write_report(&mut out, &report)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write_use(out: &mut impl Write, receipt: &VerifiedUse) -> io::Result<()> {
    let VerifiedUse { entity_name, branch_name, occurred_at, tariff, voided } = receipt;
    writeln!(out, "Comprobante genuino{}", if *voided { ", pero el uso fue ANULADO" } else { "" })?;
    writeln!(out, "  {entity_name}, sede {branch_name}")?;
    writeln!(out, "  {}, tarifa {tariff}", in_colombia(*occurred_at))
}

fn write_report(out: &mut impl Write, report: &VerifiedReport) -> io::Result<()> {
    let branches =
        if report.branches.is_empty() { "todas las sedes".to_owned() } else { report.branches.join(", ") };
    writeln!(out, "Reporte genuino: así estaba registrado el {}", in_colombia(report.made_at))?;
    writeln!(out, "  {}, {branches}", report.entity_name)?;
    writeln!(out, "  desde {}, antes de {}", in_colombia(report.from), in_colombia(report.to))?;
    for total in &report.totals {
        writeln!(out, "  tarifa {}: {}", total.tariff, total.uses)?;
    }
    writeln!(out, "  usos: {}; anulados: {}", report.uses(), report.voided)
}
