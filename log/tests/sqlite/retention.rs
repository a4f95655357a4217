//! What is forgotten by age and by size, and what never is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use andon_log::sqlite::{Options, SqliteLog};
use andon_log::{Appender, Outputs, Topic, Worker};

use crate::steps::{DEADLINE, offsets, record_of, started};

const DAY: i64 = 86_400_000;

/// Waits until `is_so`.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < until, "it never was so: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn old_records_go_by_age_also_while_others_come_and_changes_and_newest_keys_stay() {
    static NOW: AtomicI64 = AtomicI64::new(1_000 * DAY);
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        clock: || NOW.load(Ordering::SeqCst),
        retention_age_ms: 400 * DAY,
        retention_every_ms: 1,
        ..Options::default()
    };
    let log = SqliteLog::open(folder.path(), options.clone()).unwrap();
    let appender = log.appender();
    for topic in Topic::ALL {
        for _ in 0..5 {
            appender.append(&record_of(topic, 100)).unwrap();
        }
    }
    NOW.store(1_399 * DAY, Ordering::SeqCst);
    for _ in 0..20 {
        appender.append(&record_of(Topic::LineStatus, 100)).unwrap();
    }
    assert_eq!(offsets(&log, Topic::LineStatus).len(), 25, "399 days are not too old");
    NOW.store(1_401 * DAY, Ordering::SeqCst);
    let gone = [Topic::LineStatus, Topic::NotificationCommands, Topic::DeadLetters];
    let mut appended = 25;
    wait_until("the old records are gone", || {
        // It must not need to be left alone for that.
        appended += appender.append(&record_of(Topic::LineStatus, 100)).unwrap().len();
        gone.iter().all(|topic| offsets(&log, *topic).iter().all(|offset| *offset >= 5))
    });
    assert_eq!(offsets(&log, Topic::LineStatus), (5..appended as i64).collect::<Vec<_>>());
    assert_eq!(offsets(&log, Topic::LineChanges), (0..5).collect::<Vec<_>>());
    assert_eq!(offsets(&log, Topic::Directory), [4], "the newest of its key");
    assert_eq!(log.end_offset(Topic::DeadLetters, 0).unwrap(), 5);
    log.close();
    let log = SqliteLog::open(folder.path(), options).unwrap();
    assert_eq!(log.appender().append(&record_of(Topic::DeadLetters, 100)).unwrap(), [5], "no offset twice");
}

#[test]
fn status_changes_go_by_size_once_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { retention_bytes: 100_000, retention_every_ms: 1, ..Options::default() };
    let log = SqliteLog::open(folder.path(), options).unwrap();
    let appender = log.appender();
    for _ in 0..50 {
        appender.append(&record_of(Topic::LineStatus, 10_000)).unwrap();
        appender.append(&record_of(Topic::DeadLetters, 10_000)).unwrap();
    }
    let (mut worker, _) = started(&log);
    worker.commit(&Outputs::default(), &[(0, 20)]).unwrap();
    wait_until("what was read is gone", || offsets(&log, Topic::LineStatus).first() == Some(&20));
    worker.commit(&Outputs::default(), &[(0, 50)]).unwrap();
    // A record of 10,000 bytes is stored in 10,012: nine of them are within the bound.
    wait_until("there is no more than may be", || offsets(&log, Topic::LineStatus).len() <= 9);
    appender.append(&record_of(Topic::LineStatus, 1_000)).unwrap();
    assert_eq!(offsets(&log, Topic::LineStatus), (41..=50).collect::<Vec<_>>(), "and no less");
    assert_eq!(offsets(&log, Topic::DeadLetters).len(), 50);
}
