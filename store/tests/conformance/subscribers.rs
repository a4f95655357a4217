//! Addresses: one subscriber each, and gone for good when erased.

use andon_domain::{CommandKind, Millis, NotificationId, SubscriberId};
use andon_store::{Accounts, DeliveryState, NewSubscriber, Subscriber, SubscriberInserted};

use super::ledger::{claim, delivery};
use super::{Fixture, run, uuid};

fn new(id: u128, address: &str) -> NewSubscriber {
    NewSubscriber {
        subscriber: Subscriber {
            id: SubscriberId(uuid(id)),
            address: address.to_owned(),
            locale: "es".to_owned(),
            zone: "Europe/Madrid".to_owned(),
            created_at: id as Millis,
        },
        address_key: address.to_lowercase(),
    }
}

fn insert(accounts: &dyn Accounts, new: &NewSubscriber) -> SubscriberInserted {
    run(accounts.insert_subscriber(new)).unwrap()
}

pub(crate) fn an_address_belongs_to_one_subscriber<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    let (anna, again, bert) = (new(1, "Anna@plant"), new(2, "anna@Plant"), new(3, "bert@plant"));
    assert_eq!(insert(&*accounts, &anna), SubscriberInserted::New);
    assert_eq!(insert(&*accounts, &bert), SubscriberInserted::New);
    // Asked for again, the row is younger, and else the same.
    let asked_again = Subscriber { created_at: 2, ..anna.subscriber.clone() };
    assert_eq!(insert(&*accounts, &again), SubscriberInserted::Existing(asked_again.clone()));
    assert_eq!(insert(&*accounts, &anna), SubscriberInserted::Existing(asked_again.clone()), "never older");
    run(async {
        let by_id = |id| accounts.subscriber(SubscriberId(uuid(id)));
        assert_eq!(by_id(1).await.unwrap(), Some(asked_again.clone()));
        assert_eq!(by_id(2).await.unwrap(), None);
        assert_eq!(accounts.subscriber_by_address("anna@plant").await.unwrap(), Some(asked_again));
        assert_eq!(accounts.subscriber_by_address("bert@plant").await.unwrap(), Some(bert.subscriber));
        assert_eq!(accounts.subscriber_by_address("Anna@plant").await.unwrap(), None);
    });
}

pub(crate) fn of_many_who_bring_one_address_at_once_one_is_stored<F: Fixture>() {
    let fixture = F::new();
    let answers: Vec<SubscriberInserted> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=8_u128)
            .map(|id| {
                let accounts = fixture.accounts();
                scope.spawn(move || insert(&*accounts, &new(id, "anna@plant")))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let stored = run(fixture.accounts().subscriber_by_address("anna@plant")).unwrap().unwrap();
    let is_new = |answer: &&SubscriberInserted| **answer == SubscriberInserted::New;
    assert_eq!(answers.iter().filter(is_new).count(), 1);
    for answer in answers.iter().filter(|answer| !is_new(answer)) {
        assert!(matches!(answer, SubscriberInserted::Existing(known) if known.id == stored.id), "{answer:?}");
    }
}

pub(crate) fn language_and_zone_can_be_changed<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    let anna = new(1, "anna@plant");
    insert(&*accounts, &anna);
    run(async {
        let id = SubscriberId(uuid(1));
        assert!(accounts.update_subscriber(id, "en", "Europe/London").await.unwrap());
        assert!(!accounts.update_subscriber(SubscriberId(uuid(2)), "en", "Europe/London").await.unwrap());
        let wanted =
            Subscriber { locale: "en".to_owned(), zone: "Europe/London".to_owned(), ..anna.subscriber };
        assert_eq!(accounts.subscriber(id).await.unwrap(), Some(wanted));
    });
}

pub(crate) fn the_sweep_lists_old_subscribers_page_by_page<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    for id in [5, 1, 4, 2, 3, 9] {
        insert(&*accounts, &new(id, &format!("{id}@plant")));
    }
    let page = |after: Option<u128>| {
        let after = after.map(|id| SubscriberId(uuid(id)));
        run(accounts.subscribers_before(5, after, 2)).unwrap()
    };
    assert_eq!(page(None), [1, 2].map(|id| SubscriberId(uuid(id))));
    assert_eq!(page(Some(2)), [3, 4].map(|id| SubscriberId(uuid(id))));
    assert_eq!(page(Some(4)), []);
}

pub(crate) fn after_an_erasure_no_byte_of_the_address_is_left<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    // Enough for a tree of several levels, inserted out of order, so that addresses move between pages.
    let address = |number: u128| format!("person-{:04}-{number}@secret.example", number * 7_919 % 1_000);
    for number in 0..1_000 {
        insert(&*accounts, &new(number, &address(number)));
        if number % 3 == 0 {
            let id = SubscriberId(uuid(number));
            assert!(run(accounts.update_subscriber(id, "a-longer-locale", "America/Indiana/Knox")).unwrap());
        }
    }
    let erase = |number| run(accounts.erase_subscriber(SubscriberId(uuid(number)), 9)).unwrap();
    for number in (0..1_000).step_by(17) {
        assert!(erase(number));
        assert!(!erase(number), "it is gone already");
        assert!(!fixture.keeps_bytes(address(number).as_bytes()), "{} is still there", address(number));
        assert_eq!(run(accounts.subscriber(SubscriberId(uuid(number)))).unwrap(), None);
        assert_eq!(run(accounts.subscriber_by_address(&address(number))).unwrap(), None);
    }
    assert!(fixture.keeps_bytes(address(1).as_bytes()), "the search finds what is there");
    assert_eq!(insert(&*accounts, &new(5_000, &address(0))), SubscriberInserted::New);
}

pub(crate) fn an_erasure_ends_what_is_queued_and_leaves_what_is_being_sent<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    insert(&*accounts, &new(1, "anna@plant"));
    // (delivery, subscriber, due, first state, state after the erasure)
    let rows = [
        (1, 1, 10, DeliveryState::Queued, DeliveryState::Sending),
        (2, 1, 99, DeliveryState::Queued, DeliveryState::Erased),
        (3, 1, 99, DeliveryState::Expired, DeliveryState::Expired),
        (4, 2, 99, DeliveryState::Queued, DeliveryState::Queued),
    ];
    let deliveries = rows.map(|(id, subscriber, due_at, state, _)| {
        let mut new = delivery(id, 7, subscriber, CommandKind::Down, 1, due_at);
        new.state = state;
        new
    });
    run(async {
        accounts.accept(&deliveries, &[]).await.unwrap();
        assert_eq!(accounts.claim(&claim("one", 10, 20)).await.unwrap().len(), 1);
        assert!(accounts.erase_subscriber(SubscriberId(uuid(1)), 15).await.unwrap());
        for (id, _, _, _, wanted) in rows {
            let found = accounts.delivery(NotificationId(uuid(id))).await.unwrap().unwrap();
            assert_eq!(found.state, wanted, "delivery {id}");
            if wanted == DeliveryState::Erased {
                assert_eq!(found.settled_at, Some(15));
            }
        }
        assert_eq!(accounts.counts().await.unwrap().unsettled, 2);
    });
}
