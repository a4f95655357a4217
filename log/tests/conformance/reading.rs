//! What a reader may rely on: any position, all that is committed, nothing that is not.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use andon_log::{Outputs, Read, Topic, encode_headers};

use crate::fixture::{DEADLINE, Fixture, Owned, WAIT, numbers, outputs, read_all, read_from, take_over};

pub(crate) fn a_reader_begins_at_any_offset(fixture: &dyn Fixture) {
    let appender = fixture.appender();
    for (first, last) in [(0, 1), (1, 130), (130, 131), (131, 300)] {
        appender.append(&outputs(Topic::LineChanges, 0, first..last)).unwrap();
    }
    let all = read_all(fixture, Topic::LineChanges);
    assert_eq!(numbers(&all), (0..300).collect::<Vec<_>>());
    for from in 0..=fixture.end_offset(Topic::LineChanges, 0) + 2 {
        let expected: Vec<_> = all.iter().filter(|record| record.offset >= from).cloned().collect();
        assert_eq!(read_from(fixture, Topic::LineChanges, &[(0, from)]), expected, "from {from}");
    }
}

/// Key, value, headers.
type Parts<'a> = (&'a [u8], Option<&'a [u8]>, &'a [u8]);

pub(crate) fn bytes_come_back_as_they_were(fixture: &dyn Fixture) {
    let headers = encode_headers(&[("reason", b"TOO_LATE"), ("raw", &[0, 255, 10])]);
    let long = vec![7_u8; 300_000];
    let cases: [Parts<'_>; 6] = [
        (b"plain", Some(b"value"), &[]),
        (b"", Some(b""), &[]),
        (b"no value", None, &[]),
        (&[0, 1, 255], Some(&[0, 0, 254]), &headers),
        (b"long", Some(&long), &headers),
        (b"behind", Some(b"x"), &[]),
    ];
    let mut records = Outputs::default();
    for (key, value, headers) in cases {
        records.push_with_headers(Topic::DeadLetters, 0, key, value, headers);
    }
    for (key, value, headers) in cases {
        records.push_with_headers(Topic::Directory, 0, key, value, headers);
    }
    fixture.appender().append(&records).unwrap();
    for topic in [Topic::DeadLetters, Topic::Directory] {
        let mut reader = fixture.reader(&[(topic, 0, 0)]);
        let mut found = 0;
        while let Read::Records(_, batch) = reader.poll(Duration::ZERO).unwrap() {
            for record in batch.iter() {
                let (key, value, headers) = cases[found];
                assert_eq!((record.key, record.value, record.raw_headers()), (key, value, headers));
                found += 1;
            }
        }
        assert_eq!(found, cases.len(), "{topic:?}");
    }
}

pub(crate) fn a_busy_topic_does_not_starve_another(fixture: &dyn Fixture) {
    let appender = fixture.appender();
    let topics = [Topic::LineChanges, Topic::DeadLetters];
    let mut reader = fixture.reader(&topics.map(|topic| (topic, 0, 0)));
    for topic in topics {
        appender.append(&outputs(topic, 0, [0])).unwrap();
    }
    let mut followed = BTreeSet::new();
    while followed.len() < topics.len() {
        if let Read::Records(topic, _) = reader.poll(WAIT).unwrap() {
            followed.insert(topic);
        }
    }
    appender.append(&outputs(Topic::DeadLetters, 0, [1])).unwrap();
    let until = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < until, "the quiet topic waits behind the busy one");
        // More than a read takes: the busy topic is never read to its end.
        let more = 0..fixture.read_records_max() as u64 * 2;
        appender.append(&outputs(Topic::LineChanges, 0, more)).unwrap();
        match reader.poll(Duration::ZERO).unwrap() {
            Read::Records(Topic::DeadLetters, _) => break,
            Read::Records(..) => {}
            Read::CaughtUp => panic!("there is more"),
        }
    }
}

pub(crate) fn a_waiting_reader_wakes_when_something_is_committed(fixture: &dyn Fixture) {
    let mut reader = fixture.reader(&[(Topic::LineChanges, 0, 0)]);
    assert!(matches!(reader.poll(Duration::ZERO).unwrap(), Read::CaughtUp));
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // What is committed elsewhere is no news to this reader.
            fixture.appender().append(&outputs(Topic::LineStatus, 0, [1])).unwrap();
            let mut worker = fixture.worker();
            take_over(worker.as_mut());
            worker.commit(&outputs(Topic::LineChanges, 0, [2]), &[(0, 1)]).unwrap();
        });
        match reader.poll(DEADLINE).unwrap() {
            Read::Records(topic, batch) => {
                let records: Vec<_> = batch.iter().map(|record| Owned::of(&record)).collect();
                assert_eq!((topic, numbers(&records)), (Topic::LineChanges, vec![2]));
            }
            Read::CaughtUp => panic!("it slept through the commit"),
        }
    });
    assert!(began.elapsed() < DEADLINE / 2, "it woke, and did not wait to the end");
}

