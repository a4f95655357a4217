//! A crash between any two steps: nothing is lost, no file is there twice, each opening has its close.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use andon_domain::CommandKind::{Down, Restored, Withdrawn};
use andon_domain::{Command, CommandKind};
use andon_store::{Claim, DeliveryState};

use crate::support::{FaultyAccounts, HOUR, MINUTE, Moment, Plant, START, command, turn};

/// Two stops, told to two people each: one is over by now, the other was none.
fn commands() -> Vec<Command> {
    let mut commands = Vec::new();
    for (incident, close) in [(1, Restored), (2, Withdrawn)] {
        commands.extend((1..=2).map(|subscriber| command(incident, Down, subscriber, START - 5_000)));
        commands.extend((1..=2).map(|subscriber| command(incident, close, subscriber, START - 1_000)));
    }
    commands
}

fn assert_everyone_was_told_once(plant: &Plant, context: &str) {
    let mut kinds = plant.kinds_of_files();
    kinds.sort();
    let wanted = ["down", "down", "down", "down", "restored", "restored", "withdrawn", "withdrawn"];
    assert_eq!(kinds, wanted, "{context}");
    let states = plant.ledger_of(&[1, 2]);
    assert_eq!(states.len(), 8, "{context}");
    assert!(states.iter().all(|(_, state, _)| *state == DeliveryState::Sent), "{context}: {states:?}");
    plant.transport.assert_repeats_are_the_same_message();
    for first_close in plant.transport.accepted().iter().filter(|mail| mail.kind != Down) {
        let accepted = plant.transport.accepted();
        let is_told = |kind: CommandKind| {
            accepted.iter().position(|mail| {
                mail.kind == kind
                    && mail.subscriber_id == first_close.subscriber_id
                    && text_of(&mail.content).contains(incident_of(&first_close.content))
            })
        };
        assert!(is_told(Down) < is_told(first_close.kind), "{context}: a close came before its opening");
    }
}

fn text_of(content: &[u8]) -> &str {
    std::str::from_utf8(content).unwrap()
}

fn incident_of(content: &[u8]) -> &str {
    text_of(content).lines().find_map(|line| line.strip_prefix("X-Incident-Id: ")).unwrap()
}

#[test]
fn commands_in_order_give_exactly_one_file_each() {
    let plant = Plant::new();
    plant.log(&commands());
    plant.settle_all(&mut plant.mailer());
    assert_everyone_was_told_once(&plant, "without a crash");
    assert_eq!(plant.transport.accepted().len(), 8, "and nothing was sent twice");
}

