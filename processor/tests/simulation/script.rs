//! What happens in the plant: lines that change their status, controllers and gateways that deliver late, twice, to
//! the wrong place or nonsense, and planners who edit the directory.

use andon_domain::{
    DirectoryChange, DowntimeClass, EventId, FoldConfig, LineEntry, LineId, LineSettings, LineStatus,
    StatusChange, SubscriberId, Subscription, SubscriptionId,
};
use andon_log::{Outputs, Partition, Topic, partition_of};
use andon_schemas::encode_line_status_changed;
use uuid::Uuid;

use crate::random::Random;

pub(crate) const PARTITIONS: u32 = 3;
pub(crate) const VALUE_BYTES_MAX: usize = 400;
const LINES: usize = 8;
const LATENESS_MS: i64 = 60_000;

/// A record as it is sent.
#[derive(Debug, Clone)]
struct Sent {
    partition: Partition,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

/// Draws what is sent.
pub(crate) struct Script {
    sent: Vec<Sent>,
    ids: Vec<EventId>,
    sequence: i64,
}

pub(crate) fn fold_config() -> FoldConfig {
    FoldConfig { allowed_lateness_ms: LATENESS_MS, ..FoldConfig::default() }
}

fn line_name(line: usize) -> String {
    format!("press-{line}")
}

impl Script {
    pub(crate) const fn new() -> Self {
        Self { sent: Vec::new(), ids: Vec::new(), sequence: 0 }
    }

    /// Some records, sent at `clock`.
    pub(crate) fn batch(&mut self, clock: i64, random: &mut Random) -> Outputs {
        let mut outputs = Outputs::default();
        for _ in 0..=random.below(8) {
            let sent = match random.below(100) {
                0..12 if !self.sent.is_empty() => self.sent[random.below(self.sent.len())].clone(),
                12..16 => nonsense(clock, random),
                _ => self.status_change(clock, random),
            };
            outputs.push(Topic::LineStatus, sent.partition, &sent.key, sent.value.as_deref());
            if self.sent.len() < 40 {
                self.sent.push(sent);
            } else {
                let at = random.below(self.sent.len());
                self.sent[at] = sent;
            }
        }
        outputs
    }

    fn status_change(&mut self, clock: i64, random: &mut Random) -> Sent {
        use LineStatus::{
            Blocked, Changeover, Degraded, Faulted, Idle, NoChange, PlannedStop, Running, Starved, Stopped,
            Unknown,
        };
        let line_id = line_name(random.below(LINES));
        self.sequence += 1;
        let event_id = match self.ids.last() {
            Some(id) if random.percent(2) => *id, // other content under a known id
            Some(_) | None => EventId(random.uuid()),
        };
        self.ids.push(event_id);
        let event_time = clock
            + match random.below(100) {
                0..5 => -LATENESS_MS - random.millis(2 * LATENESS_MS),
                5..8 => 600_000,
                8..50 => -random.millis(1_000),
                _ => -random.millis(LATENESS_MS),
            };
        let status = random.pick(&[
            Running,
            Running,
            Running,
            Running,
            Stopped,
            Stopped,
            Faulted,
            Blocked,
            Starved,
            Idle,
            Degraded,
            PlannedStop,
            Changeover,
            Unknown,
            NoChange,
            NoChange,
        ]);
        let change = StatusChange {
            event_id,
            line_id: &line_id,
            // Instants that several events share.
            event_time: if random.percent(30) { event_time / 5_000 * 5_000 } else { event_time },
            status,
            sequence: random.percent(50).then_some(self.sequence),
            reason_code: random.percent(30).then_some("jam"),
            source: None,
            source_status: random.percent(20).then_some("halted"),
        };
        let mut value = Vec::new();
        encode_line_status_changed(&change, &mut value);
        let partition = if random.percent(7) {
            u32::try_from(random.below(PARTITIONS as usize)).unwrap()
        } else {
            partition_of(&line_id, PARTITIONS)
        };
        Sent { partition, key: line_id.into_bytes(), value: Some(value) }
    }

