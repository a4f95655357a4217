//! Where a timeline stands after some prefix of its signals: everything the rest depends on.

use crate::config::NEVER;
use crate::{Interval, Kind, LineStatus, Millis, Segment, Text};

/// Reduces signals, taken in order, to closed intervals and the run that lasts.
///
/// It is used twice: as the boundary frozen at the watermark, and as the current end of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Track {
    /// The run that is not production, if one lasts; `ended_at` is none.
    pub(crate) open: Option<Box<Interval>>,
    /// When the line said something for the first time: before that nothing is known of it.
    pub(crate) first_at: Millis,
    /// Start of the run of the current status.
    pub(crate) since: Millis,
    /// Reason of the reported run.
    pub(crate) reason_code: Text,
    /// The controller's word for the reported run.
    pub(crate) source_status: Text,
    /// End of the last downtime interval that ended.
    pub(crate) last_down_ended_at: Millis,
    /// What was reported last; none before the first event.
    pub(crate) reported: Option<LineStatus>,
    /// Whether no signal covers the instant, so that the status is unknown whatever was reported.
    pub(crate) is_silent: bool,
}

/// What one signal says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report<'a> {
    pub(crate) at: Millis,
    pub(crate) status: LineStatus,
    pub(crate) reason_code: &'a Text,
    pub(crate) source_status: &'a Text,
}

/// Takes the intervals that end.
pub(crate) trait Sink {
    fn ended(&mut self, interval: Interval);
}

/// For whoever wants none of them.
pub(crate) struct Discard;

impl Sink for Discard {
    fn ended(&mut self, _: Interval) {}
}

impl Sink for Vec<Interval> {
    fn ended(&mut self, interval: Interval) {
        self.push(interval);
    }
}

impl Default for Track {
    fn default() -> Self {
        Self {
            open: None,
            first_at: NEVER,
            since: NEVER,
            reason_code: None,
            source_status: None,
            last_down_ended_at: NEVER,
            reported: None,
            is_silent: false,
        }
    }
}

impl Track {
    /// The status now: the reported one, or unknown in silence. None before the first event.
    pub(crate) fn status(&self) -> Option<LineStatus> {
        if self.is_silent && self.reported.is_some() { Some(LineStatus::Unknown) } else { self.reported }
    }

    /// The reason that belongs to [`Track::status`].
    pub(crate) fn current_reason(&self) -> Text {
        if self.is_unreported() { None } else { self.reason_code.clone() }
    }

    /// The controller's word that belongs to [`Track::status`].
    pub(crate) fn current_source_status(&self) -> Text {
        if self.is_unreported() { None } else { self.source_status.clone() }
    }

    /// Whether the status is unknown by silence alone, so that nobody's reason belongs to it.
    fn is_unreported(&self) -> bool {
        self.is_silent && self.reported != Some(LineStatus::Unknown)
    }

    /// Whether the run that lasts was opened under another meaning of its status.
    pub(crate) fn is_misclassified(&self, degraded_is_down: bool) -> bool {
        self.status().is_some_and(|status| self.open_kind() != status.kind(degraded_is_down))
    }

    fn open_kind(&self) -> Option<Kind> {
        self.open.as_ref().map(|open| open.kind)
    }

    /// The downtime interval that lasts, if one does.
    pub(crate) fn open_down(&self) -> Option<&Interval> {
        self.open.as_deref().filter(|open| open.kind == Kind::Down)
    }

    /// Takes in a report, later than all before. Whether the run that lasts is new or changed.
    pub(crate) fn report(
        &mut self,
        report: Report<'_>,
        degraded_is_down: bool,
        sink: &mut impl Sink,
    ) -> bool {
        if self.status() == Some(report.status) {
            if self.is_unreported() {
                // Unknown by silence, and now by report: one run, of which nobody has said anything yet.
                self.reported = Some(LineStatus::Unknown);
                self.reason_code = None;
                self.source_status = None;
            }
            self.is_silent = false;
            let is_changed = self.reclassify(report.at, degraded_is_down, sink);
            return self.explain(report) || is_changed;
        }
        if self.reported.is_none() {
            self.first_at = report.at;
        }
        self.is_silent = false;
        self.reported = Some(report.status);
        self.reason_code.clone_from(report.reason_code);
        self.source_status.clone_from(report.source_status);
        self.turn(report.at, report.status, degraded_is_down, sink)
    }

