//! A worker whose partitions are somebody else's commits nothing, and learns of it.

use std::time::Instant;

use andon_log::kafka::{KafkaLog, KafkaWorker, Options};
use andon_log::{CommitError, Polled, Topic, Worker};

use crate::place::{DEADLINE, Place, WAIT, numbers, outputs};

/// Polls until the worker has its partition, and starts it.
fn take_over(worker: &mut KafkaWorker) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < deadline, "no partition was assigned");
        if let Polled::Assigned(partitions) = worker.poll(WAIT).unwrap() {
            assert_eq!(partitions, [0]);
            worker.start(0).unwrap();
            return;
        }
    }
}

fn read_one(worker: &mut KafkaWorker) -> i64 {
    let deadline = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < deadline, "nothing came");
        if let Polled::Records(batch) = worker.poll(WAIT).unwrap() {
            return batch.iter().next().unwrap().offset + 1;
        }
    }
}

fn is_refused(log: &KafkaLog, worker: &mut KafkaWorker, next: i64) {
    let error = worker.commit(&outputs(Topic::LineChanges, 0, [1]), &[(0, next)]).unwrap_err();
    assert!(matches!(error, CommitError::Drop(_)), "{error:?}");
    assert_eq!(numbers(log, Topic::LineChanges, 0), [2], "only the new owner's");
}

/// It did not poll for too long, as a process that was stopped and goes on. It shares nothing but the cluster with the
/// one that took over.
#[test]
fn a_worker_that_was_away_too_long_commits_nothing_and_is_told_that_it_lost() {
    let place = Place::of(1);
    let options = Options { session_ms: 1_000, poll_ms_max: 1_000, ..place.options() };
    let log = place.open(&options);
    log.appender().unwrap();
    andon_log::Appender::append(&log.appender().unwrap(), &outputs(Topic::LineStatus, 0, [5])).unwrap();
    let mut away = log.worker("away").unwrap();
    take_over(&mut away);
    let next = read_one(&mut away);

    let mut heir = log.worker("heir").unwrap();
    take_over(&mut heir);
    assert_eq!(read_one(&mut heir), next, "it was not committed, so it comes again");
    heir.commit(&outputs(Topic::LineChanges, 0, [2]), &[(0, next)]).unwrap();

    is_refused(&log, &mut away, next);
    let deadline = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < deadline, "it was not told");
        match away.poll(WAIT).unwrap() {
            Polled::Lost(partitions) => {
                assert_eq!(partitions, [0]);
                break;
            }
            Polled::Idle | Polled::CaughtUp { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    away.release().unwrap();
    is_refused(&log, &mut away, next);
}

/// A process was taken for dead and started again under its name, and lives.
#[test]
fn a_worker_commits_nothing_once_another_one_of_its_name_has_begun() {
    let place = Place::of(1);
    let log = place.open(&place.options());
    andon_log::Appender::append(&log.appender().unwrap(), &outputs(Topic::LineStatus, 0, [5])).unwrap();
    let mut first = log.worker("same").unwrap();
    take_over(&mut first);
    let next = read_one(&mut first);

    let mut second = log.worker("same").unwrap();
    take_over(&mut second);
    read_one(&mut second);
    second.commit(&outputs(Topic::LineChanges, 0, [2]), &[(0, next)]).unwrap();

    let error = loop {
        match first.commit(&outputs(Topic::LineChanges, 0, [1]), &[(0, next)]) {
            // Its producer was fenced: nothing was written, and with a new one it learns that it is no member.
            Err(CommitError::Again(_)) => {}
            other => break other.unwrap_err(),
        }
    };
    assert!(matches!(error, CommitError::Drop(_)), "{error:?}");
    assert_eq!(numbers(&log, Topic::LineChanges, 0), [2], "only the second one's");
    second
        .commit(&outputs(Topic::LineChanges, 0, [3]), &[(0, next)])
        .or_else(|error| match error {
            // The first one's new producer has fenced it in turn, once; its next is its own again.
            CommitError::Again(_) | CommitError::Rebuild(_) => {
                second.commit(&outputs(Topic::LineChanges, 0, [3]), &[(0, next)])
            }
            CommitError::Drop(_) => Err(error),
        })
        .unwrap();
    assert_eq!(numbers(&log, Topic::LineChanges, 0), [2, 3]);
}
