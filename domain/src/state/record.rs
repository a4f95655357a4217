//! The stored form of one line: its record, and the one of its told list.

use std::sync::Arc;

use super::TOLD_PREFIX;
use super::bytes::{Fault, Input, VERSION, flags, put_i64, put_text, put_usize};
use crate::config::Rules;
use crate::incident::{Incident, Stop, Told};
use crate::line::Line;
use crate::texts::Texts;
use crate::timeline::{Event, EventSet, Notes, Signals, Span, Timeline, Track};
use crate::{Interval, Kind, LineId, LineStatus, Millis, Segment, SubscriberId, SubscriptionId};

impl Line {
    /// The key of the line's told list in the changelog; the line's own key is its id.
    pub fn told_key(&self) -> Vec<u8> {
        [TOLD_PREFIX, self.id.as_str().as_bytes()].concat()
    }

    /// Appends the stored form of the line, without its told list.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Self { timeline, rules, .. } = self;
        let signals = timeline.signals.as_deref();
        out.push(VERSION);
        out.push(flags([
            self.is_retired,
            self.incident.is_some(),
            signals.is_some(),
            signals.is_some_and(|signals| signals.is_silent),
            timeline.head.is_silent,
            rules.degraded_is_down,
            rules.expect_ms.is_some(),
            timeline.head.open.is_some(),
        ]));
        for value in [
            self.version,
            self.applied_through,
            self.last_seen_at,
            self.published_seen_at,
            self.published_event_at,
            rules.allowed_lateness_ms,
            i64::from(rules.events_max),
            rules.expect_ms.unwrap_or(0),
            timeline.watermark,
            timeline.newest_at,
        ] {
            put_i64(out, value);
        }
        put_track(out, &timeline.head);
        put_usize(out, timeline.events.len());
        let mut previous = timeline.watermark;
        for event in timeline.events.iter() {
            put_event(out, event, previous);
            previous = event.at;
        }
        if let Some(signals) = signals {
            put_i64(out, signals.last_appended_at);
            put_usize(out, signals.spans.len());
            for span in &signals.spans {
                put_i64(out, span.first);
                put_i64(out, span.last);
            }
        }
        if let Some(incident) = &self.incident {
            put_i64(out, incident.version);
            put_i64(out, incident.opened_at);
            put_i64(out, incident.stop.started_at);
            out.push(incident.stop.status as u8);
            put_text(out, &incident.stop.reason_code);
            put_text(out, &incident.stop.source_status);
        }
    }

    /// Appends the stored form of the told list. If nobody was told it is the version alone.
    pub fn encode_told(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        let Some(incident) = self.incident.as_ref().filter(|incident| !incident.told.is_empty()) else {
            return;
        };
        put_i64(out, incident.version);
        out.push(u8::from(incident.first_told_start.is_some()));
        put_i64(out, incident.first_told_start.unwrap_or(0));
        put_usize(out, incident.told.len());
        for told in &incident.told {
            out.extend_from_slice(told.subscriber_id.0.as_bytes());
            out.extend_from_slice(told.subscription_id.0.as_bytes());
            out.push(u8::from(told.is_closed));
        }
    }
}

/// A told list as it is stored.
#[derive(Debug)]
pub(super) struct ToldList {
    pub(super) incident_version: i64,
    pub(super) first_told_start: Option<Millis>,
    pub(super) told: Vec<Told>,
}

pub(super) fn read_line(input: &mut Input<'_>, id: LineId, texts: &mut Texts) -> Result<Line, Fault> {
    input.version()?;
    let flags = input.u8()?;
    let flag = |bit: u8| flags & (1 << bit) != 0;
    let (version, applied_through) = (input.i64()?, input.i64()?);
    let (last_seen_at, published_seen_at, published_event_at) = (input.i64()?, input.i64()?, input.i64()?);
    let allowed_lateness_ms = input.i64()?;
    let events_max = u32::try_from(input.i64()?).map_err(|_| Fault::Why("event bound out of range"))?;
    let expect_ms = Some(input.i64()?).filter(|_| flag(6));
    if allowed_lateness_ms < 0 || events_max == 0 || expect_ms.is_some_and(|ms| ms < 1) {
        return Err(Fault::Why("a setting is out of range"));
    }
    if flag(2) != flag(6) {
        return Err(Fault::Why("signals are kept where one is expected, and only there"));
    }
    let rules = Rules { allowed_lateness_ms, events_max, degraded_is_down: flag(5), expect_ms };
    let (watermark, newest_at) = (input.i64()?, input.i64()?);
    let head = read_track(input, flag(4), flag(7), texts)?;
    let mut events = EventSet::default();
    let mut previous = watermark;
    for index in 0..input.usize()? {
        let event = read_event(input, previous, texts)?;
        if event.at <= watermark || events.back().is_some_and(|last| *last >= event) {
            return Err(Fault::Why("events are later than the watermark and in order"));
        }
        previous = event.at;
        events.insert(index, event);
    }
    let signals = if flag(2) {
        let last_appended_at = input.i64()?;
        let mut spans = Vec::new();
        for _ in 0..input.usize()? {
            let span = Span { first: input.i64()?, last: input.i64()? };
            let is_after = spans.last().is_none_or(|before: &Span| before.last < span.first);
            if !is_after || span.last < span.first {
                return Err(Fault::Why("spans of signals are in order"));
            }
            spans.push(span);
        }
        Some(Box::new(Signals { spans, last_appended_at, is_silent: flag(3) }))
    } else {
        None
    };
    let incident = if flag(1) { Some(Box::new(read_incident(input, texts)?)) } else { None };
    input.end()?;
    let mut line = Line::new(id, Arc::new(rules), flag(0));
    line.timeline = Timeline { watermark, newest_at, head, tail: Track::default(), events, signals };
    line.incident = incident;
    (line.version, line.applied_through) = (version, applied_through);
    (line.last_seen_at, line.published_seen_at) = (last_seen_at, published_seen_at);
    line.published_event_at = published_event_at;
    Ok(line)
}

