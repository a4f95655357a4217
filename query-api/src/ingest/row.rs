//! One row, whatever format it came in: texts by field, checked into a status change.

use andon_domain::{EventId, LineId, LineStatus, StatusChange, Vocabulary};
use andon_schemas::TEXT_BYTES_MAX;
use uuid::Uuid;

use crate::problem::{cut, shown};

/// The fields of a row.
pub(super) const FIELDS: [&str; 8] =
    ["event_id", "line_id", "event_time", "status", "sequence", "reason_code", "source", "source_status"];

/// The texts of a row, in the order of [`FIELDS`]. An empty text is none.
#[derive(Debug, Default)]
pub(super) struct RawRow<'a>(pub(super) [Option<&'a str>; FIELDS.len()]);

/// A row that makes sense.
pub(super) struct Checked<'a> {
    pub(super) change: StatusChange<'a>,
    /// Whether the controller's word was mapped by no vocabulary, so that the status is `UNKNOWN`.
    pub(super) is_unmapped: bool,
}

/// What is wrong with a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RowError {
    pub(super) field: &'static str,
    pub(super) detail: String,
}

/// An error, its detail cut to what an answer tells.
pub(super) fn wrong(field: &'static str, detail: impl Into<String>) -> RowError {
    RowError { field, detail: cut(detail.into()) }
}

impl<'a> RawRow<'a> {
    fn get(&self, index: usize) -> Option<&'a str> {
        self.0[index].filter(|text| !text.is_empty())
    }

    fn text(&self, index: usize) -> Result<Option<&'a str>, RowError> {
        match self.get(index) {
            Some(text) if text.len() > TEXT_BYTES_MAX => Err(wrong(
                FIELDS[index],
                format!("the text has {} bytes, the limit is {TEXT_BYTES_MAX}", text.len()),
            )),
            text => Ok(text),
        }
    }

    /// Checks the row.
    pub(super) fn check(&self, vocabulary: Vocabulary) -> Result<Checked<'a>, RowError> {
        let line_id = self.get(1).ok_or_else(|| wrong("line_id", "is missing"))?;
        LineId::check(line_id).map_err(|why| wrong("line_id", why.to_string()))?;
        let event_time = self.get(2).ok_or_else(|| wrong("event_time", "is missing"))?;
        let event_time = crate::time::parse(event_time).map_err(|why| wrong("event_time", why))?;
        let sequence = self
            .get(4)
            .map(|text| text.parse::<i64>().map_err(|_| wrong("sequence", "is no whole number of 64 bits")))
            .transpose()?;
        let (reason_code, source) = (self.text(5)?, self.text(6)?);
        let (status, source_status, is_unmapped) = self.status(vocabulary)?;
        let event_id = match self.get(0) {
            Some(text) => match Uuid::try_parse(text) {
                Ok(id) if id.to_string() == text => EventId(id),
                Ok(_) | Err(_) => return Err(wrong("event_id", "is no UUID of 36 characters in lower case")),
            },
            None => EventId::derive(line_id, event_time, status, source, sequence),
        };
        let change = StatusChange {
            event_id,
            line_id,
            event_time,
            status,
            sequence,
            reason_code,
            source,
            source_status,
        };
        Ok(Checked { change, is_unmapped })
    }

    /// The status, the controller's word, and whether nobody maps it. A `status` is one of ours or a word of the
    /// vocabulary; a `source_status` alone may be anything.
    fn status(&self, vocabulary: Vocabulary) -> Result<(LineStatus, Option<&'a str>, bool), RowError> {
        let word = self.text(7)?;
        match self.get(3) {
            Some(name) => match LineStatus::from_name(name) {
                Some(status) => Ok((status, word, false)),
                None => match vocabulary.status(name) {
                    // Andon's own name in another case is no word of the controller's.
                    Some(status) if vocabulary == Vocabulary::Andon => Ok((status, word, false)),
                    Some(status) => Ok((status, word.or(Some(name)), false)),
                    None => Err(wrong(
                        "status",
                        format!(
                            "`{}` is no status, see /v1/statuses; another vocabulary's word goes into `source_status`, or name the vocabulary",
                            shown(name)
                        ),
                    )),
                },
            },
            None => match word {
                Some(text) => match vocabulary.status(text) {
                    Some(status) => Ok((status, word, false)),
                    None => Ok((LineStatus::Unknown, word, true)),
                },
                None => Err(wrong("status", "is missing, and so is `source_status`")),
            },
        }
    }
}
