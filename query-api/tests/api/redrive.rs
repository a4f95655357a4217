//! What sending a dead letter again puts into the log: the original bytes and that it was sent, in one append.

use andon_log::{Topic, decode_headers, encode_headers};
use andon_query_api::ApiConfig;
use andon_schemas::{DeadLetterReason, Resolution, decode_dead_letter_resolved};
use andon_store::{DeadLetterWrite, ViewBatch};
use serde_json::json;
use uuid::Uuid;

use crate::support::Fixture;

/// Nobody follows the log here: what the views show is what a test writes into them.
fn plant_with(letters: &[DeadLetterWrite]) -> Fixture {
    let plant = Fixture::with(false, ApiConfig { settle_ms_max: 10, ..ApiConfig::default() });
    plant.apply(&ViewBatch { dead_letters: letters.to_vec(), ..ViewBatch::default() });
    plant
}

fn letter(number: u8, reason: DeadLetterReason) -> DeadLetterWrite {
    DeadLetterWrite {
        id: Uuid::from_bytes([number; 16]),
        reason: reason.name().to_owned(),
        error: "it does not decode".to_owned(),
        key: b"press-1".to_vec(),
        value: Some(vec![0, 0xff, number]),
        headers: Vec::new(),
        partition: 0,
        offset: number.into(),
        appended_at: 1_767_592_800_000 + i64::from(number),
        late: None,
    }
}

#[test]
fn original_bytes_and_the_resolution_are_one_append() {
    let headers = encode_headers(&[
        ("trace", b"\xff\x00"),
        ("x-redrive", b"2"),
        ("x-dlq-reason", b"DECODE"),
        ("__connect.errors.topic", b"andon.line-status"),
    ]);
    let letter = DeadLetterWrite { headers, ..letter(1, DeadLetterReason::Decode) };
    let plant = plant_with(std::slice::from_ref(&letter));
    let answer = plant.call("POST", &format!("/v1/dead-letters/{}/redrive", letter.id), "", "");
    assert_eq!(answer.status, 202, "the views do not show it yet: {}", answer.body);
    assert_eq!(answer.json()["resolved"]["how"], "redriven");

    let batches = plant.appends.batches.lock().unwrap();
    assert_eq!(batches.len(), 1);
    let outputs: Vec<_> = batches[0].iter().collect();
    assert_eq!(outputs.len(), 2);
    let (sent, resolved) = (&outputs[0], &outputs[1]);
    assert_eq!((sent.topic, sent.partition), (Topic::LineStatus, 0));
    assert_eq!((sent.key, sent.value), (letter.key.as_slice(), letter.value.as_deref()));
    let kept: Vec<(&str, &[u8])> = vec![("trace", b"\xff\x00"), ("x-redrive", b"3")];
    assert_eq!(decode_headers(sent.headers), kept);
    assert_eq!((resolved.topic, resolved.partition), (Topic::DeadLetters, 0));
    let resolved = decode_dead_letter_resolved(resolved.value.unwrap()).unwrap();
    assert_eq!((resolved.dead_letter_id, resolved.how), (letter.id, Resolution::Redriven));
}

#[test]
fn every_reason_but_too_late_can_be_sent_again_and_all_can_be_discarded() {
    for (number, reason) in (1..).zip(DeadLetterReason::ALL) {
        let letter = letter(number, reason);
        let plant = plant_with(std::slice::from_ref(&letter));
        let path = format!("/v1/dead-letters/{}", letter.id);
        let answer = plant.call("POST", &format!("{path}/redrive"), "", "");
        let appended = plant.appends.batches.lock().unwrap().len();
        if reason == DeadLetterReason::TooLate {
            assert_eq!((answer.status, appended), (409, 0));
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(answer.json()["detail"].as_str().unwrap().contains("TOO_LATE"), "{}", answer.body);
        } else {
            assert_eq!((answer.status, appended), (202, 1), "{}", reason.name());
        }
        let answer = plant.call("POST", &format!("{path}/discard"), "", "");
        assert_eq!(answer.status, 202, "{}", reason.name());
        let batches = plant.appends.batches.lock().unwrap();
        let outputs: Vec<_> = batches.last().unwrap().iter().collect();
        assert_eq!((outputs.len(), outputs[0].topic), (1, Topic::DeadLetters));
        let resolved = decode_dead_letter_resolved(outputs[0].value.unwrap()).unwrap();
        assert_eq!((resolved.dead_letter_id, resolved.how), (letter.id, Resolution::Discarded));
    }
}

#[test]
fn what_was_dealt_with_is_not_dealt_with_again() {
    let letter = letter(1, DeadLetterReason::Decode);
    let plant = plant_with(std::slice::from_ref(&letter));
    let how = andon_store::Resolution::Discarded;
    plant.apply(&ViewBatch { resolved: vec![(letter.id, how, 5, 9)], ..ViewBatch::default() });
    for action in ["redrive", "discard"] {
        let answer = plant.call("POST", &format!("/v1/dead-letters/{}/{action}", letter.id), "", "");
        assert_eq!(answer.status, 200, "{action}");
        let resolved = json!({ "how": "discarded", "at": "1970-01-01T00:00:00.005Z" });
        assert_eq!(answer.json()["resolved"], resolved, "{action}");
    }
    assert!(plant.appends.batches.lock().unwrap().is_empty());
}

#[test]
fn a_record_without_value_or_readable_key_goes_back_as_it_came() {
    let letter =
        DeadLetterWrite { key: b"\xff\xfe".to_vec(), value: None, ..letter(1, DeadLetterReason::Decode) };
    let plant = plant_with(std::slice::from_ref(&letter));
    let shown = plant.get(&format!("/v1/dead-letters/{}", letter.id)).json();
    assert_eq!((&shown["value_base64"], &shown["decoded"]), (&json!(null), &json!(null)));
    assert_eq!(plant.call("POST", &format!("/v1/dead-letters/{}/redrive", letter.id), "", "").status, 202);
    let records = plant.records(Topic::LineStatus);
    let record = records.iter().next().unwrap();
    assert_eq!((record.key, record.value), (b"\xff\xfe".as_slice(), None));
}

#[test]
fn lists_are_newest_first_whatever_the_page() {
    let letters: Vec<_> = (1..=9)
        .map(|number| {
            letter(
                number,
                if number % 3 == 0 { DeadLetterReason::Oversize } else { DeadLetterReason::Decode },
            )
        })
        .collect();
    let plant = plant_with(&letters);
    let how = andon_store::Resolution::Redriven;
    plant.apply(&ViewBatch { resolved: vec![(letters[4].id, how, 5, 99)], ..ViewBatch::default() });
    let numbers = |path: &str, limit| -> Vec<String> {
        plant.walk(path, limit).iter().map(|row| row["id"].as_str().unwrap()[..2].to_owned()).collect()
    };
    for limit in [1, 2, 3, 100] {
        assert_eq!(numbers("/v1/dead-letters", limit), ["09", "08", "07", "06", "04", "03", "02", "01"]);
        assert_eq!(numbers("/v1/dead-letters?resolved=true", limit).len(), 9);
        assert_eq!(numbers("/v1/dead-letters?reason=OVERSIZE", limit), ["09", "06", "03"]);
    }
}
