//! One SQLite file in WAL mode: a write connection behind a lock and a small pool of read-only ones, brought up to
//! the newest schema when it is opened. It knows no table, and it never leaves a transaction open.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::Options;
use super::fault::Fault;
use crate::Error;

/// Each connection keeps this many prepared statements: more than the adapter has.
const STATEMENTS_MAX: usize = 64;

/// What makes one database differ from another.
pub(super) struct Plan {
    /// `views` or `accounts`, for errors.
    pub(super) store: &'static str,
    /// Name of the file.
    pub(super) file: &'static str,
    /// Settings of the write connection, as SQL.
    pub(super) settings: &'static str,
    /// The schema in steps; step `n` brings version `n` to `n + 1`. A released step never changes.
    pub(super) steps: &'static [&'static str],
}

/// An open database.
pub(super) struct Database {
    store: &'static str,
    writer: Mutex<Connection>,
    readers: Readers,
}

impl Database {
    /// Opens the file of `plan` in `folder`, or makes it.
    pub(super) fn open(folder: &Path, plan: &Plan, options: &Options) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|source| Error::Storage {
            action: "make the store's folder",
            source: Box::new(source),
        })?;
        let path = folder.join(plan.file);
        let opened = |action| move |fault: Fault| fault.during(plan.store, action);
        let writer = open_writer(&path, plan, options).map_err(opened("open the store"))?;
        migrate(&writer, plan)?;
        let readers = (0..options.readers.max(1))
            .map(|_| open_reader(&path, options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(opened("open the store for reading"))?;
        let readers = Readers { idle: Mutex::new(readers), freed: Condvar::new() };
        Ok(Self { store: plan.store, writer: Mutex::new(writer), readers })
    }

    /// Runs `work` in a transaction that writes: all of it happens or, on an error, nothing.
    pub(super) fn write<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut writer = lock(&self.writer);
        let attempt = || {
            let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&tx)?;
            tx.commit()?;
            Ok(answer)
        };
        attempt().map_err(|fault: Fault| fault.during(self.store, action))
    }

    /// Runs `work` on the write connection outside of any transaction, for what may not be inside of one.
    pub(super) fn maintain<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        work(&lock(&self.writer)).map_err(|fault| fault.during(self.store, action))
    }

    /// Runs `work`, which is one statement, on a connection that only reads.
    pub(super) fn read<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        work(&self.readers.take()).map_err(|fault| fault.during(self.store, action))
    }

    /// Runs `work`, which is several statements, on one state of the database.
    pub(super) fn read_consistently<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        self.read(action, |db| {
            let tx = db.unchecked_transaction()?;
            work(&tx)
        })
    }
}

/// Idle read connections. Whoever finds none waits until a call ends; calls are short.
struct Readers {
    idle: Mutex<Vec<Connection>>,
    freed: Condvar,
}

impl Readers {
    fn take(&self) -> Reader<'_> {
        let mut idle = lock(&self.idle);
        loop {
            if let Some(connection) = idle.pop() {
                return Reader { readers: self, connection: Some(connection) };
            }
            idle = self.freed.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A read connection on loan; it goes back when dropped, after a panic too.
struct Reader<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("the connection is taken out in `drop` alone")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            lock(&self.readers.idle).push(connection);
            self.readers.freed.notify_one();
        }
    }
}

/// Locks, also after a panic elsewhere: a transaction that was open then has been rolled back by its drop.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_writer(path: &Path, plan: &Plan, options: &Options) -> Result<Connection, Fault> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    prepare(&db, options)?;
    // The size of a page can only be chosen before the file is made, which changing the journal does.
    db.execute_batch(plan.settings)?;
    db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    if let Some(pages) = options.page_count_max {
        db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))?;
    }
    Ok(db)
}

fn open_reader(path: &Path, options: &Options) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    prepare(&db, options)?;
    db.execute_batch("PRAGMA cache_size = -8192; PRAGMA query_only = ON;")?;
    Ok(db)
}

fn prepare(db: &Connection, options: &Options) -> Result<(), Fault> {
    db.busy_timeout(Duration::from_millis(u64::from(options.busy_ms_max)))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Otherwise a plan may depend on the values bound, and statements are planned again with each new value.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Sorting must not leave rows in temporary files.
    db.execute_batch("PRAGMA temp_store = MEMORY;")?;
    Ok(())
}

/// Brings the schema to the newest version, in one transaction.
fn migrate(db: &Connection, plan: &Plan) -> Result<(), Error> {
    let failed =
        |error: rusqlite::Error| Fault::from(error).during(plan.store, "bring the schema up to date");
    let known = i64::try_from(plan.steps.len()).expect("there are fewer steps than 2^63");
    let tx = Transaction::new_unchecked(db, TransactionBehavior::Immediate).map_err(failed)?;
    let found: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let done = match usize::try_from(found) {
        Ok(done) if done <= plan.steps.len() => done,
        _ => return Err(Error::Version { store: plan.store, found, known }),
    };
    if done == plan.steps.len() {
        return Ok(());
    }
    for step in &plan.steps[done..] {
        tx.execute_batch(step).map_err(failed)?;
    }
    tx.execute_batch(&format!("PRAGMA user_version = {known}")).map_err(failed)?;
    tx.commit().map_err(failed)
}
