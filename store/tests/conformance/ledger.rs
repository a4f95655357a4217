//! The delivery ledger: entered once, claimed under a lease, settled by the owner of the claim alone.

use std::collections::BTreeMap;

use andon_domain::{CommandKind, IncidentId, Millis, NotificationId, SubscriberId};
use andon_store::{
    Accounts, Claim, Delivery, DeliveryCounts, DeliveryState, Leaving, LineDeliveryQuery, NewDelivery,
    Settlement,
};

use super::{Fixture, line, position, run, uuid};

pub(crate) fn delivery(
    id: u128,
    incident: u128,
    subscriber: u128,
    kind: CommandKind,
    created_at: Millis,
    due_at: Millis,
) -> NewDelivery {
    NewDelivery {
        id: NotificationId(uuid(id)),
        incident_id: IncidentId(uuid(incident)),
        subscriber_id: SubscriberId(uuid(subscriber)),
        line_id: line("press 3"),
        kind,
        command: vec![0, 1, 255],
        created_at,
        state: DeliveryState::Queued,
        due_at,
        rule: "at_once".to_owned(),
    }
}

pub(crate) fn claim(owner: &str, now: Millis, lease_until: Millis) -> Claim {
    Claim { owner: owner.to_owned(), now, lease_until, limit: 100 }
}

fn settlement(id: u128, owner: &str, state: DeliveryState) -> Settlement {
    Settlement {
        id: NotificationId(uuid(id)),
        owner: owner.to_owned(),
        state,
        due_at: 500,
        rule: "settled".to_owned(),
        may_have_left: true,
        smtp_code: Some(250),
        is_attempt: true,
        now: 50,
    }
}

fn leaving(id: u128, facts: &str) -> Leaving {
    Leaving { id: NotificationId(uuid(id)), facts: facts.as_bytes().to_vec() }
}

/// One queued delivery, due at 10.
fn with_one<F: Fixture>() -> (F, std::sync::Arc<dyn Accounts>) {
    let fixture = F::new();
    let accounts = fixture.accounts();
    run(accounts.accept(&[delivery(1, 7, 1, CommandKind::Down, 5, 10)], &[])).unwrap();
    (fixture, accounts)
}

fn stored(accounts: &dyn Accounts, id: u128) -> Delivery {
    run(accounts.delivery(NotificationId(uuid(id)))).unwrap().unwrap()
}

fn ids(deliveries: &[Delivery]) -> Vec<u128> {
    deliveries.iter().map(|delivery| delivery.id.0.as_u128()).collect()
}

pub(crate) fn a_delivery_is_entered_once_with_the_positions<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    let first = delivery(1, 7, 1, CommandKind::Down, 5, 10);
    let other = NewDelivery { rule: "another".to_owned(), due_at: 99, ..first.clone() };
    let expired =
        NewDelivery { state: DeliveryState::Expired, ..delivery(2, 7, 1, CommandKind::Restored, 6, 11) };
    run(async {
        assert_eq!(accounts.positions().await.unwrap(), []);
        accounts.accept(&[first.clone(), other.clone()], &[position("commands", 0, 4)]).await.unwrap();
        accounts.accept(&[other, expired], &[position("commands", 0, 3)]).await.unwrap();
        assert_eq!(accounts.positions().await.unwrap(), [position("commands", 0, 4)]);
        accounts.accept(&[], &[position("commands", 0, 9), position("commands", 1, 2)]).await.unwrap();
        assert_eq!(
            accounts.positions().await.unwrap(),
            [position("commands", 0, 9), position("commands", 1, 2)]
        );
    });
    let wanted = Delivery {
        id: first.id,
        incident_id: first.incident_id,
        subscriber_id: first.subscriber_id,
        kind: CommandKind::Down,
        command: vec![0, 1, 255],
        created_at: 5,
        state: DeliveryState::Queued,
        due_at: 10,
        rule: "at_once".to_owned(),
        attempts: 0,
        may_have_left: false,
        smtp_code: None,
        settled_at: None,
        facts: None,
    };
    assert_eq!(stored(&*accounts, 1), wanted);
    let expired = stored(&*accounts, 2);
    assert_eq!((expired.state, expired.settled_at), (DeliveryState::Expired, Some(11)));
    assert_eq!(run(accounts.delivery(NotificationId(uuid(3)))).unwrap(), None);
}

