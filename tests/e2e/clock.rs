//! The system's clock as programs see it, set by the test: libfaketime, preloaded into the programs as they are built.
//! The monotonic clock, by which programs wait, goes on as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use hanna_desk::ports::{Clock, System};
use jiff::{SignedDuration, Timestamp};

/// The clock of one machine.
pub struct PcClock {
    file: PathBuf,
    /// How far it is from the real time.
    offset: SignedDuration,
}

impl PcClock {
    /// A clock that shows `start` now and goes on; it stands in `file`.
    pub fn at(start: Timestamp, file: &Path) -> Self {
        let mut clock = Self { file: file.to_owned(), offset: SignedDuration::ZERO };
        clock.advance(start.duration_since(System.now()));
        clock
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        System.now() + self.offset
    }

    /// Moves it, forward or back, for every program that runs by it.
    pub fn advance(&mut self, by: SignedDuration) {
        self.offset += by;
        // A whole file at every moment.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{:+}\n", self.offset.as_secs())).expect("written");
        std::fs::rename(&new, &self.file).expect("set");
    }

    /// What makes a program run by it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let library = Command::new("faketime")
            .args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"])
            .output()
            .expect("faketime is installed (Debian: faketime)");
        let library = String::from_utf8(library.stdout).expect("a path").trim().to_owned();
        assert!(library.contains("faketime"), "faketime names no library");
        let file = self.file.to_str().expect("UTF-8").to_owned();
        [
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}
