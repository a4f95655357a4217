//! The bundled record: four years of a public status page, and the intervals its events must fold into.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::admin::now_ms;
use crate::client::{Client, encode};
use crate::exit::Failure;

const EVENTS: &str = include_str!("../../../data/github-status/events.csv");
const EXPECTED: &str = include_str!("../../../data/github-status/expected_intervals.csv");

/// How long the fold of the record may take before the demo says that something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// A downtime interval: line, start and end, in ms.
type Downtime = (String, i64, Option<i64>);

/// Sends the record, waits for the answer, prints what was found and compares it with what must be found.
pub(crate) fn tell(client: &Client) -> Result<(), Failure> {
    let expected = expected()?;
    let began = Instant::now();
    let path = "/v1/line-status?vocabulary=statuspage";
    let answer =
        client.post(path, "text/csv", EVENTS.as_bytes()).map_err(|error| client.unreachable(&error))?;
    if answer.status != 202 {
        return Err(Failure::Other(format!("the bundled record was refused: {}", answer.problem())));
    }
    let accepted = began.elapsed();
    let (found, taken) = wait_for(client, &expected, began)?;
    summary(&found);
    println!();
    println!(
        "{} lines, {} events, {} intervals; accepted after {} ms, all of them in the views after {} ms",
        found.iter().map(|(line, _, _)| line).collect::<BTreeSet<_>>().len(),
        answer.json()["accepted"],
        found.len(),
        accepted.as_millis(),
        taken.as_millis()
    );
    compare(&found, &expected)
}

/// Waits until the views have all that the log took, and returns the intervals, with the time at which they were
/// there.
fn wait_for(
    client: &Client,
    expected: &BTreeSet<Downtime>,
    began: Instant,
) -> Result<(BTreeSet<Downtime>, Duration), Failure> {
    let told_at = now_ms();
    let mut complete_after = None;
    loop {
        let (found, as_of) = downtimes(client)?;
        if found == *expected {
            complete_after.get_or_insert(began.elapsed());
        }
        if as_of.is_some_and(|as_of| as_of > told_at) {
            return Ok((found, complete_after.unwrap_or_else(|| began.elapsed())));
        }
        if began.elapsed() > PATIENCE {
            return Err(Failure::Other(format!(
                "the record was not folded within {} s, {} of {} intervals are there",
                PATIENCE.as_secs(),
                found.len(),
                expected.len()
            )));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Every downtime interval that andon knows of, and up to when it knows.
fn downtimes(client: &Client) -> Result<(BTreeSet<Downtime>, Option<i64>), Failure> {
    let (mut found, mut cursor, mut as_of) = (BTreeSet::new(), String::new(), None);
    loop {
        let page = client.get_json(&format!("/v1/downtime?limit=1000{cursor}"))?;
        as_of = as_of.or(page["as_of"].as_str().and_then(|text| ms(text).ok()));
        for item in page["items"].as_array().into_iter().flatten() {
            found.insert(downtime(item)?);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", encode(next)),
            None => return Ok((found, as_of)),
        }
    }
}

fn downtime(item: &Value) -> Result<Downtime, Failure> {
    let line = item["line_id"].as_str().unwrap_or_default().to_owned();
    let started_at = ms(item["started_at"].as_str().unwrap_or_default())?;
    let ended_at = item["ended_at"].as_str().map(ms).transpose()?;
    Ok((line, started_at, ended_at))
}

fn expected() -> Result<BTreeSet<Downtime>, Failure> {
    EXPECTED
        .lines()
        .skip(1)
        .map(|row| {
            let mut fields = row.split(',');
            let mut field = || fields.next().unwrap_or_default();
            Ok((field().to_owned(), ms(field())?, Some(ms(field())?)))
        })
        .collect()
}

fn ms(text: &str) -> Result<i64, Failure> {
    text.parse::<Timestamp>()
        .map(|instant| instant.as_millisecond())
        .map_err(|error| Failure::Other(format!("`{text}` is no instant: {error}")))
}

fn summary(found: &BTreeSet<Downtime>) {
    let mut events: BTreeMap<&str, u64> = BTreeMap::new();
    for row in EVENTS.lines().skip(1) {
        *events.entry(row.split(',').nth(1).unwrap_or_default()).or_default() += 1;
    }
    let mut lines: BTreeMap<&str, (u64, i64, i64)> = BTreeMap::new();
    for (line, started_at, ended_at) in found {
        let lasted = ended_at.map_or(0, |ended_at| ended_at - started_at);
        let (count, total, longest) = lines.entry(line).or_default();
        *count += 1;
        *total += lasted;
        *longest = lasted.max(*longest);
    }
    println!("{:16} {:>7} {:>10} {:>16} {:>16}", "line", "events", "intervals", "total down", "longest");
    for (line, (count, total, longest)) in lines {
        let events = events.get(line).copied().unwrap_or(0);
        println!("{line:16} {events:>7} {count:>10} {:>16} {:>16}", lasted(total), lasted(longest));
    }
}

/// A duration for people, to the minute.
fn lasted(ms: i64) -> String {
    let minutes = ms / 60_000;
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours:02} h {minutes:02} min"),
    }
}

fn compare(found: &BTreeSet<Downtime>, expected: &BTreeSet<Downtime>) -> Result<(), Failure> {
    let differences: Vec<String> = expected
        .difference(found)
        .map(|missing| format!("missing: {missing:?}"))
        .chain(found.difference(expected).map(|extra| format!("not expected: {extra:?}")))
        .collect();
    if differences.is_empty() {
        println!("all equal to the {} expected ones", expected.len());
        return Ok(());
    }
    for difference in differences.iter().take(20) {
        println!("{difference}");
    }
    Err(Failure::Other(format!("{} differences from the expected intervals", differences.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_either_way_fails_the_comparison() {
        let one: Downtime = ("a".to_owned(), 0, Some(1));
        let other: Downtime = ("a".to_owned(), 0, Some(2));
        let set = |items: &[&Downtime]| items.iter().map(|item| (*item).clone()).collect::<BTreeSet<_>>();
        assert!(compare(&set(&[&one]), &set(&[&one])).is_ok());
        assert!(compare(&set(&[]), &set(&[&one])).is_err());
        assert!(compare(&set(&[&one, &other]), &set(&[&one])).is_err());
        assert!(compare(&set(&[&other]), &set(&[&one])).is_err());
    }

    #[test]
    fn the_bundled_record_is_whole() {
        assert_eq!(EVENTS.lines().count(), 1_170);
        assert_eq!(expected().unwrap().len(), 582);
    }
}
