//! Tables for the fold: which intervals come of which status changes.

mod bounds;
mod order;
mod output;
mod runs;
mod settings;
mod silence;

use crate::support::table::{interval_words, play};

/// Plays a table for its end alone: what its rows say came of them is not looked at.
fn intervals_in_the_end(table: &str) -> Vec<String> {
    play(table).intervals_of("press").iter().map(interval_words).collect()
}
