//! The language of the tables. A row is what happens, then after `|` the outcome and what was published, as in
//!
//! ```text
//! 12:05  press  12:00  stopped r:jam       | opened 12:00 stopped(jam); DOWN anna
//! ```
//!
//! Left: the instant at which the log takes the record, then
//! - `LINE TIME STATUS` and, as they are needed, `r:REASON`, `s:SEQUENCE`, `i:ID`, `w:WORD`, `src:SOURCE`. Without
//!   `i:` each row is an event of its own; `again` before the line sends the row before it once more.
//! - `tick`: log time goes on. `restart`: another worker takes over.
//! - `subscribe WHO NODE`, with `after 5m`, `only planned`, `made 12:00`; `unsubscribe WHO NODE`.
//! - `line LINE`, with `path site/area`, `lateness 5m`, `events 8`, `degraded`, `expect 1m`, `retired`; `remove LINE`.
//!
//! Right: an outcome other than plain acceptance (`duplicate`, `conflicting`, `bounded`, `alive`, `too late`, `future`,
//! `unknown line`, `replayed`), then intervals (`opened`, `ended`, `revised`, `recorded` if it was over when it was
//! first seen, `retracted`), then commands (`DOWN anna`, `RESTORED anna 12:00-12:30`, `WITHDRAWN`, `UNSUBSCRIBED`).

use std::collections::BTreeMap;

use andon_domain::{
    Command, CommandKind, DirectoryChange, DowntimeClass, EventId, FoldConfig, Interval, IntervalChange,
    LineChanged, LineEntry, LineId, LineSettings, LineStatus, Millis, NAMESPACE, Outcome, Refusal,
    StatusChange, SubscriberId, Subscription, SubscriptionId,
};
use uuid::Uuid;

use super::times::{clock, length, time};
use super::world::World;

/// Plays the table with default settings.
#[track_caller]
pub(crate) fn check(table: &str) -> World {
    check_with(FoldConfig::default(), table)
}

/// Plays the table; every row must say what came of it.
#[track_caller]
pub(crate) fn check_with(config: FoldConfig, table: &str) -> World {
    let (world, is_right, transcript) = run(config, table);
    assert!(is_right, "the rows marked with > came out otherwise than the table says:\n{transcript}");
    world
}

/// Plays the table for its end alone: what its rows say is not looked at.
pub(crate) fn play(table: &str) -> World {
    run(FoldConfig::default(), table).0
}

/// Plays the table: where it ends, whether every row said what came of it, and what did come of each.
fn run(config: FoldConfig, table: &str) -> (World, bool, String) {
    let mut play = Play {
        world: World::new(config),
        subscribers: BTreeMap::new(),
        last_event: String::new(),
        number: 0,
    };
    let mut transcript = String::new();
    let mut is_right = true;
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let row = row.split("//").next().unwrap_or_default().trim_end();
        if row.is_empty() {
            continue;
        }
        let (left, right) =
            row.split_once('|').unwrap_or_else(|| panic!("a row has a `|` in it, and `{row}` has none"));
        let expected = right.split_whitespace().collect::<Vec<_>>().join(" ");
        let got = play.row(left).unwrap_or_else(|| panic!("the table's language has no row `{left}`"));
        is_right &= expected == got;
        let mark = if expected == got { ' ' } else { '>' };
        transcript.push_str(&format!("{mark} {left}| {got}\n"));
    }
    (play.world, is_right, transcript)
}

struct Play {
    world: World,
    subscribers: BTreeMap<SubscriberId, String>,
    /// What `again` repeats.
    last_event: String,
    number: u128,
}

