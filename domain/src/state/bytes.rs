//! Bytes of stored states: written into a vector, read from a slice. Reading never panics.

use uuid::Uuid;

use super::StateError;
use crate::Text;
use crate::texts::Texts;

/// The version of the encoding, the first byte of every record.
pub(super) const VERSION: u8 = 2;

pub(super) fn flags(bits: [bool; 8]) -> u8 {
    bits.into_iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(bit))
}

pub(super) fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

pub(super) fn put_usize(out: &mut Vec<u8>, value: usize) {
    put_u64(out, value as u64);
}

/// A length before the text, one more than it is; 0 for none.
pub(super) fn put_text(out: &mut Vec<u8>, text: &Text) {
    match text {
        None => out.push(0),
        Some(text) => {
            put_usize(out, text.len() + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Why bytes cannot be read, before it is known whose they are.
pub(super) enum Fault {
    Version(u8),
    Why(&'static str),
}

impl Fault {
    pub(super) fn of(self, key: &[u8]) -> StateError {
        match self {
            Self::Version(found) => StateError::Version { found },
            Self::Why(why) => StateError::Broken { key: key.escape_ascii().to_string(), why },
        }
    }
}

/// What is left to read.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Fault::Why("it ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Fault::Why("it ends too early"))?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn version(&mut self) -> Result<(), Fault> {
        match self.u8()? {
            VERSION => Ok(()),
            found => Err(Fault::Version(found)),
        }
    }

    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::Why("a number is too long"))
    }

    pub(super) fn i64(&mut self) -> Result<i64, Fault> {
        let value = self.u64()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A count of things of which each takes a byte at least.
    pub(super) fn usize(&mut self) -> Result<usize, Fault> {
        let value = usize::try_from(self.u64()?).map_err(|_| Fault::Why("a count is too large"))?;
        if value > self.0.len() {
            return Err(Fault::Why("a count is larger than what is left"));
        }
        Ok(value)
    }

    pub(super) fn text(&mut self, texts: &mut Texts) -> Result<Text, Fault> {
        let length = usize::try_from(self.u64()?).map_err(|_| Fault::Why("a text is too long"))?;
        let Some(length) = length.checked_sub(1) else { return Ok(None) };
        let text = std::str::from_utf8(self.bytes(length)?).map_err(|_| Fault::Why("a text is not UTF-8"))?;
        Ok(texts.share(Some(text)))
    }

    pub(super) fn uuid(&mut self) -> Result<Uuid, Fault> {
        self.array().map(Uuid::from_bytes)
    }

    pub(super) fn end(&self) -> Result<(), Fault> {
        if self.0.is_empty() { Ok(()) } else { Err(Fault::Why("it goes on too long")) }
    }
}
