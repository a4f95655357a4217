//! Subscribers: the only rows with an address. No address may go into an error or a log line.

use andon_domain::{Millis, SubscriberId};
use rusqlite::{Connection, Row};

use crate::sqlite::fault::Fault;
use crate::sqlite::rows;
use crate::{NewSubscriber, Subscriber, SubscriberInserted};

pub(super) fn insert(db: &Connection, new: &NewSubscriber) -> Result<SubscriberInserted, Fault> {
    if let Some(mut existing) = by_address(db, &new.address_key)? {
        existing.created_at = existing.created_at.max(new.subscriber.created_at);
        db.prepare_cached("UPDATE subscribers SET created_at = ?2 WHERE id = ?1")?
            .execute((existing.id.0.as_bytes(), existing.created_at))?;
        return Ok(SubscriberInserted::Existing(existing));
    }
    let subscriber = &new.subscriber;
    db.prepare_cached(
        "INSERT INTO subscribers (id, address, address_key, locale, zone, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((
        subscriber.id.0.as_bytes(),
        &subscriber.address,
        &new.address_key,
        &subscriber.locale,
        &subscriber.zone,
        subscriber.created_at,
    ))?;
    Ok(SubscriberInserted::New)
}

pub(super) fn by_id(db: &Connection, id: SubscriberId) -> Result<Option<Subscriber>, Fault> {
    let find =
        db.prepare_cached("SELECT id, address, locale, zone, created_at FROM subscribers WHERE id = ?1")?;
    rows::first(find, [id.0.as_bytes()], stored_subscriber)
}

pub(super) fn by_address(db: &Connection, address_key: &str) -> Result<Option<Subscriber>, Fault> {
    let find = db.prepare_cached(
        "SELECT id, address, locale, zone, created_at FROM subscribers WHERE address_key = ?1",
    )?;
    rows::first(find, [address_key], stored_subscriber)
}

fn stored_subscriber(row: &Row<'_>) -> Result<Subscriber, Fault> {
    Ok(Subscriber {
        id: SubscriberId(rows::uuid(row.get(0)?)),
        address: row.get(1)?,
        locale: row.get(2)?,
        zone: row.get(3)?,
        created_at: row.get(4)?,
    })
}

pub(super) fn update(db: &Connection, id: SubscriberId, locale: &str, zone: &str) -> Result<bool, Fault> {
    let changed = db
        .prepare_cached("UPDATE subscribers SET locale = ?2, zone = ?3 WHERE id = ?1")?
        .execute((id.0.as_bytes(), locale, zone))?;
    Ok(changed > 0)
}

/// A delivery that is being sent keeps its state: its sender, or who takes over the lease, settles it.
pub(super) fn erase(db: &Connection, id: SubscriberId, now: Millis) -> Result<bool, Fault> {
    let erased = db.prepare_cached("DELETE FROM subscribers WHERE id = ?1")?.execute([id.0.as_bytes()])?;
    db.prepare_cached(
        "UPDATE deliveries SET state = 'erased', settled_at = ?2, rule = 'erased'
         WHERE state IN ('queued', 'sending') AND state = 'queued' AND subscriber_id = ?1",
    )?
    .execute((id.0.as_bytes(), now))?;
    Ok(erased > 0)
}

/// Moves the journal into the file and cuts it to nothing: its older frames hold pages from before the erasure.
pub(super) fn truncate_journal(db: &Connection) -> Result<(), Fault> {
    let is_busy: bool = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if is_busy {
        // Somebody read an old state for longer than we wait. The caller must not believe the address gone.
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("the journal is still being read".to_owned()),
        )
        .into());
    }
    Ok(())
}

pub(super) fn created_before(
    db: &Connection,
    created_before: Millis,
    after: Option<SubscriberId>,
    limit: usize,
) -> Result<Vec<SubscriberId>, Fault> {
    let read = db.prepare_cached(
        "SELECT id FROM subscribers WHERE created_at < ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    // Without a cursor the empty value stands before every id.
    let after = after.as_ref().map_or(&[][..], |id| id.0.as_bytes());
    rows::collect(read, (created_before, after, rows::limit(limit)), |row| {
        Ok(SubscriberId(rows::uuid(row.get(0)?)))
    })
}
