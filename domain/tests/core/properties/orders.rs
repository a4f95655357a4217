//! In whatever order status changes arrive, and however often: the intervals are those of the accepted set.

use andon_domain::{FoldConfig, Interval, LineStatus, Outcome, Refusal};
use proptest::prelude::*;

use crate::support::histories::{ORIGIN, change, settings, signal};
use crate::support::reference::{Settings, Signal, project, watermark};
use crate::support::world::World;

fn config(settings: Settings) -> FoldConfig {
    FoldConfig {
        allowed_lateness_ms: settings.lateness,
        events_max: u32::try_from(settings.events_max).unwrap(),
        degraded_is_down: settings.degraded_is_down,
        expect_signal_every_ms: settings.expect,
        ..FoldConfig::default()
    }
}

/// Long after everything: every silence is asserted.
const END: i64 = ORIGIN + 1_000_000;

/// Folds the arrivals one by one, each with its append time, comparing every refusal with the reference watermark.
fn fold(arrivals: &[(i64, Signal)], settings: Settings) -> (World, Vec<Signal>) {
    let mut world = World::new(config(settings));
    let mut accepted: Vec<Signal> = Vec::new();
    for (appended_at, signal) in arrivals {
        let is_late = watermark(&accepted, settings).is_some_and(|watermark| signal.at <= watermark);
        let outcome = world.fold(*appended_at, &change("press", signal));
        let is_event = signal.status != LineStatus::NoChange;
        let same_id = |other: &Signal| other.id == signal.id && other.status != LineStatus::NoChange;
        match outcome {
            Outcome::Refused(Refusal::TooLate { .. }) => assert!(is_late, "{signal:?} is not late"),
            Outcome::SignOfLife => assert!(!is_late && !is_event, "{signal:?} is a late sign of life"),
            Outcome::Duplicate => assert!(!is_late && is_event && accepted.contains(signal)),
            Outcome::Accepted { is_conflicting, .. } => {
                assert!(!is_late && is_event && !accepted.contains(signal), "{signal:?} is not new");
                let now = watermark(&accepted, settings).unwrap_or(i64::MIN);
                let conflicts = accepted.iter().any(|other| other.at > now && same_id(other));
                assert_eq!(is_conflicting, conflicts, "one id, two contents: {signal:?}");
            }
            Outcome::Replayed | Outcome::Refused(_) => panic!("{outcome:?} of {signal:?}"),
        }
        if !is_late {
            accepted.push(signal.clone());
        }
        world.commit();
    }
    world.advance(END);
    world.commit();
    (world, accepted)
}

fn published(world: &World) -> Vec<Interval> {
    world.intervals_of("press")
}

/// Signals, each with the delay after which it arrives.
fn delayed(lateness: i64) -> impl Strategy<Value = Vec<(i64, Signal)>> {
    proptest::collection::vec((0..lateness.max(1), signal(90, 1)), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_at_all_the_published_intervals_are_the_reference_of_what_was_accepted(
        settings in settings(),
        arrivals in proptest::collection::vec((0..200_i64, signal(90, 1)), 0..40),
    ) {
        let arrivals: Vec<_> = arrivals.into_iter().map(|(at, signal)| (ORIGIN + at, signal)).collect();
        let (world, accepted) = fold(&arrivals, settings);
        prop_assert_eq!(published(&world), project(&accepted, settings));
    }

    #[test]
    fn every_admissible_order_with_any_duplication_gives_the_same_intervals(
        (settings, mut delayed, again) in settings().prop_flat_map(|settings| {
            let settings = Settings { lateness: settings.lateness.max(1), events_max: 512, ..settings };
            (Just(settings), delayed(settings.lateness), delayed(settings.lateness))
        }),
    ) {
        // The second list gives other delays to the first one's signals: the same facts, sent again, in another order.
        let repeats: Vec<_> =
            delayed.iter().zip(&again).map(|((_, signal), (delay, _))| (*delay, signal.clone())).collect();
        let mut in_order: Vec<_> = delayed.iter().map(|(_, signal)| (signal.at, signal.clone())).collect();
        in_order.sort();
        delayed.extend(repeats);
        let mut arrivals: Vec<_> =
            delayed.into_iter().map(|(delay, signal)| (signal.at + delay, signal)).collect();
        arrivals.sort_by_key(|(at, _)| *at);
        let (ordered, accepted) = fold(&in_order, settings);
        prop_assert_eq!(accepted.len(), in_order.len(), "order itself is admissible");
        let (disordered, accepted) = fold(&arrivals, settings);
        prop_assert_eq!(accepted.len(), arrivals.len(), "delays below the lateness are admissible");
        prop_assert_eq!(published(&ordered), published(&disordered));
        prop_assert_eq!(published(&ordered), project(&accepted, settings));
    }
}

/// Signals of many ids, enough of them within the lateness for a set that is searched by fingerprints.
fn crowd() -> impl Strategy<Value = Vec<(i64, Signal)>> {
    let one = (0..60_i64, signal(2_000, 1), 0..150_u128);
    proptest::collection::vec(one, 100..200).prop_map(|all| {
        let mut arrivals: Vec<_> =
            all.into_iter().map(|(delay, signal, id)| (signal.at + delay, Signal { id, ..signal })).collect();
        arrivals.sort_by_key(|(at, _)| *at);
        arrivals
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn large_sets_find_their_duplicates_and_conflicts_too(
        arrivals in crowd(),
        lateness in 50..1500_i64,
        events_max in prop_oneof![Just(512), 30..80_usize],
    ) {
        let settings = Settings { lateness, events_max, degraded_is_down: false, expect: None };
        // Each is sent again a little later, as whoever resends a batch does.
        let mut twice: Vec<_> = arrivals.iter().map(|(at, signal)| (at + 30, signal.clone())).collect();
        twice.extend(arrivals);
        twice.sort_by_key(|(at, _)| *at);
        let (world, accepted) = fold(&twice, settings);
        prop_assert_eq!(published(&world), project(&accepted, settings));
    }
}
