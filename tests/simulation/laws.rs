//! What must hold: after every step, and once everything is well again.

use std::collections::{BTreeMap, BTreeSet};

use hanna_desk::ErrorCode;
use hanna_desk::view::{Card, History, OutboxItem, Status};
use hanna_domain::outbox::{ItemKind, ItemState};
use hanna_domain::{Source, UsageState, Verdict, colombia};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::model::{Confirmed, Model, TakenBack};
use crate::server::Held;

/// How far a desk's clock may stand from the server's for a copy to be green.
const SKEW_MAX: SignedDuration = SignedDuration::from_hours(2);
/// What whole seconds and times not written down at once make of a comparison.
const SLACK: SignedDuration = SignedDuration::from_secs(120);

/// How far the desk's clock goes on until the disk is told.
const KEPT_EVERY: SignedDuration = SignedDuration::from_secs(60);

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
    let back = heard.device_high.map_or(SignedDuration::ZERO, |high| high.duration_since(scene.device_time));
    hold(back <= KEPT_EVERY + SLACK, "no green copy by a clock put back", || {
        format!("the clock stands {back:#} before what it has said itself")
    })?;
    // A clock put back while nobody consulted anybody contradicts nothing the desk knows.
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
            && !model.withdrawn.contains_key(id)
            && !model.is_taken_back(**id, open)
    });
    hold(again || earlier.is_none(), "a second use of a day takes a second key", || {
        format!("recorded at once although {earlier:?} was")
    })
}

/// A use was taken back, and the operator told so.
pub fn taking_back(model: &Model, made: &TakenBack, occurred_at: Timestamp, open: &[OutboxItem]) -> Law {
    let report = model.confirmed.get(&made.report_id);
    let own = report.is_some_and(|report| {
        report.desk == made.desk
            && report.author_id == made.author_id
            && colombia::day_of(report.occurred_at) == colombia::day_of(occurred_at)
    });
    hold(own, "only an own use of today is taken back", || format!("{made:?} of {report:?}"))?;
    let before = model.is_taken_back(made.report_id, open);
    hold(!before, "a use is taken back once", || format!("{made:?} a second time"))?;
    let given_up = model.withdrawn.contains_key(&made.report_id);
    hold(!given_up, "what was given up is no use to take back", || format!("{made:?}"))
}

/// What is at the server was confirmed, under this id and by whom it names: nothing is there twice, and nothing that was
/// given up.
pub fn server(model: &Model, held: &Held) -> Law {
    for one in &held.uses {
        let made = model.confirmed.get(&one.id);
        let known = made.is_some_and(|made| made.number == one.number && made.branch_id == one.branch_id);
        hold(known, "the server has only what was confirmed", || format!("it has {one:?}"))?;
        let author = made.is_some_and(|made| made.author_id == one.author_id);
        hold(author, "items stay with who made them", || format!("{one:?} was made as {made:?}"))?;
    }
    let mut taken_back = BTreeSet::new();
    for one in &held.voids {
        let made = model.voids.get(&one.id);
        let known = made.is_some_and(|made| made.report_id == one.report_id);
        hold(known, "the server has only what was confirmed", || format!("it has {one:?}"))?;
        let author = made.is_some_and(|made| made.author_id == one.author_id);
        hold(author, "items stay with who made them", || format!("{one:?} was made as {made:?}"))?;
        let report = held.uses.iter().any(|report| report.id == one.report_id);
        hold(report && taken_back.insert(one.report_id), "a void stands once, and with its report", || {
            format!("{one:?}, its report is there: {report}")
        })?;
    }
    let mut lookups = BTreeSet::new();
    for one in &held.lookups {
        let made = model.from_copy.get(&one.lookup_id);
        let known = made.is_some() || model.asked.contains(&one.lookup_id);
        hold(known && lookups.insert(one.lookup_id), "a lookup the copy answered is told once", || {
            format!("{one:?}, known: {known}")
        })?;
        let Some(made) = made else { continue };
        hold(made.verdict.code() == one.verdict, "the caja is told what was shown", || {
            format!("{one:?} was shown as {}", made.verdict)
        })?;
        hold(made.author_id == one.author_id, "items stay with who made them", || {
            format!("{one:?} was made as {made:?}")
        })?;
    }
    for (lookup_id, account_id) in &held.asked {
        let by = model.asked_by.get(lookup_id);
        hold(by.is_none_or(|by| by == account_id), "a lookup stands under the name of who asked", || {
            format!("{lookup_id} was asked by {by:?}, and stands as {account_id}'s")
        })?;
    }
    for id in held.ids() {
        let given_up = model.withdrawn.get(&id) == Some(&false);
        hold(!given_up, "what was given up does not arrive afterwards", || id.to_string())?;
    }
    Ok(())
}

