//! The delivery ledger: entering, reading, counting and forgetting. Who may send is the subject of `claims`.

use andon_domain::{CommandKind, IncidentId, Millis, NotificationId, SubscriberId};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use crate::sqlite::fault::Fault;
use crate::sqlite::rows;
use crate::{Delivery, DeliveryCounts, DeliveryState, LineDeliveryQuery, NewDelivery};

/// Enters what is new. A delivery that begins in a final state was settled when it was due: at once.
pub(super) fn insert(db: &Connection, deliveries: &[NewDelivery]) -> Result<(), Fault> {
    let mut write = db.prepare_cached(
        "INSERT INTO deliveries (id, incident_id, subscriber_id, kind, command, created_at, state, due_at, rule,
             attempts, may_have_left, settled_at, line_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, ?10, ?11)
         ON CONFLICT (id) DO NOTHING",
    )?;
    for new in deliveries {
        write.execute((
            new.id.0.as_bytes(),
            new.incident_id.0.as_bytes(),
            new.subscriber_id.0.as_bytes(),
            new.kind as u8,
            &new.command,
            new.created_at,
            new.state.name(),
            new.due_at,
            &new.rule,
            new.state.is_final().then_some(new.due_at),
            new.line_id.as_str(),
        ))?;
    }
    Ok(())
}

macro_rules! columns {
    () => {
        "SELECT id, incident_id, subscriber_id, kind, command, created_at, state, due_at, rule, attempts,
             may_have_left, smtp_code, settled_at, facts FROM deliveries "
    };
}
pub(super) use columns;

/// Makes a delivery of the columns of [`columns`].
pub(super) fn stored_delivery(row: &Row<'_>) -> Result<Delivery, Fault> {
    let kind: u8 = row.get(3)?;
    let state = rows::text(row, 6)?;
    Ok(Delivery {
        id: NotificationId(rows::uuid(row.get(0)?)),
        incident_id: IncidentId(rows::uuid(row.get(1)?)),
        subscriber_id: SubscriberId(rows::uuid(row.get(2)?)),
        kind: CommandKind::from_index(kind)
            .ok_or_else(|| Fault::corrupt("command kind", format!("no kind has the number {kind}")))?,
        command: row.get(4)?,
        created_at: row.get(5)?,
        state: DeliveryState::from_name(state)
            .ok_or_else(|| Fault::corrupt("delivery state", format!("no state is named `{state}`")))?,
        due_at: row.get(7)?,
        rule: row.get(8)?,
        attempts: row.get(9)?,
        may_have_left: row.get(10)?,
        smtp_code: row.get(11)?,
        settled_at: row.get(12)?,
        facts: row.get(13)?,
    })
}

pub(super) fn by_id(db: &Connection, id: NotificationId) -> Result<Option<Delivery>, Fault> {
    let find = db.prepare_cached(concat!(columns!(), "WHERE id = ?1"))?;
    rows::first(find, [id.0.as_bytes()], stored_delivery)
}

pub(super) fn of_incident(
    db: &Connection,
    incident: IncidentId,
    after: Option<(SubscriberId, NotificationId)>,
    limit: usize,
) -> Result<Vec<Delivery>, Fault> {
    let Some((subscriber, id)) = after else {
        let read = db.prepare_cached(concat!(
            columns!(),
            "WHERE incident_id = ?1 ORDER BY subscriber_id, created_at, kind, id LIMIT ?2"
        ))?;
        return rows::collect(read, (incident.0.as_bytes(), rows::limit(limit)), stored_delivery);
    };
    // The cursor names no creation. Where its delivery is forgotten, the subscriber comes again: rather twice than
    // never.
    let place = db.prepare_cached("SELECT created_at, kind FROM deliveries WHERE id = ?1")?;
    let (created_at, kind) = rows::first(place, [id.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .unwrap_or((Millis::MIN, 0_u8));
    let read = db.prepare_cached(concat!(
        columns!(),
        "WHERE incident_id = ?1 AND (subscriber_id, created_at, kind, id) > (?2, ?3, ?4, ?5)
         ORDER BY subscriber_id, created_at, kind, id LIMIT ?6"
    ))?;
    let place = (
        incident.0.as_bytes(),
        subscriber.0.as_bytes(),
        created_at,
        kind,
        id.0.as_bytes(),
        rows::limit(limit),
    );
    rows::collect(read, place, stored_delivery)
}

pub(super) fn of_line(db: &Connection, query: &LineDeliveryQuery) -> Result<Vec<Delivery>, Fault> {
    // Nothing is decided at the last instant there is, so without a cursor this is behind nothing.
    let (after_at, after_id) = query.after.unwrap_or((Millis::MAX, NotificationId(Uuid::max())));
    let read = db.prepare_cached(concat!(
        columns!(),
        "WHERE line_id = ?1 AND created_at >= ?2 AND created_at < ?3 AND (created_at, id) < (?4, ?5)
         ORDER BY created_at DESC, id DESC LIMIT ?6"
    ))?;
    let params = (
        query.line_id.as_str(),
        query.from,
        query.to,
        after_at,
        after_id.0.as_bytes(),
        rows::limit(query.limit),
    );
    rows::collect(read, params, stored_delivery)
}

pub(super) fn counts(db: &Connection) -> Result<DeliveryCounts, Fault> {
    let mut read = db.prepare_cached(
        "SELECT count(*), min(due_at) FROM deliveries WHERE state IN ('queued', 'sending')",
    )?;
    let (unsettled, oldest_due_at) = read.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(DeliveryCounts { unsettled: rows::unsigned("count", unsettled)?, oldest_due_at })
}

pub(super) fn next_due_at(db: &Connection) -> Result<Option<Millis>, Fault> {
    let mut read = db.prepare_cached(
        "SELECT min(at) FROM (
             SELECT (SELECT due_at FROM deliveries WHERE state IN ('queued', 'sending') AND state = 'queued'
                     ORDER BY due_at LIMIT 1) AS at
             UNION ALL
             SELECT (SELECT lease_until FROM deliveries WHERE state = 'sending' ORDER BY lease_until LIMIT 1))",
    )?;
    Ok(read.query_row([], |row| row.get(0))?)
}

pub(super) fn forget_settled(db: &Connection, before: Millis, limit: usize) -> Result<usize, Fault> {
    let forgotten = db
        .prepare_cached(
            "DELETE FROM deliveries WHERE rowid IN (
                 SELECT rowid FROM deliveries WHERE settled_at IS NOT NULL AND settled_at < ?1
                 ORDER BY settled_at LIMIT ?2)",
        )?
        .execute((before, rows::limit(limit)))?;
    Ok(forgotten)
}
