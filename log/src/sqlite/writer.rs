//! The one thread that writes.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rusqlite::{Connection, params};

use super::Options;
use super::chunk::Prepared;
use super::fault::sql;
use super::schema::{Ends, table};
use super::shared::{Request, Shared};
use crate::{Cleanup, Error, Offset, Topic};

/// Most requests of one transaction.
const GROUP_MAX: usize = 64;

/// Bytes at which a transaction takes no further request.
const GROUP_BYTES_MAX: usize = 32 << 20;

/// How often an idle writer looks for records that are too old.
const RETENTION_EVERY: Duration = Duration::from_secs(30);

/// Most chunks that one look deletes, so that no request waits long.
const RETENTION_STEP: u32 = 64;

pub(super) struct Writer {
    connection: Connection,
    shared: Arc<Shared>,
    options: Arc<Options>,
    ends: Ends,
    appended_at: [i64; Topic::ALL.len()],
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        shared: Arc<Shared>,
        options: Arc<Options>,
        appended_at: [i64; Topic::ALL.len()],
    ) -> Self {
        let ends = shared.ends();
        Self { connection, shared, options, ends, appended_at }
    }

    /// Writes until the log is closed; what was handed over before is written.
    pub(super) fn run(mut self) {
        let receiver = self.shared.receiver.lock().expect("nobody else takes it").take();
        let Some(receiver) = receiver else { return };
        loop {
            match receiver.recv_timeout(RETENTION_EVERY) {
                Ok(first) => self.write_group(group(first, &receiver)),
                Err(RecvTimeoutError::Timeout) => {
                    // Old records that stay a while longer harm nobody: the next look tries again.
                    drop(self.forget_old());
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Writes the batches of all requests in one transaction and answers each.
    fn write_group(&mut self, requests: Vec<Request>) {
        let (ends, appended_at) = (self.ends, self.appended_at);
        let newest = appended_at.iter().copied().max().unwrap_or(i64::MIN);
        let now = self.shared.begin_writing(newest);
        let mut results: Vec<Result<Vec<Offset>, Error>> = Vec::with_capacity(requests.len());
        let written = self.write_all(&requests, now, &mut results);
        if let Err(error) = written {
            // Nothing of the group is there. Who failed by itself has its own error; the others have this one.
            (self.ends, self.appended_at) = (ends, appended_at);
            if !self.connection.is_autocommit() {
                // If even this fails, the next transaction fails at its start, and says so.
                drop(self.connection.execute_batch("ROLLBACK"));
            }
            let is_full = matches!(error, Error::Full);
            let mut first = Some(error);
            results.truncate(requests.len());
            results.resize_with(requests.len(), || Ok(Vec::new()));
            for result in results.iter_mut().filter(|result| result.is_ok()) {
                *result = Err(match first.take() {
                    Some(error) => error,
                    None if is_full => Error::Full,
                    None => super::fault::storage(
                        "write to the event log",
                        "the batches written with this one failed",
                    ),
                });
            }
        }
        self.shared.end_writing(self.ends);
        for (request, result) in requests.into_iter().zip(results) {
            // Whoever asked and did not wait for the answer has ended.
            drop(request.answer.send(result));
        }
    }

    fn write_all(
        &mut self,
        requests: &[Request],
        now: i64,
        results: &mut Vec<Result<Vec<Offset>, Error>>,
    ) -> Result<(), Error> {
        let failed = sql("write to the event log");
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(&failed)?;
        for request in requests {
            let before = (self.ends, self.appended_at);
            self.connection.execute_batch("SAVEPOINT batch").map_err(&failed)?;
            match self.write_one(&request.batch, now) {
                Ok(offsets) => results.push(Ok(offsets)),
                Err(error) if self.connection.is_autocommit() => return Err(error), // all of it is rolled back
                Err(error) => {
                    (self.ends, self.appended_at) = before;
                    self.connection.execute_batch("ROLLBACK TO batch").map_err(&failed)?;
                    results.push(Err(error));
                }
            }
            self.connection.execute_batch("RELEASE batch").map_err(&failed)?;
        }
        let touched = |topic: &Topic| requests.iter().any(|request| request.batch.topics.contains(topic));
        for topic in Topic::ALL.iter().filter(|topic| touched(topic)) {
            self.connection
                .prepare_cached(
                    "INSERT INTO ends (topic, next_offset, appended_at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (topic) DO UPDATE SET next_offset = ?2, appended_at = ?3",
                )
                .and_then(|mut statement| {
                    let at = *topic as usize;
                    statement.execute(params![at, self.ends[at], self.appended_at[at].max(0)])
                })
                .map_err(&failed)?;
        }
        self.connection.execute_batch("COMMIT").map_err(&failed)
    }

    fn write_one(&mut self, batch: &Prepared, now: i64) -> Result<Vec<Offset>, Error> {
        let failed = sql("write to the event log");
        let mut next = self.ends;
        let offsets: Vec<Offset> = batch
            .topics
            .iter()
            .map(|topic| {
                self.appended_at[*topic as usize] = now;
                next[*topic as usize] += 1;
                next[*topic as usize] - 1
            })
            .collect();
        let mut ends = self.ends;
        for chunk in &batch.chunks {
            let first = ends[chunk.topic as usize];
            let last = first + i64::try_from(chunk.count).expect("a chunk is small") - 1;
            ends[chunk.topic as usize] = last + 1;
            self.connection
                .prepare_cached(insert(chunk.topic))
                .and_then(|mut statement| statement.execute(params![first, last, now, chunk.bytes]))
                .map_err(&failed)?;
        }
        for upsert in &batch.upserts {
            let offset = ends[upsert.topic as usize];
            ends[upsert.topic as usize] = offset + 1;
            self.connection
                .prepare_cached(insert(upsert.topic))
                .and_then(|mut statement| {
                    statement.execute(params![upsert.key, offset, now, upsert.value, upsert.headers])
                })
                .map_err(&failed)?;
        }
        for (partition, offset) in &batch.positions {
            self.connection
                .prepare_cached(
                    "INSERT INTO positions (consumed_partition, next_offset) VALUES (?1, ?2)
                     ON CONFLICT (consumed_partition) DO UPDATE SET next_offset = ?2",
                )
                .and_then(|mut statement| statement.execute(params![partition, offset]))
                .map_err(&failed)?;
        }
        self.ends = ends;
        Ok(offsets)
    }

    /// Deletes some chunks that are too old, or the oldest status changes if the log is too large.
    fn forget_old(&mut self) -> Result<(), Error> {
        let failed = sql("delete old records");
        let before = (self.options.clock)().saturating_sub(self.options.retention_age_ms);
        for topic in [Topic::LineStatus, Topic::NotificationCommands, Topic::DeadLetters] {
            let table = table(topic);
            self.connection
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE first_offset IN (
                         SELECT first_offset FROM {table} ORDER BY first_offset LIMIT ?2) AND appended_at < ?1"
                ))
                .and_then(|mut statement| statement.execute(params![before, RETENTION_STEP]))
                .map_err(&failed)?;
        }
        let number = |pragma: &str| -> Result<u64, Error> {
            self.connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(&failed)
        };
        let used = (number("page_count")? - number("freelist_count")?) * number("page_size")?;
        if used > self.options.retention_bytes {
            self.connection
                .execute(
                    "DELETE FROM line_status WHERE first_offset IN (
                         SELECT first_offset FROM line_status
                         WHERE last_offset < (SELECT coalesce(max(next_offset), 0) FROM positions)
                         ORDER BY first_offset LIMIT ?1)",
                    params![RETENTION_STEP],
                )
                .map_err(&failed)?;
        }
        Ok(())
    }
}