/// A desk that was locked stays so.
pub fn locked(was: bool, is_open: bool) -> Law {
    hold(!was || !is_open, "a locked desk stays locked", || "nobody unlocked it".into())
}

/// A locked desk consults and records nothing.
pub fn answers_nobody(was_locked: bool) -> Law {
    hold(!was_locked, "a locked desk answers nobody", || "it was locked".into())
}

/// Only the right password unlocks a desk.
pub fn lets_in(right: bool) -> Law {
    hold(right, "only the right password unlocks", || "it was another one".into())
}

/// Nothing is given up without a reason.
pub fn needs_a_reason(refused: Option<ErrorCode>) -> Law {
    let holds = refused == Some(ErrorCode::ReasonRequired);
    hold(holds, "nothing is given up without a reason", || format!("{refused:?}"))
}

/// A void that was confirmed waits to be sent.
pub fn confirmed_void_waits(item: Option<&OutboxItem>) -> Law {
    hold(item.is_some(), "a void that was confirmed waits to be sent", || "there is none".into())
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
    let again = open.keys().find(|id| model.withdrawn.contains_key(*id));
    hold(again.is_none(), "what was given up stays so", || format!("desk {}: {again:?} is open", said.desk))?;
    let missing: Vec<Uuid> = own(model, said.desk)
        .filter(|id| !held.contains(id) && !model.taken_back.contains(id))
        .filter(|id| !open.contains_key(id) && !model.withdrawn.contains_key(id))
        .collect();
    if said.status.pending == 0 && said.status.needs_attention == 0 {
        hold(missing.is_empty(), "all sent is said only when all is sent", || {
            format!("desk {}: {missing:?} never arrived", said.desk)
        })?;
    }
    hold(missing.is_empty(), "no confirmed use is lost", || {
        format!("desk {}: {missing:?} is neither at the server nor at the desk", said.desk)
    })?;
    let refused = said.open.iter().filter(|item| item.kind == ItemKind::OfflineLookup).count();
    let given_up = model.untold.get(&said.desk).copied().unwrap_or(0);
    let waiting = said.status.lookups as usize + refused + given_up;
    let from_copy = model.from_copy.iter().filter(|(_, made)| made.desk == said.desk);
    let untold = from_copy.filter(|(id, _)| !held.contains(id) && !model.taken_back.contains(id)).count();
    hold(untold <= waiting, "every lookup the copy answered is told", || {
        format!("desk {}: {untold} lookups did not arrive, {waiting} wait", said.desk)
    })
}

/// The uses a desk confirmed, and what it confirmed to have taken back.
fn own(model: &Model, desk: usize) -> impl Iterator<Item = Uuid> {
    let uses = model.confirmed.iter().filter(move |(_, made)| made.desk == desk).map(|(id, _)| *id);
    uses.chain(model.voids.iter().filter(move |(_, made)| made.desk == desk).map(|(id, _)| *id))
}

