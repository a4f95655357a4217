//! A partition with everything round it that a shell would keep: the log's offsets, the changelog, the views and the
//! mailer's book. It checks on every step what must hold always, whatever a test is about.

use std::collections::BTreeMap;

use andon_domain::{
    CONTROL_KEY, Command, CommandKind, Control, Directory, DirectoryChange, Drained, FoldConfig, IncidentId,
    Interval, IntervalChange, Kind, LineChanged, LineId, LineRow, Millis, Outcome, Partition, Restore,
    StatusChange, SubscriberId,
};

/// Start and kind: the key of an interval of one line.
pub(crate) type Key = (Millis, Kind);

#[derive(Debug)]
pub(crate) struct World {
    config: FoldConfig,
    pub(crate) partition: Partition,
    pub(crate) directory: Directory,
    pub(crate) next_offset: i64,
    /// The views: what was published, kept by version.
    pub(crate) intervals: BTreeMap<LineId, BTreeMap<Key, (i64, Interval)>>,
    pub(crate) rows: BTreeMap<LineId, (i64, LineRow)>,
    changelog: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Every command, in order.
    pub(crate) commands: Vec<Command>,
    book: BTreeMap<(IncidentId, SubscriberId), Vec<CommandKind>>,
}

impl World {
    pub(crate) fn new(config: FoldConfig) -> Self {
        Self {
            partition: Partition::new(config.clone()),
            config,
            directory: Directory::default(),
            next_offset: 0,
            intervals: BTreeMap::new(),
            rows: BTreeMap::new(),
            changelog: BTreeMap::new(),
            commands: Vec::new(),
            book: BTreeMap::new(),
        }
    }

    /// The log took a status change, and the partition folds it.
    pub(crate) fn fold(&mut self, appended_at: Millis, change: &StatusChange<'_>) -> Outcome {
        let offset = self.next_offset;
        self.next_offset += 1;
        self.partition.fold(offset, appended_at, change, &self.directory)
    }

    pub(crate) fn advance(&mut self, now: Millis) {
        self.partition.advance(now, &self.directory);
    }

    pub(crate) fn change_directory(&mut self, change: DirectoryChange) {
        self.directory.apply(change.clone());
        self.partition.directory_changed(&change, &self.directory);
    }

    /// Commits: publishes what there is and writes the changelog.
    pub(crate) fn commit(&mut self) -> Drained {
        let drained = self.partition.drain();
        for changed in &drained.published {
            self.publish(changed);
        }
        for command in &drained.commands {
            self.book_in(command);
        }
        let mut records = Vec::new();
        self.partition.visit_dirty(|line, told_too| {
            let mut value = Vec::new();
            line.encode(&mut value);
            records.push((line.id().as_str().as_bytes().to_vec(), value));
            if told_too {
                let mut value = Vec::new();
                line.encode_told(&mut value);
                records.push((line.told_key(), value));
            }
        });
        let mut value = Vec::new();
        self.control().encode(&mut value);
        records.push((CONTROL_KEY.to_vec(), value));
        self.changelog.extend(records);
        drained
    }

    fn control(&self) -> Control {
        Control {
            log_time: self.partition.log_time(),
            applied_offset: self.partition.applied_offset(),
            directory_offset: 7,
            partitions: 3,
        }
    }

    /// The worker dies and another one takes over: what was not committed is as if it had never been.
    pub(crate) fn restart(&mut self) {
        let mut restore = Restore::new(self.config.clone());
        for (key, value) in &self.changelog {
            restore.record(key, Some(value)).expect("what the core wrote it can read");
        }
        self.next_offset = restore.control().map_or(0, |control| control.applied_offset + 1);
        self.partition = restore.finish(&self.directory);
    }

