//! `kill -9` of a real process at random moments while it appends and commits. What it had said to be durable is there,
//! and of nothing is there a part.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use andon_log::sqlite::{Options, SqliteLog};
use andon_log::{Appender, Outputs, Polled, Topic, Worker};

use crate::process::{Process, folder_of_child};
use crate::steps::{offsets, read_all, started};

const KILLS: u64 = 60;

/// Records of the batch with this number: some batches take one chunk, some several.
const fn size_of(batch: u64) -> u64 {
    if batch % 7 == 3 { 1_500 } else { 1 + batch % 40 }
}

/// Appends batch after batch, folds them with a worker, and says what is durable.
#[test]
fn the_child_appends_and_commits() {
    let Some(folder) = folder_of_child() else { return };
    let log = SqliteLog::open(&folder, Options::default()).unwrap();
    let (appender, mut batch) = (log.appender(), batches(&log));
    std::thread::spawn(move || {
        loop {
            let mut records = Outputs::default();
            for n in 0..size_of(batch) {
                let value = format!("{batch} {n}");
                records.push(Topic::LineStatus, 0, b"line", Some(value.as_bytes()));
            }
            appender.append(&records).unwrap();
            say(&format!("appended {batch}"));
            batch += 1;
        }
    });
    let (mut worker, _) = started(&log);
    let mut outputs = Outputs::default();
    loop {
        let Polled::Records(records) = worker.poll(Duration::from_secs(1)).unwrap() else { continue };
        let mut next = 0;
        for record in records.iter() {
            let source = record.offset.to_string();
            outputs.push(Topic::LineChanges, 0, b"line", Some(source.as_bytes()));
            next = record.offset + 1;
        }
        outputs.push(Topic::LineState, 0, b"next", Some(next.to_string().as_bytes()));
        worker.commit(&outputs, &[(0, next)]).unwrap();
        outputs.clear();
        say(&format!("committed {next}"));
    }
}

/// One write, so that a kill leaves the line or nothing of it.
fn say(what: &str) {
    let line = format!("\n: {what}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

/// How many batches there are; each must be whole, in order, with nothing between.
fn batches(log: &SqliteLog) -> u64 {
    let values: Vec<String> =
        read_all(log, Topic::LineStatus).into_iter().map(|record| record.value).collect();
    let (mut batch, mut at) = (0, 0);
    while at < values.len() {
        for n in 0..size_of(batch) {
            assert_eq!(values.get(at), Some(&format!("{batch} {n}")), "batch {batch} is torn");
            at += 1;
        }
        batch += 1;
    }
    batch
}

/// The highest number that the child said of `what`.
fn said(lines: &[String], what: &str) -> Option<i64> {
    lines.iter().filter_map(|line| line.strip_prefix(what)?.trim().parse().ok()).max()
}

/// What is left agrees with itself and with what was said.
fn check(folder: &Path, lines: &[String]) {
    let log = SqliteLog::open(folder, Options::default()).unwrap();
    let batches = i64::try_from(batches(&log)).unwrap();
    if let Some(last) = said(lines, "appended") {
        assert!(batches > last, "batch {last} was acknowledged and is lost: {batches} are left");
    }
    let (mut worker, position) = started(&log);
    if let Some(last) = said(lines, "committed") {
        assert!(position >= last, "the commit to {last} was acknowledged and is lost: {position}");
    }
    let sources: Vec<i64> =
        read_all(&log, Topic::LineChanges).into_iter().map(|record| record.value.parse().unwrap()).collect();
    assert_eq!(sources, (0..position).collect::<Vec<_>>(), "each record's output once, up to the position");
    let mut snapshot = worker.snapshot(0).unwrap();
    let state = snapshot.next().unwrap().map(|batch| {
        batch.iter().map(|record| String::from_utf8_lossy(record.value.unwrap()).into_owned()).collect()
    });
    let expected = (position > 0).then(|| vec![position.to_string()]);
    assert_eq!(state, expected, "the state is of the position");
    assert!(offsets(&log, Topic::LineStatus).len() as i64 >= position);
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged_and_leaves_nothing_in_part() {
    let seed = std::env::var("ANDON_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut random: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("ANDON_TEST_SEED={random}");
    let folder = tempfile::tempdir().unwrap();
    let (mut appended, mut committed) = (0, 0);
    for _ in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let child = Process::start("kills::the_child_appends_and_commits", folder.path());
        // The moment: after so many of the child's words, and a few turns more to land between two of them.
        let until = (random >> 33) % 12;
        let mut lines: Vec<String> = (0..until).map(|_| child.next_line()).collect();
        for _ in 0..(random >> 40) % 2_000 {
            std::hint::spin_loop();
        }
        lines.extend(child.kill());
        appended += lines.iter().filter(|line| line.starts_with("appended")).count();
        committed += lines.iter().filter(|line| line.starts_with("committed")).count();
        check(folder.path(), &lines);
    }
    assert!(appended > 60 && committed > 60, "the children got somewhere: {appended}, {committed}");
}
