//! Times and durations as they are written: RFC 3339 in UTC with milliseconds, ISO 8601.

use andon_domain::Millis;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::{Serialize, Serializer};

/// The earliest instant that is read: 1970-01-01T00:00:00Z.
const MIN: Millis = 0;

/// The latest: the end of the year 9999.
const MAX: Millis = 253_402_300_799_999;

static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// An instant in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) Millis);

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(instant) => {
                PRINTER.print_timestamp(&instant, jiff::fmt::StdFmtWrite(f)).map_err(|_| std::fmt::Error)
            }
            Err(_) => {
                f.write_str(if self.0 < 0 { "0000-01-01T00:00:00.000Z" } else { "9999-12-31T23:59:59.999Z" })
            }
        }
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl utoipa::PartialSchema for Instant {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        crate::openapi::words::Instant::schema()
    }
}

impl utoipa::ToSchema for Instant {}

/// Reads an instant with any offset.
pub(crate) fn parse(text: &str) -> Result<Millis, String> {
    let wrong = || {
        "this is no RFC 3339 time from 1970 to 9999-12-30; write one as `2026-11-24T06:00:00Z`, with an offset"
            .to_owned()
    };
    if text.len() > 64 {
        return Err(wrong());
    }
    let instant: Timestamp = text.parse().map_err(|_| wrong())?;
    match instant.as_millisecond() {
        ms @ MIN..=MAX => Ok(ms),
        _ => Err(wrong()),
    }
}

/// Reads an ISO 8601 duration of at most 100 years, into ms. A day has 24 hours; months and years have no length.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let wrong = || "this is no ISO 8601 duration; write one as `PT5M`, `PT1H30M` or `P1D`".to_owned();
    // Other ways of writing a duration are read by the library too; one way is enough.
    if text.len() > 64 || !text.starts_with(['P', '-']) {
        return Err(wrong());
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    match i64::try_from(duration.as_millis()) {
        Ok(ms) if (0..=100 * 366 * 86_400_000).contains(&ms) => Ok(ms),
        Ok(_) | Err(_) => Err("a duration is from 0 to 100 years".to_owned()),
    }
}

/// Writes a duration the way [`parse_duration`] reads it.
pub(crate) fn show_duration(ms: i64) -> String {
    SignedDuration::from_millis(ms).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_with_milliseconds_and_read_with_any_offset() {
        assert_eq!(Instant(1_732_428_000_000).to_string(), "2024-11-24T06:00:00.000Z");
        assert_eq!(Instant(1_732_428_000_007).to_string(), "2024-11-24T06:00:00.007Z");
        assert_eq!(parse("2024-11-24T07:00:00+01:00"), Ok(1_732_428_000_000));
        assert_eq!(parse("2024-11-24T06:00:00.007Z"), Ok(1_732_428_000_007));
        for text in [
            "",
            "2024-11-24",
            "2024-11-24T06:00:00",
            "yesterday",
            "1969-12-31T23:59:59Z",
            "-009999-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_read_and_written_alike() {
        for (text, ms) in [("PT5M", 300_000), ("PT1H30M", 5_400_000), ("PT0S", 0), ("P1DT1H", 90_000_000)] {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
            assert_eq!(parse_duration(&show_duration(ms)), Ok(ms), "{text}");
        }
        for text in ["", "5m", "5 minutes", "-PT5M", "P1M", "P1Y", "P40000D", "PT"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
