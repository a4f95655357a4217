//! Checks a batch before anything of it is written.

use super::Shared;
use crate::{Error, Outputs};

/// Refuses a batch that is too large, has a record that is, or names a partition that is not there.
pub(super) fn check(
    shared: &Shared,
    records: &Outputs,
    records_max: usize,
    bytes_max: usize,
) -> Result<(), Error> {
    for (unit, got, limit) in
        [("records", records.len(), records_max), ("bytes", records.byte_len(), bytes_max.min(1 << 30))]
    {
        if got > limit {
            return Err(Error::TooLarge { unit, got, limit });
        }
    }
    let limit = shared.options.record_bytes_max;
    for record in records.iter() {
        shared.topics.check_partition(record.topic, record.partition)?;
        let got = record.key.len() + record.value.map_or(0, <[u8]>::len) + record.headers.len();
        if got > limit {
            return Err(Error::TooLarge { unit: "bytes in one record", got, limit });
        }
    }
    Ok(())
}