    fn publish(&mut self, changed: &LineChanged) {
        let old = self.rows.insert(changed.line_id.clone(), (changed.version, changed.row.clone()));
        let old_version = old.map_or(i64::MIN, |(version, _)| version);
        assert!(changed.version > old_version, "the version of a row rises: {changed:?}");
        let intervals = self.intervals.entry(changed.line_id.clone()).or_default();
        let mut last_key = None;
        for (version, change) in &changed.intervals {
            assert!(last_key < Some(change.key()), "changes are ordered, one a key: {changed:?}");
            last_key = Some(change.key());
            assert!(
                *version > old_version && *version <= changed.version,
                "a step's own version: {changed:?}"
            );
            match change {
                IntervalChange::Upsert(interval) => {
                    intervals.insert(change.key(), (*version, interval.clone()));
                }
                IntervalChange::Retract { .. } => {
                    intervals.remove(&change.key());
                }
            }
        }
        let now: Vec<&Interval> = intervals.values().map(|(_, interval)| interval).collect();
        assert_well_formed(&now);
        let open = now.iter().find(|interval| interval.kind == Kind::Down && interval.ended_at.is_none());
        assert_eq!(changed.row.open_downtime_at, open.map(|open| open.started_at), "row and interval agree");
    }

    /// The closing guarantee, as far as it can be seen before the end.
    fn book_in(&mut self, command: &Command) {
        let page = self.book.entry((command.incident_id, command.subscriber_id)).or_default();
        page.push(command.kind);
        match page.as_slice() {
            [CommandKind::Down] => {}
            [CommandKind::Down, close] if *close != CommandKind::Down => {}
            page => panic!("one opening and after it one close, not {page:?}: {command:?}"),
        }
        assert!(
            self.open_incidents(&command.line_id).len() <= 1,
            "a line has at most one incident: {command:?}"
        );
        self.commands.push(command.clone());
        let (incident_id, line_id) = (command.incident_id, &command.line_id);
        assert!(
            self.commands.iter().all(|other| other.incident_id != incident_id || other.line_id == *line_id),
            "an incident is one line's: {command:?}"
        );
    }

    fn open_incidents(&self, line_id: &LineId) -> Vec<IncidentId> {
        let is_of_line = |id: &IncidentId| {
            self.commands.iter().any(|command| command.incident_id == *id && command.line_id == *line_id)
        };
        let mut open: Vec<IncidentId> = self
            .book
            .iter()
            .filter(|(_, page)| page.len() == 1)
            .map(|((incident, _), _)| *incident)
            .filter(is_of_line)
            .collect();
        open.dedup();
        open
    }

    /// Who has a message that nothing closed.
    pub(crate) fn unclosed(&self) -> Vec<(IncidentId, SubscriberId)> {
        self.book.iter().filter(|(_, page)| page.len() == 1).map(|(key, _)| *key).collect()
    }

    /// What the views hold of a line.
    pub(crate) fn intervals_of(&self, line: &str) -> Vec<Interval> {
        let line = LineId::new(line).expect("a test names lines properly");
        let rows = self.intervals.get(&line).into_iter().flat_map(BTreeMap::values);
        rows.map(|(_, interval)| interval.clone()).collect()
    }

    /// The changelog as a new owner would find it.
    pub(crate) fn changelog(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.changelog
    }
}

/// Intervals of a line never overlap, two of one kind never touch, none has no length, segments tile it.
pub(crate) fn assert_well_formed(intervals: &[&Interval]) {
    for pair in intervals.windows(2) {
        let ended_at = pair[0].ended_at.expect("only the last interval can be open");
        let is_apart =
            ended_at < pair[1].started_at || (ended_at == pair[1].started_at && pair[0].kind != pair[1].kind);
        assert!(is_apart, "they overlap, or touch and are of one kind: {pair:#?}");
    }
    for interval in intervals {
        let end = interval.ended_at.unwrap_or(Millis::MAX);
        assert!(interval.started_at < end, "an interval has a length: {interval:#?}");
        assert!((1..=Interval::SEGMENTS_MAX).contains(&interval.segments.len()), "{interval:#?}");
        assert_eq!(interval.segments[0].started_at, interval.started_at, "the first segment begins it");
        for pair in interval.segments.windows(2) {
            assert!(pair[0].started_at < pair[1].started_at, "segments are in order: {interval:#?}");
            let says = |index: usize| (pair[index].status, &pair[index].reason_code);
            assert!(says(0) != says(1), "neighbours differ: {interval:#?}");
        }
        let last = interval.segments.last().expect("there is one");
        assert!(last.started_at < end, "every segment has a length: {interval:#?}");
    }
}
