//! Accounts that fail at one chosen call, before or after it took effect; as after a crash, or as after a hiccup.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use andon_domain::{IncidentId, Millis, NotificationId, SubscriberId};
use andon_store::{
    Accounts, Claim, Delivery, DeliveryCounts, Error, Leaving, LineDeliveryQuery, NewDelivery, NewSubscriber,
    Position, Settlement, Subscriber, SubscriberInserted, Token, TokenInserted, TokenRevoked,
};
use async_trait::async_trait;

/// When the call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing happened.
    Before,
    /// It happened, and nobody heard.
    After,
}

pub(crate) struct FaultyAccounts {
    pub(crate) inner: Arc<dyn Accounts>,
    /// The number of the call that fails.
    pub(crate) fails_at: usize,
    pub(crate) moment: Moment,
    /// Whether every later call fails too: the process is dead.
    pub(crate) is_crash: bool,
    pub(crate) calls: AtomicUsize,
}

fn fault() -> Error {
    Error::Storage { action: "do as the test wants", source: "a fault of the test".into() }
}

impl FaultyAccounts {
    pub(crate) fn new(inner: Arc<dyn Accounts>, fails_at: usize, moment: Moment, is_crash: bool) -> Self {
        Self { inner, fails_at, moment, is_crash, calls: AtomicUsize::new(0) }
    }

    /// Whether the fault came.
    pub(crate) fn has_failed(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.fails_at
    }

    async fn call<T>(&self, operation: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let is_at_fault = call == self.fails_at;
        if (self.is_crash && call > self.fails_at) || (is_at_fault && self.moment == Moment::Before) {
            return Err(fault());
        }
        let done = operation.await;
        if is_at_fault { Err(fault()) } else { done }
    }
}

#[async_trait]
impl Accounts for FaultyAccounts {
    async fn insert_subscriber(&self, new: &NewSubscriber) -> Result<SubscriberInserted, Error> {
        self.call(self.inner.insert_subscriber(new)).await
    }

    async fn subscriber(&self, id: SubscriberId) -> Result<Option<Subscriber>, Error> {
        self.call(self.inner.subscriber(id)).await
    }

    async fn subscriber_by_address(&self, address_key: &str) -> Result<Option<Subscriber>, Error> {
        self.call(self.inner.subscriber_by_address(address_key)).await
    }

    async fn update_subscriber(&self, id: SubscriberId, locale: &str, zone: &str) -> Result<bool, Error> {
        self.call(self.inner.update_subscriber(id, locale, zone)).await
    }

    async fn erase_subscriber(&self, id: SubscriberId, now: Millis) -> Result<bool, Error> {
        self.call(self.inner.erase_subscriber(id, now)).await
    }

    async fn subscribers_before(
        &self,
        created_before: Millis,
        after: Option<SubscriberId>,
        limit: usize,
    ) -> Result<Vec<SubscriberId>, Error> {
        self.call(self.inner.subscribers_before(created_before, after, limit)).await
    }

    async fn positions(&self) -> Result<Vec<Position>, Error> {
        self.call(self.inner.positions()).await
    }

    async fn accept(&self, deliveries: &[NewDelivery], positions: &[Position]) -> Result<(), Error> {
        self.call(self.inner.accept(deliveries, positions)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Delivery>, Error> {
        self.call(self.inner.claim(claim)).await
    }

    async fn end_leases(&self, now: Millis) -> Result<usize, Error> {
        self.call(self.inner.end_leases(now)).await
    }

    async fn leaving(&self, owner: &str, leaving: &[Leaving]) -> Result<Vec<NotificationId>, Error> {
        self.call(self.inner.leaving(owner, leaving)).await
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<usize, Error> {
        self.call(self.inner.settle(settlements)).await
    }

    async fn delivery(&self, id: NotificationId) -> Result<Option<Delivery>, Error> {
        self.call(self.inner.delivery(id)).await
    }

    async fn deliveries_of(
        &self,
        incident: IncidentId,
        after: Option<(SubscriberId, NotificationId)>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        self.call(self.inner.deliveries_of(incident, after, limit)).await
    }

    async fn deliveries_of_line(&self, query: &LineDeliveryQuery) -> Result<Vec<Delivery>, Error> {
        self.call(self.inner.deliveries_of_line(query)).await
    }

    async fn counts(&self) -> Result<DeliveryCounts, Error> {
        self.call(self.inner.counts()).await
    }

    async fn next_due_at(&self) -> Result<Option<Millis>, Error> {
        self.call(self.inner.next_due_at()).await
    }

    async fn forget_settled(&self, before: Millis, limit: usize) -> Result<usize, Error> {
        self.call(self.inner.forget_settled(before, limit)).await
    }

    async fn secret(&self, name: &str) -> Result<[u8; 32], Error> {
        self.call(self.inner.secret(name)).await
    }

    async fn insert_token(&self, new: &Token, now: Millis) -> Result<TokenInserted, Error> {
        self.call(self.inner.insert_token(new, now)).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, Error> {
        self.call(self.inner.tokens()).await
    }

    async fn revoke_token(&self, name_or_id: &str, now: Millis) -> Result<TokenRevoked, Error> {
        self.call(self.inner.revoke_token(name_or_id, now)).await
    }
}
