//! The role that follows the committed log for all streams of this process. One thread; it waits for nobody who
//! listens, and decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use andon_domain::{LineId, Millis};
use andon_log::{Error, Offset, Partition, Read, Reader, RecordBatch, Topic};
use andon_schemas::{PROGRESS_KEY, decode_directory, decode_progress};
use andon_store::Views;
use prometheus::Registry;
use tokio::runtime::Handle;

use super::frame::{Rendered, changed_line, render};
use super::ring::{Content, Step};
use super::{Events, EventsConfig};

/// How often the views are looked at while they do not show a change of the directory yet.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a client is sent at once is a chunk, so these bound what a slow one holds in memory.
const CHUNK_RECORDS_MAX: usize = 256;
const CHUNK_BYTES_MAX: usize = 64 << 10;

/// Follows `line-changes` and the directory.
pub struct EventTail {
    reader: Box<dyn Reader>,
    views: Arc<dyn Views>,
    events: Events,
    clock: Arc<dyn Fn() -> Millis + Send + Sync>,
    runtime: Handle,
    wait_max: Duration,
    /// Lines whose entry changed, with the offset that the views have to pass before anybody is told to look.
    held: BTreeMap<LineId, Offset>,
    /// Where the reader is in the directory.
    directory_next: Offset,
}

impl EventTail {
    /// The topics that its reader follows.
    pub const TOPICS: [Topic; 2] = [Topic::LineChanges, Topic::Directory];

    /// A tail whose reader follows every partition of [`Self::TOPICS`] from `starts`, the end of each as of now.
    pub fn new(
        reader: Box<dyn Reader>,
        starts: &[(Topic, Partition, Offset)],
        views: Arc<dyn Views>,
        config: EventsConfig,
        clock: Arc<dyn Fn() -> Millis + Send + Sync>,
        registry: &Registry,
        runtime: Handle,
    ) -> Self {
        let wait_max = Duration::from_millis(config.wait_ms_max);
        let events = Events::new(starts, clock(), &config, registry);
        Self { reader, views, events, clock, runtime, wait_max, held: BTreeMap::new(), directory_next: 0 }
    }

    /// The events, for [`crate::Api`].
    pub fn events(&self) -> Events {
        self.events.clone()
    }

    /// Runs until `stop`; `on_turn` hears whether it is caught up.
    ///
    /// # Errors
    /// What the log says when it cannot be read.
    pub fn run(mut self, stop: &AtomicBool, on_turn: &dyn Fn(bool)) -> Result<(), Error> {
        while !stop.load(Ordering::Acquire) {
            let is_caught_up = self.turn()?;
            on_turn(is_caught_up);
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<bool, Error> {
        self.tell_directory();
        let wait = if self.held.is_empty() { self.wait_max } else { LOOK_EVERY };
        match self.reader.poll(wait)? {
            Read::CaughtUp => return Ok(true),
            Read::Records(Topic::Directory, batch) => {
                for record in batch.iter() {
                    // What cannot be read is the projector's to report: it reads the same record.
                    let changed = decode_directory(record.key, record.value).ok().and_then(changed_line);
                    if let Some(line) = changed {
                        self.held.insert(line, record.offset);
                    }
                    self.directory_next = record.offset + 1;
                }
                if self.held.is_empty() {
                    self.events.push(&self.directory_step(), None);
                }
            }
            Read::Records(_, batch) => {
                let is_heard = self.events.has_clients();
                for (step, batch) in chunks(batch, self.events.partitions()) {
                    let content = batch.map(|batch| match is_heard {
                        true => render_now(batch, self.views.as_ref(), &self.runtime),
                        false => Content::Raw(batch),
                    });
                    self.events.push(&step, content);
                }
                if let Some(newest) = batch.iter().last() {
                    self.events.lags_ms((self.clock)() - newest.appended_at);
                }
            }
        }
        Ok(false)
    }

    /// Tells of changed entries once the views show them: whoever is told reads them there.
    fn tell_directory(&mut self) {
        if self.held.is_empty() {
            return;
        }
        // An error is no answer: the next turn asks again.
        let Ok(positions) = self.runtime.block_on(self.views.positions()) else { return };
        let seen = positions.iter().find(|position| position.stream == Topic::Directory.name());
        let seen = seen.map_or(0, |position| position.offset);
        let slot = self.events.partitions();
        let mut shown = Vec::new();
        self.held.retain(|line, offset| {
            if *offset < seen {
                shown.push((*offset, line.clone()));
            }
            *offset >= seen
        });
        shown.sort_unstable();
        if shown.is_empty() {
            return;
        }
        let step = self.directory_step();
        let rendered = shown.into_iter().map(|(offset, line)| Rendered::directory(slot, offset, line));
        self.events.push(&step, Some(Content::Rendered(rendered.collect())));
    }

    /// How far the directory was told.
    fn directory_step(&self) -> Step {
        let next = self.held.values().copied().min().unwrap_or(self.directory_next);
        Step { passed: vec![(self.events.partitions(), next)], log_times: Vec::new() }
    }
}

/// Renders a chunk for those who listen. If the views cannot be read just now, each of them does it by itself.
fn render_now(batch: RecordBatch, views: &dyn Views, runtime: &Handle) -> Content {
    match runtime.block_on(render(&batch, views)) {
        Ok(rendered) => Content::Rendered(rendered),
        Err(_) => Content::Raw(batch),
    }
}

/// Cuts a batch into chunks, each with how far the log is behind it. Progress records become log times.
fn chunks(batch: &RecordBatch, partitions: usize) -> Vec<(Step, Option<RecordBatch>)> {
    let mut chunks = Vec::new();
    let (mut step, mut content) = (Step::default(), RecordBatch::default());
    for record in batch.iter() {
        let partition = record.partition as usize;
        if partition >= partitions {
            continue;
        }
        match step.passed.iter_mut().find(|(slot, _)| *slot == partition) {
            Some((_, next)) => *next = record.offset + 1,
            None => step.passed.push((partition, record.offset + 1)),
        }
        if record.key == PROGRESS_KEY {
            let log_time = record.value.and_then(|value| decode_progress(value).ok());
            step.log_times.extend(log_time.map(|log_time| (partition, log_time)));
            continue;
        }
        content.push(
            record.partition,
            record.offset,
            record.appended_at,
            record.key,
            record.value,
            record.raw_headers(),
        );
        if content.len() >= CHUNK_RECORDS_MAX || content.byte_len() >= CHUNK_BYTES_MAX {
            chunks.push((std::mem::take(&mut step), Some(std::mem::take(&mut content))));
        }
    }
    if !step.passed.is_empty() {
        chunks.push((step, Some(content).filter(|content| !content.is_empty())));
    }
    chunks
}
