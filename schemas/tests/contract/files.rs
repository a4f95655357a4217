//! The schema files: which there are, that released ones stay as they are, and how they are written.

use std::collections::BTreeSet;

use andon_domain::LineStatus;
use andon_schemas::{SCHEMAS, SchemaId};
use apache_avro::Schema;
use apache_avro::schema_compatibility::SchemaCompatibility;
use serde_json::Value;

/// Number, name and fingerprint (FNV-1a, 64 bits, of the file's text) of every released schema. Lines are added here
/// and never changed: whatever was written under a number must be read by its schema for ever.
const RELEASED: [(u32, &str, u64); 7] = [
    (1, "line-status-changed.v1", 0x8fa3_5e8e_45b9_68d6),
    (2, "line-changed.v1", 0xdf4c_3f59_847e_3d48),
    (3, "progress.v1", 0xc566_c18c_61eb_28f3),
    (4, "notification-command.v1", 0x3269_09d4_fea7_45e8),
    (5, "dead-letter-resolved.v1", 0xb2bb_fe0e_98b4_b79a),
    (6, "line-entry.v1", 0x31fc_a1b1_422e_12e2),
    (7, "subscription.v1", 0xc66f_105d_8f98_ab2f),
];

fn fingerprint(text: &str) -> u64 {
    // A checkout may have turned the line ends.
    text.bytes().filter(|byte| *byte != b'\r').fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[test]
fn no_released_schema_changed() {
    let now = SCHEMAS.map(|schema| (schema.id as u32, schema.name, fingerprint(schema.text)));
    assert_eq!(now, RELEASED, "a released schema never changes: write a new version, in a new file");
    for schema in SCHEMAS {
        assert_eq!(schema.id.schema(), &schema);
    }
    assert_eq!(SchemaId::SubscriptionV1.schema().name, "subscription.v1");
}

#[test]
fn every_file_is_in_the_table() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/avro")).unwrap();
    let files: BTreeSet<String> =
        folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, SCHEMAS.iter().map(|schema| format!("{}.avsc", schema.name)).collect());
}

/// Every record and enum of a schema, with the name of the file.
fn types(name: &str, schema: &Value, each: &mut impl FnMut(&str, &Value)) {
    match schema {
        Value::Object(object) => {
            if matches!(object["type"].as_str(), Some("record" | "enum")) {
                each(name, schema);
            }
            for part in ["type", "items"].iter().filter_map(|key| object.get(*key)) {
                types(name, part, each);
            }
            for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
                types(name, field, each);
            }
        }
        Value::Array(branches) => branches.iter().for_each(|branch| types(name, branch, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn each_type(mut each: impl FnMut(&str, &Value)) {
    for schema in SCHEMAS {
        types(schema.name, &serde_json::from_str(schema.text).unwrap(), &mut each);
    }
}

/// Names of times that do not end in `_at`.
const OTHER_TIMES: [&str; 4] = ["since", "event_time", "log_time", "first_told_start"];

#[test]
fn every_record_and_field_is_explained_and_what_may_be_null_is_null_by_default() {
    let mut seen = 0;
    each_type(|file, schema| {
        let Some(fields) = schema["fields"].as_array() else { return };
        assert!(schema["doc"].as_str().is_some_and(|doc| doc.ends_with('.')), "{file}: {}", schema["name"]);
        for field in fields {
            seen += 1;
            let name = &field["name"];
            assert!(field["doc"].as_str().is_some_and(|doc| doc.ends_with('.')), "{file}: {name}");
            if let Some(branches) = field["type"].as_array() {
                assert!(branches.len() == 2 && branches[0] == "null", "{file}: {name} is no optional type");
                assert_eq!(field.get("default"), Some(&Value::Null), "{file}: {name}");
            }
            let plain = field["type"].get(1).unwrap_or(&field["type"]);
            let is_time = plain["logicalType"] == "timestamp-millis";
            let name = name.as_str().unwrap();
            let is_named_as_time = name == "at" || name.ends_with("_at") || OTHER_TIMES.contains(&name);
            assert_eq!(is_time, is_named_as_time, "{file}: {name}");
        }
    });
    assert_eq!(seen, 8 + 12 + 6 + 4 + 1 + 14 + 3 + 6 + 6);
}

#[test]
fn the_line_status_is_the_same_in_every_file_and_in_the_core() {
    let mut seen = 0;
    each_type(|file, schema| {
        if schema["name"] == "LineStatus" {
            seen += 1;
            assert_eq!(schema["symbols"], serde_json::json!(LineStatus::ALL.map(LineStatus::name)), "{file}");
            assert_eq!(schema["default"], "UNKNOWN", "{file}");
        }
    });
    assert_eq!(seen, 3);
}

/// The versions of each schema, oldest first.
fn versions() -> Vec<Vec<Schema>> {
    let parse = |text| Schema::parse_str(text).unwrap();
    let mut subjects: Vec<(&str, Vec<(u32, Schema)>)> = Vec::new();
    for schema in SCHEMAS {
        let (subject, version) = schema.name.rsplit_once(".v").unwrap();
        let version = (version.parse().unwrap(), parse(schema.text));
        match subjects.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, versions)) => versions.push(version),
            None => subjects.push((subject, vec![version])),
        }
    }
    subjects
        .into_iter()
        .map(|(subject, mut versions)| {
            versions.sort_by_key(|(version, _)| *version);
            let numbers = versions.iter().map(|(version, _)| *version);
            assert!(numbers.eq(1..=u32::try_from(versions.len()).unwrap()), "{subject} leaves a version out");
            versions.into_iter().map(|(_, schema)| schema).collect()
        })
        .collect()
}

#[test]
fn every_version_reads_all_that_were_written_before_it() {
    for versions in versions() {
        for (index, reader) in versions.iter().enumerate() {
            for writer in &versions[..=index] {
                SchemaCompatibility::can_read(writer, reader).unwrap();
            }
        }
    }
}

#[test]
fn a_version_that_could_not_read_the_one_before_would_be_noticed() {
    let written = Schema::parse_str(SchemaId::ProgressV1.schema().text).unwrap();
    let mut next: Value = serde_json::from_str(SchemaId::ProgressV1.schema().text).unwrap();
    let more = serde_json::json!({"name": "lag_ms", "type": "long"});
    next["fields"].as_array_mut().unwrap().push(more);
    let without_default = Schema::parse(&next).unwrap();
    assert!(SchemaCompatibility::can_read(&written, &without_default).is_err());
    next["fields"][1]["default"] = 0.into();
    let with_default = Schema::parse(&next).unwrap();
    assert!(SchemaCompatibility::can_read(&written, &with_default).is_ok());
}
