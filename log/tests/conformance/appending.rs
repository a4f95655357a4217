//! What an append promises: all or nothing, durable, in order, within limits.

use std::collections::BTreeMap;

use andon_log::{Error, Offset, Outputs, Topic};

use crate::fixture::{Fixture, numbers, outputs, read_all};

pub(crate) fn each_record_gets_a_higher_offset(fixture: &dyn Fixture) {
    let appender = fixture.appender();
    let mut offsets = Vec::new();
    for batch in 0..20_u64 {
        offsets.extend(
            appender.append(&outputs(Topic::LineStatus, 0, batch * 10..batch * 10 + 1 + batch % 4)).unwrap(),
        );
    }
    assert!(offsets.is_sorted_by(|a, b| a < b), "{offsets:?}");
    let found: Vec<Offset> =
        read_all(fixture, Topic::LineStatus).iter().map(|record| record.offset).collect();
    assert_eq!(found, offsets, "the answers are where the records are");
    assert!(fixture.end_offset(Topic::LineStatus, 0) > *offsets.last().unwrap());
}

pub(crate) fn concurrent_appenders_are_all_durable_and_each_in_order(fixture: &dyn Fixture) {
    const APPENDERS: u64 = 4;
    const BATCHES: u64 = 40;
    const RECORDS: u64 = 7;
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..APPENDERS)
            .map(|who| {
                let appender = fixture.appender();
                scope.spawn(move || {
                    let mut answers = Vec::new();
                    for batch in 0..BATCHES {
                        let first = who * 1_000_000 + batch * RECORDS;
                        let values = first..first + RECORDS;
                        let offsets =
                            appender.append(&outputs(Topic::LineStatus, 0, values.clone())).unwrap();
                        assert_eq!(offsets.len(), RECORDS as usize);
                        answers.extend(offsets.into_iter().zip(values));
                    }
                    answers
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for answers in &answers {
        assert!(answers.is_sorted(), "an appender's later batch has higher offsets");
    }
    let expected: BTreeMap<Offset, u64> = answers.concat().into_iter().collect();
    assert_eq!(expected.len() as u64, APPENDERS * BATCHES * RECORDS, "no offset was given twice");
    let found: Vec<(Offset, u64)> =
        read_all(fixture, Topic::LineStatus).iter().map(|r| (r.offset, r.number())).collect();
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
}

pub(crate) fn append_times_never_fall(fixture: &dyn Fixture) {
    let appender = fixture.appender();
    for batch in 0..30 {
        appender.append(&outputs(Topic::LineStatus, 0, [batch, batch])).unwrap();
    }
    let times: Vec<i64> = read_all(fixture, Topic::LineStatus).iter().map(|r| r.appended_at).collect();
    assert_eq!(times.len(), 60);
    assert!(times.is_sorted(), "{times:?}");
}

pub(crate) fn too_large_an_append_is_refused_with_both_numbers_and_leaves_nothing(fixture: &dyn Fixture) {
    let appender = fixture.appender();
    let (records_max, bytes_max) = fixture.append_max();
    let many = outputs(Topic::LineStatus, 0, 0..records_max as u64 + 1);
    match appender.append(&many) {
        Err(Error::TooLarge { unit: "records", got, limit }) => {
            assert_eq!((got, limit), (records_max + 1, records_max));
        }
        other => panic!("{other:?}"),
    }
    let mut large = Outputs::default();
    large.push(Topic::LineStatus, 0, b"line", Some(&vec![b'x'; bytes_max]));
    match appender.append(&large) {
        Err(Error::TooLarge { unit: "bytes", got, limit }) => {
            assert_eq!((got, limit), (bytes_max + 4, bytes_max));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(read_all(fixture, Topic::LineStatus), []);
    let most = outputs(Topic::LineStatus, 0, 0..records_max as u64);
    assert_eq!(appender.append(&most).unwrap().len(), records_max, "the limit itself is taken");
    assert_eq!(numbers(&read_all(fixture, Topic::LineStatus)), (0..records_max as u64).collect::<Vec<_>>());
}

pub(crate) fn a_partition_that_is_not_there_is_refused_and_leaves_nothing(fixture: &dyn Fixture) {
    let mut records = outputs(Topic::LineStatus, 0, [1, 2]);
    records.push(Topic::LineStatus, fixture.partitions(), b"line", Some(b"3"));
    match fixture.appender().append(&records) {
        Err(Error::NoPartition { topic: "andon.line-status", partition, partitions }) => {
            assert_eq!((partition, partitions), (fixture.partitions(), fixture.partitions()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(read_all(fixture, Topic::LineStatus), []);
}

pub(crate) fn an_append_that_failed_leaves_nothing(fixture: &dyn Fixture) {
    let appender = fixture.appender();
    appender.append(&outputs(Topic::LineStatus, 0, [1])).unwrap();
    fixture.while_writes_fail(&mut || {
        appender.append(&outputs(Topic::LineStatus, 0, [2, 3])).unwrap_err();
    });
    assert_eq!(numbers(&read_all(fixture, Topic::LineStatus)), [1]);
    appender.append(&outputs(Topic::LineStatus, 0, [4])).unwrap();
    assert_eq!(numbers(&read_all(fixture, Topic::LineStatus)), [1, 4]);
}

pub(crate) fn an_empty_append_is_no_error(fixture: &dyn Fixture) {
    assert_eq!(fixture.appender().append(&Outputs::default()).unwrap(), Vec::<Offset>::new());
    assert_eq!(fixture.end_offset(Topic::LineStatus, 0), 0);
}
