//! Dispatch: claims what is due, judges each delivery, lets leave what may leave, and records what became of it.
//!
//! ```text
//! claim ─▶ judge ─▶ mark as leaving ─▶ send ─▶ settle          a crash between any two: the lease runs out,
//!             ╰───── waits, or ends unsent ─────▶ settle          and whoever claims it next goes on from the ledger
//! ```
//!
//! Openings of a portion are settled before its closes are judged. Nothing of a message may reach the log.

use andon_log::chain;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use andon_domain::{Command, CommandKind, Millis, NotificationId, SubscriberId};
use andon_schemas::decode_command;
use andon_store::{Accounts, Claim, Delivery, DeliveryState, Leaving, Settlement, Subscriber, Views};
use tokio::runtime::Handle;
use tracing::{info, warn};

use crate::breaker::Breaker;
use crate::history::{self, History, Manner, Patience, Reading};
use crate::local_time::Local;
use crate::metrics::HistoryRead;
use crate::policy::{self, Close, Decision, Half, Opening};
use crate::render::manner;
use crate::retry::{Attempt, Verdict};
use crate::sending::send_all;
use crate::{Clock, Config, Error, Look, Mail, Metrics, SendError, Transport, render};

/// How long an erasure that could not be finished rests: 10 s.
const ERASE_AGAIN_MS: i64 = 10_000;

/// How far the clocks of controllers, log and mailer may be apart where it matters: a day.
const CLOCK_MARGIN_MS: i64 = 86_400_000;

/// The closes that an opening may have.
const CLOSES: [CommandKind; 3] = [CommandKind::Restored, CommandKind::Withdrawn, CommandKind::Unsubscribed];

pub(crate) struct Dispatcher {
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) views: Arc<dyn Views>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) runtime: Handle,
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    pub(crate) look: Look,
    pub(crate) metrics: Metrics,
    /// Who claims: random, so that no two processes and no two lives of one have the same.
    pub(crate) owner: String,
    pub(crate) breaker: Breaker,
    /// What became of deliveries and is not in the ledger yet, because it did not answer.
    pub(crate) unrecorded: Vec<Unrecorded>,
}

/// What became of a delivery, before the ledger knows it.
pub(crate) struct Unrecorded {
    settlement: Settlement,
    /// For whom a message may have left, until it is known that they were not erased meanwhile.
    left_for: Option<SubscriberId>,
}

/// A delivery that is to leave.
struct Departure {
    delivery: Delivery,
    mail: Mail,
    /// What the message says beyond its command, for the ledger.
    facts: Vec<u8>,
}

impl Dispatcher {
    /// Handles one portion of what is due. Whether there may be more.
    pub(crate) fn turn(&mut self, is_caught_up: bool, stop: &AtomicBool) -> Result<bool, Error> {
        self.record()?;
        let now = (self.clock)();
        if self.breaker.paused_until(now).is_some() {
            return Ok(false);
        }
        let claim = Claim {
            owner: self.owner.clone(),
            now,
            lease_until: now.saturating_add(self.config.lease_ms),
            limit: self.breaker.allows(self.config.claim_limit),
        };
        let claimed = self
            .runtime
            .block_on(self.accounts.claim(&claim))
            .map_err(Error::accounts("claim what is due from the ledger"))?;
        let is_full = claimed.len() >= claim.limit;
        let handled = self.handle(claimed.clone(), is_caught_up, stop);
        if handled.is_err() {
            self.give_back(&claimed);
        }
        handled.map(|()| is_full)
    }

    fn handle(&mut self, claimed: Vec<Delivery>, is_caught_up: bool, stop: &AtomicBool) -> Result<(), Error> {
        let leave_before = (self.clock)().saturating_add(self.config.lease_ms / 2);
        let ours: HashSet<NotificationId> = claimed.iter().map(|delivery| delivery.id).collect();
        let (openings, closes) =
            claimed.into_iter().partition::<Vec<_>, _>(|delivery| delivery.kind == CommandKind::Down);
        for portion in [openings, closes] {
            let departures = self.judge_all(portion, &ours, is_caught_up)?;
            self.let_leave(departures, leave_before, stop)?;
            self.record()?;
        }
        Ok(())
    }

    /// The accounts did not answer half-way: what came to nothing need not wait for its lease to run out.
    fn give_back(&mut self, claimed: &[Delivery]) {
        let has_end: HashSet<NotificationId> =
            self.unrecorded.iter().map(|unrecorded| unrecorded.settlement.id).collect();
        // Of what an earlier portion has settled, the ledger takes no second settlement.
        for delivery in claimed.iter().filter(|delivery| !has_end.contains(&delivery.id)) {
            self.wait(delivery, (self.clock)(), "accounts_did_not_answer");
        }
    }

