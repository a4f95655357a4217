//! The faults of the log in memory are survivable as the contract says: workers that answer them as they must copy
//! every record exactly once, whatever the seed and wherever one crashes.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

use std::collections::BTreeMap;
use std::time::Duration;

use andon_log::memory::{Faults, MemoryLog, MemoryReader, MemoryWorker};
use andon_log::{Appender, CommitError, Error, Outputs, Partition, Polled, Read, Reader, Topic, Worker};

const PARTITIONS: u32 = 3;
const RECORDS: u64 = 40;

/// The worker is gone.
#[derive(Debug)]
struct Crashed;

/// Copies each record to the changes of its partition, and counts it in the state.
struct Copier {
    worker: MemoryWorker,
    counts: BTreeMap<Partition, u64>,
}

impl Copier {
    fn new(log: &MemoryLog) -> Self {
        Self { worker: log.worker(), counts: BTreeMap::new() }
    }

    fn turn(&mut self) -> Result<(), Crashed> {
        let mut outputs = Outputs::default();
        let mut positions = BTreeMap::new();
        match self.worker.poll(Duration::ZERO) {
            Ok(Polled::Records(batch)) => {
                for record in batch.iter() {
                    let count = self.counts.get_mut(&record.partition).expect("only records of what is ours");
                    *count += 1;
                    let copied = format!("{} {count}", record.offset);
                    outputs.push(Topic::LineChanges, record.partition, record.key, Some(copied.as_bytes()));
                    let state = count.to_string();
                    outputs.push(Topic::LineState, record.partition, b"count", Some(state.as_bytes()));
                    positions.insert(record.partition, record.offset + 1);
                }
            }
            Ok(Polled::Assigned(partitions)) => return self.take_over(&partitions),
            Ok(Polled::Revoking(partitions) | Polled::Lost(partitions)) => {
                self.counts.retain(|partition, _| !partitions.contains(partition));
                return survive(self.worker.release()).map(|_| ());
            }
            Ok(Polled::CaughtUp { .. } | Polled::Idle) => return Ok(()),
            Err(error) => return survive(Err::<(), _>(error)).map(|_| ()),
        }
        let positions: Vec<_> = positions.into_iter().collect();
        loop {
            match self.worker.commit(&outputs, &positions) {
                Ok(()) => return Ok(()),
                Err(CommitError::Again(_)) => {}
                Err(CommitError::Drop(_)) => {
                    self.counts.clear();
                    return Ok(());
                }
                Err(CommitError::Rebuild(Error::Closed)) => return Err(Crashed),
                Err(CommitError::Rebuild(_)) => {
                    let mine: Vec<_> = std::mem::take(&mut self.counts).into_keys().collect();
                    return self.take_over(&mine);
                }
            }
        }
    }

    /// Restores and starts; what fails is assigned again.
    fn take_over(&mut self, partitions: &[Partition]) -> Result<(), Crashed> {
        for partition in partitions {
            let Some(mut snapshot) = survive(self.worker.snapshot(*partition))? else { continue };
            let mut count = 0;
            while let Some(batch) = snapshot.next().unwrap() {
                for record in batch.iter() {
                    count = std::str::from_utf8(record.value.unwrap()).unwrap().parse().unwrap();
                }
            }
            if survive(self.worker.start(*partition))?.is_some() {
                self.counts.insert(*partition, count);
            }
        }
        Ok(())
    }
}

/// What a call gave, or none if it failed and may be made again.
fn survive<T>(result: Result<T, Error>) -> Result<Option<T>, Crashed> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Storage { .. }) => Ok(None),
        Err(Error::Closed) => Err(Crashed),
        Err(other) => panic!("{other:?}"),
    }
}

/// A plant whose workers are replaced when they crash.
struct Plant {
    log: MemoryLog,
    copiers: Vec<Copier>,
    reader: MemoryReader,
    read: Vec<(Partition, String)>,
    crashes: usize,
}

impl Plant {
    fn new(seed: u64, faults: Faults, workers: usize) -> Self {
        let log = MemoryLog::new(PARTITIONS, seed, faults);
        let copiers = (0..workers).map(|_| Copier::new(&log)).collect();
        let positions: Vec<_> = (0..PARTITIONS).map(|partition| (Topic::LineChanges, partition, 0)).collect();
        let reader = log.reader(&positions).unwrap();
        Self { log, copiers, reader, read: Vec::new(), crashes: 0 }
    }

    fn append(&self, n: u64) {
        self.log.set_clock(i64::try_from(n).unwrap());
        let mut records = Outputs::default();
        for partition in 0..PARTITIONS {
            records.push(Topic::LineStatus, partition, b"line", Some(n.to_string().as_bytes()));
        }
        self.log.appender().append(&records).unwrap();
    }

    fn turn(&mut self) {
        for copier in &mut self.copiers {
            if copier.turn().is_err() {
                self.crashes += 1;
                *copier = Copier::new(&self.log);
            }
        }
        if let Ok(Read::Records(_, batch)) = self.reader.poll(Duration::ZERO) {
            self.read.extend(batch.iter().map(|record| {
                (record.partition, String::from_utf8(record.value.unwrap().to_vec()).unwrap())
            }));
        }
    }