impl Play {
    fn row(&mut self, left: &str) -> Option<String> {
        let mut words = left.split_whitespace();
        let appended_at = time(words.next()?)?;
        let rest: Vec<&str> = words.collect();
        let mut outcome = None;
        match *rest.first()? {
            "tick" => self.world.advance(appended_at),
            "restart" => self.world.restart(),
            "subscribe" => self.subscribe(appended_at, &rest)?,
            "unsubscribe" => {
                let id = SubscriptionId::derive(self.subscriber(rest.get(1)?), rest.get(2)?);
                self.world.change_directory(DirectoryChange::SubscriptionRemoved(id));
            }
            "line" => self.line(&rest)?,
            "remove" => {
                let line = LineId::new(rest.get(1)?).ok()?;
                self.world.change_directory(DirectoryChange::LineRemoved(line));
            }
            "again" => {
                let event = self.last_event.clone();
                outcome = Some(self.event(appended_at, &event.split_whitespace().collect::<Vec<_>>())?);
            }
            _ => {
                self.number += 1;
                self.last_event = rest.join(" ");
                if !rest.iter().any(|word| word.starts_with("i:")) {
                    self.last_event.push_str(&format!(" i:{}", 1000 + self.number));
                }
                let event = self.last_event.clone();
                outcome = Some(self.event(appended_at, &event.split_whitespace().collect::<Vec<_>>())?);
            }
        }
        let before = self.world.intervals.clone();
        let drained = self.world.commit();
        let mut said: Vec<String> = outcome.iter().flat_map(outcome_words).collect();
        for changed in &drained.published {
            let known = before.get(&changed.line_id);
            for (_, change) in &changed.intervals {
                let old = known.and_then(|known| known.get(&change.key())).map(|(_, interval)| interval);
                said.extend(change_words(change, old));
            }
        }
        said.extend(drained.commands.iter().map(|command| self.command_words(command)));
        self.check_rows(&drained.published);
        Some(said.join("; "))
    }

    fn event(&mut self, appended_at: Millis, words: &[&str]) -> Option<Outcome> {
        let &[line_id, at, status, ref notes @ ..] = words else { return None };
        let note = |prefix: &str| notes.iter().find_map(|word| word.strip_prefix(prefix));
        let change = StatusChange {
            event_id: EventId(Uuid::from_u128(note("i:")?.parse().ok()?)),
            line_id,
            event_time: time(at)?,
            status: LineStatus::from_name(&status.to_ascii_uppercase())?,
            sequence: note("s:").map(str::parse).transpose().ok()?,
            reason_code: note("r:"),
            source: note("src:"),
            source_status: note("w:"),
        };
        Some(self.world.fold(appended_at, &change))
    }

