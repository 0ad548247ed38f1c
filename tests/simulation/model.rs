//! What a run knows to be true, kept beside the product and never asked of it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_desk::view::OutboxItem;
use hanna_domain::outbox::ItemState;
use hanna_domain::{Statement, Verdict, colombia};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::server::Held;

/// Somebody who is looked up.
#[derive(Debug, Clone)]
pub struct Person {
    pub number: String,
    /// Whether the caja has them as active, with an active company.
    pub active: bool,
}

/// What an agreement says of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub entity: usize,
    /// Whether a second use of a day is refused; otherwise it is noted.
    pub refuses_second: bool,
}

/// A statement the server issued.
#[derive(Debug, Clone)]
pub struct Issued {
    pub claims: Statement,
    pub jws: String,
}

/// A use a desk said to have recorded.
#[derive(Debug, Clone)]
pub struct Confirmed {
    pub desk: usize,
    pub author_id: Uuid,
    pub branch_id: Uuid,
    pub number: String,
    pub occurred_at: Timestamp,
}

/// A use taken back, as a desk said to have recorded it.
#[derive(Debug, Clone)]
pub struct TakenBack {
    pub desk: usize,
    pub author_id: Uuid,
    pub report_id: Uuid,
}

/// A lookup that a desk's copy answered, and that it must tell of.
#[derive(Debug, Clone)]
pub struct FromCopy {
    pub desk: usize,
    pub author_id: Uuid,
    pub verdict: Verdict,
}

/// What a desk has been told of the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard {
    /// The latest server time it was told.
    pub high: Option<Timestamp>,
    /// Server time minus its own, in milliseconds, when it was last told.
    pub offset_ms: i64,
    /// The latest its own clock has said since, when a copy answered.
    pub device_high: Option<Timestamp>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Model {
    pub people: Vec<Person>,
    /// What they were when the server's database was copied.
    pub people_copied: Vec<Person>,
    pub branches: BTreeMap<Uuid, Terms>,
    pub issued: Vec<Issued>,
    pub confirmed: BTreeMap<Uuid, Confirmed>,
    pub voids: BTreeMap<Uuid, TakenBack>,
    /// What operators gave up, and whether the server had it then.
    pub withdrawn: BTreeMap<Uuid, bool>,
    /// Lookups that were asked of the server, answered or not.
    pub asked: BTreeSet<Uuid>,
    /// Who asked for each card that was shown.
    pub asked_by: BTreeMap<Uuid, Uuid>,
    pub from_copy: BTreeMap<Uuid, FromCopy>,
    /// How many of them each desk's operators gave up.
    pub untold: BTreeMap<usize, usize>,
    /// Uses the server took in: entity, person and day.
    pub taken: BTreeMap<Uuid, (usize, String, Date)>,
    /// Those of them it took back again.
    pub voided: BTreeSet<Uuid>,
    pub heard: Vec<Heard>,
    /// The newest statement each desk showed as the server's own, by person and branch: when it was issued.
    pub shown: BTreeMap<(usize, String, Uuid), Timestamp>,
    /// What the server had, and lost with its database: uses, voids, lookups.
    pub taken_back: BTreeSet<Uuid>,
    /// What was seen to be against a law where it happened.
    pub breaches: Vec<(&'static str, String)>,
}

impl Model {
    /// Whether the caja's truth at this moment allows a use.
    fn allows(&self, number: &str, branch_id: Uuid, now: Timestamp) -> bool {
        let active = self.people.iter().any(|person| person.number == number && person.active);
        let Some(terms) = self.branches.get(&branch_id) else { return false };
        let today = colombia::day_of(now);
        let same_day = |(entity, who, day): &&(usize, String, Date)| {
            *entity == terms.entity && who == number && *day == today
        };
        let mut uses = self.taken.iter().filter(|(id, _)| !self.voided.contains(id)).map(|(_, taken)| taken);
        active && !(terms.refuses_second && uses.any(|taken| same_day(&taken)))
    }

    /// The server answered a lookup.
    pub fn issue(&mut self, jws: &str, now: Timestamp) {
        let claims = claims(jws).expect("the server's own statement");
        let allowed = self.allows(claims.document.number(), claims.branch_id, now);
        if allowed != claims.usable {
            let story = format!("usable is {}, the caja's truth is {allowed}", claims.usable);
            self.breaches.push(("the server signs the truth", story));
        }
        self.issued.push(Issued { claims, jws: jws.to_owned() });
    }

    /// The server took a use in.
    pub fn take_in(&mut self, id: Uuid, jws: &str, occurred_at: Timestamp) {
        let Some(claims) = claims(jws) else { return };
        let Some(terms) = self.branches.get(&claims.branch_id) else { return };
        let taken = (terms.entity, claims.document.number().to_owned(), colombia::day_of(occurred_at));
        self.taken.insert(id, taken);
    }

    /// The server took a use back.
    pub fn take_back(&mut self, report_id: Uuid) {
        self.voided.insert(report_id);
    }

    /// The server's database is an earlier one; `before` is what it had held.
    pub fn go_back_to(&mut self, before: &Held, held: &Held) {
        self.people.clone_from(&self.people_copied);
        self.taken.retain(|id, _| held.uses.iter().any(|one| one.id == *id));
        self.voided.retain(|id| held.voids.iter().any(|one| one.report_id == *id));
        self.taken_back.extend(before.ids().difference(&held.ids()));
    }

    /// Whether a use is taken back as far as its desk can tell, where `open` says what stands there.
    pub fn is_taken_back(&self, report_id: Uuid, open: &[OutboxItem]) -> bool {
        let refused =
            |id: &Uuid| open.iter().any(|item| item.id == *id && item.state == ItemState::NeedsAttention);
        let of_it = self.voids.iter().filter(|(_, void)| void.report_id == report_id);
        of_it.into_iter().any(|(id, _)| !self.withdrawn.contains_key(id) && !refused(id))
    }

    /// An operator gave an item up, and with a report its voids. `arrived`: what the server has, or will have, unknown to
    /// the desk.
    pub fn withdraw(&mut self, id: Uuid, arrived: &BTreeSet<Uuid>) {
        let voids: Vec<Uuid> =
            self.voids.iter().filter(|(_, void)| void.report_id == id).map(|(void, _)| *void).collect();
        for id in voids.into_iter().chain([id]) {
            self.withdrawn.entry(id).or_insert_with(|| arrived.contains(&id));
        }
    }

    /// A desk whose clock says `device_time` is told the server's time.
    pub fn hear(&mut self, desk: usize, server_time: Timestamp, device_time: Timestamp) {
        let heard = &mut self.heard[desk];
        heard.high = Some(heard.high.map_or(server_time, |high| high.max(server_time)));
        let offset = server_time.duration_since(device_time).as_millis();
        heard.offset_ms = i64::try_from(offset).expect("within days");
        heard.device_high = Some(device_time);
    }

    /// A desk's copy answered when its clock said `device_time`.
    pub fn look_at_clock(&mut self, desk: usize, device_time: Timestamp) {
        let heard = &mut self.heard[desk];
        heard.device_high = heard.device_high.map(|high| high.max(device_time));
    }

    /// The last statement that `fits`.
    pub fn last_issued(&self, fits: impl Fn(&Statement) -> bool) -> Option<&Issued> {
        self.issued.iter().rev().find(|issued| fits(&issued.claims))
    }
}

/// What a statement says, whoever signed it.
pub fn claims(jws: &str) -> Option<Statement> {
    let payload = jws.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
