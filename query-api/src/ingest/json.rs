//! Rows as JSON: one object, an array of them, or one a line.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::Intake;
use super::row::{FIELDS, RawRow, RowError, wrong};
use crate::problem::{Problem, shown};

/// Reads a body that is one object or an array of objects.
pub(super) fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<(), Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let result =
        Rows(intake).deserialize(&mut deserializer).and_then(|rows| deserializer.end().map(|()| rows));
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(problem)) => Err(problem),
        Err(error) => Err(Problem::bad_request(format!("the body is no JSON of status changes: {error}"))),
    }
}

/// Reads a body of one object a line. Empty lines are passed over.
pub(super) fn read_lines(bytes: &[u8], intake: &mut Intake<'_>) -> Result<(), Problem> {
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        intake.next()?;
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        match Row.deserialize(&mut deserializer).and_then(|row| deserializer.end().map(|()| row)) {
            Ok(row) => row.hand_over(intake),
            Err(error) => {
                let detail = format!("the line is no JSON object: {error}");
                intake.refuse(&wrong("row", detail));
            }
        }
    }
    Ok(())
}

/// An object or an array of objects. The inner result is a refusal of the request as a whole.
struct Rows<'a, 'b>(&'a mut Intake<'b>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = Result<(), Problem>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = Result<(), Problem>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status change or an array of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let row = Row.visit_map(map)?;
        if let Err(problem) = self.0.next() {
            return Ok(Err(problem));
        }
        row.hand_over(self.0);
        Ok(Ok(()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while let Some(row) = items.next_element_seed(Row)? {
            if let Err(problem) = self.0.next() {
                // The rest is read all the same: whether it is JSON does not matter any more.
                while items.next_element::<de::IgnoredAny>()?.is_some() {}
                return Ok(Err(problem));
            }
            row.hand_over(self.0);
        }
        Ok(Ok(()))
    }
}

/// One object, or what is wrong with it.
struct Row;

/// The fields of an object, borrowed from the body where it has no escapes.
struct Fields<'de> {
    texts: [Option<Cow<'de, str>>; FIELDS.len()],
    error: Option<RowError>,
}

impl Fields<'_> {
    fn hand_over(&self, intake: &mut Intake<'_>) {
        match &self.error {
            Some(error) => intake.refuse(error),
            None => intake.take(&RawRow(std::array::from_fn(|index| self.texts[index].as_deref()))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Row {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status change")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields { texts: [const { None }; FIELDS.len()], error: None };
        let mut is_there = [false; FIELDS.len()];
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let value = map.next_value_seed(Scalar)?;
            let index = FIELDS.iter().position(|field| *field == name);
            let error = match (index, value) {
                (None, _) => {
                    let known = FIELDS.join("`, `");
                    Some(("row", format!("there is no field `{}`; there are `{known}`", shown(&name))))
                }
                (Some(index), _) if std::mem::replace(&mut is_there[index], true) => {
                    Some((FIELDS[index], "stands twice".to_owned()))
                }
                (Some(index), Text::Of(text)) => {
                    fields.texts[index] = Some(text);
                    None
                }
                (Some(_), Text::Null) => None,
                // A sequence is a number, the rest are texts.
                (Some(4), Text::Number(text)) => {
                    fields.texts[4] = Some(Cow::Owned(text));
                    None
                }
                (Some(index), Text::Number(_) | Text::Other) => {
                    let wanted = if index == 4 { "is no whole number of 64 bits" } else { "is no text" };
                    Some((FIELDS[index], wanted.to_owned()))
                }
            };
            if let Some((field, detail)) = error {
                fields.error.get_or_insert_with(|| wrong(field, detail));
            }
        }
        Ok(fields)
    }
}

/// The value of a field.
enum Text<'de> {
    Null,
    Of(Cow<'de, str>),
    Number(String),
    Other,
}

struct Scalar;

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = Text<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text::Of(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text::Of(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text::Null)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text::Number(number.to_string()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
        Ok(Text::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text<'de>, A::Error> {
        while items.next_element::<de::IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        while map.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }
}
