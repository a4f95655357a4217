//! Cursors: where a page ends, bound to the query it belongs to. Opaque to whoever holds one.

use crate::problem::Problem;

const VERSION: u8 = 1;

/// A hash of a query (64-bit FNV-1a): cursors of another query are told apart, nobody is kept out by it.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The cursor behind `key` of the query.
pub(crate) fn write(query: &str, key: &[u8]) -> String {
    let mut text = String::with_capacity(18 + 2 * key.len());
    let head = hash(query.as_bytes()).to_be_bytes();
    for byte in [&[VERSION][..], &head, key].concat() {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The key of a cursor of the query.
pub(crate) fn read(query: &str, text: &str) -> Result<Vec<u8>, Problem> {
    let wrong = || {
        Problem::bad_request("`cursor` is none of this query; take `next_cursor` as it is, or leave it out")
    };
    if text.len() > 2_048 || !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            Some(digit(pair[0])? << 4 | digit(pair[1])?)
        })
        .collect();
    match bytes.ok_or_else(wrong)?.as_slice() {
        [VERSION, rest @ ..] if rest.len() >= 8 && rest[..8] == hash(query.as_bytes()).to_be_bytes() => {
            Ok(rest[8..].to_vec())
        }
        _ => Err(wrong()),
    }
}

/// A key of an instant and a text.
pub(crate) fn key(at: i64, text: &str) -> Vec<u8> {
    [&at.to_be_bytes()[..], text.as_bytes()].concat()
}

/// The opposite of [`key`].
pub(crate) fn split_key(key: &[u8]) -> Option<(i64, &str)> {
    let (at, text) = key.split_first_chunk::<8>()?;
    Some((i64::from_be_bytes(*at), std::str::from_utf8(text).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_its_own_query_alone() {
        let cursor = write("a=1", &key(-5, "línea"));
        assert_eq!(split_key(&read("a=1", &cursor).unwrap()), Some((-5, "línea")));
        assert!(read("a=2", &cursor).is_err());
        for text in ["", "0", "zz", "01", &cursor[..10], &cursor.replace('0', "é")] {
            assert!(read("a=1", text).is_err(), "{text}");
        }
    }
}
