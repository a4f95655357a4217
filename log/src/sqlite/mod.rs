//! The embedded log: one file, `log.db`, owned by one process.
//!
//! One writer thread owns the write connection. It takes every request that waits, puts them into one SQL transaction
//! (each under a savepoint of its own) and one fsync, and answers. Readers have connections of their own and are
//! woken. There is one partition, 0. Records of a topic that is not compacted lie in chunks, as a broker keeps them:
//! a row holds up to a thousand, so that taking a batch costs a few rows and not thousands.

mod chunk;
mod fault;
mod lock;
mod reader;
mod schema;
mod shared;
mod snapshot;
mod worker;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::{Appender, Error, Offset, Outputs, Partition, Topic};

pub use reader::SqliteReader;
pub use worker::SqliteWorker;

use chunk::Prepared;
use lock::FolderLock;
use shared::Shared;
use writer::Writer;

/// How an embedded log is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The log's clock: ms since the epoch. Default: the system's.
    pub clock: fn() -> i64,
    /// Most records of one read. Default 10,000.
    pub read_records_max: usize,
    /// Most bytes of one read, exceeded only by a single larger record. Default 8 MiB.
    pub read_bytes_max: usize,
    /// Most records of one append. Default 100,000. A worker's commit is bounded by what it read instead.
    pub append_records_max: usize,
    /// Most bytes of one append. Default 64 MiB.
    pub append_bytes_max: usize,
    /// Most requests that wait for the writer; a further one waits to be let in. Default 64.
    pub queue_max: usize,
    /// Age at which records of topics that are not compacted go, in ms; line changes stay. Default 400 days.
    pub retention_age_ms: i64,
    /// Size of the log at which its oldest status changes go, in bytes. Default 20 GiB.
    pub retention_bytes: u64,
    /// Bound of the file, in pages of 4 KiB: beyond it a write is refused as if the disk were full. Default: none.
    pub page_count_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: system_clock,
            read_records_max: 10_000,
            read_bytes_max: 8 << 20,
            append_records_max: 100_000,
            append_bytes_max: 64 << 20,
            queue_max: 64,
            retention_age_ms: 400 * 86_400_000,
            retention_bytes: 20 << 30,
            page_count_max: None,
        }
    }
}

/// The system's clock, in ms since the epoch.
fn system_clock() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// A handle of the log; clones share it. The log closes with [`SqliteLog::close`], or with the last handle.
#[derive(Clone)]
pub struct SqliteLog {
    shared: Arc<Shared>,
    options: Arc<Options>,
    owner: Arc<Owner>,
}

/// The writer thread and the folder's lock, given up together.
struct Owner {
    shared: Arc<Shared>,
    writer: Mutex<Option<(std::thread::JoinHandle<()>, FolderLock)>>,
}

impl SqliteLog {
    /// Opens the log in `folder`, which must exist, and makes it if it is not there.
    pub fn open(folder: &Path, options: Options) -> Result<Self, Error> {
        let lock = FolderLock::take(folder)?;
        let path = folder.join("log.db");
        let connection = schema::open_for_writing(&path, options.page_count_max)?;
        let (ends, appended_at) = schema::read_ends(&connection)?;
        let shared = Arc::new(Shared::new(path, options.clock, options.queue_max, ends));
        let options = Arc::new(options);
        let writer = Writer::new(connection, shared.clone(), options.clone(), appended_at);
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| fault::storage("start the log's writer", error))?;
        let owner = Arc::new(Owner { shared: shared.clone(), writer: Mutex::new(Some((thread, lock))) });
        Ok(Self { shared, options, owner })
    }

    /// The consumer of the input. The log has one partition, so one worker at a time makes sense.
    pub fn worker(&self) -> Result<SqliteWorker, Error> {
        SqliteWorker::new(self.shared.clone(), self.options.clone())
    }

    /// A reader that follows these topics from these offsets. The partition must be 0.
    pub fn reader(&self, positions: &[(Topic, Partition, Offset)]) -> Result<SqliteReader, Error> {
        SqliteReader::new(self.shared.clone(), self.options.clone(), positions)
    }

    /// An appender.
    pub fn appender(&self) -> SqliteAppender {
        SqliteAppender { shared: self.shared.clone(), options: self.options.clone() }
    }

    /// The offset that the next record of the topic gets. The partition must be 0.
    pub fn end_offset(&self, topic: Topic, _partition: Partition) -> Result<Offset, Error> {
        Ok(self.shared.ends()[topic as usize])
    }

    /// Finishes what waits, closes the file and gives the folder up. What comes later is [`Error::Closed`].
    pub fn close(&self) {
        self.owner.close();
    }
}

impl Owner {
    fn close(&self) {
        self.shared.close();
        let taken = self.writer.lock().expect("no thread panics while it closes the log").take();
        if let Some((thread, lock)) = taken {
            // A panic of the writer was told when it happened; the lock goes in either case.
            drop(thread.join());
            drop(lock);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Appends to the log. Clones share it.
#[derive(Clone)]
pub struct SqliteAppender {
    shared: Arc<Shared>,
    options: Arc<Options>,
}

impl Appender for SqliteAppender {
    fn append(&self, records: &Outputs) -> Result<Vec<Offset>, Error> {
        for (unit, got, limit) in [
            ("records", records.len(), self.options.append_records_max),
            ("bytes", records.byte_len(), self.options.append_bytes_max),
        ] {
            if got > limit {
                return Err(Error::TooLarge { unit, got, limit });
            }
        }
        self.shared.write(Prepared::new(records, Vec::new())?)
    }
}
