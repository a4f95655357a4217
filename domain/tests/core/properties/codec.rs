//! The stored form of the state: what is written is read again, and nothing that is read makes it panic.

use andon_domain::{CONTROL_KEY, Control, Directory, FoldConfig, Partition, Restore, StateError};
use proptest::prelude::*;

use crate::support::script::{Script, config, play_all, script};
use crate::support::world::World;

fn changelog_of(script: &Script) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut world = World::new(config(true));
    play_all(&mut world, script, |world, _| {
        world.commit();
    });
    world.changelog().clone().into_iter().collect()
}

fn restore(records: &[(Vec<u8>, Vec<u8>)]) -> Result<Partition, StateError> {
    let mut restore = Restore::new(config(true));
    for (key, value) in records {
        restore.record(key, Some(value))?;
    }
    Ok(restore.finish(&Directory::default()))
}

/// Whatever was read, it can be worked with.
fn use_it(mut partition: Partition) {
    partition.advance(i64::MAX / 2000, &Directory::default());
    partition.drain();
    partition.visit_dirty(|line, _| line.encode(&mut Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_truncation_is_an_error_that_names_the_key(script in script(40), at in any::<prop::sample::Index>()) {
        let mut records = changelog_of(&script);
        let which = at.index(records.len());
        let (key, value) = &mut records[which];
        // A told list of nobody is the version alone, and that is a prefix of every told list.
        let shortest = usize::from(key.starts_with(b"\0told"));
        prop_assume!(value.len() > shortest + 1);
        let cut = shortest + 1 + at.index(value.len() - shortest - 1);
        value.truncate(cut);
        let (key, is_broken) = (key.escape_ascii().to_string(), restore(&records));
        let names_it = matches!(&is_broken, Err(StateError::Broken { key: named, .. }) if *named == key);
        prop_assert!(names_it, "{:?}", is_broken.err());
    }

    #[test]
    fn what_goes_on_too_long_is_an_error(script in script(40), at in any::<prop::sample::Index>()) {
        let mut records = changelog_of(&script);
        let which = at.index(records.len());
        prop_assume!(records[which].1.len() > 1);
        records[which].1.push(0);
        let is_broken = restore(&records);
        let says_so = matches!(is_broken, Err(StateError::Broken { .. }));
        prop_assert!(says_so);
    }

    #[test]
    fn changed_bytes_never_panic(
        script in script(40),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut records = changelog_of(&script);
        for (record, byte, value) in changes {
            let record = record.index(records.len());
            let bytes = &mut records[record].1;
            let byte = byte.index(bytes.len());
            bytes[byte] = value;
        }
        if let Ok(partition) = restore(&records) {
            use_it(partition);
        }
    }

    #[test]
    fn garbage_never_panics(key in "\0?(control|told\0press|press)", mut value in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Some(first) = value.first_mut() {
            *first = 1;
        }
        if let Ok(partition) = restore(&[(key.into_bytes(), value)]) {
            use_it(partition);
        }
    }

    #[test]
    fn a_control_record_is_read_as_it_was_written(
        log_time in any::<i64>(),
        applied_offset in any::<i64>(),
        directory_offset in any::<i64>(),
        partitions in any::<u32>(),
    ) {
        let control = Control { log_time, applied_offset, directory_offset, partitions };
        let mut bytes = Vec::new();
        control.encode(&mut bytes);
        prop_assert_eq!(Control::decode(&bytes), Ok(control));
    }
}

#[test]
fn another_encoding_says_so() {
    let mut restore = Restore::new(FoldConfig::default());
    for found in [1, 3] {
        for key in [CONTROL_KEY, b"press", b"\0told\0press"] {
            let error = restore.record(key, Some(&[found, 0, 0])).unwrap_err();
            assert_eq!(error, StateError::Version { found });
        }
    }
}

#[test]
fn keys_of_other_makers_are_passed_over_and_what_is_no_line_id_is_not() {
    let mut restore = Restore::new(FoldConfig::default());
    assert_eq!(restore.record(b"\0other", Some(b"anything")), Ok(()));
    assert_eq!(restore.record(b"press", None), Ok(()));
    let broken = |why| StateError::Broken { key: "a/b".to_owned(), why };
    assert_eq!(restore.record(b"a/b", Some(&[1])), Err(broken("the key is not a line id")));
    assert!(matches!(restore.record(b"\xff", Some(&[1])), Err(StateError::Broken { .. })));
    assert_eq!(restore.control(), None);
    assert_eq!(restore.finish(&Directory::default()).line_count(), 0);
}

#[test]
fn of_one_key_the_later_record_stands_and_none_deletes() {
    let mut records = changelog_of(&vec![]);
    let mut world = World::new(config(false));
    for status in ["stopped", "running"] {
        let change = andon_domain::StatusChange {
            event_id: andon_domain::EventId(uuid::Uuid::nil()),
            line_id: "press",
            event_time: 1_000_000,
            status: andon_domain::LineStatus::from_name(&status.to_ascii_uppercase()).unwrap(),
            sequence: Some(i64::from(status == "running")),
            reason_code: None,
            source: None,
            source_status: None,
        };
        world.fold(1_000_000, &change);
        world.commit();
        records.extend(world.changelog().clone());
    }
    let mut restore = Restore::new(config(false));
    for (key, value) in &records {
        restore.record(key, Some(value)).unwrap();
    }
    assert_eq!(restore.control().unwrap().applied_offset, 1);
    for key in [CONTROL_KEY, b"\0told\0press"] {
        restore.record(key, None).unwrap();
    }
    assert_eq!(restore.control(), None);
    let partition = restore.finish(&Directory::default());
    assert_eq!(partition.line_count(), 1);
    assert_eq!(partition.line("press").unwrap().row(), world.partition.line("press").unwrap().row());

    let mut restore = Restore::new(config(false));
    for (key, value) in &records {
        restore.record(key, Some(value)).unwrap();
    }
    restore.record(b"press", None).unwrap();
    assert_eq!(restore.finish(&Directory::default()).line_count(), 0);
}

/// A line with two events, the later one with an id that is easily found in the bytes.
fn record_of_two_events() -> Vec<u8> {
    let mut world = World::new(FoldConfig { allowed_lateness_ms: 5, ..FoldConfig::default() });
    for (at, id) in [(1_000_000, 0x11), (1_000_001, 0x22)] {
        let change = andon_domain::StatusChange {
            event_id: andon_domain::EventId(uuid::Uuid::from_bytes([id; 16])),
            line_id: "press",
            event_time: at,
            status: andon_domain::LineStatus::Running,
            sequence: None,
            reason_code: None,
            source: None,
            source_status: None,
        };
        world.fold(at, &change);
    }
    world.commit();
    world.changelog()[b"press".as_slice()].clone()
}

#[test]
fn events_at_the_watermark_or_out_of_order_are_no_state() {
    let good = record_of_two_events();
    let read = |value: &[u8]| Restore::new(FoldConfig::default()).record(b"press", Some(value));
    assert_eq!(read(&good), Ok(()));
    // Before its id an event has the distance to the one before it, the first one to the watermark.
    for (id, distance, zigzag) in [(0x11, 4, 8), (0x22, 1, 2)] {
        let at = good.windows(16).position(|bytes| bytes == [id; 16]).unwrap() - 1;
        assert_eq!(good[at], zigzag, "{distance} ms");
        let mut bad = good.clone();
        bad[at] = if id == 0x11 { 0 } else { 1 };
        let why = "events are later than the watermark and in order";
        assert_eq!(read(&bad), Err(StateError::Broken { key: "press".to_owned(), why }));
    }
}
