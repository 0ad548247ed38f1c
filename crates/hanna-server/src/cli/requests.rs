//! The subcommands of `request`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use hanna_domain::{Tariff, colombia};
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::application::{
    ApplicationRequest, ApproveApplication, ApprovedBranch, ProposedBranch, RejectApplication,
};
use hanna_wire::limits::{NAME_MAX, PAGE_MAX};
use hanna_wire::me::ApplicationState;
use jiff::civil::Date;
use uuid::Uuid;

use super::settings::Effective;
use super::{Place, open};
use crate::store::{RequestFilter, Ruled};

#[derive(Debug, Subcommand)]
pub enum RequestCommand {
    /// List the requests that wait for a decision, the newest first.
    List(RequestListArgs),
    /// Begin to review a request: the entity sees that.
    Review(RequestArgs),
    /// Approve a request: its branches and an agreement are made. Mailed by the server that serves.
    #[command(
        after_help = "The branches are those the entity proposes, with codes made of its name. What is not said of the agreement \
        is as usual: a year from today, tariffs A to C, the whole family, once a day."
    )]
    Approve(RequestApproveArgs),
    /// Reject a request. Mailed with its reason by the server that serves.
    Reject(RequestRejectArgs),
}

#[derive(Debug, Args)]
pub struct RequestListArgs {
    /// Also those that are decided.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct RequestArgs {
    /// The request, as `request list` names it.
    id: Uuid,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct RequestApproveArgs {
    /// The request, as `request list` names it.
    id: Uuid,
    /// What the agreement is called; the benefit that is offered when nobody says.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The first day it covers.
    #[arg(long, value_name = "YYYY-MM-DD")]
    first_day: Option<Date>,
    /// The last day it covers.
    #[arg(long, value_name = "YYYY-MM-DD")]
    last_day: Option<Date>,
    /// The tariffs it covers: A,B,C,D.
    #[arg(long, value_delimiter = ',', value_parser = tariff, value_name = "LETTERS")]
    tariffs: Vec<Tariff>,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct RequestRejectArgs {
    /// The request, as `request list` names it.
    id: Uuid,
    /// Why, in Spanish: the person is mailed these words.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    pub place: Place,
}

fn tariff(text: &str) -> Result<Tariff, &'static str> {
    Tariff::from_code(text).ok_or("a tariff is A, B, C or D")
}

pub async fn obey(command: &RequestCommand, holds: &Effective) -> anyhow::Result<ExitCode> {
    match command {
        RequestCommand::List(args) => list(args.all, holds).await,
        RequestCommand::Review(args) => review(args.id, holds).await,
        RequestCommand::Approve(args) => approve(args, holds).await,
        RequestCommand::Reject(args) => reject(args.id, &args.reason, holds).await,
    }
}

async fn list(all: bool, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<36}  {:<20}  {:<9}  {:<12}  entity · branches · contact · benefit",
        "id", "sent", "state", "nit"
    )?;
    let mut filter = RequestFilter { limit: PAGE_MAX, ..RequestFilter::default() };
    loop {
        let page = app.application_requests(filter.clone()).await?;
        for request in page.iter().filter(|request| all || is_open(request)) {
            let content = &request.content;
            let branches: Vec<&str> = content.branches.iter().map(|branch| branch.name.as_str()).collect();
            writeln!(
                out,
                "{}  {:<20}  {:<9}  {:<12}  {} · {} · {} · {}",
                request.id,
                request.history.first().map(|event| format!("{:.0}", event.at)).unwrap_or_default(),
                request.state.code(),
                request.entity.nit,
                request.entity.name,
                branches.join(", "),
                content.contact_email.expose(),
                content.benefit
            )?;
        }
        let Some(last) = page.last() else { break };
        filter.after = last.history.first().map(|event| (event.at, last.id));
    }
    Ok(ExitCode::SUCCESS)
}

const fn is_open(request: &ApplicationRequest) -> bool {
    matches!(request.state, ApplicationState::Submitted | ApplicationState::InReview)
}

async fn review(id: Uuid, holds: &Effective) -> anyhow::Result<ExitCode> {
    let ruled = open(holds).await?.review_application(id, None).await?;
    say(ruled, id, "in review")
}

async fn approve(args: &RequestApproveArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let kept = app.application_request(args.id).await?;
    let ApplicationRequest { revision, content, .. } =
        kept.ok_or_else(|| anyhow::anyhow!("there is no request {}", args.id))?.request;
    let name = args.name.clone().unwrap_or_else(|| content.benefit.chars().take(NAME_MAX).collect());
    let first_day = args.first_day.unwrap_or_else(|| colombia::day_of(app.clock().now()));
    let mut agreement = AgreementTerms::usual(name, first_day);
    agreement.last_day = args.last_day.unwrap_or(agreement.last_day);
    if !args.tariffs.is_empty() {
        agreement.tariffs.clone_from(&args.tariffs);
    }
    let made = |branch: ProposedBranch| ApprovedBranch { code: None, name: branch.name, city: branch.city };
    let branches = content.branches.into_iter().map(made).collect();
    let approval = ApproveApplication { revision, agreement, branches };
    let ruled = app.approve_application(args.id, approval, None).await?;
    say(ruled, args.id, "approved")
}

async fn reject(id: Uuid, reason: &str, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let kept =
        app.application_request(id).await?.ok_or_else(|| anyhow::anyhow!("there is no request {id}"))?;
    let rejection = RejectApplication { revision: kept.request.revision, reason: reason.to_owned() };
    let ruled = app.reject_application(id, &rejection, None).await?;
    say(ruled, id, "rejected")
}

fn say(ruled: Ruled, id: Uuid, done: &str) -> anyhow::Result<ExitCode> {
    match ruled {
        Ruled::Done => writeln!(io::stdout(), "{id} is {done}; the server that serves mails decisions")?,
        Ruled::Unknown => anyhow::bail!("there is no request {id}"),
        Ruled::NotPending => anyhow::bail!("{id} is decided already"),
        Ruled::CodeTaken => anyhow::bail!("a branch has one of the codes already"),
    }
    Ok(ExitCode::SUCCESS)
}
