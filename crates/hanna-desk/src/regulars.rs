//! Keeping the copies fresh: whoever this branch consulted lately (*habituales*) is verified again before their statement
//! ends, within the server's budget; whoever did not come for long is forgotten.

use hanna_domain::statement::Expected;
use hanna_wire::limits::REGULARS_MAX;
use hanna_wire::lookup::{Regular, RegularsRequest};
use jiff::{SignedDuration, Timestamp};

use crate::desk::{Desk, lock};
use crate::error::DeskError;

/// How often the worker looks after the copies.
const EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How long before a statement ends its person is verified again.
const AHEAD: SignedDuration = SignedDuration::from_hours(12);
/// How long what the server accepted stays on this PC.
const SETTLED_KEPT: SignedDuration = SignedDuration::from_hours(35 * 24);
/// The most requests in a row.
const REQUESTS_MAX: u32 = 10;

impl Desk {
    /// Looks after the copies when it is time; says when it is time again.
    pub(crate) async fn look_after_copies(&self, due: Timestamp) -> Timestamp {
        let now = self.inner.clock.now();
        if now < due || lock(&self.inner.session).post().is_none() {
            return due;
        }
        match self.refresh_regulars().await {
            Ok(verified) if verified > 0 => tracing::info!(people = verified, "regulars were verified again"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the regulars were not verified again"),
        }
        if let Err(error) = self.learn_export_keys().await {
            tracing::warn!(%error, "nothing could be exported now");
        }
        if let Err(error) = self.forget_the_old().await {
            tracing::warn!(%error, "what is old was not forgotten");
        }
        now.saturating_add(EVERY).unwrap_or(now)
    }

    /// Verifies again whoever is due; says how many were.
    ///
    /// # Errors
    /// When the database fails or the server gives no answer; what was verified until then stays.
    pub async fn refresh_regulars(&self) -> Result<u32, DeskError> {
        let mut verified = 0;
        for _ in 0..REQUESTS_MAX {
            let (asked, answered, budget_left) = self.refresh_some_regulars().await?;
            verified += answered;
            if asked < REGULARS_MAX || answered == 0 || budget_left == 0 {
                break;
            }
        }
        Ok(verified)
    }

    /// One request: how many were asked for, how many statements were kept, and what is left of the budget.
    async fn refresh_some_regulars(&self) -> Result<(usize, u32, u32), DeskError> {
        let Some((me, branch_id)) = lock(&self.inner.session).post() else { return Ok((0, 0, 0)) };
        let (_, now) = self.now();
        let since = days_before(now, me.policy.retention_days);
        let end = now.saturating_add(AHEAD).unwrap_or(now);
        let people = self
            .with_stores(move |stores| stores.cache.regulars(branch_id, since, end, REGULARS_MAX))
            .await?;
        if people.is_empty() {
            return Ok((0, 0, 0));
        }
        let asked = people.len();
        let regulars: Vec<Regular> = people
            .into_iter()
            .map(|document| Regular { id: self.inner.chance.id(self.inner.clock.now()), document })
            .collect();
        let request = RegularsRequest { branch_id, regulars };
        let answer = self
            .authorized(|backend, token| {
                let request = request.clone();
                async move { backend.refresh_regulars(&token, &request).await }
            })
            .await?
            .value;
        let verifier = self.verifier();
        let kept = self
            .with_stores(move |stores| {
                let mut kept = 0;
                for (regular, jws) in request.regulars.iter().zip(&answer.statements) {
                    let expected =
                        Expected { document: &regular.document, branch_id, lookup_id: Some(regular.id) };
                    match verifier.verify(jws, expected) {
                        Ok(believed) => {
                            stores.cache.keep_statement(believed.statement(), jws, None)?;
                            kept += 1;
                        }
                        Err(fault) => {
                            tracing::error!(%fault, lookup_id = %regular.id, "a regular's statement cannot be believed");
                        }
                    }
                }
                Ok(kept)
            })
            .await?;
        Ok((asked, kept, answer.budget_left))
    }

    async fn forget_the_old(&self) -> Result<(), DeskError> {
        let Some((me, _)) = lock(&self.inner.session).post() else { return Ok(()) };
        let (device_time, now) = self.now();
        // A clock that cannot be believed forgets nothing.
        let skew_max = SignedDuration::from_mins(i64::from(me.policy.clock_skew_max_min));
        if self.clock_mark().trust(device_time, skew_max) != hanna_domain::ClockTrust::Trusted {
            return Ok(());
        }
        let unvisited_since = days_before(now, me.policy.retention_days);
        let settled_before = now.saturating_sub(SETTLED_KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        let (people, items) = self
            .with_stores(move |stores| {
                let people = stores.cache.forget_unvisited(unvisited_since)?;
                Ok((people, stores.outbox.forget_settled(settled_before)?))
            })
            .await?;
        if people > 0 || items > 0 {
            tracing::info!(people, items, "what is old was forgotten");
        }
        Ok(())
    }
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::UNIX_EPOCH)
}
