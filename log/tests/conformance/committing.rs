//! What a worker may rely on: order, all or nothing, and an honest "caught up".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use andon_log::{CommitError, Offset, Outputs, Partition, Polled, Topic};

use crate::fixture::{
    DEADLINE, Fixture, Owned, WAIT, drain, numbers, outputs, read_all, read_from, take_over,
};

/// The position behind the last record of each partition.
fn behind(records: &[Owned]) -> Vec<(Partition, Offset)> {
    let ends: BTreeMap<_, _> = records.iter().map(|record| (record.partition, record.offset + 1)).collect();
    ends.into_iter().collect()
}

pub(crate) fn a_partition_is_assigned_until_it_is_started(fixture: &dyn Fixture) {
    fixture.appender().append(&outputs(Topic::LineStatus, 0, [1])).unwrap();
    let mut worker = fixture.worker();
    let all: Vec<Partition> = (0..fixture.partitions()).collect();
    let until = Instant::now() + DEADLINE;
    let mut told = 0;
    while told < 3 {
        assert!(Instant::now() < until, "no partition was assigned");
        match worker.poll(WAIT).unwrap() {
            Polled::Assigned(partitions) => {
                assert_eq!(partitions, all);
                told += 1;
            }
            Polled::Idle if told == 0 => {}
            other => panic!("nothing comes before the start, got {other:?}"),
        }
    }
    for partition in all {
        assert_eq!(worker.start(partition).unwrap(), 0, "nothing was ever committed");
    }
    assert_eq!(numbers(&drain(worker.as_mut(), fixture.partitions())), [1]);
}

pub(crate) fn records_come_in_order_and_whole(fixture: &dyn Fixture) {
    let appender = fixture.appender();
    for batch in 0..60_u64 {
        let mut records = Outputs::default();
        for partition in 0..fixture.partitions() {
            for n in 0..7 {
                let value = (batch * 7 + n).to_string();
                records.push(Topic::LineStatus, partition, b"line", Some(value.as_bytes()));
            }
        }
        appender.append(&records).unwrap();
    }
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    let records = drain(worker.as_mut(), fixture.partitions());
    for partition in 0..fixture.partitions() {
        let of_partition: Vec<Owned> =
            records.iter().filter(|record| record.partition == partition).cloned().collect();
        assert_eq!(numbers(&of_partition), (0..420).collect::<Vec<_>>());
        assert!(of_partition.is_sorted_by(|a, b| a.offset < b.offset), "offsets rise");
        assert!(of_partition.is_sorted_by_key(|record| record.appended_at), "append times do not fall");
    }
}

pub(crate) fn a_read_is_bounded(fixture: &dyn Fixture) {
    let most = fixture.read_records_max();
    let count = most as u64 * 5;
    fixture.appender().append(&outputs(Topic::LineStatus, 0, 0..count)).unwrap();
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    let (mut records, until) = (0, Instant::now() + DEADLINE);
    while records < count {
        assert!(Instant::now() < until, "{records} of {count} came");
        if let Polled::Records(batch) = worker.poll(WAIT).unwrap() {
            assert!(!batch.is_empty() && batch.len() <= most, "{} records, the limit is {most}", batch.len());
            records += batch.len() as u64;
        }
    }
}

/// Outputs of one batch, in every topic that a worker writes.
fn everywhere(value: u64) -> Outputs {
    let mut all = Outputs::default();
    for topic in WRITTEN {
        all.push(topic, 0, b"line", Some(value.to_string().as_bytes()));
    }
    all
}

const WRITTEN: [Topic; 4] =
    [Topic::LineChanges, Topic::LineState, Topic::NotificationCommands, Topic::DeadLetters];

pub(crate) fn outputs_and_positions_are_committed_together(fixture: &dyn Fixture) {
    fixture.appender().append(&outputs(Topic::LineStatus, 0, 0..10)).unwrap();
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    let records = drain(worker.as_mut(), fixture.partitions());
    worker.commit(&everywhere(7), &[(0, records[4].offset)]).unwrap();
    for topic in WRITTEN {
        assert_eq!(numbers(&read_all(fixture, topic)), [7], "{topic:?}");
    }
    drop(worker);
    let mut next = fixture.worker();
    let positions: BTreeMap<_, _> = take_over(next.as_mut()).into_iter().collect();
    assert_eq!(positions[&0], records[4].offset);
    assert_eq!(numbers(&drain(next.as_mut(), fixture.partitions())), [4, 5, 6, 7, 8, 9]);
}

pub(crate) fn what_was_not_committed_comes_again(fixture: &dyn Fixture) {
    fixture.appender().append(&outputs(Topic::LineStatus, 0, 0..10)).unwrap();
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    assert_eq!(drain(worker.as_mut(), fixture.partitions()).len(), 10);
    worker.start(0).unwrap();
    let again = drain(worker.as_mut(), fixture.partitions());
    assert_eq!(numbers(&again), (0..10).collect::<Vec<_>>(), "a start begins at what was committed");
    worker.commit(&Outputs::default(), &behind(&again)).unwrap();
    assert_eq!(worker.start(0).unwrap(), again[9].offset + 1);
    assert_eq!(drain(worker.as_mut(), fixture.partitions()), []);
}

