//! Subscriptions and lines that come, change and go while a line is down.

use crate::support::check;

#[test]
fn a_subscription_to_an_area_covers_every_line_under_it_new_ones_too() {
    check(
        "
        12:00  subscribe anna north        |
        12:00  subscribe ben north/hall    |
        12:00  subscribe carla south       |
        12:00  subscribe dora hall         |
        12:00  line press path north/hall  |
        12:01  press  12:01  stopped       | opened 12:01 stopped; DOWN anna; DOWN ben
        12:02  line filler path north      |
        12:03  filler 12:03  stopped       | opened 12:03 stopped; DOWN anna
        12:04  other  12:04  stopped       | opened 12:04 stopped
    ",
    );
}

#[test]
fn a_line_id_with_the_path_of_its_node_is_covered_once() {
    check(
        "
        12:00  subscribe anna press        |
        12:00  subscribe anna north/press  |
        12:00  line press path north       |
        12:01  press  12:01  stopped       | opened 12:01 stopped; DOWN anna
        12:02  press  12:02  running       | ended 12:01-12:02 stopped; RESTORED anna 12:01-12:02
    ",
    );
}

#[test]
fn ending_the_last_subscription_over_a_line_closes_silently() {
    check(
        "
        12:00  subscribe anna press     |
        12:00  press  12:00  stopped    | opened 12:00 stopped; DOWN anna
        12:01  unsubscribe anna press   | UNSUBSCRIBED anna
        12:02  press  12:02  running    | ended 12:00-12:02 stopped
    ",
    );
}

#[test]
fn ending_one_of_two_closes_nothing_ending_both_does() {
    for (first, second) in [("press", "north"), ("north", "press")] {
        check(&format!(
            "
            12:00  line press path north     |
            12:00  subscribe anna press      |
            12:00  subscribe anna north      |
            12:00  press  12:00  stopped     | opened 12:00 stopped; DOWN anna
            12:01  unsubscribe anna {first}  |
            12:02  unsubscribe anna {second} | UNSUBSCRIBED anna
            12:03  press  12:03  running     | ended 12:00-12:03 stopped
        "
        ));
    }
}

#[test]
fn somebody_else_over_the_line_does_not_stand_in_for_who_left() {
    check(
        "
        12:00  subscribe anna press     |
        12:00  subscribe ben press      |
        12:00  press  12:00  stopped    | opened 12:00 stopped; DOWN anna; DOWN ben
        12:01  unsubscribe anna press   | UNSUBSCRIBED anna
        12:02  press  12:02  running    | ended 12:00-12:02 stopped; RESTORED ben 12:00-12:02
    ",
    );
}

#[test]
fn who_was_not_told_leaves_without_a_word() {
    check(
        "
        12:00  subscribe anna press after 5m  |
        12:00  press  12:00  stopped          | opened 12:00 stopped
        12:01  unsubscribe anna press         |
        12:06  tick                           |
    ",
    );
}

#[test]
fn who_left_and_came_back_is_not_told_again_of_the_same_incident() {
    check(
        "
        12:00  subscribe anna press             |
        12:00  press  12:00  stopped            | opened 12:00 stopped; DOWN anna
        12:01  unsubscribe anna press           | UNSUBSCRIBED anna
        12:02  subscribe anna press made 11:00  |
        12:03  press  12:03  running            | ended 12:00-12:03 stopped
        12:04  press  12:04  stopped            | opened 12:04 stopped; DOWN anna
    ",
    );
}

