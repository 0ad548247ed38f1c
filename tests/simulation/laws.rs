//! What must hold: after every step, and once everything is well again.

use std::collections::{BTreeMap, BTreeSet};

use hanna_desk::view::{Card, History, OutboxItem, Status};
use hanna_domain::outbox::ItemState;
use hanna_domain::{Source, UsageState, Verdict, colombia};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::model::{Confirmed, Model};
use crate::server::Use;

/// How far a desk's clock may stand from the server's for a copy to be green.
const SKEW_MAX: SignedDuration = SignedDuration::from_hours(2);
/// What whole seconds and times not written down at once make of a comparison.
const SLACK: SignedDuration = SignedDuration::from_secs(120);

/// A law that does not hold, and how that showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub law: &'static str,
    pub story: String,
}

/// Whether a law holds.
pub type Law = Result<(), Violation>;

fn hold(holds: bool, law: &'static str, story: impl FnOnce() -> String) -> Law {
    if holds { Ok(()) } else { Err(Violation { law, story: story() }) }
}

/// Where a desk is when it shows a card.
pub struct Scene {
    pub desk: usize,
    pub branch_id: Uuid,
    /// The true time.
    pub now: Timestamp,
    /// What the desk's clock says.
    pub device_time: Timestamp,
}

/// A card is green only on a genuine statement about this person and this branch that holds now.
pub fn card(model: &mut Model, scene: &Scene, card: &Card) -> Law {
    let green = matches!(card.verdict, Verdict::Active | Verdict::ActiveFromCopy);
    hold(green == card.may_report, "only green can be reported", || format!("{card:?}"))?;
    let fits = |claims: &hanna_domain::Statement| {
        Some(claims.jti) == card.statement_id
            && claims.document == card.document
            && claims.branch_id == scene.branch_id
    };
    let number = card.document.number().to_owned();
    let key = (scene.desk, number, scene.branch_id);
    let Some(issued) = model.last_issued(fits) else {
        return hold(card.statement_id.is_none() && !green, "what is shown was issued", || {
            format!("{} on statement {:?}, which says nothing here", card.verdict, card.statement_id)
        });
    };
    let claims = issued.claims.clone();
    hold(!green || claims.usable, "green says what the server says", || {
        format!("{} on a statement that does not allow it", card.verdict)
    })?;
    match card.source {
        Source::None => hold(!green, "no source is no verdict", || format!("{card:?}")),
        Source::Online => {
            hold(claims.lookup_id == card.lookup_id, "online answers this very lookup", || {
                "the statement answers another lookup".into()
            })?;
            hold(card.verdict != Verdict::ActiveFromCopy, "online is not from a copy", || {
                format!("{card:?}")
            })?;
            let shown = model.shown.entry(key).or_insert(claims.iat);
            *shown = claims.iat.max(*shown);
            Ok(())
        }
        Source::Copy => {
            hold(card.verdict != Verdict::Active, "a copy says that it is one", || format!("{card:?}"))?;
            let newest = model.shown.get(&key).copied().unwrap_or(claims.iat);
            hold(claims.iat >= newest, "the copy is what was shown last", || {
                format!("issued {}, shown before: one of {newest}", claims.iat)
            })?;
            if green { green_copy(model, scene, claims.nbf, claims.exp) } else { Ok(()) }
        }
    }
}

/// A copy is green only inside its validity, by a clock that nothing contradicts.
fn green_copy(model: &Model, scene: &Scene, begin: Timestamp, end: Timestamp) -> Law {
    let heard = model.heard[scene.desk];
    let offset = SignedDuration::from_millis(heard.offset_ms);
    let corrected = scene.device_time + offset;
    hold(corrected < end, "no green past its end", || format!("{corrected}, ended {end}"))?;
    hold(corrected + SLACK >= begin, "no green before its beginning", || {
        format!("{corrected}, begins {begin}")
    })?;
    hold(offset.abs() <= SKEW_MAX + SLACK, "no green copy by a clock far off", || {
        format!("the clock was {:#} off when the server was last heard", offset.abs())
    })?;
    let behind = heard.high.map_or(SignedDuration::ZERO, |high| high.duration_since(corrected));
    hold(behind <= SLACK, "no green copy by a clock put back", || {
        format!("the clock stands {behind:#} before a time the server is known to have reached")
    })?;
    // A clock put back by less than the time without a connection contradicts nothing the desk knows.
    let put_back = corrected < scene.now - SLACK;
    hold(put_back || scene.now < end, "no green past its end, in truth", || {
        format!("{}, ended {end}", scene.now)
    })
}

