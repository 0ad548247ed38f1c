//! The desk from a terminal: one command a line in, one JSON object a line out. For support, and for tests.
//!
//! See `docs/DESKCTL.md`. A line is answered only once what it says is durable.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use hanna_desk::backend::{Http, ServerAddress};
use hanna_desk::ports::System;
use hanna_desk::view::{Card, HistoryQuery, Session};
use hanna_desk::{BATCH_ITEMS_MAX, Desk, DeskError, ErrorCode, Setup, VaultChoice, messages};
use hanna_domain::outbox::VoidReason;
use hanna_domain::{DocumentKind, Redacted};
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

/// The desk of Hanna Convenios, one command a line.
#[derive(Parser)]
#[command(
    version,
    after_help = "Commands, one a line on standard input:
  sign-in USER PASSWORD     sign-out [confirm]        status     sync
  branch CODE               lookup KIND NUMBER        report     outbox
  void ID REASON [TEXT]     retry ID|all              withdraw ID TEXT
  export-outbox FILE        import-set-aside [FILE]
  history FROM TO           report-pdf FROM TO FILE   (days as 2026-11-22)"
)]
struct Arguments {
    /// The folder of this desk's databases.
    #[arg(long)]
    data_dir: PathBuf,
    /// The server's address.
    #[arg(long, default_value = "http://127.0.0.1:8740")]
    server: String,
    /// Where secrets are kept.
    #[arg(long, value_enum, default_value_t = Vault::Os)]
    vault: Vault,
}

#[derive(Clone, Copy, ValueEnum)]
enum Vault {
    /// Tokens in memory only; the key of the databases on disk, wrapped with the operator's password.
    Memory,
    /// The keyring of the operating system.
    Os,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let desk = match open(Arguments::parse()) {
        Ok(desk) => desk,
        Err(error) => {
            answer(&Err(error));
            return ExitCode::FAILURE;
        }
    };
    tokio::spawn(desk.clone().run_worker());
    let mut lines = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => return ExitCode::SUCCESS,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "standard input cannot be read");
                return ExitCode::FAILURE;
            }
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let result = perform(&desk, text).await;
        if !answer(&result) {
            return ExitCode::FAILURE;
        }
    }
}

fn open(arguments: Arguments) -> Result<Desk, DeskError> {
    let address = ServerAddress::parse(&arguments.server)
        .map_err(|error| DeskError::caused(ErrorCode::ServerAddressInvalid, error))?;
    let backend =
        Http::new(address.clone()).map_err(|error| DeskError::caused(ErrorCode::Internal, error))?;
    Desk::open(Setup {
        data_dir: arguments.data_dir,
        device_name: "hanna-deskctl".to_owned(),
        server: address.to_string(),
        vault: match arguments.vault {
            Vault::Memory => VaultChoice::Memory,
            Vault::Os => VaultChoice::Os,
        },
        backend: Arc::new(backend),
        clock: Arc::new(System),
        chance: Arc::new(System),
        batch_items_max: BATCH_ITEMS_MAX,
    })
}