    /// Until when the way out is known to be broken.
    pub(crate) fn paused_until(&self, now: Millis) -> Option<Millis> {
        self.breaker.paused_until(now)
    }

    /// Decides over each delivery; those to leave are returned, with their message.
    fn judge_all(
        &mut self,
        portion: Vec<Delivery>,
        ours: &HashSet<NotificationId>,
        is_caught_up: bool,
    ) -> Result<Vec<Departure>, Error> {
        let patience = Patience::of_ms(self.config.views_ms_max);
        let mut departures = Vec::with_capacity(portion.len());
        for delivery in portion {
            let subscriber = self.subscriber(delivery.subscriber_id)?;
            let Some(subscriber) = subscriber else {
                self.end_erased(&delivery);
                continue;
            };
            match self.judge(&delivery, ours, is_caught_up)? {
                Decision::Send => match self.message(&delivery, &subscriber, patience)? {
                    Some((mail, facts)) => departures.push(Departure { delivery, mail, facts }),
                    None => self.end(&delivery, DeliveryState::Refused, "message_unsendable"),
                },
                Decision::Wait { due_at, rule } => self.wait(&delivery, due_at, rule),
                Decision::End { state, rule } => self.end(&delivery, state, rule),
            }
        }
        Ok(departures)
    }

    /// Reads what the decision over a delivery depends on, and decides.
    fn judge(
        &self,
        delivery: &Delivery,
        ours: &HashSet<NotificationId>,
        is_caught_up: bool,
    ) -> Result<Decision, Error> {
        let now = (self.clock)();
        if delivery.kind == CommandKind::Down {
            let mut close = None;
            for kind in CLOSES {
                close = close.or(self.half(delivery, kind, ours)?);
            }
            let opening = Opening {
                created_at: delivery.created_at,
                was_tried: delivery.smtp_code.is_some(),
                may_have_left: delivery.may_have_left,
                is_caught_up,
                close,
            };
            return Ok(policy::judge_opening(&opening, now, self.config.notify_max_age_ms));
        }
        let opening = self.half(delivery, CommandKind::Down, ours)?;
        let stop_began_at =
            decode_command(&delivery.command).map_or(delivery.created_at, |command| command.first_told_start);
        // An opening settles after its stop began; the margin is for clocks that do not quite agree.
        let forgotten_before =
            now.saturating_sub(self.config.keep_settled_ms).saturating_add(CLOCK_MARGIN_MS);
        let close = Close { opening, is_caught_up, may_be_forgotten: stop_began_at < forgotten_before };
        Ok(policy::judge_close(&close, now))
    }

    /// The delivery of another kind about the same incident to the same subscriber.
    fn half(
        &self,
        delivery: &Delivery,
        kind: CommandKind,
        ours: &HashSet<NotificationId>,
    ) -> Result<Option<Half>, Error> {
        let id = NotificationId::derive(delivery.incident_id, kind, delivery.subscriber_id);
        let found = self
            .runtime
            .block_on(self.accounts.delivery(id))
            .map_err(Error::accounts("read a delivery from the ledger"))?;
        Ok(found.map(|found| Half::of(&found, ours.contains(&found.id))))
    }

    fn subscriber(&self, id: SubscriberId) -> Result<Option<Subscriber>, Error> {
        self.runtime.block_on(self.accounts.subscriber(id)).map_err(Error::accounts("read a subscriber"))
    }

    /// The message, if one can be made, and the facts in it.
    fn message(
        &self,
        delivery: &Delivery,
        subscriber: &Subscriber,
        patience: Patience,
    ) -> Result<Option<(Mail, Vec<u8>)>, Error> {
        let problem = match decode_command(&delivery.command) {
            Ok(command) => {
                let history = self.history(delivery, &command, subscriber, patience)?;
                match render(&command, &history, subscriber, &self.look) {
                    Ok(mail) => return Ok(Some((mail, history.encode()))),
                    Err(error) => chain(&error),
                }
            }
            Err(error) => chain(&error),
        };
        warn!(notification.id = %delivery.id, "a message cannot be made and is not sent: {problem}");
        Ok(None)
    }

    /// What the message says beyond its command: what it said at its first attempt, or what is known now.
    fn history(
        &self,
        delivery: &Delivery,
        command: &Command,
        subscriber: &Subscriber,
        patience: Patience,
    ) -> Result<History, Error> {
        if let Some(facts) = &delivery.facts {
            return Ok(decoded(delivery.id, facts));
        }
        if delivery.may_have_left {
            // It left before facts were kept, without any.
            return Ok(History::default());
        }
        let mut manner = manner(command, subscriber);
        if delivery.kind != CommandKind::Down
            && let Some(told) = self.manner_of_opening(delivery)?
        {
            manner.stem = told.stem;
        }
        let local = Local::of(&manner.zone);
        let reading = self.runtime.block_on(history::read(&*self.views, command, &local, patience));
        let (history, read) = match reading {
            Reading::Known(history) => (history, Some(HistoryRead::Known)),
            Reading::Unneeded => (History::default(), None),
            Reading::Unknown => (History::default(), Some(HistoryRead::Unknown)),
            Reading::Failed(error) => {
                warn!(notification.id = %delivery.id, "a message goes without its history: {}", chain(&error));
                (History::default(), Some(HistoryRead::Failed))
            }
        };
        if let Some(read) = read {
            self.metrics.history(read);
        }
        Ok(History { manner: Some(manner), ..history })
    }

