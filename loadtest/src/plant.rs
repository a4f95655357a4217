//! A made-up plant, repeatable from its seed: each line reports once a minute, a fifth of the events change the
//! status, and a line is up about four fifths of the time.

use andon_domain::{EventId, LineStatus, Millis, StatusChange};
use uuid::Uuid;

/// 2026-01-05T06:00:00Z, a Monday's early shift.
const START: Millis = 1_767_592_800_000;

const ROUND_MS: i64 = 60_000;

/// Share of the events that take a running line down, and that change one that is down, in thousandths.
const GOES_DOWN: u64 = 120;
const CHANGES_WHILE_DOWN: u64 = 500;

const STOPS: [LineStatus; 8] = [
    LineStatus::Stopped,
    LineStatus::Stopped,
    LineStatus::Faulted,
    LineStatus::Faulted,
    LineStatus::Blocked,
    LineStatus::Starved,
    LineStatus::PlannedStop,
    LineStatus::Changeover,
];

/// An event of the plant.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) line: String,
    pub(crate) at: Millis,
    pub(crate) status: LineStatus,
}

impl Event {
    /// The event as the log's codec takes it.
    pub(crate) fn as_change(&self) -> StatusChange<'_> {
        StatusChange {
            event_id: EventId(self.id),
            line_id: &self.line,
            event_time: self.at,
            status: self.status,
            sequence: None,
            reason_code: None,
            source: None,
            source_status: None,
        }
    }
}

/// The plant.
pub(crate) struct Plant {
    random: u64,
    statuses: Vec<LineStatus>,
    told: u64,
    round_ms: i64,
}

impl Plant {
    pub(crate) fn new(lines: u64, seed: u64) -> Self {
        let lines = usize::try_from(lines.max(1)).unwrap_or(usize::MAX);
        Self { random: seed, statuses: vec![LineStatus::Running; lines], told: 0, round_ms: ROUND_MS }
    }

    /// The same plant, in which each line reports once in so many minutes.
    pub(crate) fn every_min(self, minutes: i64) -> Self {
        Self { round_ms: minutes * 60_000, ..self }
    }

    /// SplitMix64.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Iterator for Plant {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let lines = self.statuses.len() as u64;
        let (round, line) = (self.told / lines, self.told % lines);
        self.told += 1;
        let dice = self.next_random();
        let status = &mut self.statuses[line as usize];
        let chance = dice % 1_000;
        if *status == LineStatus::Running {
            if chance < GOES_DOWN {
                *status = STOPS[(dice >> 32) as usize % STOPS.len()];
            }
        } else if chance < CHANGES_WHILE_DOWN {
            *status = if (dice >> 32) % 10 < 9 {
                LineStatus::Running
            } else {
                STOPS[(dice >> 40) as usize % STOPS.len()]
            };
        }
        let status = *status;
        let high = u128::from(self.next_random());
        Some(Event {
            id: Uuid::from_u128(high << 64 | u128::from(dice)),
            line: format!("line-{line:06}"),
            at: START + round as i64 * self.round_ms + line as i64 * self.round_ms / lines as i64,
            status,
        })
    }
}
