//! The program `hanna-server`: its subcommands.

mod accounts;
mod audit;
mod backups;
mod businesses;
mod data;
mod operations;
mod requests;
mod retention;
mod serve;
mod settings;
mod users;
mod verification;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use hanna_domain::Document;
use hanna_wire::admin::people::AdminUserStanding;
use hanna_wire::limits::PURPOSE_MAX;
use jiff::civil::Date;
use uuid::Uuid;

use self::businesses::{AgreementCommand, BranchCommand, EntityCommand, ImportCommand, UsageArgs};
use self::requests::{RequestApproveArgs, RequestArgs, RequestCommand, RequestListArgs, RequestRejectArgs};
use self::settings::{Effective, LogFormat, Settings};
use self::verification::VerifyArgs;
use crate::app::{App, Config, Database};
use crate::audit::{Actor, Anchor};
use crate::clock::{SystemClock, SystemEntropy};
use crate::demo;
use crate::openapi;

/// The reference backend of Hanna Convenios.
#[derive(Debug, Parser)]
#[command(name = "hanna-server", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The variable of the environment that names the configuration file.
const CONFIG_VARIABLE: &str = "HANNA_SERVER_CONFIG";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API. Prints `listening on http://ADDRESS:PORT` as its first line, or `https://` with TLS.
    Serve(Place),
    /// Bring the database to this program's schema, and make the signing key if there is none.
    Migrate(Place),
    /// Fill an empty database with invented businesses, accounts and affiliates, and print who can sign in.
    SeedDemo(SeedDemoArgs),
    /// Add or update affiliates from a CSV file (UTF-8 or Latin-1, `;` or `,`): all of it or nothing.
    #[command(
        after_help = "Columns, in any order: tipo_documento, documento, primer_apellido, segundo_apellido, \
        primer_nombre, segundo_nombre, estado, tarifa, tipo_afiliado, nit_empresa, empresa, estado_empresa. \
        If any line is bad nothing changes, the first 200 are listed, and the exit code is 1."
    )]
    ImportAffiliates(ImportArgs),
    /// Take in what a desk exported because it could not deliver it.
    #[command(
        after_help = "Each item is judged as if the desk had delivered it. Importing the file again, or the desk delivering after \
        all, changes nothing. A file that was cut, changed, or sealed for another caja is refused as a whole, with exit code 1. \
        May run beside the server."
    )]
    ImportOutbox(ImportOutboxArgs),
    /// The people who created an account, and what the caja decides about them.
    #[command(subcommand)]
    Account(AccountCommand),
    /// The businesses in agreement.
    #[command(subcommand)]
    Entity(EntityCommand),
    /// The sites of an entity.
    #[command(subcommand)]
    Branch(BranchCommand),
    /// What entities and the caja agreed on.
    #[command(subcommand)]
    Agreement(AgreementCommand),
    /// The imports of affiliates, from here and from the console; `import-affiliates` begins one.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print lookups and uses of some Colombian days, by entity and branch.
    Usage(UsageArgs),
    /// The applications that entities ask for, and what the caja decides about them.
    #[command(subcommand)]
    Request(RequestCommand),
    /// The PCs that signed in.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// The keys that sign statements.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The epoch of the data, by which desks notice that the server lost something.
    #[command(subcommand)]
    Epoch(EpochCommand),
    /// The record of every act: whether it is whole, who looked a person up, everything there is about a person.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Whether a receipt or a report is genuine.
    Verify(VerifyArgs),
    /// Remove what is older than records are kept: lookups, uses, and the acts of the audit about them.
    #[command(
        after_help = "A server that serves does so by itself, once a day. What is removed is on record, with who removed it, and the \
        rest of the audit stays verifiable. It stops before anything that is not as it was sealed. Backups still hold what is \
        removed here."
    )]
    Purge(PurgeArgs),
    /// Copy the database into a new file, also while a server serves.
    #[command(
        after_help = "The copy is one state of the database, checked before it gets its name. It holds people's data and the \
        keys that sign: keep it as safe as the server."
    )]
    Backup(BackupArgs),
    /// Put a backup in the place of the database. The server must not run.
    #[command(
        after_help = "Begins another epoch, so that desks offer again what they had delivered since the backup. With --force \
        a database that is there is set aside, never deleted, and the keys that sign and verify are brought along from it. \
        Without it, rotated keys are lost: what desks recorded on statements of theirs is refused."
    )]
    Restore(RestoreArgs),
    /// The configuration: a file, the environment, and flags.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Read everything again, and say what was changed, removed or slipped in, and how much is not sealed yet.
    #[command(
        after_help = "The exit code is 1 when anything is not as it was sealed. May run beside the server, and on a backup. \
        The database alone cannot tell that everything since some moment is gone, or that somebody with its keys wrote another \
        chain: keep the last block it prints somewhere else, and give it as --anchor the next time."
    )]
    Verify(AuditVerifyArgs),
    /// Say who looked a person up (¿quién consultó mis datos?). Is on record itself.
    Search(AuditSearchArgs),
    /// Print everything there is about a person as JSON. Is on record itself.
    Export(AuditPersonArgs),
}

