//! The directory as rows fenced by offset. What was removed stays as a row that says so: without it, an older
//! record that comes again would bring it back.

use andon_domain::{
    DirectoryChange, DowntimeClass, LineEntry, LineId, LineSettings, SubscriberId, Subscription,
    SubscriptionId,
};
use rusqlite::{Connection, Row};

use crate::sqlite::fault::Fault;
use crate::sqlite::rows;

pub(super) fn write(db: &Connection, changes: &[(i64, DirectoryChange)]) -> Result<(), Fault> {
    for (offset, change) in changes {
        match change {
            DirectoryChange::Line(line, entry) => write_line(db, *offset, line, entry)?,
            DirectoryChange::LineRemoved(line) => remove_line(db, *offset, line)?,
            DirectoryChange::Subscription(subscription) => write_subscription(db, *offset, subscription)?,
            DirectoryChange::SubscriptionRemoved(id) => remove_subscription(db, *offset, *id)?,
        }
    }
    Ok(())
}

fn write_line(db: &Connection, offset: i64, line: &LineId, entry: &LineEntry) -> Result<(), Fault> {
    let settings = &entry.settings;
    db.prepare_cached(
        "INSERT INTO line_entries (line_id, directory_offset, is_removed, node, path, allowed_lateness_ms,
             events_max, degraded_is_down, expect_signal_every_ms, is_retired)
         VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT DO UPDATE SET directory_offset = excluded.directory_offset, is_removed = 0,
             node = excluded.node, path = excluded.path,
             allowed_lateness_ms = excluded.allowed_lateness_ms, events_max = excluded.events_max,
             degraded_is_down = excluded.degraded_is_down,
             expect_signal_every_ms = excluded.expect_signal_every_ms, is_retired = excluded.is_retired
         WHERE excluded.directory_offset > line_entries.directory_offset",
    )?
    .execute((
        line.as_str(),
        offset,
        entry.path.join("/"),
        encode_path(&entry.path),
        settings.allowed_lateness_ms,
        settings.events_max,
        settings.degraded_is_down,
        settings.expect_signal_every_ms,
        entry.is_retired,
    ))?;
    Ok(())
}

fn remove_line(db: &Connection, offset: i64, line: &LineId) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO line_entries (line_id, directory_offset, is_removed, node, path, is_retired)
         VALUES (?1, ?2, 1, '', x'', 0)
         ON CONFLICT DO UPDATE SET directory_offset = excluded.directory_offset, is_removed = 1
         WHERE excluded.directory_offset > line_entries.directory_offset",
    )?
    .execute((line.as_str(), offset))?;
    Ok(())
}

fn write_subscription(db: &Connection, offset: i64, subscription: &Subscription) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO subscriptions (subscription_id, directory_offset, is_removed, subscriber_id, node,
             notify_after_ms, class, created_at)
         VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET directory_offset = excluded.directory_offset, is_removed = 0,
             subscriber_id = excluded.subscriber_id, node = excluded.node,
             notify_after_ms = excluded.notify_after_ms, class = excluded.class,
             created_at = excluded.created_at
         WHERE excluded.directory_offset > subscriptions.directory_offset",
    )?
    .execute((
        subscription.id.0.as_bytes(),
        offset,
        subscription.subscriber_id.0.as_bytes(),
        &subscription.node,
        subscription.notify_after_ms,
        subscription.class.map(DowntimeClass::name),
        subscription.created_at,
    ))?;
    Ok(())
}

fn remove_subscription(db: &Connection, offset: i64, id: SubscriptionId) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO subscriptions (subscription_id, directory_offset, is_removed) VALUES (?1, ?2, 1)
         ON CONFLICT DO UPDATE SET directory_offset = excluded.directory_offset, is_removed = 1
         WHERE excluded.directory_offset > subscriptions.directory_offset",
    )?
    .execute((id.0.as_bytes(), offset))?;
    Ok(())
}

pub(super) fn line_entry(db: &Connection, line: &LineId) -> Result<Option<LineEntry>, Fault> {
    let find = db.prepare_cached(
        "SELECT path, allowed_lateness_ms, events_max, degraded_is_down, expect_signal_every_ms, is_retired
         FROM line_entries WHERE line_id = ?1 AND is_removed = 0",
    )?;
    rows::first(find, [line.as_str()], stored_entry)
}

/// The entry of a row that has its columns first.
fn stored_entry(row: &Row<'_>) -> Result<LineEntry, Fault> {
    Ok(LineEntry {
        path: decode_path(rows::bytes(row, 0)?)?,
        settings: LineSettings {
            allowed_lateness_ms: row.get(1)?,
            events_max: row.get(2)?,
            degraded_is_down: row.get(3)?,
            expect_signal_every_ms: row.get(4)?,
        },
        is_retired: row.get(5)?,
    })
}

