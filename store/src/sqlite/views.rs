//! The views in `views.db`. They can be made again from the log, so a power loss may take the newest batches, with
//! their positions; it never leaves a part of one. Nothing here is primary data.

mod dead_letters;
mod directory;
mod intervals;
mod lines;
mod memory;
mod schema;
mod window;
mod write;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use andon_domain::{IntervalId, LineEntry, LineId, Millis, SubscriberId, Subscription, SubscriptionId};
use async_trait::async_trait;
use uuid::Uuid;

use super::database::{Database, lock};
use super::{Options, rows};
use crate::{
    DeadLetterPage, DeadLetterQuery, DeadLetterRow, Error, IntervalFound, IntervalQuery, Position,
    StoredInterval, StoredLine, ViewBatch, Views,
};
use memory::Memory;

/// The views on SQLite. Cloning it is cheap: the file is shared.
#[derive(Clone)]
pub struct SqliteViews {
    shared: Arc<Shared>,
}

struct Shared {
    db: Database,
    /// Taken before the write connection, by `apply` alone.
    memory: Mutex<Memory>,
    /// Odd while a batch becomes visible. This process alone writes the file.
    generation: AtomicU64,
}

impl SqliteViews {
    /// Opens `views.db` in `folder`; makes both where they are missing.
    ///
    /// # Errors
    /// [`Error::Version`] for a file of a newer program, [`Error::Corrupt`] for what is no database.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, Error> {
        let db = Database::open(folder, &schema::PLAN, options)?;
        Ok(Self { shared: Arc::new(Shared { db, memory: Mutex::default(), generation: AtomicU64::new(0) }) })
    }

    fn db(&self) -> &Database {
        &self.shared.db
    }
}

#[async_trait]
impl Views for SqliteViews {
    async fn apply(&self, batch: &ViewBatch) -> Result<(), Error> {
        let mut memory = lock(&self.shared.memory);
        memory.begin();
        let generation = &self.shared.generation;
        let written = self.db().write("write a batch of views", |tx| {
            write::apply(tx, &mut memory, batch)?;
            generation.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        // Whether it was committed or not, it is over.
        generation.fetch_add(generation.load(Ordering::SeqCst) % 2, Ordering::SeqCst);
        written?;
        memory.committed();
        Ok(())
    }

    fn generation(&self) -> Option<u64> {
        Some(self.shared.generation.load(Ordering::SeqCst)).filter(|generation| generation.is_multiple_of(2))
    }

    async fn positions(&self) -> Result<Vec<Position>, Error> {
        self.db().read("read the positions of the views", rows::read_positions)
    }

    async fn progress(&self) -> Result<Vec<(u32, Millis)>, Error> {
        self.db().read("read the progress of the views", lines::progress)
    }

    async fn line(&self, line: &LineId) -> Result<Option<StoredLine>, Error> {
        self.db().read("read a line", |db| lines::line(db, line))
    }

    async fn lines(&self, after: Option<&LineId>, limit: usize) -> Result<Vec<StoredLine>, Error> {
        self.db().read("read a page of lines", |db| lines::lines(db, after, limit))
    }

    async fn intervals(&self, query: &IntervalQuery) -> Result<Vec<StoredInterval>, Error> {
        self.db().read_consistently("read the intervals of a window", |db| window::intervals(db, query))
    }

    async fn interval(&self, id: IntervalId) -> Result<IntervalFound, Error> {
        self.db().read("read an interval", |db| intervals::by_id(db, id))
    }

    async fn line_entry(&self, line: &LineId) -> Result<Option<LineEntry>, Error> {
        self.db().read("read a line's directory entry", |db| directory::line_entry(db, line))
    }

    async fn line_entries(&self, lines: &[LineId]) -> Result<Vec<(LineId, LineEntry)>, Error> {
        self.db().read_consistently("read directory entries", |db| directory::line_entries(db, lines))
    }

    async fn registered(
        &self,
        after: Option<&LineId>,
        limit: usize,
    ) -> Result<Vec<(LineId, LineEntry)>, Error> {
        self.db().read("read a page of directory entries", |db| directory::registered(db, after, limit))
    }

    async fn lines_under(&self, node: &str, limit: usize) -> Result<Vec<LineId>, Error> {
        self.db().read("read the lines under a node", |db| directory::lines_under(db, node, limit))
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error> {
        self.db().read("read a subscription", |db| directory::subscription(db, id))
    }

    async fn subscriptions_of(&self, subscriber: SubscriberId) -> Result<Vec<Subscription>, Error> {
        self.db()
            .read("read the subscriptions of a subscriber", |db| directory::subscriptions_of(db, subscriber))
    }

    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<DeadLetterPage, Error> {
        self.db().read_consistently("read a page of dead letters", |db| dead_letters::page(db, query))
    }

    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetterRow>, Error> {
        self.db().read("read a dead letter", |db| dead_letters::by_id(db, id))
    }
}
