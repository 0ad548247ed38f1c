//! Durations, in microseconds, and how they are told.

use std::fmt::Write as _;
use std::time::Duration;

/// What was measured, in the order of measuring.
#[derive(Debug, Default)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// Adds one duration.
    pub fn add(&mut self, duration: Duration) {
        self.0.push(duration.as_secs_f64() * 1e6);
    }

    /// The value below which the share `q` lies, in microseconds.
    pub fn quantile(&self, q: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a position in a list of thousands"
        )]
        let at = ((sorted.len().saturating_sub(1)) as f64 * q).round() as usize;
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Each of a few, in milliseconds.
    pub fn each_ms(&self) -> String {
        self.0.iter().map(|us| format!("{:.0}", us / 1e3)).collect::<Vec<_>>().join(", ")
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Outcome {
    pub what: &'static str,
    pub ours: Figures,
    pub reference: &'static str,
    /// The reference's median: the sum of its parts' medians where it has several.
    pub reference_median: f64,
    pub ratio_max: f64,
    /// In microseconds; none where only the ratio counts.
    pub p99_max: Option<f64>,
}

impl Outcome {
    fn ratio(&self) -> f64 {
        self.ours.median() / self.reference_median
    }

    /// Whether the goal is reached.
    pub fn is_met(&self) -> bool {
        self.ratio() <= self.ratio_max && self.p99_max.is_none_or(|max| self.ours.quantile(0.99) <= max)
    }
}

/// The desk's section of `docs/benchmarks.md`.
pub fn section(people: u32, outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "## The desk\n\n{people} people in the encrypted cache. Times in µs; the ratio is of medians, ours to the \
         reference's,\nboth measured in the same run, turn and turn about, each after two milliseconds in which other work was done, and with \
         their files in\nthe system's memory.\n\n\
         | what | median | p99 | reference | its median | ratio | goal | |\n|---|--:|--:|---|--:|--:|--:|---|\n"
    );
    for outcome in outcomes {
        let p99_goal = outcome.p99_max.map_or_else(String::new, |max| format!(", p99 ≤ {max:.0}"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {} | {:.1} | {:.2} | ≤ {:.1}{p99_goal} | {} |",
            outcome.what,
            outcome.ours.median(),
            outcome.ours.quantile(0.99),
            outcome.reference,
            outcome.reference_median,
            outcome.ratio(),
            outcome.ratio_max,
            if outcome.is_met() { "met" } else { "**missed**" },
        );
    }
    text
}
