//! No bytes make a decoder panic, and a value that was cut is never taken for a whole one.

use andon_domain::DirectoryChange;
use andon_schemas::{
    SCHEMAS, SchemaId, decode_command, decode_dead_letter_resolved, decode_directory, decode_line_changed,
    decode_line_status_changed, decode_progress, encode_command, encode_dead_letter_resolved,
    encode_directory, encode_line_changed, encode_line_status_changed,
};
use proptest::prelude::*;

use crate::{encoded, samples, strategies};

const SUBSCRIPTION_KEY: &[u8] = b"subscription/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

/// Which decoders take a value.
fn taken_by(value: &[u8]) -> Vec<SchemaId> {
    let takes = [
        (SchemaId::LineStatusChangedV1, decode_line_status_changed(value).is_ok()),
        (SchemaId::LineChangedV1, decode_line_changed(value).is_ok()),
        (SchemaId::ProgressV1, decode_progress(value).is_ok()),
        (SchemaId::NotificationCommandV1, decode_command(value).is_ok()),
        (SchemaId::DeadLetterResolvedV1, decode_dead_letter_resolved(value).is_ok()),
        (SchemaId::LineEntryV1, decode_directory(b"line/press-1", Some(value)).is_ok()),
        (SchemaId::SubscriptionV1, decode_directory(SUBSCRIPTION_KEY, Some(value)).is_ok()),
    ];
    takes.into_iter().filter(|(_, is_taken)| *is_taken).map(|(id, _)| id).collect()
}

/// A framed value of each schema, in the order of their ids.
fn all() -> [Vec<u8>; SCHEMAS.len()] {
    let directory = |change| {
        let mut bytes = Vec::new();
        assert!(encode_directory(&change, &mut bytes));
        bytes
    };
    let mut progress = Vec::new();
    andon_schemas::encode_progress(samples::AT, &mut progress);
    [
        encoded(encode_line_status_changed, &samples::status_change()),
        encoded(encode_line_changed, &samples::line_changed()),
        progress,
        encoded(encode_command, &samples::command()),
        encoded(encode_dead_letter_resolved, &samples::resolved()),
        directory(DirectoryChange::Line(samples::line(), samples::line_entry())),
        directory(DirectoryChange::Subscription(samples::subscription())),
    ]
}

#[test]
fn a_value_is_taken_whole_by_the_decoder_of_its_schema_alone() {
    for (value, schema) in all().iter().zip(SCHEMAS) {
        assert_eq!(taken_by(value), [schema.id]);
        for end in 0..value.len() {
            assert_eq!(taken_by(&value[..end]), [], "{} up to byte {end}", schema.name);
        }
        assert_eq!(taken_by(&[value, &[0][..]].concat()), [], "{} and a byte", schema.name);
    }
}

#[test]
fn any_byte_of_a_value_may_be_any_other() {
    for (value, schema) in all().iter().zip(SCHEMAS) {
        for at in 5..value.len() {
            for byte in 0..=u8::MAX {
                let mut value = value.clone();
                value[at] = byte;
                let taken = taken_by(&value);
                assert!(taken.is_empty() || taken == [schema.id], "{} with {byte} at {at}", schema.name);
            }
        }
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), id in 0_u32..9) {
        prop_assert!(taken_by(&bytes).len() <= 1);
        prop_assert!(taken_by(&[&[0][..], &id.to_be_bytes(), &bytes].concat()).len() <= 1);
        drop(decode_directory(&bytes, None));
        drop(decode_directory(&bytes, Some(&bytes)));
    }

    #[test]
    fn values_with_several_wrong_bytes_never_panic(
        change in strategies::status_change(), changed in strategies::line_changed(),
        command in strategies::command(),
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for (mut value, id) in [
            (encoded(encode_line_status_changed, &change.borrow()), SchemaId::LineStatusChangedV1),
            (encoded(encode_line_changed, &changed), SchemaId::LineChangedV1),
            (encoded(encode_command, &command), SchemaId::NotificationCommandV1),
        ] {
            for (at, byte) in &wrong {
                let at = 5 + at.index(value.len() - 5);
                value[at] = *byte;
            }
            let taken = taken_by(&value);
            prop_assert!(taken.is_empty() || taken == [id]);
        }
    }
}