#[derive(Debug, Args)]
struct AuditVerifyArgs {
    /// A block that must be in the chain, as `audit verify` and the log print it.
    #[arg(long, value_name = "NUMBER:HASH")]
    anchor: Option<Anchor>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct AuditSearchArgs {
    /// Whose, as CC:1045678901.
    #[arg(long, value_name = "KIND:NUMBER", value_parser = audit::document)]
    document: Document,
    /// Why, as it is recorded [default: the person asked].
    #[arg(long, value_parser = purpose)]
    purpose: Option<String>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct AuditPersonArgs {
    /// Whose, as CC:1045678901.
    #[arg(long, value_name = "KIND:NUMBER", value_parser = audit::document)]
    document: Document,
    /// Why, as it is recorded.
    #[arg(long, value_parser = purpose)]
    purpose: String,
    #[command(flatten)]
    place: Place,
}

/// A purpose, as long as those of lookups may be.
fn purpose(text: &str) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if (1..=PURPOSE_MAX).contains(&length) {
        Ok(text.to_owned())
    } else {
        Err(format!("se esperan entre 1 y {PURPOSE_MAX} caracteres"))
    }
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration is understood; nothing is opened.
    Check(Place),
    /// Print what holds, as a configuration file, without secrets.
    Print(Place),
}

#[derive(Debug, Args)]
struct PurgeArgs {
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// Remove what is of before this Colombian day, which must be one of those that are kept no more [default: all of them].
    #[arg(long, value_name = "YYYY-MM-DD")]
    before: Option<Date>,
    /// Go on where something is not as it was sealed; how much is recorded.
    #[arg(long)]
    despite_findings: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct BackupArgs {
    /// The file to make. It must not exist.
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// List the registrations that wait for a decision, the oldest first.
    List(AccountListArgs),
    /// Approve a registration: its account may be used. Mailed by the server that serves.
    #[command(
        after_help = "The first account of an entity administers it. The entity is made if there is none of its NIT."
    )]
    Approve(AccountArgs),
    /// Reject a registration. Mailed with its reason by the server that serves.
    Reject(AccountRejectArgs),
    /// List every account, of the caja and of entities, by user name.
    Users(Place),
    /// Make an account of the caja, and print a code that serves once to set its password.
    #[command(
        after_help = "The person opens the console at /admin, chooses to recover the password, and gives the user name and the \
        code, which is good for half an hour. The first time they sign in they set up their second factor."
    )]
    CreateCaja(CreateCajaArgs),
    /// Print a code that serves once to set the password of an account, where mail does not arrive.
    PasswordCode(UsernameArgs),
    /// Make the password of an account worth nothing. How to set another is mailed by the server that serves.
    PasswordReset(UsernameArgs),
    /// Take the second factor of an account of the caja away, for who has lost the telephone and the recovery codes.
    #[command(
        after_help = "Its sessions end; whoever signs in next with its password sets up another second factor."
    )]
    SecondFactorReset(UsernameArgs),
    /// Suspend an account: its sessions end, and nobody signs in with it.
    Suspend(UsernameArgs),
    /// Let an account be used again.
    Restore(UsernameArgs),
}

