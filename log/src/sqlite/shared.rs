//! What the writer, the readers, the worker and the appenders of one log share: the queue to the writer, and what the
//! writer made known last. Nobody holds its lock while the file is read or written.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, mpsc};
use std::time::{Duration, Instant};

use super::prepared::{PerTopic, Prepared};
use super::schema::Standing;
use crate::Error;

/// A batch that waits for the writer, and where its answer goes: the offset of its first record in each topic.
pub(super) struct Request {
    pub(super) batch: Prepared,
    pub(super) answer: mpsc::SyncSender<Result<PerTopic, Error>>,
}

/// What the writer made known last.
pub(super) struct State {
    pub(super) ends: PerTopic,
    /// The append time of the batches that are being written just now.
    writing_since: Option<i64>,
    /// The latest time that the clock showed: the log's time never goes back, even where the host's does.
    latest: i64,
    /// Number of the worker that has the partition.
    pub(super) owner: Option<u64>,
    workers_made: u64,
    is_closed: bool,
}

pub(super) struct Shared {
    pub(super) path: PathBuf,
    clock: fn() -> i64,
    state: Mutex<State>,
    changed: Condvar,
    requests: Mutex<Option<mpsc::SyncSender<Request>>>,
}

impl Shared {
    /// The shared part, and the writer's end of the queue.
    pub(super) fn new(
        path: PathBuf,
        clock: fn() -> i64,
        queue_max: usize,
        standing: &Standing,
    ) -> (Self, mpsc::Receiver<Request>) {
        let (sender, receiver) = mpsc::sync_channel(queue_max);
        let state = State {
            ends: standing.ends,
            writing_since: None,
            latest: standing.appended_at.iter().copied().max().unwrap_or(i64::MIN),
            owner: None,
            workers_made: 0,
            is_closed: false,
        };
        let shared = Self {
            path,
            clock,
            state: Mutex::new(state),
            changed: Condvar::new(),
            requests: Mutex::new(Some(sender)),
        };
        (shared, receiver)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the log's state")
    }

    /// The log's clock.
    fn now(&self, state: &mut State) -> i64 {
        state.latest = state.latest.max((self.clock)());
        state.latest
    }

    /// Where each topic ends.
    pub(super) fn ends(&self) -> PerTopic {
        self.state().ends
    }

    /// Where each topic ends, and an instant before which every append is within those ends.
    pub(super) fn ends_and_clock(&self) -> (PerTopic, i64) {
        let mut state = self.state();
        let now = self.now(&mut state);
        (state.ends, state.writing_since.map_or(now, |since| since.min(now)))
    }

    /// Waits until the state is as `is_awaited` wants it, or until the wait is over.
    pub(super) fn wait(&self, wait: Duration, is_awaited: impl Fn(&State) -> bool) -> Result<(), Error> {
        // A wait too long for the clock is one without end.
        let until = Instant::now().checked_add(wait);
        let mut state = self.state();
        loop {
            if state.is_closed {
                return Err(Error::Closed);
            }
            let left = until
                .map_or(Duration::from_secs(3600), |until| until.saturating_duration_since(Instant::now()));
            if is_awaited(&state) || left.is_zero() {
                return Ok(());
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .expect("no thread panics while it holds the log's state")
                .0;
        }
    }

    /// A number for a new worker.
    pub(super) fn next_worker(&self) -> u64 {
        let mut state = self.state();
        state.workers_made += 1;
        state.workers_made
    }

    /// Gives the partition to this worker if nobody has it. Whether it has it now.
    pub(super) fn claim(&self, worker: u64) -> bool {
        *self.state().owner.get_or_insert(worker) == worker
    }

    /// Takes the partition from this worker, if it has it.
    pub(super) fn give_up(&self, worker: u64) {
        self.state().owner.take_if(|owner| *owner == worker);
        self.changed.notify_all();
    }

    /// Hands a batch to the writer and waits until it is durable.
    pub(super) fn write(&self, batch: Prepared) -> Result<PerTopic, Error> {
        let requests = self.requests.lock().expect("nobody panics while it holds the queue").clone();
        let (answer, answered) = mpsc::sync_channel(1);
        requests.ok_or(Error::Closed)?.send(Request { batch, answer }).map_err(|_| Error::Closed)?;
        answered.recv().map_err(|_| Error::Closed)?
    }

    /// The append time of the batches to be written now. It is known to all before anything of them is written.
    pub(super) fn begin_writing(&self) -> i64 {
        let mut state = self.state();
        let appended_at = self.now(&mut state);
        state.writing_since = Some(appended_at);
        appended_at
    }

    /// The batches are durable, or they are not: these are the ends.
    pub(super) fn end_writing(&self, ends: PerTopic) {
        let mut state = self.state();
        state.ends = ends;
        state.writing_since = None;
        drop(state);
        self.changed.notify_all();
    }

    /// No more requests; readers return.
    pub(super) fn close(&self) {
        drop(self.requests.lock().expect("nobody panics while it holds the queue").take());
        self.state().is_closed = true;
        self.changed.notify_all();
    }
}
