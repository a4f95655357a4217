//! The projector: committed line changes, directory records and dead letters become rows of the views. It decides
//! nothing and may see a record twice: rows carry versions.
//!
//! A dead letter is held until the line changes that were committed before it are in the views: whether a late event
//! says anything new depends on them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use andon_domain::LineStatus;
use andon_log::{Offset, Partition, Read, Reader, Record, RecordBatch, Topic, chain};
use andon_schemas::{
    DeadLetterInfo, DeadLetterReason, PROGRESS_KEY, dead_letter_id, decode_dead_letter_resolved,
    decode_directory, decode_line_changed, decode_line_status_changed, decode_progress,
};
use andon_store::{
    DeadLetterWrite, Disposition, IntervalWrite, LateStatus, LineWrite, Position, Resolution, ViewBatch,
    Views,
};
use tokio::runtime::Handle;
use tracing::{error, warn};

use crate::backoff::{Backoff, Watch};
use crate::worker::wall_ms;
use crate::{Error, ProjectorMetrics};

/// Settings of a projector.
#[derive(Debug, Clone)]
pub struct ProjectorConfig {
    /// The longest wait for records, in ms. Default 250.
    pub wait_ms_max: u64,
}

impl Default for ProjectorConfig {
    fn default() -> Self {
        Self { wait_ms_max: 250 }
    }
}

/// One projector: one thread.
pub struct Projector {
    changes: Box<dyn Reader>,
    dead_letters: Box<dyn Reader>,
    views: Arc<dyn Views>,
    config: ProjectorConfig,
    metrics: ProjectorMetrics,
    runtime: Handle,
    /// Dead letters that wait, and the newest append time among them by partition.
    held: Option<(BTreeMap<Partition, i64>, ViewBatch)>,
    /// The newest append time of the line changes that are in the views, by partition.
    passed: BTreeMap<Partition, i64>,
}

impl Projector {
    /// The topics that the first reader follows, from the positions in the views.
    pub const CHANGES: [Topic; 2] = [Topic::Directory, Topic::LineChanges];

    /// `changes` follows [`Projector::CHANGES`], `dead_letters` that topic alone, both from the views' positions.
    pub fn new(
        changes: Box<dyn Reader>,
        dead_letters: Box<dyn Reader>,
        views: Arc<dyn Views>,
        config: ProjectorConfig,
        metrics: ProjectorMetrics,
        runtime: Handle,
    ) -> Self {
        Self { changes, dead_letters, views, config, metrics, runtime, held: None, passed: BTreeMap::new() }
    }

    /// Where a reader of `topic` goes on, by the positions of the views.
    pub fn start(positions: &[Position], topic: Topic, partition: Partition) -> Offset {
        positions
            .iter()
            .find(|position| position.stream == topic.name() && position.partition == partition)
            .map_or(0, |position| position.offset)
    }

    /// Works until `stop` is set. `on_turn` is told after each turn whether the views have all that was committed.
    pub fn run(mut self, stop: &AtomicBool, on_turn: &dyn Fn(bool)) -> Result<(), Error> {
        while !stop.load(Ordering::Acquire) {
            let is_caught_up = self.turn_watched(&Watch { stop, alive: &|| on_turn(false) })?;
            on_turn(is_caught_up);
        }
        Ok(())
    }

    /// One turn: dead letters are fetched and held, then line changes are written, then what was held. Whether the
    /// views have all that was committed.
    pub fn turn(&mut self, stop: &AtomicBool) -> Result<bool, Error> {
        self.turn_watched(&Watch { stop, alive: &|| () })
    }

    fn turn_watched(&mut self, watch: &Watch<'_>) -> Result<bool, Error> {
        if self.held.is_none()
            && let Read::Records(_, batch) = self.dead_letters.poll(Duration::ZERO)?
        {
            self.held = Some((newest(batch), read_dead_letters(batch, &self.metrics)));
        }
        let wait = Duration::from_millis(if self.held.is_some() { 0 } else { self.config.wait_ms_max });
        let batch = match self.changes.poll(wait)? {
            Read::Records(topic, batch) => {
                if topic == Topic::LineChanges {
                    self.passed.extend(newest(batch));
                }
                Some(read_changes(topic, batch, &self.metrics))
            }
            Read::CaughtUp => None,
        };
        let is_caught_up = batch.is_none();
        if let Some(batch) = batch
            && !self.write(&batch, watch)?
        {
            return Ok(false);
        }
        let passed = &self.passed;
        // Strictly later: what was committed together has one append time.
        let is_behind =
            |(partition, at): (&Partition, &i64)| passed.get(partition).is_some_and(|seen| seen > at);
        if let Some((_, batch)) =
            self.held.take_if(|(letters, _)| is_caught_up || letters.iter().all(is_behind))
        {
            self.write(&batch, watch)?;
        }
        Ok(is_caught_up)
    }

