//! A disk that is full: refused, nothing in part, and good again as soon as there is room.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use andon_log::sqlite::{Options, SqliteLog};
use andon_log::{Appender, CommitError, Error, Outputs, Topic, Worker};

use crate::steps::{DEADLINE, offsets, record_of, started};

/// Appends until the disk is full. How many there are now.
fn fill(log: &SqliteLog) -> usize {
    let appender = log.appender();
    let before = offsets(log, Topic::LineStatus).len();
    for appended in before.. {
        match appender.append(&record_of(Topic::LineStatus, 50_000)) {
            Ok(_) => assert!(appended < 10_000, "the disk is never full"),
            Err(Error::Full) => return appended,
            Err(other) => panic!("expected a full disk, got {other:?}"),
        }
    }
    unreachable!("there is no last number")
}

/// Everything on a full disk is refused as that, and what was there still is.
fn check_refusals(log: &SqliteLog, records: usize) {
    let (mut worker, position) = started(log);
    let mut outputs = record_of(Topic::LineChanges, 60_000);
    outputs.push(Topic::LineState, 0, b"line", Some(b"1"));
    for _ in 0..3 {
        let error = log.appender().append(&record_of(Topic::LineStatus, 50_000)).unwrap_err();
        assert!(matches!(error, Error::Full), "{error:?}");
        let error = worker.commit(&outputs, &[(0, position + 1)]).unwrap_err();
        assert!(matches!(error, CommitError::Again(Error::Full)), "{error:?}");
    }
    assert_eq!(worker.start(0).unwrap(), position, "the position has not moved");
    assert_eq!(offsets(log, Topic::LineStatus).len(), records);
    assert!(offsets(log, Topic::LineChanges).is_empty());
}

/// With room again the same succeeds.
fn check_recovery(log: &SqliteLog, records: usize) {
    log.appender().append(&record_of(Topic::LineStatus, 50_000)).unwrap();
    assert_eq!(offsets(log, Topic::LineStatus).len(), records + 1);
    let (mut worker, position) = started(log);
    let outputs = record_of(Topic::LineChanges, 60_000);
    worker.commit(&outputs, &[(0, position + 1)]).unwrap();
    assert_eq!(offsets(log, Topic::LineChanges), [0]);
}

fn of_pages(pages: u32) -> Options {
    Options { page_count_max: Some(pages), ..Options::default() }
}

#[test]
fn a_full_file_refuses_and_takes_again_with_a_higher_bound() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path(), of_pages(500)).unwrap();
    let records = fill(&log);
    assert!(records > 20, "{records}");
    check_refusals(&log, records);
    log.close();
    let log = SqliteLog::open(folder.path(), of_pages(1_000)).unwrap();
    check_recovery(&log, records);
}

#[test]
fn a_large_batch_without_room_takes_no_small_one_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path(), of_pages(1_000)).unwrap();
    let is_done = AtomicBool::new(false);
    let small = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let appender = log.appender();
                scope.spawn(move || {
                    for _ in 0..60 {
                        appender.append(&record_of(Topic::LineStatus, 100)).unwrap();
                    }
                })
            })
            .collect();
        let (appender, is_done) = (log.appender(), &is_done);
        let large = scope.spawn(move || {
            while !is_done.load(Ordering::SeqCst) {
                let error = appender.append(&record_of(Topic::LineStatus, 8_000_000)).unwrap_err();
                assert!(matches!(error, Error::Full), "{error:?}");
            }
        });
        let joined: Vec<_> = threads.into_iter().map(|thread| thread.join().is_ok()).collect();
        is_done.store(true, Ordering::SeqCst);
        large.join().unwrap();
        joined
    });
    assert_eq!(small, [true; 3]);
    assert_eq!(offsets(&log, Topic::LineStatus), (0..180).collect::<Vec<_>>());
}

/// A small file system of its own, unmounted with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None where this process may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(folder)),
            Ok(_) | Err(_) => None,
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(self.path()).status().unwrap();
        assert!(status.success(), "could not unmount `{}`", self.path().display());
    }
}

#[test]
fn a_full_disk_refuses_and_takes_again_once_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        println!("NOT RUN: this process may not mount a small disk; the bounded file stands for it");
        return;
    };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let log = SqliteLog::open(disk.path(), Options::default()).unwrap();
    let records = fill(&log);
    assert!(records > 10, "{records}");
    // To the last byte: not even the smallest batch has room.
    let mut filler = std::fs::File::create(disk.path().join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    // What the refused batches had taken of the journal is used again, but not for long.
    let small = (0..1_000).find_map(|_| log.appender().append(&record_of(Topic::DeadLetters, 10)).err());
    assert!(matches!(small, Some(Error::Full)), "{small:?}");
    check_refusals(&log, records);
    std::fs::remove_file(&ballast).unwrap();
    check_recovery(&log, records);
    log.close();
    let log = SqliteLog::open(disk.path(), Options::default()).unwrap();
    assert_eq!(offsets(&log, Topic::LineStatus).len(), records + 1, "all of it was durable");
    assert_eq!(offsets(&log, Topic::LineChanges), [0]);
    drop((log, filler)); // before the disk, which cannot go while a file on it is open
}

/// What retention frees is used again: a bounded file runs on.
#[test]
fn a_bounded_file_runs_on_where_old_records_go() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { retention_bytes: 500_000, retention_every_ms: 1, ..of_pages(600) };
    let log = SqliteLog::open(folder.path(), options).unwrap();
    let (mut worker, _) = started(&log);
    let (appender, until) = (log.appender(), Instant::now() + DEADLINE);
    let mut appended = 0;
    while appended < 200 {
        assert!(Instant::now() < until, "stuck after {appended} records of 50 kB");
        match appender.append(&record_of(Topic::LineStatus, 50_000)) {
            Ok(offsets) => {
                worker.commit(&Outputs::default(), &[(0, offsets[0] + 1)]).unwrap();
                appended += 1;
            }
            Err(Error::Full) => std::thread::yield_now(), // there will be room
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(offsets(&log, Topic::LineStatus).last(), Some(&199));
}
