//! One partition that belongs to this worker: the core's state, its position, and what is not committed yet.

use andon_domain::{Control, Directory, FoldConfig, LineId, Outcome, Partition, Restore, StatusChange};
use andon_log::{Offset, Outputs, Record, Snapshot, Topic, partition_of};
use andon_schemas::{
    DeadLetterReason, PROGRESS_KEY, decode_line_status_changed, encode_command, encode_line_changed,
    encode_progress,
};

use crate::dead_letter::{self, Origin};
use crate::{Error, WorkerMetrics};

/// A partition with its state.
pub(crate) struct Owned {
    pub(crate) number: u32,
    pub(crate) core: Partition,
    /// Next offset to read.
    pub(crate) next: Offset,
    /// Whether the state says something that is not committed.
    pub(crate) has_news: bool,
    /// Log time of the last progress that was committed.
    pub(crate) told_log_time: i64,
}

/// What stays the same for every record.
pub(crate) struct Scene<'a> {
    pub(crate) partitions: u32,
    pub(crate) value_bytes_max: usize,
    pub(crate) origin: &'a Origin,
    pub(crate) metrics: &'a WorkerMetrics,
}

impl Owned {
    /// Reads the changelog. The result is complete once the directory was read up to the offset that is returned.
    pub(crate) fn restore(
        number: u32,
        partitions: u32,
        config: FoldConfig,
        snapshot: &mut dyn Snapshot,
    ) -> Result<Restore, Error> {
        let mut restore = Restore::new(config);
        while let Some(batch) = snapshot.next()? {
            for record in batch.iter() {
                restore
                    .record(record.key, record.value)
                    .map_err(|source| Error::Restore { partition: number, source })?;
            }
        }
        match restore.control() {
            Some(control) if control.partitions != partitions => {
                Err(Error::PartitionCount { partition: number, known: control.partitions, found: partitions })
            }
            Some(_) | None => Ok(restore),
        }
    }

    /// Takes the restored state into work at its committed position.
    pub(crate) fn begin(number: u32, restore: Restore, start: Offset, directory: &Directory) -> Self {
        let core = restore.finish(directory);
        let next = start.max(core.applied_offset() + 1);
        Self { number, core, next, has_news: true, told_log_time: i64::MIN }
    }

    /// Folds one record. What it causes is in the core until [`Owned::write`]; dead letters go to `outputs` at once.
    pub(crate) fn fold(
        &mut self,
        record: &Record<'_>,
        directory: &Directory,
        scene: &Scene<'_>,
        outputs: &mut Outputs,
        tally: &mut Tally,
    ) {
        if record.offset < self.next {
            tally.replayed += 1; // the log may deliver a record twice after a rebalance
            return;
        }
        self.next = record.offset + 1;
        self.has_news = true;
        let dead = match decode(record, scene) {
            Ok(Decoded::Ours(change)) => {
                tally.last_event_lag_ms = record.appended_at - change.event_time;
                let outcome = self.core.fold(record.offset, record.appended_at, &change, directory);
                tally.count(&outcome);
                match outcome {
                    Outcome::Refused(refusal) => {
                        Some((dead_letter::reason_of(&refusal), refusal.to_string()))
                    }
                    Outcome::Accepted { .. }
                    | Outcome::SignOfLife
                    | Outcome::Duplicate
                    | Outcome::Replayed => None,
                }
            }
            Ok(Decoded::Elsewhere(partition)) => {
                tally.forwarded += 1;
                self.core.pass(record.offset, record.appended_at, directory);
                outputs.push_with_headers(
                    Topic::LineStatus,
                    partition,
                    record.key,
                    record.value,
                    record.raw_headers(),
                );
                None
            }
            Err(dead) => {
                tally.undecodable += 1;
                self.core.pass(record.offset, record.appended_at, directory);
                Some(dead)
            }
        };
        if let Some((reason, error)) = dead {
            scene.metrics.dead_letters.with_label_values(&[reason.name()]).inc();
            dead_letter::write(record, reason, &error, scene.origin, outputs);
        }
    }

    /// Moves log time on, because the partition is read to its end.
    pub(crate) fn caught_up(&mut self, clock: i64, directory: &Directory) {
        let deadline = self.core.next_deadline();
        let log_time = clock - CAUGHT_UP_MARGIN_MS;
        self.core.advance(log_time, directory);
        let is_due = deadline.is_some_and(|deadline| deadline <= log_time);
        self.has_news |= is_due || log_time.saturating_sub(self.told_log_time) >= PROGRESS_EVERY_MS;
    }

