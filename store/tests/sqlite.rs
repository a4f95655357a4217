//! The SQLite adapter against the conformance suite, and what only a file on a disk can do: be full, be of another
//! version, be deleted.

#![expect(clippy::unwrap_used, reason = "a test that meets an error fails")]

mod conformance;

use std::path::Path;
use std::sync::Arc;

use andon_domain::{Kind, LineStatus, NotificationId};
use andon_store::sqlite::{Options, SqliteAccounts, SqliteViews};
use andon_store::{Accounts, Disposition, Error, IntervalFound, LineDeliveryQuery, ViewBatch, Views};
use conformance::{Fixture, conformance, interval, line, line_row, line_write, position, run, upsert};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

/// A folder of its own. Every handle opens the files anew, as another process would.
struct Sqlite {
    folder: TempDir,
}

impl Fixture for Sqlite {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn views(&self) -> Arc<dyn Views> {
        Arc::new(SqliteViews::open(self.folder.path(), &Options::default()).unwrap())
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        Arc::new(SqliteAccounts::open(self.folder.path(), &Options::default()).unwrap())
    }

    fn keeps_bytes(&self, bytes: &[u8]) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.into_iter().any(|file| {
            let content = std::fs::read(file.unwrap().path()).unwrap();
            content.windows(bytes.len()).any(|window| window == bytes)
        })
    }
}

conformance!(Sqlite);

fn open(folder: &Path) -> SqliteViews {
    SqliteViews::open(folder, &Options::default()).unwrap()
}

/// A batch of `number` lines and intervals, with its position.
fn batch(number: i64) -> ViewBatch {
    let name = |n: i64| format!("line {number} {n}");
    ViewBatch {
        lines: (0..50).map(|n| line_write(&name(n), 1, line_row(LineStatus::Idle, n))).collect(),
        intervals: (0..50).map(|n| upsert(&name(n), 1, interval(Kind::Down, n, None))).collect(),
        positions: vec![position("changes", 0, number)],
        ..ViewBatch::default()
    }
}

#[test]
fn a_full_disk_refuses_a_whole_batch_and_takes_it_once_there_is_room() {
    let folder = TempDir::new().unwrap();
    let small = Options { page_count_max: Some(60), ..Options::default() };
    let views = SqliteViews::open(folder.path(), &small).unwrap();
    let mut number = 1;
    let refused = loop {
        assert!(number < 1_000, "60 pages never fill up");
        match run(views.apply(&batch(number))) {
            Ok(()) => number += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::Full { store: "views" }), "{refused:?}");
    assert_eq!(refused.disposition(), Disposition::Retry);
    assert!(number > 1, "some batches found room");
    let wrote = |views: &SqliteViews, number: i64| {
        let lines = run(views.lines(None, 100_000)).unwrap().len() as i64;
        assert_eq!(lines, 50 * number, "whole batches alone are there");
        assert_eq!(run(views.positions()).unwrap(), [position("changes", 0, number)]);
    };
    wrote(&views, number - 1);
    let again = run(views.apply(&batch(number)));
    assert!(matches!(again, Err(Error::Full { .. })), "{again:?}");
    // What is there already needs no room: the same handle goes on, also with lines it met in the refused batch.
    run(views.apply(&batch(1))).unwrap();
    let known = ViewBatch {
        lines: vec![line_write("line 1 0", 2, line_row(LineStatus::Running, 7))],
        ..ViewBatch::default()
    };
    run(views.apply(&known)).unwrap();
    assert_eq!(run(views.line(&line("line 1 0"))).unwrap().unwrap().version, 2);
    drop(views);
    let views = open(folder.path());
    run(views.apply(&batch(number))).unwrap();
    wrote(&views, number);
}

