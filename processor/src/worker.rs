//! The worker: the loop round the core. It polls, folds, and commits what the folding caused together with the
//! position, so that a crash anywhere leaves either all of a batch or nothing of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use andon_domain::{Directory, DirectoryChange, FoldConfig};
use andon_log::{CommitError, Outputs, Partition, Polled, Reader, chain};
use tracing::{error, info, warn};

use crate::backoff::{Backoff, Watch};
use crate::dead_letter::Origin;
use crate::directory::Follower;
use crate::owned::{Owned, Scene, Tally};
use crate::{Error, WorkerMetrics};

/// Settings of a worker.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Settings of the fold.
    pub fold: FoldConfig,
    /// The number of partitions of the input. It must never change.
    pub partitions: u32,
    /// Name of the consumer group, for the headers of dead letters.
    pub group: String,
    /// The largest value that is decoded, in bytes; larger ones become dead letters. Default 64 KiB.
    pub value_bytes_max: usize,
    /// The longest wait for records, in ms. Default 250.
    pub wait_ms_max: u64,
    /// The pause before a commit that failed is tried again, in ms; it doubles each time, up to 2 s. Default 20.
    pub again_ms_first: u64,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            fold: FoldConfig::default(),
            partitions: 1,
            group: "andon-processor".to_owned(),
            value_bytes_max: 64 * 1024,
            wait_ms_max: 250,
            again_ms_first: 20,
        }
    }
}

/// One worker: one thread, its partitions, their state.
pub struct Worker {
    log: Box<dyn andon_log::Worker>,
    follower: Follower,
    config: WorkerConfig,
    origin: Origin,
    metrics: WorkerMetrics,
    owned: BTreeMap<Partition, Owned>,
    outputs: Outputs,
    /// Whether every partition was read to its end since it was assigned.
    is_caught_up: bool,
}

impl Worker {
    /// `directory` starts at the beginning of the directory topic.
    pub fn new(
        log: Box<dyn andon_log::Worker>,
        directory: Box<dyn Reader>,
        config: WorkerConfig,
        metrics: WorkerMetrics,
    ) -> Self {
        let origin = Origin { group: config.group.clone(), app_version: env!("CARGO_PKG_VERSION") };
        Self {
            log,
            follower: Follower::new(directory),
            config,
            origin,
            metrics,
            owned: BTreeMap::new(),
            outputs: Outputs::default(),
            is_caught_up: false,
        }
    }

    /// Works until `stop` is set; then what is folded is committed. `on_turn` is told after each turn whether the
    /// worker has partitions and has read them to their end at least once.
    pub fn run(mut self, stop: &AtomicBool, on_turn: &dyn Fn(bool)) -> Result<(), Error> {
        while !stop.load(Ordering::Acquire) {
            self.turn_watched(&Watch { stop, alive: &|| on_turn(false) })?;
            on_turn(self.is_caught_up);
        }
        self.commit(&Watch { stop: &AtomicBool::new(true), alive: &|| () })
    }

    /// One turn: one thing from the log, what changed in the directory until then, then the commit of what both caused.
    pub fn turn(&mut self, stop: &AtomicBool) -> Result<(), Error> {
        self.turn_watched(&Watch { stop, alive: &|| () })
    }

    fn turn_watched(&mut self, watch: &Watch<'_>) -> Result<(), Error> {
        let wait = Duration::from_millis(self.config.wait_ms_max);
        let Self { log, owned, outputs, follower, config, origin, metrics, .. } = self;
        let scene = scene(config, origin, metrics);
        let polled = log.poll(wait)?;
        // Behind the poll: who subscribed before an event was appended is told of it.
        follower.follow(|change, directory| change_all(owned, change, directory))?;
        match polled {
            Polled::Records(batch) => {
                let began = Instant::now();
                let mut tally = Tally::default();
                for record in batch.iter() {
                    if let Some(partition) = owned.get_mut(&record.partition) {
                        partition.fold(&record, &follower.directory, &scene, outputs, &mut tally);
                    }
                }
                if let Some(last) = batch.iter().last() {
                    let lag_ms = (wall_ms() - last.appended_at).max(0);
                    let partition = last.partition.to_string();
                    metrics.lag_seconds.with_label_values(&[&partition]).set(lag_ms as f64 / 1000.0);
                }
                metrics.batch_records.observe(batch.len() as f64);
                metrics.batch_seconds.with_label_values(&["fold"]).observe(began.elapsed().as_secs_f64());
                tally.tell(metrics);
                self.commit(watch)
            }
            Polled::CaughtUp { partition, clock } => {
                if let Some(owned) = owned.get_mut(&partition) {
                    owned.caught_up(clock, &follower.directory);
                    metrics.lag_seconds.with_label_values(&[&partition.to_string()]).set(0.0);
                    self.is_caught_up = true;
                }
                self.commit(watch)
            }
            Polled::Idle => self.commit(watch),
            Polled::Assigned(partitions) => {
                self.commit(watch)?;
                partitions.into_iter().try_for_each(|partition| self.take_over(partition))
            }
            Polled::Revoking(partitions) => {
                self.commit(watch)?;
                self.let_go(&partitions)
            }
            Polled::Lost(partitions) => {
                // What is not committed belongs to the next owner, who reads it again.
                self.outputs.clear();
                self.let_go(&partitions)
            }
        }
    }