pub(crate) fn claims_come_in_the_order_of_due_time_creation_and_opening_before_close<F: Fixture>() {
    use CommandKind::{Down, Restored, Withdrawn};
    let fixture = F::new();
    let accounts = fixture.accounts();
    let deliveries = [
        delivery(1, 7, 1, Restored, 5, 10),
        delivery(9, 7, 1, Down, 5, 10),
        delivery(3, 7, 2, Down, 4, 10),
        delivery(4, 7, 3, Down, 9, 9),
        delivery(5, 7, 4, Withdrawn, 1, 11),
        delivery(6, 7, 5, Down, 5, 10),
    ];
    run(accounts.accept(&deliveries, &[])).unwrap();
    let next = |limit| {
        let claimed = run(accounts.claim(&Claim { limit, ..claim("one", 20, 30) })).unwrap();
        for delivery in &claimed {
            assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Sending, 1));
        }
        ids(&claimed)
    };
    assert_eq!(next(0), []);
    assert_eq!(next(2), [4, 3]);
    assert_eq!(next(3), [6, 9, 1]);
    assert_eq!(next(9), [5]);
    assert_eq!(next(9), []);
}

pub(crate) fn nothing_is_claimed_before_it_is_due<F: Fixture>() {
    let (_fixture, accounts) = with_one::<F>();
    assert_eq!(run(accounts.claim(&claim("one", 9, 20))).unwrap(), []);
    assert_eq!(run(accounts.claim(&claim("one", 10, 20))).unwrap().len(), 1);
}

pub(crate) fn two_owners_never_hold_one_delivery<F: Fixture>() {
    let fixture = F::new();
    let deliveries: Vec<NewDelivery> =
        (0..200).map(|id| delivery(id, 7, id, CommandKind::Down, 5, 10)).collect();
    run(fixture.accounts().accept(&deliveries, &[])).unwrap();
    let claimed: Vec<Vec<u128>> = std::thread::scope(|scope| {
        let owners: Vec<_> = ["one", "two", "three"]
            .map(|owner| {
                let accounts = fixture.accounts();
                scope.spawn(move || {
                    let mut claimed = Vec::new();
                    loop {
                        let some = Claim { limit: 7, ..claim(owner, 10, 20) };
                        let some = run(accounts.claim(&some)).unwrap();
                        if some.is_empty() {
                            return claimed;
                        }
                        claimed.extend(ids(&some));
                    }
                })
            })
            .into_iter()
            .collect();
        owners.into_iter().map(|owner| owner.join().unwrap()).collect()
    });
    let mut times: BTreeMap<u128, usize> = BTreeMap::new();
    for id in claimed.iter().flatten() {
        *times.entry(*id).or_default() += 1;
    }
    assert_eq!(times.len(), 200, "each is claimed");
    assert!(times.values().all(|times| *times == 1), "by one owner: {times:?}");
}

pub(crate) fn leases_can_be_ended_by_whoever_knows_that_nobody_else_lives<F: Fixture>() {
    let (_fixture, accounts) = with_one::<F>();
    run(async {
        assert_eq!(accounts.end_leases(20).await.unwrap(), 0, "nothing is claimed");
        assert_eq!(ids(&accounts.claim(&claim("dead", 20, 1_000)).await.unwrap()), [1]);
        assert_eq!(ids(&accounts.claim(&claim("new", 21, 1_000)).await.unwrap()), []);
        assert_eq!(accounts.end_leases(22).await.unwrap(), 1);
        assert_eq!(ids(&accounts.claim(&claim("new", 22, 1_000)).await.unwrap()), [1]);
        assert_eq!(accounts.settle(&[settlement(1, "dead", DeliveryState::Sent)]).await.unwrap(), 0);
        assert_eq!(accounts.settle(&[settlement(1, "new", DeliveryState::Sent)]).await.unwrap(), 1);
        assert_eq!(accounts.end_leases(60).await.unwrap(), 0, "what is settled has no lease");
    });
}

