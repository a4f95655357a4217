//! Batches may be cut anywhere, and a worker may die anywhere: what comes out is the same.

use proptest::prelude::*;

use crate::support::histories::ORIGIN;
use crate::support::script::{Act, LINES, Script, config, play, play_all, script};
use crate::support::world::World;

/// What a life leaves behind: everything that anybody outside can see in the end.
fn remains(world: &World) -> String {
    let lines = LINES.map(|line| world.partition.line(line).map(|line| (line.version(), line.row())));
    format!("{:#?}", (&world.intervals, lines, &world.commands, world.partition.log_time()))
}

/// The directory first and then events alone, so that what a crash loses can be played again.
fn directory_first(script: Script) -> (Script, Script) {
    let is_input = |act: &Act| matches!(act, Act::Event { .. } | Act::Tick);
    script.into_iter().partition(|(_, act)| !is_input(act))
}

fn begin(directory: &Script, is_silence_on: bool) -> World {
    let mut world = World::new(config(is_silence_on));
    for (_, act) in directory {
        play(&mut world, ORIGIN, act);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn batches_may_be_cut_anywhere(
        script in script(70),
        cuts in proptest::collection::vec(any::<bool>(), 1..9),
        is_silence_on in any::<bool>(),
    ) {
        let mut one_by_one = World::new(config(is_silence_on));
        play_all(&mut one_by_one, &script, |world, _| { world.commit(); });
        let mut in_batches = World::new(config(is_silence_on));
        play_all(&mut in_batches, &script, |world, done| {
            if cuts[done % cuts.len()] {
                world.commit();
            }
        });
        in_batches.commit();
        prop_assert_eq!(remains(&one_by_one), remains(&in_batches));
        prop_assert_eq!(one_by_one.changelog(), in_batches.changelog());
    }

    #[test]
    fn a_restored_partition_goes_on_as_if_nothing_had_happened(
        script in script(70),
        crashes in proptest::collection::vec(any::<bool>(), 1..9),
        is_silence_on in any::<bool>(),
    ) {
        let mut steady = World::new(config(is_silence_on));
        play_all(&mut steady, &script, |world, _| { world.commit(); });
        let mut crashing = World::new(config(is_silence_on));
        play_all(&mut crashing, &script, |world, done| {
            world.commit();
            if crashes[done % crashes.len()] {
                world.restart();
                let drained = world.commit();
                assert!(drained.published.is_empty() && drained.commands.is_empty(), "{drained:#?}");
            }
        });
        prop_assert_eq!(remains(&steady), remains(&crashing));
        prop_assert_eq!(steady.changelog(), crashing.changelog());
    }

    #[test]
    fn what_was_not_committed_is_done_again_and_comes_out_the_same(
        script in script(70),
        crash_every in 2..9_usize,
        batch in 1..6_usize,
        is_silence_on in any::<bool>(),
    ) {
        let (directory, inputs) = directory_first(script);
        let mut now = ORIGIN;
        // Ticks are the shell's own: they happen again by themselves, so the log holds events alone.
        let log: Vec<(i64, Act)> = inputs
            .into_iter()
            .map(|(later_ms, act)| { now += later_ms; (now, act) })
            .filter(|(_, act)| matches!(act, Act::Event { .. }))
            .collect();
        let mut steady = begin(&directory, is_silence_on);
        for (now, act) in &log {
            play(&mut steady, *now, act);
            steady.commit();
        }
        let mut crashing = begin(&directory, is_silence_on);
        let (mut tries, mut since_commit) = (0, 0);
        while let Some((now, act)) = log.get(usize::try_from(crashing.next_offset).unwrap()) {
            play(&mut crashing, *now, act);
            tries += 1;
            since_commit += 1;
            if tries % crash_every == 0 && tries < 4 * log.len() {
                crashing.restart();
                since_commit = 0;
            } else if since_commit >= batch {
                crashing.commit();
                since_commit = 0;
            }
        }
        crashing.commit();
        prop_assert_eq!(remains(&steady), remains(&crashing));
    }
}
