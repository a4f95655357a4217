//! Records that are not folded go to the dead letters as they came, with what is wrong in their headers.

use andon_domain::Refusal;
use andon_log::{Outputs, Record, Topic, encode_headers};
use andon_schemas::{DeadLetterInfo, DeadLetterReason};

/// Who says so: the consumer group and this program's version.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) group: String,
    pub(crate) app_version: &'static str,
}

/// The dead-letter reason of a refusal.
pub(crate) fn reason_of(refusal: &Refusal) -> DeadLetterReason {
    match refusal {
        Refusal::TooLate { .. } => DeadLetterReason::TooLate,
        Refusal::FutureTimestamp { .. } => DeadLetterReason::FutureTimestamp,
        Refusal::UnknownLine { .. } => DeadLetterReason::UnknownLine,
        Refusal::LineId(_) => DeadLetterReason::Decode,
    }
}

/// Adds the dead letter of `record` to the outputs.
pub(crate) fn write(
    record: &Record<'_>,
    reason: DeadLetterReason,
    error: &str,
    origin: &Origin,
    outputs: &mut Outputs,
) {
    let info = DeadLetterInfo {
        reason,
        topic: Topic::LineStatus.name().to_owned(),
        partition: record.partition,
        offset: record.offset,
        timestamp: record.appended_at,
        group: origin.group.clone(),
        app_version: origin.app_version.to_owned(),
        error: error.to_owned(),
    };
    let added = info.to_headers();
    let mut headers = record.headers();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    outputs.push_with_headers(
        Topic::DeadLetters,
        record.partition,
        record.key,
        record.value,
        &encode_headers(&headers),
    );
}
