//! A token as it is given out, once, and as it comes back: `andon_`, its id, its secret.

use std::fmt::Write;

use andon_domain::Millis;
use andon_store::{Token, TokenScope};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const PREFIX: &str = "andon_";

/// Hexadecimal digits of an id: 48 bits.
const ID_DIGITS: usize = 12;

/// Hexadecimal digits of a secret: 160 bits, so that a fast hash is enough to keep it by.
const SECRET_DIGITS: usize = 40;

/// A new token: its row for the accounts, and its text for whoever will use it. The text is nowhere else.
pub struct IssuedToken {
    /// The row.
    pub token: Token,
    /// What goes behind `Authorization: Bearer`. Never to be logged.
    pub text: String,
}

impl IssuedToken {
    /// Draws a new one.
    ///
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn draw(
        name: &str,
        scopes: &[TokenScope],
        now: Millis,
        expires_at: Option<Millis>,
    ) -> std::io::Result<Self> {
        let mut random = [0; (ID_DIGITS + SECRET_DIGITS) / 2];
        getrandom::fill(&mut random).map_err(std::io::Error::other)?;
        let (id, secret) = random.split_at(ID_DIGITS / 2);
        let (id, secret) = (hex(id), hex(secret));
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        let token = Token {
            id: id.clone(),
            name: name.to_owned(),
            scopes,
            secret_sha256: Sha256::digest(secret.as_bytes()).into(),
            created_at: now,
            expires_at,
            revoked_at: None,
        };
        Ok(Self { token, text: format!("{PREFIX}{id}_{secret}") })
    }
}

/// A token as somebody presents it.
pub(super) struct Presented<'a> {
    /// The half that it is looked up by.
    pub(super) id: &'a str,
    secret: &'a str,
}

impl<'a> Presented<'a> {
    /// Takes it apart, if it has the form of a token.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        (id.len() == ID_DIGITS && secret.len() == SECRET_DIGITS).then_some(Self { id, secret })
    }

    /// Whether it is that token, in a time that does not tell how much of it is right.
    pub(super) fn is(&self, token: &Token) -> bool {
        let hash: [u8; 32] = Sha256::digest(self.secret.as_bytes()).into();
        hash.ct_eq(&token.secret_sha256).into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_token_is_recognised_by_its_text_and_by_nothing_like_it() {
        let issued = IssuedToken::draw("board", &[TokenScope::Operate, TokenScope::Read], 1, None)
            .expect("there is randomness");
        assert_eq!(issued.token.scopes, [TokenScope::Read, TokenScope::Operate]);
        let text = &issued.text;
        assert_eq!(text.len(), 59);
        let is_it = |text: &str| Presented::parse(text).is_some_and(|shown| shown.is(&issued.token));
        assert!(is_it(text));
        for at in PREFIX.len() + ID_DIGITS + 1..text.len() {
            let mut other = text.clone();
            let flipped = if &text[at..=at] == "0" { "1" } else { "0" };
            other.replace_range(at..=at, flipped);
            assert!(!is_it(&other), "{at}");
        }
        for other in ["", "andon_", "andon__", &text[1..], &text[..58], &format!("{text}0")] {
            assert!(!is_it(other), "{other}");
        }
        let again = IssuedToken::draw("board", &[], 1, None).expect("there is randomness");
        assert_ne!(again.token.id, issued.token.id);
        assert!(!again.text.contains(&hex(&again.token.secret_sha256)));
    }
}
