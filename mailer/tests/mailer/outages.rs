//! When the way out is broken: nothing is lost, nothing uses up its patience, and nobody is asked too often.

use std::sync::atomic::Ordering;

use andon_domain::CommandKind::{Down, Restored};
use andon_mailer::SendError;
use andon_store::DeliveryState::{GaveUp, Queued, Sent};

use crate::support::{DAY, HOUR, Plant, START, command, turn};

fn broken() -> SendError {
    SendError::Infrastructure("no connection".into())
}

#[test]
fn an_outage_burns_no_attempts_and_everything_is_sent_in_order_after_it() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(broken()));
    let mut mailer = plant.mailer();
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Down, subscriber, START)));
    for _ in 0..600 {
        turn(&mut mailer);
        plant.pass(1_000);
    }
    let tried = plant.transport.tried_kinds().len();
    assert!((10..=20).contains(&tried), "in 10 minutes the way was tried {tried} times");
    for subscriber in 1..=3 {
        let opening = plant.delivery(1, Down, subscriber);
        assert_eq!((opening.state, opening.attempts, opening.may_have_left), (Queued, 0, false));
    }
    plant.transport.answer(|_| Ok(()));
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Restored, subscriber, START + 1_000)));
    plant.settle_all(&mut mailer);
    assert_eq!(plant.kinds_of_files(), ["down", "restored", "down", "restored", "down", "restored"]);
    for subscriber in 1..=3 {
        assert_eq!(plant.delivery(1, Down, subscriber).attempts, 1);
        assert_eq!(plant.delivery(1, Restored, subscriber).attempts, 1);
    }
    plant.transport.assert_repeats_are_the_same_message();
}

#[test]
fn while_the_way_is_broken_one_message_tries_it_and_the_others_rest() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(broken()));
    let mut mailer = plant.mailer();
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Down, subscriber, START)));
    turn(&mut mailer);
    assert_eq!(plant.transport.tried_kinds().len(), 1, "nothing follows a message that found no way");
    plant.pass(999);
    turn(&mut mailer);
    assert_eq!(plant.transport.tried_kinds().len(), 1, "the pause is not over");
    plant.pass(1);
    turn(&mut mailer);
    assert_eq!(plant.transport.tried_kinds().len(), 2, "one message tries");
}

#[test]
fn a_message_that_breaks_the_way_each_time_is_not_the_one_to_try_it() {
    let plant = Plant::new();
    plant.transport.answer(|mail| if mail.subscriber_id.0.as_u128() == 1 { Err(broken()) } else { Ok(()) });
    let mut mailer = plant.mailer();
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Down, subscriber, START)));
    for _ in 0..4 {
        turn(&mut mailer);
        plant.pass(1_000);
    }
    assert_eq!([1, 2, 3].map(|subscriber| plant.state(1, Down, subscriber)), [Queued, Sent, Sent]);
}

#[test]
fn the_first_answer_after_an_outage_lets_all_others_follow_at_once() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(broken()));
    let mut mailer = plant.mailer();
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Down, subscriber, START)));
    turn(&mut mailer);
    plant.transport.answer(|_| Ok(()));
    plant.pass(1_000);
    turn(&mut mailer);
    assert_eq!(plant.transport.accepted().len(), 1);
    turn(&mut mailer);
    assert_eq!(plant.transport.accepted().len(), 3);
}

#[test]
fn nothing_begins_to_leave_in_the_second_half_of_a_lease() {
    let plant = Plant::new();
    let clock = plant.clock();
    plant.transport.answer(move |_| {
        clock.fetch_add(40_000, Ordering::SeqCst);
        Ok(())
    });
    let mut mailer = plant.mailer();
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Down, subscriber, START)));
    turn(&mut mailer);
    assert_eq!(plant.transport.accepted().len(), 2, "at 0 and at 40 s; the lease is 2 min");
    turn(&mut mailer);
    assert_eq!(plant.transport.accepted().len(), 3, "and the third goes with the next claim");
    assert_eq!(plant.delivery(1, Down, 3).attempts, 1);
}

#[test]
fn a_stop_that_came_and_went_during_a_long_outage_is_not_told_any_more() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(broken()));
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut mailer);
    plant.pass(HOUR);
    plant.log(&[command(1, Restored, 1, START + HOUR)]);
    plant.transport.answer(|_| Ok(()));
    plant.settle_all(&mut mailer);
    assert_eq!(plant.delivery(1, Down, 1).rule, "over_and_old");
    assert_eq!(plant.delivery(1, Restored, 1).rule, "expired_with_its_opening");
    assert!(plant.files().is_empty());
}

#[test]
fn an_outage_of_five_days_ends_with_an_answer() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(broken()));
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut mailer);
    plant.pass(5 * DAY);
    turn(&mut mailer);
    assert_eq!(plant.state(1, Down, 1), GaveUp);
}

#[test]
fn one_bad_recipient_costs_nobody_else_anything() {
    let plant = Plant::new();
    plant.transport.answer(|mail| match mail.subscriber_id.0.as_u128() {
        1 => Err(SendError::Refused { reply: 550.into() }),
        2 => Err(SendError::Transient { reply: 421.into() }),
        _ => Ok(()),
    });
    let mut mailer = plant.mailer();
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Down, subscriber, START)));
    turn(&mut mailer);
    assert_eq!(plant.state(1, Down, 3), Sent);
}
