//! What operators do at the desks of a run.

use hanna_desk::view::Card;
use hanna_desk::{ErrorCode, Event};
use hanna_domain::outbox::{ItemKind, ItemState, VoidReason};
use hanna_domain::{DocumentKind, Redacted, Source, Verdict};
use uuid::Uuid;

use crate::desk::FrontDesk;
use crate::laws::{self, Law, Scene};
use crate::model::{Confirmed, FromCopy, TakenBack};
use crate::sabotage::Bug;
use crate::wire::lock;
use crate::world::World;

impl World {
    /// Who is signed in at a desk.
    fn operator(&self, desk: usize) -> Option<Uuid> {
        self.desks[desk].desk().session().ok().map(|session| session.operator.id)
    }

    /// Signs an operator in; without the server, if this PC knows them.
    pub async fn enter(&mut self, desk: usize, operator: usize) -> Law {
        self.desks[desk].locked = false;
        let before = self.operator(desk);
        let front = &self.desks[desk];
        let (program, account, branch) = (front.desk(), front.operators[operator], front.branch);
        let done = self.at(desk, async move { FrontDesk::enter(&program, account, branch).await }).await?;
        self.desks[desk].card = None;
        let away = !self.desks[desk].desk().status().is_ok_and(|status| status.online);
        if done.as_ref().is_some_and(Result::is_ok) && away && before != self.operator(desk) {
            self.count("operators who came without the server");
        }
        self.tell(desk, done.map(|done| done.map(|()| format!("{} signed in", account.username))));
        Ok(())
    }

    /// Looks somebody up; an operator signs in first where nobody is.
    pub async fn ask(&mut self, desk: usize, person: usize) -> Law {
        if self.wants_sign_in(desk) {
            self.enter(desk, 0).await?;
        }
        let program = self.desks[desk].desk();
        let was_locked = self.desks[desk].locked;
        let author_id = self.operator(desk);
        let number = lock(&self.around.model).people[person].number.clone();
        let card = self.at(desk, async move { program.lookup(DocumentKind::CC, &number).await }).await?;
        match card {
            Some(Ok(card)) => {
                laws::answers_nobody(was_locked)?;
                lock(&self.around.model)
                    .asked_by
                    .extend(author_id.map(|author_id| (card.lookup_id, author_id)));
                self.tell_of_copy(desk, author_id, &card);
                self.look_at(desk, card)
            }
            other => {
                self.tell(desk, other.map(|other| other.map(|_| String::new())));
                Ok(())
            }
        }
    }

    fn wants_sign_in(&self, desk: usize) -> bool {
        let program = self.desks[desk].desk();
        let session = program.session();
        if session.as_ref().is_ok_and(|session| session.locked) {
            return false;
        }
        let at_work = session.is_ok_and(|session| session.branch.is_some());
        !at_work || program.status().is_ok_and(|status| status.sign_in_needed && status.online)
    }

    pub fn look_at(&mut self, desk: usize, card: Card) -> Law {
        self.around.note(format!(
            "    desk {desk}: {} {} {:?} on {:?}",
            card.verdict, card.source, card.cause, card.statement_id
        ));
        self.count(match (card.verdict, card.source) {
            (Verdict::Active, _) => "cards ACTIVO",
            (Verdict::ActiveFromCopy, _) => "cards ACTIVO según copia",
            (Verdict::NoData, _) => "cards SIN DATO",
            (_, Source::Copy) => "cards refused from a copy",
            _ => "cards refused",
        });
        let front = &self.desks[desk];
        let scene = Scene {
            desk,
            branch_id: self.branches[front.branch],
            now: self.around.time.now(),
            device_time: front.clock.read(),
        };
        laws::card(&mut lock(&self.around.model), &scene, &card)?;
        self.desks[desk].card = Some(card);
        Ok(())
    }

