//! The closing guarantee: whoever was told that a line is down is told exactly once how it ended.

use andon_domain::{DirectoryChange, LineEntry, LineId, LineSettings, LineStatus};
use proptest::prelude::*;

use crate::support::histories::change;
use crate::support::reference::Signal;
use crate::support::script::{LINES, Script, config, line_id, play_all, script};
use crate::support::world::World;

/// Plays the script, crashing and restoring after the acts that `crashes` names, and brings every line up at the end.
fn life(script: &Script, crashes: &[bool], is_silence_on: bool, by_retiring: bool) -> World {
    let mut world = World::new(config(is_silence_on));
    let end = play_all(&mut world, script, |world, done| {
        world.commit();
        if crashes.get(done % crashes.len().max(1)) == Some(&true) {
            world.restart();
            world.commit();
        }
    });
    for (index, line) in LINES.iter().enumerate() {
        let now = end + 600_000;
        if by_retiring {
            let settings = LineSettings::default();
            let entry = LineEntry { path: vec![(*line).to_owned()], settings, is_retired: true };
            world.change_directory(DirectoryChange::Line(line_id(index), entry));
        } else {
            let (reason, source, word) = (None, None, None);
            let status = LineStatus::Running;
            let signal = Signal { at: now, sequence: None, id: 99, status, reason, source, word };
            world.fold(now, &change(line, &signal));
        }
        world.commit();
        let line = LineId::new(line).unwrap();
        assert!(!world.partition.line(line.as_str()).is_some_and(andon_domain::Line::has_incident));
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    // World checks after each command: one DOWN, then one close, at most one incident of a line.
    #[test]
    fn whatever_happens_every_opening_gets_its_one_close(
        script in script(70),
        crashes in proptest::collection::vec(proptest::bool::weighted(0.2), 1..7),
        is_silence_on in any::<bool>(),
        by_retiring in any::<bool>(),
    ) {
        let world = life(&script, &crashes, is_silence_on, by_retiring);
        prop_assert_eq!(world.unclosed(), vec![]);
    }
}
