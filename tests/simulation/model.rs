//! What a run knows to be true, kept beside the product and never asked of it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_domain::{Statement, colombia};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

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
    pub branch_id: Uuid,
    pub number: String,
    pub occurred_at: Timestamp,
}

/// What a desk has been told of the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard {
    /// The latest server time it was told.
    pub high: Option<Timestamp>,
    /// Server time minus its own, in milliseconds, when it was last told.
    pub offset_ms: i64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Model {
    pub people: Vec<Person>,
    pub branches: BTreeMap<Uuid, Terms>,
    pub issued: Vec<Issued>,
    pub confirmed: BTreeMap<Uuid, Confirmed>,
    /// Uses the server took in: entity, person and day.
    pub taken: BTreeMap<Uuid, (usize, String, Date)>,
    pub heard: Vec<Heard>,
    /// The newest statement each desk showed as the server's own, by person and branch: when it was issued.
    pub shown: BTreeMap<(usize, String, Uuid), Timestamp>,
    /// Uses the server had, and lost with its database.
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
        active && !(terms.refuses_second && self.taken.values().any(|taken| same_day(&taken)))
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

    /// The server's database is an earlier one, with these uses.
    pub fn go_back_to(&mut self, uses: &BTreeSet<Uuid>) {
        let lost: Vec<Uuid> = self.taken.keys().filter(|id| !uses.contains(id)).copied().collect();
        for id in lost {
            self.taken.remove(&id);
            self.taken_back.insert(id);
        }
    }

    /// A desk whose clock says `device_time` is told the server's time.
    pub fn hear(&mut self, desk: usize, server_time: Timestamp, device_time: Timestamp) {
        let heard = &mut self.heard[desk];
        heard.high = Some(heard.high.map_or(server_time, |high| high.max(server_time)));
        let offset = server_time.duration_since(device_time).as_millis();
        heard.offset_ms = i64::try_from(offset).expect("within days");
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
