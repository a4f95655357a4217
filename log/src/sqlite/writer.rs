//! The one thread that writes. It panics on nothing that storage does: a batch that cannot be written is answered with
//! the reason, and the next one is tried.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::Options;
use super::fault::sql;
use super::prepared::{PerTopic, Prepared};
use super::retention;
use super::schema::{Standing, write_standing};
use super::shared::{Request, Shared};
use crate::{Error, Topic};

/// Most requests of one transaction.
const GROUP_MAX: usize = 64;

/// Bytes at which a transaction takes no further request.
const GROUP_BYTES_MAX: usize = 32 << 20;

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) requests: Receiver<Request>,
    pub(super) options: Arc<Options>,
    pub(super) standing: Standing,
}

/// Closes the log when the writer ends, however it ends: without a writer nobody may wait for one.
struct ClosesAtTheEnd(Arc<Shared>);

impl Drop for ClosesAtTheEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    /// Writes until the log is closed; what was handed over before is written.
    pub(super) fn run(mut self) {
        let _closes = ClosesAtTheEnd(self.shared.clone());
        let pause = Duration::from_millis(self.options.retention_every_ms.max(1));
        let mut look_at = Instant::now() + pause;
        loop {
            match self.requests.recv_timeout(look_at.saturating_duration_since(Instant::now())) {
                Ok(first) => self.write_group(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= look_at {
                // Old records that stay a while longer harm nobody: after a failure the next look tries again.
                let is_more = retention::step(&self.connection, &self.options, &mut self.standing);
                let until_next = if is_more.unwrap_or(false) { retention::PAUSE.min(pause) } else { pause };
                look_at = Instant::now() + until_next;
            }
        }
    }

    /// Writes the batches of the first request and of all that wait behind it in one transaction, and answers each.
    fn write_group(&mut self, first: Request) {
        let requests = group(first, &self.requests);
        let now = self.shared.begin_writing();
        let results = match self.write_all_or_none(&requests, now) {
            Ok(results) => results,
            Err(error) if requests.len() == 1 => vec![Err(error)],
            // On a full disk one large batch fails all of them. Alone, a small one may have room.
            Err(_) => requests.iter().map(|request| self.write_alone(request, now)).collect(),
        };
        self.shared.end_writing(self.standing.ends);
        for (request, result) in requests.into_iter().zip(results) {
            // Whoever asked and did not wait for the answer has ended.
            drop(request.answer.send(result));
        }
    }

    fn write_alone(&mut self, request: &Request, now: i64) -> Result<PerTopic, Error> {
        let mut results = self.write_all_or_none(std::slice::from_ref(request), now)?;
        results.pop().expect("one request has one result")
    }

    /// Each batch's own result, or, where nothing of any of them is written, why.
    fn write_all_or_none(
        &mut self,
        requests: &[Request],
        now: i64,
    ) -> Result<Vec<Result<PerTopic, Error>>, Error> {
        let before = self.standing;
        let mut results = Vec::with_capacity(requests.len());
        let written = self.write_all(requests, now, &mut results);
        if written.is_err() {
            self.standing = before;
            self.roll_back();
        }
        written.map(|()| results)
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // If even this fails, the next transaction fails at its start, and says so.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }

    /// One transaction; a savepoint for each batch, so that one that fails takes no other with it.
    fn write_all(
        &mut self,
        requests: &[Request],
        now: i64,
        results: &mut Vec<Result<PerTopic, Error>>,
    ) -> Result<(), Error> {
        let failed = sql("write to the event log");
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(&failed)?;
        let at_first = self.standing.ends;
        for request in requests {
            let before = self.standing;
            self.connection.execute_batch("SAVEPOINT batch").map_err(&failed)?;
            match self.write_one(&request.batch, now) {
                Ok(()) => results.push(Ok(before.ends)),
                // On some errors SQLite gives the whole transaction up by itself.
                Err(error) if self.connection.is_autocommit() => return Err(failed(error)),
                Err(error) => {
                    self.standing = before;
                    self.connection.execute_batch("ROLLBACK TO batch").map_err(&failed)?;
                    results.push(Err(failed(error)));
                }
            }
            self.connection.execute_batch("RELEASE batch").map_err(&failed)?;
        }
        for topic in Topic::ALL {
            if self.standing.ends[topic as usize] != at_first[topic as usize] {
                write_standing(&self.connection, topic, &self.standing).map_err(&failed)?;
            }
        }
        self.connection.execute_batch("COMMIT").map_err(&failed)
    }

    fn write_one(&mut self, batch: &Prepared, now: i64) -> Result<(), rusqlite::Error> {
        let mut next = self.standing.ends;
        for chunk in &batch.chunks {
            let at = chunk.topic as usize;
            let first = next[at];
            next[at] += i64::try_from(chunk.count).expect("a chunk has at most a thousand records");
            self.connection.prepare_cached(insert(chunk.topic))?.execute(params![
                first,
                next[at] - 1,
                now,
                chunk.bytes
            ])?;
            self.standing.stored_bytes[at] += i64::try_from(chunk.bytes.len()).unwrap_or(i64::MAX);
        }
        for upsert in &batch.upserts {
            let offset = self.standing.ends[upsert.topic as usize] + upsert.nth;
            let (key, value, headers) = batch.parts(upsert);
            self.connection
                .prepare_cached(insert(upsert.topic))?
                .execute(params![key, offset, now, value, headers])?;
        }
        for (partition, offset) in &batch.positions {
            self.connection
                .prepare_cached(
                    "INSERT INTO positions (consumed_partition, next_offset) VALUES (?1, ?2)
                     ON CONFLICT (consumed_partition) DO UPDATE SET next_offset = ?2",
                )?
                .execute(params![partition, offset])?;
        }
        for topic in Topic::ALL {
            let at = topic as usize;
            if batch.counts[at] > 0 {
                self.standing.ends[at] += batch.counts[at];
                self.standing.appended_at[at] = now;
            }
        }
        Ok(())
    }
}

/// The first request and all that wait behind it, within bounds.
fn group(first: Request, receiver: &Receiver<Request>) -> Vec<Request> {
    let mut bytes = first.batch.byte_len;
    let mut requests = vec![first];
    while requests.len() < GROUP_MAX && bytes < GROUP_BYTES_MAX {
        let Ok(request) = receiver.try_recv() else { break };
        bytes += request.batch.byte_len;
        requests.push(request);
    }
    requests
}

/// The statement that stores a chunk, or an upsert.
const fn insert(topic: Topic) -> &'static str {
    match topic {
        Topic::LineStatus => "INSERT INTO line_status VALUES (?1, ?2, ?3, ?4)",
        Topic::LineChanges => "INSERT INTO line_changes VALUES (?1, ?2, ?3, ?4)",
        Topic::NotificationCommands => "INSERT INTO notification_commands VALUES (?1, ?2, ?3, ?4)",
        Topic::DeadLetters => "INSERT INTO dead_letters VALUES (?1, ?2, ?3, ?4)",
        Topic::Directory => {
            "INSERT INTO directory (key, record_offset, appended_at, value, headers)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE
             SET record_offset = ?2, appended_at = ?3, value = ?4, headers = ?5"
        }
        Topic::LineState => {
            "INSERT INTO line_state (key, record_offset, appended_at, value, headers)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE
             SET record_offset = ?2, appended_at = ?3, value = ?4, headers = ?5"
        }
    }
}
