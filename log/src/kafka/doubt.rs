//! What became of a commit without an answer, by the positions that the log has afterwards.

use crate::Offset;

/// What is known of one position of the commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    /// As it was before; none if this worker has not started the partition.
    pub(super) before: Option<Offset>,
    /// As the commit would have it.
    pub(super) wanted: Offset,
    /// As it is.
    pub(super) found: Offset,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Committed,
    Nothing,
    /// The positions do not say: none of them was to move, or somebody else has moved one.
    Unknown,
}

/// Positions move together and with the outputs, so where one was to move, they tell.
pub(super) fn verdict(positions: &[Position]) -> Verdict {
    let was_to_move = positions.iter().any(|position| position.before != Some(position.wanted));
    if was_to_move && positions.iter().all(|position| position.found == position.wanted) {
        Verdict::Committed
    } else if was_to_move && positions.iter().all(|position| position.before == Some(position.found)) {
        Verdict::Nothing
    } else {
        Verdict::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, Verdict, verdict};

    #[test]
    fn the_positions_tell_where_they_can() {
        use Verdict::{Committed, Nothing, Unknown};
        /// Before, wanted, found.
        type Offsets = (i64, i64, i64);
        let table: [(&[Offsets], Verdict); 9] = [
            (&[(5, 9, 9)], Committed),
            (&[(5, 9, 5)], Nothing),
            (&[(5, 9, 7)], Unknown), // somebody else's
            (&[(5, 5, 5)], Unknown), // it was not to move
            (&[], Unknown),
            (&[(5, 9, 9), (3, 3, 3)], Committed),
            (&[(5, 9, 5), (3, 3, 3)], Nothing),
            (&[(5, 9, 9), (3, 4, 3)], Unknown), // torn
            (&[(5, 9, 9), (3, 3, 8)], Unknown),
        ];
        for (positions, expected) in table {
            let all: Vec<_> = positions
                .iter()
                .map(|(before, wanted, found)| Position {
                    before: Some(*before),
                    wanted: *wanted,
                    found: *found,
                })
                .collect();
            assert_eq!(verdict(&all), expected, "{positions:?}");
        }
        let foreign = Position { before: None, wanted: 9, found: 5 };
        assert_eq!(verdict(&[foreign]), Unknown, "what was before is not known");
    }
}
