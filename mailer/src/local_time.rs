//! Instants as the reader's clock showed them.

use andon_domain::Millis;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Between the years 1 and 9998 every zone can show every instant.
const SHOWN_MIN: Millis = -62_100_000_000_000;
const SHOWN_MAX: Millis = 253_300_000_000_000;

/// The clock on the reader's wall.
pub(crate) struct Local {
    zone: TimeZone,
    /// The name of the zone, as in `Europe/Madrid`.
    pub(crate) name: String,
    /// Whether the subscriber's zone is known; else this is UTC.
    pub(crate) is_known: bool,
}

impl Local {
    /// The clock of an IANA zone, or of UTC if there is no such zone.
    pub(crate) fn of(zone: &str) -> Self {
        match TimeZone::get(zone) {
            Ok(found) => {
                let name = found.iana_name().unwrap_or("UTC").to_owned();
                Self { zone: found, name, is_known: true }
            }
            Err(_) => Self { zone: TimeZone::UTC, name: "UTC".to_owned(), is_known: false },
        }
    }

    /// Date and time to the second, with the zone's abbreviation: the hour that comes twice a year is told apart.
    pub(crate) fn to_the_second(&self, at: Millis) -> String {
        self.format(at, "%Y-%m-%d %H:%M:%S %Z")
    }

    /// Date and time to the minute, for a subject.
    pub(crate) fn to_the_minute(&self, at: Millis) -> String {
        self.format(at, "%Y-%m-%d %H:%M")
    }

    /// Time of day to the second, with the zone's abbreviation.
    pub(crate) fn time_of_day(&self, at: Millis) -> String {
        self.format(at, "%H:%M:%S %Z")
    }

    /// To the minute, and without the date where it is that of `other`.
    pub(crate) fn short(&self, at: Millis, other: Millis) -> String {
        if self.is_same_day(at, other) { self.format(at, "%H:%M") } else { self.to_the_minute(at) }
    }

    /// Whether two instants have the same date here.
    pub(crate) fn is_same_day(&self, one: Millis, other: Millis) -> bool {
        self.zoned(one).date() == self.zoned(other).date()
    }

    /// The day that an instant belongs to, `[start, end)`; one of 23 or 25 hours where the clocks change.
    pub(crate) fn day(&self, at: Millis) -> Option<(Millis, Millis)> {
        let start = self.zoned(at).start_of_day().ok()?;
        let end = start.tomorrow().ok()?.start_of_day().ok()?;
        Some((start.timestamp().as_millisecond(), end.timestamp().as_millisecond()))
    }

    fn format(&self, at: Millis, format: &'static str) -> String {
        self.zoned(at).strftime(format).to_string()
    }

    fn zoned(&self, at: Millis) -> Zoned {
        Timestamp::from_millisecond(at.clamp(SHOWN_MIN, SHOWN_MAX))
            .expect("an instant between the years 1 and 9998 is in range")
            .to_zoned(self.zone.clone())
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
    fn a_day_has_23_24_or_25_hours() {
        const HOUR: i64 = 3_600_000;
        let madrid = Local::of("Europe/Madrid");
        // (an instant of the day, its start, its length): in winter, over the end of summer time, over its beginning
        for (at, start, hours) in [
            (1_795_500_000_000, "2026-11-24 00:00:00 CET", 24),
            (1_792_888_200_000, "2026-10-25 00:00:00 CEST", 25),
            (1_774_745_000_000, "2026-03-29 00:00:00 CET", 23),
        ] {
            let (from, to) = madrid.day(at).unwrap();
            assert_eq!((madrid.to_the_second(from).as_str(), to - from), (start, hours * HOUR));
            assert!(madrid.is_same_day(from, to - 1) && !madrid.is_same_day(from, to));
        }
        // In Beirut that day began at one o'clock: midnight did not exist.
        let beirut = Local::of("Asia/Beirut");
        let (from, to) = beirut.day(1_774_745_000_000).unwrap();
        assert_eq!((beirut.to_the_second(from).as_str(), to - from), ("2026-03-29 01:00:00 EEST", 23 * HOUR));
        assert_eq!(beirut.short(from, to), "2026-03-29 01:00");
        assert_eq!(beirut.short(from, to - 1), "01:00");
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
                let local = Local::of(zone);
                assert!(!local.to_the_second(at).is_empty());
                assert!(local.day(at).is_none_or(|(from, to)| from < to));
            }
        }
    }
}
