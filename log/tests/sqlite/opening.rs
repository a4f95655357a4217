//! Who may open a folder, and what may be in it.

use andon_log::sqlite::{Options, SqliteLog};
use andon_log::{Appender, Error, Topic};

use crate::process::{Process, folder_of_child};
use crate::steps::{offsets, record_of};

/// Holds the folder until it is killed.
#[test]
fn the_child_holds_its_folder() {
    let Some(folder) = folder_of_child() else { return };
    let log = SqliteLog::open(&folder, Options::default()).unwrap();
    log.appender().append(&record_of(Topic::LineStatus, 10)).unwrap();
    println!("\n: holds");
    loop {
        std::thread::park();
    }
}

#[test]
fn a_second_process_is_refused_and_told_who_has_the_folder_until_the_first_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let first = Process::start("opening::the_child_holds_its_folder", folder.path());
    assert_eq!(first.next_line(), "holds");
    let error = SqliteLog::open(folder.path(), Options::default()).err().unwrap();
    assert!(matches!(error, Error::Owned { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&format!("(process {})", first.id())), "{text}");
    assert!(text.contains(&folder.path().display().to_string()), "{text}");
    first.kill();
    let log = SqliteLog::open(folder.path(), Options::default()).unwrap();
    assert_eq!(offsets(&log, Topic::LineStatus), [0]);
}

#[test]
fn the_folder_is_free_after_close_and_handles_say_closed() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path(), Options::default()).unwrap();
    assert!(matches!(SqliteLog::open(folder.path(), Options::default()), Err(Error::Owned { .. })));
    let appender = log.appender();
    appender.append(&record_of(Topic::LineStatus, 10)).unwrap();
    log.close();
    assert!(matches!(appender.append(&record_of(Topic::LineStatus, 10)), Err(Error::Closed)));
    let again = SqliteLog::open(folder.path(), Options::default()).unwrap();
    assert_eq!(again.appender().append(&record_of(Topic::LineStatus, 10)).unwrap(), [1]);
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    SqliteLog::open(folder.path(), Options::default()).unwrap().close();
    let file = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let error = SqliteLog::open(folder.path(), Options::default()).err().unwrap();
    assert!(matches!(error, Error::Version { found: 99, known: 1 }), "{error:?}");
}

#[test]
fn a_file_that_is_no_log_is_an_error_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = b"this was never a database".repeat(100);
    std::fs::write(folder.path().join("log.db"), &bytes).unwrap();
    let error = SqliteLog::open(folder.path(), Options::default()).err().unwrap();
    assert!(matches!(error, Error::Storage { action: "open the event log", .. }), "{error:?}");
    assert_eq!(std::fs::read(folder.path().join("log.db")).unwrap(), bytes);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = SqliteLog::open(&folder.path().join("missing"), Options::default()).err().unwrap();
    assert!(matches!(error, Error::Storage { action: "lock the data folder", .. }), "{error:?}");
}