/// Writes the answer to one line, flushed. `false`: nobody reads any more.
fn answer(result: &Result<Value, DeskError>) -> bool {
    let line = match result {
        Ok(result) => json!({ "ok": true, "result": result }),
        Err(error) => {
            tracing::info!(%error, "a command failed");
            json!({ "ok": false, "code": error.code(), "message": messages::error(error), "params": error.params() })
        }
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}

async fn perform(desk: &Desk, line: &str) -> Result<Value, DeskError> {
    let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match command {
        "sign-in" => {
            let (user, password) = rest.split_once(char::is_whitespace).ok_or(ErrorCode::BadCommand)?;
            let password = Redacted::new(password.trim_start().to_owned());
            desk.sign_in(user, &password).await.map(|session| session_json(&session))
        }
        "sign-out" => desk.sign_out(rest == "confirm").await.map(|()| json!({})),
        "branch" => branch(desk, rest).await,
        "lookup" => {
            let (kind, number) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let kind = DocumentKind::from_code(&kind.to_uppercase()).ok_or(ErrorCode::BadCommand)?;
            desk.lookup(kind, number).await.map(|card| card_json(&card))
        }
        // Typing the command is the deliberate second key: it reports although a use was reported today already.
        "report" => desk.report_last(true).await.map(|card| json!(card.reported)),
        "void" => void(desk, rest).await,
        "retry" if rest == "all" => Ok(json!(desk.retry_all().await?)),
        "retry" => Ok(json!(desk.retry_item(id(rest)?).await?)),
        "withdraw" => {
            let (item, why) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            Ok(json!(desk.withdraw_item(id(item)?, why).await?))
        }
        "outbox" => Ok(json!(desk.outbox().await?)),
        "export-outbox" => {
            let path = Some(rest).filter(|file| !file.is_empty()).ok_or(ErrorCode::BadCommand)?;
            Ok(json!(desk.export_outbox(PathBuf::from(path)).await?))
        }
        "import-set-aside" if rest.is_empty() => Ok(json!(desk.recover_set_aside().await?)),
        "import-set-aside" => Ok(json!(desk.import_set_aside(PathBuf::from(rest)).await?)),
        "sync" => Ok(json!(desk.sync_now().await?)),
        "status" => Ok(json!(desk.status()?)),
        "history" => {
            let (query, _) = range(rest)?;
            history(desk, query).await
        }
        "report-pdf" => {
            let (query, file) = range(rest)?;
            let path = Some(file).filter(|file| !file.is_empty()).ok_or(ErrorCode::BadCommand)?;
            Ok(json!(desk.save_report(query, PathBuf::from(path)).await?))
        }
        _ => Err(ErrorCode::BadCommand.into()),
    }
}

async fn branch(desk: &Desk, code: &str) -> Result<Value, DeskError> {
    let session = desk.session()?;
    if session.branches.is_empty() {
        return Err(ErrorCode::NoBranches.into());
    }
    let branch = session.branches.iter().find(|branch| branch.code.eq_ignore_ascii_case(code));
    let branch = branch.ok_or(ErrorCode::BranchNotAllowed)?;
    desk.choose_branch(branch.id).await.map(|session| session_json(&session))
}

async fn void(desk: &Desk, rest: &str) -> Result<Value, DeskError> {
    let mut parts = rest.splitn(3, char::is_whitespace);
    let report = id(parts.next().unwrap_or(""))?;
    let reason = parts.next().and_then(|word| VoidReason::from_code(&word.to_uppercase()));
    let reason = reason.ok_or(ErrorCode::BadCommand)?;
    Ok(json!(desk.void_use(report, reason, parts.next().unwrap_or("")).await?))
}

fn id(text: &str) -> Result<Uuid, DeskError> {
    text.parse().map_err(|_| ErrorCode::BadCommand.into())
}

async fn history(desk: &Desk, query: HistoryQuery) -> Result<Value, DeskError> {
    let history = desk.history(query).await?;
    let rows: Vec<Value> = history
        .rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "document_kind": row.document.kind(),
                "document_number": row.document.number(),
                "affiliate_name": row.affiliate_name,
                "tariff": row.tariff,
                "branch_name": row.branch_name,
                "operator_name": row.operator_name,
                "occurred_at": row.occurred_at,
                "state": row.state,
                "code": row.code,
                "voided": row.voided,
            })
        })
        .collect();
    Ok(
        json!({ "rows": rows, "totals": history.totals, "complete": history.complete, "cause": history.cause }),
    )
}

/// `FROM TO` and what follows.
fn range(text: &str) -> Result<(HistoryQuery, &str), DeskError> {
    let mut parts = text.splitn(3, char::is_whitespace);
    let mut day = || -> Result<Date, DeskError> {
        parts.next().and_then(|day| day.parse().ok()).ok_or_else(|| ErrorCode::RangeInvalid.into())
    };
    let query = HistoryQuery { from: day()?, to: day()?, branch_id: None };
    Ok((query, parts.next().unwrap_or("").trim()))
}

fn session_json(session: &Session) -> Value {
    json!({
        "operator": session.operator,
        "entity": session.entity,
        "roles": session.roles,
        "branches": session.branches,
        "branch": session.branch,
        "applications": session.applications,
    })
}

fn card_json(card: &Card) -> Value {
    let reasons: Vec<_> = card.reasons.iter().map(|reason| reason.code).collect();
    json!({
        "lookup_id": card.lookup_id,
        "verdict": card.verdict,
        "source": card.source,
        "cause": card.cause,
        "valid_until": card.valid_until,
        "age_s": card.age_s,
        "statement_id": card.statement_id,
        "reasons": reasons,
        "affiliate": card.affiliate,
        "tariff": card.tariff,
        "may_report": card.may_report,
        "used_today": card.used_today,
    })
}
