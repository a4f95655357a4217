//! One partition of the input: its lines, its log time, its deadlines. A fold of records into state and outputs.
//!
//! Every step runs at a log time. A record's step runs at the highest append time seen; before it, every deadline up
//! to that time fires, ordered by (deadline, line), each at its own time. So what comes out is a function of the
//! records and the directory, wherever the batches are cut.

mod outcome;
mod steps;

pub use outcome::{Drained, Outcome, Refusal};
use steps::Did;

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::config::{NEVER, Rules};
use crate::line::Line;
use crate::texts::Texts;
use crate::timeline::{Event, Inserted, Notes};
use crate::{
    Command, Directory, DirectoryChange, FoldConfig, IntervalChange, LineChanged, LineId, LineSettings,
    LineStatus, Millis, StatusChange,
};

/// The state of a partition and what it has to say since the last drain.
#[derive(Debug)]
pub struct Partition {
    pub(crate) config: FoldConfig,
    pub(crate) default_rules: Arc<Rules>,
    pub(crate) lines: Vec<Line>,
    index: HashTable<u32>,
    hasher: FixedState,
    pub(crate) texts: Texts,
    /// Earliest deadlines: at most one entry a line, never later than the line's next deadline.
    wheel: BTreeSet<(Millis, LineId)>,
    /// The lines that have an incident.
    incidents: BTreeSet<u32>,
    pub(crate) log_time: Millis,
    pub(crate) applied_offset: i64,
    dirty: Vec<u32>,
    changes: Vec<(u32, i64, IntervalChange)>,
    commands: Vec<Command>,
    scratch: Vec<IntervalChange>,
}

