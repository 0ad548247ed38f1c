//! The program `hanna-server`: its subcommands.

mod accounts;
mod backups;
mod data;
mod operations;
mod requests;
mod serve;
mod settings;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use uuid::Uuid;

use self::requests::{RequestApproveArgs, RequestArgs, RequestCommand, RequestListArgs, RequestRejectArgs};
use self::settings::{Effective, LogFormat, Settings};
use crate::app::App;
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
    /// Serve the API. Prints `listening on http://ADDRESS:PORT` as its first line.
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
enum ConfigCommand {
    /// Say whether the configuration is understood; nothing is opened.
    Check(Place),
    /// Print what holds, as a configuration file, without secrets.
    Print(Place),
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
            | Self::Backup(BackupArgs { place, .. })
            | Self::Restore(RestoreArgs { place, .. })
            | Self::Account(
                AccountCommand::List(AccountListArgs { place, .. })
                | AccountCommand::Approve(AccountArgs { place, .. })
                | AccountCommand::Reject(AccountRejectArgs { place, .. }),
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
            | Self::Keys(KeysCommand::Rotate(place) | KeysCommand::List(place))
            | Self::Epoch(EpochCommand::Renew(place))
            | Self::Config(ConfigCommand::Check(place) | ConfigCommand::Print(place)) => Some(place),
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
        Command::Account(AccountCommand::List(args)) => accounts::list(args.all, holds).await,
        Command::Account(AccountCommand::Approve(args)) => accounts::approve(args.id, holds).await,
        Command::Account(AccountCommand::Reject(args)) => {
            accounts::reject(args.id, &args.reason, holds).await
        }
        Command::Request(command) => requests::obey(command, holds).await,
        Command::Device(DeviceCommand::List(_)) => operations::list_devices(holds).await,
        Command::Device(DeviceCommand::Revoke(args)) => operations::revoke_device(args.id, holds).await,
        Command::Device(DeviceCommand::Restore(args)) => operations::restore_device(args.id, holds).await,
        Command::Keys(KeysCommand::Rotate(_)) => operations::rotate_keys(holds).await,
        Command::Keys(KeysCommand::List(_)) => operations::list_keys(holds).await,
        Command::Epoch(EpochCommand::Renew(_)) => operations::renew_epoch(holds).await,
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

async fn open(holds: &Effective) -> anyhow::Result<App> {
    make_private_dir(holds)?;
    Ok(App::open(holds.config(), Arc::new(SystemClock), Arc::new(SystemEntropy)).await?)
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
