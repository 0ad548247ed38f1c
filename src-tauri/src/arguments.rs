//! What the program is started with.

use std::path::PathBuf;

use clap::Parser;

/// Front-desk check of caja affiliates.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Arguments {
    /// The server's address; plain http only on this machine.
    #[arg(long, env = "HANNA_SERVER", default_value = "http://127.0.0.1:8740")]
    pub server: String,
    /// The folder of the local databases and logs; the system's own place for them when left out.
    #[arg(long, env = "HANNA_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}
