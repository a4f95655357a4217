//! A host clock that jumps.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use andon_log::sqlite::{Options, SqliteLog};
use andon_log::{Appender, Polled, Topic, Worker};

use crate::steps::{read_all, record_of, started};

#[test]
fn a_clock_that_steps_back_breaks_neither_append_times_nor_caught_up() {
    static NOW: AtomicI64 = AtomicI64::new(50_000);
    let folder = tempfile::tempdir().unwrap();
    let options = Options { clock: || NOW.load(Ordering::SeqCst), ..Options::default() };
    let log = SqliteLog::open(folder.path(), options.clone()).unwrap();
    let (mut worker, _) = started(&log);
    let mut caught_up_at = || loop {
        if let Polled::CaughtUp { partition: 0, clock } = worker.poll(Duration::ZERO).unwrap() {
            return clock;
        }
    };
    let appender = log.appender();
    appender.append(&record_of(Topic::LineStatus, 10)).unwrap();
    NOW.store(60_000, Ordering::SeqCst);
    assert_eq!(caught_up_at(), 60_000);
    NOW.store(40_000, Ordering::SeqCst);
    assert_eq!(caught_up_at(), 60_000, "the log's time stands until the host's has caught up");
    appender.append(&record_of(Topic::LineStatus, 10)).unwrap();
    log.close();
    let log = SqliteLog::open(folder.path(), options).unwrap();
    log.appender().append(&record_of(Topic::LineStatus, 10)).unwrap();
    NOW.store(70_000, Ordering::SeqCst);
    log.appender().append(&record_of(Topic::LineStatus, 10)).unwrap();
    let times: Vec<i64> =
        read_all(&log, Topic::LineStatus).into_iter().map(|record| record.appended_at).collect();
    assert_eq!(times, [50_000, 60_000, 60_000, 70_000], "also after a restart");
}
