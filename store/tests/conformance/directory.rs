//! The directory: entries and subscriptions fenced by offset, and the lines under a node.

use andon_domain::{
    DirectoryChange, DowntimeClass, LineEntry, LineSettings, SubscriberId, Subscription, SubscriptionId,
};
use andon_store::{ViewBatch, Views};

use super::{Fixture, line, run, uuid};

fn entry(path: &[&str]) -> LineEntry {
    LineEntry {
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        settings: LineSettings::default(),
        is_retired: false,
    }
}

fn subscription(id: u128, subscriber: u128, node: &str) -> Subscription {
    Subscription {
        id: SubscriptionId(uuid(id)),
        subscriber_id: SubscriberId(uuid(subscriber)),
        node: node.to_owned(),
        notify_after_ms: 300_000,
        class: None,
        created_at: 1,
    }
}

fn write(views: &dyn Views, directory: Vec<(i64, DirectoryChange)>) {
    run(views.apply(&ViewBatch { directory, ..ViewBatch::default() })).unwrap();
}

pub(crate) fn an_entry_comes_back_as_it_was_written<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let whole = LineEntry {
        settings: LineSettings {
            allowed_lateness_ms: Some(86_400_000),
            events_max: Some(u32::MAX),
            degraded_is_down: Some(false),
            expect_signal_every_ms: Some(0),
        },
        is_retired: true,
        ..entry(&["plant", "hall ü", "", "a/b"])
    };
    let bare = entry(&[]);
    write(
        &*views,
        vec![
            (1, DirectoryChange::Line(line("whole"), whole.clone())),
            (2, DirectoryChange::Line(line("bare"), bare.clone())),
        ],
    );
    assert_eq!(run(views.line_entry(&line("whole"))).unwrap(), Some(whole));
    assert_eq!(run(views.line_entry(&line("bare"))).unwrap(), Some(bare));
    assert_eq!(run(views.line_entry(&line("nobody"))).unwrap(), None);
    for (number, class) in [(1, None), (2, Some(DowntimeClass::Planned)), (3, Some(DowntimeClass::Unplanned))]
    {
        let made = Subscription { class, ..subscription(number, 7, "plant") };
        write(&*views, vec![(number as i64, DirectoryChange::Subscription(made.clone()))]);
        assert_eq!(run(views.subscription(made.id)).unwrap(), Some(made));
    }
    assert_eq!(run(views.subscription(SubscriptionId(uuid(99)))).unwrap(), None);
}

pub(crate) fn a_higher_offset_wins_whatever_the_order<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    // (offsets of the batch, the offset that stands afterwards); the first name of the path tells them apart.
    for (offsets, stands) in
        [(vec![5_i64], 5), (vec![4], 5), (vec![7, 6], 7), (vec![7], 7), (vec![8, 10, 9], 10)]
    {
        let changes = offsets.iter().flat_map(|offset| {
            let made = Subscription { notify_after_ms: *offset, ..subscription(1, 7, "plant") };
            [
                (*offset, DirectoryChange::Line(line("a"), entry(&[&offset.to_string()]))),
                (*offset, DirectoryChange::Subscription(made)),
            ]
        });
        write(&*views, changes.collect());
        let stored = run(views.line_entry(&line("a"))).unwrap().unwrap();
        assert_eq!(stored.path, [stands.to_string()], "after {offsets:?}");
        let stored = run(views.subscription(SubscriptionId(uuid(1)))).unwrap().unwrap();
        assert_eq!(stored.notify_after_ms, stands, "after {offsets:?}");
    }
}

pub(crate) fn what_was_removed_stays_removed_when_an_older_record_comes_again<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let (a, id) = (line("a"), SubscriptionId(uuid(1)));
    let made = || DirectoryChange::Line(a.clone(), entry(&["plant", "a"]));
    let gone = || DirectoryChange::LineRemoved(a.clone());
    let subscribed = || DirectoryChange::Subscription(subscription(1, 7, "plant"));
    let left = || DirectoryChange::SubscriptionRemoved(id);
    for (offset, line_change, subscription_change, is_there) in [
        (5, gone(), left(), false),
        (4, made(), subscribed(), false),
        (6, made(), subscribed(), true),
        (5, gone(), left(), true),
        (7, gone(), left(), false),
        (6, made(), subscribed(), false),
        (8, made(), subscribed(), true),
    ] {
        write(&*views, vec![(offset, line_change), (offset, subscription_change)]);
        run(async {
            let found = (
                views.line_entry(&a).await.unwrap().is_some(),
                !views.lines_under("plant", 9).await.unwrap().is_empty(),
                !views.lines_under("a", 9).await.unwrap().is_empty(),
                views.subscription(id).await.unwrap().is_some(),
                !views.subscriptions_of(SubscriberId(uuid(7))).await.unwrap().is_empty(),
            );
            assert_eq!(found, (is_there, is_there, is_there, is_there, is_there), "after offset {offset}");
        });
    }
}

