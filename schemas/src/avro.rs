//! The primitives of Avro's binary encoding: what a codec here is made of, so that each reads like its schema.

use uuid::Uuid;

use crate::{DecodeError, Fault};

/// What is left of a datum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(datum: &'a [u8]) -> Self {
        Self { rest: datum }
    }

    /// A zig-zag variable-length number of at most 10 bytes.
    #[inline]
    pub(crate) fn long(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        match self.rest {
            // Lengths, branches and symbols: most numbers have one byte.
            [byte @ 0..=0x7f, rest @ ..] => {
                self.rest = rest;
                Ok(un_zig_zag(u64::from(*byte)))
            }
            _ => self.long_of_many(field),
        }
    }

    fn long_of_many(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        let mut value: u64 = 0;
        for (index, byte) in self.rest.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            if index == 9 && bits > 1 {
                break;
            }
            value |= bits << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[index + 1..];
                return Ok(un_zig_zag(value));
            }
        }
        Err(if self.rest.len() < 10 { Fault::Truncated.at(field) } else { Fault::Varint.at(field) })
    }

    /// A string of at most `bytes_max` bytes.
    pub(crate) fn string(&mut self, field: &'static str, bytes_max: usize) -> Result<&'a str, DecodeError> {
        let length = self.long(field)?;
        let length = usize::try_from(length).map_err(|_| Fault::Length { got: length }.at(field))?;
        if length > bytes_max {
            return Err(Fault::TooLong { got: length, limit: bytes_max }.at(field));
        }
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Fault::Truncated.at(field))?;
        self.rest = rest;
        std::str::from_utf8(bytes).map_err(|_| Fault::Utf8.at(field))
    }

    /// A union of null (first) and one type: whether there is a value.
    pub(crate) fn some(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        match self.long(field)? {
            0 => Ok(false),
            1 => Ok(true),
            got => Err(Fault::Branch { got }.at(field)),
        }
    }

    pub(crate) fn optional_string(
        &mut self,
        field: &'static str,
        bytes_max: usize,
    ) -> Result<Option<&'a str>, DecodeError> {
        if self.some(field)? { self.string(field, bytes_max).map(Some) } else { Ok(None) }
    }

    pub(crate) fn optional_long(&mut self, field: &'static str) -> Result<Option<i64>, DecodeError> {
        if self.some(field)? { self.long(field).map(Some) } else { Ok(None) }
    }

    pub(crate) fn boolean(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or(Fault::Truncated.at(field))?;
        self.rest = rest;
        match byte {
            0 => Ok(false),
            1 => Ok(true),
            got => Err(Fault::Boolean { got: *got }.at(field)),
        }
    }

    pub(crate) fn optional_boolean(&mut self, field: &'static str) -> Result<Option<bool>, DecodeError> {
        if self.some(field)? { self.boolean(field).map(Some) } else { Ok(None) }
    }

    /// The index of an enum's symbol, looked up by `symbol`.
    pub(crate) fn symbol<T>(
        &mut self,
        field: &'static str,
        symbol: impl FnOnce(usize) -> Option<T>,
    ) -> Result<T, DecodeError> {
        let got = self.long(field)?;
        usize::try_from(got).ok().and_then(symbol).ok_or(Fault::Symbol { got }.at(field))
    }

    /// A UUID as Avro's logical type over a string: 36 characters, lower case, with hyphens.
    pub(crate) fn uuid(&mut self, field: &'static str) -> Result<Uuid, DecodeError> {
        let length = self.long(field)?;
        if length < 0 {
            return Err(Fault::Length { got: length }.at(field));
        }
        // Another form of a UUID (in braces, as a URN) is a wrong text, not one that is too long.
        if length != UUID_BYTES as i64 {
            return Err(Fault::Uuid.at(field));
        }
        let (text, rest) = self.rest.split_first_chunk().ok_or(Fault::Truncated.at(field))?;
        self.rest = rest;
        parse_uuid(text).ok_or(Fault::Uuid.at(field))
    }

    /// Reads the items of an array, block by block; at most `items_max`.
    pub(crate) fn array(
        &mut self,
        field: &'static str,
        items_max: usize,
        mut item: impl FnMut(&mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let mut total: usize = 0;
        loop {
            let count = match self.long(field)? {
                0 => return Ok(()),
                // A negative count is followed by the size of the block, for those who want to skip it.
                count @ ..0 => {
                    self.long(field)?;
                    count.unsigned_abs()
                }
                count => count.unsigned_abs(),
            };
            total =
                usize::try_from(count).ok().and_then(|count| total.checked_add(count)).unwrap_or(usize::MAX);
            if total > items_max {
                return Err(Fault::TooLong { got: total, limit: items_max }.at(field));
            }
            for _ in 0..count {
                item(self)?;
            }
        }
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            got => Err(Fault::Trailing { got }.at("the datum")),
        }
    }
}

const fn un_zig_zag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// The length of a UUID in its canonical form.
const UUID_BYTES: usize = 36;

/// The value of each byte as a hexadecimal digit, lower case alone; 0xff for what is none.
const HEX: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// Where the digit pairs of a hyphenated UUID begin.
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// Reads the canonical form and nothing else, so that one id has one text.
pub(crate) fn parse_uuid(text: &[u8; UUID_BYTES]) -> Option<Uuid> {
    if [8, 13, 18, 23].iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let (mut bytes, mut wrong) = ([0_u8; 16], 0_u8);
    for (byte, at) in bytes.iter_mut().zip(PAIRS) {
        let (high, low) = (HEX[usize::from(text[at])], HEX[usize::from(text[at + 1])]);
        wrong |= high | low;
        *byte = high << 4 | (low & 0x0f);
    }
    (wrong < 0x10).then(|| Uuid::from_bytes(bytes))
}

pub(crate) fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(crate) fn put_index(out: &mut Vec<u8>, index: usize) {
    put_long(out, i64::try_from(index).expect("an index fits"));
}

pub(crate) fn put_string(out: &mut Vec<u8>, text: &str) {
    put_index(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn put_optional_string(out: &mut Vec<u8>, text: Option<&str>) {
    put_some(out, text, put_string);
}

pub(crate) fn put_optional_long(out: &mut Vec<u8>, value: Option<i64>) {
    put_some(out, value, put_long);
}

pub(crate) fn put_boolean(out: &mut Vec<u8>, value: bool) {
    out.push(u8::from(value));
}

pub(crate) fn put_optional_boolean(out: &mut Vec<u8>, value: Option<bool>) {
    put_some(out, value, put_boolean);
}

pub(crate) fn put_uuid(out: &mut Vec<u8>, id: Uuid) {
    put_string(out, id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}

fn put_some<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(2); // branch 1, zig-zag
            put(out, value);
        }
    }
}

/// One block of items and the end of the array.
pub(crate) fn put_array<T>(out: &mut Vec<u8>, items: &[T], mut put: impl FnMut(&mut Vec<u8>, &T)) {
    if !items.is_empty() {
        put_index(out, items.len());
        items.iter().for_each(|item| put(out, item));
    }
    out.push(0);
}