    /// The signals end here. Whether the run that lasts is new or changed.
    pub(crate) fn fall_silent(&mut self, at: Millis, degraded_is_down: bool, sink: &mut impl Sink) -> bool {
        if self.is_silent || self.reported.is_none() {
            return false;
        }
        self.is_silent = true;
        if self.reported == Some(LineStatus::Unknown) {
            return false; // unknown before and after: one run
        }
        self.turn(at, LineStatus::Unknown, degraded_is_down, sink)
    }

    /// A sign of life ends a silence: what was reported last holds again. Whether the run that lasts is new or changed.
    pub(crate) fn resume(&mut self, at: Millis, degraded_is_down: bool, sink: &mut impl Sink) -> bool {
        let Some(reported) = self.reported.filter(|_| self.is_silent) else { return false };
        self.is_silent = false;
        if reported == LineStatus::Unknown {
            return false;
        }
        self.turn(at, reported, degraded_is_down, sink)
    }

    /// The same status counts otherwise from `at` on, because the line's settings changed. Whether the run that
    /// lasts is new or changed.
    pub(crate) fn reclassify(&mut self, at: Millis, degraded_is_down: bool, sink: &mut impl Sink) -> bool {
        let Some(status) = self.status().filter(|_| self.is_misclassified(degraded_is_down)) else {
            return false;
        };
        let since = self.since; // the status itself goes on
        let is_changed = self.turn(at, status, degraded_is_down, sink);
        self.since = since;
        is_changed
    }

    /// A repeat of the status may name the reason: the first one fills back to the start of the run, a different one
    /// later starts a segment.
    fn explain(&mut self, report: Report<'_>) -> bool {
        let mut is_changed = false;
        match (&self.reason_code, report.reason_code) {
            (None, Some(_)) => {
                self.reason_code.clone_from(report.reason_code);
                is_changed |= self.amend_last_segment();
            }
            (Some(known), Some(named)) if known != named => {
                self.reason_code.clone_from(report.reason_code);
                self.source_status.clone_from(report.source_status);
                is_changed |= self.push_segment(report.at, report.status);
            }
            (None | Some(_), None) | (Some(_), Some(_)) => {}
        }
        if self.source_status.is_none() && report.source_status.is_some() {
            self.source_status.clone_from(report.source_status);
            is_changed |= self.amend_last_segment();
        }
        is_changed
    }

    /// Writes reason and word into the last segment. It is the one of the current run, unless the interval was full.
    fn amend_last_segment(&mut self) -> bool {
        let (reason_code, source_status) = (&self.reason_code, &self.source_status);
        match self.open.as_mut().filter(|open| open.segments.len() < Interval::SEGMENTS_MAX) {
            Some(open) => {
                let last = open.segments.last_mut().expect("an interval is made with its first segment");
                last.reason_code.clone_from(reason_code);
                last.source_status.clone_from(source_status);
                true
            }
            None => false,
        }
    }

    fn push_segment(&mut self, at: Millis, status: LineStatus) -> bool {
        let segment = self.segment(at, status);
        match self.open.as_mut().filter(|open| open.segments.len() < Interval::SEGMENTS_MAX) {
            Some(open) => {
                open.segments.push(segment);
                true
            }
            None => false,
        }
    }

    fn segment(&self, at: Millis, status: LineStatus) -> Segment {
        Segment {
            started_at: at,
            status,
            reason_code: self.current_reason(),
            source_status: self.current_source_status(),
        }
    }

    /// Another status rules from `at` on.
    fn turn(&mut self, at: Millis, status: LineStatus, degraded_is_down: bool, sink: &mut impl Sink) -> bool {
        self.since = at;
        let kind = status.kind(degraded_is_down);
        if self.open_kind() == kind {
            return self.push_segment(at, status);
        }
        if let Some(mut ended) = self.open.take() {
            if ended.kind == Kind::Down {
                self.last_down_ended_at = at;
            }
            ended.ended_at = Some(at);
            sink.ended(*ended);
        }
        let Some(kind) = kind else { return false };
        let segments = vec![self.segment(at, status)];
        self.open = Some(Box::new(Interval { kind, started_at: at, ended_at: None, segments }));
        true
    }
}
