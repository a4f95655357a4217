//! All that a partition remembers of one line.

use std::sync::Arc;

use crate::config::{NEVER, Rules};
use crate::incident::Incident;
use crate::timeline::Timeline;
use crate::{LineId, LineRow, LineStatus, Millis, Text};

/// The state of one line.
#[derive(Debug, Clone)]
pub struct Line {
    pub(crate) id: LineId,
    pub(crate) rules: Arc<Rules>,
    pub(crate) timeline: Timeline,
    pub(crate) incident: Option<Box<Incident>>,
    /// Version of the last step that published anything.
    pub(crate) version: i64,
    /// Offset of the last record of this line that was folded.
    pub(crate) applied_through: i64,
    /// Append time of the signal accepted last.
    pub(crate) last_seen_at: Millis,
    /// What of `last_seen_at` was published.
    pub(crate) published_seen_at: Millis,
    /// What of the newest event time was published: a row is a function of its version.
    pub(crate) published_event_at: Millis,
    /// The line's entry in the wheel; [`Millis::MAX`] if it has none. Not part of the stored state.
    pub(crate) queued_at: Millis,
    pub(crate) is_retired: bool,
    /// Whether it changed since the last drain. Not part of the stored state.
    pub(crate) is_dirty: bool,
    /// Whether its told list changed since the last drain. Not part of the stored state.
    pub(crate) is_told_dirty: bool,
    /// Whether it has something to publish since the last drain. Not part of the stored state.
    pub(crate) is_to_publish: bool,
}

/// What of a row makes a difference by itself, for comparing before and after a step.
#[derive(PartialEq, Eq)]
pub(crate) struct RowKey {
    status: Option<LineStatus>,
    first_at: Millis,
    since: Millis,
    open_downtime_at: Option<Millis>,
    reason_code: Text,
    source_status: Text,
}

impl Line {
    /// How much `last_seen_at` moves before it is published by itself: 10 s.
    pub(crate) const SEEN_RESOLUTION_MS: i64 = 10_000;

    pub(crate) fn new(id: LineId, rules: Arc<Rules>, is_retired: bool) -> Self {
        let timeline = Timeline::new(&rules);
        Self {
            id,
            rules,
            timeline,
            incident: None,
            version: 0,
            applied_through: -1,
            last_seen_at: NEVER,
            published_seen_at: NEVER,
            published_event_at: NEVER,
            queued_at: Millis::MAX,
            is_retired,
            is_dirty: false,
            is_told_dirty: false,
            is_to_publish: false,
        }
    }

    /// The line.
    pub fn id(&self) -> &LineId {
        &self.id
    }

    /// The version of the last step that published anything.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Whether it has an incident that is not over.
    pub fn has_incident(&self) -> bool {
        self.incident.is_some()
    }

    /// The next log time at which something happens to the line by itself.
    pub(crate) fn deadline(&self) -> Millis {
        let silence = self.timeline.silence_deadline(&self.rules).unwrap_or(Millis::MAX);
        let telling = self.incident.as_ref().map_or(Millis::MAX, |incident| incident.next_deadline);
        silence.min(telling)
    }

    pub(crate) fn row_key(&self) -> RowKey {
        let tail = &self.timeline.tail;
        RowKey {
            status: tail.status(),
            first_at: tail.first_at,
            since: tail.since,
            open_downtime_at: tail.open_down().map(|open| open.started_at),
            reason_code: tail.reason_code.clone(),
            source_status: tail.source_status.clone(),
        }
    }

    /// The row to publish; none before the first status change.
    pub fn row(&self) -> Option<LineRow> {
        let tail = &self.timeline.tail;
        let status = tail.status()?;
        Some(LineRow {
            status,
            class: status.line_class(self.rules.degraded_is_down),
            since: tail.since,
            first_event_at: tail.first_at,
            last_event_at: self.published_event_at,
            last_seen_at: self.published_seen_at,
            open_downtime_at: tail.open_down().map(|open| open.started_at),
            reason_code: tail.current_reason(),
            source_status: tail.current_source_status(),
        })
    }

    /// Bytes this line takes in memory: the struct, its id and its heap, shared texts not counted.
    pub fn memory_bytes(&self) -> usize {
        let open = |track: &crate::timeline::Track| {
            track.open.as_ref().map_or(0, |open| {
                size_of::<crate::Interval>() + open.segments.capacity() * size_of::<crate::Segment>()
            })
        };
        size_of::<Self>()
            + 16
            + self.id.as_str().len()
            + self.timeline.events.heap_bytes()
            + open(&self.timeline.head)
            + open(&self.timeline.tail)
            + self.timeline.signals.as_ref().map_or(0, |signals| 48 + signals.spans.capacity() * 16)
            + self
                .incident
                .as_ref()
                .map_or(0, |incident| size_of::<Incident>() + incident.told.capacity() * 40)
    }
}
