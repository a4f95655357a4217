//! What an attempt to send means for its delivery: final, or again, and when. Pure functions over what happened.

use andon_domain::{Millis, NotificationId};
use andon_store::DeliveryState;

use crate::SendError;

/// Pauses after the first attempts, in ms: 1, 10 and 60 minutes; later ones are an hour each.
const PAUSES_MS: [i64; 3] = [60_000, 600_000, 3_600_000];

/// What is known when an attempt has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) id: NotificationId,
    /// Attempts so far, this one counted.
    pub(crate) attempts: u32,
    /// Whether an earlier attempt may have reached the recipient.
    pub(crate) may_have_left: bool,
    pub(crate) created_at: Millis,
    pub(crate) give_up_after_ms: i64,
    pub(crate) now: Millis,
}

/// What becomes of the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) state: DeliveryState,
    /// When to try again; the time of the verdict where the state is final.
    pub(crate) due_at: Millis,
    pub(crate) rule: &'static str,
    pub(crate) may_have_left: bool,
    pub(crate) smtp_code: Option<u16>,
    /// Whether it counts as an attempt: not where the way itself is broken.
    pub(crate) is_attempt: bool,
}

impl Attempt {
    /// Judges the outcome. `paused_until` is when a broken way may be tried again.
    pub(crate) fn judge(&self, outcome: &Result<(), SendError>, paused_until: Millis) -> Verdict {
        let ended = |state, rule| Verdict {
            state,
            due_at: self.now,
            rule,
            may_have_left: self.may_have_left,
            smtp_code: None,
            is_attempt: true,
        };
        let verdict = match outcome {
            Ok(()) => Verdict { may_have_left: true, ..ended(DeliveryState::Sent, "sent") },
            Err(SendError::Refused { reply }) => {
                Verdict { smtp_code: Some(reply.code), ..ended(DeliveryState::Refused, "refused") }
            }
            Err(SendError::Message { .. }) => ended(DeliveryState::Refused, "message_unsendable"),
            Err(SendError::Transient { reply }) => {
                Verdict { smtp_code: Some(reply.code), ..self.again("retry_transient") }
            }
            Err(SendError::Ambiguous(_)) => Verdict { may_have_left: true, ..self.again("retry_ambiguous") },
            Err(SendError::Infrastructure(_)) => {
                Verdict { due_at: paused_until, is_attempt: false, ..self.again("way_out_broken") }
            }
        };
        let is_too_old = self.now.saturating_sub(self.created_at) >= self.give_up_after_ms;
        if !verdict.state.is_final() && is_too_old {
            return Verdict {
                state: DeliveryState::GaveUp,
                due_at: self.now,
                rule: "tried_too_long",
                ..verdict
            };
        }
        verdict
    }

    fn again(&self, rule: &'static str) -> Verdict {
        Verdict {
            state: DeliveryState::Queued,
            due_at: self.now.saturating_add(pause_ms(self.id, self.attempts)),
            rule,
            may_have_left: self.may_have_left,
            smtp_code: None,
            is_attempt: true,
        }
    }
}

/// The pause after that many attempts: up to a fifth longer than the plan, by the id, so that messages which failed
/// together do not all come back together.
fn pause_ms(id: NotificationId, attempts: u32) -> i64 {
    let step = (attempts.max(1) as usize - 1).min(PAUSES_MS.len() - 1);
    let pause = PAUSES_MS[step];
    let part = (id.0.as_u128() % 1_000) as i64;
    pause + pause / 5 * part / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const DAY_MS: i64 = 86_400_000;

    fn attempt(attempts: u32, may_have_left: bool, now: Millis) -> Attempt {
        Attempt {
            id: NotificationId(Uuid::from_u128(0)),
            attempts,
            may_have_left,
            created_at: 0,
            give_up_after_ms: 5 * DAY_MS,
            now,
        }
    }

    fn error() -> Box<dyn std::error::Error + Send + Sync> {
        "broken".into()
    }

    #[test]
    fn each_class_of_error_has_its_consequence() {
        use DeliveryState::{Queued, Refused, Sent};
        // Outcome, may have left before | state, due, rule, may have left after, code, counts as an attempt
        #[rustfmt::skip]
        let rows = [
            (Ok(()), false,                                    (Sent, 9, "sent", true, None, true)),
            (Err(SendError::Refused { reply: 550.into() }), false,     (Refused, 9, "refused", false, Some(550), true)),
            (Err(SendError::Refused { reply: 550.into() }), true,      (Refused, 9, "refused", true, Some(550), true)),
            (Err(SendError::Transient { reply: 451.into() }), false,   (Queued, 60_009, "retry_transient", false, Some(451), true)),
            (Err(SendError::Transient { reply: 451.into() }), true,    (Queued, 60_009, "retry_transient", true, Some(451), true)),
            (Err(SendError::Ambiguous(error())), false,        (Queued, 60_009, "retry_ambiguous", true, None, true)),
            (Err(SendError::Infrastructure(error())), false,   (Queued, 77, "way_out_broken", false, None, false)),
            (Err(SendError::Infrastructure(error())), true,    (Queued, 77, "way_out_broken", true, None, false)),
            (Err(SendError::Message { why: "" }), false,       (Refused, 9, "message_unsendable", false, None, true)),
        ];
        for (outcome, before, wanted) in rows {
            let v = attempt(1, before, 9).judge(&outcome, 77);
            let got = (v.state, v.due_at, v.rule, v.may_have_left, v.smtp_code, v.is_attempt);
            assert_eq!(got, wanted, "{outcome:?} after {before}");
        }
    }

    #[test]
    fn retries_come_after_1_10_and_60_minutes_and_then_hourly() {
        let due = |attempts| {
            attempt(attempts, false, 0).judge(&Err(SendError::Transient { reply: 451.into() }), 0).due_at
        };
        assert_eq!([1, 2, 3, 4, 100].map(due), [60_000, 600_000, 3_600_000, 3_600_000, 3_600_000]);
    }

    #[test]
    fn the_jitter_follows_from_the_id_and_is_below_a_fifth() {
        for id in [0_u128, 1, 499, 999, u128::MAX] {
            let id = NotificationId(Uuid::from_u128(id));
            let pause = pause_ms(id, 1);
            assert!((60_000..72_000).contains(&pause), "{pause}");
            assert_eq!(pause, pause_ms(id, 1));
        }
        assert_ne!(
            pause_ms(NotificationId(Uuid::from_u128(1)), 1),
            pause_ms(NotificationId(Uuid::from_u128(999)), 1)
        );
    }

    #[test]
    fn after_five_days_it_gives_up_and_says_whether_it_may_have_left() {
        for (outcome, left) in [
            (Err(SendError::Transient { reply: 451.into() }), false),
            (Err(SendError::Ambiguous(error())), true),
            (Err(SendError::Infrastructure(error())), false),
        ] {
            let before = attempt(9, false, 5 * DAY_MS - 1).judge(&outcome, 0);
            assert_eq!(before.state, DeliveryState::Queued, "{outcome:?}");
            let verdict = attempt(9, false, 5 * DAY_MS).judge(&outcome, 0);
            assert_eq!((verdict.state, verdict.may_have_left), (DeliveryState::GaveUp, left), "{outcome:?}");
        }
        let sent = attempt(9, false, 6 * DAY_MS).judge(&Ok(()), 0);
        assert_eq!(sent.state, DeliveryState::Sent, "an old message that arrives has arrived");
    }
}
