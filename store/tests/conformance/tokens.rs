//! Tokens: one living one a name, ended ones kept while there is room.

use andon_domain::Millis;
use andon_store::{Accounts, Error, TOKENS_MAX, Token, TokenInserted, TokenRevoked, TokenScope};

use super::{Fixture, run};

fn token(id: &str, name: &str, created_at: Millis) -> Token {
    Token {
        id: id.to_owned(),
        name: name.to_owned(),
        scopes: vec![TokenScope::Read, TokenScope::Operate],
        secret_sha256: std::array::from_fn(|at| at as u8 ^ id.len() as u8),
        created_at,
        expires_at: None,
        revoked_at: None,
    }
}

fn insert(accounts: &dyn Accounts, new: &Token) -> TokenInserted {
    run(accounts.insert_token(new, 100)).unwrap()
}

pub(crate) fn a_token_comes_back_as_it_was_stored_and_is_seen_by_every_handle<F: Fixture>() {
    let fixture = F::new();
    let other = fixture.accounts();
    assert_eq!(run(other.tokens()).unwrap(), []);
    let first = Token { expires_at: Some(700), ..token("b", "press hall", 1) };
    let second = Token { scopes: Vec::new(), ..token("a", "board", 2) };
    assert_eq!(insert(&*fixture.accounts(), &second), TokenInserted::New);
    assert_eq!(insert(&*fixture.accounts(), &first), TokenInserted::New);
    assert_eq!(run(other.tokens()).unwrap(), [first, second.clone()], "by creation");
    let revoked = Token { revoked_at: Some(50), ..second };
    assert_eq!(
        run(fixture.accounts().revoke_token("board", 50)).unwrap(),
        TokenRevoked::Revoked(revoked.clone())
    );
    assert_eq!(run(other.tokens()).unwrap()[1], revoked);
}

pub(crate) fn a_name_belongs_to_one_living_token_and_an_id_to_one_for_ever<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    assert_eq!(insert(&*accounts, &token("a", "board", 1)), TokenInserted::New);
    for (id, name) in [("b", "board"), ("a", "other"), ("a", "board")] {
        assert_eq!(insert(&*accounts, &token(id, name, 2)), TokenInserted::Taken, "{id} {name}");
    }
    run(accounts.revoke_token("board", 3)).unwrap();
    assert_eq!(insert(&*accounts, &token("a", "board", 4)), TokenInserted::Taken);
    assert_eq!(insert(&*accounts, &token("b", "board", 4)), TokenInserted::New);
    assert_eq!(run(accounts.tokens()).unwrap().len(), 2);
}

pub(crate) fn a_token_is_revoked_once_by_its_name_or_its_id<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    // The second is named like the id of the first.
    for (id, name) in [("a", "board"), ("b", "a"), ("c", "gateway")] {
        insert(&*accounts, &token(id, name, 1));
    }
    let revoke = |name_or_id: &str| match run(accounts.revoke_token(name_or_id, 9)).unwrap() {
        TokenRevoked::Revoked(token) => Some(token.id),
        TokenRevoked::Unknown => None,
    };
    assert_eq!(revoke("a").as_deref(), Some("a"), "an id is tried before a name");
    assert_eq!(revoke("board"), None, "it is revoked already");
    assert_eq!(revoke("a").as_deref(), Some("b"));
    assert_eq!(revoke("gateway").as_deref(), Some("c"));
    assert_eq!(revoke("nobody"), None);
}

pub(crate) fn beyond_the_limit_those_that_ended_first_make_room<F: Fixture>() {
    let fixture = F::new();
    let accounts = fixture.accounts();
    let name = |number: usize| format!("t{number}");
    for number in 0..TOKENS_MAX {
        let mut new = token(&name(number), &name(number), number as Millis);
        // (ended at 90), (at 80 although it was to expire later), (ends after the insertion)
        new.expires_at = [Some(90), Some(200), Some(101)].get(number).copied().flatten();
        assert_eq!(insert(&*accounts, &new), TokenInserted::New);
    }
    run(accounts.revoke_token("t1", 80)).unwrap();
    for (number, gone) in [(TOKENS_MAX, "t1"), (TOKENS_MAX + 1, "t0")] {
        assert_eq!(insert(&*accounts, &token(&name(number), &name(number), 7)), TokenInserted::New);
        let tokens = run(accounts.tokens()).unwrap();
        assert_eq!(tokens.len(), TOKENS_MAX);
        assert!(tokens.iter().all(|token| token.id != gone), "{gone}");
    }
    let refused = run(accounts.insert_token(&token("x", "x", 7), 100)).unwrap_err();
    assert!(
        matches!(refused, Error::TooMany { what: "tokens", got: 1_001, limit: TOKENS_MAX }),
        "{refused:?}"
    );
    assert_eq!(run(accounts.tokens()).unwrap().len(), TOKENS_MAX);
}
