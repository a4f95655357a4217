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
    /// Told when a connection comes to rest, and when one is lost.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Session>,
    /// Lanes that hold a connection or are making one: as long as there are any, one may come to rest.
    at_work: usize,
}

impl Pool {
    /// A lane, without a connection yet.
    pub(super) fn enter(&self) -> Lane<'_> {
        Lane { pool: self, session: None }
    }

    /// A lane's work is over; its connection rests, if there is one left.
    fn leave(&self, session: Option<Session>) {
        let mut state = self.lock();
        state.at_work -= 1;
        state.idle.extend(session);
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no lane panics while it holds the pool")
    }
}

impl Drop for Pool {
    /// Takes leave where that is still possible: servers note who just goes away.
    fn drop(&mut self) {
        if let Ok(state) = self.state.get_mut() {
            state.idle.drain(..).for_each(Session::quit);
        }
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
        let mut state = self.pool.lock();
        let stale = self.take_from(&mut state);
        drop(state);
        stale.into_iter().for_each(Session::quit);
        self.session.is_some()
    }

    /// Waits until another lane has done with its connection, and takes it. Not if no lane has one, or none is done in
    /// time.
    pub(super) fn wait_for_idle(&mut self, until: Instant) -> bool {
        let mut stale = Vec::new();
        let mut state = self.pool.lock();
        loop {
            stale.append(&mut self.take_from(&mut state));
            let left = until.saturating_duration_since(Instant::now());
            if self.session.is_some() || state.at_work == 0 || left.is_zero() {
                break;
            }
            let waited = self.pool.changed.wait_timeout(state, left);
            state = waited.expect("no lane panics while it holds the pool").0;
        }
        drop(state);
        stale.into_iter().for_each(Session::quit);
        self.session.is_some()
    }

    /// Makes a connection of its own.
    pub(super) fn open(&mut self, connect: impl FnOnce() -> Result<Session, Fault>) -> Result<(), Fault> {
        self.pool.lock().at_work += 1;
        match connect() {
            Ok(session) => {
                self.session = Some(session);
                Ok(())
            }
            Err(fault) => {
                self.pool.leave(None);
                Err(fault)
            }
        }
    }

    /// Hands a message over.
    pub(super) fn deliver(&mut self, parcel: &Parcel<'_>, until: Instant) -> Result<(), Fault> {
        self.session.as_mut().expect("a lane is given its connection first").deliver(parcel, until)
    }

    /// Takes a connection that rests, if there is one that still may be used; those that may not be are returned.
    fn take_from(&mut self, state: &mut State) -> Vec<Session> {
        let mut stale = Vec::new();
        while let Some(session) = state.idle.pop() {
            if session.is_reusable(IDLE_MAX) {
                state.at_work += 1;
                self.session = Some(session);
                break;
            }
            stale.push(session);
        }
        stale
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.pool.leave(Some(session).filter(Session::is_usable));
        }
    }
}
