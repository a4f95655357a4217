//! What the workers committed, read back from the log, and held to what every reader of it may rely on.

use andon_domain::{CONTROL_KEY, Control};
use andon_log::memory::MemoryLog;
use andon_log::{Record, RecordBatch, Topic};
use andon_schemas::{DeadLetterInfo, decode_line_changed, decode_progress};

use crate::reference::Story;
use crate::script::PARTITIONS;

const PROGRESS_KEY: &[u8] = b"\0progress";

/// The control record of a partition, if one was committed.
pub(crate) fn control(log: &MemoryLog, number: u32) -> Option<Control> {
    let state = log.records(Topic::LineState, number);
    let record = state.iter().find(|record| record.key == CONTROL_KEY)?;
    Some(Control::decode(record.value.unwrap()).unwrap())
}

/// Offset of the last record of a partition, or -1.
pub(crate) fn last_offset(batch: &RecordBatch) -> i64 {
    batch.iter().last().map_or(-1, |record| record.offset)
}

/// The story of one partition, by the log.
pub(crate) fn read(log: &MemoryLog, number: u32) -> Story {
    let mut story = Story::default();
    let mut progress = i64::MIN;
    for record in log.records(Topic::LineChanges, number).iter() {
        let value = record.value.unwrap();
        if record.key == PROGRESS_KEY {
            let log_time = decode_progress(value).unwrap();
            assert!(
                log_time >= progress,
                "progress of partition {number} fell from {progress} to {log_time}"
            );
            progress = log_time;
        } else {
            line_changed(&record, value, &mut story);
        }
    }
    for record in log.records(Topic::NotificationCommands, number).iter() {
        story.commands.push((record.key.to_vec(), record.value.unwrap().to_vec()));
    }
    for record in log.records(Topic::DeadLetters, number).iter() {
        let info = DeadLetterInfo::from_headers(&record.headers()).unwrap();
        assert_eq!((info.topic.as_str(), info.partition), (Topic::LineStatus.name(), number));
        let value = record.value.map(<[u8]>::to_vec);
        story.dead_letters.push((info.reason, info.offset, record.key.to_vec(), value));
    }
    for record in log.records(Topic::LineState, number).iter() {
        if record.key != CONTROL_KEY {
            story.state.insert(record.key.to_vec(), record.value.unwrap().to_vec());
        }
    }
    let control = control(log, number).expect("a partition that was owned has a control record");
    assert_eq!(control.partitions, PARTITIONS);
    assert_eq!(control.log_time, progress, "progress says what the state says");
    (story.log_time, story.applied_offset) = (control.log_time, control.applied_offset);
    story
}

/// Versions of a row only rise: a reader that keeps the highest one keeps the last one.
fn line_changed(record: &Record<'_>, value: &[u8], story: &mut Story) {
    let changed = decode_line_changed(value).unwrap();
    let line = changed.line_id.to_string();
    assert_eq!(record.key, line.as_bytes());
    let rises = |before: Option<i64>, version: i64, what: &str| {
        assert!(before < Some(version), "version {version} of {what} of `{line}` came after {before:?}");
    };
    for (version, change) in changed.intervals {
        let (started_at, kind) = change.key();
        let before = story.intervals.insert((line.clone(), started_at, kind), (version, change));
        rises(before.map(|(version, _)| version), version, "an interval");
    }
    let before = story.rows.insert(line.clone(), (changed.version, changed.row));
    rises(before.map(|(version, _)| version), changed.version, "the row");
}
