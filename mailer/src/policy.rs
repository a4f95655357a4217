//! The rules of the closing guarantee: whether a claimed delivery is sent now, waits, or ends unsent. Pure functions
//! over facts already read; each decision names the rule that made it, for whoever asks the ledger why.
//!
//! ```text
//! opening  queued ─▶ sent | refused | gave_up | erased      each may have left, or surely has not
//!             ╰────▶ dropped | expired | unsubscribed       surely not sent any more
//! close    waits for its opening to settle, then: may it have left? ─ yes ─▶ sent
//!                                                                  ╰─ no ──▶ dropped | expired with it
//! ```

use andon_domain::{CommandKind, Millis};
use andon_store::{Delivery, DeliveryState};

/// How long a delivery waits before it is looked at again where nothing says when that is of use: 1 s.
const LOOK_AGAIN_MS: i64 = 1_000;

/// What is done with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It leaves now.
    Send,
    /// It is looked at again then.
    Wait { due_at: Millis, rule: &'static str },
    /// It ends unsent.
    End { state: DeliveryState, rule: &'static str },
}

/// How a delivery enters the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) state: DeliveryState,
    pub(crate) due_at: Millis,
    pub(crate) rule: &'static str,
}

/// Judges a command that was read.
pub(crate) fn enter(kind: CommandKind, created_at: Millis, now: Millis, notify_max_age_ms: i64) -> Entry {
    let queued = |due_at, rule| Entry { state: DeliveryState::Queued, due_at, rule };
    match kind {
        CommandKind::Unsubscribed => {
            Entry { state: DeliveryState::Unsubscribed, due_at: now, rule: "unsubscribed" }
        }
        CommandKind::Down if is_old(created_at, now, notify_max_age_ms) => {
            queued(now.saturating_add(LOOK_AGAIN_MS), "old_opening_waits_for_the_log")
        }
        CommandKind::Down | CommandKind::Restored | CommandKind::Withdrawn => queued(now, "at_once"),
    }
}

fn is_old(created_at: Millis, now: Millis, notify_max_age_ms: i64) -> bool {
    now.saturating_sub(created_at) > notify_max_age_ms
}

/// What a delivery's other half, its opening or its close, has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Half {
    pub(crate) kind: CommandKind,
    pub(crate) state: DeliveryState,
    pub(crate) may_have_left: bool,
    pub(crate) due_at: Millis,
    /// Whether the claim on it is this sender's, in this very turn: then it does not move meanwhile.
    pub(crate) is_ours: bool,
}

impl Half {
    pub(crate) fn of(delivery: &Delivery, is_ours: bool) -> Self {
        Self {
            kind: delivery.kind,
            state: delivery.state,
            may_have_left: delivery.may_have_left,
            due_at: delivery.due_at,
            is_ours,
        }
    }
}

/// What the decision over an opening depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) created_at: Millis,
    /// Whether the other side answered an earlier attempt, and sent it back for now.
    pub(crate) was_tried: bool,
    pub(crate) may_have_left: bool,
    /// Whether the log was read to its end after this opening was entered.
    pub(crate) is_caught_up: bool,
    /// Its close, if one is in the ledger.
    pub(crate) close: Option<Half>,
}

/// Judges an opening.
pub(crate) fn judge_opening(opening: &Opening, now: Millis, notify_max_age_ms: i64) -> Decision {
    let end = |state, rule| Decision::End { state, rule };
    let surely_stayed = !opening.may_have_left;
    if let Some(close) = opening.close {
        if close.kind == CommandKind::Unsubscribed {
            return end(DeliveryState::Unsubscribed, "unsubscribed_before_it_was_told");
        }
        if close.state == DeliveryState::Sending && !close.is_ours {
            return Decision::Wait {
                due_at: now.saturating_add(LOOK_AGAIN_MS),
                rule: "its_close_is_leaving",
            };
        }
        if close.state.is_final() || close.may_have_left {
            return end(DeliveryState::GaveUp, "overtaken_by_its_close");
        }
        if opening.was_tried && surely_stayed {
            return end(DeliveryState::Dropped, "over_before_it_could_be_told");
        }
    }
    if surely_stayed && !opening.was_tried && is_old(opening.created_at, now, notify_max_age_ms) {
        if opening.close.is_some() {
            return end(DeliveryState::Expired, "over_and_old");
        }
        if !opening.is_caught_up {
            return Decision::Wait {
                due_at: now.saturating_add(LOOK_AGAIN_MS),
                rule: "old_opening_waits_for_the_log",
            };
        }
    }
    Decision::Send
}

/// What the decision over a close depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close {
    /// Its opening, if it is in the ledger.
    pub(crate) opening: Option<Half>,
    /// Whether the log was read to its end after this close was entered.
    pub(crate) is_caught_up: bool,
    /// Whether the stop is so old that the ledger may have forgotten the opening.
    pub(crate) may_be_forgotten: bool,
}

/// Judges a close.
pub(crate) fn judge_close(close: &Close, now: Millis) -> Decision {
    let Some(opening) = close.opening else {
        return match (close.may_be_forgotten, close.is_caught_up) {
            (true, _) => Decision::Send,
            (false, true) => Decision::End { state: DeliveryState::Dropped, rule: "opening_unknown" },
            (false, false) => {
                Decision::Wait { due_at: now.saturating_add(LOOK_AGAIN_MS), rule: "opening_unknown_yet" }
            }
        };
    };
    match opening.state {
        // It was tried, may have arrived, and rests until its next attempt: its close need not rest with it.
        DeliveryState::Queued if opening.may_have_left => Decision::Send,
        DeliveryState::Queued | DeliveryState::Sending => Decision::Wait {
            // Behind the opening: what is due first is claimed first.
            due_at: opening.due_at.max(now.saturating_add(LOOK_AGAIN_MS)),
            rule: "waits_for_its_opening",
        },
        DeliveryState::Sent => Decision::Send,
        DeliveryState::Refused
        | DeliveryState::GaveUp
        | DeliveryState::Erased
        | DeliveryState::Unsubscribed
        | DeliveryState::Dropped
        | DeliveryState::Expired
            if opening.may_have_left =>
        {
            Decision::Send
        }
        DeliveryState::Expired => {
            Decision::End { state: DeliveryState::Expired, rule: "expired_with_its_opening" }
        }
        DeliveryState::Refused
        | DeliveryState::GaveUp
        | DeliveryState::Erased
        | DeliveryState::Unsubscribed
        | DeliveryState::Dropped => {
            Decision::End { state: DeliveryState::Dropped, rule: "its_opening_never_left" }
        }
    }
}

#[cfg(test)]
mod tests;
