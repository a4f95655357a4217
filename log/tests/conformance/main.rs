//! The contract of the log's ports, held against every adapter. A test knows nothing of the adapter it runs on: one
//! that joins brings a [`fixture::Fixture`] and a line in the list at the end.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod adapters;
mod appending;
#[cfg(feature = "kafka")]
mod broker;
mod committing;
mod fixture;
#[cfg(feature = "kafka")]
mod kafka_fixture;
mod reading;
mod snapshots;

macro_rules! suite {
    ($adapter:ident, $fixture:expr, { $($part:ident :: $test:ident,)* }) => {
        mod $adapter {
            $(#[test]
            fn $test() {
                crate::$part::$test(&$fixture);
            })*
        }
    };
}

macro_rules! suites {
    (tests $tests:tt $($(#[$condition:meta])? $adapter:ident = $fixture:expr;)*) => {
        $($(#[$condition])? suite!($adapter, $fixture, $tests);)*
    };
}

suites! {
    tests {
        appending::each_record_gets_a_higher_offset,
        appending::concurrent_appenders_are_all_durable_and_each_in_order,
        appending::append_times_never_fall,
        appending::too_large_an_append_is_refused_with_both_numbers_and_leaves_nothing,
        appending::a_partition_that_is_not_there_is_refused_and_leaves_nothing,
        appending::an_append_that_failed_leaves_nothing,
        appending::an_empty_append_is_no_error,
        committing::a_partition_is_assigned_until_it_is_started,
        committing::records_come_in_order_and_whole,
        committing::a_read_is_bounded,
        committing::outputs_and_positions_are_committed_together,
        committing::what_was_not_committed_comes_again,
        committing::a_failed_commit_leaves_nothing_and_the_same_again_succeeds,
        committing::caught_up_says_the_truth_while_others_append,
        committing::a_partition_has_one_worker_at_a_time,
        committing::a_worker_that_has_no_partition_commits_nothing,
        committing::a_waiting_worker_wakes_when_something_is_appended,
        reading::a_reader_begins_at_any_offset,
        reading::bytes_come_back_as_they_were,
        reading::a_busy_topic_does_not_starve_another,
        reading::a_waiting_reader_wakes_when_something_is_committed,
        reading::a_wait_without_news_ends_with_caught_up,
        reading::the_directory_is_followed_with_the_newest_of_each_key_and_deletions,
        reading::a_commit_is_seen_whole_or_not_at_all,
        snapshots::a_snapshot_has_the_newest_of_each_key,
        snapshots::a_snapshot_is_of_the_instant_it_was_taken,
        snapshots::a_snapshot_larger_than_a_read_is_complete,
    }
    sqlite = crate::adapters::Sqlite::new();
    memory = crate::adapters::Memory::of_one_partition();
    memory_of_three_partitions_with_gaps_and_short_batches = crate::adapters::Memory::of_three_with_oddities();
    #[cfg(feature = "kafka")]
    kafka = crate::kafka_fixture::Kafka::of(1);
    #[cfg(feature = "kafka")]
    kafka_of_three_partitions = crate::kafka_fixture::Kafka::of(3);
}
