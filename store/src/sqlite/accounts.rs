//! The accounts in `accounts.db`. Primary data: every call that writes is on the disk when it returns, and what was
//! erased is gone from every file. No address may stand in any table but `subscribers`.

mod claims;
mod deliveries;
mod schema;
mod secrets;
mod subscribers;
mod tokens;

use std::path::Path;
use std::sync::Arc;

use andon_domain::{IncidentId, Millis, NotificationId, SubscriberId};
use async_trait::async_trait;

use super::database::Database;
use super::{Options, rows};
use crate::{
    Accounts, Claim, Delivery, DeliveryCounts, Error, Leaving, LineDeliveryQuery, NewDelivery, NewSubscriber,
    Position, Settlement, Subscriber, SubscriberInserted, Token, TokenInserted, TokenRevoked,
};

/// The accounts on SQLite. Cloning it is cheap: the file is shared.
#[derive(Clone)]
pub struct SqliteAccounts {
    db: Arc<Database>,
}

impl SqliteAccounts {
    /// Opens `accounts.db` in `folder`; makes both where they are missing.
    ///
    /// # Errors
    /// [`Error::Version`] for a file of a newer program, [`Error::Corrupt`] for what is no database.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, Error> {
        Ok(Self { db: Arc::new(Database::open(folder, &schema::PLAN, options)?) })
    }
}

#[async_trait]
impl Accounts for SqliteAccounts {
    async fn insert_subscriber(&self, new: &NewSubscriber) -> Result<SubscriberInserted, Error> {
        self.db.write("store a subscriber", |tx| subscribers::insert(tx, new))
    }

    async fn subscriber(&self, id: SubscriberId) -> Result<Option<Subscriber>, Error> {
        self.db.read("read a subscriber", |db| subscribers::by_id(db, id))
    }

    async fn subscriber_by_address(&self, address_key: &str) -> Result<Option<Subscriber>, Error> {
        self.db.read("find a subscriber", |db| subscribers::by_address(db, address_key))
    }

    async fn update_subscriber(&self, id: SubscriberId, locale: &str, zone: &str) -> Result<bool, Error> {
        self.db.write("change a subscriber", |tx| subscribers::update(tx, id, locale, zone))
    }

    async fn erase_subscriber(&self, id: SubscriberId, now: Millis) -> Result<bool, Error> {
        let was_there = self.db.write("erase a subscriber", |tx| subscribers::erase(tx, id, now))?;
        // Also if there was none: an earlier call may have failed in between.
        self.db.maintain("truncate the journal after an erasure", subscribers::truncate_journal)?;
        Ok(was_there)
    }

    async fn subscribers_before(
        &self,
        created_before: Millis,
        after: Option<SubscriberId>,
        limit: usize,
    ) -> Result<Vec<SubscriberId>, Error> {
        self.db.read("read a page of subscribers", |db| {
            subscribers::created_before(db, created_before, after, limit)
        })
    }

    async fn positions(&self) -> Result<Vec<Position>, Error> {
        self.db.read("read the positions of the accounts", rows::read_positions)
    }

    async fn accept(&self, deliveries: &[NewDelivery], positions: &[Position]) -> Result<(), Error> {
        self.db.write("enter deliveries", |tx| {
            deliveries::insert(tx, deliveries)?;
            rows::write_positions(tx, positions)
        })
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Delivery>, Error> {
        self.db.write("claim deliveries", |tx| claims::claim(tx, claim))
    }

    async fn end_leases(&self, now: Millis) -> Result<usize, Error> {
        self.db.write("end the leases of claims", |tx| claims::end_leases(tx, now))
    }

    async fn leaving(&self, owner: &str, leaving: &[Leaving]) -> Result<Vec<NotificationId>, Error> {
        self.db.write("mark deliveries as leaving", |tx| claims::leaving(tx, owner, leaving))
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<usize, Error> {
        self.db.write("settle deliveries", |tx| claims::settle(tx, settlements))
    }

    async fn delivery(&self, id: NotificationId) -> Result<Option<Delivery>, Error> {
        self.db.read("read a delivery", |db| deliveries::by_id(db, id))
    }

    async fn deliveries_of(
        &self,
        incident: IncidentId,
        after: Option<(SubscriberId, NotificationId)>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        self.db.read_consistently("read the deliveries of an incident", |db| {
            deliveries::of_incident(db, incident, after, limit)
        })
    }

    async fn deliveries_of_line(&self, query: &LineDeliveryQuery) -> Result<Vec<Delivery>, Error> {
        self.db.read("read the deliveries of a line", |db| deliveries::of_line(db, query))
    }

    async fn counts(&self) -> Result<DeliveryCounts, Error> {
        self.db.read("count the deliveries that wait", deliveries::counts)
    }

    async fn next_due_at(&self) -> Result<Option<Millis>, Error> {
        self.db.read("find the next delivery to wait for", deliveries::next_due_at)
    }

    async fn forget_settled(&self, before: Millis, limit: usize) -> Result<usize, Error> {
        self.db.write("delete old deliveries", |tx| deliveries::forget_settled(tx, before, limit))
    }

    async fn secret(&self, name: &str) -> Result<[u8; 32], Error> {
        match self.db.read("read a secret", |db| secrets::by_name(db, name))? {
            Some(secret) => Ok(secret),
            None => {
                let candidate = new_secret()?;
                self.db.write("keep a secret", |tx| secrets::first(tx, name, candidate))
            }
        }
    }

    async fn insert_token(&self, new: &Token, now: Millis) -> Result<TokenInserted, Error> {
        self.db.write("store a token", |tx| tokens::insert(tx, new, now))
    }

    async fn tokens(&self) -> Result<Vec<Token>, Error> {
        self.db.read("read the tokens", tokens::all)
    }

    async fn revoke_token(&self, name_or_id: &str, now: Millis) -> Result<TokenRevoked, Error> {
        self.db.write("revoke a token", |tx| tokens::revoke(tx, name_or_id, now))
    }
}

/// 32 random bytes of the operating system.
fn new_secret() -> Result<[u8; 32], Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)
        .map_err(|source| Error::Storage { action: "draw a secret", source: Box::new(source) })?;
    Ok(secret)
}