    /// Adds everything the core has to say to the outputs: line changes, commands, state, control and progress.
    pub(crate) fn write(&mut self, directory_offset: Offset, scene: &Scene<'_>, outputs: &mut Outputs) {
        let number = self.number;
        let drained = self.core.drain();
        for changed in &drained.published {
            outputs.push_written(Topic::LineChanges, number, changed.line_id.as_str().as_bytes(), |out| {
                encode_line_changed(changed, out);
            });
        }
        for command in &drained.commands {
            scene.metrics.commands.with_label_values(&[command.kind.name()]).inc();
            let key = command.subscriber_id.to_string();
            outputs.push_written(Topic::NotificationCommands, number, key.as_bytes(), |out| {
                encode_command(command, out);
            });
        }
        self.core.visit_dirty(|line, told_too| {
            let key = line.id().as_str().as_bytes();
            outputs.push_written(Topic::LineState, number, key, |out| line.encode(out));
            if told_too {
                outputs.push_written(Topic::LineState, number, &line.told_key(), |out| line.encode_told(out));
            }
        });
        let control = Control {
            log_time: self.core.log_time(),
            applied_offset: self.core.applied_offset(),
            directory_offset,
            partitions: scene.partitions,
        };
        outputs.push_written(Topic::LineState, number, andon_domain::CONTROL_KEY, |out| control.encode(out));
        outputs.push_written(Topic::LineChanges, number, PROGRESS_KEY, |out| {
            encode_progress(control.log_time, out);
        });
        self.told_log_time = control.log_time;
        self.has_news = false;
    }
}

/// Caught up, log time is the log's clock less this: a record being appended just now has an older append time.
const CAUGHT_UP_MARGIN_MS: i64 = 1_000;

/// How often an idle partition says that it is alive.
const PROGRESS_EVERY_MS: i64 = 1_000;

enum Decoded<'a> {
    Ours(StatusChange<'a>),
    Elsewhere(u32),
}

fn decode<'a>(record: &Record<'a>, scene: &Scene<'_>) -> Result<Decoded<'a>, (DeadLetterReason, String)> {
    let Some(value) = record.value else {
        return Err((DeadLetterReason::Decode, "the record has no value".to_owned()));
    };
    if value.len() > scene.value_bytes_max {
        let limit = scene.value_bytes_max;
        let error = format!("the value has {} bytes, the limit is {limit}", value.len());
        return Err((DeadLetterReason::Oversize, error));
    }
    let change = decode_line_status_changed(value).map_err(|error| (error.reason(), error.to_string()))?;
    if change.line_id.as_bytes() != record.key {
        let error = format!("the value is about line `{}`, the key says otherwise", change.line_id);
        return Err((DeadLetterReason::KeyMismatch, error));
    }
    debug_assert!(LineId::check(change.line_id).is_ok(), "the decoder checks line ids");
    match partition_of(change.line_id, scene.partitions) {
        own if own == record.partition => Ok(Decoded::Ours(change)),
        other => Ok(Decoded::Elsewhere(other)),
    }
}

/// What became of the records of a batch, counted here and told to the metrics once.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    accepted: u64,
    signs_of_life: u64,
    duplicates: u64,
    replayed: u64,
    refused: u64,
    forwarded: u64,
    undecodable: u64,
    conflicts: u64,
    size_bound: u64,
    last_event_lag_ms: i64,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted { is_conflicting, hit_size_bound } => {
                self.accepted += 1;
                self.conflicts += u64::from(*is_conflicting);
                self.size_bound += u64::from(*hit_size_bound);
            }
            Outcome::SignOfLife => self.signs_of_life += 1,
            Outcome::Duplicate => self.duplicates += 1,
            Outcome::Replayed => self.replayed += 1,
            Outcome::Refused(_) => self.refused += 1,
        }
    }

    /// Tells the metrics.
    pub(crate) fn tell(&self, metrics: &WorkerMetrics) {
        for (outcome, count) in [
            ("accepted", self.accepted),
            ("sign_of_life", self.signs_of_life),
            ("duplicate", self.duplicates),
            ("replayed", self.replayed),
            ("refused", self.refused),
            ("forwarded", self.forwarded),
            ("undecodable", self.undecodable),
        ] {
            if count > 0 {
                metrics.events.with_label_values(&[outcome]).inc_by(count);
            }
        }
        metrics.conflicts.inc_by(self.conflicts);
        metrics.size_bound.inc_by(self.size_bound);
        metrics.event_time_lag_seconds.set(self.last_event_lag_ms as f64 / 1000.0);
    }
}
