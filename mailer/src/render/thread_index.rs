//! `Thread-Index`: by this, and not by `References`, Outlook knows which messages belong together.

use andon_domain::{IncidentId, Millis};

/// Milliseconds from 1601, where FILETIME begins, to the Unix epoch.
const EPOCH_MS: i128 = 11_644_473_600_000;

/// FILETIME counts in 100 ns.
const TICKS_A_MS: i128 = 10_000;

/// The header block of MS-OXOMSG 2.2.1.3, without response levels: a one, the five highest bytes of the FILETIME of
/// `started_at`, and the incident as GUID, both big-endian. The same for every message of the thread.
pub(super) fn thread_index(incident: IncidentId, started_at: Millis) -> [u8; 22] {
    let ticks = (i128::from(started_at) + EPOCH_MS) * TICKS_A_MS;
    let ticks = u64::try_from(ticks.max(0)).unwrap_or(u64::MAX).to_be_bytes();
    let mut index = [0; 22];
    index[0] = 1;
    index[1..6].copy_from_slice(&ticks[..5]);
    index[6..].copy_from_slice(incident.0.as_bytes());
    index
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_index_is_a_one_five_bytes_of_time_and_the_incident() {
        let incident = IncidentId(Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
        // 2026-11-24T06:00:00Z is FILETIME 0x01dd_7bd9_0a2f_b000.
        #[rustfmt::skip]
        let wanted = [
            0x01,
            0x01, 0xdd, 0x7b, 0xd9, 0x0a,
            0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
            0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
        ];
        assert_eq!(thread_index(incident, 1_795_500_000_000), wanted);
    }

    #[test]
    fn the_time_is_where_exchange_writes_it() {
        // An index of Exchange, AQHWLRNo…, of 2020-05-18T12:54:02.647Z.
        let index = BASE64_STANDARD.encode(thread_index(IncidentId(Uuid::nil()), 1_589_806_442_647));
        assert!(index.starts_with("AQHWLRNo"), "{index}");
    }

    #[test]
    fn no_instant_overflows() {
        let incident = IncidentId(Uuid::nil());
        assert_eq!(thread_index(incident, i64::MIN)[..6], [1, 0, 0, 0, 0, 0]);
        assert_eq!(thread_index(incident, i64::MAX)[..6], [1, 255, 255, 255, 255, 255]);
    }
}
