//! Intervals of a window, ordered by (start, line) and paged by that key. Intervals of a line never overlap, so what
//! starts before the window and reaches into it is, of each line, at most its newest interval before the window.
//! It must never read more rows of a line than the page can take, however long the window is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use andon_domain::{LineId, Millis};
use rusqlite::{CachedStatement, Connection};

use super::intervals::stored_interval;
use crate::sqlite::fault::Fault;
use crate::sqlite::rows;
use crate::{IntervalQuery, Scope, StoredInterval};

/// The most lines of a [`Scope::Lines`].
const LINES_MAX: usize = 5_000;

pub(super) fn intervals(db: &Connection, query: &IntervalQuery) -> Result<Vec<StoredInterval>, Fault> {
    if query.limit == 0 || query.from >= query.to {
        return Ok(Vec::new());
    }
    match &query.scope {
        Scope::All => of_all_lines(db, query),
        Scope::Lines(lines) if lines.len() > LINES_MAX => {
            Err(Fault::TooMany { what: "lines of a query", got: lines.len(), limit: LINES_MAX })
        }
        Scope::Lines(lines) => of_lines(db, query, lines),
    }
}

/// The look-back costs one search per line, as often as a page begins before the window; the rest follows the index.
fn of_all_lines(db: &Connection, query: &IntervalQuery) -> Result<Vec<StoredInterval>, Fault> {
    let kind = query.kind.map(|kind| kind as u8);
    // No start is the smallest instant with an empty line, so without a cursor this is behind nothing.
    let (after_at, after_line) =
        query.after.as_ref().map_or((Millis::MIN, ""), |(at, line)| (*at, line.as_str()));
    let mut found = Vec::new();
    if after_at < query.from {
        let read = db.prepare_cached(
            "SELECT l.line_id, i.started_at, i.kind, i.version, i.ended_at, i.segments
             FROM lines l CROSS JOIN intervals i ON i.line_key = l.line_key AND i.is_retracted = 0
                 AND i.started_at = (
                     SELECT started_at FROM intervals
                     WHERE line_key = l.line_key AND started_at < ?1 AND is_retracted = 0
                     ORDER BY started_at DESC LIMIT 1)
             WHERE (i.ended_at IS NULL OR i.ended_at > ?1) AND (?2 IS NULL OR i.kind = ?2)
                 AND (i.started_at, l.line_id) > (?3, ?4)
             ORDER BY i.started_at, l.line_id LIMIT ?5",
        )?;
        let params = (query.from, kind, after_at, after_line, rows::limit(query.limit));
        found = rows::collect(read, params, with_line)?;
    }
    if found.len() < query.limit {
        let read = db.prepare_cached(
            "SELECT l.line_id, i.started_at, i.kind, i.version, i.ended_at, i.segments
             FROM intervals i INDEXED BY intervals_by_start CROSS JOIN lines l ON l.line_key = i.line_key
             WHERE i.started_at >= ?1 AND i.started_at < ?2 AND (?3 IS NULL OR i.kind = ?3)
                 AND i.is_retracted = 0 AND (i.started_at > ?4 OR l.line_id > ?5)
             ORDER BY i.started_at, l.line_id LIMIT ?6",
        )?;
        let from = query.from.max(after_at);
        let limit = rows::limit(query.limit - found.len());
        found.extend(rows::collect(read, (from, query.to, kind, after_at, after_line, limit), with_line)?);
    }
    Ok(found)
}

fn with_line(row: &rusqlite::Row<'_>) -> Result<StoredInterval, Fault> {
    let line = rows::line_id(rows::text(row, 0)?)?;
    stored_interval(line, row, 1)
}

/// Merges the lines' own sequences. Each is read in chunks, as far as the page needs it.
fn of_lines(db: &Connection, query: &IntervalQuery, lines: &[LineId]) -> Result<Vec<StoredInterval>, Fault> {
    let mut lines: Vec<&LineId> = lines.iter().collect();
    lines.sort_unstable();
    lines.dedup();
    // Twice its share is what most lines need. Among many lines that is one row, and few lines need a second one.
    let share = query.limit / lines.len().max(1);
    let chunk = share.saturating_mul(2).clamp(1, query.limit);
    let mut reader = LineReader::new(db, query, chunk)?;
    let mut sequences = Vec::with_capacity(lines.len());
    // The heap holds the next start of each line; the number of a line is its rank, so ties go by line.
    let mut heads = BinaryHeap::with_capacity(lines.len());
    for line in lines {
        let Some(sequence) = reader.begin(line)? else { continue };
        if let Some(head) = sequence.ahead.front() {
            heads.push(Reverse((head.interval.started_at, sequences.len())));
            sequences.push(sequence);
        }
    }
    let mut found = Vec::new();
    while found.len() < query.limit
        && let Some(Reverse((_, number))) = heads.pop()
    {
        let sequence: &mut Sequence<'_> = &mut sequences[number];
        let next = sequence.ahead.pop_front().expect("a line with a head has a row ahead");
        if sequence.ahead.is_empty() {
            reader.refill(sequence)?;
        }
        if let Some(head) = sequence.ahead.front() {
            heads.push(Reverse((head.interval.started_at, number)));
        }
        found.push(next);
    }
    Ok(found)
}