/// Runs a mailer over accounts that fail at each call in turn, and then a healthy one or the same one to the end.
fn fail_at_each_call(moment: Moment, is_crash: bool, check: impl Fn(&Plant)) {
    for call in 0.. {
        let plant = Plant::new();
        plant.log(&commands());
        let faulty = Arc::new(FaultyAccounts::new(plant.accounts.clone(), call, moment, is_crash));
        let mut mailer = plant.mailer_with(faulty.clone(), Box::new(plant.transport.clone()));
        for _ in 0..6 {
            match mailer.turn(Duration::ZERO, &AtomicBool::new(false)) {
                Ok(_) => plant.pass(1_500),
                Err(_) if is_crash => break,
                // The role would rest and go on, and so does this loop.
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
        }
        if is_crash {
            mailer = plant.mailer();
        }
        plant.settle_all(&mut mailer);
        assert_everyone_was_told_once(&plant, &format!("{moment:?} call {call}"));
        check(&plant);
        if !faulty.has_failed() {
            assert!(call > 40, "only {call} calls were found to fail at");
            return;
        }
    }
}

#[test]
fn a_crash_before_any_step_loses_nothing_and_repeats_no_file() {
    fail_at_each_call(Moment::Before, true, |_| ());
}

#[test]
fn a_crash_after_any_step_loses_nothing_and_repeats_no_file() {
    fail_at_each_call(Moment::After, true, |_| ());
}

fn assert_nothing_was_repeated(plant: &Plant) {
    assert_eq!(plant.transport.accepted().len(), 8);
}

#[test]
fn accounts_that_refuse_one_call_cost_no_repeat() {
    fail_at_each_call(Moment::Before, false, assert_nothing_was_repeated);
}

#[test]
fn accounts_whose_answer_is_lost_once_cost_no_repeat() {
    fail_at_each_call(Moment::After, false, assert_nothing_was_repeated);
}

#[test]
fn a_reader_that_starts_too_early_changes_nothing() {
    let plant = Plant::new();
    plant.log(&commands());
    plant.settle_all(&mut plant.mailer());
    plant.log(&commands());
    plant.pass(HOUR);
    plant.settle_all(&mut plant.mailer());
    assert_eq!(plant.transport.accepted().len(), 8);
    assert_everyone_was_told_once(&plant, "after a replay");
}

#[test]
fn two_mailers_over_one_ledger_send_nothing_twice() {
    let plant = Plant::new();
    plant.log(&commands());
    let (mut one, mut other) = (plant.mailer(), plant.mailer());
    for _ in 0..4 {
        turn(&mut one);
        turn(&mut other);
        plant.pass(1_500);
    }
    plant.settle_all(&mut one);
    assert_eq!(plant.transport.accepted().len(), 8);
    assert_everyone_was_told_once(&plant, "with two mailers");
}

#[test]
fn a_mailer_that_died_while_sending_is_followed_once_its_lease_ends() {
    let plant = Plant::new();
    plant.log(&[command(1, Down, 1, START)]);
    // Calls: accept, claim, subscriber, three closes, leaving.
    let faulty = Arc::new(FaultyAccounts::new(plant.accounts.clone(), 6, Moment::After, true));
    let mut first = plant.mailer_with(faulty, Box::new(plant.transport.clone()));
    assert!(first.turn(Duration::ZERO, &AtomicBool::new(false)).is_err());
    drop(first);
    assert!(plant.delivery(1, Down, 1).may_have_left, "the crash came after the mark");
    let mut next = plant.mailer();
    plant.pass(2 * MINUTE - 1);
    turn(&mut next);
    assert_eq!(plant.transport.accepted().len(), 0, "the lease still holds");
    plant.pass(1);
    turn(&mut next);
    assert_eq!(plant.transport.accepted().len(), 1);
}

#[test]
fn accounts_that_do_not_answer_for_a_moment_hold_up_no_message_for_a_whole_lease() {
    // Calls: accept, claim, subscriber, three closes, leaving.
    for (call, moment) in [(2, Moment::Before), (4, Moment::After), (6, Moment::Before), (6, Moment::After)] {
        let plant = Plant::new();
        plant.log(&[command(1, Down, 1, START)]);
        let faulty = Arc::new(FaultyAccounts::new(plant.accounts.clone(), call, moment, false));
        let mut mailer = plant.mailer_with(faulty, Box::new(plant.transport.clone()));
        assert!(mailer.turn(Duration::ZERO, &AtomicBool::new(false)).is_err());
        turn(&mut mailer);
        let opening = plant.delivery(1, Down, 1);
        assert_eq!((opening.state, opening.attempts), (DeliveryState::Sent, 1), "{moment:?} call {call}");
    }
}

#[test]
fn what_another_sender_took_over_meanwhile_is_left_to_them() {
    let plant = Plant::new();
    let accounts = plant.accounts.clone();
    // While the opening leaves, somebody whose clock is fast takes over everything.
    plant.transport.answer(move |_| {
        let (now, lease_until) = (START + 3 * MINUTE, START + 6 * MINUTE);
        let claim = Claim { owner: "another".to_owned(), now, lease_until, limit: 100 };
        let accounts = accounts.clone();
        let taken = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(accounts.claim(&claim)).unwrap().len()
        });
        assert_eq!(taken.join().unwrap(), 2);
        Ok(())
    });
    plant.log(&[command(1, Down, 1, START), command(1, Restored, 1, START)]);
    let mut mailer = plant.mailer();
    turn(&mut mailer);
    assert_eq!(plant.transport.tried_kinds(), [Down]);
    for kind in [Down, Restored] {
        assert_eq!(plant.state(1, kind, 1), DeliveryState::Sending, "it is the other's to settle");
    }
    plant.transport.answer(|_| Ok(()));
    plant.settle_all(&mut mailer);
    assert_eq!(plant.kinds_of_files(), ["down", "restored"]);
}