    /// How the opening of a close was written, if the ledger knows.
    fn manner_of_opening(&self, close: &Delivery) -> Result<Option<Manner>, Error> {
        let id = NotificationId::derive(close.incident_id, CommandKind::Down, close.subscriber_id);
        let opening = self
            .runtime
            .block_on(self.accounts.delivery(id))
            .map_err(Error::accounts("read a delivery from the ledger"))?;
        Ok(opening.and_then(|opening| opening.facts).and_then(|facts| decoded(id, &facts).manner))
    }

    /// Marks, sends and judges the outcome.
    fn let_leave(
        &mut self,
        mut departures: Vec<Departure>,
        leave_before: Millis,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        if let Some(until) = self.breaker.paused_until((self.clock)()) {
            for departure in departures {
                self.wait(&departure.delivery, until, "way_out_broken");
            }
            return Ok(());
        }
        if departures.is_empty() {
            return Ok(());
        }
        let leaving: Vec<Leaving> = departures
            .iter()
            .map(|departure| Leaving { id: departure.delivery.id, facts: departure.facts.clone() })
            .collect();
        let leaving = self
            .runtime
            .block_on(self.accounts.leaving(&self.owner, &leaving))
            .map_err(Error::accounts("mark deliveries as leaving in the ledger"))?;
        // What is not ours any more, another sender has taken over.
        departures.retain(|departure| leaving.contains(&departure.delivery.id));
        let (deliveries, mails): (Vec<Delivery>, Vec<Mail>) =
            departures.into_iter().map(|departure| (departure.delivery, departure.mail)).unzip();
        let (transport, clock) = (Arc::clone(&self.transport), Arc::clone(&self.clock));
        let may_begin = || clock() < leave_before && !stop.load(Ordering::Acquire);
        let mut has_begun = vec![false; mails.len()];
        let (mut broken_until, mut takes_record) = (None, true);
        send_all(&*transport, &mails, &may_begin, &mut |outcomes| {
            let now = (self.clock)();
            for (at, outcome) in outcomes {
                has_begun[at] = true;
                if let Err(error @ SendError::Infrastructure(_)) = &outcome {
                    let until = *broken_until.get_or_insert_with(|| self.broken(error, now));
                    self.ended(&deliveries[at], &outcome, now, until);
                } else {
                    self.ended(&deliveries[at], &outcome, now, now);
                }
            }
            // If the ledger does not answer now, it is asked once more when all have ended, and the error told then.
            takes_record = takes_record && self.record().is_ok();
        });
        if broken_until.is_none() && has_begun.contains(&true) {
            self.breaker.works();
        }
        // Before what broke the way: if one message does that each time, it must not be the one to try it.
        let due_at = broken_until.map_or_else(|| (self.clock)(), |until| until.saturating_sub(1));
        for (delivery, _) in deliveries.iter().zip(&has_begun).filter(|(_, has_begun)| !**has_begun) {
            self.wait(delivery, due_at, "not_begun");
        }
        Ok(())
    }

    /// Lets the breaker know that the way is broken; from when on something may leave again.
    fn broken(&mut self, error: &SendError, now: Millis) -> Millis {
        let until = self.breaker.broken(now);
        let pause = until.saturating_sub(now);
        warn!("no message can leave, the next try is in {pause} ms: {}", chain(error));
        until
    }

    /// Records how an attempt ended.
    fn ended(&mut self, delivery: &Delivery, outcome: &Result<(), SendError>, now: Millis, pause: Millis) {
        let attempt = Attempt {
            id: delivery.id,
            attempts: delivery.attempts,
            may_have_left: delivery.may_have_left,
            created_at: delivery.created_at,
            give_up_after_ms: self.config.give_up_after_ms,
            now,
        };
        let verdict = attempt.judge(outcome, pause);
        match outcome {
            Ok(()) => {
                let seconds = now.saturating_sub(delivery.created_at).max(0) as f64 / 1_000.0;
                self.metrics.event_to_send_seconds.observe(seconds);
            }
            // It was said once for all that wait.
            Err(SendError::Infrastructure(_)) => {}
            Err(error) => {
                warn!(
                    notification.id = %delivery.id,
                    delivery.state = verdict.state.name(),
                    delivery.rule = verdict.rule,
                    "a message was not accepted: {}",
                    chain(error)
                );
            }
        }
        let may_be_found_again = verdict.may_have_left.then_some(delivery.subscriber_id);
        self.settle(delivery, verdict, now, may_be_found_again);
    }