pub(crate) fn a_failed_commit_leaves_nothing_and_the_same_again_succeeds(fixture: &dyn Fixture) {
    fixture.appender().append(&outputs(Topic::LineStatus, 0, 0..10)).unwrap();
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    let records = drain(worker.as_mut(), fixture.partitions());
    worker.commit(&everywhere(1), &behind(&records[..3])).unwrap();
    let (batch, positions) = (everywhere(2), behind(&records));
    fixture.while_writes_fail(&mut || {
        for _ in 0..2 {
            let error = worker.commit(&batch, &positions).unwrap_err();
            assert!(matches!(error, CommitError::Again(_)), "{error:?}");
        }
        for topic in WRITTEN {
            assert_eq!(numbers(&read_all(fixture, topic)), [1], "nothing of it is in {topic:?}");
        }
    });
    worker.commit(&batch, &positions).unwrap();
    for topic in [Topic::LineChanges, Topic::NotificationCommands, Topic::DeadLetters] {
        assert_eq!(numbers(&read_all(fixture, topic)), [1, 2], "once, in {topic:?}");
    }
    let states = numbers(&read_all(fixture, Topic::LineState));
    assert_eq!(states.last(), Some(&2), "the newest comes last");
    assert!(states.iter().filter(|state| **state == 2).count() == 1, "once: {states:?}");
    assert_eq!(worker.start(0).unwrap(), records[9].offset + 1);
}

pub(crate) fn caught_up_says_the_truth_while_others_append(fixture: &dyn Fixture) {
    const APPENDS: u64 = 120;
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for partition in 0..fixture.partitions() {
            let (appender, is_done) = (fixture.appender(), &is_done);
            scope.spawn(move || {
                for n in 0..APPENDS {
                    appender.append(&outputs(Topic::LineStatus, partition, [n])).unwrap();
                }
                if partition == 0 {
                    is_done.store(true, Ordering::SeqCst);
                }
            });
        }
        let mut worker = fixture.worker();
        take_over(worker.as_mut());
        let mut caught_up_at: BTreeMap<Partition, i64> = BTreeMap::new();
        let (mut read, mut said) = (0, 0);
        let until = Instant::now() + DEADLINE;
        while read < APPENDS * u64::from(fixture.partitions()) {
            assert!(Instant::now() < until, "{read} records came");
            match worker.poll(Duration::ZERO).unwrap() {
                Polled::Records(batch) => {
                    for record in batch.iter() {
                        let promised = caught_up_at.get(&record.partition).copied().unwrap_or(i64::MIN);
                        assert!(
                            record.appended_at >= promised,
                            "appended at {}, after all before {promised} was said to be read",
                            record.appended_at
                        );
                        read += 1;
                    }
                }
                Polled::CaughtUp { partition, clock } => {
                    let before = caught_up_at.insert(partition, clock);
                    assert!(before.is_none_or(|before| before <= clock), "the clock does not go back");
                    said += 1;
                }
                Polled::Idle => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(said > 0 || is_done.load(Ordering::SeqCst), "it was caught up at times");
    });
}

pub(crate) fn a_partition_has_one_worker_at_a_time(fixture: &dyn Fixture) {
    let mut first = fixture.worker();
    let had: BTreeSet<Partition> = take_over(first.as_mut()).into_iter().map(|(number, _)| number).collect();
    assert_eq!(had.len() as u32, fixture.partitions());
    let mut second = fixture.worker();
    let (mut of_first, mut of_second, mut is_revoking) = (had.clone(), BTreeSet::new(), false);
    for _ in 0..20 {
        match first.poll(Duration::ZERO).unwrap() {
            Polled::Revoking(partitions) => {
                partitions.iter().for_each(|partition| assert!(of_first.remove(partition)));
                is_revoking = true;
            }
            Polled::Lost(partitions) => panic!("a worker that is alive lost {partitions:?}"),
            Polled::Assigned(_) | Polled::Records(_) | Polled::CaughtUp { .. } | Polled::Idle => {}
        }
        if std::mem::take(&mut is_revoking) {
            first.release().unwrap();
        }
        if let Polled::Assigned(partitions) = second.poll(Duration::ZERO).unwrap() {
            for partition in partitions {
                second.start(partition).unwrap();
                of_second.insert(partition);
            }
        }
        assert!(of_first.is_disjoint(&of_second), "{of_first:?} and {of_second:?}");
    }
    drop(first);
    let until = Instant::now() + DEADLINE;
    while of_second.len() < had.len() {
        assert!(Instant::now() < until, "the second worker has {of_second:?} of {had:?}");
        if let Polled::Assigned(partitions) = second.poll(WAIT).unwrap() {
            for partition in partitions {
                second.start(partition).unwrap();
                of_second.insert(partition);
            }
        }
    }
}

pub(crate) fn a_worker_that_has_no_partition_commits_nothing(fixture: &dyn Fixture) {
    let mut owner = fixture.worker();
    take_over(owner.as_mut());
    let mut stranger = fixture.worker();
    let error = stranger.commit(&everywhere(1), &[(0, 1)]).unwrap_err();
    assert!(matches!(error, CommitError::Drop(_)), "{error:?}");
    for topic in WRITTEN {
        assert_eq!(read_all(fixture, topic), [], "{topic:?}");
    }
}

pub(crate) fn a_waiting_worker_wakes_when_something_is_appended(fixture: &dyn Fixture) {
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    drain(worker.as_mut(), fixture.partitions());
    let began = Instant::now();
    std::thread::scope(|scope| {
        let appender = fixture.appender();
        scope.spawn(move || appender.append(&outputs(Topic::LineStatus, 0, [5])).unwrap());
        let mut found = Vec::new();
        while found.is_empty() {
            assert!(began.elapsed() < DEADLINE);
            if let Polled::Records(batch) = worker.poll(DEADLINE).unwrap() {
                found.extend(batch.iter().map(|record| Owned::of(&record)));
            }
        }
        assert_eq!(numbers(&found), [5]);
    });
    assert!(began.elapsed() < DEADLINE / 2, "it woke, and did not wait to the end");
    assert_eq!(read_from(fixture, Topic::LineStatus, &[(0, 0)]).len(), 1);
}
