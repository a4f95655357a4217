//! Times of the tables: `12:00`, `12:00:05`, `12:00:05.250`, with a day before it if it is not the first: `1d06:00`.

use andon_domain::Millis;

const DAY_MS: i64 = 86_400_000;
/// Midnight of the tables' first day: some day that is not the epoch.
const FIRST_DAY: Millis = 20_000 * DAY_MS;

pub(crate) fn time(text: &str) -> Option<Millis> {
    let (days, clock) = text.split_once('d').unwrap_or(("0", text));
    let parts: Vec<&str> = clock.split([':', '.']).collect();
    let number = |index: usize| parts.get(index).map_or(Ok(0), |part| part.parse::<i64>()).ok();
    if parts.len() < 2 {
        return None;
    }
    let seconds = number(0)? * 3600 + number(1)? * 60 + number(2)?;
    Some(FIRST_DAY + days.parse::<i64>().ok()? * DAY_MS + seconds * 1000 + number(3)?)
}

/// A length of time: `90s`, `10m`, `2h`, `5ms`.
pub(crate) fn length(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(count.parse::<i64>().ok()? * unit_ms)
}

pub(crate) fn clock(at: Millis) -> String {
    let since = at - FIRST_DAY;
    let (day, of_day) = (since.div_euclid(DAY_MS), since.rem_euclid(DAY_MS));
    let (minutes, seconds, ms) = (of_day / 60_000, of_day / 1000 % 60, of_day % 1000);
    let mut text = if day == 0 { String::new() } else { format!("{day}d") };
    text.push_str(&format!("{:02}:{:02}", minutes / 60, minutes % 60));
    if seconds != 0 || ms != 0 {
        text.push_str(&format!(":{seconds:02}"));
    }
    if ms != 0 {
        text.push_str(&format!(".{ms:03}"));
    }
    text
}
