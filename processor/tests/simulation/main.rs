//! The worker over a log that fails between any two calls, against the core alone. Whatever happens (crashes, commits
//! refused, in doubt or dropped, partitions lost and handed over), what is committed is what an undisturbed fold of
//! the same records says: intervals and rows with their versions, commands and dead letters once and in order, and
//! the state. A failure prints its seed; `ANDON_TEST_SEED=n` runs that one alone.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod observed;
mod plant;
mod random;
mod reference;
mod script;

use std::collections::BTreeMap;

use andon_log::memory::Faults;

use plant::{Plant, Size};

/// Everything that can go wrong, often.
const FAULTS: Faults =
    Faults { crash: 60, read_failed: 40, append_refused: 20, append_in_doubt: 20, ..Faults::survivable(12) };

#[test]
fn whatever_fails_the_workers_commit_what_the_core_says() {
    let alone = std::env::var("ANDON_TEST_SEED").ok();
    let seeds = match &alone {
        Some(seed) => vec![seed.parse().expect("ANDON_TEST_SEED is a number")],
        None => (0..200_u64).collect(),
    };
    let mut met = BTreeMap::new();
    for seed in seeds {
        println!("ANDON_TEST_SEED={seed}");
        // Every other run is without crashes: what a worker forgot to answer or to drop must not go with it.
        let faults = match seed % 2 {
            0 => FAULTS,
            _ => Faults { crash: 0, read_failed: 0, ..FAULTS },
        };
        let mut plant = Plant::new(seed, faults, 1 + (seed / 2 % 3) as usize);
        plant.run(Size { phases: 4, steps: 120 });
        plant.add_what_it_met(&mut met);
    }
    println!("{met:#?}");
    for what in [
        "commit committed",
        "commit again",
        "commit dropped",
        "commit rebuilt",
        "worker failed",
        "forwarded",
        "dead letter TOO_LATE",
        "dead letter FUTURE_TIMESTAMP",
        "dead letter DECODE",
        "dead letter OVERSIZE",
        "dead letter KEY_MISMATCH",
        "command DOWN",
        "command RESTORED",
        "command WITHDRAWN",
        "command UNSUBSCRIBED",
        "interval",
        "interval retracted",
    ] {
        assert!(alone.is_some() || met.get(what).is_some_and(|count| *count > 50), "too seldom: {what}");
    }
}

#[test]
fn wherever_a_worker_crashes_the_next_one_goes_on() {
    let size = Size { phases: 2, steps: 60 };
    let crash_at = |moment| {
        let mut plant = Plant::new(3, Faults { short_batch: 2, ..Faults::NONE }, 2);
        plant.log.crash_at(moment);
        plant.run(size);
        plant
    };
    let calm = crash_at(None);
    assert_eq!(calm.crashes, 0);
    let moments = calm.log.crash_moments();
    assert!(moments > 100, "{moments}");
    for moment in 0..moments {
        println!("moment {moment} of {moments}");
        let plant = crash_at(Some(moment));
        assert_eq!(plant.crashes, 1);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut plant = Plant::new(seed, FAULTS, 2);
        plant.run(Size { phases: 2, steps: 60 });
        let mut met = BTreeMap::new();
        plant.add_what_it_met(&mut met);
        (met, plant.log.crash_moments())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