pub(crate) fn a_node_covers_its_own_lines_and_no_neighbour_that_begins_like_it<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let paths: [&[&str]; 8] = [
        &["a", "b", "press"],
        &["a", "b", "oven"],
        &["a", "bc", "saw"],
        &["a", "b-c", "lathe"],
        &["a", "b0", "mill"],
        &["a", "B", "drill"],
        &["a%", "b", "paint"],
        &["solo"],
    ];
    let changes = paths.iter().enumerate().map(|(offset, path)| {
        (offset as i64, DirectoryChange::Line(line(path.last().unwrap()), entry(path)))
    });
    write(&*views, changes.collect());
    for (node, wanted) in [
        ("a", &["drill", "lathe", "mill", "oven", "press", "saw"][..]),
        ("a/b", &["oven", "press"]),
        ("a/b/press", &["press"]),
        ("press", &["press"]),
        ("a/bc", &["saw"]),
        ("a/B", &["drill"]),
        ("a%", &["paint"]),
        ("a/", &[]),
        ("a/b/", &[]),
        ("b", &[]),
        ("a_", &[]),
        ("", &[]),
        ("solo", &["solo"]),
        ("a/b/press/x", &[]),
    ] {
        let found = run(views.lines_under(node, 100)).unwrap();
        let found: Vec<&str> = found.iter().map(|line| line.as_str()).collect();
        assert_eq!(found, wanted, "under `{node}`");
    }
    let found = run(views.lines_under("a", 2)).unwrap();
    assert_eq!(found, [line("drill"), line("lathe")], "the first ones, if there are more than the limit");
}

pub(crate) fn subscriptions_of_a_subscriber_are_ordered_by_node<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let all = [
        subscription(1, 7, "b"),
        subscription(2, 7, "a"),
        subscription(3, 8, "a"),
        subscription(4, 7, "a/b"),
    ];
    let changes = all.iter().map(|made| (1, DirectoryChange::Subscription(made.clone())));
    write(&*views, changes.collect());
    let of = |subscriber| run(views.subscriptions_of(SubscriberId(uuid(subscriber)))).unwrap();
    assert_eq!(of(7), [all[1].clone(), all[3].clone(), all[0].clone()]);
    assert_eq!(of(8), [all[2].clone()]);
    assert_eq!(of(9), []);
}

pub(crate) fn entries_of_many_lines_leave_out_those_that_have_none<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    write(
        &*views,
        vec![
            (1, DirectoryChange::Line(line("a"), entry(&["x", "a"]))),
            (2, DirectoryChange::Line(line("b"), entry(&["x", "b"]))),
            (3, DirectoryChange::LineRemoved(line("b"))),
            (4, DirectoryChange::Line(line("c"), entry(&["x", "c"]))),
        ],
    );
    let mut found = run(views.line_entries(&[line("c"), line("b"), line("nobody"), line("a")])).unwrap();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(found, [(line("a"), entry(&["x", "a"])), (line("c"), entry(&["x", "c"]))]);
}

pub(crate) fn pages_of_registered_lines_are_ordered_and_leave_out_what_was_removed<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    assert_eq!(run(views.registered(None, 9)).unwrap(), []);
    let settings = LineSettings { events_max: Some(7), ..LineSettings::default() };
    let settled = LineEntry { settings, is_retired: true, ..entry(&["y", "b"]) };
    write(
        &*views,
        vec![
            (1, DirectoryChange::Line(line("é"), entry(&["x", "é"]))),
            (2, DirectoryChange::Line(line("c"), entry(&["x", "c"]))),
            (3, DirectoryChange::Line(line("b"), settled.clone())),
            (4, DirectoryChange::Line(line("a"), entry(&["z", "a"]))),
            (5, DirectoryChange::LineRemoved(line("c"))),
        ],
    );
    let all = [(line("a"), entry(&["z", "a"])), (line("b"), settled), (line("é"), entry(&["x", "é"]))];
    for (after, limit, wanted) in [
        (None, 9, &all[..]),
        (None, 2, &all[..2]),
        (Some("a"), 9, &all[1..]),
        (Some("a"), 1, &all[1..2]),
        (Some("c"), 9, &all[2..]),
        (Some("é"), 9, &[]),
        (None, 0, &[]),
    ] {
        let after = after.map(line);
        assert_eq!(run(views.registered(after.as_ref(), limit)).unwrap(), wanted, "{after:?} {limit}");
    }
}