    pub async fn report(&mut self, desk: usize, second_key: bool) -> Law {
        self.see_late_cards(desk)?;
        let Some(before) = self.desks[desk].card.clone() else { return Ok(()) };
        let lookup_id = before.lookup_id;
        let (author_id, was_locked) = (self.operator(desk), self.desks[desk].locked);
        let program = self.desks[desk].desk();
        let (_, open) = self.said(desk).await?;
        let reporting = async move {
            match program.report_use(lookup_id, false).await {
                Err(error) if second_key && error.code() == ErrorCode::AlreadyUsedToday => {
                    (true, program.report_use(lookup_id, true).await)
                }
                done => (false, done),
            }
        };
        let Some((again, done)) = self.at(desk, reporting).await? else { return Ok(()) };
        let card = match done {
            Ok(card) => card,
            Err(error) => {
                self.tell(desk, Some(Err(error)));
                return Ok(());
            }
        };
        laws::answers_nobody(was_locked)?;
        let reported = card.reported.expect("what was reported");
        self.around.note(format!("    desk {desk}: recorded {} of {}", reported.id, reported.occurred_at));
        let made = Confirmed {
            desk,
            author_id: author_id.expect("somebody is signed in"),
            branch_id: self.branches[self.desks[desk].branch],
            number: card.document.number().to_owned(),
            occurred_at: reported.occurred_at,
        };
        let mut model = lock(&self.around.model);
        laws::confirmation(&model, &before, again, reported.id, &made, &open)?;
        model.confirmed.insert(reported.id, made);
        drop(model);
        if self.around.bug == Some(Bug::ConfirmsWithoutWriting) {
            self.desks[desk].disk.outbox().delete(reported.id);
        }
        self.desks[desk].card = Some(card);
        Ok(())
    }

    /// A lookup that the copy answered, and that the desk could write down, is to be told to the caja.
    fn tell_of_copy(&self, desk: usize, author_id: Option<Uuid>, card: &Card) {
        let front = &self.desks[desk];
        let (Source::Copy, Some(author_id), false) = (card.source, author_id, front.disk.refuses()) else {
            return;
        };
        let mut model = lock(&self.around.model);
        model.look_at_clock(desk, front.clock.read());
        model.from_copy.insert(card.lookup_id, FromCopy { desk, author_id, verdict: card.verdict });
    }

    /// Tries everything again that requires attention.
    pub async fn retry(&mut self, desk: usize) -> Law {
        let (_, open) = self.said(desk).await?;
        let program = self.desks[desk].desk();
        for item in open.iter().filter(|item| item.state == ItemState::NeedsAttention) {
            let done = program.retry_item(item.id).await.map(|_| format!("{} again", item.id));
            self.tell(desk, Some(done));
        }
        Ok(())
    }

    /// Takes the use back that was the `nth` before the last one of this desk that still counts.
    pub async fn take_back(&mut self, desk: usize, nth: usize) -> Law {
        let (status, open) = self.said(desk).await?;
        let mut uses: Vec<_> = {
            let model = lock(&self.around.model);
            let own = model
                .confirmed
                .iter()
                .filter(|(id, made)| made.desk == desk && !model.is_taken_back(**id, &open));
            own.map(|(id, made)| (made.occurred_at, *id)).collect()
        };
        uses.sort_unstable();
        let Some((_, report_id)) = uses.into_iter().rev().nth(nth) else { return Ok(()) };
        let (author_id, was_locked) = (self.operator(desk), self.desks[desk].locked);
        let program = self.desks[desk].desk();
        let reason = VoidReason::ALL[nth % VoidReason::ALL.len()];
        let doing = async move { program.void_use(report_id, reason, "se fue sin entrar").await };
        let voided = match self.at(desk, doing).await? {
            None => return Ok(()),
            Some(Ok(voided)) => voided,
            Some(Err(error)) => {
                self.tell(desk, Some(Err(error)));
                return Ok(());
            }
        };
        laws::answers_nobody(was_locked)?;
        let (_, now_open) = self.said(desk).await?;
        let is_new = |id: Uuid| open.iter().all(|item| item.id != id);
        let item = now_open.iter().find(|item| item.kind == ItemKind::Void && is_new(item.id));
        laws::confirmed_void_waits(item)?;
        let Some(item) = item else { return Ok(()) };
        self.around.note(format!("    desk {desk}: recorded {}, which takes {report_id} back", item.id));
        let made = TakenBack { desk, author_id: author_id.expect("somebody is signed in"), report_id };
        let mut model = lock(&self.around.model);
        laws::taking_back(&model, &made, voided.occurred_at, &open)?;
        model.voids.insert(item.id, made);
        drop(model);
        self.count(if open.iter().any(|item| item.id == report_id) {
            "uses taken back before they were sent"
        } else {
            "uses taken back after they were sent"
        });
        if !status.online {
            self.count("uses taken back without the server");
        }
        Ok(())
    }

