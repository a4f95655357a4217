//! Where a mail leads: the line's page and the way out, under the address that readers reach andon at.

use std::fmt;
use std::str::FromStr;

use andon_domain::{LineId, SubscriberId};
use andon_store::{LinkKey, UnsubscribeLink};

/// The longest public URL, in bytes: links must stay short enough for a header.
const URL_BYTES_MAX: usize = 200;

/// The address that readers reach andon at, as in `https://andon.plant.example`: scheme, host, perhaps a port and a
/// plain path, no slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// Why a text is no [`PublicUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no address like `https://andon.plant.example`: {why}", got.escape_debug())]
pub struct PublicUrlError {
    got: String,
    why: &'static str,
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let refused = |why| PublicUrlError { got: text.chars().take(URL_BYTES_MAX).collect(), why };
        if text.len() > URL_BYTES_MAX {
            return Err(refused("it has more than 200 bytes"));
        }
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or_else(|| refused("it begins with neither `https://` nor `http://`"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        check_authority(authority).map_err(refused)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        if !path.is_empty() && !path[1..].split('/').all(is_plain) {
            return Err(refused("its path is not plain; letters, digits and `-._~` are, and no `..`"));
        }
        Ok(Self(text.strip_suffix('/').unwrap_or(text).to_owned()))
    }
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0)
    };
    if port.is_some_and(|port| !is_port(port)) {
        return Err("its port is not from 1 to 65535");
    }
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }),
    };
    if is_host { Ok(()) } else { Err("its host is none; a user, a query and spaces have no place in it") }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes the links of mails.
#[derive(Debug, Clone)]
pub struct Links {
    url: PublicUrl,
    key: LinkKey,
}

impl Links {
    /// Links under `url`, signed with `key`.
    pub const fn new(url: PublicUrl, key: LinkKey) -> Self {
        Self { url, key }
    }

    /// Whether a mail program may unsubscribe by itself: RFC 8058 asks for `https`.
    pub(crate) fn has_one_click(&self) -> bool {
        self.url.0.starts_with("https://")
    }

    /// The page of a line.
    pub(crate) fn line_page(&self, line: &LineId) -> String {
        format!("{}/lines/{}", self.url, percent_encoded(line.as_str()))
    }

    /// The page on which a subscriber ends the mails about a line.
    pub(crate) fn unsubscribe(&self, subscriber_id: SubscriberId, line_id: &LineId) -> String {
        let token = self.key.sign(&UnsubscribeLink { subscriber_id, line_id: line_id.clone() });
        format!("{}/unsubscribe/{token}", self.url)
    }
}

/// A text as one segment of a path: all but the unreserved characters of RFC 3986 as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    // Alone they would be taken for steps up the path.
    match encoded.as_str() {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => encoded,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn plain_addresses_are_taken_and_lose_their_last_slash() {
        for (given, wanted) in [
            ("https://andon.plant.example", "https://andon.plant.example"),
            ("https://andon.plant.example/", "https://andon.plant.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
            ("http://localhost", "http://localhost"),
            ("https://plant.example/tools/andon_2/", "https://plant.example/tools/andon_2"),
        ] {
            assert_eq!(given.parse::<PublicUrl>().map(|url| url.to_string()), Ok(wanted.to_owned()));
        }
    }

    #[test]
    fn whatever_else_is_refused() {
        for given in [
            "",
            "andon.plant.example",
            "ftp://plant.example",
            "HTTPS://plant.example",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://a b",
            "https://a..b",
            "https://planta.españa",
            "https://user@plant.example",
            "https://user:secret@plant.example",
            "https://plant.example?x=1",
            "https://plant.example/?x=1",
            "https://plant.example/#x",
            "https://plant.example//x",
            "https://plant.example/../x",
            "https://plant.example/a%2fb",
            "https://plant.example/<b>",
            "https://plant.example\r\nX: y",
            "https://plant.example:0",
            "https://plant.example:65536",
            "https://plant.example:",
            "https://plant.example:+80",
            "http://[::1",
            "http://::1",
            "http://[zz]",
        ] {
            assert!(given.parse::<PublicUrl>().is_err(), "{given}");
        }
        assert!(format!("https://{}", "a".repeat(URL_BYTES_MAX)).parse::<PublicUrl>().is_err());
    }

    #[test]
    fn a_link_holds_whatever_a_line_is_called_and_leads_back_to_it() {
        let key = LinkKey::new([7; 32]);
        let links = Links::new("https://plant.example/andon".parse().unwrap(), key.clone());
        for (name, wanted) in [
            ("press-1", "press-1"),
            ("Press 1", "Press%201"),
            ("línea", "l%C3%ADnea"),
            ("a?b#c&d=\"<>", "a%3Fb%23c%26d%3D%22%3C%3E"),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("...", "..."),
        ] {
            let line = LineId::new(name).unwrap();
            assert_eq!(links.line_page(&line), format!("https://plant.example/andon/lines/{wanted}"));
            let subscriber_id = SubscriberId(Uuid::from_u128(5));
            let url = links.unsubscribe(subscriber_id, &line);
            let token = url.strip_prefix("https://plant.example/andon/unsubscribe/").unwrap();
            assert_eq!(key.verify(token), Ok(UnsubscribeLink { subscriber_id, line_id: line }));
        }
    }
}