/// What is left to read of one line.
struct Sequence<'a> {
    line: &'a LineId,
    line_key: i64,
    ahead: VecDeque<StoredInterval>,
    /// The smallest start that was not read yet; none at the end.
    read_from: Option<Millis>,
}

/// The three statements that read a line's part of the window.
struct LineReader<'a> {
    query: &'a IntervalQuery,
    chunk: usize,
    find_key: CachedStatement<'a>,
    look_back: CachedStatement<'a>,
    read_on: CachedStatement<'a>,
}

impl<'a> LineReader<'a> {
    fn new(db: &'a Connection, query: &'a IntervalQuery, chunk: usize) -> Result<Self, Fault> {
        Ok(Self {
            query,
            chunk,
            find_key: db.prepare_cached("SELECT line_key FROM lines WHERE line_id = ?1")?,
            look_back: db.prepare_cached(
                "SELECT started_at, kind, version, ended_at, segments FROM intervals
                 WHERE line_key = ?1 AND started_at < ?2 AND is_retracted = 0
                 ORDER BY started_at DESC LIMIT 1",
            )?,
            read_on: db.prepare_cached(
                "SELECT started_at, kind, version, ended_at, segments FROM intervals
                 WHERE line_key = ?1 AND started_at >= ?2 AND started_at < ?3 AND is_retracted = 0
                     AND (?4 IS NULL OR kind = ?4)
                 ORDER BY started_at LIMIT ?5",
            )?,
        })
    }

    /// The first rows of a line behind the cursor; none for a line that has no intervals at all.
    fn begin<'l>(&mut self, line: &'l LineId) -> Result<Option<Sequence<'l>>, Fault> {
        let Some(line_key) = self.line_key(line)? else { return Ok(None) };
        // Of the lines up to the cursor's own, everything that starts with the cursor is behind us.
        let first = match &self.query.after {
            None => Some(Millis::MIN),
            Some((at, after)) if line > after => Some(*at),
            Some((at, _)) => at.checked_add(1),
        };
        let Some(first) = first else { return Ok(None) };
        let read_from = Some(first.max(self.query.from));
        let mut sequence = Sequence { line, line_key, ahead: VecDeque::new(), read_from };
        if first < self.query.from
            && let Some(newest) = self.newest_before_window(&sequence)?
            && newest.interval.started_at >= first
            && newest.interval.ended_at.is_none_or(|ended_at| ended_at > self.query.from)
            && self.query.kind.is_none_or(|kind| kind == newest.interval.kind)
        {
            sequence.ahead.push_back(newest);
        } else {
            self.refill(&mut sequence)?;
        }
        Ok(Some(sequence))
    }

    fn line_key(&mut self, line: &LineId) -> Result<Option<i64>, Fault> {
        let mut found = self.find_key.query([line.as_str()])?;
        Ok(found.next()?.map(|row| row.get(0)).transpose()?)
    }

    fn newest_before_window(&mut self, sequence: &Sequence<'_>) -> Result<Option<StoredInterval>, Fault> {
        let mut newest = self.look_back.query((sequence.line_key, self.query.from))?;
        match newest.next()? {
            Some(row) => Ok(Some(stored_interval(sequence.line.clone(), row, 0)?)),
            None => Ok(None),
        }
    }

    fn refill(&mut self, sequence: &mut Sequence<'_>) -> Result<(), Fault> {
        let Some(from) = sequence.read_from else { return Ok(()) };
        let kind = self.query.kind.map(|kind| kind as u8);
        let mut rows =
            self.read_on.query((sequence.line_key, from, self.query.to, kind, rows::limit(self.chunk)))?;
        while let Some(row) = rows.next()? {
            sequence.ahead.push_back(stored_interval(sequence.line.clone(), row, 0)?);
        }
        sequence.read_from = match sequence.ahead.back() {
            Some(last) if sequence.ahead.len() >= self.chunk => last.interval.started_at.checked_add(1),
            _ => None,
        };
        Ok(())
    }
}
