//! SQLite alone: the same events as plain rows, in the same transactions, as durable. What somebody would write who
//! only wanted to keep them.

use std::time::Instant;

use rusqlite::{Connection, params};

use crate::Failure;
use crate::plant::Event;
use crate::report::Report;

pub(crate) fn run(
    plant: impl Iterator<Item = Event>,
    batch: usize,
    report: &mut Report,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut connection = Connection::open(folder.path().join("events.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8192;
         CREATE TABLE events (
             id INTEGER PRIMARY KEY, event_id BLOB NOT NULL, line_id TEXT NOT NULL, event_time INTEGER NOT NULL,
             status TEXT NOT NULL);",
    )?;
    let events: Vec<Event> = plant.collect();
    let began = Instant::now();
    for events in events.chunks(batch) {
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare_cached(
            "INSERT INTO events (event_id, line_id, event_time, status) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for event in events {
            insert.execute(params![event.id.as_bytes(), event.line, event.at, event.status.name()])?;
        }
        drop(insert);
        transaction.commit()?;
    }
    report.took("SQLite alone, the events as rows", began.elapsed());
    Ok(())
}
