//! What an adapter brings to be tested, and the few steps that every test makes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_log::{Appender, Offset, Outputs, Partition, Polled, Read, Reader, Record, Topic, Worker};

/// A fresh log.
pub(crate) trait Fixture: Sync {
    /// Partitions of each topic but the directory.
    fn partitions(&self) -> u32;
    /// A further worker of one group.
    fn worker(&self) -> Box<dyn Worker>;
    /// A reader from these positions.
    fn reader(&self, positions: &[(Topic, Partition, Offset)]) -> Box<dyn Reader>;
    /// An appender.
    fn appender(&self) -> Arc<dyn Appender>;
    /// The offset behind the last record.
    fn end_offset(&self, topic: Topic, partition: Partition) -> Offset;
    /// Runs `during` while no commit and no append succeeds.
    fn while_writes_fail(&self, during: &mut dyn FnMut());
    /// Most records of a read; a commit takes at least as many.
    fn read_records_max(&self) -> usize;
    /// Most records and bytes of an append.
    fn append_max(&self) -> (usize, usize);
}

/// Long enough for any machine; a test that waits so long has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A wait between two looks at a state.
pub(crate) const WAIT: Duration = Duration::from_millis(20);

/// A record in one's own memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) partition: Partition,
    pub(crate) offset: Offset,
    pub(crate) appended_at: i64,
    pub(crate) key: String,
    pub(crate) value: Option<String>,
}

impl Owned {
    pub(crate) fn of(record: &Record<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            partition: record.partition,
            offset: record.offset,
            appended_at: record.appended_at,
            key: text(record.key),
            value: record.value.map(text),
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.value.as_ref().unwrap().parse().unwrap()
    }
}

/// Records of one topic and partition with these values.
pub(crate) fn outputs(topic: Topic, partition: Partition, values: impl IntoIterator<Item = u64>) -> Outputs {
    let mut outputs = Outputs::default();
    for value in values {
        outputs.push(topic, partition, b"line", Some(value.to_string().as_bytes()));
    }
    outputs
}

/// Starts everything that the log gives the worker with its first assignment; the partitions and their positions.
pub(crate) fn take_over(worker: &mut dyn Worker) -> Vec<(Partition, Offset)> {
    let until = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < until, "no partition was assigned");
        let assigned = match worker.poll(WAIT).unwrap() {
            Polled::Assigned(partitions) => partitions,
            Polled::Idle => continue,
            other => panic!("expected an assignment, got {other:?}"),
        };
        let mut taken = Vec::new();
        for partition in assigned {
            let mut snapshot = worker.snapshot(partition).unwrap();
            while snapshot.next().unwrap().is_some() {}
            taken.push((partition, worker.start(partition).unwrap()));
        }
        return taken;
    }
}

/// Reads on until each of the worker's partitions is said to be caught up.
pub(crate) fn drain(worker: &mut dyn Worker, partitions: u32) -> Vec<Owned> {
    let until = Instant::now() + DEADLINE;
    let (mut records, mut caught_up) = (Vec::new(), BTreeSet::new());
    while caught_up.len() < partitions as usize {
        assert!(Instant::now() < until, "the worker did not catch up, it read {} records", records.len());
        match worker.poll(WAIT).unwrap() {
            Polled::Records(batch) => records.extend(batch.iter().map(|record| Owned::of(&record))),
            Polled::CaughtUp { partition, .. } => {
                caught_up.insert(partition);
            }
            Polled::Idle => {}
            other => panic!("expected records, got {other:?}"),
        }
    }
    records
}

/// Everything committed from these offsets on.
pub(crate) fn read_from(
    fixture: &dyn Fixture,
    topic: Topic,
    positions: &[(Partition, Offset)],
) -> Vec<Owned> {
    let positions: Vec<_> =
        positions.iter().map(|(partition, offset)| (topic, *partition, *offset)).collect();
    let mut reader = fixture.reader(&positions);
    let mut records = Vec::new();
    while let Read::Records(found, batch) = reader.poll(Duration::ZERO).unwrap() {
        assert_eq!(found, topic);
        records.extend(batch.iter().map(|record| Owned::of(&record)));
    }
    records
}

/// Everything committed in the first partition of a topic.
pub(crate) fn read_all(fixture: &dyn Fixture, topic: Topic) -> Vec<Owned> {
    read_from(fixture, topic, &[(0, 0)])
}

/// The numbers that records carry.
pub(crate) fn numbers(records: &[Owned]) -> Vec<u64> {
    records.iter().map(Owned::number).collect()
}