#[derive(Debug, Args)]
struct CreateCajaArgs {
    /// The user name: an e-mail address.
    #[arg(long, value_name = "EMAIL")]
    username: String,
    /// The person's name.
    #[arg(long, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct UsernameArgs {
    /// The user name.
    #[arg(long, value_name = "EMAIL")]
    username: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct AccountListArgs {
    /// Also those that are not confirmed, and those that are decided.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct RestoreArgs {
    /// A file that `backup` made.
    file: PathBuf,
    /// Set a database aside that is there already.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct AccountArgs {
    /// The registration, as `account list` names it.
    id: Uuid,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct AccountRejectArgs {
    /// The registration, as `account list` names it.
    id: Uuid,
    /// Why, in Spanish: the person is mailed these words.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum DeviceCommand {
    /// List the PCs with their last contact and the last sequence number they delivered, the last contact first.
    List(Place),
    /// Trust a PC no more, from now on.
    #[command(
        after_help = "The PC is answered DEVICE_REVOKED, forgets its copies, and nobody signs in there any more. What it \
        recorded before it may still deliver."
    )]
    Revoke(DeviceArgs),
    /// Trust a PC again.
    Restore(DeviceArgs),
}

#[derive(Debug, Args)]
struct DeviceArgs {
    /// The PC, as `device list` names it.
    id: Uuid,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key that signs from now on, and list them all. The old ones go on verifying.
    #[command(
        after_help = "A server that runs takes the new key up within a minute; desks fetch it when they first meet it. \
        Statements signed before hold until they expire."
    )]
    Rotate(Place),
    /// List the keys, the newest first.
    List(Place),
    /// Bring along the keys of the database that was there before a backup was put in its place.
    #[command(
        after_help = "What desks recorded on statements signed with a key that is not in the backup is refused without it. \
        `restore` does this by itself for embedded databases."
    )]
    Bring(KeysBringArgs),
}

#[derive(Debug, Args)]
struct KeysBringArgs {
    /// The PostgreSQL that was there (`postgres://…`). Nothing is changed in it.
    #[arg(long, value_name = "DATABASE")]
    from: Database,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum EpochCommand {
    /// Begin another epoch. Run it after the database was restored from a backup, before the server serves again.
    #[command(
        after_help = "Every batch of a desk is answered with the epoch. When it is another one than before, desks offer \
        again what the server had accepted lately, under the same ids: what the backup still has is recognised, what it \
        lacks is taken in again."
    )]
    Renew(Place),
}

/// Where the configuration is, and what of it is said here.
#[derive(Debug, Args)]
struct Place {
    /// A TOML file with settings. What is said in flags or the environment goes before it.
    #[arg(long, env = CONFIG_VARIABLE, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl Place {
    /// What holds.
    ///
    /// # Errors
    /// When the file or a variable is not understood.
    fn effective(&self) -> anyhow::Result<Effective> {
        settings::refuse_unknown_variables(
            std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()),
        )?;
        let file = self.config.as_deref().map(settings::from_file).transpose()?;
        let holds = self.settings.clone().or(file.unwrap_or_default()).effective();
        holds.check()?;
        Ok(holds)
    }
}