    fn subscriber(&mut self, name: &str) -> SubscriberId {
        let id = SubscriberId(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
        self.subscribers.insert(id, name.to_owned());
        id
    }

    fn subscribe(&mut self, now: Millis, words: &[&str]) -> Option<()> {
        let subscriber_id = self.subscriber(words.get(1)?);
        let node = (*words.get(2)?).to_owned();
        let id = SubscriptionId::derive(subscriber_id, &node);
        let mut subscription =
            Subscription { id, subscriber_id, node, notify_after_ms: 0, class: None, created_at: now };
        for pair in words[3..].chunks(2) {
            match *pair {
                ["after", after] => subscription.notify_after_ms = length(after)?,
                ["only", class] => subscription.class = Some(DowntimeClass::from_name(class)?),
                ["made", at] => subscription.created_at = time(at)?,
                _ => return None,
            }
        }
        self.world.change_directory(DirectoryChange::Subscription(subscription));
        Some(())
    }

    fn line(&mut self, words: &[&str]) -> Option<()> {
        let name = *words.get(1)?;
        let mut settings = LineSettings::default();
        let mut entry = LineEntry { path: vec![name.to_owned()], settings, is_retired: false };
        let mut words = words[2..].iter();
        while let Some(word) = words.next() {
            match *word {
                "path" => {
                    entry.path = words.next()?.split('/').chain([name]).map(str::to_owned).collect();
                }
                "lateness" => settings.allowed_lateness_ms = Some(length(words.next()?)?),
                "events" => settings.events_max = Some(words.next()?.parse().ok()?),
                "expect" => settings.expect_signal_every_ms = Some(length(words.next()?)?),
                "degraded" => settings.degraded_is_down = Some(true),
                "retired" => entry.is_retired = true,
                _ => return None,
            }
        }
        entry.settings = settings;
        self.world.change_directory(DirectoryChange::Line(LineId::new(name).ok()?, entry));
        Some(())
    }

    fn command_words(&self, command: &Command) -> String {
        let who = &self.subscribers[&command.subscriber_id];
        let kind = command.kind.name();
        match command.kind {
            CommandKind::Restored => {
                let ended_at = command.ended_at.expect("what is restored has ended");
                format!("{kind} {who} {}-{}", clock(command.started_at), clock(ended_at))
            }
            CommandKind::Down | CommandKind::Withdrawn | CommandKind::Unsubscribed => format!("{kind} {who}"),
        }
    }

    /// The row says the same of the line as its last interval does.
    fn check_rows(&self, published: &[LineChanged]) {
        for changed in published {
            let last = self.world.intervals.get(&changed.line_id).and_then(|all| all.values().last());
            let is_full = |interval: &Interval| interval.segments.len() == Interval::SEGMENTS_MAX;
            let open = last
                .map(|(_, interval)| interval)
                .filter(|interval| interval.ended_at.is_none() && !is_full(interval));
            if let Some(segment) = open.and_then(|open| open.segments.last()) {
                assert_eq!(segment.status, changed.row.status, "{changed:?}");
                assert!(
                    segment.started_at >= changed.row.since || changed.row.status == LineStatus::Degraded
                );
            }
        }
    }
}

fn outcome_words(outcome: &Outcome) -> Vec<String> {
    let word = match outcome {
        Outcome::Accepted { is_conflicting, hit_size_bound } => {
            let words = [(*is_conflicting, "conflicting"), (*hit_size_bound, "bounded")];
            return words.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| (*word).to_owned()).collect();
        }
        Outcome::SignOfLife => "alive",
        Outcome::Duplicate => "duplicate",
        Outcome::Replayed => "replayed",
        Outcome::Refused(Refusal::TooLate { .. }) => "too late",
        Outcome::Refused(Refusal::FutureTimestamp { .. }) => "future",
        Outcome::Refused(Refusal::UnknownLine { .. }) => "unknown line",
        Outcome::Refused(Refusal::LineId(_)) => "no line id",
    };
    vec![word.to_owned()]
}

fn change_words(change: &IntervalChange, old: Option<&Interval>) -> Option<String> {
    match change {
        IntervalChange::Retract { kind, started_at } => {
            old.map(|_| format!("retracted {} {}", kind.name(), clock(*started_at)))
        }
        IntervalChange::Upsert(interval) => {
            let verb = match (old.map(|old| old.ended_at), interval.ended_at) {
                (None, None) => "opened",
                (None, Some(_)) => "recorded",
                (Some(None), Some(_)) => "ended",
                (Some(_), _) => "revised",
            };
            Some(format!("{verb} {}", interval_words(interval)))
        }
    }
}

/// `12:00-12:30 stopped then faulted(jam)@12:10`.
pub(crate) fn interval_words(interval: &Interval) -> String {
    let mut words = clock(interval.started_at);
    if let Some(ended_at) = interval.ended_at {
        words.push_str(&format!("-{}", clock(ended_at)));
    }
    for (index, segment) in interval.segments.iter().enumerate() {
        let status = segment.status.name().to_ascii_lowercase();
        words.push_str(if index == 0 { " " } else { " then " });
        words.push_str(&status);
        match (&segment.reason_code, &segment.source_status) {
            (None, None) => {}
            (Some(reason), None) => words.push_str(&format!("({reason})")),
            (None, Some(word)) => words.push_str(&format!("({word:?})")),
            (Some(reason), Some(word)) => words.push_str(&format!("({reason}, {word:?})")),
        }
        if index > 0 {
            words.push_str(&format!("@{}", clock(segment.started_at)));
        }
    }
    words
}
