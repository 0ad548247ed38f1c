//! What happens in a run, as data: made from the seed alone, so that any part of it can be replayed.

use std::fmt;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::faults::{Fault, Strikes};

/// How many people are looked up.
pub const PEOPLE: usize = 6;
/// Those of them whose status the caja changes.
pub const CHANGING: usize = 3;
/// How many exchanges of a step can meet a fault.
const EXCHANGES: usize = 4;
const STEPS: std::ops::Range<usize> = 30..70;
const DESKS: std::ops::RangeInclusive<usize> = 2..=4;
const HOUR_S: i64 = 60 * 60;
/// How wrong a desk's clock is after it was moved; nought is right again.
const CLOCK_JUMPS_S: [i64; 8] =
    [24 * HOUR_S, -24 * HOUR_S, 24 * HOUR_S, -24 * HOUR_S, 6 * HOUR_S, -6 * HOUR_S, -HOUR_S, 0];

/// A whole run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub desks: usize,
    pub steps: Vec<Step>,
}

/// One step, and what the exchanges it makes meet, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub action: Action,
    pub faults: Vec<Option<Met>>,
}

/// A fault with its extent: seconds, or hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    pub fault: Fault,
    pub extent: u32,
}

/// What somebody does, or what befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Ask { desk: usize, person: usize },
    Report { desk: usize, second_key: bool },
    AskAtBoth { desks: (usize, usize), person: usize },
    Deliver { desk: usize },
    Work { desk: usize, seconds: u32 },
    Retry { desk: usize },
    TakeBack { desk: usize, nth: usize },
    Withdraw { desk: usize },
    Refresh { desk: usize },
    Lock { desk: usize },
    Unlock { desk: usize, right: bool },
    History { desk: usize },
    Reopen { desk: usize },
    SignOut { desk: usize },
    SignIn { desk: usize, operator: usize },
    Pass { seconds: u32 },
    StatusChanges { person: usize, active: bool },
    BackUp,
    Befalls { fault: Fault, desk: usize, extent: i64 },
}

impl Plan {
    /// The run of `seed`.
    pub fn of(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let desks = chance.random_range(DESKS);
        let weight = [0.3, 1.0, 2.0][chance.random_range(0..3)];
        let count = chance.random_range(STEPS);
        let mut steps = Vec::with_capacity(count);
        while steps.len() < count {
            if let Some(fault) = Fault::drawn(Strikes::Between, chance.random(), weight) {
                let extent = extent_between(fault, &mut chance);
                let desk = chance.random_range(0..desks);
                steps.push(Step { action: Action::Befalls { fault, desk, extent }, faults: Vec::new() });
            }
            let action = action(desks, &mut chance);
            let asked = if let Action::Ask { desk, .. } = action { Some(desk) } else { None };
            steps.push(Step { action, faults: exchanges(weight, &mut chance) });
            if let Some(desk) = asked.filter(|_| chance.random_bool(0.6)) {
                let action = Action::Report { desk, second_key: chance.random_bool(0.5) };
                steps.push(Step { action, faults: Vec::new() });
                if chance.random_bool(0.15) {
                    // At once, or after it was sent.
                    if chance.random_bool(0.5) {
                        steps.push(Step {
                            action: Action::Deliver { desk },
                            faults: exchanges(weight, &mut chance),
                        });
                    }
                    steps.push(Step { action: Action::TakeBack { desk, nth: 0 }, faults: Vec::new() });
                }
            }
        }
        Self { seed, desks, steps }
    }
}

fn exchanges(weight: f64, chance: &mut StdRng) -> Vec<Option<Met>> {
    let mut one = || {
        let fault = Fault::drawn(Strikes::Exchange, chance.random(), weight)?;
        Some(Met { fault, extent: chance.random_range(1..=40) })
    };
    (0..EXCHANGES).map(|_| one()).collect()
}