#[test]
fn full_accounts_refuse_a_subscriber_and_take_it_once_something_was_deleted() {
    use conformance::ledger::delivery;
    let folder = TempDir::new().unwrap();
    let small = Options { page_count_max: Some(60), ..Options::default() };
    let accounts = SqliteAccounts::open(folder.path(), &small).unwrap();
    let mut id = 0;
    let refused = loop {
        assert!(id < 10_000, "60 pages never fill up");
        id += 1;
        let mut new = delivery(id, 7, id, andon_domain::CommandKind::Down, 1, 1);
        new.state = andon_store::DeliveryState::Dropped;
        new.command = vec![7; 500];
        if let Err(error) = run(accounts.accept(&[new], &[position("commands", 0, id as i64)])) {
            break error;
        }
    };
    assert!(matches!(refused, Error::Full { store: "accounts" }), "{refused:?}");
    assert_eq!(run(accounts.positions()).unwrap(), [position("commands", 0, id as i64 - 1)]);
    assert_eq!(run(accounts.forget_settled(100, 20)).unwrap(), 20);
    let new = delivery(id, 7, id, andon_domain::CommandKind::Down, 1, 1);
    run(accounts.accept(&[new], &[position("commands", 0, id as i64)])).unwrap();
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    run(open(folder.path()).apply(&batch(1))).unwrap();
    drop(SqliteAccounts::open(folder.path(), &Options::default()).unwrap());
    for file in ["views.db", "accounts.db"] {
        let db = Connection::open(folder.path().join(file)).unwrap();
        db.execute_batch("PRAGMA user_version = 77").unwrap();
    }
    let views = SqliteViews::open(folder.path(), &Options::default()).err().unwrap();
    assert!(matches!(views, Error::Version { store: "views", found: 77, known: 2 }), "{views:?}");
    assert_eq!(views.disposition(), Disposition::Stop);
    let accounts = SqliteAccounts::open(folder.path(), &Options::default()).err().unwrap();
    assert!(matches!(accounts, Error::Version { store: "accounts", found: 77, .. }), "{accounts:?}");
    let db = Connection::open(folder.path().join("views.db")).unwrap();
    db.execute_batch("PRAGMA user_version = 2").unwrap();
    drop(db);
    assert_eq!(run(open(folder.path()).lines(None, 99)).unwrap().len(), 50);
}

#[test]
fn accounts_of_an_older_program_go_on_as_they_were() {
    let folder = TempDir::new().unwrap();
    let old = Connection::open(folder.path().join("accounts.db")).unwrap();
    old.execute_batch(include_str!("schemas/accounts-v2.sql")).unwrap();
    drop(old);
    for _ in 0..2 {
        let accounts = SqliteAccounts::open(folder.path(), &Options::default()).unwrap();
        let delivery = run(accounts.delivery(NotificationId(Uuid::from_u128(1)))).unwrap().unwrap();
        assert_eq!((delivery.may_have_left, delivery.smtp_code, delivery.facts), (true, Some(421), None));
        run(accounts.secret("links")).unwrap();
        let of_line = LineDeliveryQuery {
            line_id: line("press 3"),
            from: i64::MIN,
            to: i64::MAX,
            after: None,
            limit: 9,
        };
        assert_eq!(run(accounts.deliveries_of_line(&of_line)).unwrap(), [], "nobody wrote which line it is");
    }
}

#[test]
fn rows_survive_a_restart_and_a_deleted_file_is_made_anew() {
    let folder = TempDir::new().unwrap();
    let views = open(folder.path());
    run(views.apply(&batch(1))).unwrap();
    // A process that is killed leaves its journal behind; here it is a copy of it.
    let journal = std::fs::read(folder.path().join("views.db-wal")).unwrap();
    assert!(!journal.is_empty());
    drop(views);
    let views = open(folder.path());
    assert_eq!(run(views.lines(None, 99)).unwrap().len(), 50);
    drop(views);
    std::fs::remove_file(folder.path().join("views.db")).unwrap();
    std::fs::write(folder.path().join("views.db-wal"), journal).unwrap();
    let views = open(folder.path());
    assert_eq!(run(views.lines(None, 99)).unwrap(), []);
    assert_eq!(run(views.positions()).unwrap(), [], "so the projector starts from the beginning");
    run(views.apply(&batch(1))).unwrap();
    assert_eq!(run(views.lines(None, 99)).unwrap().len(), 50);
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("views.db"), vec![b'x'; 8_192]).unwrap();
    let refused = SqliteViews::open(folder.path(), &Options::default()).err().unwrap();
    assert!(matches!(refused, Error::Corrupt { store: "views", what: "database", .. }), "{refused:?}");
    assert_eq!(refused.disposition(), Disposition::Stop);
}

#[test]
fn a_broken_value_names_what_is_broken() {
    let folder = TempDir::new().unwrap();
    let views = open(folder.path());
    run(views.apply(&batch(1))).unwrap();
    let db = Connection::open(folder.path().join("views.db")).unwrap();
    db.execute_batch("UPDATE intervals SET segments = x'09'; UPDATE lines SET status = 'DANCING'").unwrap();
    let id = interval(Kind::Down, 0, None).id(&line("line 1 0"));
    let broken = run(views.interval(id)).unwrap_err();
    assert!(matches!(broken, Error::Corrupt { what: "list of segments", .. }), "{broken:?}");
    let broken = run(views.line(&line("line 1 0"))).unwrap_err();
    assert_eq!(broken.to_string(), "the views store holds a broken status: no status is named `DANCING`");
}