/// A use was confirmed to the operator.
pub fn confirmation(
    model: &Model,
    before: &Card,
    again: bool,
    id: Uuid,
    made: &Confirmed,
    open: &[OutboxItem],
) -> Law {
    hold(before.may_report, "only green can be reported", || format!("{before:?}"))?;
    hold(!model.confirmed.contains_key(&id), "an id is used once", || id.to_string())?;
    let refused =
        |id: &Uuid| open.iter().any(|item| item.id == *id && item.state == ItemState::NeedsAttention);
    let today = colombia::day_of(made.occurred_at);
    let earlier = model.confirmed.iter().find(|(id, other)| {
        other.desk == made.desk
            && other.number == made.number
            && colombia::day_of(other.occurred_at) == today
            && !refused(id)
    });
    hold(again || earlier.is_none(), "a second use of a day takes a second key", || {
        format!("recorded at once although {earlier:?} was")
    })
}

/// What is at the server was confirmed, under this id: nothing is there twice.
pub fn uses(model: &Model, held: &[Use]) -> Law {
    for one in held {
        let made = model.confirmed.get(&one.id);
        let known = made.is_some_and(|made| made.number == one.number && made.branch_id == one.branch_id);
        hold(known, "the server has only what was confirmed", || format!("it has {one:?}"))?;
    }
    Ok(())
}

/// What a desk says of itself.
pub struct Said<'a> {
    pub desk: usize,
    pub status: &'a Status,
    pub open: &'a [OutboxItem],
}

/// Every confirmed use of a desk is at the server or still open at the desk, and *Todo enviado* is true.
pub fn desk(model: &Model, held: &BTreeSet<Uuid>, said: &Said<'_>) -> Law {
    let open: BTreeMap<Uuid, ItemState> = said.open.iter().map(|item| (item.id, item.state)).collect();
    let pending = open.values().filter(|state| state.is_pending()).count();
    hold(
        (pending, open.len() - pending)
            == (said.status.pending as usize, said.status.needs_attention as usize),
        "the counts are those of the list",
        || format!("desk {}: {:?}, listed: {open:?}", said.desk, said.status),
    )?;
    let own = model.confirmed.iter().filter(|(_, made)| made.desk == said.desk);
    let missing: Vec<Uuid> = own
        .map(|(id, _)| *id)
        .filter(|id| !held.contains(id) && !model.taken_back.contains(id))
        .filter(|id| !open.contains_key(id))
        .collect();
    if said.status.pending == 0 && said.status.needs_attention == 0 {
        hold(missing.is_empty(), "all sent is said only when all is sent", || {
            format!("desk {}: {missing:?} never arrived", said.desk)
        })?;
    }
    hold(missing.is_empty(), "no confirmed use is lost", || {
        format!("desk {}: {missing:?} is neither at the server nor at the desk", said.desk)
    })
}

/// Once everything is well and everything was sent, each use stands at the server or requires attention: never both.
pub fn healed(model: &Model, held: &BTreeSet<Uuid>, said: &Said<'_>) -> Law {
    hold(said.status.pending == 0, "what can be sent is sent", || {
        format!("desk {}: {:?}, {:?}", said.desk, said.status, said.open)
    })?;
    let waiting: BTreeSet<Uuid> = said.open.iter().map(|item| item.id).collect();
    for (id, _) in model.confirmed.iter().filter(|(_, made)| made.desk == said.desk) {
        hold(held.contains(id) != waiting.contains(id), "each use stands in one place", || {
            format!(
                "desk {}: {id} at the server: {}, requires attention: {}",
                said.desk,
                held.contains(id),
                waiting.contains(id)
            )
        })?;
    }
    Ok(())
}

/// The report of a desk lists what the server has of its branches, what waits at this desk, and nothing else.
pub fn history(model: &Model, held: &[Use], branches: &[Uuid], said: &Said<'_>, history: &History) -> Law {
    hold(history.complete, "the server is asked for the report", || format!("{:?}", history.cause))?;
    let mut expected: BTreeSet<Uuid> =
        held.iter().filter(|one| branches.contains(&one.branch_id)).map(|one| one.id).collect();
    let accepted = expected.len();
    expected.extend(
        said.open
            .iter()
            .map(|item| item.id)
            .filter(|id| model.confirmed.get(id).is_some_and(|made| branches.contains(&made.branch_id))),
    );
    let listed: BTreeSet<Uuid> = history.rows.iter().map(|row| row.id).collect();
    hold(listed.len() == history.rows.len(), "no use stands twice", || {
        format!("desk {}: {:?}", said.desk, history.rows)
    })?;
    hold(listed == expected, "the report lists every use", || {
        format!("desk {}: listed {listed:?}, expected {expected:?}", said.desk)
    })?;
    let counted: u32 = history.totals.iter().map(|total| total.uses).sum();
    let refused = history.rows.iter().filter(|row| row.state == UsageState::NeedsAttention).count();
    hold(
        counted as usize == accepted && accepted + refused == listed.len(),
        "the totals are the uses",
        || format!("desk {}: {counted} counted, {accepted} at the server, {refused} refused", said.desk),
    )
}