    /// Writes a batch, again and again until it is written or the role is to stop: then its position is not, and the
    /// next start reads it again. Whether it is written.
    fn write(&self, batch: &ViewBatch, watch: &Watch<'_>) -> Result<bool, Error> {
        let mut backoff = Backoff::new();
        let began = Instant::now();
        loop {
            match self.runtime.block_on(self.views.apply(batch)) {
                Ok(()) => break,
                Err(cause) => match cause.disposition() {
                    Disposition::Stop => return Err(cause.into()),
                    Disposition::Retry => {
                        self.metrics.retries.inc();
                        warn!("could not write the views, trying the same again: {}", chain(&cause));
                        if watch.must_stop() {
                            return Ok(false);
                        }
                        backoff.wait(watch);
                    }
                },
            }
        }
        self.metrics.apply_seconds.observe(began.elapsed().as_secs_f64());
        for (table, count) in [
            ("lines", batch.lines.len()),
            ("intervals", batch.intervals.len()),
            ("directory", batch.directory.len()),
            ("dead_letters", batch.dead_letters.len()),
        ] {
            if count > 0 {
                self.metrics.rows.with_label_values(&[table]).inc_by(count as u64);
            }
        }
        Ok(true)
    }
}

/// The newest append time of each partition in the batch.
fn newest(batch: &RecordBatch) -> BTreeMap<Partition, i64> {
    batch.iter().map(|record| (record.partition, record.appended_at)).collect()
}

fn read_changes(topic: Topic, batch: &RecordBatch, metrics: &ProjectorMetrics) -> ViewBatch {
    let mut rows = ViewBatch::default();
    for record in batch.iter() {
        if let Err(why) = read_change(topic, &record, &mut rows) {
            cannot_read(topic, &record, why.as_ref(), metrics);
        }
        advance(&mut rows.positions, topic, &record);
    }
    if let Some(last) = batch.iter().last() {
        metrics.lag_seconds.set((wall_ms() - last.appended_at).max(0) as f64 / 1000.0);
    }
    rows
}

fn read_change(
    topic: Topic,
    record: &Record<'_>,
    rows: &mut ViewBatch,
) -> Result<(), Box<dyn std::error::Error>> {
    let value = record.value.unwrap_or_default();
    match topic {
        Topic::LineChanges if record.key == PROGRESS_KEY => {
            rows.progress.push((record.partition, decode_progress(value)?));
        }
        Topic::LineChanges => {
            let changed = decode_line_changed(value)?;
            rows.intervals.extend(changed.intervals.into_iter().map(|(version, change)| IntervalWrite {
                line_id: changed.line_id.clone(),
                version,
                change,
            }));
            rows.lines.push(LineWrite {
                line_id: changed.line_id,
                version: changed.version,
                row: changed.row,
            });
        }
        Topic::Directory => {
            rows.directory.push((record.offset, decode_directory(record.key, record.value)?));
        }
        Topic::LineStatus | Topic::LineState | Topic::NotificationCommands | Topic::DeadLetters => {}
    }
    Ok(())
}

fn read_dead_letters(batch: &RecordBatch, metrics: &ProjectorMetrics) -> ViewBatch {
    let mut rows = ViewBatch::default();
    for record in batch.iter() {
        // Headers decide: the original value of a dead letter may be anything, also a record of ours.
        match (DeadLetterInfo::from_headers(&record.headers()), record.value.map(decode_dead_letter_resolved))
        {
            (Ok(info), _) => rows.dead_letters.push(dead_letter(&record, &info)),
            (Err(_), Some(Ok(resolved))) => {
                let how = match resolved.how {
                    andon_schemas::Resolution::Redriven => Resolution::Redriven,
                    andon_schemas::Resolution::Discarded => Resolution::Discarded,
                };
                rows.resolved.push((resolved.dead_letter_id, how, resolved.at, record.offset));
            }
            (Err(why), Some(Err(_)) | None) => cannot_read(Topic::DeadLetters, &record, &why, metrics),
        }
        advance(&mut rows.positions, Topic::DeadLetters, &record);
    }
    rows
}

fn dead_letter(record: &Record<'_>, info: &DeadLetterInfo) -> DeadLetterWrite {
    let late = (info.reason == DeadLetterReason::TooLate)
        .then_some(record.value)
        .flatten()
        .and_then(|value| decode_line_status_changed(value).ok())
        .and_then(|change| {
            Some(LateStatus {
                line_id: andon_domain::LineId::new(change.line_id).ok()?,
                event_time: change.event_time,
                status: change.status,
                reason_code: change
                    .reason_code
                    .map(str::to_owned)
                    .filter(|_| change.status != LineStatus::NoChange),
            })
        });
    DeadLetterWrite {
        id: dead_letter_id(info.reason, record.key, record.value),
        reason: info.reason.name().to_owned(),
        error: info.error.clone(),
        key: record.key.to_vec(),
        value: record.value.map(<[u8]>::to_vec),
        headers: record.raw_headers().to_vec(),
        partition: record.partition,
        offset: record.offset,
        appended_at: record.appended_at,
        late,
    }
}

fn cannot_read(topic: Topic, record: &Record<'_>, why: &dyn std::error::Error, metrics: &ProjectorMetrics) {
    metrics.undecodable.inc();
    error!(
        topic = topic.name(),
        record.partition,
        record.offset,
        "a committed record cannot be read, its rows are missing in the views: {}",
        chain(why)
    );
}

fn advance(positions: &mut Vec<Position>, topic: Topic, record: &Record<'_>) {
    let offset = record.offset + 1;
    match positions.iter_mut().find(|p| p.stream == topic.name() && p.partition == record.partition) {
        Some(position) => position.offset = offset,
        None => {
            positions.push(Position { stream: topic.name().to_owned(), partition: record.partition, offset })
        }
    }
}
