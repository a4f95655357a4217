//! Partitions move between workers that come and go under load, and every record is answered once, in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use andon_log::kafka::{KafkaLog, KafkaWorker, Options};
use andon_log::{Appender, CommitError, Offset, Outputs, Partition, Polled, Topic, Worker};

use crate::place::{DEADLINE, Place, WAIT, numbers, outputs};

const PARTITIONS: u32 = 4;
const RECORDS: u64 = 6_000;

/// A worker that answers each record with one of the same value.
struct Echo {
    log: KafkaWorker,
    outputs: Outputs,
    positions: BTreeMap<Partition, Offset>,
    commits: usize,
}

impl Echo {
    fn step(&mut self) {
        let mut is_news = false;
        match self.log.poll(WAIT).unwrap() {
            Polled::Records(batch) => {
                for record in batch.iter() {
                    self.outputs.push(Topic::LineChanges, record.partition, record.key, record.value);
                    self.positions.insert(record.partition, record.offset + 1);
                }
                is_news = true;
            }
            Polled::Assigned(partitions) => {
                for partition in partitions {
                    self.log.start(partition).unwrap();
                }
            }
            Polled::Revoking(_) => self.log.release().unwrap(), // everything is committed
            Polled::Lost(partitions) => panic!("a worker that polls lost {partitions:?}"),
            Polled::CaughtUp { .. } | Polled::Idle => {}
        }
        if is_news {
            self.commit();
        }
    }

    fn commit(&mut self) {
        let positions: Vec<_> = self.positions.iter().map(|(partition, next)| (*partition, *next)).collect();
        loop {
            match self.log.commit(&self.outputs, &positions) {
                Ok(()) => break,
                Err(CommitError::Again(_)) => {}
                Err(CommitError::Rebuild(_)) => {
                    for (partition, _) in positions {
                        self.log.start(partition).unwrap();
                    }
                    break;
                }
                Err(error @ CommitError::Drop(_)) => panic!("a worker that polls lost its batch: {error:?}"),
            }
        }
        self.commits += 1;
        self.outputs.clear();
        self.positions.clear();
    }
}

/// Lives again and again, each time for some commits, until all is done.
fn live(log: &KafkaLog, name: &str, commits_max: usize, is_done: &AtomicBool) {
    while !is_done.load(Ordering::SeqCst) {
        let worker = log.worker(name).unwrap();
        let mut echo =
            Echo { log: worker, outputs: Outputs::default(), positions: BTreeMap::new(), commits: 0 };
        while echo.commits < commits_max && !is_done.load(Ordering::SeqCst) {
            echo.step();
        }
    }
}

#[test]
fn workers_come_and_go_and_each_record_is_answered_once_and_in_order() {
    let place = Place::of(PARTITIONS);
    let log = place.open(&Options { read_records_max: 50, ..place.options() });
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (name, commits_max) in [("a", usize::MAX), ("b", 15), ("c", 8)] {
            let (log, is_done) = (&log, &is_done);
            scope.spawn(move || live(log, name, commits_max, is_done));
        }
        let appender = log.appender().unwrap();
        for first in (0..RECORDS).step_by(20) {
            let mut batch = Outputs::default();
            for value in first..first + 20 {
                batch.extend(&outputs(Topic::LineStatus, (value % 4) as u32, [value]));
            }
            appender.append(&batch).unwrap();
        }
        let deadline = Instant::now() + DEADLINE;
        let mut reader =
            log.reader(&(0..PARTITIONS).map(|p| (Topic::LineChanges, p, 0)).collect::<Vec<_>>()).unwrap();
        let mut answered = 0;
        while answered < RECORDS && Instant::now() < deadline {
            if let andon_log::Read::Records(_, batch) = andon_log::Reader::poll(&mut reader, WAIT).unwrap() {
                answered += batch.len() as u64;
            }
        }
        is_done.store(true, Ordering::SeqCst);
        assert_eq!(answered, RECORDS, "in time");
    });
    for partition in 0..PARTITIONS {
        let expected: Vec<u64> = (0..RECORDS).filter(|value| value % 4 == u64::from(partition)).collect();
        assert_eq!(numbers(&log, Topic::LineStatus, partition), expected);
        assert_eq!(numbers(&log, Topic::LineChanges, partition), expected, "partition {partition}");
    }
}