    /// Appends and copies; then all faults end, and the rest is copied.
    fn run(&mut self) {
        for n in 0..RECORDS {
            self.append(n);
            self.turn();
        }
        self.log.set_faults(Faults::NONE);
        let is_copied = |log: &MemoryLog| {
            (0..PARTITIONS).all(|p| {
                log.position(p) == log.records(Topic::LineStatus, p).iter().last().unwrap().offset + 1
            })
        };
        for turn in 0.. {
            if is_copied(&self.log) {
                break;
            }
            assert!(turn < 10_000, "the workers are stuck");
            self.turn();
        }
        for _ in 0..RECORDS {
            self.turn();
        }
    }

    /// Each record once, in order, and a state that says so.
    fn check(&self) {
        for partition in 0..PARTITIONS {
            let text = |topic: Topic| -> Vec<String> {
                self.log
                    .records(topic, partition)
                    .iter()
                    .map(|record| String::from_utf8(record.value.unwrap().to_vec()).unwrap())
                    .collect()
            };
            let expected: Vec<String> = self
                .log
                .records(Topic::LineStatus, partition)
                .iter()
                .zip(1..)
                .map(|(record, count)| format!("{} {count}", record.offset))
                .collect();
            assert_eq!(expected.len() as u64, RECORDS);
            assert_eq!(text(Topic::LineChanges), expected, "partition {partition}");
            assert_eq!(text(Topic::LineState), [RECORDS.to_string()]);
            let read: Vec<String> =
                self.read.iter().filter(|(of, _)| *of == partition).map(|(_, text)| text.clone()).collect();
            assert_eq!(read, expected, "the reader saw the same");
        }
    }
}

#[test]
fn every_record_is_copied_once_under_all_faults() {
    let seeds = match std::env::var("ANDON_TEST_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..400).collect(),
    };
    let mut crashes = 0;
    for seed in seeds {
        println!("ANDON_TEST_SEED={seed}");
        let faults = Faults { crash: 40, read_failed: 9, ..Faults::survivable(9) };
        let mut plant = Plant::new(seed, faults, 1 + (seed % 4) as usize);
        plant.run();
        plant.check();
        crashes += plant.crashes;
    }
    assert!(crashes > 0 || std::env::var("ANDON_TEST_SEED").is_ok(), "some worker crashed");
}

#[test]
fn every_record_is_copied_once_wherever_a_worker_crashes() {
    let mut whole = Plant::new(0, Faults::NONE, 2);
    whole.run();
    whole.check();
    let moments = whole.log.crash_moments();
    assert!(moments > 100, "{moments}");
    for moment in 0..moments {
        println!("moment {moment}");
        let mut plant = Plant::new(0, Faults::NONE, 2);
        plant.log.crash_at(Some(moment));
        plant.run();
        plant.check();
        assert_eq!(plant.crashes, 1);
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let mut plant = Plant::new(seed, Faults { crash: 20, ..Faults::survivable(5) }, 3);
        plant.run();
        (plant.read, plant.crashes, plant.log.crash_moments())
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

#[test]
fn an_append_in_doubt_is_written_and_a_refused_one_is_not() {
    let log = MemoryLog::new(1, 0, Faults { append_in_doubt: 1, ..Faults::NONE });
    let mut records = Outputs::default();
    records.push(Topic::LineStatus, 0, b"line", Some(b"1"));
    assert!(matches!(log.appender().append(&records), Err(Error::Storage { action: "append", .. })));
    assert_eq!(log.end_offset(Topic::LineStatus, 0).unwrap(), 1);
    log.set_faults(Faults { append_refused: 1, ..Faults::NONE });
    assert!(matches!(log.appender().append(&records), Err(Error::Full)));
    assert_eq!(log.end_offset(Topic::LineStatus, 0).unwrap(), 1);
}

#[test]
fn a_commit_in_doubt_is_written_or_not_as_the_fault_says() {
    for (faults, written) in [
        (Faults { commit_done_in_doubt: 1, ..Faults::NONE }, 1),
        (Faults { commit_undone_in_doubt: 1, ..Faults::NONE }, 0),
    ] {
        let log = MemoryLog::new(1, 0, faults);
        let mut copier = Copier::new(&log);
        copier.turn().unwrap();
        let mut outputs = Outputs::default();
        outputs.push(Topic::LineChanges, 0, b"line", Some(b"1"));
        let error = copier.worker.commit(&outputs, &[(0, 1)]).unwrap_err();
        assert!(matches!(error, CommitError::Rebuild(Error::Storage { .. })), "{error:?}");
        assert_eq!(log.end_offset(Topic::LineChanges, 0).unwrap(), written);
        assert_eq!(log.position(0), written);
    }
}

#[test]
fn a_clock_set_back_stands_until_it_is_overtaken() {
    let log = MemoryLog::new(1, 0, Faults::NONE);
    let mut records = Outputs::default();
    records.push(Topic::LineStatus, 0, b"line", Some(b"1"));
    for clock in [10, 5, 20] {
        log.set_clock(clock);
        log.appender().append(&records).unwrap();
    }
    let times: Vec<i64> = log.records(Topic::LineStatus, 0).iter().map(|record| record.appended_at).collect();
    assert_eq!(times, [10, 10, 20]);
}
