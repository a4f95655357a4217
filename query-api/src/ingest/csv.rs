//! Rows as CSV: the first one names the columns.

use super::Intake;
use super::row::{FIELDS, RawRow, wrong};
use crate::problem::{Problem, shown};

/// Reads a body of CSV.
pub(super) fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<(), Problem> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader
        .headers()
        .map_err(|error| Problem::bad_request(format!("the first row is no CSV of column names: {error}")))?
        .clone();
    let columns = columns(&header)?;
    let mut record = ::csv::ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| Problem::bad_request(format!("row {} is no CSV: {error}", intake.rows + 1)))?
    {
        intake.next()?;
        if record.len() != header.len() {
            let detail = format!("the row has {} fields, the first one has {}", record.len(), header.len());
            intake.refuse(&wrong("row", detail));
            continue;
        }
        let mut row = RawRow::default();
        let mut error = None;
        for (text, column) in record.iter().zip(&columns) {
            match std::str::from_utf8(text) {
                Ok(text) => row.0[*column] = Some(text),
                Err(_) => error = Some(wrong(FIELDS[*column], "is not UTF-8")),
            }
        }
        match error {
            Some(error) => intake.refuse(&error),
            None => intake.take(&row),
        }
    }
    Ok(())
}

/// The field of each column.
fn columns(header: &::csv::StringRecord) -> Result<Vec<usize>, Problem> {
    let mut columns = Vec::new();
    for name in header {
        let name = name.trim().trim_start_matches('\u{feff}');
        let index = FIELDS.iter().position(|field| *field == name).ok_or_else(|| {
            Problem::bad_request(format!(
                "there is no column `{}`; there are `{}`",
                shown(name),
                FIELDS.join("`, `")
            ))
        })?;
        if columns.contains(&index) {
            return Err(Problem::bad_request(format!("column `{name}` stands twice")));
        }
        columns.push(index);
    }
    Ok(columns)
}