impl Partition {
    /// A partition without any line.
    pub fn new(config: FoldConfig) -> Self {
        let default_rules = Arc::new(config.rules(&LineSettings::default()));
        Self {
            config,
            default_rules,
            lines: Vec::new(),
            index: HashTable::new(),
            hasher: FixedState::default(),
            texts: Texts::default(),
            wheel: BTreeSet::new(),
            incidents: BTreeSet::new(),
            log_time: NEVER,
            applied_offset: -1,
            dirty: Vec::new(),
            changes: Vec::new(),
            commands: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The highest log time of any step.
    pub fn log_time(&self) -> Millis {
        self.log_time
    }

    /// Offset of the last record that was taken in; -1 if there was none.
    pub fn applied_offset(&self) -> i64 {
        self.applied_offset
    }

    /// The number of lines.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The state of a line.
    pub fn line(&self, line: &str) -> Option<&Line> {
        self.find(line).map(|index| &self.lines[index as usize])
    }

    /// The next log time at which something happens by itself, or one before it.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.wheel.first().map(|(deadline, _)| *deadline)
    }

    /// Takes in the record at `offset`: a status change that the log took at `appended_at`.
    pub fn fold(
        &mut self,
        offset: i64,
        appended_at: Millis,
        change: &StatusChange<'_>,
        directory: &Directory,
    ) -> Outcome {
        if offset <= self.applied_offset {
            return Outcome::Replayed;
        }
        self.pass(offset, appended_at, directory);
        let outcome = self.fold_now(offset, appended_at, change, directory);
        self.fire_until(self.log_time, directory);
        outcome
    }

    /// Takes in a record that is no status change: time goes on all the same.
    pub fn pass(&mut self, offset: i64, appended_at: Millis, directory: &Directory) {
        if offset > self.applied_offset {
            self.applied_offset = offset;
            self.advance(appended_at, directory);
        }
    }

    /// Moves log time to `now`, if that is later, and fires what is due.
    pub fn advance(&mut self, now: Millis, directory: &Directory) {
        self.fire_until(now, directory);
        self.log_time = self.log_time.max(now);
    }

    /// The directory changed, and `directory` has the change already: settings are copied into the line, open
    /// incidents are reconciled.
    pub fn directory_changed(&mut self, change: &DirectoryChange, directory: &Directory) {
        match change {
            DirectoryChange::Line(line, _) | DirectoryChange::LineRemoved(line) => {
                if let Some(index) = self.find(line.as_str()) {
                    self.apply_settings(index, directory);
                    // Another promise may be broken already.
                    self.fire_until(self.log_time, directory);
                }
            }
            DirectoryChange::Subscription(_) | DirectoryChange::SubscriptionRemoved(_) => {
                let lines: BTreeSet<LineId> =
                    self.incidents.iter().map(|index| self.lines[*index as usize].id.clone()).collect();
                for line in lines {
                    let index = self.find(line.as_str()).expect("a line with an incident is a line");
                    self.step(index, self.log_time, directory, true, |_, _| Did::Look);
                }
            }
        }
    }

    /// After a restore: every line gets the settings it has now, every open incident is reconciled.
    pub fn reconcile(&mut self, directory: &Directory) {
        let mut ids: Vec<LineId> = self.lines.iter().map(|line| line.id.clone()).collect();
        ids.sort_unstable();
        for id in ids {
            let index = self.find(id.as_str()).expect("it was listed just now");
            self.apply_settings(index, directory);
            self.queue(index);
        }
        self.fire_until(self.log_time, directory);
    }

    /// Takes out what is to be published since the last call. Call [`Partition::visit_dirty`] after it.
    pub fn drain(&mut self) -> Drained {
        let mut changes = std::mem::take(&mut self.changes);
        // Stable: of one key the newest comes last.
        changes.sort_by_key(|(line, _, change)| (*line, change.key()));
        changes.reverse();
        let mut published = Vec::new();
        let mut by_line: Vec<u32> =
            self.dirty.iter().copied().filter(|index| self.lines[*index as usize].is_to_publish).collect();
        by_line.sort_unstable();
        for index in by_line {
            let mut intervals: Vec<(i64, IntervalChange)> = Vec::new();
            while changes.last().is_some_and(|(line, _, _)| *line == index) {
                let Some((_, version, change)) = changes.pop() else { break };
                match intervals.last_mut() {
                    Some(last) if last.1.key() == change.key() => *last = (version, change),
                    Some(_) | None => intervals.push((version, change)),
                }
            }
            let line = &mut self.lines[index as usize];
            line.is_to_publish = false;
            if let Some(row) = line.row() {
                published.push(LineChanged {
                    line_id: line.id.clone(),
                    version: line.version,
                    row,
                    intervals,
                });
            }
        }
        Drained { published, commands: std::mem::take(&mut self.commands) }
    }

    /// Visits each line whose state changed since the last call, with whether its told list did.
    pub fn visit_dirty(&mut self, mut visit: impl FnMut(&Line, bool)) {
        for index in self.dirty.drain(..) {
            let line = &mut self.lines[index as usize];
            let told_too = std::mem::take(&mut line.is_told_dirty);
            line.is_dirty = false;
            visit(line, told_too);
        }
    }

    fn fold_now(
        &mut self,
        offset: i64,
        appended_at: Millis,
        change: &StatusChange<'_>,
        directory: &Directory,
    ) -> Outcome {
        let limit_ms = self.config.future_skew_ms_max;
        let ahead_ms = change.event_time.saturating_sub(appended_at);
        if ahead_ms > limit_ms {
            let event_time = change.event_time;
            return Outcome::Refused(Refusal::FutureTimestamp { event_time, ahead_ms, limit_ms });
        }
        let index = match self.find_or_make(change.line_id, directory) {
            Ok(index) => index,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let line = &self.lines[index as usize];
        if offset <= line.applied_through {
            return Outcome::Replayed;
        }
        if change.event_time <= line.timeline.watermark {
            return Outcome::Refused(Refusal::TooLate {
                line: line.id.to_string(),
                event_time: change.event_time,
                watermark: line.timeline.watermark,
                allowed_lateness_ms: line.rules.allowed_lateness_ms,
            });
        }
        let mut outcome = Outcome::SignOfLife;
        if change.status == LineStatus::NoChange {
            self.step(index, self.log_time, directory, false, |line, changes| {
                line.timeline.sign_of_life(change.event_time, appended_at, &line.rules, changes);
                line.hear(offset, appended_at);
                Did::Change
            });
            return outcome;
        }
        let notes = Notes {
            reason_code: self.texts.share(change.reason_code),
            source: self.texts.share(change.source),
            source_status: self.texts.share(change.source_status),
        };
        let event =
            Event::new(change.event_time, change.event_id.0.as_u128(), change.sequence, change.status, notes);
        self.step(index, self.log_time, directory, false, |line, changes| {
            match line.timeline.insert(event, appended_at, &line.rules, changes) {
                Inserted::Duplicate => {
                    outcome = Outcome::Duplicate;
                    Did::Nothing
                }
                Inserted::New { is_conflicting, hit_size_bound } => {
                    line.hear(offset, appended_at);
                    outcome = Outcome::Accepted { is_conflicting, hit_size_bound };
                    Did::Change
                }
            }
        });
        outcome
    }

    fn find(&self, line: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(line);
        self.index.find(hash, |index| self.lines[*index as usize].id.as_str() == line).copied()
    }

    fn find_or_make(&mut self, line: &str, directory: &Directory) -> Result<u32, Refusal> {
        let known = self.find(line);
        let id = match known {
            Some(index) if !self.config.is_strict => return Ok(index),
            Some(index) => self.lines[index as usize].id.clone(),
            None => LineId::new(line)?,
        };
        // Also of a line that was registered once: taking its entry away is what stops it.
        if self.config.is_strict && directory.line(&id).is_none() {
            return Err(Refusal::UnknownLine { line: line.to_owned() });
        }
        if let Some(index) = known {
            return Ok(index);
        }
        let (rules, is_retired) = self.settings_of(&id, directory);
        Ok(self.add(Line::new(id, rules, is_retired)))
    }

    /// Adds a line, new or restored.
    pub(crate) fn add(&mut self, line: Line) -> u32 {
        let index = u32::try_from(self.lines.len()).expect("memory ends long before four billion lines");
        if line.incident.is_some() {
            self.incidents.insert(index);
        }
        let hash = self.hasher.hash_one(line.id.as_str());
        self.lines.push(line);
        let (lines, hasher) = (&self.lines, &self.hasher);
        self.index.insert_unique(hash, index, |i| hasher.hash_one(lines[*i as usize].id.as_str()));
        index
    }
}

impl Line {
    /// A signal was accepted from the record at `offset`.
    fn hear(&mut self, offset: i64, appended_at: Millis) {
        self.applied_through = offset;
        self.last_seen_at = self.last_seen_at.max(appended_at);
    }
}
