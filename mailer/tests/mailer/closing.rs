//! The closing guarantee: each opening that may have been told has exactly one close, and no other has one.

use andon_domain::CommandKind::{Down, Restored, Unsubscribed, Withdrawn};
use andon_mailer::SendError;
use andon_store::DeliveryState::{
    self, Dropped, Erased, Expired, GaveUp, Queued, Refused, Sent, Unsubscribed as Left,
};

use crate::support::{DAY, HOUR, MINUTE, Plant, START, command, subscriber_id, turn};

fn transient() -> SendError {
    SendError::Transient { reply: 451.into() }
}

fn ambiguous() -> SendError {
    SendError::Ambiguous("the connection broke".into())
}

/// State and rule of opening and restoring close of incident 1 to subscriber 1.
fn both(plant: &Plant) -> [(DeliveryState, String); 2] {
    [Down, Restored].map(|kind| {
        let delivery = plant.delivery(1, kind, 1);
        (delivery.state, delivery.rule)
    })
}

fn ended(state: DeliveryState, rule: &str) -> (DeliveryState, String) {
    (state, rule.to_owned())
}

#[test]
fn a_close_in_one_portion_with_its_opening_goes_behind_it() {
    let plant = Plant::new();
    // The close is in the log first: it was forwarded by another way.
    plant.log(&[command(1, Restored, 1, START - 2_000), command(1, Down, 1, START - 1_000)]);
    turn(&mut plant.mailer());
    assert_eq!(plant.transport.accepted_kinds(), [Down, Restored]);
}

#[test]
fn a_close_that_comes_before_its_opening_waits_for_it() {
    let plant = Plant::that_reads_one_batch_a_turn();
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Restored, 1, START)]);
    plant.log(&[command(2, Down, 1, START), command(2, Down, 2, START), command(2, Down, 3, START)]);
    plant.log(&[command(1, Down, 1, START)]);
    assert!(!turn(&mut mailer), "the log goes on");
    assert_eq!(plant.delivery(1, Restored, 1).rule, "opening_unknown_yet");
    turn(&mut mailer);
    plant.pass(1_000);
    turn(&mut mailer);
    assert_eq!(both(&plant), [ended(Sent, "sent"), ended(Sent, "sent")]);
    assert_eq!(plant.transport.accepted_kinds(), [Down, Down, Down, Down, Restored]);
}

#[test]
fn a_close_without_any_opening_is_dropped_once_the_log_is_read() {
    let plant = Plant::new();
    plant.log(&[command(1, Restored, 1, START)]);
    plant.settle_all(&mut plant.mailer());
    let close = plant.delivery(1, Restored, 1);
    assert_eq!((close.state, close.rule.as_str()), (Dropped, "opening_unknown"));
    assert!(plant.files().is_empty());
}

#[test]
fn a_close_whose_opening_was_forgotten_is_sent() {
    let plant = Plant::new();
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut mailer);
    plant.pass(91 * DAY);
    turn(&mut mailer);
    assert!(plant.ledger_of(&[1]).is_empty(), "what was settled 90 days ago is forgotten");
    plant.log(&[command(1, Restored, 1, plant.now())]);
    turn(&mut mailer);
    assert_eq!(plant.state(1, Restored, 1), Sent);
}

#[test]
fn an_opening_sent_back_for_now_and_then_over_takes_its_close_with_it() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(transient()));
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut mailer);
    let opening = plant.delivery(1, Down, 1);
    assert_eq!((opening.state, opening.smtp_code, opening.may_have_left), (Queued, Some(451), false));
    plant.transport.answer(|_| Ok(()));
    plant.log(&[command(1, Restored, 1, START + 1_000)]);
    plant.settle_all(&mut mailer);
    let wanted = [ended(Dropped, "over_before_it_could_be_told"), ended(Dropped, "its_opening_never_left")];
    assert_eq!(both(&plant), wanted);
    assert_eq!(plant.transport.tried_kinds(), [Down], "nothing leaves about what nobody heard of");
}

