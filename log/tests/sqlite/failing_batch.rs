//! A batch that fails half-way, while the transaction it is in goes on.

use andon_log::sqlite::{Options, SqliteLog};
use andon_log::{Appender, CommitError, Error, Topic, Worker};

use crate::steps::{offsets, record_of, started};

#[test]
fn of_a_batch_that_fails_half_way_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    SqliteLog::open(folder.path(), Options::default()).unwrap().close();
    let foreign = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    foreign
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON line_state BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .unwrap();
    let log = SqliteLog::open(folder.path(), Options::default()).unwrap();
    let (mut worker, _) = started(&log);
    let mut outputs = record_of(Topic::LineChanges, 100);
    outputs.push(Topic::LineState, 0, b"line", Some(b"1"));
    let error = worker.commit(&outputs, &[(0, 7)]).unwrap_err();
    assert!(matches!(error, CommitError::Again(Error::Storage { .. })), "{error:?}");
    assert_eq!(log.appender().append(&record_of(Topic::LineStatus, 100)).unwrap(), [0]);
    assert!(
        offsets(&log, Topic::LineChanges).is_empty(),
        "the first record was written before the second failed"
    );
    foreign.execute_batch("DROP TRIGGER refuse").unwrap();
    worker.commit(&outputs, &[(0, 7)]).unwrap();
    assert_eq!(offsets(&log, Topic::LineChanges), [0]);
    assert_eq!(worker.start(0).unwrap(), 7);
}
