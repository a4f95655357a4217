//! Writing to the log, and waiting until the views show it.

use std::time::Duration;

use andon_domain::DirectoryChange;
use andon_log::{Offset, Outputs, Partition, Topic};
use andon_schemas::{directory_key, encode_directory};
use axum::http::StatusCode;

use crate::Api;
use crate::problem::Problem;

/// How often the views are looked at while an answer waits for them.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Api {
    /// Appends to the log, off the threads that serve requests.
    pub(crate) async fn append(&self, records: Outputs) -> Result<Vec<Offset>, Problem> {
        let appender = self.appender.clone();
        match tokio::task::spawn_blocking(move || appender.append(&records)).await {
            Ok(result) => Ok(result?),
            Err(error) => {
                tracing::error!("an append ended by a panic: {error}");
                Err(Problem::internal())
            }
        }
    }

    /// Appends changes of the directory and waits until the views have them. Whether they have.
    pub(crate) async fn change_directory(&self, changes: &[DirectoryChange]) -> Result<bool, Problem> {
        let mut records = Outputs::default();
        for change in changes {
            let mut value = Vec::new();
            let value = encode_directory(change, &mut value).then_some(value);
            records.push(Topic::Directory, 0, &directory_key(change), value.as_deref());
        }
        let offsets = self.append(records).await?;
        match offsets.last() {
            Some(last) => self.wait_for_views(Topic::Directory, 0, *last).await,
            None => Ok(true),
        }
    }

    /// Waits until the views have a record. Whether they have.
    pub(crate) async fn wait_for_views(
        &self,
        topic: Topic,
        partition: Partition,
        offset: Offset,
    ) -> Result<bool, Problem> {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(self.config.settle_ms_max);
        let is_behind = |p: &andon_store::Position| {
            p.stream == topic.name() && p.partition == partition && p.offset > offset
        };
        loop {
            let positions = self.views.positions().await?;
            if positions.iter().any(is_behind) {
                return Ok(true);
            }
            if tokio::time::Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The status of an answer whose change the views show already, or do not yet.
pub(crate) fn settled(is_settled: bool, status: StatusCode) -> StatusCode {
    if is_settled { status } else { StatusCode::ACCEPTED }
}
