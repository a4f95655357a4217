//! What a restored state may rely on.

use std::collections::BTreeMap;

use andon_log::{Outputs, Snapshot, Topic};

use crate::fixture::{Fixture, take_over};

/// All of a snapshot; no key twice, unless the later one is newer.
fn read(mut snapshot: Box<dyn Snapshot>) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    while let Some(batch) = snapshot.next().unwrap() {
        assert!(!batch.is_empty(), "an empty batch is the end");
        for record in batch.iter() {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            found.insert(text(record.key), record.value.map(text));
        }
    }
    assert!(snapshot.next().unwrap().is_none(), "the end stays the end");
    found
}

fn states(pairs: &[(&str, Option<&str>)]) -> Outputs {
    let mut records = Outputs::default();
    for (key, value) in pairs {
        records.push(Topic::LineState, 0, key.as_bytes(), value.map(str::as_bytes));
    }
    records
}

pub(crate) fn a_snapshot_has_the_newest_of_each_key(fixture: &dyn Fixture) {
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    assert_eq!(read(worker.snapshot(0).unwrap()), BTreeMap::new());
    worker.commit(&states(&[("a", Some("1")), ("b", Some("1")), ("c", Some("1"))]), &[(0, 1)]).unwrap();
    worker.commit(&states(&[("b", Some("2")), ("b", Some("3")), ("c", None)]), &[(0, 2)]).unwrap();
    let mut found = read(worker.snapshot(0).unwrap());
    assert_eq!(found.remove("c").unwrap_or(None), None, "a deleted key has no value");
    let pairs: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    assert_eq!(pairs, [("a", Some("1")), ("b", Some("3"))]);
}

pub(crate) fn a_snapshot_is_of_the_instant_it_was_taken(fixture: &dyn Fixture) {
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    let count = fixture.read_records_max() * 3;
    let keys: Vec<String> = (0..count).map(|n| format!("line-{n:05}")).collect();
    let all =
        |value: &'static str| states(&keys.iter().map(|key| (key.as_str(), Some(value))).collect::<Vec<_>>());
    worker.commit(&all("before"), &[(0, 1)]).unwrap();
    let mut snapshot = worker.snapshot(0).unwrap();
    let first = snapshot.next().unwrap().unwrap().len();
    worker.commit(&all("after"), &[(0, 2)]).unwrap();
    let rest = read(snapshot);
    assert_eq!(first + rest.len(), count);
    assert!(rest.values().all(|value| value.as_deref() == Some("before")), "one instant, not two");
    assert!(read(worker.snapshot(0).unwrap()).values().all(|value| value.as_deref() == Some("after")));
}

pub(crate) fn a_snapshot_larger_than_a_read_is_complete(fixture: &dyn Fixture) {
    let mut worker = fixture.worker();
    take_over(worker.as_mut());
    for count in [fixture.read_records_max(), fixture.read_records_max() * 2 + 1] {
        let keys: Vec<String> = (0..count).map(|n| format!("line-{n}")).collect();
        let pairs: Vec<_> = keys.iter().map(|key| (key.as_str(), Some("1"))).collect();
        worker.commit(&states(&pairs), &[(0, 1)]).unwrap();
        assert_eq!(read(worker.snapshot(0).unwrap()).len(), count);
    }
}
