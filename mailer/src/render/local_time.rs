//! Instants as the reader's clock showed them.

use andon_domain::Millis;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Between the years 1 and 9998 every zone can show every instant.
const SHOWN_MIN: Millis = -62_100_000_000_000;
const SHOWN_MAX: Millis = 253_300_000_000_000;

/// The clock on the reader's wall.
pub(super) struct Local {
    zone: TimeZone,
    /// The name of the zone, as in `Europe/Madrid`.
    pub(super) name: String,
    /// Whether the subscriber's zone is known; else this is UTC.
    pub(super) is_known: bool,
}

impl Local {
    /// The clock of an IANA zone, or of UTC if there is no such zone.
    pub(super) fn of(zone: &str) -> Self {
        match TimeZone::get(zone) {
            Ok(found) => {
                let name = found.iana_name().unwrap_or("UTC").to_owned();
                Self { zone: found, name, is_known: true }
            }
            Err(_) => Self { zone: TimeZone::UTC, name: "UTC".to_owned(), is_known: false },
        }
    }

    /// Date and time to the second, with the zone's abbreviation: the hour that comes twice a year is told apart.
    pub(super) fn to_the_second(&self, at: Millis) -> String {
        self.format(at, "%Y-%m-%d %H:%M:%S %Z")
    }

    /// Date and time to the minute, for a subject.
    pub(super) fn to_the_minute(&self, at: Millis) -> String {
        self.format(at, "%Y-%m-%d %H:%M")
    }

    fn format(&self, at: Millis, format: &'static str) -> String {
        let shown = Timestamp::from_millisecond(at.clamp(SHOWN_MIN, SHOWN_MAX))
            .expect("an instant between the years 1 and 9998 is in range");
        shown.to_zoned(self.zone.clone()).strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_that_comes_twice_is_told_apart() {
        let madrid = Local::of("Europe/Madrid");
        // 25 October 2026: 03:00 CEST becomes 02:00 CET.
        assert_eq!(madrid.to_the_second(1_792_888_200_000), "2026-10-25 02:30:00 CEST");
        assert_eq!(madrid.to_the_second(1_792_891_800_000), "2026-10-25 02:30:00 CET");
    }

    #[test]
    fn an_unknown_zone_is_utc_and_known_to_be_unknown() {
        for zone in
            ["", "Mars/Olympus", "Europe/Madrid\r\nX: y", "../../etc/passwd", "\u{0}", &"x".repeat(10_000)]
        {
            let local = Local::of(zone);
            assert_eq!((local.is_known, local.name.as_str()), (false, "UTC"), "{zone:?}");
            assert_eq!(local.to_the_minute(0), "1970-01-01 00:00");
        }
        assert!(Local::of("UTC").is_known);
        assert_eq!(Local::of("europe/madrid").name, "Europe/Madrid", "however it was written");
    }

    #[test]
    fn no_instant_panics() {
        for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Midway", "Europe/Madrid"] {
            for at in [i64::MIN, -1, 0, 1, i64::MAX] {
                assert!(!Local::of(zone).to_the_second(at).is_empty());
            }
        }
    }
}