fn put_track(out: &mut Vec<u8>, track: &Track) {
    out.push(track.reported.map_or(u8::MAX, |status| status as u8));
    put_i64(out, track.first_at);
    put_i64(out, track.since);
    put_i64(out, track.last_down_ended_at);
    put_text(out, &track.reason_code);
    put_text(out, &track.source_status);
    if let Some(open) = &track.open {
        out.push(open.kind as u8);
        put_i64(out, open.started_at);
        put_usize(out, open.segments.len());
        for segment in &open.segments {
            put_i64(out, segment.started_at);
            out.push(segment.status as u8);
            put_text(out, &segment.reason_code);
            put_text(out, &segment.source_status);
        }
    }
}

fn read_track(
    input: &mut Input<'_>,
    is_silent: bool,
    has_open: bool,
    texts: &mut Texts,
) -> Result<Track, Fault> {
    let reported = match input.u8()? {
        u8::MAX => None,
        index => Some(status(index)?),
    };
    let (first_at, since, last_down_ended_at) = (input.i64()?, input.i64()?, input.i64()?);
    let (reason_code, source_status) = (input.text(texts)?, input.text(texts)?);
    let open = if has_open {
        let kind = Kind::from_index(input.u8()?).ok_or(Fault::Why("unknown kind"))?;
        let started_at = input.i64()?;
        let mut segments = Vec::new();
        for _ in 0..input.usize()? {
            segments.push(Segment {
                started_at: input.i64()?,
                status: status(input.u8()?)?,
                reason_code: input.text(texts)?,
                source_status: input.text(texts)?,
            });
        }
        if segments.is_empty() || segments.len() > Interval::SEGMENTS_MAX {
            return Err(Fault::Why("an interval has 1 to 256 segments"));
        }
        Some(Box::new(Interval { kind, started_at, ended_at: None, segments }))
    } else {
        None
    };
    Ok(Track { open, first_at, since, reason_code, source_status, last_down_ended_at, reported, is_silent })
}

fn put_event(out: &mut Vec<u8>, event: &Event, previous: Millis) {
    let notes = event.notes.as_deref();
    out.push(
        event.status as u8 | (u8::from(event.sequence().is_some()) << 6) | (u8::from(notes.is_some()) << 7),
    );
    put_i64(out, event.at.wrapping_sub(previous));
    out.extend_from_slice(&event.id.to_be_bytes());
    if let Some(sequence) = event.sequence() {
        put_i64(out, sequence);
    }
    if let Some(notes) = notes {
        put_text(out, &notes.reason_code);
        put_text(out, &notes.source);
        put_text(out, &notes.source_status);
    }
}

fn read_event(input: &mut Input<'_>, previous: Millis, texts: &mut Texts) -> Result<Event, Fault> {
    let first = input.u8()?;
    let at = previous.wrapping_add(input.i64()?);
    let id = u128::from_be_bytes(input.array()?);
    let sequence = if first & 0x40 != 0 { Some(input.i64()?) } else { None };
    let mut notes = Notes::default();
    if first & 0x80 != 0 {
        notes.reason_code = input.text(texts)?;
        notes.source = input.text(texts)?;
        notes.source_status = input.text(texts)?;
    }
    Ok(Event::new(at, id, sequence, status(first & 0x3f)?, notes))
}

fn read_incident(input: &mut Input<'_>, texts: &mut Texts) -> Result<Incident, Fault> {
    Ok(Incident {
        version: input.i64()?,
        opened_at: input.i64()?,
        stop: Stop {
            started_at: input.i64()?,
            status: status(input.u8()?)?,
            reason_code: input.text(texts)?,
            source_status: input.text(texts)?,
        },
        first_told_start: None,
        told: Vec::new(),
        next_deadline: Millis::MAX,
    })
}

pub(super) fn read_told(input: &mut Input<'_>) -> Result<Option<ToldList>, Fault> {
    input.version()?;
    if input.0.is_empty() {
        return Ok(None);
    }
    let incident_version = input.i64()?;
    let has_start = input.u8()? != 0;
    let first_told_start = Some(input.i64()?).filter(|_| has_start);
    let mut told = Vec::new();
    for _ in 0..input.usize()? {
        told.push(Told {
            subscriber_id: SubscriberId(input.uuid()?),
            subscription_id: SubscriptionId(input.uuid()?),
            is_closed: input.u8()? != 0,
        });
    }
    input.end()?;
    Ok(Some(ToldList { incident_version, first_told_start, told }))
}

fn status(index: u8) -> Result<LineStatus, Fault> {
    LineStatus::from_index(usize::from(index))
        .filter(|status| *status != LineStatus::NoChange)
        .ok_or(Fault::Why("unknown status"))
}