    fn wait(&mut self, delivery: &Delivery, due_at: Millis, rule: &'static str) {
        let verdict = Verdict { due_at, is_attempt: false, ..unsent(delivery, DeliveryState::Queued, rule) };
        self.settle(delivery, verdict, (self.clock)(), None);
    }

    fn end(&mut self, delivery: &Delivery, state: DeliveryState, rule: &'static str) {
        info!(
            notification.id = %delivery.id,
            incident.id = %delivery.incident_id,
            subscriber.id = %delivery.subscriber_id,
            delivery.state = state.name(),
            delivery.rule = rule,
            "a notification ends unsent"
        );
        self.settle(delivery, unsent(delivery, state, rule), (self.clock)(), None);
    }

    /// The subscriber is gone: so is whatever the transport keeps of them.
    fn end_erased(&mut self, delivery: &Delivery) {
        match self.transport.forget(delivery.subscriber_id) {
            Ok(()) => self.end(delivery, DeliveryState::Erased, "subscriber_erased"),
            Err(error) => {
                warn!(subscriber.id = %delivery.subscriber_id, "an erasure is not finished: {}", chain(&error));
                let due_at = (self.clock)().saturating_add(ERASE_AGAIN_MS);
                self.wait(delivery, due_at, "erasure_unfinished");
            }
        }
    }

    fn settle(&mut self, delivery: &Delivery, verdict: Verdict, now: Millis, left_for: Option<SubscriberId>) {
        let settlement = Settlement {
            id: delivery.id,
            owner: self.owner.clone(),
            state: verdict.state,
            due_at: verdict.due_at,
            rule: verdict.rule.to_owned(),
            may_have_left: verdict.may_have_left,
            smtp_code: verdict.smtp_code,
            is_attempt: verdict.is_attempt,
            now,
        };
        self.unrecorded.push(Unrecorded { settlement, left_for });
    }

    /// Writes what became of deliveries into the ledger. What cannot be written is kept, and written first next time.
    fn record(&mut self) -> Result<(), Error> {
        if self.unrecorded.is_empty() {
            return Ok(());
        }
        // Whoever was erased while their message left would find it in the outbox again.
        for at in 0..self.unrecorded.len() {
            let Some(subscriber_id) = self.unrecorded[at].left_for else { continue };
            if self.subscriber(subscriber_id)?.is_none() {
                let erased = self.transport.forget(subscriber_id);
                let settlement = &mut self.unrecorded[at].settlement;
                match erased {
                    Ok(()) => {
                        settlement.state = DeliveryState::Erased;
                        "subscriber_erased".clone_into(&mut settlement.rule);
                    }
                    // Theirs alone waits: whoever claims it next finds them gone, and tries the same again.
                    Err(error) => {
                        warn!(subscriber.id = %subscriber_id, "an erasure is not finished: {}", chain(&error));
                        settlement.state = DeliveryState::Queued;
                        settlement.due_at = settlement.now.saturating_add(ERASE_AGAIN_MS);
                        "erasure_unfinished".clone_into(&mut settlement.rule);
                    }
                }
            }
            self.unrecorded[at].left_for = None;
        }
        let settlements: Vec<Settlement> =
            self.unrecorded.iter().map(|unrecorded| unrecorded.settlement.clone()).collect();
        let recorded = self
            .runtime
            .block_on(self.accounts.settle(&settlements))
            .map_err(Error::accounts("settle deliveries in the ledger"))?;
        if recorded < settlements.len() {
            // A lease ran out, or an earlier answer was lost on its way: the ledger knows better than we do.
            info!("{} settlements came after somebody else's", settlements.len() - recorded);
        }
        for settlement in &settlements {
            self.metrics.settled(settlement.state);
        }
        self.unrecorded.clear();
        Ok(())
    }
}

/// The facts of a message, as the ledger kept them.
fn decoded(id: NotificationId, facts: &[u8]) -> History {
    History::decode(facts).unwrap_or_else(|error| {
        warn!(notification.id = %id, "the facts of a message are unreadable: {}", chain(&error));
        History::default()
    })
}

/// What becomes of a delivery that nothing was tried with.
fn unsent(delivery: &Delivery, state: DeliveryState, rule: &'static str) -> Verdict {
    Verdict {
        state,
        due_at: delivery.due_at,
        rule,
        may_have_left: delivery.may_have_left,
        smtp_code: None,
        is_attempt: false,
    }
}
