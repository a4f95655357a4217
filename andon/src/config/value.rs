//! How values are written: durations, sizes, switches.

/// Milliseconds of one unit of a duration, longest first. A year has 365 days.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a duration such as `10m`, `1h30m`, `250ms`, `10y`, or ISO 8601 such as `PT10M`, into ms.
pub(crate) fn duration_ms(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no duration; write one as `90s`, `10m`, `1h30m`, `10y` or `PT10M`");
    if text.starts_with('P') {
        let signed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
        return i64::try_from(signed.as_millis())
            .map_err(|_| wrong())
            .and_then(|ms| if ms < 0 { Err(wrong()) } else { Ok(ms) });
    }
    let mut rest = text.trim();
    let mut total: i64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (_, ms) = UNITS.iter().find(|(unit, _)| *unit == &rest[..letters]).ok_or_else(wrong)?;
        rest = &rest[letters..];
        total = number.checked_mul(*ms).and_then(|ms| total.checked_add(ms)).ok_or_else(wrong)?;
    }
    Ok(total)
}

/// Writes a duration the way [`duration_ms`] reads it.
pub(crate) fn show_duration(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let (unit, size) =
        UNITS.into_iter().find(|(_, size)| ms % size == 0).expect("every duration is a whole number of ms");
    format!("{}{unit}", ms / size)
}

/// Reads a size such as `8MiB`, `20GiB` or `65536`, into bytes.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; write one as `65536`, `64KiB`, `8MiB` or `20GiB`");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let shift = match text[digits..].trim() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// Writes a size the way [`bytes`] reads it.
pub(crate) fn show_bytes(bytes: u64) -> String {
    for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

/// Reads `true` or `false`.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        other => Err(format!("`{other}` is neither `true` nor `false`")),
    }
}

/// Reads a whole number within bounds.
pub(crate) fn number<N>(text: &str, min: N, max: N) -> Result<N, String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    match text.parse::<N>() {
        Ok(number) if number >= min && number <= max => Ok(number),
        Ok(_) | Err(_) => Err(format!("`{text}` is no whole number from {min} to {max}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_alike() {
        for (text, ms) in [
            ("10y", 315_360_000_000),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("PT10M", 600_000),
            ("0s", 0),
            ("2w", 1_209_600_000),
        ] {
            assert_eq!(duration_ms(text), Ok(ms), "{text}");
            assert_eq!(duration_ms(&show_duration(ms)), Ok(ms), "{text}");
        }
        for text in ["", "10", "m", "10 parsecs", "-5m", "PT-5M", "99999999999y", "1h30"] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_written_alike() {
        for (text, size) in [("65536", 65_536), ("64KiB", 65_536), ("20GiB", 21_474_836_480), ("0", 0)] {
            assert_eq!(bytes(text), Ok(size), "{text}");
            assert_eq!(bytes(&show_bytes(size)), Ok(size), "{text}");
        }
        for text in ["", "x", "8MB", "-1", "99999999999TiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
