//! What the writer, the readers and the appenders of one log share.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, mpsc};
use std::time::{Duration, Instant};

use super::chunk::Prepared;
use super::schema::Ends;
use crate::{Error, Offset};

/// A batch that waits for the writer, and where its answer goes.
pub(super) struct Request {
    pub(super) batch: Prepared,
    pub(super) answer: mpsc::SyncSender<Result<Vec<Offset>, Error>>,
}

/// What the writer made known last.
struct State {
    ends: Ends,
    /// The append time of the batches that are being written just now.
    writing_since: Option<i64>,
    is_closed: bool,
}

pub(super) struct Shared {
    pub(super) path: PathBuf,
    clock: fn() -> i64,
    state: Mutex<State>,
    changed: Condvar,
    requests: Mutex<Option<mpsc::SyncSender<Request>>>,
    pub(super) receiver: Mutex<Option<mpsc::Receiver<Request>>>,
}

impl Shared {
    pub(super) fn new(path: PathBuf, clock: fn() -> i64, queue_max: usize, ends: Ends) -> Self {
        let (sender, receiver) = mpsc::sync_channel(queue_max);
        Self {
            path,
            clock,
            state: Mutex::new(State { ends, writing_since: None, is_closed: false }),
            changed: Condvar::new(),
            requests: Mutex::new(Some(sender)),
            receiver: Mutex::new(Some(receiver)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the log's state")
    }

    /// Where each topic ends.
    pub(super) fn ends(&self) -> Ends {
        self.state().ends
    }

    /// Where each topic ends, and an instant before which every append is within those ends.
    pub(super) fn ends_and_clock(&self) -> (Ends, i64) {
        let state = self.state();
        let now = (self.clock)();
        (state.ends, state.writing_since.map_or(now, |since| since.min(now)))
    }

    /// Waits until some end lies behind where `is_new` wants it, or until the wait is over.
    pub(super) fn wait(&self, wait: Duration, is_new: impl Fn(&Ends) -> bool) -> Result<(), Error> {
        let until = Instant::now() + wait;
        let mut state = self.state();
        loop {
            if state.is_closed {
                return Err(Error::Closed);
            }
            let left = until.saturating_duration_since(Instant::now());
            if is_new(&state.ends) || left.is_zero() {
                return Ok(());
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .expect("no thread panics while it holds the log's state")
                .0;
        }
    }

    /// Hands a batch to the writer and waits until it is durable.
    pub(super) fn write(&self, batch: Prepared) -> Result<Vec<Offset>, Error> {
        let requests = self.requests.lock().expect("nobody panics while it holds the queue").clone();
        let (answer, answered) = mpsc::sync_channel(1);
        requests.ok_or(Error::Closed)?.send(Request { batch, answer }).map_err(|_| Error::Closed)?;
        answered.recv().map_err(|_| Error::Closed)?
    }

    /// The append time of the batches to be written now: not before `last`, known before anything is written.
    pub(super) fn begin_writing(&self, last: i64) -> i64 {
        let mut state = self.state();
        let appended_at = (self.clock)().max(last);
        state.writing_since = Some(appended_at);
        appended_at
    }

    /// The batches are durable, or they are not: these are the ends.
    pub(super) fn end_writing(&self, ends: Ends) {
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
