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

use andon_log::memory::Faults;

use plant::{Plant, Size};

fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("ANDON_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("ANDON_TEST_SEED is a number")],
        Err(_) => (0..count).collect(),
    }
}

#[test]
fn whatever_fails_the_workers_commit_what_the_core_says() {
    for seed in seeds(100) {
        println!("ANDON_TEST_SEED={seed}");
        let faults = Faults {
            crash: 60,
            read_failed: 40,
            append_refused: 20,
            append_in_doubt: 20,
            ..Faults::survivable(12)
        };
        let mut plant = Plant::new(seed, faults, 1 + seed as usize % 3);
        plant.run(Size { phases: 4, steps: 120 });
    }
}
