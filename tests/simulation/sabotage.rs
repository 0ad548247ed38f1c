//! Deliberate bugs, to see that the laws notice them. None is in the product: each is done to what goes in or comes out
//! of it, or to its database, so that the desk behaves as if it had the bug.

use axum::http::StatusCode;
use hanna_desk::backend::Failure;
use hanna_domain::statement::KeySet;
use hanna_wire::lookup::LookupAnswer;
use hanna_wire::outbox::{BatchAnswer, ItemBody, Outcome, OutcomeKind};
use hanna_wire::path;
use uuid::Uuid;

use crate::forge;
use crate::server::Answer;
use crate::wire::{Letter, Wire, answered, lock};

/// A deliberate bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    DeletesWhatIsRefused,
    NewIdOnRetry,
    ConfirmsWithoutWriting,
    IgnoresExpiry,
    SkipsVerification,
    ForgetsWhatWasBeingSent,
    ClockMarkUnchecked,
    BelievesOthersStatements,
    CountsTimeoutAsDelivered,
    GreenOnError,
    DropsBehindARefusedOne,
    VoidsBeforeReports,
    ForgetsOfflineLookups,
    ForgetsWhoMadeIt,
    SendsWhatWasWithdrawn,
}

impl Wire {
    /// What the desk sends, with the bug.
    pub fn sabotaged_letter(&self, mut letter: Letter) -> Letter {
        if self.around.bug == Some(Bug::NewIdOnRetry)
            && let Some(mut batch) = letter.batch()
        {
            let mut delivered = lock(&self.around.delivered);
            for item in &mut batch.items {
                let original = item.id;
                while delivered.contains_key(&item.id) {
                    item.id = Uuid::from_u128(item.id.as_u128() + (1 << 64));
                }
                delivered.insert(item.id, original);
            }
            letter.body = serde_json::to_vec(&batch).expect("JSON");
        }
        if let Some(mut batch) = letter.batch() {
            match self.around.bug {
                Some(Bug::VoidsBeforeReports) => {
                    batch.items.sort_by_key(|item| !matches!(item.body, ItemBody::Void { .. }));
                }
                // Whoever is there first of all is taken for the author of everything.
                Some(Bug::ForgetsWhoMadeIt) => {
                    let mut authors = lock(&self.around.first_authors);
                    for item in &mut batch.items {
                        item.author_id = *authors.entry(self.desk).or_insert(item.author_id);
                    }
                }
                _ => return letter,
            }
            letter.body = serde_json::to_vec(&batch).expect("JSON");
        }
        letter
    }

    /// What the desk hears, with the bug.
    pub fn sabotaged_answer(
        &self,
        letter: &Letter,
        outcome: Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        let json = |body: Vec<u8>| Ok(answered(StatusCode::OK, "application/json", body));
        match (self.around.bug, outcome) {
            (Some(Bug::SkipsVerification), Ok(mut answer)) if letter.path == path::KEYS => {
                if let Ok(mut keys) = serde_json::from_slice::<KeySet>(&answer.body) {
                    keys.keys.push(forge::impostor_key());
                    answer.body = serde_json::to_vec(&keys).expect("JSON");
                }
                Ok(answer)
            }
            (Some(Bug::NewIdOnRetry), Ok(mut answer)) => {
                if let Ok(mut outcomes) = serde_json::from_slice::<BatchAnswer>(&answer.body) {
                    let delivered = lock(&self.around.delivered);
                    for outcome in &mut outcomes.outcomes {
                        outcome.id = delivered.get(&outcome.id).copied().unwrap_or(outcome.id);
                    }
                    answer.body = serde_json::to_vec(&outcomes).expect("JSON");
                }
                Ok(answer)
            }
            (Some(Bug::CountsTimeoutAsDelivered), Err(failure)) => match letter.batch() {
                Some(batch) => {
                    let accepted = |id| Outcome { id, outcome: OutcomeKind::Accepted, code: None };
                    let outcomes = batch.items.iter().map(|item| accepted(item.id)).collect();
                    let answer = BatchAnswer { outcomes, epoch: Uuid::nil(), last_sequence: i64::MAX };
                    json(serde_json::to_vec(&answer).expect("JSON"))
                }
                None => Err(failure),
            },
            (Some(Bug::GreenOnError), Err(failure)) => match letter.question() {
                Some(question) => {
                    let (now, key) = (self.around.time.now(), self.around.server.signing_key());
                    let statement = forge::out_of_nothing(&question, question.branch_id, now, &key);
                    json(serde_json::to_vec(&LookupAnswer { statement }).expect("JSON"))
                }
                None => Err(failure),
            },
            (_, outcome) => outcome,
        }
    }
}
