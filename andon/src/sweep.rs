//! The sweep: an address that nobody needs is not kept. Who has no subscription a day after the address came is erased,
//! as after ending the last one.

use std::sync::Arc;
use std::time::Duration;

use andon_domain::Millis;
use andon_log::sqlite::SqliteLog;
use andon_log::{Topic, chain};
use andon_mailer::Outbox;
use andon_store::{Accounts, Views};
use tracing::{info, warn};

use crate::admin::now_ms;

/// How long an address may wait for its first subscription: a day.
const GRACE_MS: Millis = 86_400_000;

/// How often the addresses are looked at.
const EVERY: Duration = Duration::from_secs(3_600);

/// Addresses looked at in one read.
const PAGE: usize = 500;

/// What the sweep works on.
pub(crate) struct Sweep {
    pub(crate) log: SqliteLog,
    pub(crate) views: Arc<dyn Views>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) outbox: Outbox,
}

impl Sweep {
    /// Sweeps now and then, for as long as it is polled.
    pub(crate) async fn run(self) {
        loop {
            match self.once(now_ms()).await {
                Ok(0) => {}
                Ok(count) => info!("erased {count} addresses without a subscription"),
                Err(error) => warn!("could not sweep the addresses: {}", chain(error.as_ref())),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Erases those who came more than a day before `now` and follow nothing; how many.
    ///
    /// Views that do not have the whole directory would make everybody look so: then nobody is erased.
    async fn once(&self, now: Millis) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        let end = self.log.end_offset(Topic::Directory, 0)?;
        let positions = self.views.positions().await?;
        let read = positions.iter().find(|position| position.stream == Topic::Directory.name());
        if read.map_or(0, |position| position.offset) < end {
            return Ok(0);
        }
        let (mut after, mut erased) = (None, 0);
        loop {
            let page = self.accounts.subscribers_before(now - GRACE_MS, after, PAGE).await?;
            for subscriber in &page {
                let follows_nothing = self.views.subscriptions_of(*subscriber).await?.is_empty();
                // Who comes again just now has moved on since the page was read.
                let known = self.accounts.subscriber(*subscriber).await?;
                if follows_nothing && known.is_some_and(|known| known.created_at < now - GRACE_MS) {
                    // The row goes last: as long as it is there, what failed is tried again.
                    self.outbox.erase(*subscriber)?;
                    self.accounts.erase_subscriber(*subscriber, now).await?;
                    erased += 1;
                }
            }
            after = page.last().copied();
            if page.len() < PAGE {
                return Ok(erased);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use andon_domain::{DirectoryChange, SubscriberId, Subscription, SubscriptionId};
    use andon_log::{Appender, Outputs};
    use andon_store::sqlite::{Options, SqliteAccounts, SqliteViews};
    use andon_store::{NewSubscriber, Position, Subscriber, ViewBatch};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn who_follows_nothing_after_a_day_is_erased_but_only_by_whole_views() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let log = SqliteLog::open(folder.path(), andon_log::sqlite::Options::default()).unwrap();
        let sweep = Sweep {
            log: log.clone(),
            views: Arc::new(SqliteViews::open(folder.path(), &Options::default()).unwrap()),
            accounts: Arc::new(SqliteAccounts::open(folder.path(), &Options::default()).unwrap()),
            outbox: Outbox::open(&folder.path().join("outbox")).unwrap(),
        };
        let id = |n| SubscriberId(Uuid::from_u128(n));
        let now = 10 * GRACE_MS;
        let subscription = Subscription {
            id: SubscriptionId::derive(id(1), "a"),
            subscriber_id: id(1),
            node: "a".to_owned(),
            notify_after_ms: 0,
            class: None,
            created_at: 0,
        };
        runtime.block_on(async {
            // Of three addresses the first follows a line, the second nothing, the third came just now.
            for (n, created_at) in [(1, 0), (2, 0), (3, now - 5)] {
                let address = format!("a{n}@plant.example");
                let subscriber = Subscriber {
                    id: id(n),
                    address: address.clone(),
                    locale: "en".to_owned(),
                    zone: "UTC".to_owned(),
                    created_at,
                };
                let new = NewSubscriber { subscriber, address_key: address };
                sweep.accounts.insert_subscriber(&new).await.unwrap();
            }
            let mut records = Outputs::default();
            records.push(Topic::Directory, 0, b"subscription/1", Some(b"whatever"));
            log.appender().append(&records).unwrap();
            assert_eq!(sweep.once(now).await.unwrap(), 0, "the views have nothing of the directory yet");

            let batch = ViewBatch {
                directory: vec![(0, DirectoryChange::Subscription(subscription))],
                positions: vec![Position {
                    stream: Topic::Directory.name().to_owned(),
                    partition: 0,
                    offset: 1,
                }],
                ..ViewBatch::default()
            };
            sweep.views.apply(&batch).await.unwrap();
            assert_eq!(sweep.once(now).await.unwrap(), 1);
            for (n, is_there) in [(1, true), (2, false), (3, true)] {
                assert_eq!(sweep.accounts.subscriber(id(n)).await.unwrap().is_some(), is_there, "{n}");
            }
        });
    }
}