#[test]
fn an_opening_that_may_have_left_is_closed_at_once_and_never_comes_after_its_close() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(ambiguous()));
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut mailer);
    plant.transport.answer(|_| Ok(()));
    plant.log(&[command(1, Restored, 1, START + 1_000)]);
    turn(&mut mailer);
    assert_eq!(both(&plant), [ended(Queued, "retry_ambiguous"), ended(Sent, "sent")]);
    plant.settle_all(&mut mailer);
    assert_eq!(both(&plant)[0], ended(GaveUp, "overtaken_by_its_close"));
    assert_eq!(plant.transport.tried_kinds(), [Down, Restored]);
}

#[test]
fn a_refused_opening_takes_its_close_with_it_unless_it_may_have_left() {
    for may_have_left in [false, true] {
        let plant = Plant::new();
        let mut answers = vec![Err(SendError::Refused { reply: 550.into() })];
        if may_have_left {
            answers.push(Err(ambiguous()));
        }
        plant.transport.answer(move |_| answers.pop().unwrap_or(Ok(())));
        let mut mailer = plant.mailer();
        plant.log(&[command(1, Down, 1, START)]);
        plant.settle_all(&mut mailer);
        let opening = plant.delivery(1, Down, 1);
        assert_eq!((opening.state, opening.smtp_code), (Refused, Some(550)));
        assert_eq!(opening.may_have_left, may_have_left);
        plant.log(&[command(1, Restored, 1, plant.now())]);
        plant.settle_all(&mut mailer);
        let wanted =
            if may_have_left { ended(Sent, "sent") } else { ended(Dropped, "its_opening_never_left") };
        assert_eq!(both(&plant)[1], wanted);
    }
}

#[test]
fn what_is_sent_back_is_tried_for_five_days_and_then_given_up() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(transient()));
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    plant.settle_all(&mut mailer);
    let opening = plant.delivery(1, Down, 1);
    assert_eq!((opening.state, opening.rule.as_str()), (GaveUp, "tried_too_long"));
    let age = opening.settled_at.unwrap() - START;
    assert!((5 * DAY..5 * DAY + 2 * HOUR).contains(&age), "{age}");
    // At once, after 1 and 10 minutes, and then every 60 to 72 minutes.
    assert!((102..=122).contains(&opening.attempts), "{}", opening.attempts);
    plant.transport.answer(|_| Ok(()));
    plant.log(&[command(1, Restored, 1, plant.now())]);
    plant.settle_all(&mut mailer);
    assert_eq!(both(&plant)[1], ended(Dropped, "its_opening_never_left"));
}

#[test]
fn a_close_is_tried_for_five_days_too() {
    let plant = Plant::new();
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut mailer);
    plant.transport.answer(|_| Err(transient()));
    plant.log(&[command(1, Withdrawn, 1, START)]);
    plant.settle_all(&mut mailer);
    assert_eq!(plant.state(1, Withdrawn, 1), GaveUp);
    assert!(plant.now() - START >= 5 * DAY);
}

#[test]
fn an_old_opening_with_its_close_behind_it_in_the_log_expires_with_it() {
    let plant = Plant::new();
    plant.pass(16 * MINUTE);
    plant.log(&[command(1, Down, 1, START), command(1, Restored, 1, START + MINUTE)]);
    plant.settle_all(&mut plant.mailer());
    assert_eq!(both(&plant), [ended(Expired, "over_and_old"), ended(Expired, "expired_with_its_opening")]);
    assert!(plant.transport.tried_kinds().is_empty());
}

#[test]
fn an_old_opening_is_sent_once_the_log_is_read_and_its_line_is_still_down() {
    let plant = Plant::that_reads_one_batch_a_turn();
    plant.pass(16 * MINUTE);
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    for _ in 0..3 {
        plant.log(&[2, 3, 2, 3].map(|subscriber| command(2, Down, subscriber, plant.now())));
        assert!(!turn(&mut mailer), "the log goes on");
        plant.pass(1_500);
        assert_eq!(plant.delivery(1, Down, 1).rule, "old_opening_waits_for_the_log");
    }
    turn(&mut mailer);
    plant.pass(1_500);
    turn(&mut mailer);
    assert_eq!(plant.state(1, Down, 1), Sent);
}

