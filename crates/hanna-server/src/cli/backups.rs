//! The subcommands `backup` and `restore`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use super::settings::Effective;
use super::{at_the_terminal, make_private_dir};
use crate::backup;
use crate::clock::{Clock, SystemClock, SystemEntropy};

pub fn back_up(file: &Path, holds: &Effective) -> anyhow::Result<ExitCode> {
    backup::back_up(&holds.database(), file)?;
    writeln!(io::stdout(), "{} is a backup of {}", file.display(), holds.database())?;
    Ok(ExitCode::SUCCESS)
}

pub fn restore(file: &Path, force: bool, holds: &Effective) -> anyhow::Result<ExitCode> {
    make_private_dir(holds)?;
    let restored = backup::restore(
        file,
        &holds.database(),
        force,
        &SystemEntropy,
        &at_the_terminal(),
        SystemClock.now(),
    )?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} is {} again, in a new epoch", holds.database(), file.display())?;
    if let Some(aside) = restored.set_aside {
        writeln!(out, "what was there is set aside as {}", aside.display())?;
        match restored.keys_brought {
            Some(count) => writeln!(out, "keys brought along from it: {count}")?,
            None => writeln!(out, "its keys could not be read: statements signed with newer keys are lost")?,
        }
    }
    writeln!(out, "revoke again what was revoked since the backup (device list)")?;
    Ok(ExitCode::SUCCESS)
}
