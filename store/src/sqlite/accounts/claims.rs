//! Who may send a delivery: claims under a lease, and what became of them. A delivery changes only for the owner of
//! its claim, and only while it is being sent; so a sender that was thought dead and wakes up changes nothing.
//!
//! ```text
//!            claim                    settle, final
//! queued ------------> sending ------------------------> sent, refused, ...
//!   ^                   |   ^ |
//!   +-------------------+   +-+ claim, lease expired: another owner
//!      settle, queued
//! ```

use andon_domain::{Millis, NotificationId};
use rusqlite::Connection;

use super::deliveries::{columns, stored_delivery};
use crate::sqlite::fault::Fault;
use crate::sqlite::rows;
use crate::{Claim, Delivery, DeliveryState, Leaving, Settlement};

pub(super) fn claim(db: &Connection, claim: &Claim) -> Result<Vec<Delivery>, Fault> {
    let due = db.prepare_cached(concat!(
        columns!(),
        "WHERE state IN ('queued', 'sending') AND due_at <= ?1 AND (state = 'queued' OR lease_until <= ?1)
         ORDER BY due_at, created_at, kind, id LIMIT ?2"
    ))?;
    let mut claimed = rows::collect(due, (claim.now, rows::limit(claim.limit)), stored_delivery)?;
    let mut take = db.prepare_cached(
        "UPDATE deliveries SET state = 'sending', owner = ?2, lease_until = ?3, attempts = attempts + 1
         WHERE id = ?1",
    )?;
    for delivery in &mut claimed {
        take.execute((delivery.id.0.as_bytes(), &claim.owner, claim.lease_until))?;
        delivery.state = DeliveryState::Sending;
        delivery.attempts = delivery.attempts.saturating_add(1);
    }
    Ok(claimed)
}

/// Every claim becomes one whose lease has expired.
pub(super) fn end_leases(db: &Connection, now: Millis) -> Result<usize, Fault> {
    let mut end = db.prepare_cached(
        "UPDATE deliveries SET lease_until = ?1 WHERE state = 'sending' AND lease_until > ?1",
    )?;
    Ok(end.execute([now])?)
}

pub(super) fn leaving(
    db: &Connection,
    owner: &str,
    leaving: &[Leaving],
) -> Result<Vec<NotificationId>, Fault> {
    let mut mark = db.prepare_cached(
        "UPDATE deliveries SET may_have_left = 1, facts = coalesce(facts, ?3)
         WHERE id = ?1 AND state = 'sending' AND owner = ?2",
    )?;
    let mut ours = Vec::with_capacity(leaving.len());
    for Leaving { id, facts } in leaving {
        if mark.execute((id.0.as_bytes(), owner, facts))? > 0 {
            ours.push(*id);
        }
    }
    Ok(ours)
}

/// A settlement as `Sending` settles nothing and is passed over.
pub(super) fn settle(db: &Connection, settlements: &[Settlement]) -> Result<usize, Fault> {
    let mut write = db.prepare_cached(
        "UPDATE deliveries SET state = ?3, due_at = coalesce(?4, due_at), rule = ?5, may_have_left = ?6,
             smtp_code = coalesce(?7, smtp_code), settled_at = ?8,
             attempts = max(attempts - ?9, 0), owner = NULL, lease_until = NULL
         WHERE id = ?1 AND state = 'sending' AND owner = ?2",
    )?;
    let mut settled = 0;
    for settlement in settlements.iter().filter(|settlement| settlement.state != DeliveryState::Sending) {
        let is_final = settlement.state.is_final();
        settled += write.execute((
            settlement.id.0.as_bytes(),
            &settlement.owner,
            settlement.state.name(),
            (!is_final).then_some(settlement.due_at),
            &settlement.rule,
            settlement.may_have_left,
            settlement.smtp_code,
            is_final.then_some(settlement.now),
            !settlement.is_attempt,
        ))?;
    }
    Ok(settled)
}
