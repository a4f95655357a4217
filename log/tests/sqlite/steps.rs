//! The few steps that every test makes.

use std::time::Duration;

use andon_log::sqlite::{SqliteLog, SqliteWorker};
use andon_log::{Offset, Outputs, Polled, Read, Reader, Topic, Worker};

/// Long enough for any machine; a test that waits so long has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A record of `bytes` bytes.
pub(crate) fn record_of(topic: Topic, bytes: usize) -> Outputs {
    let mut outputs = Outputs::default();
    outputs.push(topic, 0, b"line", Some(&vec![b'x'; bytes - 4]));
    outputs
}

/// A record in one's own memory.
pub(crate) struct Owned {
    pub(crate) offset: Offset,
    pub(crate) appended_at: i64,
    pub(crate) value: String,
}

/// Everything committed.
pub(crate) fn read_all(log: &SqliteLog, topic: Topic) -> Vec<Owned> {
    let mut reader = log.reader(&[(topic, 0, 0)]).unwrap();
    let mut found = Vec::new();
    while let Read::Records(_, batch) = reader.poll(Duration::ZERO).unwrap() {
        found.extend(batch.iter().map(|record| Owned {
            offset: record.offset,
            appended_at: record.appended_at,
            value: String::from_utf8(record.value.unwrap().to_vec()).unwrap(),
        }));
    }
    found
}

/// The offsets of everything committed.
pub(crate) fn offsets(log: &SqliteLog, topic: Topic) -> Vec<Offset> {
    read_all(log, topic).into_iter().map(|record| record.offset).collect()
}

/// A worker that has started its partition.
pub(crate) fn started(log: &SqliteLog) -> (SqliteWorker, Offset) {
    let mut worker = log.worker().unwrap();
    assert!(
        matches!(worker.poll(Duration::ZERO).unwrap(), Polled::Assigned(partitions) if partitions == [0])
    );
    let position = worker.start(0).unwrap();
    (worker, position)
}
