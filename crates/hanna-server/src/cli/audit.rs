//! The subcommand `audit`.

use std::io::{self, Write};
use std::process::ExitCode;

use hanna_domain::{Document, DocumentKind, Verdict, colombia};
use hanna_wire::admin::audit::AccessAct;
use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};

use super::settings::Effective;
use super::{AuditPersonArgs, AuditSearchArgs, open};
use crate::audit::{Access, Anchor, Consulted, PersonLookups, Verification};
use crate::store::LookupRange;

/// Why a search is made when nobody says.
pub const SEARCH_PURPOSE: &str = "responder al titular quién consultó sus datos";

/// `CC:1045678901`.
///
/// # Errors
/// What is wrong with it.
pub fn document(text: &str) -> Result<Document, String> {
    let (kind, number) = text.split_once(':').ok_or("se espera TIPO:NÚMERO, como CC:1045678901")?;
    let kind = DocumentKind::from_code(&kind.to_uppercase()).ok_or("el tipo es CC, CE, TI, RC, PA o PPT")?;
    Document::parse(kind, number).map_err(|error| error.to_string())
}

pub async fn verify(anchor: Option<Anchor>, holds: &Effective) -> anyhow::Result<ExitCode> {
    let found = open(holds).await?.verify_audit(anchor).await?;
    write_verification(&mut io::stdout().lock(), &found)?;
    Ok(if found.findings_total == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write_verification(out: &mut impl Write, found: &Verification) -> io::Result<()> {
    writeln!(out, "sealed: {} acts in {} blocks", found.sealed, found.blocks)?;
    writeln!(out, "not sealed yet: {} acts; whoever changed them could not be found out", found.unsealed)?;
    if let Some(purged) = &found.purged {
        let (acts, day) = (purged.acts, colombia::day_of(purged.last.purge.kept_from));
        writeln!(out, "depurados por antigüedad: {acts} actos; desde el {day} se conserva todo")?;
    }
    if let Some(anchor) = &found.anchor {
        writeln!(out, "last block: {anchor}")?;
    }
    for finding in &found.findings {
        writeln!(out, "TAMPERED: {finding}")?;
    }
    let listed = u64::try_from(found.findings.len()).unwrap_or(u64::MAX);
    if found.findings_total > listed {
        writeln!(out, "TAMPERED: {} more", found.findings_total - listed)?;
    }
    if found.findings_total == 0 {
        writeln!(out, "nothing that is sealed was changed, removed or slipped in")?;
    }
    Ok(())
}

pub async fn search(args: &AuditSearchArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let purpose = args.purpose.as_deref().unwrap_or(SEARCH_PURPOSE);
    let app = open(holds).await?;
    let found = app.search_audit(&args.document, LookupRange::ALL, purpose, app.run_by()).await?;
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &found)?;
        writeln!(out)?;
    } else {
        write_lookups(&mut out, &found)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write_lookups(out: &mut impl Write, found: &PersonLookups) -> io::Result<()> {
    let since = found.kept_from.map(colombia::day_of).map(|day| format!(" desde el {day}"));
    let since = since.as_deref().unwrap_or_default();
    if found.lookups.is_empty() {
        writeln!(out, "Nadie ha consultado este documento{since}.")?;
    } else {
        writeln!(out, "Consultas de este documento{since}: {}", found.lookups.len())?;
    }
    if !since.is_empty() {
        writeln!(out, "Los registros anteriores a ese día se depuraron.")?;
    }
    for one in &found.lookups {
        let Consulted { entity_name, branch_name, device_name, operator_name, purpose, .. } = one;
        let at = in_colombia(one.answered_at);
        writeln!(out, "  {at}  {entity_name}, sede {branch_name}, equipo {device_name}")?;
        let regular = if one.regular { ", sin que estuviera en el mostrador" } else { "" };
        writeln!(out, "    {operator_name}, para: {purpose}{regular}. Se respondió: {}", said(one.verdict))?;
    }
    if !found.accesses.is_empty() {
        writeln!(out, "Accesos en la caja: {}", found.accesses.len())?;
    }
    for Access { at, act, account_name, by, purpose } in &found.accesses {
        let what = match act {
            AccessAct::Searched => "búsqueda",
            AccessAct::Exported => "exportación",
        };
        let who = account_name.as_ref().or(by.as_ref()).map_or("-", String::as_str);
        writeln!(
            out,
            "  {}  {what} por {who}, para: {}",
            in_colombia(*at),
            purpose.as_deref().unwrap_or("-")
        )?;
    }
    Ok(())
}

/// What the desk's card said.
const fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Active => "ACTIVO",
        Verdict::ActiveFromCopy => "ACTIVO según copia",
        Verdict::NotActive => "NO ACTIVO",
        Verdict::NotRegistered => "NO REGISTRA",
        Verdict::NoData => "SIN DATO",
    }
}

/// Day and time as a clock in Colombia shows them.
pub(super) fn in_colombia(at: Timestamp) -> String {
    at.to_zoned(TimeZone::fixed(offset(-5))).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub async fn export(args: &AuditPersonArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let data = app.export_person(&args.document, &args.purpose, app.run_by()).await?;
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &data)?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}