#[test]
fn a_log_that_was_read_once_must_be_read_again_before_an_old_opening_is_sent() {
    let plant = Plant::that_reads_one_batch_a_turn();
    let mut mailer = plant.mailer();
    assert!(turn(&mut mailer), "there is nothing to read");
    plant.pass(16 * MINUTE);
    plant.log(&[command(1, Down, 1, START), command(2, Down, 1, START)]);
    plant.log(&[command(3, Down, 1, START), command(4, Down, 1, START)]);
    assert!(!turn(&mut mailer), "there may be more");
    plant.pass(1_000);
    plant.log(&[command(1, Restored, 1, START + MINUTE)]);
    turn(&mut mailer);
    plant.settle_all(&mut mailer);
    assert_eq!(both(&plant), [ended(Expired, "over_and_old"), ended(Expired, "expired_with_its_opening")]);
}

#[test]
fn an_opening_of_the_longest_age_is_still_sent_at_once() {
    let plant = Plant::new();
    plant.pass(15 * MINUTE);
    plant.log(&[command(1, Down, 1, START), command(1, Restored, 1, START + MINUTE)]);
    turn(&mut plant.mailer());
    assert_eq!(plant.transport.accepted_kinds(), [Down, Restored]);
}

#[test]
fn whoever_unsubscribes_is_told_nothing_more() {
    let plant = Plant::new();
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut mailer);
    plant.log(&[command(1, Unsubscribed, 1, START + 1)]);
    // Of the second stop they would hear first after they have left.
    plant.log(&[command(2, Down, 1, START + 2), command(2, Unsubscribed, 1, START + 3)]);
    plant.settle_all(&mut mailer);
    assert_eq!(plant.state(1, Unsubscribed, 1), Left);
    assert_eq!(plant.state(2, Down, 1), Left);
    assert_eq!(plant.transport.tried_kinds(), [Down]);
}

#[test]
fn an_erased_subscriber_gets_nothing_and_keeps_no_file() {
    let plant = Plant::new();
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START), command(1, Down, 2, START)]);
    turn(&mut mailer);
    assert_eq!(plant.files().len(), 2);
    plant.erase(1);
    plant.log(&[command(1, Restored, 1, START + 1), command(1, Restored, 2, START + 1)]);
    plant.settle_all(&mut mailer);
    assert_eq!(both(&plant)[1], ended(Erased, "subscriber_erased"));
    assert_eq!(plant.kinds_of_files(), ["down", "restored"], "those of the other one");
}

#[test]
fn whoever_is_erased_while_their_message_leaves_is_not_found_in_the_outbox() {
    let plant = Plant::new();
    let accounts = plant.accounts.clone();
    plant.transport.answer(move |mail| {
        // Another thread of the program, at the worst moment.
        let id = mail.subscriber_id;
        let accounts = accounts.clone();
        let erased = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(accounts.erase_subscriber(id, START)).unwrap()
        });
        assert!(erased.join().unwrap());
        Ok(())
    });
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut plant.mailer());
    assert_eq!(plant.transport.accepted_kinds(), [Down], "it did leave");
    let opening = plant.delivery(1, Down, 1);
    assert_eq!((opening.state, opening.may_have_left), (Erased, true));
    assert!(plant.files().is_empty());
}

#[test]
fn an_erasure_that_is_not_finished_holds_up_nobody_else() {
    let plant = Plant::new();
    let accounts = plant.accounts.clone();
    plant.transport.answer(move |mail| {
        if mail.subscriber_id == subscriber_id(1) {
            let accounts = accounts.clone();
            let erased = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(accounts.erase_subscriber(subscriber_id(1), START)).unwrap()
            });
            assert!(erased.join().unwrap());
        }
        Ok(())
    });
    plant.transport.fail_erasures(2);
    let mut mailer = plant.mailer();
    plant.log(&[command(1, Down, 1, START), command(1, Down, 2, START)]);
    turn(&mut mailer);
    assert_eq!(plant.state(1, Down, 2), Sent, "the other one is told, and the ledger says so");
    let opening = plant.delivery(1, Down, 1);
    assert_eq!((opening.state, opening.rule.as_str()), (Queued, "erasure_unfinished"));
    assert!(opening.may_have_left);
    plant.settle_all(&mut mailer);
    assert_eq!(plant.state(1, Down, 1), Erased);
    assert_eq!(plant.transport.accepted_kinds(), [Down, Down], "nothing is sent again");
    assert_eq!(plant.kinds_of_files(), ["down"], "that of the other one");
}
