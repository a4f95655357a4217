//! A line's entry in the directory, as JSON.

use andon_domain::{LineEntry, LineId, LineSettings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::openapi::words;
use crate::problem::{Problem, shown};
use crate::time::{parse_duration, show_duration};

/// The deepest path, the line included.
pub(crate) const PATH_LEN_MAX: usize = 32;

/// What `PUT /v1/lines/{line}` takes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryBody {
    /// The nodes above the line, from the top; the line itself may be left out.
    #[schema(max_items = 32, value_type = Option<Vec<words::LineId>>)]
    path: Option<Vec<String>>,
    /// How far reports may be out of order.
    #[schema(value_type = Option<words::Duration>)]
    allowed_lateness: Option<String>,
    /// How many reports can still be revised.
    #[schema(minimum = 1, maximum = 100000)]
    events_max: Option<u32>,
    /// Whether `DEGRADED` counts as down.
    degraded_is_down: Option<bool>,
    /// The longest time between two reports of a line that is alive, at least `PT1S`. Absent: the line may be silent.
    #[schema(value_type = Option<words::Duration>)]
    expect_signal_every: Option<String>,
    /// A retired line tells nobody of its stops.
    #[serde(default)]
    retired: bool,
}

/// The entry as it is shown; what is null takes the default.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// The line.
    #[schema(value_type = words::LineId)]
    line_id: String,
    /// The nodes above the line, from the top; the line itself is the last one.
    path: Vec<String>,
    /// How far reports may be out of order; null: the default.
    #[schema(value_type = Option<words::Duration>)]
    allowed_lateness: Option<String>,
    /// How many reports can still be revised; null: the default.
    events_max: Option<u32>,
    /// Whether `DEGRADED` counts as down; null: the default.
    degraded_is_down: Option<bool>,
    /// The longest time between two reports; null: the default.
    #[schema(value_type = Option<words::Duration>)]
    expect_signal_every: Option<String>,
    /// Whether it tells nobody of its stops.
    retired: bool,
}

impl EntryBody {
    /// Checks it.
    pub(crate) fn into_entry(self, line: &LineId) -> Result<LineEntry, Problem> {
        let mut path = self.path.unwrap_or_default();
        if path.last().is_none_or(|last| last != line.as_str()) {
            path.push(line.as_str().to_owned());
        }
        if path.len() > PATH_LEN_MAX {
            return Err(Problem::field(
                "path",
                format!("the path has {} nodes, the limit is {PATH_LEN_MAX}", path.len()),
            ));
        }
        for node in &path {
            LineId::check(node)
                .map_err(|why| Problem::field("path", format!("node `{}`: {why}", shown(node))))?;
        }
        let duration = |field: &str, text: Option<String>, min: i64| {
            let ms = text
                .map(|text| parse_duration(&text))
                .transpose()
                .map_err(|why| Problem::field(field, why))?;
            match ms {
                Some(ms) if ms < min => {
                    Err(Problem::field(field, format!("{ms} ms is below the least of {min} ms")))
                }
                ms => Ok(ms),
            }
        };
        if let Some(got) = self.events_max.filter(|got| !(1..=100_000).contains(got)) {
            return Err(Problem::field("events_max", format!("{got} is not from 1 to 100000")));
        }
        let settings = LineSettings {
            allowed_lateness_ms: duration("allowed_lateness", self.allowed_lateness, 0)?,
            events_max: self.events_max,
            degraded_is_down: self.degraded_is_down,
            expect_signal_every_ms: duration("expect_signal_every", self.expect_signal_every, 1_000)?,
        };
        Ok(LineEntry { path, settings, is_retired: self.retired })
    }
}

/// Checks a node: a line id, or the names of a path with `/` between them.
pub(crate) fn check_node(node: &str) -> Result<(), String> {
    let names = node.split('/').count();
    if names > PATH_LEN_MAX {
        return Err(format!("the node has {names} names, the limit is {PATH_LEN_MAX}"));
    }
    node.split('/')
        .try_for_each(|name| LineId::check(name).map_err(|why| format!("`{}`: {why}", shown(name))))
}

impl EntryView {
    pub(crate) fn new(line: &LineId, entry: LineEntry) -> Self {
        let LineEntry { path, settings, is_retired } = entry;
        Self {
            line_id: line.to_string(),
            path,
            allowed_lateness: settings.allowed_lateness_ms.map(show_duration),
            events_max: settings.events_max,
            degraded_is_down: settings.degraded_is_down,
            expect_signal_every: settings.expect_signal_every_ms.map(show_duration),
            retired: is_retired,
        }
    }
}