fn action(desks: usize, chance: &mut StdRng) -> Action {
    let desk = chance.random_range(0..desks);
    // Mostly those who may use the benefit: most people at a front desk may.
    let person = if chance.random_bool(0.7) {
        chance.random_range(0..CHANGING)
    } else {
        chance.random_range(0..PEOPLE)
    };
    match chance.random_range(0..100) {
        0..34 => Action::Ask { desk, person },
        34..41 => Action::Report { desk, second_key: chance.random_bool(0.5) },
        41..47 => Action::TakeBack { desk, nth: chance.random_range(0..3) },
        47..51 => {
            let other = (desk + chance.random_range(1..desks)) % desks;
            Action::AskAtBoth { desks: (desk, other), person }
        }
        51..61 => Action::Deliver { desk },
        61..66 => Action::Work { desk, seconds: chance.random_range(1..90) },
        66..68 => Action::Retry { desk },
        68..71 => Action::Withdraw { desk },
        71..73 => Action::History { desk },
        73..76 => Action::Refresh { desk },
        76..78 => Action::Reopen { desk },
        78..79 => Action::SignOut { desk },
        79..82 => Action::SignIn { desk, operator: chance.random_range(0..2) },
        82..84 => Action::Lock { desk },
        84..86 => Action::Unlock { desk, right: chance.random_bool(0.7) },
        86..93 => Action::Pass { seconds: seconds(chance) },
        93..98 => {
            let person = chance.random_range(0..CHANGING);
            Action::StatusChanges { person, active: chance.random_bool(0.7) }
        }
        _ => Action::BackUp,
    }
}

/// Seconds, minutes, hours or more than a day.
fn seconds(chance: &mut StdRng) -> u32 {
    match chance.random_range(0..4) {
        0 => chance.random_range(1..60),
        1 => chance.random_range(60..3_600),
        2 => chance.random_range(3_600..12 * 3_600),
        _ => chance.random_range(12 * 3_600..30 * 3_600),
    }
}

fn extent_between(fault: Fault, chance: &mut StdRng) -> i64 {
    match fault {
        Fault::ClockJumped => CLOCK_JUMPS_S[chance.random_range(0..CLOCK_JUMPS_S.len())],
        Fault::ServerDown | Fault::DiskFull => i64::from(seconds(chance)) / 2,
        _ => 0,
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.action)?;
        for (place, met) in self.faults.iter().enumerate() {
            if let Some(met) = met {
                write!(f, "; exchange {}: {} ({})", place + 1, met.fault, met.extent)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Ask { desk, person } => write!(f, "desk {desk} looks person {person} up"),
            Self::Report { desk, second_key: false } => write!(f, "desk {desk} reports the use"),
            Self::Report { desk, second_key: true } => {
                write!(f, "desk {desk} reports the use, twice if asked")
            }
            Self::AskAtBoth { desks: (one, other), person } => {
                write!(f, "desks {one} and {other} look person {person} up and report")
            }
            Self::Deliver { desk } => write!(f, "desk {desk} sends now"),
            Self::Work { desk, seconds } => write!(f, "desk {desk} works by itself for {seconds} s"),
            Self::Retry { desk } => write!(f, "desk {desk} tries again what requires attention"),
            Self::TakeBack { desk, nth } => write!(f, "desk {desk} takes a use back ({nth} before its last)"),
            Self::Withdraw { desk } => write!(f, "desk {desk} gives up what requires attention"),
            Self::Refresh { desk } => write!(f, "desk {desk} has its regulars verified again"),
            Self::Lock { desk } => write!(f, "desk {desk} is locked"),
            Self::Unlock { desk, right: true } => write!(f, "desk {desk} is unlocked"),
            Self::Unlock { desk, right: false } => write!(f, "somebody tries to unlock desk {desk}"),
            Self::History { desk } => write!(f, "desk {desk} makes the report"),
            Self::Reopen { desk } => write!(f, "desk {desk} is closed and opened"),
            Self::SignOut { desk } => write!(f, "desk {desk} signs out"),
            Self::SignIn { desk, operator } => write!(f, "operator {operator} signs in at desk {desk}"),
            Self::Pass { seconds } => write!(f, "{seconds} s pass"),
            Self::StatusChanges { person, active: true } => write!(f, "person {person} becomes active"),
            Self::StatusChanges { person, active: false } => write!(f, "person {person} becomes inactive"),
            Self::BackUp => f.write_str("the server's database is copied"),
            Self::Befalls { fault, desk, extent } => write!(f, "{fault} (desk {desk}, {extent})"),
        }
    }
}