    /// Gives up the first item that requires attention.
    pub async fn withdraw(&mut self, desk: usize) -> Law {
        let (_, open) = self.said(desk).await?;
        let Some(item) = open.iter().find(|item| item.state == ItemState::NeedsAttention) else {
            return Ok(());
        };
        let (program, id, kind) = (self.desks[desk].desk(), item.id, item.kind);
        let reasonless = program.withdraw_item(id, "  ").await.err().map(|error| error.code());
        laws::needs_a_reason(reasonless)?;
        let doing = async move { program.withdraw_item(id, "se registró por error").await };
        let done = self.at(desk, doing).await?;
        if done.as_ref().is_some_and(Result::is_ok) {
            let arrived = &self.around.server.held().ids() | &self.around.on_the_way();
            let mut model = lock(&self.around.model);
            model.withdraw(id, &arrived);
            if kind == ItemKind::OfflineLookup {
                *model.untold.entry(desk).or_default() += 1;
            }
            drop(model);
            self.count("items given up");
        }
        self.tell(desk, done.map(|done| done.map(|_| format!("{id} is given up"))));
        Ok(())
    }

    /// Has the regulars verified again.
    pub async fn refresh(&mut self, desk: usize) -> Law {
        let program = self.desks[desk].desk();
        let verified = self.at(desk, async move { program.refresh_regulars().await }).await?;
        for _ in 0..verified.as_ref().and_then(|verified| verified.as_ref().ok()).copied().unwrap_or(0) {
            self.count("regulars verified again");
        }
        self.tell(desk, verified.map(|verified| verified.map(|people| format!("{people} verified again"))));
        Ok(())
    }

    /// Locks the desk.
    pub async fn lock(&mut self, desk: usize) -> Law {
        let program = self.desks[desk].desk();
        let done = self.at(desk, async move { program.lock_desk().await }).await?;
        if done.as_ref().is_some_and(Result::is_ok) {
            self.desks[desk].locked = true;
            self.desks[desk].card = None;
            self.count("desks locked");
        }
        self.tell(desk, done.map(|done| done.map(|_| "locked".into())));
        Ok(())
    }

    /// Somebody types the password of the operator, or another one.
    pub async fn unlock(&mut self, desk: usize, right: bool) -> Law {
        let program = self.desks[desk].desk();
        let Ok(session) = program.session() else { return Ok(()) };
        if !session.locked {
            return Ok(());
        }
        let accounts = self.desks[desk].operators;
        let account = accounts.iter().find(|account| account.username == session.operator.username);
        let password = account.filter(|_| right).map_or("no es", |account| account.password.as_str());
        let password = Redacted::new(password.to_owned());
        let done = self.at(desk, async move { program.unlock_desk(&password).await }).await?;
        if done.as_ref().is_some_and(Result::is_ok) {
            laws::lets_in(right)?;
            self.desks[desk].locked = false;
            self.count("desks unlocked");
        }
        self.tell(desk, done.map(|done| done.map(|_| "unlocked".into())));
        Ok(())
    }

    /// Cards that took the place of others.
    pub fn see_late_cards(&mut self, desk: usize) -> Law {
        let running = self.desks[desk].running.as_mut().expect("the desk is open");
        let mut late = Vec::new();
        loop {
            match running.events.try_recv() {
                Ok(Event::Card(card)) if card.reported.is_none() => late.push(*card),
                Ok(
                    Event::Status(_) | Event::Card(_) | Event::Synced(_) | Event::Revoked | Event::Upload(_),
                )
                | Err(tokio::sync::broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => break,
            }
        }
        for card in late {
            self.count("cards replaced by a late answer");
            self.look_at(desk, card)?;
        }
        Ok(())
    }
}
