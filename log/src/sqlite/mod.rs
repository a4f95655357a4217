//! The embedded log: one file, `log.db`, owned by one process.
//!
//! One writer thread owns the write connection. It takes every request that waits, puts them into one SQL transaction
//! (each under a savepoint of its own) and one fsync, and answers. Readers have connections of their own and are
//! woken. There is one partition, 0. Records of a topic that is not compacted lie in chunks, as a broker keeps them:
//! a row holds up to a thousand, so that taking a batch costs a few rows and not thousands.

mod chunk;
mod fault;
mod lock;
mod prepared;
mod reader;
mod retention;
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

use lock::FolderLock;
use prepared::{Prepared, check_partition};
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
    /// Most records of one append. Default 100,000.
    pub append_records_max: usize,
    /// Most bytes of one append. Default 64 MiB; never more than 900 MB.
    pub append_bytes_max: usize,
    /// Most records of one commit of the worker. It follows from a read, whose bounds are far lower: this one is for
    /// what cannot be meant. Default 1,000,000.
    pub commit_records_max: usize,
    /// Most bytes of one commit of the worker. Default 900 MB, which is also the most there can be.
    pub commit_bytes_max: usize,
    /// Most requests that wait for the writer; a further one waits to be let in. Default 64.
    pub queue_max: usize,
    /// Age at which status changes, notification commands and dead letters go, in ms. Line changes stay, and so does
    /// the newest of each key of a compacted topic. Default 400 days.
    pub retention_age_ms: i64,
    /// Size of the stored status changes, in bytes, at which the oldest go, if the worker has read them. The file
    /// does not shrink: what is freed is used again. Default 20 GiB.
    pub retention_bytes: u64,
    /// How often old records are looked for, in ms. Default 30 s; more often while there is much to delete.
    pub retention_every_ms: u64,
    /// The longest wait for a foreign process that has the file locked, such as a tool that copies it, in ms. A
    /// write that waited in vain fails and may be tried again. Default 10 s.
    pub busy_wait_ms_max: u64,
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
            commit_records_max: 1_000_000,
            commit_bytes_max: 900_000_000,
            queue_max: 64,
            retention_age_ms: 400 * 86_400_000,
            retention_bytes: 20 << 30,
            retention_every_ms: 30_000,
            busy_wait_ms_max: 10_000,
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
        let connection = schema::open_for_writing(&path, &options)?;
        let standing = schema::read_standing(&connection)?;
        let (shared, requests) = Shared::new(path, options.clock, options.queue_max, &standing);
        let (shared, options) = (Arc::new(shared), Arc::new(options));
        let writer =
            Writer { connection, shared: shared.clone(), requests, options: options.clone(), standing };
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| fault::storage("start the log's writer", error))?;
        let owner = Arc::new(Owner { shared: shared.clone(), writer: Mutex::new(Some((thread, lock))) });
        Ok(Self { shared, options, owner })
    }

    /// A consumer of the input. There is one partition: while one worker has it, another polls in vain.
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
    pub fn end_offset(&self, topic: Topic, partition: Partition) -> Result<Offset, Error> {
        check_partition(topic, partition)?;
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
        let Options { append_records_max, append_bytes_max, .. } = *self.options;
        let prepared = Prepared::new(records, &[], append_records_max, append_bytes_max)?;
        let mut next = self.shared.write(prepared)?;
        let offset_of = |topic: Topic| {
            next[topic as usize] += 1;
            next[topic as usize] - 1
        };
        Ok(records.iter().map(|record| record.topic).map(offset_of).collect())
    }
}
