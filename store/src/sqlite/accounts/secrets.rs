//! Secrets: made once, then only read. They must never be logged.

use rusqlite::Connection;

use crate::sqlite::fault::Fault;
use crate::sqlite::rows;

pub(super) fn by_name(db: &Connection, name: &str) -> Result<Option<[u8; 32]>, Fault> {
    let find = db.prepare_cached("SELECT secret FROM secrets WHERE name = ?1")?;
    rows::first(find, [name], |row| {
        let secret = rows::bytes(row, 0)?;
        secret
            .try_into()
            .map_err(|_| Fault::corrupt("secret", format!("it has {} bytes, it needs 32", secret.len())))
    })
}

/// The secret of that name: `candidate`, unless somebody was first.
pub(super) fn first(db: &Connection, name: &str, candidate: [u8; 32]) -> Result<[u8; 32], Fault> {
    if let Some(known) = by_name(db, name)? {
        return Ok(known);
    }
    db.prepare_cached("INSERT INTO secrets (name, secret) VALUES (?1, ?2)")?
        .execute((name, candidate.as_slice()))?;
    Ok(candidate)
}
