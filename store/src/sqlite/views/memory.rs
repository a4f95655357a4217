//! What the writer remembers of the database, so that a batch need not ask for it. It may forget anything at any
//! time; it must never keep what a transaction added that was not committed.

use std::collections::HashMap;

use andon_domain::LineId;
use rusqlite::Connection;

use crate::sqlite::fault::Fault;
use crate::sqlite::rows;

/// Lines whose key is remembered; with more, the memory starts afresh.
const LINE_KEYS_MAX: usize = 250_000;

/// Rows of a run of ids: its part of the index is some 400 pages, so that a batch touches each of them many times.
const RUN_ROWS: usize = 65_536;

/// A run with room for fewer rows is full: the rest would only be counted again and again.
const RUN_ROOM_MIN: usize = RUN_ROWS / 16;

/// The keys of lines, and the newest run of ids.
#[derive(Default)]
pub(super) struct Memory {
    line_keys: HashMap<LineId, i64>,
    id_run: Option<IdRun>,
    is_committed: bool,
}

/// The run that new intervals belong to, and how many rows surely still fit.
#[derive(Clone, Copy)]
struct IdRun {
    number: i64,
    room: usize,
}

impl Memory {
    /// A transaction begins. After one that did not end well, nothing remembered can be trusted.
    pub(super) fn begin(&mut self) {
        if !self.is_committed {
            self.line_keys.clear();
            self.id_run = None;
        }
        if self.line_keys.len() > LINE_KEYS_MAX {
            self.line_keys.clear();
        }
        self.is_committed = false;
    }

    /// The transaction is committed.
    pub(super) fn committed(&mut self) {
        self.is_committed = true;
    }

    /// The key of a line, which it gets now if it has none.
    pub(super) fn line_key(&mut self, db: &Connection, line: &LineId) -> Result<i64, Fault> {
        if let Some(key) = self.line_keys.get(line) {
            return Ok(*key);
        }
        let find = db.prepare_cached("SELECT line_key FROM lines WHERE line_id = ?1")?;
        let found = rows::first(find, [line.as_str()], |row| Ok(row.get(0)?))?;
        let key = match found {
            Some(key) => key,
            None => db.prepare_cached("INSERT INTO lines (line_id) VALUES (?1)")?.insert([line.as_str()])?,
        };
        self.line_keys.insert(line.clone(), key);
        Ok(key)
    }

    /// The run for `rows` rows that may be new. Rows that turn out to be there already take no room, so a run is
    /// counted again before it is taken for full.
    pub(super) fn id_run(&mut self, db: &Connection, rows: usize) -> Result<i64, Fault> {
        let run = match self.id_run.filter(|run| run.room > 0) {
            Some(run) => run,
            None => newest_run(db)?,
        };
        self.id_run = Some(IdRun { room: run.room.saturating_sub(rows), ..run });
        Ok(run.number)
    }
}

fn newest_run(db: &Connection) -> Result<IdRun, Fault> {
    let newest: Option<i64> =
        db.prepare_cached("SELECT max(id_run) FROM intervals")?.query_row([], |row| row.get(0))?;
    let Some(number) = newest else { return Ok(IdRun { number: 0, room: RUN_ROWS }) };
    let count: i64 = db
        .prepare_cached("SELECT count(*) FROM intervals WHERE id_run = ?1")?
        .query_row([number], |row| row.get(0))?;
    let count = rows::unsigned("count", count)?;
    match RUN_ROWS.saturating_sub(count) {
        room if room >= RUN_ROOM_MIN => Ok(IdRun { number, room }),
        _ => Ok(IdRun { number: number + 1, room: RUN_ROWS }),
    }
}
