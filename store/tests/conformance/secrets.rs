//! Secrets: made by whoever asks first, the same for everybody after.

use super::{Fixture, run};

pub(crate) fn a_secret_is_made_once_and_differs_by_name<F: Fixture>() {
    let fixture = F::new();
    let ask = |name: &str| run(fixture.accounts().secret(name)).unwrap();
    let links = ask("links");
    assert_eq!(ask("links"), links);
    assert_ne!(ask("bounces"), links);
    assert_ne!(links, [0; 32]);
    assert_ne!(run(F::new().accounts().secret("links")).unwrap(), links, "another store has another one");
}

pub(crate) fn of_many_who_ask_for_a_secret_at_once_all_get_the_same<F: Fixture>() {
    let fixture = F::new();
    let answers: Vec<[u8; 32]> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let accounts = fixture.accounts();
                scope.spawn(move || run(accounts.secret("links")).unwrap())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}