pub(super) fn line_entries(db: &Connection, lines: &[LineId]) -> Result<Vec<(LineId, LineEntry)>, Fault> {
    let mut entries = Vec::with_capacity(lines.len());
    for line in lines {
        if let Some(entry) = line_entry(db, line)? {
            entries.push((line.clone(), entry));
        }
    }
    Ok(entries)
}

pub(super) fn registered(
    db: &Connection,
    after: Option<&LineId>,
    limit: usize,
) -> Result<Vec<(LineId, LineEntry)>, Fault> {
    let read = db.prepare_cached(
        "SELECT path, allowed_lateness_ms, events_max, degraded_is_down, expect_signal_every_ms, is_retired,
             line_id
         FROM line_entries WHERE line_id > ?1 AND is_removed = 0 ORDER BY line_id LIMIT ?2",
    )?;
    // No line id is empty, so the empty text is before all of them.
    let after = after.map_or("", LineId::as_str);
    rows::collect(read, (after, rows::limit(limit)), |row| {
        Ok((rows::line_id(rows::text(row, 6)?)?, stored_entry(row)?))
    })
}

/// What lies under a node begins with the node and `/`; `0` is the character after `/`, so the two bound a range of
/// the index.
pub(super) fn lines_under(db: &Connection, node: &str, limit: usize) -> Result<Vec<LineId>, Fault> {
    let read = db.prepare_cached(
        "SELECT line_id FROM line_entries WHERE is_removed = 0 AND line_id = ?1
         UNION SELECT line_id FROM line_entries WHERE is_removed = 0 AND node = ?1
         UNION SELECT line_id FROM line_entries WHERE is_removed = 0 AND node > ?1 || '/' AND node < ?1 || '0'
         ORDER BY line_id LIMIT ?2",
    )?;
    rows::collect(read, (node, rows::limit(limit)), |row| rows::line_id(rows::text(row, 0)?))
}

pub(super) fn subscription(db: &Connection, id: SubscriptionId) -> Result<Option<Subscription>, Fault> {
    let find = db.prepare_cached(
        "SELECT subscription_id, subscriber_id, node, notify_after_ms, class, created_at
         FROM subscriptions WHERE subscription_id = ?1 AND is_removed = 0",
    )?;
    rows::first(find, [id.0.as_bytes()], stored_subscription)
}

pub(super) fn subscriptions_of(
    db: &Connection,
    subscriber: SubscriberId,
) -> Result<Vec<Subscription>, Fault> {
    let read = db.prepare_cached(
        "SELECT subscription_id, subscriber_id, node, notify_after_ms, class, created_at
         FROM subscriptions WHERE subscriber_id = ?1 AND is_removed = 0 ORDER BY node, subscription_id",
    )?;
    rows::collect(read, [subscriber.0.as_bytes()], stored_subscription)
}

fn stored_subscription(row: &Row<'_>) -> Result<Subscription, Fault> {
    let class: Option<String> = row.get(4)?;
    let class = class.map(|name| {
        DowntimeClass::from_name(&name)
            .ok_or_else(|| Fault::corrupt("downtime class", format!("no class is named `{name}`")))
    });
    Ok(Subscription {
        id: SubscriptionId(rows::uuid(row.get(0)?)),
        subscriber_id: SubscriberId(rows::uuid(row.get(1)?)),
        node: row.get(2)?,
        notify_after_ms: row.get(3)?,
        class: class.transpose()?,
        created_at: row.get(5)?,
    })
}

/// A path as it was given: the joined text could not tell `a`, `b` from `a/b`. Each name has its length before it,
/// as four big-endian bytes.
fn encode_path(path: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in path {
        let length = u32::try_from(name.len()).expect("a name came in a record, and those are below 4 GiB");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes
}

fn decode_path(mut bytes: &[u8]) -> Result<Vec<String>, Fault> {
    let mut path = Vec::new();
    while !bytes.is_empty() {
        let name = bytes
            .split_first_chunk::<4>()
            .and_then(|(length, rest)| rest.split_at_checked(u32::from_be_bytes(*length) as usize))
            .and_then(|(name, rest)| Some((std::str::from_utf8(name).ok()?, rest)));
        let Some((name, rest)) = name else {
            return Err(Fault::corrupt("path", "a name ends early or is not UTF-8"));
        };
        path.push(name.to_owned());
        bytes = rest;
    }
    Ok(path)
}