pub(crate) fn an_expired_lease_is_taken_over_and_the_old_owner_changes_nothing_any_more<F: Fixture>() {
    let (_fixture, accounts) = with_one::<F>();
    run(async {
        assert_eq!(accounts.claim(&claim("one", 10, 20)).await.unwrap().len(), 1);
        assert_eq!(accounts.claim(&claim("two", 19, 40)).await.unwrap(), [], "the lease holds");
        let taken = accounts.claim(&claim("two", 20, 40)).await.unwrap();
        assert_eq!((ids(&taken), taken[0].attempts), (vec![1], 2));
        let late = settlement(1, "one", DeliveryState::Refused);
        assert_eq!(accounts.settle(&[late]).await.unwrap(), 0);
        assert_eq!(accounts.leaving("one", &[leaving(1, "of one")]).await.unwrap(), []);
        let untouched = accounts.delivery(NotificationId(uuid(1))).await.unwrap().unwrap();
        assert_eq!(untouched, taken[0], "the new owner's claim stands as it was");
        let sent = settlement(1, "two", DeliveryState::Sent);
        assert_eq!(accounts.settle(std::slice::from_ref(&sent)).await.unwrap(), 1);
        assert_eq!(accounts.settle(&[sent]).await.unwrap(), 0, "a second time settles nothing");
        assert_eq!(accounts.claim(&claim("three", 1_000, 2_000)).await.unwrap(), []);
    });
    assert_eq!(stored(&*accounts, 1).state, DeliveryState::Sent);
}

pub(crate) fn a_delivery_that_leaves_is_marked_for_its_owner_alone<F: Fixture>() {
    let (_fixture, accounts) = with_one::<F>();
    let both = [1, 2].map(|id| leaving(id, "first"));
    run(async {
        assert_eq!(accounts.leaving("one", &both).await.unwrap(), [], "it is not claimed");
        accounts.claim(&claim("one", 10, 20)).await.unwrap();
        assert_eq!(accounts.leaving("two", &both).await.unwrap(), []);
    });
    let untouched = stored(&*accounts, 1);
    assert_eq!((untouched.may_have_left, untouched.facts), (false, None));
    assert_eq!(run(accounts.leaving("one", &both)).unwrap(), [both[0].id]);
    assert!(stored(&*accounts, 1).may_have_left);
    let taken = run(accounts.claim(&claim("two", 20, 30))).unwrap();
    assert!(taken[0].may_have_left, "whoever takes over knows that it may have left");
    let surely_not = Settlement {
        may_have_left: false,
        smtp_code: Some(421),
        ..settlement(1, "two", DeliveryState::Queued)
    };
    run(accounts.settle(&[surely_not])).unwrap();
    assert!(!stored(&*accounts, 1).may_have_left);
}

