//! Links that need no login: whoever holds one may do what it says, and nothing else. They are signed, not stored, and
//! they do not expire: a mail from last year must still lead out. A token must never be logged.

use andon_domain::{LineId, SubscriberId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// First byte of every token; another layout has another one.
const VERSION: u8 = 1;

/// Signed together with the token, so that a link of another purpose never passes for this one.
const PURPOSE: &[u8] = b"andon unsubscribe\0";

const ID_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

/// The longest token, in characters: that of the longest line id.
const TOKEN_CHARS_MAX: usize = (1 + ID_BYTES + LineId::BYTES_MAX + TAG_BYTES).div_ceil(3) * 4;

/// The way out of the mails about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubscribeLink {
    /// Who wants no more.
    pub subscriber_id: SubscriberId,
    /// The line that the mail was about.
    pub line_id: LineId,
}

/// The key that links are signed with.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl std::fmt::Debug for LinkKey {
    /// Shows nothing of it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

/// A token that this key did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link is none of ours")]
pub struct ForgedLink;

impl LinkKey {
    /// The name of the secret in the accounts ([`crate::Accounts::secret`]).
    pub const SECRET: &'static str = "links";

    /// Takes the secret of that name.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The token of a link: base64url of (version, subscriber, line, HMAC-SHA256).
    pub fn sign(&self, link: &UnsubscribeLink) -> String {
        let line = link.line_id.as_str().as_bytes();
        let mut token = Vec::with_capacity(1 + ID_BYTES + line.len() + TAG_BYTES);
        token.push(VERSION);
        token.extend_from_slice(link.subscriber_id.0.as_bytes());
        token.extend_from_slice(line);
        let tag = self.mac(&token).finalize().into_bytes();
        token.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The link of a token.
    ///
    /// # Errors
    /// The token is not one that [`Self::sign`] made with this key. How it differs is not told.
    pub fn verify(&self, token: &str) -> Result<UnsubscribeLink, ForgedLink> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(ForgedLink);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| ForgedLink)?;
        let (payload, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or(ForgedLink)?;
        // Compares in constant time.
        self.mac(payload).verify_slice(tag).map_err(|_| ForgedLink)?;
        let [VERSION, rest @ ..] = payload else { return Err(ForgedLink) };
        let (id, line) = rest.split_first_chunk::<ID_BYTES>().ok_or(ForgedLink)?;
        let line = std::str::from_utf8(line).map_err(|_| ForgedLink)?;
        Ok(UnsubscribeLink {
            subscriber_id: SubscriberId(Uuid::from_bytes(*id)),
            line_id: LineId::new(line).map_err(|_| ForgedLink)?,
        })
    }

    fn mac(&self, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("an HMAC takes a key of any length");
        mac.update(PURPOSE);
        mac.update(payload);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(line: &str) -> UnsubscribeLink {
        UnsubscribeLink {
            subscriber_id: SubscriberId(Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)),
            line_id: LineId::new(line).unwrap(),
        }
    }

    #[test]
    fn a_token_leads_back_to_its_link_and_fits_into_a_url() {
        let key = LinkKey::new([7; 32]);
        for line in ["press-1", "a", "línea 3", "💥 <b>?&#", &"x".repeat(LineId::BYTES_MAX)] {
            let token = key.sign(&link(line));
            assert!(
                token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
                "{token}"
            );
            assert!(token.len() <= TOKEN_CHARS_MAX);
            assert_eq!(key.verify(&token), Ok(link(line)));
        }
    }

    /// Mails that were sent stay valid. The token is that of Python's `hmac`.
    #[test]
    fn an_old_token_still_leads_out() {
        let token = "AQARIjNEVWZ3iJmqu8zd7v9wcmVzcy0xvYF9EEqb-MeIGqEYh-Kx1vSZtq_h4bT-wlVQ0yqp6fU";
        assert_eq!(LinkKey::new([7; 32]).sign(&link("press-1")), token);
    }

    #[test]
    fn whatever_is_changed_in_a_token_makes_it_a_forgery() {
        let key = LinkKey::new([7; 32]);
        let token = key.sign(&link("press-1"));
        for at in 0..token.len() {
            for other in ['A', 'B', '-', '_', '9'] {
                let changed: String =
                    token.char_indices().map(|(i, c)| if i == at { other } else { c }).collect();
                if changed != token {
                    assert_eq!(key.verify(&changed), Err(ForgedLink), "{changed}");
                }
            }
        }
        for end in 0..token.len() {
            assert_eq!(key.verify(&token[..end]), Err(ForgedLink));
        }
        for other in [format!("{token}A"), format!("{token}="), format!(" {token}"), "A".repeat(1_000_000)] {
            assert_eq!(key.verify(&other), Err(ForgedLink));
        }
        assert_eq!(LinkKey::new([8; 32]).verify(&token), Err(ForgedLink), "another andon's key");
    }

    #[test]
    fn what_is_signed_but_no_link_is_refused() {
        let key = LinkKey::new([7; 32]);
        let id = [0; ID_BYTES];
        let payloads: [&[u8]; 5] = [
            b"",
            b"\x01short",
            &[&[1], &id[..], b"a/b"].concat(),
            &[&[1], &id[..], b"\xff"].concat(),
            &[&[2], &id[..], b"press-1"].concat(),
        ];
        for payload in payloads {
            let tag = key.mac(payload).finalize().into_bytes();
            let token = URL_SAFE_NO_PAD.encode([payload, &tag[..]].concat());
            assert_eq!(key.verify(&token), Err(ForgedLink), "{payload:?}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        assert_eq!(format!("{:?}", LinkKey::new([7; 32])), "LinkKey(..)");
    }
}