#[test]
fn edits_of_a_subscription_close_nothing() {
    check("
        12:00  subscribe anna press                      |
        12:00  press  12:00  stopped                     | opened 12:00 stopped; DOWN anna
        12:01  subscribe anna press after 2h made 12:00  |
        12:02  subscribe anna press only planned made 12:00 |
        12:03  press  12:03  running                     | ended 12:00-12:03 stopped; RESTORED anna 12:00-12:03
    ");
}

#[test]
fn an_edit_that_moves_the_deadline_holds_at_once() {
    check(
        "
        11:00  subscribe anna press after 2h             |
        12:00  press  12:00  stopped                     | opened 12:00 stopped
        12:30  tick                                      |
        12:30  subscribe anna press after 10m made 11:00 | DOWN anna
    ",
    );
    check(
        "
        11:00  subscribe anna press after 10m            |
        12:00  press  12:00  stopped                     | opened 12:00 stopped
        12:05  subscribe anna press after 1h made 11:00  |
        12:10  tick                                      |
        13:00  tick                                      | DOWN anna
    ",
    );
}

#[test]
fn a_line_that_moves_away_from_an_area_still_gets_its_close() {
    check(
        "
        12:00  line press path north    |
        12:00  subscribe anna north     |
        12:00  press  12:00  stopped    | opened 12:00 stopped; DOWN anna
        12:01  line press path south    |
        12:02  press  12:02  running    | ended 12:00-12:02 stopped; RESTORED anna 12:00-12:02
        12:03  press  12:03  stopped    | opened 12:03 stopped
    ",
    );
    check(
        "
        12:00  line press path north    |
        12:00  subscribe anna north     |
        12:00  press  12:00  stopped    | opened 12:00 stopped; DOWN anna
        12:01  remove press             |
        12:01  unsubscribe anna north   | UNSUBSCRIBED anna
    ",
    );
}

#[test]
fn a_line_that_moves_into_an_area_while_down_tells_those_who_were_there_before() {
    check(
        "
        11:00  subscribe anna south     |
        12:00  press  12:00  stopped    | opened 12:00 stopped
        12:01  line press path south    | DOWN anna
        12:02  press  12:02  running    | ended 12:00-12:02 stopped; RESTORED anna 12:00-12:02
    ",
    );
}

#[test]
fn whose_subscription_was_ended_while_no_worker_ran_is_released_on_restore() {
    use andon_domain::{Directory, FoldConfig, Restore};

    let mut world = check(
        "
        12:00  subscribe anna press     |
        12:00  press  12:00  stopped    | opened 12:00 stopped; DOWN anna
    ",
    );
    let mut restore = Restore::new(FoldConfig::default());
    for (key, value) in world.changelog() {
        restore.record(key, Some(value)).unwrap();
    }
    let control = restore.control().unwrap();
    assert_eq!((control.directory_offset, control.partitions), (7, 3));
    world.partition = restore.finish(&Directory::default());
    let drained = world.commit();
    assert_eq!(drained.commands.len(), 1);
    assert_eq!(drained.commands[0].kind.name(), "UNSUBSCRIBED");
    assert!(world.unclosed().is_empty());
}

#[test]
fn a_subscription_that_changes_nothing_for_a_line_down_writes_nothing() {
    use andon_domain::{DirectoryChange, SubscriberId, Subscription, SubscriptionId};

    let mut world = check(
        "
        12:00  subscribe anna press     |
        12:00  press  12:00  stopped    | opened 12:00 stopped; DOWN anna
    ",
    );
    let visited = |world: &mut crate::support::world::World| {
        let mut lines = 0;
        world.partition.drain();
        world.partition.visit_dirty(|_, _| lines += 1);
        lines
    };
    let subscriber_id = SubscriberId(uuid::Uuid::nil());
    let mut subscription = Subscription {
        id: SubscriptionId::derive(subscriber_id, "filler"),
        subscriber_id,
        node: "filler".to_owned(),
        notify_after_ms: 0,
        class: None,
        created_at: 0,
    };
    world.change_directory(DirectoryChange::Subscription(subscription.clone()));
    assert_eq!(visited(&mut world), 0);
    subscription.id = SubscriptionId::derive(subscriber_id, "press");
    subscription.node = "press".to_owned();
    world.change_directory(DirectoryChange::Subscription(subscription));
    assert_eq!(visited(&mut world), 1);
}