pub(crate) fn the_facts_of_the_first_attempt_stay<F: Fixture>() {
    let (_fixture, accounts) = with_one::<F>();
    let facts = |delivery: &Delivery| delivery.facts.clone().map(|facts| String::from_utf8(facts).unwrap());
    let first = Some("first".to_owned());
    run(async {
        accounts.claim(&claim("one", 10, 20)).await.unwrap();
        accounts.leaving("one", &[leaving(1, "first")]).await.unwrap();
        let again = Settlement { may_have_left: false, ..settlement(1, "one", DeliveryState::Queued) };
        accounts.settle(&[again]).await.unwrap();
        let claimed = accounts.claim(&claim("two", 500, 600)).await.unwrap();
        assert_eq!(facts(&claimed[0]), first, "a claim brings them");
        let ours = accounts.leaving("two", &[leaving(1, "second")]).await.unwrap();
        assert_eq!(ours, [NotificationId(uuid(1))]);
        accounts.settle(&[settlement(1, "two", DeliveryState::Sent)]).await.unwrap();
    });
    assert_eq!(facts(&stored(&*accounts, 1)), first);

    let (_fixture, accounts) = with_one::<F>();
    run(async {
        accounts.claim(&claim("one", 10, 20)).await.unwrap();
        accounts.leaving("one", &[leaving(1, "")]).await.unwrap();
        accounts.leaving("one", &[leaving(1, "later")]).await.unwrap();
    });
    assert_eq!(facts(&stored(&*accounts, 1)), Some(String::new()), "none are facts too");
}

pub(crate) fn a_settled_delivery_is_final_and_a_queued_one_is_tried_again<F: Fixture>() {
    for state in DeliveryState::ALL.into_iter().filter(|state| state.is_final()) {
        let (_fixture, accounts) = with_one::<F>();
        run(async {
            let sent = settlement(1, "one", state);
            assert_eq!(accounts.settle(std::slice::from_ref(&sent)).await.unwrap(), 0, "it is not claimed");
            accounts.claim(&claim("one", 10, 20)).await.unwrap();
            let nothing = settlement(1, "one", DeliveryState::Sending);
            assert_eq!(accounts.settle(&[nothing]).await.unwrap(), 0);
            assert_eq!(accounts.settle(&[sent]).await.unwrap(), 1);
        });
        let found = stored(&*accounts, 1);
        assert_eq!((found.state, found.settled_at, found.due_at), (state, Some(50), 10));
        assert_eq!((found.rule.as_str(), found.smtp_code, found.attempts), ("settled", Some(250), 1));
    }
    let (_fixture, accounts) = with_one::<F>();
    run(async {
        accounts.claim(&claim("one", 10, 20)).await.unwrap();
        accounts.settle(&[settlement(1, "one", DeliveryState::Queued)]).await.unwrap();
        assert_eq!(accounts.claim(&claim("one", 499, 600)).await.unwrap(), []);
        let again = accounts.claim(&claim("one", 500, 600)).await.unwrap();
        assert_eq!((again[0].attempts, again[0].smtp_code, again[0].due_at), (2, Some(250), 500));
        let no_attempt = Settlement { is_attempt: false, ..settlement(1, "one", DeliveryState::Queued) };
        accounts.settle(&[no_attempt]).await.unwrap();
        let again = accounts.claim(&claim("one", 500, 600)).await.unwrap();
        assert_eq!(again[0].attempts, 2, "the claim before did not count");
        let without_code = Settlement { smtp_code: None, ..settlement(1, "one", DeliveryState::GaveUp) };
        accounts.settle(&[without_code]).await.unwrap();
    });
    assert_eq!(stored(&*accounts, 1).smtp_code, Some(250), "the last reply there was");
}

pub(crate) fn what_waits_is_counted_and_its_next_moment_is_known<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    let check = |unsettled, oldest_due_at, next_due_at| {
        let counts = run(accounts.counts()).unwrap();
        assert_eq!(counts, DeliveryCounts { unsettled, oldest_due_at });
        assert_eq!(run(accounts.next_due_at()).unwrap(), next_due_at);
    };
    check(0, None, None);
    let deliveries =
        [delivery(1, 7, 1, CommandKind::Down, 5, 10), delivery(2, 7, 2, CommandKind::Down, 5, 60)];
    run(accounts.accept(&deliveries, &[])).unwrap();
    check(2, Some(10), Some(10));
    run(accounts.claim(&claim("one", 10, 40))).unwrap();
    check(2, Some(10), Some(40));
    run(accounts.claim(&claim("two", 40, 90))).unwrap();
    check(2, Some(10), Some(60));
    run(accounts.settle(&[settlement(1, "two", DeliveryState::Sent)])).unwrap();
    check(1, Some(60), Some(60));
}

