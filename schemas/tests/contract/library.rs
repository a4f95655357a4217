//! Each codec against the `apache-avro` crate, both ways: what is written here reads there as the same fields, and the
//! library's bytes for those fields are the ones written here, which in turn read back as what they were made of.

use andon_domain::DirectoryChange;
use andon_schemas::{
    SchemaId, decode_command, decode_dead_letter_resolved, decode_directory, decode_line_changed,
    decode_line_status_changed, decode_progress, directory_key, encode_command, encode_dead_letter_resolved,
    encode_directory, encode_line_changed, encode_line_status_changed, encode_progress,
};
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use proptest::prelude::*;

use crate::{encoded, records, strategies};

/// Checks that the library reads `framed` as `expected` and nothing more, and writes `expected` as the same bytes.
fn agrees(framed: &[u8], id: SchemaId, expected: Value) {
    let (frame, datum) = framed.split_at(5);
    assert_eq!(frame, [&[0][..], &(id as u32).to_be_bytes()].concat());
    let schema = Schema::parse_str(id.schema().text).unwrap();
    let mut rest = datum;
    let reader = GenericDatumReader::builder(&schema).build().unwrap();
    assert_eq!(reader.read_value(&mut rest).unwrap(), expected);
    assert_eq!(rest, [0; 0], "the library leaves bytes");
    let writer = GenericDatumWriter::builder(&schema).build().unwrap();
    assert_eq!(writer.write_value_to_vec(expected).unwrap(), datum, "the library writes something else");
}

/// The library's framed bytes when it writes arrays in small blocks, each with its size.
fn in_blocks(id: SchemaId, value: Value) -> Vec<u8> {
    let schema = Schema::parse_str(id.schema().text).unwrap();
    let writer = GenericDatumWriter::builder(&schema).target_block_size(8).build().unwrap();
    [vec![0], (id as u32).to_be_bytes().to_vec(), writer.write_value_to_vec(value).unwrap()].concat()
}

proptest! {
    #[test]
    fn a_status_change_is_what_the_library_reads_and_writes(change in strategies::status_change()) {
        let change = change.borrow();
        let bytes = encoded(encode_line_status_changed, &change);
        prop_assert_eq!(decode_line_status_changed(&bytes), Ok(change));
        agrees(&bytes, SchemaId::LineStatusChangedV1, records::status_change(&change));
    }

    #[test]
    fn a_line_change_is_what_the_library_reads_and_writes(changed in strategies::line_changed()) {
        let bytes = encoded(encode_line_changed, &changed);
        agrees(&bytes, SchemaId::LineChangedV1, records::line_changed(&changed));
        let blocks = in_blocks(SchemaId::LineChangedV1, records::line_changed(&changed));
        prop_assert_eq!(decode_line_changed(&blocks), Ok(changed.clone()));
        prop_assert_eq!(decode_line_changed(&bytes), Ok(changed));
    }

    #[test]
    fn progress_is_what_the_library_reads_and_writes(log_time in strategies::number()) {
        let mut bytes = Vec::new();
        encode_progress(log_time, &mut bytes);
        prop_assert_eq!(decode_progress(&bytes), Ok(log_time));
        agrees(&bytes, SchemaId::ProgressV1, records::progress(log_time));
    }

    #[test]
    fn a_command_is_what_the_library_reads_and_writes(command in strategies::command()) {
        let bytes = encoded(encode_command, &command);
        agrees(&bytes, SchemaId::NotificationCommandV1, records::command(&command));
        prop_assert_eq!(decode_command(&bytes), Ok(command));
    }

    #[test]
    fn a_resolution_is_what_the_library_reads_and_writes(resolved in strategies::resolved()) {
        let bytes = encoded(encode_dead_letter_resolved, &resolved);
        prop_assert_eq!(decode_dead_letter_resolved(&bytes), Ok(resolved));
        agrees(&bytes, SchemaId::DeadLetterResolvedV1, records::dead_letter_resolved(&resolved));
    }

    #[test]
    fn a_directory_record_is_what_the_library_reads_and_writes(change in strategies::directory_change()) {
        let mut bytes = Vec::new();
        let has_value = encode_directory(&change, &mut bytes);
        match &change {
            DirectoryChange::Line(_, entry) => {
                agrees(&bytes, SchemaId::LineEntryV1, records::line_entry(entry));
            }
            DirectoryChange::Subscription(subscription) => {
                agrees(&bytes, SchemaId::SubscriptionV1, records::subscription(subscription));
            }
            DirectoryChange::LineRemoved(_) | DirectoryChange::SubscriptionRemoved(_) => {
                prop_assert!(!has_value && bytes.is_empty());
            }
        }
        let value = has_value.then_some(bytes.as_slice());
        prop_assert_eq!(decode_directory(&directory_key(&change), value), Ok(change));
    }
}