#[test]
fn two_ids_that_share_their_indexed_half_are_told_apart() {
    let folder = TempDir::new().unwrap();
    let views = open(folder.path());
    run(views.apply(&batch(1))).unwrap();
    // No two real ids are known to collide, so every row gets the prefix of one.
    let id = interval(Kind::Down, 3, None).id(&line("line 1 3"));
    let prefix = i64::from_be_bytes(id.0.as_bytes()[..8].try_into().unwrap());
    let db = Connection::open(folder.path().join("views.db")).unwrap();
    db.execute("UPDATE intervals SET id_prefix = ?1", [prefix]).unwrap();
    match run(views.interval(id)).unwrap() {
        IntervalFound::Current(found) => assert_eq!(found.line_id, line("line 1 3")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refused_batch_leaves_nothing_behind_that_a_later_one_relies_on() {
    let folder = TempDir::new().unwrap();
    let views = open(folder.path());
    run(views.apply(&batch(1))).unwrap();
    let db = Connection::open(folder.path().join("views.db")).unwrap();
    // The position is written last: by then lines of the batch have keys that the rollback gives to others.
    db.execute_batch("CREATE TRIGGER refuse BEFORE UPDATE ON positions BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    let refused = run(views.apply(&batch(2))).unwrap_err();
    assert!(matches!(refused, Error::Storage { action: "write a batch of views", .. }), "{refused:?}");
    assert_eq!(refused.disposition(), Disposition::Retry);
    assert_eq!(run(views.lines(None, 999)).unwrap().len(), 50);
    db.execute_batch("DROP TRIGGER refuse").unwrap();
    run(views.apply(&batch(3))).unwrap();
    run(views.apply(&ViewBatch { positions: vec![], ..batch(2) })).unwrap();
    let lines = run(views.lines(None, 999)).unwrap();
    assert_eq!(lines.len(), 150);
    for stored in lines {
        let number = stored.line_id.as_str().rsplit(' ').next().unwrap().parse().unwrap();
        let id = interval(Kind::Down, number, None).id(&stored.line_id);
        match run(views.interval(id)).unwrap() {
            IntervalFound::Current(found) => assert_eq!(found.line_id, stored.line_id),
            other => panic!("{}: {other:?}", stored.line_id),
        }
    }
}

#[test]
fn ids_are_found_in_every_run_also_after_a_restart() {
    const INTERVALS: i64 = 150_000;
    let folder = TempDir::new().unwrap();
    for part in 0..3 {
        let views = open(folder.path());
        let starts = part * INTERVALS / 3..(part + 1) * INTERVALS / 3;
        let starts: Vec<i64> = starts.collect();
        for starts in starts.chunks(10_000) {
            let intervals =
                starts.iter().map(|at| upsert("a", 1, interval(Kind::Down, *at, Some(at + 1)))).collect();
            run(views.apply(&ViewBatch { intervals, ..ViewBatch::default() })).unwrap();
        }
    }
    let db = Connection::open(folder.path().join("views.db")).unwrap();
    let runs: i64 =
        db.query_row("SELECT count(DISTINCT id_run) FROM intervals", [], |row| row.get(0)).unwrap();
    assert_eq!(runs, 3, "runs are neither endless nor many");
    let views = open(folder.path());
    for at in (0..INTERVALS).step_by(997).chain([INTERVALS - 1]) {
        let id = interval(Kind::Down, at, None).id(&line("a"));
        match run(views.interval(id)).unwrap() {
            IntervalFound::Current(found) => assert_eq!(found.interval.started_at, at),
            other => panic!("the interval at {at}: {other:?}"),
        }
    }
}

#[test]
fn reads_go_on_while_a_batch_is_being_written() {
    let folder = TempDir::new().unwrap();
    let views = open(folder.path());
    run(views.apply(&batch(1))).unwrap();
    let other = Connection::open(folder.path().join("views.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM lines").unwrap();
    assert_eq!(run(views.lines(None, 99)).unwrap().len(), 50);
    other.execute_batch("ROLLBACK").unwrap();
}
