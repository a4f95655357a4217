//! What a client hands back to go on where it stopped: opaque to it, positions over all partitions to us.

use andon_domain::Millis;
use andon_log::Offset;

/// The next offset of each slot: the partitions of `line-changes` in order, then the directory.
pub(super) type Positions = Vec<Offset>;

const VERSION: &str = "1";

/// The longest token that is read, in bytes: enough for some hundred partitions.
const BYTES_MAX: usize = 4_096;

/// Positions, and when they were given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// By the clock of whoever gave it out.
    pub(super) issued_at: Millis,
    /// Where to go on.
    pub(super) positions: Positions,
}

/// Writes a token.
pub(super) fn write(issued_at: Millis, positions: &[Offset]) -> String {
    positions.iter().fold(format!("{VERSION}.{issued_at:x}"), |text, position| format!("{text}.{position:x}"))
}

/// Reads one; none if it is no token of ours.
pub(super) fn read(text: &str) -> Option<Token> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let (VERSION, numbers) = text.split_once('.')? else { return None };
    let mut numbers =
        numbers.split('.').map(|digits| i64::from_str_radix(digits, 16).ok().filter(|number| *number >= 0));
    let issued_at = numbers.next()??;
    let positions = numbers.collect::<Option<Positions>>()?;
    Some(Token { issued_at, positions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_nothing_else_is() {
        let positions = vec![0, 17, i64::MAX];
        let text = write(1_767_592_800_000, &positions);
        assert_eq!(read(&text), Some(Token { issued_at: 1_767_592_800_000, positions }));
        for text in ["", "1", "1.", "2.5.5", "1.-5.5", "1.5.z", "1.5..5", "1.8000000000000000.1"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&format!("1.5{}", ".1".repeat(4_096))), None);
    }
}
