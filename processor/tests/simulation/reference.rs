//! What the core alone makes of a log: no worker, no fault, no restart, all of it in one batch.

use std::collections::BTreeMap;

use andon_domain::{Directory, DirectoryChange, Kind, Outcome, Partition, Refusal};
use andon_domain::{IntervalChange, LineRow};
use andon_log::memory::MemoryLog;
use andon_log::{Offset, Record, Topic, partition_of};
use andon_schemas::{DeadLetterReason, decode_line_status_changed, encode_command};

use crate::script::{PARTITIONS, VALUE_BYTES_MAX, fold_config};

/// A stretch of the run: the directory changes, records come, and at its end all is quiet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Phase {
    pub(crate) directory: Vec<DirectoryChange>,
    /// Where each partition of the input ended.
    pub(crate) ends: Vec<Offset>,
    /// What the log's clock showed.
    pub(crate) clock: i64,
}

/// A dead letter: why, the original offset, key and value.
pub(crate) type Dead = (DeadLetterReason, Offset, Vec<u8>, Option<Vec<u8>>);

/// All that a partition says about its input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Story {
    /// The row with the highest version, by line.
    pub(crate) rows: BTreeMap<String, (i64, LineRow)>,
    /// The change with the highest version, by line, start and kind.
    pub(crate) intervals: BTreeMap<(String, i64, Kind), (i64, IntervalChange)>,
    /// Key and value, in order.
    pub(crate) commands: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) dead_letters: Vec<Dead>,
    /// The final state, by key, without the control record.
    pub(crate) state: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) log_time: i64,
    pub(crate) applied_offset: Offset,
    /// Records that belong elsewhere.
    pub(crate) forwarded: usize,
}

/// The story of one partition, by the core alone.
pub(crate) fn tell(log: &MemoryLog, number: u32, phases: &[Phase]) -> Story {
    let mut core = Partition::new(fold_config());
    let (mut directory, mut story) = (Directory::default(), Story::default());
    let batch = log.records(Topic::LineStatus, number);
    let mut records = batch.iter().peekable();
    for phase in phases {
        for change in &phase.directory {
            directory.apply(change.clone());
            core.directory_changed(change, &directory);
        }
        while let Some(record) = records.next_if(|record| record.offset < phase.ends[number as usize]) {
            fold(&mut core, &record, &directory, &mut story);
        }
        core.advance(phase.clock - 1_000, &directory);
    }
    assert!(records.next().is_none(), "every record belongs to a phase");
    let drained = core.drain();
    for changed in drained.published {
        let line = changed.line_id.to_string();
        for (version, change) in changed.intervals {
            let (started_at, kind) = change.key();
            story.intervals.insert((line.clone(), started_at, kind), (version, change));
        }
        story.rows.insert(line, (changed.version, changed.row));
    }
    for command in drained.commands {
        let mut value = Vec::new();
        encode_command(&command, &mut value);
        story.commands.push((command.subscriber_id.to_string().into_bytes(), value));
    }
    core.visit_dirty(|line, told_too| {
        let mut value = Vec::new();
        line.encode(&mut value);
        story.state.insert(line.id().as_str().as_bytes().to_vec(), value);
        if told_too {
            let mut value = Vec::new();
            line.encode_told(&mut value);
            story.state.insert(line.told_key(), value);
        }
    });
    story.log_time = core.log_time();
    story.applied_offset = core.applied_offset();
    story
}

fn fold(core: &mut Partition, record: &Record<'_>, directory: &Directory, story: &mut Story) {
    let reason = match record.value {
        None => Some(DeadLetterReason::Decode),
        Some(value) if value.len() > VALUE_BYTES_MAX => Some(DeadLetterReason::Oversize),
        Some(value) => match decode_line_status_changed(value) {
            Err(error) => Some(error.reason()),
            Ok(change) if change.line_id.as_bytes() != record.key => Some(DeadLetterReason::KeyMismatch),
            Ok(change) if partition_of(change.line_id, PARTITIONS) != record.partition => {
                story.forwarded += 1;
                None
            }
            Ok(change) => {
                let refusal = match core.fold(record.offset, record.appended_at, &change, directory) {
                    Outcome::Refused(refusal) => Some(refusal),
                    Outcome::Accepted { .. } | Outcome::SignOfLife | Outcome::Duplicate => None,
                    Outcome::Replayed => panic!("offset {} came twice", record.offset),
                };
                refusal.map(|refusal| match refusal {
                    Refusal::TooLate { .. } => DeadLetterReason::TooLate,
                    Refusal::FutureTimestamp { .. } => DeadLetterReason::FutureTimestamp,
                    Refusal::UnknownLine { .. } | Refusal::LineId(_) => panic!("{refusal}"),
                })
            }
        },
    };
    // What is not folded moves time all the same; what is folded has moved it already.
    core.pass(record.offset, record.appended_at, directory);
    if let Some(reason) = reason {
        let value = record.value.map(<[u8]>::to_vec);
        story.dead_letters.push((reason, record.offset, record.key.to_vec(), value));
    }
}
