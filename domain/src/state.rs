//! The stored form of a partition's state: what the changelog holds, one record a line.
//!
//! Integers are zig-zag varints, texts have their length before them, a byte in front names the version of the
//! encoding. Decoding never panics; what it does not understand is an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::config::Rules;
use crate::incident::{Incident, Stop, Told};
use crate::line::Line;
use crate::texts::Texts;
use crate::timeline::{Event, EventSet, Notes, Signals, Span, Timeline, Track};
use crate::{
    Directory, FoldConfig, IncidentId, Interval, Kind, LineId, LineStatus, Millis, Partition, Segment,
    SubscriberId, SubscriptionId, Text,
};

/// Key of the control record of a partition.
pub const CONTROL_KEY: &[u8] = b"\0control";
const TOLD_PREFIX: &[u8] = b"\0told\0";
const VERSION: u8 = 1;

/// Why a stored state cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// A newer program wrote it.
    #[error(
        "the state's encoding is version {found}, this program knows up to {VERSION}; use a newer program"
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
            out.extend_from_slice(incident.id.0.as_bytes());
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
        out.extend_from_slice(incident.id.0.as_bytes());
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

/// Builds a partition from the records of its changelog, given in any order.
#[derive(Debug)]
pub struct Restore {
    partition: Partition,
    told: BTreeMap<LineId, ToldList>,
    control: Option<Control>,
}

#[derive(Debug)]
struct ToldList {
    incident_id: IncidentId,
    first_told_start: Option<Millis>,
    told: Vec<Told>,
}

impl Restore {
    /// Begins with nothing.
    pub fn new(config: FoldConfig) -> Self {
        Self { partition: Partition::new(config), told: BTreeMap::new(), control: None }
    }

