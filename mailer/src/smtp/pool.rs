//! The connections of a transport. Those that rest are shared by its lanes, the last used first, so that a quiet plant
//! keeps one warm and lets the server close the others.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::parcel::Parcel;
use super::session::Session;

/// How long a connection may rest and still be used: 60 s. Servers begin to hang up after minutes.
const IDLE_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Pool {
    state: Mutex<State>,
    /// Told when a connection comes to rest, or a lane leaves without one.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Session>,
    /// Lanes that hold a connection.
    busy: usize,
}

impl Pool {
    /// A lane, without a connection yet.
    pub(super) fn enter(&self) -> Lane<'_> {
        Lane { pool: self, session: None }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no lane panics while it holds the pool")
    }
}

/// One message's way. When it is dropped, its connection rests, or is gone.
pub(super) struct Lane<'a> {
    pool: &'a Pool,
    session: Option<Session>,
}

impl Lane<'_> {
    /// Takes a connection that rests; whether there was one.
    pub(super) fn take_idle(&mut self) -> bool {
        let mut stale = Vec::new();
        let mut state = self.pool.lock();
        while let Some(session) = state.idle.pop() {
            if session.is_reusable(IDLE_MAX) {
                state.busy += 1;
                self.session = Some(session);
                break;
            }
            stale.push(session);
        }
        drop(state);
        stale.into_iter().for_each(Session::quit);
        self.session.is_some()
    }

    /// Waits until another lane has done with its connection, and takes it. Not if there is no such lane, or none is
    /// done in time.
    pub(super) fn wait_for_idle(&mut self, until: Instant) -> bool {
        loop {
            if self.take_idle() {
                return true;
            }
            let state = self.pool.lock();
            let left = until.saturating_duration_since(Instant::now());
            if state.busy == 0 && state.idle.is_empty() || left.is_zero() {
                return false;
            }
            if state.idle.is_empty() {
                drop(
                    self.pool
                        .changed
                        .wait_timeout(state, left)
                        .expect("no lane panics while it holds the pool"),
                );
            }
        }
    }

    /// Takes a new connection.
    pub(super) fn put(&mut self, session: Session) {
        self.pool.lock().busy += 1;
        self.session = Some(session);
    }

    /// Hands a message over.
    pub(super) fn deliver(&mut self, parcel: &Parcel<'_>, until: Instant) -> Result<(), Fault> {
        self.session.as_mut().expect("a lane is given its connection first").deliver(parcel, until)
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let mut state = self.pool.lock();
        state.busy -= 1;
        if session.is_usable() {
            state.idle.push(session);
        }
        drop(state);
        self.pool.changed.notify_all();
    }
}
