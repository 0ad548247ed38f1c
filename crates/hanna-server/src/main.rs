//! `hanna-server`: see [`hanna_server::cli`].

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use hanna_server::cli::{Cli, run};

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        // If standard error is closed, the exit code still tells.
        let _ = writeln!(std::io::stderr(), "hanna-server: {error:#}");
        ExitCode::FAILURE
    })
}
