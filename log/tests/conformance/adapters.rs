//! The adapters under test. Only this file names them.

use std::sync::Arc;

use andon_log::memory::{self, Faults, MemoryLog};
use andon_log::sqlite::{self, SqliteLog};
use andon_log::{Appender, Offset, Partition, Reader, Topic, Worker};
use tempfile::TempDir;

use crate::fixture::Fixture;

const READ_RECORDS_MAX: usize = 100;
const APPEND_RECORDS_MAX: usize = 2_500;
const APPEND_BYTES_MAX: usize = 1 << 20;

pub(crate) struct Sqlite {
    log: SqliteLog,
    folder: TempDir,
}

impl Sqlite {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlite::Options {
            read_records_max: READ_RECORDS_MAX,
            append_records_max: APPEND_RECORDS_MAX,
            append_bytes_max: APPEND_BYTES_MAX,
            busy_wait_ms_max: 10,
            ..sqlite::Options::default()
        };
        Self { log: SqliteLog::open(folder.path(), options).unwrap(), folder }
    }
}

impl Fixture for Sqlite {
    fn partitions(&self) -> u32 {
        1
    }

    fn worker(&self) -> Box<dyn Worker> {
        Box::new(self.log.worker().unwrap())
    }

    fn reader(&self, positions: &[(Topic, Partition, Offset)]) -> Box<dyn Reader> {
        Box::new(self.log.reader(positions).unwrap())
    }

    fn appender(&self) -> Arc<dyn Appender> {
        Arc::new(self.log.appender())
    }

    fn end_offset(&self, topic: Topic, partition: Partition) -> Offset {
        self.log.end_offset(topic, partition).unwrap()
    }

    /// A foreign program holds the write lock.
    fn while_writes_fail(&self, during: &mut dyn FnMut()) {
        let foreign = rusqlite::Connection::open(self.folder.path().join("log.db")).unwrap();
        foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
        during();
        foreign.execute_batch("ROLLBACK").unwrap();
    }

    fn read_records_max(&self) -> usize {
        READ_RECORDS_MAX
    }

    fn append_max(&self) -> (usize, usize) {
        (APPEND_RECORDS_MAX, APPEND_BYTES_MAX)
    }
}

pub(crate) struct Memory {
    log: MemoryLog,
    options: memory::Options,
}

impl Memory {
    pub(crate) fn of_one_partition() -> Self {
        Self::with(1, Faults::NONE)
    }

    /// What is within the contract and still unexpected.
    pub(crate) fn of_three_with_oddities() -> Self {
        Self::with(3, Faults { idle: 5, short_batch: 2, gap: 2, ..Faults::NONE })
    }

    fn with(partitions: u32, faults: Faults) -> Self {
        let options = memory::Options {
            partitions,
            faults,
            is_waiting: true,
            read_records_max: READ_RECORDS_MAX,
            append_records_max: APPEND_RECORDS_MAX,
            append_bytes_max: APPEND_BYTES_MAX,
            ..memory::Options::default()
        };
        Self { log: MemoryLog::with(options), options }
    }
}

impl Fixture for Memory {
    fn partitions(&self) -> u32 {
        self.options.partitions
    }

    fn worker(&self) -> Box<dyn Worker> {
        Box::new(self.log.worker())
    }

    fn reader(&self, positions: &[(Topic, Partition, Offset)]) -> Box<dyn Reader> {
        Box::new(self.log.reader(positions).unwrap())
    }

    fn appender(&self) -> Arc<dyn Appender> {
        /// Each append is a millisecond later than the one before.
        struct Ticking(MemoryLog);
        impl Appender for Ticking {
            fn append(&self, records: &andon_log::Outputs) -> Result<Vec<Offset>, andon_log::Error> {
                self.0.set_clock(self.0.clock() + 1);
                self.0.appender().append(records)
            }
        }
        Arc::new(Ticking(self.log.clone()))
    }

    fn end_offset(&self, topic: Topic, partition: Partition) -> Offset {
        self.log.end_offset(topic, partition).unwrap()
    }

    fn while_writes_fail(&self, during: &mut dyn FnMut()) {
        self.log.set_faults(Faults { commit_refused: 1, append_refused: 1, ..self.options.faults });
        during();
        self.log.set_faults(self.options.faults);
    }

    fn read_records_max(&self) -> usize {
        READ_RECORDS_MAX
    }

    fn append_max(&self) -> (usize, usize) {
        (APPEND_RECORDS_MAX, APPEND_BYTES_MAX)
    }
}
