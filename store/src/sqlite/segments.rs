//! The segments of an interval as one column. It must never change what a released version wrote: a new layout is
//! a new version byte.
//!
//! ```text
//! version 1 | number | per segment: head, start, new texts
//! head   low four bits: the status; two bits for the reason, two for the source status:
//!        0 none, 1 the same as in the segment before, 2 a new text follows
//! start  ms since the segment before, the first since the interval's start
//! ```
//! Numbers are LEB128, starts zigzag; a text is its length and its UTF-8 bytes.

use andon_domain::{LineStatus, Millis, Segment, Text};

use super::fault::Fault;

const VERSION: u8 = 1;
const ABSENT: u8 = 0;
const SAME: u8 = 1;
const NEW: u8 = 2;

/// Appends the encoding of `segments` to `bytes`.
pub(super) fn encode(started_at: Millis, segments: &[Segment], bytes: &mut Vec<u8>) {
    bytes.push(VERSION);
    put_number(bytes, segments.len() as u64);
    let mut before_at = started_at;
    let mut before: Option<&Segment> = None;
    for segment in segments {
        let reason = mark(&segment.reason_code, before.map(|segment| &segment.reason_code));
        let source = mark(&segment.source_status, before.map(|segment| &segment.source_status));
        bytes.push(segment.status as u8 | reason << 4 | source << 6);
        put_number(bytes, zigzag(segment.started_at.wrapping_sub(before_at)));
        put_new(bytes, reason, &segment.reason_code);
        put_new(bytes, source, &segment.source_status);
        before_at = segment.started_at;
        before = Some(segment);
    }
}

/// The opposite of [`encode`].
pub(super) fn decode(started_at: Millis, bytes: &[u8]) -> Result<Vec<Segment>, Fault> {
    let mut reader = Bytes(bytes);
    let version = reader.byte()?;
    if version != VERSION {
        return Err(broken(format!("version is {version}, known is {VERSION}")));
    }
    let number = reader.number()?;
    // A segment takes two bytes at least, so a larger number is broken, and must not reserve memory.
    let number = usize::try_from(number)
        .ok()
        .filter(|number| *number <= reader.0.len() / 2)
        .ok_or_else(|| broken(format!("{number} segments do not fit in {} bytes", reader.0.len())))?;
    let mut segments: Vec<Segment> = Vec::with_capacity(number);
    let mut before_at = started_at;
    for _ in 0..number {
        let head = reader.byte()?;
        let status = LineStatus::from_index(usize::from(head & 0b1111))
            .ok_or_else(|| broken(format!("no status has the number {}", head & 0b1111)))?;
        let started_at = before_at.wrapping_add(unzigzag(reader.number()?));
        let before = segments.last();
        let reason_code = reader.text(head >> 4 & 0b11, before.map(|segment| &segment.reason_code))?;
        let source_status = reader.text(head >> 6, before.map(|segment| &segment.source_status))?;
        segments.push(Segment { started_at, status, reason_code, source_status });
        before_at = started_at;
    }
    if reader.0.is_empty() {
        Ok(segments)
    } else {
        Err(broken(format!("{} bytes are left over", reader.0.len())))
    }
}

fn mark(text: &Text, before: Option<&Text>) -> u8 {
    match text {
        None => ABSENT,
        Some(_) if before == Some(text) => SAME,
        Some(_) => NEW,
    }
}

fn put_new(bytes: &mut Vec<u8>, mark: u8, text: &Text) {
    if let (NEW, Some(text)) = (mark, text) {
        put_number(bytes, text.len() as u64);
        bytes.extend_from_slice(text.as_bytes());
    }
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn broken(why: impl Into<String>) -> Fault {
    Fault::corrupt("list of segments", why)
}

/// What is left to decode.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.0.split_first().ok_or_else(|| broken("it ends early"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(broken("a number has more than 64 bits"))
    }

    fn text(&mut self, mark: u8, before: Option<&Text>) -> Result<Text, Fault> {
        match mark {
            ABSENT => Ok(None),
            SAME => match before {
                Some(Some(text)) => Ok(Some(text.clone())),
                _ => Err(broken("a text is the same as one that is not there")),
            },
            NEW => {
                let length = self.number()?;
                let (text, rest) = usize::try_from(length)
                    .ok()
                    .and_then(|length| self.0.split_at_checked(length))
                    .ok_or_else(|| broken(format!("a text of {length} bytes ends early")))?;
                self.0 = rest;
                let text = std::str::from_utf8(text).map_err(|error| broken(error.to_string()))?;
                Ok(Some(text.into()))
            }
            _ => Err(broken(format!("no text has the mark {mark}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_segment() -> impl Strategy<Value = Segment> {
        let text = || proptest::option::of("[ab\u{fc}]{0,2}");
        (any::<i64>(), 0..LineStatus::ALL.len(), text(), text()).prop_map(
            |(started_at, status, reason, source)| Segment {
                started_at,
                status: LineStatus::ALL[status],
                reason_code: reason.as_deref().map(Into::into),
                source_status: source.as_deref().map(Into::into),
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same_segments(
            started_at in any::<i64>(),
            segments in proptest::collection::vec(any_segment(), 0..20),
        ) {
            let mut bytes = Vec::new();
            encode(started_at, &segments, &mut bytes);
            prop_assert_eq!(decode(started_at, &bytes).unwrap(), segments);
        }

        #[test]
        fn a_cut_encoding_is_an_error(
            segments in proptest::collection::vec(any_segment(), 1..5),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            encode(0, &segments, &mut bytes);
            let cut = cut.index(bytes.len());
            prop_assert!(decode(0, &bytes[..cut]).is_err());
        }

        #[test]
        fn any_bytes_decode_or_are_refused_without_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let with_version = [&[VERSION], bytes.as_slice()].concat();
            for bytes in [bytes.as_slice(), with_version.as_slice()] {
                if let Err(fault) = decode(0, bytes) {
                    prop_assert!(matches!(fault, Fault::Corrupt { .. }), "{fault:?}");
                }
            }
        }
    }

    #[test]
    fn version_1_keeps_its_bytes() {
        let segment = |started_at, status, reason: Option<&str>| Segment {
            started_at,
            status,
            reason_code: reason.map(Into::into),
            source_status: Some("x".into()),
        };
        let segments = [
            segment(1_000, LineStatus::Faulted, None),
            segment(1_064, LineStatus::Stopped, Some("E7")),
            segment(1_065, LineStatus::Idle, Some("E7")),
        ];
        let mut bytes = Vec::new();
        encode(1_000, &segments, &mut bytes);
        assert_eq!(
            bytes,
            [1, 3, 0x85, 0, 1, b'x', 0x64, 0x80, 0x01, 2, b'E', b'7', 0x53, 2],
            "a released layout never changes; a new one has a new version"
        );
    }
}
