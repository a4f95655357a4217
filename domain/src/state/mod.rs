//! The stored form of a partition's state: what the changelog holds, one record a line.
//!
//! Integers are zig-zag varints, texts have their length before them, a byte in front names the version of the
//! encoding. Decoding never panics; what it does not understand is an error.

mod bytes;
mod record;

use std::collections::BTreeMap;

use crate::line::Line;
use crate::{Directory, FoldConfig, LineId, Millis, Partition};

use bytes::{Fault, Input, VERSION, put_i64};
use record::{ToldList, read_line, read_told};

/// Key of the control record of a partition.
pub const CONTROL_KEY: &[u8] = b"\0control";
const TOLD_PREFIX: &[u8] = b"\0told\0";

/// Why a stored state cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Another program wrote it: a newer one, or one from before the first release.
    #[error(
        "the state's encoding is version {found}, this program reads version {VERSION}; use the program that wrote it"
    )]
    Version {
        /// The version that was met.
        found: u8,
    },
    /// It ends too early, goes on too long, or holds something impossible.
    #[error("the state of key `{key}` is broken: {why}")]
    Broken {
        /// The record's key, escaped.
        key: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// The control record of a partition: how far it is, and with what it was stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// See [`Partition::log_time`].
    pub log_time: Millis,
    /// See [`Partition::applied_offset`].
    pub applied_offset: i64,
    /// Next offset of the directory: a new owner reads at least to there before its first step.
    pub directory_offset: i64,
    /// The number of partitions of the input; with another one, lines would be elsewhere.
    pub partitions: u32,
}

impl Control {
    /// Appends the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        for value in [self.log_time, self.applied_offset, self.directory_offset, i64::from(self.partitions)] {
            put_i64(out, value);
        }
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let read = |input: &mut Input<'_>| -> Result<Self, Fault> {
            input.version()?;
            let control = Self {
                log_time: input.i64()?,
                applied_offset: input.i64()?,
                directory_offset: input.i64()?,
                partitions: u32::try_from(input.i64()?)
                    .map_err(|_| Fault::Why("partition count out of range"))?,
            };
            input.end()?;
            Ok(control)
        };
        read(&mut Input(bytes)).map_err(|fault| fault.of(CONTROL_KEY))
    }
}

/// Builds a partition from the records of its changelog, given in any order.
#[derive(Debug)]
pub struct Restore {
    partition: Partition,
    lines: BTreeMap<LineId, Line>,
    told: BTreeMap<LineId, ToldList>,
    control: Option<Control>,
}

impl Restore {
    /// Begins with nothing.
    pub fn new(config: FoldConfig) -> Self {
        Self {
            partition: Partition::new(config),
            lines: BTreeMap::new(),
            told: BTreeMap::new(),
            control: None,
        }
    }

    /// Takes in a record of the changelog; a later one of the same key replaces it, and none deletes it. Keys of other
    /// makers are passed over.
    pub fn record(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StateError> {
        let broken = |fault: Fault| fault.of(key);
        if key == CONTROL_KEY {
            self.control = value.map(Control::decode).transpose()?;
        } else if let Some(line) = key.strip_prefix(TOLD_PREFIX) {
            let line = line_id(line).map_err(broken)?;
            let list = value.map(|value| read_told(&mut Input(value))).transpose().map_err(broken)?;
            match list.flatten() {
                Some(list) => self.told.insert(line, list),
                None => self.told.remove(&line),
            };
        } else if key.first() != Some(&0) {
            let id = line_id(key).map_err(broken)?;
            let Some(value) = value else {
                self.lines.remove(&id);
                return Ok(());
            };
            let texts = &mut self.partition.texts;
            let line = read_line(&mut Input(value), id.clone(), texts).map_err(broken)?;
            self.lines.insert(id, line);
        }
        Ok(())
    }

    /// The control record, if there was one; without one, the partition was never stepped.
    pub fn control(&self) -> Option<Control> {
        self.control
    }

    /// The partition, reconciled with the directory. Call [`Partition::drain`] and commit before the first record.
    pub fn finish(mut self, directory: &Directory) -> Partition {
        if let Some(control) = self.control {
            self.partition.log_time = control.log_time;
            self.partition.applied_offset = control.applied_offset;
        }
        for (id, mut line) in self.lines {
            if *line.rules == *self.partition.default_rules {
                line.rules = self.partition.default_rules.clone();
            }
            line.timeline.restore_tail(&line.rules);
            if let Some(incident) = &mut line.incident
                && let Some(list) = self.told.remove(&id)
                && list.incident_version == incident.version
            {
                incident.told = list.told;
                incident.first_told_start = list.first_told_start;
            }
            self.partition.add(line);
        }
        self.partition.reconcile(directory);
        self.partition
    }
}

fn line_id(key: &[u8]) -> Result<LineId, Fault> {
    let text = std::str::from_utf8(key).map_err(|_| Fault::Why("the key is not UTF-8"))?;
    LineId::new(text).map_err(|_| Fault::Why("the key is not a line id"))
}
