//! Arrays as other Avro libraries may write them: in several blocks, and with the size of a block before it.

use andon_domain::DirectoryChange;
use andon_schemas::{DirectoryError, decode_directory};

/// The path of a line's entry whose datum begins with these bytes.
fn path(array: &[u8]) -> Result<Vec<String>, DirectoryError> {
    let value = [&[0, 0, 0, 0, 6][..], array, &[0, 0, 0, 0, 0]].concat();
    decode_directory(b"line/a", Some(&value)).map(|change| match change {
        DirectoryChange::Line(_, entry) => entry.path,
        other => panic!("no line: {other:?}"),
    })
}

#[test]
fn an_array_may_come_in_blocks_with_or_without_their_size() {
    let ab = ["a".to_owned(), "b".to_owned()];
    // Zig-zag: 2 is 1, 4 is 2, 1 is -1, 3 is -2.
    for (what, array) in [
        ("one block", &[4, 2, b'a', 2, b'b', 0][..]),
        ("two blocks", &[2, 2, b'a', 2, 2, b'b', 0]),
        ("one block of 4 bytes", &[3, 8, 2, b'a', 2, b'b', 0]),
        ("two blocks, the first of 2 bytes", &[1, 4, 2, b'a', 2, 2, b'b', 0]),
    ] {
        assert_eq!(path(array).unwrap(), ab, "{what}");
    }
    assert_eq!(path(&[0]).unwrap(), [""; 0]);
}
