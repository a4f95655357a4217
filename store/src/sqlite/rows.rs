//! Values of the domain as columns, and back. A column that does not parse is a broken store, never a default.

use andon_domain::{LineClass, LineId, LineStatus};
use rusqlite::{CachedStatement, Connection, Row};
use uuid::Uuid;

use super::fault::Fault;
use crate::Position;

pub(super) fn status(name: &str) -> Result<LineStatus, Fault> {
    LineStatus::from_name(name)
        .ok_or_else(|| Fault::corrupt("status", format!("no status is named `{name}`")))
}

pub(super) fn line_class(name: &str) -> Result<LineClass, Fault> {
    [LineClass::Up, LineClass::Idle, LineClass::Down, LineClass::Unknown]
        .into_iter()
        .find(|class| class.name() == name)
        .ok_or_else(|| Fault::corrupt("line class", format!("no class is named `{name}`")))
}

pub(super) fn line_id(text: &str) -> Result<LineId, Fault> {
    LineId::new(text).map_err(|error| Fault::corrupt("line id", error.to_string()))
}

/// A text column, borrowed.
pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Fault> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

/// A blob column, borrowed.
pub(super) fn bytes<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8], Fault> {
    Ok(row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?)
}

pub(super) fn uuid(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}

/// A limit as SQLite counts; more than it can count is no limit.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(super) fn unsigned<T: TryFrom<i64>>(what: &'static str, value: i64) -> Result<T, Fault> {
    T::try_from(value).map_err(|_| Fault::corrupt(what, format!("{value} is out of range")))
}

/// The table of positions, which both stores have.
pub(super) const POSITIONS_TABLE: &str = "
    CREATE TABLE positions (
        stream TEXT NOT NULL,
        partition INTEGER NOT NULL,
        next_offset INTEGER NOT NULL,
        PRIMARY KEY (stream, partition)
    ) STRICT, WITHOUT ROWID;
";

/// Moves positions forward; one that would go back stays where it is.
pub(super) fn write_positions(db: &Connection, positions: &[Position]) -> Result<(), Fault> {
    let mut write = db.prepare_cached(
        "INSERT INTO positions (stream, partition, next_offset) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset
         WHERE excluded.next_offset > positions.next_offset",
    )?;
    for position in positions {
        write.execute((&position.stream, position.partition, position.offset))?;
    }
    Ok(())
}

/// All positions, ordered by (stream, partition).
pub(super) fn read_positions(db: &Connection) -> Result<Vec<Position>, Fault> {
    let read =
        db.prepare_cached("SELECT stream, partition, next_offset FROM positions ORDER BY stream, partition")?;
    collect(read, [], |row| Ok(Position { stream: row.get(0)?, partition: row.get(1)?, offset: row.get(2)? }))
}

/// Every row of a query, each made by `make`.
pub(super) fn collect<T>(
    mut statement: CachedStatement<'_>,
    params: impl rusqlite::Params,
    mut make: impl FnMut(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut rows = statement.query(params)?;
    let mut made = Vec::new();
    while let Some(row) = rows.next()? {
        made.push(make(row)?);
    }
    Ok(made)
}

/// The first row of a query, if there is one.
pub(super) fn first<T>(
    mut statement: CachedStatement<'_>,
    params: impl rusqlite::Params,
    make: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut rows = statement.query(params)?;
    match rows.next()? {
        Some(row) => make(row).map(Some),
        None => Ok(None),
    }
}