    /// Restores a partition and starts it, unless it was taken away in the meantime: then the next poll says so.
    fn take_over(&mut self, number: Partition) -> Result<(), Error> {
        match self.restore(number) {
            Err(Error::Log(andon_log::Error::NotOwned { .. })) => {
                info!(partition = number, "partition {number} went elsewhere before it was restored");
                Ok(())
            }
            result => result,
        }
    }

    fn restore(&mut self, number: Partition) -> Result<(), Error> {
        let began = Instant::now();
        let mut snapshot = self.log.snapshot(number)?;
        let partitions = self.config.partitions;
        let restore = Owned::restore(number, partitions, self.config.fold.clone(), snapshot.as_mut())?;
        let control = restore.control();
        let directory_offset = control.map_or(0, |control| control.directory_offset);
        let owned = &mut self.owned;
        self.follower.read_to(directory_offset, |change, directory| change_all(owned, change, directory))?;
        let start = self.log.start(number)?;
        let applied = control.map_or(0, |control| control.applied_offset + 1);
        if start != applied {
            // State and position commit as one, so a torn transaction of the log is what makes them differ.
            self.metrics.torn.inc();
            error!(
                partition = number,
                position = start,
                applied,
                "the committed position and the restored state do not agree; rebuild the state from the input"
            );
        }
        let partition = Owned::begin(number, restore, start, &self.follower.directory);
        let lines = partition.core.line_count();
        self.metrics.restored_lines.inc_by(lines as u64);
        self.metrics.lines.add(i64::try_from(lines).unwrap_or(i64::MAX));
        info!(
            partition = number,
            lines,
            position = start,
            millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "took over partition {number}"
        );
        self.is_caught_up = false;
        self.owned.insert(number, partition);
        Ok(())
    }

    fn let_go(&mut self, partitions: &[Partition]) -> Result<(), Error> {
        for number in partitions {
            self.owned.remove(number);
            info!(partition = number, "let go of partition {number}");
        }
        Ok(self.log.release()?)
    }

    /// Commits what is folded and not committed yet, or does nothing if that is nothing.
    fn commit(&mut self, watch: &Watch<'_>) -> Result<(), Error> {
        let began = Instant::now();
        let scene = scene(&self.config, &self.origin, &self.metrics);
        let mut positions = Vec::new();
        for partition in self.owned.values_mut().filter(|partition| partition.has_news) {
            partition.write(self.follower.next, &scene, &mut self.outputs);
            positions.push((partition.number, partition.next));
        }
        if positions.is_empty() {
            return Ok(());
        }
        let lines: usize = self.owned.values().map(|partition| partition.core.line_count()).sum();
        self.metrics.lines.set(i64::try_from(lines).unwrap_or(i64::MAX));
        let encoded = Instant::now();
        self.metrics
            .batch_seconds
            .with_label_values(&["encode"])
            .observe(encoded.duration_since(began).as_secs_f64());
        let mut backoff = Backoff::beginning_with(Duration::from_millis(self.config.again_ms_first));
        loop {
            let result = self.log.commit(&self.outputs, &positions);
            let label = match &result {
                Ok(()) => "committed",
                Err(CommitError::Again(_)) => "again",
                Err(CommitError::Drop(_)) => "dropped",
                Err(CommitError::Rebuild(_)) => "rebuilt",
            };
            self.metrics.commits.with_label_values(&[label]).inc();
            match result {
                Ok(()) => break,
                // The same batch can never be written: only other settings can help.
                Err(CommitError::Again(cause @ andon_log::Error::TooLarge { .. })) => {
                    return Err(cause.into());
                }
                Err(CommitError::Again(cause)) => {
                    warn!("could not commit a batch, trying the same again: {}", chain(&cause));
                    if watch.must_stop() {
                        return Ok(()); // nothing was written: the next start reads it again
                    }
                    backoff.wait(watch);
                }
                Err(CommitError::Drop(cause)) => {
                    warn!("the batch belongs to another worker now: {}", chain(&cause));
                    self.owned.clear();
                    break;
                }
                Err(CommitError::Rebuild(cause)) => {
                    warn!("restoring the state after a commit in doubt: {}", chain(&cause));
                    self.outputs.clear();
                    let numbers: Vec<Partition> = std::mem::take(&mut self.owned).into_keys().collect();
                    return numbers.into_iter().try_for_each(|number| self.take_over(number));
                }
            }
        }
        self.metrics.batch_seconds.with_label_values(&["commit"]).observe(encoded.elapsed().as_secs_f64());
        self.outputs.clear();
        Ok(())
    }
}

/// Steps every partition over a change of the directory.
fn change_all(owned: &mut BTreeMap<Partition, Owned>, change: &DirectoryChange, directory: &Directory) {
    for partition in owned.values_mut() {
        partition.core.directory_changed(change, directory);
        partition.has_news = true;
    }
}

fn scene<'a>(config: &WorkerConfig, origin: &'a Origin, metrics: &'a WorkerMetrics) -> Scene<'a> {
    Scene { partitions: config.partitions, value_bytes_max: config.value_bytes_max, origin, metrics }
}

/// The wall clock in ms, for measuring lag alone: nothing that is folded depends on it.
pub(crate) fn wall_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}
