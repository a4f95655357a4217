//! What every adapter of the store must do, whatever lies below it. A fixture opens an empty store of one adapter;
//! `conformance!` makes a test of each function here. Nothing here may name an adapter.

pub(crate) mod dead_letters;
pub(crate) mod directory;
pub(crate) mod ledger;
pub(crate) mod rows;
pub(crate) mod secrets;
pub(crate) mod subscribers;
pub(crate) mod tokens;
pub(crate) mod window;

use std::future::Future;
use std::sync::Arc;

use andon_domain::{Interval, IntervalChange, Kind, LineClass, LineId, LineRow, LineStatus, Millis, Segment};
use andon_store::{Accounts, IntervalWrite, LineWrite, Position, Views};
use uuid::Uuid;

/// An adapter under test: each fixture is an empty store of its own.
pub(crate) trait Fixture {
    /// Makes an empty store.
    fn new() -> Self;

    /// A handle on the store's views; each call may open another one.
    fn views(&self) -> Arc<dyn Views>;

    /// A handle on the store's accounts; each call may open another one.
    fn accounts(&self) -> Arc<dyn Accounts>;

    /// Whether the bytes stand anywhere in what the store keeps on disk.
    fn keeps_bytes(&self, bytes: &[u8]) -> bool;
}

/// Runs a future to its end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) fn line(name: &str) -> LineId {
    LineId::new(name).unwrap()
}

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn position(stream: &str, partition: u32, offset: i64) -> Position {
    Position { stream: stream.to_owned(), partition, offset }
}

pub(crate) fn line_row(status: LineStatus, since: Millis) -> LineRow {
    LineRow {
        status,
        class: status.line_class(false),
        since,
        first_event_at: since - 1,
        last_event_at: since + 1,
        last_seen_at: since + 2,
        open_downtime_at: (status.line_class(false) == LineClass::Down).then_some(since),
        reason_code: Some("E7".into()),
        source_status: None,
    }
}

pub(crate) fn line_write(name: &str, version: i64, row: LineRow) -> LineWrite {
    LineWrite { line_id: line(name), version, row }
}

/// An interval of one segment, of the status that its kind is made of.
pub(crate) fn interval(kind: Kind, started_at: Millis, ended_at: Option<Millis>) -> Interval {
    let status = match kind {
        Kind::Down => LineStatus::Faulted,
        Kind::Idle => LineStatus::Idle,
        Kind::Unknown => LineStatus::Unknown,
    };
    let segment = Segment { started_at, status, reason_code: None, source_status: Some("word".into()) };
    Interval { kind, started_at, ended_at, segments: vec![segment] }
}

pub(crate) fn upsert(name: &str, version: i64, interval: Interval) -> IntervalWrite {
    IntervalWrite { line_id: line(name), version, change: IntervalChange::Upsert(interval) }
}

pub(crate) fn retract(name: &str, version: i64, kind: Kind, started_at: Millis) -> IntervalWrite {
    IntervalWrite { line_id: line(name), version, change: IntervalChange::Retract { kind, started_at } }
}

/// Makes one `#[test]` for each function of the suite, for the adapter of `$fixture`.
macro_rules! conformance {
    ($fixture:ident) => {
        conformance!($fixture, rows:
            the_newest_version_of_a_line_and_of_an_interval_wins_also_inside_one_batch
            a_whole_line_row_comes_back_as_it_was_written
            a_long_interval_comes_back_as_it_was_written
            any_order_and_any_duplication_of_batches_give_the_same_rows
            positions_and_progress_come_with_the_rows_and_never_go_back
            lines_are_listed_in_order_page_by_page_without_those_that_have_no_row
            an_id_finds_its_interval_a_retracted_one_and_never_anything_else
            an_interval_that_comes_back_after_its_retraction_is_current_again
        );
        conformance!($fixture, window:
            pages_of_any_window_are_what_a_search_through_everything_finds
            many_intervals_that_share_one_start_are_paged_by_line
            a_page_may_end_and_a_cursor_may_point_before_the_window
            the_look_back_steps_over_retracted_intervals
            the_look_back_takes_no_interval_of_another_kind_for_one_that_overlaps
            a_window_ends_before_its_end_and_an_interval_before_its_own
            an_empty_window_and_an_empty_page_hold_nothing
            a_scope_may_name_a_line_twice_and_lines_nobody_knows
            a_scope_of_more_lines_than_the_limit_is_refused
        );
        conformance!($fixture, directory:
            an_entry_comes_back_as_it_was_written
            a_higher_offset_wins_whatever_the_order
            what_was_removed_stays_removed_when_an_older_record_comes_again
            a_node_covers_its_own_lines_and_no_neighbour_that_begins_like_it
            subscriptions_of_a_subscriber_are_ordered_by_node
            entries_of_many_lines_leave_out_those_that_have_none
            pages_of_registered_lines_are_ordered_and_leave_out_what_was_removed
        );
        conformance!($fixture, dead_letters:
            a_dead_letter_is_counted_once_an_offset
            a_dead_letter_is_open_if_its_last_arrival_is_behind_its_last_resolution
            pages_are_newest_first_and_filters_hold
            a_late_status_is_redundant_exactly_if_the_views_say_the_same
            redundancy_sees_the_rows_of_its_own_batch
            the_last_arrival_decides_whether_a_dead_letter_is_redundant
        );
        conformance!($fixture, subscribers:
            an_address_belongs_to_one_subscriber
            of_many_who_bring_one_address_at_once_one_is_stored
            language_and_zone_can_be_changed
            the_sweep_lists_old_subscribers_page_by_page
            after_an_erasure_no_byte_of_the_address_is_left
            an_erasure_ends_what_is_queued_and_leaves_what_is_being_sent
        );
        conformance!($fixture, tokens:
            a_token_comes_back_as_it_was_stored_and_is_seen_by_every_handle
            a_name_belongs_to_one_living_token_and_an_id_to_one_for_ever
            a_token_is_revoked_once_by_its_name_or_its_id
            beyond_the_limit_those_that_ended_first_make_room
        );
        conformance!($fixture, ledger:
            a_delivery_is_entered_once_with_the_positions
            claims_come_in_the_order_of_due_time_creation_and_opening_before_close
            nothing_is_claimed_before_it_is_due
            two_owners_never_hold_one_delivery
            leases_can_be_ended_by_whoever_knows_that_nobody_else_lives
            an_expired_lease_is_taken_over_and_the_old_owner_changes_nothing_any_more
            a_delivery_that_leaves_is_marked_for_its_owner_alone
            the_facts_of_the_first_attempt_stay
            a_settled_delivery_is_final_and_a_queued_one_is_tried_again
            what_waits_is_counted_and_its_next_moment_is_known
            deliveries_of_an_incident_are_paged_by_subscriber_and_creation
            deliveries_of_a_line_are_paged_newest_first
            what_was_settled_long_ago_is_forgotten_in_portions
        );
        conformance!($fixture, secrets:
            a_secret_is_made_once_and_differs_by_name
            of_many_who_ask_for_a_secret_at_once_all_get_the_same
        );
    };
    ($fixture:ident, $part:ident: $($name:ident)+) => {
        mod $part {
            $(
                #[test]
                fn $name() {
                    super::conformance::$part::$name::<super::$fixture>();
                }
            )+
        }
    };
}
pub(crate) use conformance;
