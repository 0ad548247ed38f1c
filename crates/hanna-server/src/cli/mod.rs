//! The program `hanna-server`: its subcommands.

mod data;
mod operations;
mod serve;

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use uuid::Uuid;

use crate::app::{App, Config, Database};
use crate::clock::{SystemClock, SystemEntropy};
use crate::demo;
use crate::openapi;

/// The reference backend of Hanna Convenios.
#[derive(Debug, Parser)]
#[command(name = "hanna-server", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How the log on standard error is written. It never holds personal data.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: a level, or directives such as `info,hanna_server=debug`.
    #[arg(long, global = true, value_name = "FILTER", default_value = "info")]
    log: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API. Prints `listening on http://ADDRESS:PORT` as its first line.
    Serve(ServeArgs),
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
    /// The PCs that signed in.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// The keys that sign statements.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The epoch of the data, by which desks notice that the server lost something.
    #[command(subcommand)]
    Epoch(EpochCommand),
    /// Print the OpenAPI document.
    Openapi,
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

/// Where the data are.
#[derive(Debug, Args)]
struct Place {
    /// The directory of the server's data; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "hanna-data")]
    data_dir: PathBuf,
    /// The database, as `sqlite:PATH`, the only kind there is for now [default: `sqlite:DATA_DIR/hanna.sqlite`]
    #[arg(long, value_name = "sqlite:PATH")]
    database: Option<Database>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8740")]
    listen: SocketAddr,
    #[command(flatten)]
    place: Place,
    /// Serve plain HTTP on an address that others can reach. Only behind a proxy that speaks TLS.
    #[arg(long)]
    allow_plain_http: bool,
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

/// Runs the program.
///
/// # Errors
/// Whatever stopped it, ready to print.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    start_log(cli)?;
    if let Command::Openapi = cli.command {
        std::io::stdout().write_all(openapi::document()?.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &cli.command {
            Command::Serve(args) => serve::serve(args).await,
            Command::Migrate(place) => data::migrate(place).await,
            Command::SeedDemo(args) => data::seed_demo(args).await,
            Command::ImportAffiliates(args) => data::import_affiliates(args).await,
            Command::ImportOutbox(args) => data::import_outbox(args).await,
            Command::Device(DeviceCommand::List(place)) => operations::list_devices(place).await,
            Command::Device(DeviceCommand::Revoke(args)) => operations::revoke_device(args).await,
            Command::Device(DeviceCommand::Restore(args)) => operations::restore_device(args).await,
            Command::Keys(KeysCommand::Rotate(place)) => operations::rotate_keys(place).await,
            Command::Keys(KeysCommand::List(place)) => operations::list_keys(place).await,
            Command::Epoch(EpochCommand::Renew(place)) => operations::renew_epoch(place).await,
            Command::Openapi => Ok(ExitCode::SUCCESS),
        }
    })
}

/// Logs go to standard error: standard output is for what was asked.
fn start_log(cli: &Cli) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&cli.log)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match cli.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}

async fn open(place: &Place) -> anyhow::Result<App> {
    make_private_dir(place)?;
    let database =
        place.database.clone().unwrap_or_else(|| Database::Sqlite(place.data_dir.join("hanna.sqlite")));
    let app = App::open(Config::new(database), Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    Ok(app)
}

/// The directory is its owner's alone: it will hold people's data.
fn make_private_dir(place: &Place) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&place.data_dir).map_err(|error| {
        anyhow::anyhow!("the data directory {} cannot be made: {error}", place.data_dir.display())
    })
}