    /// Takes in the newest record of one key. Keys of other makers, and deleted ones, are passed over.
    pub fn record(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StateError> {
        let Some(value) = value else { return Ok(()) };
        let mut input = Input(value);
        if key == CONTROL_KEY {
            self.control = Some(Control::decode(value)?);
        } else if let Some(line) = key.strip_prefix(TOLD_PREFIX) {
            let line = line_id(line).map_err(|fault| fault.of(key))?;
            if let Some(list) = read_told(&mut input).map_err(|fault| fault.of(key))? {
                self.told.insert(line, list);
            }
        } else if key.first() != Some(&0) {
            let id = line_id(key).map_err(|fault| fault.of(key))?;
            let texts = &mut self.partition.texts;
            let mut line = read_line(&mut input, id, texts).map_err(|fault| fault.of(key))?;
            if *line.rules == *self.partition.default_rules {
                line.rules = self.partition.default_rules.clone();
            }
            line.timeline.restore_tail(&line.rules.clone());
            self.partition.add(line);
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
        for line in &mut self.partition.lines {
            if let Some(incident) = &mut line.incident
                && let Some(list) = self.told.remove(&line.id)
                && list.incident_id == incident.id
            {
                incident.told = list.told;
                incident.first_told_start = list.first_told_start;
            }
        }
        self.partition.reconcile(directory);
        self.partition
    }
}

fn read_line(input: &mut Input<'_>, id: LineId, texts: &mut Texts) -> Result<Line, Fault> {
    input.version()?;
    let flags = input.u8()?;
    let flag = |bit: u8| flags & (1 << bit) != 0;
    let (version, applied_through) = (input.i64()?, input.i64()?);
    let (last_seen_at, published_seen_at) = (input.i64()?, input.i64()?);
    let allowed_lateness_ms = input.i64()?;
    let events_max = u32::try_from(input.i64()?).map_err(|_| Fault::Why("event bound out of range"))?;
    let expect_ms = Some(input.i64()?).filter(|_| flag(6));
    let rules = Rules { allowed_lateness_ms, events_max, degraded_is_down: flag(5), expect_ms };
    let (watermark, newest_at) = (input.i64()?, input.i64()?);
    let head = read_track(input, flag(4), flag(7), texts)?;
    let mut events = EventSet::default();
    let mut previous = watermark;
    for index in 0..input.usize()? {
        let event = read_event(input, previous, texts)?;
        previous = event.at;
        events.insert(index, event);
    }
    let signals = if flag(2) {
        let last_appended_at = input.i64()?;
        let mut spans = Vec::new();
        for _ in 0..input.usize()? {
            spans.push(Span { first: input.i64()?, last: input.i64()? });
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
    Ok(line)
}

fn put_track(out: &mut Vec<u8>, track: &Track) {
    out.push(track.reported.map_or(u8::MAX, |status| status as u8));
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
    let (since, last_down_ended_at) = (input.i64()?, input.i64()?);
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
    Ok(Track { open, since, reason_code, source_status, last_down_ended_at, reported, is_silent })
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
        id: IncidentId(input.uuid()?),
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

fn read_told(input: &mut Input<'_>) -> Result<Option<ToldList>, Fault> {
    input.version()?;
    if input.0.is_empty() {
        return Ok(None);
    }
    let incident_id = IncidentId(input.uuid()?);
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
    Ok(Some(ToldList { incident_id, first_told_start, told }))
}

fn line_id(key: &[u8]) -> Result<LineId, Fault> {
    let text = std::str::from_utf8(key).map_err(|_| Fault::Why("the key is not UTF-8"))?;
    LineId::new(text).map_err(|_| Fault::Why("the key is not a line id"))
}

fn status(index: u8) -> Result<LineStatus, Fault> {
    LineStatus::from_index(usize::from(index)).ok_or(Fault::Why("unknown status"))
}

fn flags(bits: [bool; 8]) -> u8 {
    bits.into_iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(bit))
}

fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn put_usize(out: &mut Vec<u8>, value: usize) {
    put_u64(out, value as u64);
}

/// A length before the text, one more than it is; 0 for none.
fn put_text(out: &mut Vec<u8>, text: &Text) {
    match text {
        None => out.push(0),
        Some(text) => {
            put_usize(out, text.len() + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

enum Fault {
    Version(u8),
    Why(&'static str),
}

impl Fault {
    fn of(self, key: &[u8]) -> StateError {
        match self {
            Self::Version(found) => StateError::Version { found },
            Self::Why(why) => StateError::Broken { key: key.escape_ascii().to_string(), why },
        }
    }
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Fault::Why("it ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Fault::Why("it ends too early"))?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn u8(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn version(&mut self) -> Result<(), Fault> {
        match self.u8()? {
            VERSION => Ok(()),
            found => Err(Fault::Version(found)),
        }
    }

    fn u64(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::Why("a number is too long"))
    }

    fn i64(&mut self) -> Result<i64, Fault> {
        let value = self.u64()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A count of things of which each takes a byte at least.
    fn usize(&mut self) -> Result<usize, Fault> {
        let value = usize::try_from(self.u64()?).map_err(|_| Fault::Why("a count is too large"))?;
        if value > self.0.len() {
            return Err(Fault::Why("a count is larger than what is left"));
        }
        Ok(value)
    }

    fn text(&mut self, texts: &mut Texts) -> Result<Text, Fault> {
        let length = usize::try_from(self.u64()?).map_err(|_| Fault::Why("a text is too long"))?;
        let Some(length) = length.checked_sub(1) else { return Ok(None) };
        let text = std::str::from_utf8(self.bytes(length)?).map_err(|_| Fault::Why("a text is not UTF-8"))?;
        Ok(texts.share(Some(text)))
    }

    fn uuid(&mut self) -> Result<Uuid, Fault> {
        self.array().map(Uuid::from_bytes)
    }

    fn end(&self) -> Result<(), Fault> {
        if self.0.is_empty() { Ok(()) } else { Err(Fault::Why("it goes on too long")) }
    }
}
