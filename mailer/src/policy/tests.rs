//! The rules, as tables. Each row differs from another in one fact that decides.

use andon_domain::CommandKind::{Down, Restored, Unsubscribed, Withdrawn};
use andon_store::DeliveryState::{
    Dropped, Erased, Expired, GaveUp, Queued, Refused, Sending, Sent, Unsubscribed as Left,
};

use super::*;

const MAX_AGE: i64 = 900_000;
const NOW: i64 = 10_000_000;
const YOUNG: i64 = NOW - MAX_AGE;
const OLD: i64 = NOW - MAX_AGE - 1;

fn half(kind: CommandKind, state: DeliveryState, may_have_left: bool) -> Option<Half> {
    Some(Half { kind, state, may_have_left, due_at: NOW, is_ours: false })
}

fn end(state: DeliveryState, rule: &'static str) -> Decision {
    Decision::End { state, rule }
}

fn again(rule: &'static str) -> Decision {
    Decision::Wait { due_at: NOW + 1_000, rule }
}

#[test]
fn a_command_enters_the_ledger_by_its_kind_and_age() {
    let rows = [
        (Down, YOUNG, Queued, NOW, "at_once"),
        (Down, OLD, Queued, NOW + 1_000, "old_opening_waits_for_the_log"),
        (Restored, OLD, Queued, NOW, "at_once"),
        (Withdrawn, YOUNG, Queued, NOW, "at_once"),
        (Unsubscribed, OLD, Left, NOW, "unsubscribed"),
        (Down, NOW + 5_000, Queued, NOW, "at_once"), // the log's clock is ahead of ours
        (Down, i64::MIN, Queued, NOW + 1_000, "old_opening_waits_for_the_log"),
    ];
    for (kind, created_at, state, due_at, rule) in rows {
        assert_eq!(
            enter(kind, created_at, NOW, MAX_AGE),
            Entry { state, due_at, rule },
            "{kind:?} {created_at}"
        );
    }
}

#[test]
fn an_opening_is_sent_unless_it_is_over_or_old() {
    use Decision::Send;
    let ours = |state| half(Restored, state, false).map(|half| Half { is_ours: true, ..half });
    let old_waits = again("old_opening_waits_for_the_log");
    let over_and_old = end(Expired, "over_and_old");
    let never_told = end(Dropped, "over_before_it_could_be_told");
    let overtaken = end(GaveUp, "overtaken_by_its_close");
    let left = end(Left, "unsubscribed_before_it_was_told");
    #[rustfmt::skip]
    let rows = [
        // created, tried, may have left, caught up, its close                   | decision
        (YOUNG, false, false, false, None,                                         Send),
        (YOUNG, true,  false, false, None,                                         Send),
        (YOUNG, true,  true,  false, None,                                         Send),
        // Too old to tell, unless the line is still down once we know everything.
        (OLD,   false, false, false, None,                                         old_waits),
        (OLD,   false, false, true,  None,                                         Send),
        (OLD,   false, false, true,  half(Restored, Queued, false),                over_and_old),
        (OLD,   false, false, false, half(Withdrawn, Queued, false),               over_and_old),
        // What may have been told already is told again, however old.
        (OLD,   false, true,  false, half(Restored, Queued, false),                Send),
        (OLD,   true,  false, false, None,                                         Send),
        // Not tried yet: both are sent, in order.
        (YOUNG, false, false, false, half(Restored, Queued, false),                Send),
        (YOUNG, false, false, false, ours(Sending),                                Send),
        // Tried, surely not arrived, and over.
        (YOUNG, true,  false, false, half(Restored, Queued, false),                never_told),
        (OLD,   true,  false, false, half(Withdrawn, Queued, false),               never_told),
        // Never behind its own close.
        (YOUNG, true,  true,  false, half(Restored, Sending, false),               again("its_close_is_leaving")),
        (YOUNG, true,  true,  false, half(Restored, Queued, true),                 overtaken),
        (YOUNG, true,  true,  false, half(Restored, Sent, true),                   overtaken),
        (YOUNG, true,  true,  false, half(Withdrawn, Refused, false),              overtaken),
        (YOUNG, true,  true,  false, half(Restored, Queued, false),                Send),
        // Whoever has left is told nothing more.
        (YOUNG, false, false, false, half(Unsubscribed, Left, false),              left),
        (YOUNG, true,  true,  true,  half(Unsubscribed, Left, false),              left),
    ];
    for (row, (created_at, was_tried, may_have_left, is_caught_up, close, wanted)) in
        rows.into_iter().enumerate()
    {
        let opening = Opening { created_at, was_tried, may_have_left, is_caught_up, close };
        assert_eq!(judge_opening(&opening, NOW, MAX_AGE), wanted, "row {row}: {opening:?}");
    }
}

#[test]
fn a_close_follows_what_became_of_its_opening() {
    use Decision::Send;
    let never_left = end(Dropped, "its_opening_never_left");
    let expired = end(Expired, "expired_with_its_opening");
    let waits = again("waits_for_its_opening");
    #[rustfmt::skip]
    let rows = [
        // opening: state, may have left | decision
        (Queued,  false, waits),
        (Queued,  true,  Send), // it rests until its next attempt
        (Sending, false, waits),
        (Sending, true,  waits),
        (Sent,    true,  Send),
        (Refused, false, never_left),
        (Refused, true,  Send),
        (GaveUp,  false, never_left),
        (GaveUp,  true,  Send),
        (Dropped, false, never_left),
        (Erased,  false, never_left),
        (Erased,  true,  Send),
        (Left,    false, never_left),
        (Left,    true,  Send),
        (Expired, false, expired),
        (Expired, true,  Send),
    ];
    for (state, may_have_left, wanted) in rows {
        for is_caught_up in [false, true] {
            let close =
                Close { opening: half(Down, state, may_have_left), is_caught_up, may_be_forgotten: false };
            assert_eq!(judge_close(&close, NOW), wanted, "{close:?}");
        }
    }
}

#[test]
fn a_close_comes_behind_the_next_attempt_of_its_opening() {
    let opening =
        Half { kind: Down, state: Queued, may_have_left: false, due_at: NOW + 600_000, is_ours: false };
    let close = Close { opening: Some(opening), is_caught_up: true, may_be_forgotten: false };
    let wanted = Decision::Wait { due_at: NOW + 600_000, rule: "waits_for_its_opening" };
    assert_eq!(judge_close(&close, NOW), wanted);
}

#[test]
fn a_close_whose_opening_is_unknown_is_sent_only_where_it_may_have_been_forgotten() {
    let rows = [
        (false, false, again("opening_unknown_yet")),
        (true, false, end(Dropped, "opening_unknown")),
        (false, true, Decision::Send),
        (true, true, Decision::Send),
    ];
    for (is_caught_up, may_be_forgotten, wanted) in rows {
        let close = Close { opening: None, is_caught_up, may_be_forgotten };
        assert_eq!(judge_close(&close, NOW), wanted, "{close:?}");
    }
}
