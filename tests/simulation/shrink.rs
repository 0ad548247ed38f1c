//! The shortest story of a failure: the plan is run again and again with less in it.

use crate::plan::Plan;
use crate::sabotage::Bug;
use crate::world::{Outcome, run};

/// How often a plan is run at most to make it shorter.
const RUNS_MAX: usize = 150;

/// The shortest plan found that breaks the same law, and its run.
pub fn shortest(plan: &Plan, law: &str, bug: Option<Bug>) -> (Plan, Outcome) {
    let mut search = Search { law, bug, runs: 0, best: plan.clone(), outcome: run(plan, bug) };
    search.without_steps();
    search.without_faults();
    // What a fault was in the way of may be left out now.
    search.without_steps();
    (search.best, search.outcome)
}

struct Search<'a> {
    law: &'a str,
    bug: Option<Bug>,
    runs: usize,
    best: Plan,
    outcome: Outcome,
}

impl Search<'_> {
    /// Takes `candidate` if it breaks the same law.
    fn take(&mut self, candidate: Plan) -> bool {
        if self.runs >= RUNS_MAX {
            return false;
        }
        self.runs += 1;
        let outcome = run(&candidate, self.bug);
        let same = outcome.violation.as_ref().is_some_and(|violation| violation.law == self.law);
        if same {
            (self.best, self.outcome) = (candidate, outcome);
        }
        same
    }

    fn without_steps(&mut self) {
        let mut length = self.best.steps.len().div_ceil(2);
        while length > 0 {
            let mut from = 0;
            while from < self.best.steps.len() {
                let mut candidate = self.best.clone();
                let to = (from + length).min(candidate.steps.len());
                candidate.steps.drain(from..to);
                if !self.take(candidate) {
                    from += length;
                }
            }
            length /= 2;
        }
    }

    fn without_faults(&mut self) {
        for step in 0..self.best.steps.len() {
            for exchange in 0..self.best.steps[step].faults.len() {
                if self.best.steps[step].faults[exchange].is_some() {
                    let mut candidate = self.best.clone();
                    candidate.steps[step].faults[exchange] = None;
                    self.take(candidate);
                }
            }
        }
    }
}

/// The story as lines to read.
pub fn told(plan: &Plan, outcome: &Outcome) -> String {
    let mut lines = vec![format!("seed {}, {} desks, {} steps", plan.seed, plan.desks, plan.steps.len())];
    lines.extend(plan.steps.iter().map(|step| format!("  {step}")));
    lines.push("what happened:".into());
    lines.extend(outcome.log.iter().map(|line| format!("  {line}")));
    if let Some(violation) = &outcome.violation {
        lines.push(format!("broken: {}", violation.law));
        lines.push(format!("  {}", violation.story));
    }
    lines.join("\n")
}
