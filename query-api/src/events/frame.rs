//! How records become events, and events text.

use andon_domain::{DirectoryChange, IntervalChange, Kind, LineEntry, LineId, Millis};
use andon_log::{Offset, Record, RecordBatch};
use andon_schemas::decode_line_changed;
use andon_store::{StoredInterval, StoredLine, Views};
use serde::Serialize;

use crate::downtime::IntervalView;
use crate::lines::LineView;
use crate::time::Instant;

/// The names of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Hello,
    Line,
    Interval,
    Retracted,
    Directory,
    Progress,
    Reset,
}

impl Name {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Line => "line",
            Self::Interval => "interval",
            Self::Retracted => "retracted",
            Self::Directory => "directory",
            Self::Progress => "progress",
            Self::Reset => "reset",
        }
    }
}

/// The events of one record.
#[derive(Debug)]
pub(super) struct Rendered {
    /// Partition of `line-changes`, or the slot of the directory.
    pub(super) slot: usize,
    pub(super) offset: Offset,
    pub(super) line: LineId,
    /// The line's path, joined; none where an entry changed: it may have been anywhere.
    pub(super) node: Option<String>,
    /// Each as text, without its id.
    pub(super) events: Vec<(Name, String)>,
}

impl Rendered {
    /// A line's entry was written or removed.
    pub(super) fn directory(slot: usize, offset: Offset, line: LineId) -> Self {
        #[derive(Serialize)]
        struct Data<'a> {
            line_id: &'a str,
        }
        let event = (Name::Directory, text(Name::Directory, &Data { line_id: line.as_str() }));
        Self { slot, offset, line, node: None, events: vec![event] }
    }

    pub(super) fn byte_len(&self) -> usize {
        let node = self.node.as_ref().map_or(0, String::len);
        size_of::<Self>() + node + self.events.iter().map(|(_, text)| 32 + text.len()).sum::<usize>()
    }
}

/// The line whose entry a record of the directory changed.
pub(super) fn changed_line(change: DirectoryChange) -> Option<LineId> {
    match change {
        DirectoryChange::Line(line, _) | DirectoryChange::LineRemoved(line) => Some(line),
        DirectoryChange::Subscription(_) | DirectoryChange::SubscriptionRemoved(_) => None,
    }
}

/// The events of records of `line-changes`, with the entries that the directory has now.
pub(super) async fn render(
    batch: &RecordBatch,
    views: &dyn Views,
) -> Result<Vec<Rendered>, andon_store::Error> {
    let mut lines: Vec<LineId> = batch.iter().filter_map(|record| line_of(&record)).collect();
    lines.sort_unstable();
    lines.dedup();
    let mut entries = views.line_entries(&lines).await?;
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let entry_of = |line: &LineId| {
        entries.binary_search_by(|(known, _)| known.cmp(line)).ok().map(|at| entries[at].1.clone())
    };
    Ok(batch.iter().filter_map(|record| rendered(&record, entry_of)).collect())
}

/// The line of a record is its key.
fn line_of(record: &Record<'_>) -> Option<LineId> {
    LineId::new(std::str::from_utf8(record.key).ok()?).ok()
}

fn rendered(record: &Record<'_>, entry_of: impl Fn(&LineId) -> Option<LineEntry>) -> Option<Rendered> {
    // What cannot be read is the projector's to report: it reads the same record.
    let changed = decode_line_changed(record.value?).ok()?;
    let line = changed.line_id;
    let entry = entry_of(&line);
    let node = entry.as_ref().map_or_else(|| line.to_string(), |entry| entry.path.join("/"));
    let mut events = Vec::with_capacity(1 + changed.intervals.len());
    for (version, change) in changed.intervals {
        let (started_at, kind) = change.key();
        if kind != Kind::Down {
            continue;
        }
        events.push(match change {
            IntervalChange::Upsert(interval) => {
                let stored = StoredInterval { line_id: line.clone(), version, interval };
                (Name::Interval, text(Name::Interval, &IntervalView::new(stored)))
            }
            IntervalChange::Retract { .. } => {
                let id = andon_domain::IntervalId::derive(&line, kind, started_at).to_string();
                let data = Retraction { id, line_id: line.as_str(), version };
                (Name::Retracted, text(Name::Retracted, &data))
            }
        });
    }
    let stored = StoredLine { line_id: line.clone(), version: changed.version, row: changed.row };
    events.push((Name::Line, text(Name::Line, &LineView::new(stored, entry))));
    Some(Rendered { slot: record.partition as usize, offset: record.offset, line, node: Some(node), events })
}

#[derive(Serialize)]
struct Retraction<'a> {
    id: String,
    line_id: &'a str,
    version: i64,
}

/// The first event of a connection.
pub(super) fn hello(build: &str, now: Millis, as_of: Option<Millis>) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        build: &'a str,
        now: Instant,
        as_of: Option<Instant>,
    }
    text(Name::Hello, &Data { build, now: Instant(now), as_of: as_of.map(Instant) })
}

/// How far the stream is.
pub(super) fn progress(now: Millis, as_of: Option<Millis>) -> String {
    #[derive(Serialize)]
    struct Data {
        now: Instant,
        as_of: Option<Instant>,
    }
    text(Name::Progress, &Data { now: Instant(now), as_of: as_of.map(Instant) })
}

/// Read everything again.
pub(super) fn reset() -> String {
    #[derive(Serialize)]
    struct Data {}
    text(Name::Reset, &Data {})
}

/// An event but for its id and the empty line that ends it. JSON has no line break but an escaped one.
fn text(name: Name, data: &impl Serialize) -> String {
    let data =
        serde_json::to_string(data).expect("the data are plain structs, which always have a JSON form");
    format!("event: {}\ndata: {data}\n", name.text())
}
