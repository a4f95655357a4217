//! How long a stop lasted, in words. Never rounded to nothing.

use super::words::Language;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The two largest units of a duration of `ms`, as in `1 h 12 min`; the rest is cut off.
pub(super) fn shown(ms: i64, language: Language) -> String {
    let ms = u64::try_from(ms).unwrap_or(0);
    let (large, large_unit, small, small_unit) = match ms {
        DAY.. => (ms / DAY, "d", ms % DAY / HOUR, "h"),
        HOUR.. => (ms / HOUR, "h", ms % HOUR / MINUTE, "min"),
        MINUTE.. => (ms / MINUTE, "min", ms % MINUTE / SECOND, "s"),
        SECOND.. => (ms / SECOND, "s", 0, ""),
        0.. => return language.less_than_a_second().to_owned(),
    };
    if small == 0 {
        return format!("{large} {large_unit}");
    }
    format!("{large} {large_unit} {small} {small_unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_their_two_largest_units_and_never_nothing() {
        let rows = [
            (i64::MIN, "less than 1 s"),
            (0, "less than 1 s"),
            (999, "less than 1 s"),
            (1_000, "1 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (61_000, "1 min 1 s"),
            (3_599_999, "59 min 59 s"),
            (3_600_000, "1 h"),
            (4_320_000, "1 h 12 min"),
            (86_399_999, "23 h 59 min"),
            (86_400_000, "1 d"),
            (90_000_000, "1 d 1 h"),
            (400 * 86_400_000, "400 d"),
        ];
        for (ms, wanted) in rows {
            assert_eq!(shown(ms, Language::English), wanted, "{ms}");
        }
        assert_eq!(shown(5, Language::Spanish), "menos de 1 s");
        assert!(shown(i64::MAX, Language::English).starts_with("106751991167 d"));
    }
}
