//! The event log in memory, for tests: the same contract, a clock that the test sets, and seeded faults between any
//! two calls. It has several partitions and a group of workers, so that a cluster can be simulated on one thread.
//! Nothing is kept beyond the process.

mod cluster;
mod faults;
mod group;
mod reader;
mod stream;
mod worker;

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::{Appender, Error, Offset, Outputs, Partition, RecordBatch, Topic};

pub use faults::Faults;
pub use reader::MemoryReader;
pub use worker::MemoryWorker;

use cluster::Cluster;
use stream::Bounds;

/// How a log in memory is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Partitions of each topic but the directory, which has one. At least 1. Default 1.
    pub partitions: u32,
    /// Seed of the faults. Default 0.
    pub seed: u64,
    /// The faults. Default none.
    pub faults: Faults,
    /// What the clock shows at first, in ms since the epoch. Default 0.
    pub clock_ms: i64,
    /// Whether a poll waits for what it is asked to wait for, or returns at once. Default: at once.
    pub is_waiting: bool,
    /// Most records of one read. Default 10,000.
    pub read_records_max: usize,
    /// Most bytes of one read, exceeded only by its last record. Default 8 MiB.
    pub read_bytes_max: usize,
    /// Most records of one append. Default 100,000.
    pub append_records_max: usize,
    /// Most bytes of one append. Default 64 MiB.
    pub append_bytes_max: usize,
    /// Most records of one commit. Default 1,000,000.
    pub commit_records_max: usize,
    /// Most bytes of one commit. Default 900 MB.
    pub commit_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            partitions: 1,
            seed: 0,
            faults: Faults::NONE,
            clock_ms: 0,
            is_waiting: false,
            read_records_max: 10_000,
            read_bytes_max: 8 << 20,
            append_records_max: 100_000,
            append_bytes_max: 64 << 20,
            commit_records_max: 1_000_000,
            commit_bytes_max: 900_000_000,
        }
    }
}

struct Shared {
    cluster: Mutex<Cluster>,
    changed: Condvar,
    is_waiting: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().expect("no thread panics while it holds the log")
    }

    /// Waits until `is_awaited`, or until the wait is over.
    fn wait(&self, wait: Duration, mut is_awaited: impl FnMut(&mut Cluster) -> bool) {
        if !self.is_waiting {
            return;
        }
        let until = Instant::now().checked_add(wait);
        let mut cluster = self.lock();
        loop {
            let left = until
                .map_or(Duration::from_secs(3600), |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || is_awaited(&mut cluster) {
                return;
            }
            cluster =
                self.changed.wait_timeout(cluster, left).expect("no thread panics while it holds the log").0;
        }
    }

    /// One step of the cluster, which others may wait for.
    fn step<T>(&self, step: impl FnOnce(&mut Cluster) -> T) -> T {
        let done = step(&mut self.lock());
        self.changed.notify_all();
        done
    }
}

/// A handle of the log; clones share it.
#[derive(Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

impl MemoryLog {
    /// A log that does not wait, of so many partitions.
    pub fn new(partitions: u32, seed: u64, faults: Faults) -> Self {
        Self::with(Options { partitions, seed, faults, ..Options::default() })
    }

    /// A log as the options say.
    pub fn with(options: Options) -> Self {
        let options = Options { partitions: options.partitions.max(1), ..options };
        let cluster = Mutex::new(Cluster::new(options));
        let shared = Shared { cluster, changed: Condvar::new(), is_waiting: options.is_waiting };
        Self { shared: Arc::new(shared) }
    }

    /// A further worker of the one group. It leaves the group when it is dropped.
    pub fn worker(&self) -> MemoryWorker {
        MemoryWorker::new(self.shared.clone())
    }

    /// A reader that follows these partitions from these offsets.
    pub fn reader(&self, positions: &[(Topic, Partition, Offset)]) -> Result<MemoryReader, Error> {
        let cluster = self.shared.lock();
        for (topic, partition, _) in positions {
            cluster.check_partition(*topic, *partition)?;
        }
        drop(cluster);
        Ok(MemoryReader::new(self.shared.clone(), positions.to_vec()))
    }

    /// An appender.
    pub fn appender(&self) -> MemoryAppender {
        MemoryAppender { shared: self.shared.clone() }
    }

    /// The offset behind the last record of a partition.
    pub fn end_offset(&self, topic: Topic, partition: Partition) -> Result<Offset, Error> {
        let cluster = self.shared.lock();
        cluster.check_partition(topic, partition)?;
        Ok(cluster.streams.end(topic, partition))
    }

    /// All committed records of a partition; of a compacted one the newest of each key.
    pub fn records(&self, topic: Topic, partition: Partition) -> RecordBatch {
        let mut batch = RecordBatch::default();
        let bounds = Bounds { records_max: usize::MAX, bytes_max: usize::MAX };
        self.shared.lock().streams.fill(topic, partition, 0, &mut batch, bounds);
        batch
    }

    /// The committed position of a partition of the input: the next offset to read.
    pub fn position(&self, partition: Partition) -> Offset {
        self.shared.lock().positions.get(&partition).copied().unwrap_or(0)
    }

    /// What the log's clock shows, in ms since the epoch.
    pub fn clock(&self) -> i64 {
        self.shared.lock().now()
    }

    /// Sets the host's clock. The log's own never goes back: it stands until the host's has caught up.
    pub fn set_clock(&self, clock_ms: i64) {
        self.shared.step(|cluster| cluster.options.clock_ms = clock_ms);
    }

    /// From now on these faults.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.step(|cluster| cluster.options.faults = faults);
    }

    /// How many moments there were at which a worker could crash: each call of a worker is one, and a commit that was
    /// written is one more.
    pub fn crash_moments(&self) -> u64 {
        self.shared.lock().moments
    }

    /// The worker that makes the moment with this number, from 0, crashes at it. None: nobody.
    pub fn crash_at(&self, moment: Option<u64>) {
        self.shared.step(|cluster| cluster.crash_at = moment);
    }
}

/// Appends to the log. Clones share it.
#[derive(Clone)]
pub struct MemoryAppender {
    shared: Arc<Shared>,
}

impl Appender for MemoryAppender {
    fn append(&self, records: &Outputs) -> Result<Vec<Offset>, Error> {
        self.shared.step(|cluster| cluster.append(records))
    }
}
