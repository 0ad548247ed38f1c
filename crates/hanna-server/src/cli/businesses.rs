//! The subcommands about businesses: `entity`, `branch`, `agreement`, `import`, `usage`. Each does what the console does, in
//! nobody's name.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use hanna_domain::{AffiliateRole, Tariff};
use hanna_wire::admin::business::{
    AdminAgreement, AdminBranch, AdminEntityDetail, ChangeAgreement, ChangeBranch, CreateAgreement,
    CreateBranch, CreateEntity,
};
use hanna_wire::agreement::{AgreementTerms, OverLimit};
use hanna_wire::limits::PAGE_MAX;
use jiff::civil::Date;
use uuid::Uuid;

use super::settings::Effective;
use super::{Place, open};
use crate::app::App;
use crate::fault::Fault;

#[derive(Debug, Subcommand)]
pub(super) enum EntityCommand {
    /// List the entities by NIT, with their open branches, agreements in force and active accounts.
    List {
        /// Only those that have this in their name or NIT.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Add an entity.
    Create {
        /// With its check digit.
        #[arg(long)]
        nit: String,
        /// Trade name.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Call an entity otherwise.
    Rename {
        /// The entity, as `entity list` names it.
        id: Uuid,
        /// Trade name.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum BranchCommand {
    /// List the branches of an entity, those that are closed too.
    List {
        /// The entity, as `entity list` names it.
        entity: Uuid,
        #[command(flatten)]
        place: Place,
    },
    /// Add a branch to an entity.
    Create {
        /// The entity, as `entity list` names it.
        entity: Uuid,
        /// Unique in all Hanna; the next one of the entity when left out.
        #[arg(long)]
        code: Option<String>,
        /// What people call it.
        #[arg(long)]
        name: String,
        /// Where it is.
        #[arg(long)]
        city: String,
        #[command(flatten)]
        place: Place,
    },
    /// Change, close or open a branch.
    #[command(
        after_help = "In a branch that is closed nobody is looked up any more; what happened there stays."
    )]
    Change {
        /// The branch, as `branch list` names it.
        id: Uuid,
        /// What people call it.
        #[arg(long)]
        name: Option<String>,
        /// Where it is.
        #[arg(long)]
        city: Option<String>,
        /// Close it.
        #[arg(long, conflicts_with = "open")]
        close: bool,
        /// Open it again.
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum AgreementCommand {
    /// List the agreements with an entity, the one that began last first.
    List {
        /// The entity, as `entity list` names it.
        entity: Uuid,
        #[command(flatten)]
        place: Place,
    },
    /// Add an agreement with an entity: the usual terms, where nothing else is said, for a year.
    Create {
        /// The entity, as `entity list` names it.
        entity: Uuid,
        #[command(flatten)]
        terms: Terms,
        #[command(flatten)]
        place: Place,
    },
    /// Change an agreement. What is not said stays as it is.
    #[command(after_help = "Holds from the next statement on; those given before hold until they expire.")]
    Change {
        /// The entity, as `entity list` names it.
        entity: Uuid,
        /// The agreement, as `agreement list` names it.
        id: Uuid,
        #[command(flatten)]
        terms: Terms,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// List the last imports, also those of the console.
    List(Place),
    /// Ask an import to stop: within a second or two it does, and changes nothing.
    Cancel {
        /// The import, as `import list` names it.
        id: Uuid,
        #[command(flatten)]
        place: Place,
    },
    /// Print the rejected lines of an import, as CSV.
    Rejected {
        /// The import, as `import list` names it.
        id: Uuid,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub(super) struct UsageArgs {
    /// The first day, as 2026-11-01.
    #[arg(long, value_name = "DAY")]
    from: Date,
    /// The last day; 400 of them at most.
    #[arg(long, value_name = "DAY")]
    to: Date,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Terms of an agreement, where they are said.
#[derive(Debug, Args)]
pub(super) struct Terms {
    /// What people call it.
    #[arg(long)]
    name: Option<String>,
    /// The first day it covers, as 2026-11-01; today when left out.
    #[arg(long, value_name = "DAY")]
    first_day: Option<Date>,
    /// The last day it covers.
    #[arg(long, value_name = "DAY")]
    last_day: Option<Date>,
    /// The tariffs it covers: A,B,C.
    #[arg(long, value_delimiter = ',', value_parser = tariff)]
    tariffs: Vec<Tariff>,
    /// The family roles it covers: TRABAJADOR,BENEFICIARIO.
    #[arg(long, value_delimiter = ',', value_parser = role)]
    roles: Vec<AffiliateRole>,
    /// Uses of one person in one day.
    #[arg(long, value_name = "COUNT")]
    daily_limit: Option<u32>,
    /// What becomes of a use above that: NOTE or REFUSE.
    #[arg(long, value_parser = over_limit)]
    over_limit: Option<OverLimit>,
    /// How long a statement holds, in hours.
    #[arg(long, value_name = "HOURS")]
    validity_h: Option<u8>,
    /// How long after a use it may be taken back, in minutes.
    #[arg(long, value_name = "MINUTES")]
    void_window_min: Option<u32>,
    /// For how many days a desk may be unlocked without the server.
    #[arg(long, value_name = "DAYS")]
    offline_days_max: Option<u32>,
    /// After how many days without a visit a desk forgets a person.
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<u32>,
    /// The branches it holds at, by code: GYM-01,GYM-02; every open one of the entity when left out.
    #[arg(long, value_delimiter = ',', value_name = "CODE")]
    branches: Vec<String>,
}

fn word<T>(text: &str, found: Option<T>) -> Result<T, String> {
    found.ok_or_else(|| format!("{text} is none of the words"))
}

fn tariff(text: &str) -> Result<Tariff, String> {
    word(text, Tariff::from_code(text))
}

fn role(text: &str) -> Result<AffiliateRole, String> {
    word(text, AffiliateRole::from_code(text))
}

fn over_limit(text: &str) -> Result<OverLimit, String> {
    word(text, OverLimit::from_code(text))
}

impl EntityCommand {
    pub(super) const fn place(&self) -> &Place {
        match self {
            Self::List { place, .. } | Self::Create { place, .. } | Self::Rename { place, .. } => place,
        }
    }
}

impl BranchCommand {
    pub(super) const fn place(&self) -> &Place {
        match self {
            Self::List { place, .. } | Self::Create { place, .. } | Self::Change { place, .. } => place,
        }
    }
}

impl AgreementCommand {
    pub(super) const fn place(&self) -> &Place {
        match self {
            Self::List { place, .. } | Self::Create { place, .. } | Self::Change { place, .. } => place,
        }
    }
}

impl ImportCommand {
    pub(super) const fn place(&self) -> &Place {
        match self {
            Self::List(place) | Self::Cancel { place, .. } | Self::Rejected { place, .. } => place,
        }
    }
}

impl Terms {
    /// These in the place of those.
    fn over(&self, terms: AgreementTerms) -> AgreementTerms {
        let or = |said: &Vec<Tariff>, usual| if said.is_empty() { usual } else { said.clone() };
        AgreementTerms {
            name: self.name.clone().unwrap_or(terms.name),
            first_day: self.first_day.unwrap_or(terms.first_day),
            last_day: self.last_day.unwrap_or(terms.last_day),
            tariffs: or(&self.tariffs, terms.tariffs),
            roles: if self.roles.is_empty() { terms.roles } else { self.roles.clone() },
            daily_limit: self.daily_limit.unwrap_or(terms.daily_limit),
            over_limit: self.over_limit.unwrap_or(terms.over_limit),
            validity_h: self.validity_h.unwrap_or(terms.validity_h),
            void_window_min: self.void_window_min.unwrap_or(terms.void_window_min),
            offline_days_max: self.offline_days_max.unwrap_or(terms.offline_days_max),
            retention_days: self.retention_days.unwrap_or(terms.retention_days),
        }
    }

    /// The branches that are named, of those there are.
    fn branches(&self, there: &[AdminBranch]) -> anyhow::Result<Vec<Uuid>> {
        let find = |code: &String| {
            let found = there.iter().find(|branch| branch.code == *code);
            found.map(|branch| branch.id).ok_or_else(|| anyhow::anyhow!("the entity has no branch {code}"))
        };
        self.branches.iter().map(find).collect()
    }
}

/// A fault, as the terminal tells it.
fn told(fault: Fault) -> anyhow::Error {
    match (fault.detail, fault.cause) {
        (Some(detail), _) => anyhow::anyhow!("{}: {detail}", fault.code.title()),
        (None, Some(cause)) => anyhow::anyhow!("{}: {cause}", fault.code.title()),
        (None, None) => anyhow::anyhow!("{}", fault.code.title()),
    }
}

pub(super) async fn entity(command: &EntityCommand, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    match command {
        EntityCommand::List { search, .. } => list_entities(&app, search.as_deref()).await?,
        EntityCommand::Create { nit, name, .. } => {
            let id = app.new_id();
            let new = CreateEntity { id, nit: nit.clone(), name: name.clone() };
            app.create_entity(new, None).await.map_err(told)?;
            writeln!(io::stdout(), "{id} is added")?;
        }
        EntityCommand::Rename { id, name, .. } => {
            app.rename_entity(*id, Some(name.clone()), None).await.map_err(told)?;
            writeln!(io::stdout(), "{id} is renamed")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list_entities(app: &App, search: Option<&str>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<36}  {:<12}  {:<13}  {:>8}  {:>10}  {:>5}  name",
        "id", "nit", "application", "branches", "agreements", "users"
    )?;
    let mut after = None;
    loop {
        let page = app.entities(search, after, PAGE_MAX).await.map_err(told)?;
        for entity in page.items {
            writeln!(
                out,
                "{}  {:<12}  {:<13}  {:>8}  {:>10}  {:>5}  {}",
                entity.id,
                entity.nit,
                entity.application.code(),
                entity.branches,
                entity.agreements_in_force,
                entity.users,
                entity.name
            )?;
        }
        let Some(next) = page.next else { return Ok(()) };
        after = Some(next.parse()?);
    }
}

pub(super) async fn branch(command: &BranchCommand, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    match command {
        BranchCommand::List { entity, .. } => write_branches(&app.entity(*entity).await.map_err(told)?)?,
        BranchCommand::Create { entity, code, name, city, .. } => {
            let (code, name, city) = (code.clone(), name.clone(), city.clone());
            let new = CreateBranch { id: app.new_id(), code, name, city };
            let branch = app.create_branch(*entity, new, None).await.map_err(told)?;
            writeln!(io::stdout(), "{} is added as {}", branch.id, branch.code)?;
        }
        BranchCommand::Change { id, name, city, close, open, .. } => {
            let closed = (*close || *open).then_some(*close);
            let change = ChangeBranch { name: name.clone(), city: city.clone(), closed };
            let branch = app.change_branch(*id, change, None).await.map_err(told)?;
            let state = if branch.closed_at.is_some() { "closed" } else { "open" };
            writeln!(io::stdout(), "{} is {state}: {}, {}", branch.code, branch.name, branch.city)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_branches(detail: &AdminEntityDetail) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{:<36}  {:<15}  {:<20}  name · city", "id", "code", "closed")?;
    for AdminBranch { id, code, name, city, closed_at } in &detail.branches {
        let closed = closed_at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
        writeln!(out, "{id}  {code:<15}  {closed:<20}  {name} · {city}")?;
    }
    Ok(())
}

pub(super) async fn agreement(command: &AgreementCommand, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let (AgreementCommand::List { entity, .. }
    | AgreementCommand::Create { entity, .. }
    | AgreementCommand::Change { entity, .. }) = command;
    let detail = app.entity(*entity).await.map_err(told)?;
    match command {
        AgreementCommand::List { .. } => write_agreements(&detail)?,
        AgreementCommand::Create { terms: said, .. } => {
            let first_day = said.first_day.unwrap_or_else(|| app.today());
            let terms = said.over(AgreementTerms::usual(detail.entity.name.clone(), first_day));
            let open = detail.branches.iter().filter(|branch| branch.closed_at.is_none());
            let branches = match said.branches(&detail.branches)? {
                none if none.is_empty() => open.map(|branch| branch.id).collect(),
                some => some,
            };
            let new = CreateAgreement { id: app.new_id(), terms, branches };
            let agreement = app.create_agreement(*entity, new, None).await.map_err(told)?;
            writeln!(io::stdout(), "{} is added", agreement.id)?;
        }
        AgreementCommand::Change { id, terms: said, .. } => {
            let there = detail.agreements.iter().find(|agreement| agreement.id == *id);
            let there = there.ok_or_else(|| anyhow::anyhow!("the entity has no agreement {id}"))?.clone();
            let branches = match said.branches(&detail.branches)? {
                none if none.is_empty() => there.branches,
                some => some,
            };
            let change = ChangeAgreement { terms: said.over(there.terms), branches };
            app.change_agreement(*id, change, None).await.map_err(told)?;
            writeln!(io::stdout(), "{id} is changed, from the next statement on")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_agreements(detail: &AdminEntityDetail) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<36}  {:<10}  {:<10}  {:<8}  name · branches",
        "id", "first day", "last day", "tariffs"
    )?;
    for AdminAgreement { id, terms, branches } in &detail.agreements {
        let code = |id: &Uuid| {
            detail.branches.iter().find(|branch| branch.id == *id).map(|branch| branch.code.as_str())
        };
        let codes: Vec<&str> = branches.iter().filter_map(code).collect();
        let tariffs: Vec<&str> = terms.tariffs.iter().map(|tariff| tariff.code()).collect();
        let (first, last) = (terms.first_day, terms.last_day);
        writeln!(
            out,
            "{id}  {first}  {last}  {:<8}  {} · {}",
            tariffs.join(","),
            terms.name,
            codes.join(", ")
        )?;
    }
    Ok(())
}

pub(super) async fn import(command: &ImportCommand, holds: &Effective) -> anyhow::Result<ExitCode> {
    let app = open(holds).await?;
    let unknown = |id: &Uuid| anyhow::anyhow!("there is no import {id}, or nothing of it was rejected");
    let mut out = io::stdout().lock();
    match command {
        ImportCommand::List(_) => {
            let head = ("id", "state", "began", "lines", "rejected");
            writeln!(
                out,
                "{:<36}  {:<9}  {:<20}  {:>9}  {:>9}  file",
                head.0, head.1, head.2, head.3, head.4
            )?;
            for job in app.import_jobs(None, PAGE_MAX).await? {
                let file = job.file_name.as_deref().unwrap_or("-");
                let (state, began) = (job.state.code(), job.began_at);
                writeln!(
                    out,
                    "{}  {state:<9}  {began:.0}  {:>9}  {:>9}  {file}",
                    job.id, job.lines, job.rejected
                )?;
            }
        }
        ImportCommand::Cancel { id, .. } => {
            let job = app.cancel_import(*id, None).await?.ok_or_else(|| unknown(id))?;
            let said = if job.state.is_final() { "had ended" } else { "is asked to stop" };
            writeln!(out, "{id} {said}: {}", job.state)?;
        }
        ImportCommand::Rejected { id, .. } => {
            out.write_all(&app.rejected_lines(*id).await?.ok_or_else(|| unknown(id))?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn usage(args: &UsageArgs, holds: &Effective) -> anyhow::Result<ExitCode> {
    let usage = open(holds).await?.usage_by_entity(args.from, args.to).await.map_err(told)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{:>9}  {:>9}  {:>9}  {:>9}  entity · branch", "lookups", "uses", "voided", "people")?;
    for item in usage.items {
        let entity = item.entity.name;
        let branches =
            item.branches.iter().map(|one| (one.counts, format!("{entity} · {}", one.branch.code)));
        for (counts, name) in std::iter::once((item.total, entity.clone())).chain(branches) {
            let (lookups, uses) = (counts.lookups, counts.uses);
            writeln!(out, "{lookups:>9}  {uses:>9}  {:>9}  {:>9}  {name}", counts.voided, counts.people)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
