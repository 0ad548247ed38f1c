//! The log: a file a day in the data folder, fourteen kept, and standard error while developing.
//!
//! What is logged: ids, counts, codes. Never a document, a name or a token; `tests/` scans for them.

use std::path::Path;

use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Files kept, one a day.
const FILES_MAX: usize = 14;

/// Begins logging into `data_dir`.
///
/// # Errors
/// When the folder cannot be written.
pub fn begin(data_dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let file = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("hanna")
        .filename_suffix("log")
        .max_log_files(FILES_MAX)
        .build(data_dir.join("logs"))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,hanna=info"));
    tracing_subscriber::registry()
        .with(filter)
        .with(fmt::layer().with_ansi(false).with_writer(file))
        .with(cfg!(debug_assertions).then(|| fmt::layer().with_writer(std::io::stderr)))
        .try_init()?;
    Ok(())
}
