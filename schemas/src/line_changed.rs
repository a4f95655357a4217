//! `line-changed.v1`: the current row of a line and the intervals that changed.

use andon_domain::{
    Interval, IntervalChange, Kind, LineChanged, LineClass, LineId, LineRow, LineStatus, Segment, text,
};

use crate::avro::{
    Reader, put_array, put_boolean, put_index, put_long, put_optional_long, put_optional_string, put_string,
};
use crate::frame::{datum, put_frame};
use crate::{DecodeError, Fault, SchemaId, TEXT_BYTES_MAX};

/// The most intervals of one record: more than any batch changes on one line.
const INTERVALS_MAX: usize = 1_000_000;

/// The classes in the order of the schema's symbols.
const CLASSES: [LineClass; 4] = [LineClass::Up, LineClass::Idle, LineClass::Down, LineClass::Unknown];

/// Appends a framed record.
pub fn encode_line_changed(changed: &LineChanged, out: &mut Vec<u8>) {
    let row = &changed.row;
    put_frame(out, SchemaId::LineChangedV1);
    put_string(out, changed.line_id.as_str());
    put_long(out, changed.version);
    put_index(out, row.status as usize);
    put_index(out, CLASSES.iter().position(|class| *class == row.class).expect("the list has every class"));
    put_long(out, row.since);
    put_long(out, row.first_event_at);
    put_long(out, row.last_event_at);
    put_long(out, row.last_seen_at);
    put_optional_long(out, row.open_downtime_at);
    put_optional_string(out, row.reason_code.as_deref());
    put_optional_string(out, row.source_status.as_deref());
    put_array(out, &changed.intervals, |out, (version, change)| put_interval(out, *version, change));
}

fn put_interval(out: &mut Vec<u8>, version: i64, change: &IntervalChange) {
    let (started_at, kind) = change.key();
    put_index(out, kind as usize);
    put_long(out, started_at);
    let (ended_at, segments) = match change {
        IntervalChange::Upsert(interval) => (interval.ended_at, interval.segments.as_slice()),
        IntervalChange::Retract { .. } => (None, [].as_slice()),
    };
    put_optional_long(out, ended_at);
    put_long(out, version);
    put_boolean(out, matches!(change, IntervalChange::Retract { .. }));
    put_array(out, segments, |out, segment| {
        put_long(out, segment.started_at);
        put_index(out, segment.status as usize);
        put_optional_string(out, segment.reason_code.as_deref());
        put_optional_string(out, segment.source_status.as_deref());
    });
}

/// Reads a framed record.
pub fn decode_line_changed(value: &[u8]) -> Result<LineChanged, DecodeError> {
    let mut reader = Reader::new(datum(value, SchemaId::LineChangedV1)?);
    let line_id = line_id(&mut reader)?;
    let version = reader.long("version")?;
    let row = LineRow {
        status: reader.symbol("status", LineStatus::from_index)?,
        class: reader.symbol("class", |index| CLASSES.get(index).copied())?,
        since: reader.long("since")?,
        first_event_at: reader.long("first_event_at")?,
        last_event_at: reader.long("last_event_at")?,
        last_seen_at: reader.long("last_seen_at")?,
        open_downtime_at: reader.optional_long("open_downtime_at")?,
        reason_code: text(reader.optional_string("reason_code", TEXT_BYTES_MAX)?),
        source_status: text(reader.optional_string("source_status", TEXT_BYTES_MAX)?),
    };
    let mut intervals = Vec::new();
    reader.array("intervals", INTERVALS_MAX, |reader| {
        intervals.push(interval(reader)?);
        Ok(())
    })?;
    reader.end()?;
    Ok(LineChanged { line_id, version, row, intervals })
}

fn interval(reader: &mut Reader<'_>) -> Result<(i64, IntervalChange), DecodeError> {
    let kind =
        reader.symbol("intervals.kind", |index| u8::try_from(index).ok().and_then(Kind::from_index))?;
    let started_at = reader.long("intervals.started_at")?;
    let ended_at = reader.optional_long("intervals.ended_at")?;
    let version = reader.long("intervals.version")?;
    let is_retracted = reader.boolean("intervals.is_retracted")?;
    let mut segments = Vec::new();
    reader.array("intervals.segments", Interval::SEGMENTS_MAX, |reader| {
        segments.push(Segment {
            started_at: reader.long("segments.started_at")?,
            status: reader.symbol("segments.status", LineStatus::from_index)?,
            reason_code: text(reader.optional_string("segments.reason_code", TEXT_BYTES_MAX)?),
            source_status: text(reader.optional_string("segments.source_status", TEXT_BYTES_MAX)?),
        });
        Ok(())
    })?;
    let change = match is_retracted {
        true => IntervalChange::Retract { kind, started_at },
        false => IntervalChange::Upsert(Interval { kind, started_at, ended_at, segments }),
    };
    Ok((version, change))
}

pub(crate) fn line_id(reader: &mut Reader<'_>) -> Result<LineId, DecodeError> {
    let text = reader.string("line_id", LineId::BYTES_MAX)?;
    LineId::new(text).map_err(|_| Fault::LineId.at("line_id"))
}