/// The first request and all that wait behind it, within bounds.
fn group(first: Request, receiver: &mpsc::Receiver<Request>) -> Vec<Request> {
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
fn insert(topic: Topic) -> &'static str {
    const UPSERT_STATE: &str = "INSERT INTO line_state (key, record_offset, appended_at, value, headers)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE
         SET record_offset = ?2, appended_at = ?3, value = ?4, headers = ?5";
    const UPSERT_DIRECTORY: &str = "INSERT INTO directory (key, record_offset, appended_at, value, headers)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE
         SET record_offset = ?2, appended_at = ?3, value = ?4, headers = ?5";
    debug_assert_eq!(
        topic.cleanup() == Cleanup::Compact,
        matches!(topic, Topic::LineState | Topic::Directory)
    );
    match topic {
        Topic::LineState => UPSERT_STATE,
        Topic::Directory => UPSERT_DIRECTORY,
        Topic::LineStatus => "INSERT INTO line_status VALUES (?1, ?2, ?3, ?4)",
        Topic::LineChanges => "INSERT INTO line_changes VALUES (?1, ?2, ?3, ?4)",
        Topic::NotificationCommands => "INSERT INTO notification_commands VALUES (?1, ?2, ?3, ?4)",
        Topic::DeadLetters => "INSERT INTO dead_letters VALUES (?1, ?2, ?3, ?4)",
    }
}