    /// The directory before anything happens.
    pub(crate) fn first_directory() -> Vec<DirectoryChange> {
        let settings = [
            LineSettings { expect_signal_every_ms: Some(30_000), ..LineSettings::default() },
            LineSettings { allowed_lateness_ms: Some(10_000), ..LineSettings::default() },
            LineSettings { events_max: Some(3), ..LineSettings::default() },
            LineSettings { degraded_is_down: Some(true), ..LineSettings::default() },
        ];
        let lines =
            (0..LINES - 2).map(|line| register(line, settings.get(line).copied().unwrap_or_default(), false));
        let subscriptions = [
            subscription(1, "plant", 0, None),
            subscription(1, "plant/hall-0", 40_000, None),
            subscription(2, "plant/hall-1", 25_000, None),
            subscription(3, "press-7", 0, Some(DowntimeClass::Unplanned)),
            subscription(4, "plant/hall-0", 0, Some(DowntimeClass::Planned)),
        ];
        lines.chain(subscriptions.map(DirectoryChange::Subscription)).collect()
    }

    /// One change that matters to what is told or how it is folded.
    pub(crate) fn directory_change(phase: usize, random: &mut Random) -> DirectoryChange {
        match (phase + random.below(6)) % 6 {
            0 => DirectoryChange::SubscriptionRemoved(subscription(1, "plant", 0, None).id),
            1 => DirectoryChange::Subscription(subscription(5, "plant", 15_000, None)),
            2 => register(random.below(LINES), LineSettings::default(), true),
            3 => DirectoryChange::Subscription(subscription(2, "plant/hall-1", 0, None)),
            4 => {
                let expect_signal_every_ms = Some(15_000);
                let line = random.below(LINES);
                register(line, LineSettings { expect_signal_every_ms, ..LineSettings::default() }, false)
            }
            _ => DirectoryChange::LineRemoved(LineId::new(&line_name(random.below(LINES))).unwrap()),
        }
    }

    /// One change that matters to nobody, whenever it comes.
    pub(crate) fn idle_directory_change(random: &mut Random) -> DirectoryChange {
        match random.below(3) {
            0 => DirectoryChange::Subscription(subscription(9, "elsewhere", 0, None)),
            1 => DirectoryChange::SubscriptionRemoved(subscription(9, "elsewhere", 0, None).id),
            _ => register(LINES + 1, LineSettings::default(), random.percent(50)),
        }
    }
}

fn register(line: usize, settings: LineSettings, is_retired: bool) -> DirectoryChange {
    let name = line_name(line);
    let path = vec!["plant".to_owned(), format!("hall-{}", line % 2), name.clone()];
    DirectoryChange::Line(LineId::new(&name).unwrap(), LineEntry { path, settings, is_retired })
}

fn subscription(
    subscriber: u128,
    node: &str,
    notify_after_ms: i64,
    class: Option<DowntimeClass>,
) -> Subscription {
    let subscriber_id = SubscriberId(Uuid::from_u128(subscriber));
    Subscription {
        id: SubscriptionId::derive(subscriber_id, node),
        subscriber_id,
        node: node.to_owned(),
        notify_after_ms,
        class,
        created_at: 0,
    }
}

/// A record that nobody can fold.
fn nonsense(clock: i64, random: &mut Random) -> Sent {
    let line_id = line_name(random.below(LINES));
    let long = "x".repeat(VALUE_BYTES_MAX);
    let change = StatusChange {
        event_id: EventId(random.uuid()),
        line_id: &line_id,
        event_time: clock,
        status: LineStatus::Stopped,
        sequence: None,
        reason_code: None,
        source: Some(&long),
        source_status: None,
    };
    let mut value = Vec::new();
    encode_line_status_changed(&change, &mut value);
    let (key, value) = match random.below(4) {
        0 => (line_id.clone().into_bytes(), None),
        1 => (line_id.clone().into_bytes(), Some(value[..20].to_vec())),
        2 => (line_id.clone().into_bytes(), Some(value)),
        _ => {
            let mut value = Vec::new();
            encode_line_status_changed(&StatusChange { source: None, ..change }, &mut value);
            (b"another-line".to_vec(), Some(value))
        }
    };
    Sent { partition: partition_of(&line_id, PARTITIONS), key, value }
}
