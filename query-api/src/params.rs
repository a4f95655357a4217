//! Query parameters: known ones, each at most once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::Api;
use crate::cursor;
use crate::problem::{Problem, shown};

/// The parameters of a request.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        });
        let pairs: Option<Vec<_>> = pairs.collect();
        pairs.map(Self).ok_or_else(|| Problem::bad_request("the query is not percent-encoded UTF-8"))
    }
}

/// Percent-decodes a name or a value. Strict: what is read in place of bad bytes would be another name.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || u8::try_from(char::from(rest.next()?).to_digit(16)?).ok();
                digit()? << 4 | digit()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

impl Params {
    /// Refuses parameters that are not `known`, and repeated ones.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let names =
                    if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
                return Err(Problem::bad_request(format!(
                    "there is no parameter `{}` here; there are {names}",
                    shown(name)
                )));
            }
            if self.0[..index].iter().any(|(other, _)| other == name) {
                return Err(Problem::bad_request(format!("`{name}` stands twice")));
            }
        }
        Ok(())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn switch(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::bad_request(format!("`{name}` is `true` or `false`"))),
        }
    }

    pub(crate) fn instant(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.get(name)
            .map(crate::time::parse)
            .transpose()
            .map_err(|why| Problem::bad_request(format!("`{name}`: {why}")))
    }

    /// The window `[from, to)`; without bounds it is all of time.
    pub(crate) fn window(&self) -> Result<(i64, i64), Problem> {
        let from = self.instant("from")?.unwrap_or(i64::MIN);
        let to = self.instant("to")?.unwrap_or(i64::MAX);
        if from < to { Ok((from, to)) } else { Err(Problem::bad_request("`from` must lie before `to`")) }
    }

    /// Items of a page.
    pub(crate) fn limit(&self, api: &Api) -> Result<usize, Problem> {
        let max = api.config.page_max;
        match self.get("limit").map(str::parse::<usize>) {
            None => Ok(api.config.page_default.min(max)),
            Some(Ok(limit)) if (1..=max).contains(&limit) => Ok(limit),
            Some(_) => Err(Problem::bad_request(format!("`limit` is a whole number from 1 to {max}"))),
        }
    }

    /// All that says what is asked for: a cursor belongs to one such text. `path` tells routes apart.
    pub(crate) fn identity(&self, path: &str) -> String {
        let mut pairs: Vec<_> =
            self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit")).collect();
        pairs.sort();
        pairs.iter().fold(path.to_owned(), |text, (name, value)| format!("{text}\n{name}={value}"))
    }

    /// The key of the request's cursor, if it has one.
    pub(crate) fn cursor(&self, identity: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.get("cursor").map(|text| cursor::read(identity, text)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_strictly() {
        for (text, decoded) in [
            ("", Some("")),
            ("a+b%20c", Some("a b c")),
            ("%C3%A9%2f%2F", Some("é//")),
            ("%00", Some("\0")),
            ("%EF%BF%BD", Some("\u{fffd}")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%FF", None),
            ("%C3", None),
        ] {
            assert_eq!(decode(text).as_deref(), decoded, "{text}");
        }
    }
}
