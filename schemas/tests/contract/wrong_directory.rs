//! Records of the directory that are refused.

use andon_domain::DirectoryChange;
use andon_schemas::{decode_directory, encode_directory};

use crate::samples;

const ENTRY: [u8; 5] = [0, 0, 0, 0, 6];
const KEY: &[u8] = b"subscription/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

/// What is said of the value of a line's entry with this datum.
fn of_entry(datum: &[u8]) -> String {
    decode_directory(b"line/a", Some(&[&ENTRY, datum].concat())).unwrap_err().to_string()
}

fn subscription() -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(encode_directory(&DirectoryChange::Subscription(samples::subscription()), &mut bytes));
    bytes
}

#[test]
fn a_key_that_is_none_of_ours_is_shown() {
    let long = [b"line/", &[0xff; 300][..]].concat();
    let shown = format!("line/{}", "\\xff".repeat(251));
    let table = [
        (&b""[..], "the key `` is neither `line/…` nor `subscription/…`".to_owned()),
        (b"window/1\n", "the key `window/1\\n` is neither `line/…` nor `subscription/…`".to_owned()),
        (b"line", "the key `line` is neither `line/…` nor `subscription/…`".to_owned()),
        (b"line/", "what follows `line/` in the key `line/` is not a line id".to_owned()),
        (b"line/a/b", "what follows `line/` in the key `line/a/b` is not a line id".to_owned()),
        (&long, format!("what follows `line/` in the key `{shown}` is not a line id")),
        (
            b"subscription/BBBBBBBB-bbbb-bbbb-bbbb-bbbbbbbbbbbb",
            "what follows `subscription/` in the key `subscription/BBBBBBBB-bbbb-bbbb-bbbb-bbbbbbbbbbbb` is not \
             a UUID in its canonical form"
                .to_owned(),
        ),
        (
            b"subscription/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            "what follows `subscription/` in the key `subscription/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` is not a \
             UUID in its canonical form"
                .to_owned(),
        ),
    ];
    for (key, expected) in table {
        for value in [None, Some(subscription())] {
            assert_eq!(decode_directory(key, value.as_deref()).expect_err(&expected).to_string(), expected);
        }
    }
}

#[test]
fn a_wrong_line_entry_says_what_is_wrong() {
    assert!(decode_directory(b"line/a", Some(&[&ENTRY[..], &[0, 0, 0, 0, 0, 0]].concat())).is_ok());
    let name = [&[2, 0x92, 3][..], &[b'x'; 201]].concat();
    let table = [
        (&[][..], "field `path`: the value ends too early"),
        (&[66], "field `path`: length 33 is above the limit of 32"),
        (&name, "field `path`: length 201 is above the limit of 200"),
        (&[0, 2, 0, 2, 1], "field `events_max`: -1 is not from 0 to 4294967295"),
        (
            &[0, 0, 2, 0x80, 0x80, 0x80, 0x80, 0x20],
            "field `events_max`: 4294967296 is not from 0 to 4294967295",
        ),
        (&[0, 0, 0, 4], "field `degraded_is_down`: the union has no branch 2"),
        (&[0, 0, 0, 2, 2], "field `degraded_is_down`: byte 2 is no boolean"),
        (&[0, 0, 0, 0, 0], "field `is_retired`: the value ends too early"),
        (&[0, 0, 0, 0, 0, 3], "field `is_retired`: byte 3 is no boolean"),
        (&[0, 0, 0, 0, 0, 0, 0], "field `the datum`: 1 bytes follow the last field"),
    ];
    for (datum, expected) in table {
        assert_eq!(of_entry(datum), expected);
    }
}

#[test]
fn a_wrong_subscription_says_what_is_wrong() {
    let says = |value: &[u8]| decode_directory(KEY, Some(value)).unwrap_err().to_string();
    assert_eq!(says(&ENTRY), "the value has schema `line-entry.v1`, `subscription.v1` is needed");
    let whole = subscription();
    // The class stands before the 6 bytes of `created_at`.
    let class = whole.len() - 7;
    let with = |at: usize, byte: u8| {
        let mut value = whole.clone();
        value[at] = byte;
        value
    };
    assert_eq!(says(&with(class, 4)), "field `class`: the enum has no symbol 2");
    assert_eq!(says(&with(class - 1, 4)), "field `class`: the union has no branch 2");
    assert_eq!(
        says(&with(6, b'a')),
        "the key is that of subscription `bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb`, the value that of \
         `abbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb`"
    );
    let deep = DirectoryChange::Subscription(andon_domain::Subscription {
        node: "x".repeat(6_433),
        ..samples::subscription()
    });
    let mut value = Vec::new();
    assert!(encode_directory(&deep, &mut value));
    assert_eq!(says(&value), "field `node`: length 6433 is above the limit of 6432");
}