pub(crate) fn a_wait_without_news_ends_with_caught_up(fixture: &dyn Fixture) {
    let mut reader = fixture.reader(&[(Topic::LineChanges, 0, 0), (Topic::Directory, 0, 0)]);
    for _ in 0..3 {
        let began = Instant::now();
        assert!(matches!(reader.poll(WAIT).unwrap(), Read::CaughtUp));
        assert!(began.elapsed() >= WAIT, "it waited and did not spin");
    }
}

pub(crate) fn the_directory_is_followed_with_the_newest_of_each_key_and_deletions(fixture: &dyn Fixture) {
    let appender = fixture.appender();
    let put = |pairs: &[(&str, Option<&str>)]| {
        let mut records = Outputs::default();
        for (key, value) in pairs {
            records.push(Topic::Directory, 0, key.as_bytes(), value.map(str::as_bytes));
        }
        appender.append(&records).unwrap()
    };
    let newest = |records: &[Owned]| -> Vec<(String, Option<String>)> {
        assert!(records.is_sorted_by(|a, b| a.offset < b.offset), "offsets rise");
        let is_newest =
            |record: &&Owned| records.iter().rfind(|other| other.key == record.key) == Some(*record);
        records.iter().filter(is_newest).map(|record| (record.key.clone(), record.value.clone())).collect()
    };
    let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
    put(&[("line/a", Some("1")), ("line/b", Some("1")), ("line/c", Some("1"))]);
    put(&[("line/a", Some("2"))]);
    put(&[("line/b", None)]);
    let all = read_all(fixture, Topic::Directory);
    let expected = [pair("line/c", Some("1")), pair("line/a", Some("2")), pair("line/b", None)];
    assert_eq!(newest(&all), expected, "a deletion is seen like any record");

    let mut reader = fixture.reader(&[(Topic::Directory, 0, all.last().unwrap().offset + 1)]);
    let offsets = put(&[("line/b", Some("3")), ("line/d", Some("1"))]);
    let mut later = Vec::new();
    while let Read::Records(_, batch) = reader.poll(Duration::ZERO).unwrap() {
        later.extend(batch.iter().map(|record| Owned::of(&record)));
    }
    assert_eq!(later.iter().map(|record| record.offset).collect::<Vec<_>>(), offsets);
    assert_eq!(newest(&later), [pair("line/b", Some("3")), pair("line/d", Some("1"))]);
}

/// A worker commits batch after batch, each with as many records in two topics and a state that counts them, and every
/// third fails before it succeeds; readers look all the while.
pub(crate) fn a_commit_is_seen_whole_or_not_at_all(fixture: &dyn Fixture) {
    const BATCHES: u64 = 60;
    const RECORDS: u64 = 150;
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut worker = fixture.worker();
            take_over(worker.as_mut());
            for batch in 0..BATCHES {
                let mut all = Outputs::default();
                let value = batch.to_string();
                for _ in 0..RECORDS {
                    all.push(Topic::LineChanges, 0, b"line", Some(value.as_bytes()));
                    all.push(Topic::NotificationCommands, 0, b"anna", Some(value.as_bytes()));
                }
                if batch % 20 == 7 {
                    let mut wrong = outputs(Topic::LineChanges, 0, [u64::MAX]);
                    wrong.push(Topic::LineChanges, fixture.partitions(), b"line", None);
                    worker.commit(&wrong, &[]).unwrap_err();
                    fixture.while_writes_fail(&mut || {
                        worker.commit(&all, &[(0, 1)]).unwrap_err();
                    });
                }
                worker.commit(&all, &[(0, 1)]).unwrap();
            }
            is_done.store(true, Ordering::SeqCst);
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let topics = [Topic::LineChanges, Topic::NotificationCommands];
                let mut reader = fixture.reader(&topics.map(|topic| (topic, 0, 0)));
                let mut seen = [0, 0];
                let until = Instant::now() + DEADLINE;
                loop {
                    assert!(Instant::now() < until, "the reader saw {seen:?} records");
                    let was_done = is_done.load(Ordering::SeqCst);
                    match reader.poll(WAIT).unwrap() {
                        Read::Records(topic, batch) => {
                            let at = usize::from(topic == topics[1]);
                            for record in batch.iter() {
                                assert_eq!(Owned::of(&record).number(), seen[at] / RECORDS, "{topic:?}");
                                seen[at] += 1;
                            }
                        }
                        Read::CaughtUp => {
                            assert_eq!(
                                (seen[0] % RECORDS, seen[0]),
                                (0, seen[1]),
                                "part of a commit was seen"
                            );
                            if was_done {
                                break;
                            }
                        }
                    }
                }
                assert_eq!(seen, [BATCHES * RECORDS; 2]);
            });
        }
    });
}
