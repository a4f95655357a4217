//! `progress.v1`: how far a partition is.

use crate::avro::{Reader, put_long};
use crate::frame::{datum, put_frame};
use crate::{DecodeError, SchemaId};

/// Key of progress records in `line-changes`; no line id begins with NUL.
pub const PROGRESS_KEY: &[u8] = b"\0progress";

/// Appends a framed progress record with the partition's log time in ms.
pub fn encode_progress(log_time: i64, out: &mut Vec<u8>) {
    put_frame(out, SchemaId::ProgressV1);
    put_long(out, log_time);
}

/// Reads a framed progress record: the partition's log time in ms.
pub fn decode_progress(value: &[u8]) -> Result<i64, DecodeError> {
    let mut reader = Reader::new(datum(value, SchemaId::ProgressV1)?);
    let log_time = reader.long("log_time")?;
    reader.end()?;
    Ok(log_time)
}
