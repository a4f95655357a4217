//! Views that do something else than answer when a stop is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use andon_domain::{IntervalId, LineEntry, LineId, Millis, SubscriberId, Subscription, SubscriptionId};
use andon_store::{
    DeadLetterPage, DeadLetterQuery, DeadLetterRow, Error, IntervalFound, IntervalQuery, Position,
    StoredInterval, StoredLine, ViewBatch, Views,
};
use async_trait::async_trait;
use uuid::Uuid;

/// What happens to one reading of a stop.
pub(crate) enum Fate {
    Answer,
    /// The batch is written first.
    After(ViewBatch),
    Fail,
    Hang,
}

/// Views, and what happens to the n-th reading of a stop, from 0 on.
pub(crate) struct FatedViews {
    inner: Arc<dyn Views>,
    readings: AtomicUsize,
    fate: Box<dyn Fn(usize) -> Fate + Send + Sync>,
}

impl FatedViews {
    pub(crate) fn new(
        inner: Arc<dyn Views>,
        fate: impl Fn(usize) -> Fate + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { inner, readings: AtomicUsize::new(0), fate: Box::new(fate) })
    }

    /// How often a stop was read.
    pub(crate) fn readings(&self) -> usize {
        self.readings.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Views for FatedViews {
    async fn interval(&self, id: IntervalId) -> Result<IntervalFound, Error> {
        match (self.fate)(self.readings.fetch_add(1, Ordering::SeqCst)) {
            Fate::Answer => {}
            Fate::After(batch) => self.inner.apply(&batch).await?,
            Fate::Fail => {
                return Err(Error::Storage { action: "read an interval", source: "it broke".into() });
            }
            Fate::Hang => std::future::pending().await,
        }
        self.inner.interval(id).await
    }

    async fn apply(&self, batch: &ViewBatch) -> Result<(), Error> {
        self.inner.apply(batch).await
    }

    async fn positions(&self) -> Result<Vec<Position>, Error> {
        self.inner.positions().await
    }

    async fn progress(&self) -> Result<Vec<(u32, Millis)>, Error> {
        self.inner.progress().await
    }

    async fn line(&self, line: &LineId) -> Result<Option<StoredLine>, Error> {
        self.inner.line(line).await
    }

    async fn lines(&self, after: Option<&LineId>, limit: usize) -> Result<Vec<StoredLine>, Error> {
        self.inner.lines(after, limit).await
    }

    async fn intervals(&self, query: &IntervalQuery) -> Result<Vec<StoredInterval>, Error> {
        self.inner.intervals(query).await
    }

    async fn line_entry(&self, line: &LineId) -> Result<Option<LineEntry>, Error> {
        self.inner.line_entry(line).await
    }

    async fn line_entries(&self, lines: &[LineId]) -> Result<Vec<(LineId, LineEntry)>, Error> {
        self.inner.line_entries(lines).await
    }

    async fn registered(
        &self,
        after: Option<&LineId>,
        limit: usize,
    ) -> Result<Vec<(LineId, LineEntry)>, Error> {
        self.inner.registered(after, limit).await
    }

    async fn lines_under(&self, node: &str, limit: usize) -> Result<Vec<LineId>, Error> {
        self.inner.lines_under(node, limit).await
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error> {
        self.inner.subscription(id).await
    }

    async fn subscriptions_of(&self, subscriber: SubscriberId) -> Result<Vec<Subscription>, Error> {
        self.inner.subscriptions_of(subscriber).await
    }

    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<DeadLetterPage, Error> {
        self.inner.dead_letters(query).await
    }

    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetterRow>, Error> {
        self.inner.dead_letter(id).await
    }
}
