//! Random lives of a small plant: events, silence, subscriptions, settings, retirements, commits and crashes.

use andon_domain::{
    DirectoryChange, DowntimeClass, FoldConfig, LineEntry, LineId, LineSettings, Millis, NAMESPACE,
    SubscriberId, Subscription, SubscriptionId,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::histories::{ORIGIN, change, signal};
use super::reference::Signal;
use super::world::World;

pub(crate) const LINES: [&str; 3] = ["filler", "labeller", "press"];
const NODES: [&str; 5] = ["filler", "labeller", "press", "north", "north/hall"];

/// One thing that happens, so many ms after the one before it.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Event { line: usize, behind_ms: i64, signal: Signal },
    Tick,
    Subscribe { who: u8, node: usize, after_ms: i64, class: Option<DowntimeClass>, made_before_ms: i64 },
    Unsubscribe { who: u8, node: usize },
    Line { line: usize, settings: LineSettings, is_retired: bool, in_hall: bool },
    RemoveLine { line: usize },
}

pub(crate) type Script = Vec<(i64, Act)>;

/// Scripts whose directory changes too.
pub(crate) fn script(len: usize) -> impl Strategy<Value = Script> {
    proptest::collection::vec((0..25_000_i64, act()), 1..len)
}

fn act() -> impl Strategy<Value = Act> {
    let event = (0..LINES.len(), prop_oneof![3 => Just(0), 2 => 0..90_000_i64, 1 => 0..2_000_000_i64])
        .prop_flat_map(|(line, behind_ms)| {
            signal(0, 1).prop_map(move |signal| Act::Event { line, behind_ms, signal })
        });
    let class = proptest::option::weighted(
        0.3,
        prop_oneof![Just(DowntimeClass::Planned), Just(DowntimeClass::Unplanned)],
    );
    let after = prop_oneof![Just(0), Just(5_000), Just(40_000), Just(100_000)];
    let subscribe = (0..3_u8, 0..NODES.len(), after, class, prop_oneof![Just(0), 0..100_000_i64]).prop_map(
        |(who, node, after_ms, class, made_before_ms)| Act::Subscribe {
            who,
            node,
            after_ms,
            class,
            made_before_ms,
        },
    );
    let unsubscribe = (0..3_u8, 0..NODES.len()).prop_map(|(who, node)| Act::Unsubscribe { who, node });
    let line = (0..LINES.len(), settings(), proptest::bool::weighted(0.3), any::<bool>())
        .prop_map(|(line, settings, is_retired, in_hall)| Act::Line { line, settings, is_retired, in_hall });
    prop_oneof![
        12 => event,
        2 => Just(Act::Tick),
        4 => subscribe,
        2 => unsubscribe,
        2 => line,
        1 => (0..LINES.len()).prop_map(|line| Act::RemoveLine { line }),
    ]
}

fn settings() -> impl Strategy<Value = LineSettings> {
    let lateness = proptest::option::of(0..120_000_i64);
    let expect = proptest::option::of(prop_oneof![Just(20_000), 10_000..60_000_i64]);
    (lateness, proptest::option::of(1..6_u32), any::<Option<bool>>(), expect).prop_map(
        |(allowed_lateness_ms, events_max, degraded_is_down, expect_signal_every_ms)| LineSettings {
            allowed_lateness_ms,
            events_max,
            degraded_is_down,
            expect_signal_every_ms,
        },
    )
}

pub(crate) fn config(is_silence_on: bool) -> FoldConfig {
    FoldConfig {
        allowed_lateness_ms: 60_000,
        expect_signal_every_ms: is_silence_on.then_some(30_000),
        ..FoldConfig::default()
    }
}

fn subscriber(who: u8) -> SubscriberId {
    SubscriberId(Uuid::new_v5(&NAMESPACE, &[who]))
}

pub(crate) fn line_id(line: usize) -> LineId {
    LineId::new(LINES[line]).expect("they are line ids")
}

/// Does one thing at `now`.
pub(crate) fn play(world: &mut World, now: Millis, act: &Act) {
    match act {
        Act::Event { line, behind_ms, signal } => {
            let signal = Signal { at: now - behind_ms, ..signal.clone() };
            world.fold(now, &change(LINES[*line], &signal));
        }
        Act::Tick => world.advance(now),
        Act::Subscribe { who, node, after_ms, class, made_before_ms } => {
            let subscriber_id = subscriber(*who);
            let id = SubscriptionId::derive(subscriber_id, NODES[*node]);
            let created_at =
                world.directory.subscription(id).map_or(now - made_before_ms, |old| old.created_at);
            world.change_directory(DirectoryChange::Subscription(Subscription {
                id,
                subscriber_id,
                node: NODES[*node].to_owned(),
                notify_after_ms: *after_ms,
                class: *class,
                created_at,
            }));
        }
        Act::Unsubscribe { who, node } => {
            let id = SubscriptionId::derive(subscriber(*who), NODES[*node]);
            world.change_directory(DirectoryChange::SubscriptionRemoved(id));
        }
        Act::Line { line, settings, is_retired, in_hall } => {
            let mut path = vec!["north".to_owned(), "hall".to_owned(), LINES[*line].to_owned()];
            if !in_hall {
                path.remove(1);
            }
            let entry = LineEntry { path, settings: *settings, is_retired: *is_retired };
            world.change_directory(DirectoryChange::Line(line_id(*line), entry));
        }
        Act::RemoveLine { line } => world.change_directory(DirectoryChange::LineRemoved(line_id(*line))),
    }
}

/// Plays a script to its end; `after` is called after each act, with the number of acts so far.
pub(crate) fn play_all(
    world: &mut World,
    script: &Script,
    mut after: impl FnMut(&mut World, usize),
) -> Millis {
    let mut now = ORIGIN;
    for (index, (later_ms, act)) in script.iter().enumerate() {
        now += later_ms;
        play(world, now, act);
        after(world, index + 1);
    }
    now
}