#[derive(Debug, Args)]
struct SeedDemoArgs {
    #[command(flatten)]
    place: Place,
    /// The same seed makes the same people.
    #[arg(long, default_value_t = demo::SEED)]
    seed: u64,
    /// How many affiliates.
    #[arg(long, value_name = "COUNT", default_value_t = demo::AFFILIATES,
        value_parser = clap::value_parser!(u32).range(i64::from(demo::FEWEST)..=2_000_000))]
    affiliates: u32,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The CSV file.
    file: PathBuf,
    /// Remove whoever is not in the file.
    #[arg(long)]
    replace: bool,
    /// Do everything, count, and take it back.
    #[arg(long)]
    dry_run: bool,
    /// Write every line that is wrong to this file, which is made anew: `linea;columna;motivo`.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct ImportOutboxArgs {
    /// The file that the desk wrote.
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl Command {
    /// Where the configuration is; `openapi` needs none.
    const fn place(&self) -> Option<&Place> {
        match self {
            Self::Serve(place)
            | Self::Migrate(place)
            | Self::SeedDemo(SeedDemoArgs { place, .. })
            | Self::ImportAffiliates(ImportArgs { place, .. })
            | Self::ImportOutbox(ImportOutboxArgs { place, .. })
            | Self::Purge(PurgeArgs { place, .. })
            | Self::Backup(BackupArgs { place, .. })
            | Self::Restore(RestoreArgs { place, .. })
            | Self::Account(
                AccountCommand::List(AccountListArgs { place, .. })
                | AccountCommand::Approve(AccountArgs { place, .. })
                | AccountCommand::Reject(AccountRejectArgs { place, .. })
                | AccountCommand::Users(place)
                | AccountCommand::CreateCaja(CreateCajaArgs { place, .. })
                | AccountCommand::PasswordCode(UsernameArgs { place, .. })
                | AccountCommand::PasswordReset(UsernameArgs { place, .. })
                | AccountCommand::SecondFactorReset(UsernameArgs { place, .. })
                | AccountCommand::Suspend(UsernameArgs { place, .. })
                | AccountCommand::Restore(UsernameArgs { place, .. }),
            )
            | Self::Request(
                RequestCommand::List(RequestListArgs { place, .. })
                | RequestCommand::Review(RequestArgs { place, .. })
                | RequestCommand::Approve(RequestApproveArgs { place, .. })
                | RequestCommand::Reject(RequestRejectArgs { place, .. }),
            )
            | Self::Device(
                DeviceCommand::List(place)
                | DeviceCommand::Revoke(DeviceArgs { place, .. })
                | DeviceCommand::Restore(DeviceArgs { place, .. }),
            )
            | Self::Keys(
                KeysCommand::Rotate(place)
                | KeysCommand::List(place)
                | KeysCommand::Bring(KeysBringArgs { place, .. }),
            )
            | Self::Epoch(EpochCommand::Renew(place))
            | Self::Audit(
                AuditCommand::Verify(AuditVerifyArgs { place, .. })
                | AuditCommand::Search(AuditSearchArgs { place, .. })
                | AuditCommand::Export(AuditPersonArgs { place, .. }),
            )
            | Self::Config(ConfigCommand::Check(place) | ConfigCommand::Print(place)) => Some(place),
            Self::Entity(command) => Some(command.place()),
            Self::Branch(command) => Some(command.place()),
            Self::Agreement(command) => Some(command.place()),
            Self::Import(command) => Some(command.place()),
            Self::Usage(args) => Some(&args.place),
            Self::Verify(args) => Some(&args.place),
            Self::Openapi => None,
        }
    }
}

/// Runs the program.
///
/// # Errors
/// Whatever stopped it, ready to print.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let holds = match cli.command.place() {
        Some(place) => place.effective()?,
        None => Settings::default().effective(),
    };
    start_log(&holds)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(obey(&cli.command, &holds))
}