pub(crate) fn deliveries_of_an_incident_are_paged_by_subscriber_and_creation<F: Fixture>() {
    use CommandKind::{Down, Restored, Withdrawn};
    let fixture = F::new();
    let accounts = fixture.accounts();
    let deliveries = [
        delivery(8, 7, 1, Down, 5, 10),
        delivery(2, 7, 1, Restored, 9, 10),
        delivery(5, 7, 2, Withdrawn, 5, 10),
        delivery(6, 7, 2, Down, 5, 10),
        delivery(1, 7, 3, Down, 1, 10),
        delivery(9, 8, 1, Down, 5, 10),
    ];
    run(accounts.accept(&deliveries, &[])).unwrap();
    for limit in 1..=6 {
        let mut after = None;
        let mut found = Vec::new();
        loop {
            let page = run(accounts.deliveries_of(IncidentId(uuid(7)), after, limit)).unwrap();
            assert!(page.len() <= limit);
            found.extend(ids(&page));
            let Some(last) = page.last() else { break };
            after = Some((last.subscriber_id, last.id));
        }
        assert_eq!(found, [8, 2, 6, 5, 1], "in pages of {limit}");
    }
    assert_eq!(run(accounts.deliveries_of(IncidentId(uuid(99)), None, 9)).unwrap(), []);
}

pub(crate) fn deliveries_of_a_line_are_paged_newest_first<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    let about = |name: &str, id, created_at| NewDelivery {
        line_id: line(name),
        ..delivery(id, id, 1, CommandKind::Down, created_at, 10)
    };
    let entered = [
        about("a", 1, 5),
        about("a", 4, 6),
        about("a", 3, 6),
        about("b", 2, 6),
        about("a", 5, 7),
        about("a", 6, Millis::MIN),
    ];
    run(accounts.accept(&entered, &[])).unwrap();
    for (from, to, wanted) in [
        (Millis::MIN, Millis::MAX, vec![5, 4, 3, 1, 6]),
        (5, 7, vec![4, 3, 1]),
        (6, 7, vec![4, 3]),
        (7, 8, vec![5]),
        (8, 9, vec![]),
        (7, 5, vec![]),
    ] {
        for limit in [1, 2, 3, 9] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let query = LineDeliveryQuery { line_id: line("a"), from, to, after, limit };
                let page = run(accounts.deliveries_of_line(&query)).unwrap();
                assert!(page.len() <= limit);
                let Some(last) = page.last() else { break };
                after = Some((last.created_at, last.id));
                found.extend(ids(&page));
            }
            assert_eq!(found, wanted, "[{from}, {to}) in pages of {limit}");
        }
    }
}

pub(crate) fn what_was_settled_long_ago_is_forgotten_in_portions<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    let settled = |id, due_at| NewDelivery {
        state: DeliveryState::Dropped,
        ..delivery(id, 7, id, CommandKind::Down, 0, due_at)
    };
    let deliveries = [
        settled(1, 10),
        settled(2, 20),
        settled(3, 30),
        settled(4, 40),
        delivery(5, 7, 5, CommandKind::Down, 0, 0),
    ];
    run(accounts.accept(&deliveries, &[])).unwrap();
    let forget = |before, limit| run(accounts.forget_settled(before, limit)).unwrap();
    assert_eq!(forget(10, 9), 0);
    assert_eq!(forget(40, 2), 2);
    assert_eq!(forget(40, 2), 1);
    assert_eq!(forget(40, 2), 0);
    let left = run(accounts.deliveries_of(IncidentId(uuid(7)), None, 9)).unwrap();
    assert_eq!(ids(&left), [4, 5], "what is not settled is never forgotten");
}