/// Once everything is well and everything was sent, each use and each void stands at the server, requires attention, or
/// was given up: one of them alone. Only the void of a report that requires attention waits for it.
pub fn healed(model: &Model, held: &BTreeSet<Uuid>, said: &Said<'_>) -> Law {
    let waiting: BTreeSet<Uuid> = said.open.iter().map(|item| item.id).collect();
    let for_its_report =
        |item: &OutboxItem| model.voids.get(&item.id).is_some_and(|void| waiting.contains(&void.report_id));
    let unsent = said.open.iter().find(|item| item.state.is_pending() && !for_its_report(item));
    hold(unsent.is_none() && said.status.lookups == 0, "what can be sent is sent", || {
        format!("desk {}: {:?}, {:?}", said.desk, said.status, said.open)
    })?;
    for id in own(model, said.desk) {
        let given_up = model.withdrawn.get(&id) == Some(&false);
        let places = [held.contains(&id), waiting.contains(&id), given_up];
        let count = places.iter().filter(|stands| **stands).count();
        hold(count == 1 || model.withdrawn.get(&id) == Some(&true), "each use stands in one place", || {
            format!(
                "desk {}: {id} at the server: {}, requires attention: {}, given up: {}",
                said.desk, places[0], places[1], places[2]
            )
        })?;
    }
    let refused = said.open.iter().filter(|item| item.kind == ItemKind::OfflineLookup).count();
    let from_copy = model.from_copy.iter().filter(|(_, made)| made.desk == said.desk);
    let untold = from_copy.filter(|(id, _)| !held.contains(id)).count();
    let given_up = model.untold.get(&said.desk).copied().unwrap_or(0);
    hold(untold <= refused + given_up, "every lookup the copy answered is told", || {
        format!("desk {}: {untold} lookups did not arrive", said.desk)
    })
}

/// The report of a desk lists what the server has of its branches, what waits at this desk or was given up there, and
/// nothing else; its totals are the uses without those taken back.
pub fn history(model: &Model, held: &Held, branches: &[Uuid], said: &Said<'_>, history: &History) -> Law {
    hold(history.complete, "the server is asked for the report", || format!("{:?}", history.cause))?;
    let mut expected: BTreeSet<Uuid> =
        held.uses.iter().filter(|one| branches.contains(&one.branch_id)).map(|one| one.id).collect();
    let accepted = expected.len();
    let taken_back: BTreeSet<Uuid> = held.voids.iter().map(|void| void.report_id).collect();
    let counting = expected.difference(&taken_back).count();
    let own = model.confirmed.iter().filter(|(_, made)| branches.contains(&made.branch_id));
    let given_up: BTreeSet<Uuid> = own
        .clone()
        .filter(|(id, made)| made.desk == said.desk && model.withdrawn.contains_key(*id))
        .map(|(id, _)| *id)
        .collect();
    let waiting = own.filter(|(id, _)| said.open.iter().any(|item| item.id == **id)).map(|(id, _)| *id);
    expected.extend(waiting.chain(given_up.iter().copied()));
    let listed: BTreeSet<Uuid> = history.rows.iter().map(|row| row.id).collect();
    hold(listed.len() == history.rows.len(), "no use stands twice", || {
        format!("desk {}: {:?}", said.desk, history.rows)
    })?;
    hold(listed == expected, "the report lists every use", || {
        format!("desk {}: listed {listed:?}, expected {expected:?}", said.desk)
    })?;
    let counted: u32 = history.totals.iter().map(|total| total.uses).sum();
    let of_state = |state| history.rows.iter().filter(|row| row.state == state).count();
    let (refused, withdrawn, voided) =
        (of_state(UsageState::NeedsAttention), of_state(UsageState::Withdrawn), of_state(UsageState::Voided));
    let waiting_voids = history.rows.iter().filter(|row| row.state == UsageState::Voided);
    let waiting_voids = waiting_voids.filter(|row| !taken_back.contains(&row.id)).count();
    hold(
        counted as usize == counting
            && accepted + refused + withdrawn + waiting_voids == listed.len()
            && voided - waiting_voids == accepted - counting,
        "the totals are the uses less those taken back",
        || {
            format!(
                "desk {}: {counted} counted, {voided} taken back; {accepted} at the server, {counting} of them count; \
                 {refused} refused, {withdrawn} given up",
                said.desk
            )
        },
    )
}