async fn obey(command: &Command, holds: &Effective) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(_) => serve::serve(holds).await,
        Command::Migrate(_) => data::migrate(holds).await,
        Command::SeedDemo(args) => data::seed_demo(args, holds).await,
        Command::ImportAffiliates(args) => data::import_affiliates(args, holds).await,
        Command::ImportOutbox(args) => data::import_outbox(args, holds).await,
        Command::Account(command) => account(command, holds).await,
        Command::Entity(command) => businesses::entity(command, holds).await,
        Command::Branch(command) => businesses::branch(command, holds).await,
        Command::Agreement(command) => businesses::agreement(command, holds).await,
        Command::Import(command) => businesses::import(command, holds).await,
        Command::Usage(args) => businesses::usage(args, holds).await,
        Command::Verify(args) => verification::verify(args, holds).await,
        Command::Request(command) => requests::obey(command, holds).await,
        Command::Device(DeviceCommand::List(_)) => operations::list_devices(holds).await,
        Command::Device(DeviceCommand::Revoke(args)) => operations::revoke_device(args.id, holds).await,
        Command::Device(DeviceCommand::Restore(args)) => operations::restore_device(args.id, holds).await,
        Command::Keys(KeysCommand::Rotate(_)) => operations::rotate_keys(holds).await,
        Command::Keys(KeysCommand::List(_)) => operations::list_keys(holds).await,
        Command::Keys(KeysCommand::Bring(args)) => operations::bring_keys(&args.from, holds).await,
        Command::Epoch(EpochCommand::Renew(_)) => operations::renew_epoch(holds).await,
        Command::Audit(AuditCommand::Verify(args)) => audit::verify(args.anchor.clone(), holds).await,
        Command::Audit(AuditCommand::Search(args)) => audit::search(args, holds).await,
        Command::Audit(AuditCommand::Export(args)) => audit::export(args, holds).await,
        Command::Purge(args) => retention::purge(args, holds).await,
        Command::Backup(args) => backups::back_up(&args.file, holds),
        Command::Restore(args) => backups::restore(&args.file, args.force, holds),
        Command::Config(ConfigCommand::Check(_)) => {
            writeln!(std::io::stdout(), "La configuración se entiende.")?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Config(ConfigCommand::Print(_)) => {
            std::io::stdout().write_all(holds.toml()?.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Openapi => {
            std::io::stdout().write_all(openapi::document()?.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn account(command: &AccountCommand, holds: &Effective) -> anyhow::Result<ExitCode> {
    match command {
        AccountCommand::List(args) => accounts::list(args.all, holds).await,
        AccountCommand::Approve(args) => accounts::approve(args.id, holds).await,
        AccountCommand::Reject(args) => accounts::reject(args.id, &args.reason, holds).await,
        AccountCommand::Users(_) => users::list(holds).await,
        AccountCommand::CreateCaja(args) => users::create_caja(&args.username, &args.name, holds).await,
        AccountCommand::PasswordCode(args) => users::password_code(&args.username, holds).await,
        AccountCommand::PasswordReset(args) => users::reset_password(&args.username, holds).await,
        AccountCommand::SecondFactorReset(args) => users::reset_second_factor(&args.username, holds).await,
        AccountCommand::Suspend(args) => {
            users::set(&args.username, AdminUserStanding::Suspended, holds).await
        }
        AccountCommand::Restore(args) => users::set(&args.username, AdminUserStanding::Active, holds).await,
    }
}

/// Logs go to standard error: standard output is for what was asked.
fn start_log(holds: &Effective) -> anyhow::Result<()> {
    let mut filter = tracing_subscriber::EnvFilter::try_new(&holds.log).map_err(|_| {
        anyhow::anyhow!("el valor de «log» no sirve; se espera un nivel, como info, o directivas")
    })?;
    // Below this level the client of PostgreSQL writes down what it sends, which is people's data.
    for quiet in ["tokio_postgres=info", "tokio_postgres::query=info", "tokio_postgres::prepare=info"] {
        filter = filter.add_directive(quiet.parse()?);
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match holds.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}

/// Opens the database for somebody at the terminal.
async fn open(holds: &Effective) -> anyhow::Result<App> {
    open_for(holds, at_the_terminal()).await
}

/// Who types, as far as the system says. Whoever is root by `sudo` is who they were before.
fn at_the_terminal() -> Actor {
    let said =
        ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    Actor::Terminal(said.filter(|user| !user.is_empty()).unwrap_or_else(|| "?".to_owned()))
}

async fn open_for(holds: &Effective, run_by: Actor) -> anyhow::Result<App> {
    make_private_dir(holds)?;
    let config = Config { run_by, ..holds.config() };
    Ok(App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?)
}

/// The directory is its owner's alone: it will hold people's data.
fn make_private_dir(holds: &Effective) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&holds.data_dir).map_err(|error| {
        anyhow::anyhow!("the data directory {} cannot be made: {error}", holds.data_dir.display())
    })
}
