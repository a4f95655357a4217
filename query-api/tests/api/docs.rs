//! Holds `docs/bad-input.md` to the tables of the tests, so that it cannot go stale.

use std::fmt::Write;
use std::path::Path;

use crate::{bad_input, bad_records, bad_requests};

const INTRODUCTION: &str = "\
# Bad input

Every refusal is a problem document (RFC 9457). Nothing of a refused request is stored. These tables are held by a test.
A body that is not there after 30 s is refused with 408. A 503 is no refusal: the same again is the same event.

## Status changes

What `POST /v1/line-status` answers. A refusal of rows lists them in `errors`, at most 1,000, each with `row`, `field` and
`detail`. Whether a time is late or in the future is not a matter of form: such an event is accepted, and becomes a dead
letter with its reason (`TOO_LATE`, `FUTURE_TIMESTAMP`) that `GET /v1/dead-letters` lists. A word in `source_status` that
no vocabulary maps is accepted as `UNKNOWN` and counted.

| input | as | answer | names |
|---|---|---|---|
";

const OTHERS: &str = "
## Everything else

| input | request | answer | names |
|---|---|---|---|
";

const RECORDS: &str = "
## Records of the log

What becomes of a record that another producer wrote into the log, or that is good in form and makes no sense to the fold. It
becomes a dead letter: its bytes are kept, `GET /v1/dead-letters` lists it, whoever mends the cause sends it again. The records
before and behind it are folded as if it were not there. Lines must be registered here (`lines.strict`).

| record | dead letter |
|---|---|
";

#[test]
fn the_tables_of_the_docs_are_those_of_the_tests() {
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    let mut wanted = String::from(INTRODUCTION);
    for (what, content_type, _, status, field) in bad_input::rows() {
        writeln!(wanted, "| {what} | {} | {status} | {} |", code(content_type), code(field)).unwrap();
    }
    wanted.push_str(OTHERS);
    for row in bad_requests::rows() {
        let bad_requests::Row { what, method, path, status, field, .. } = row;
        let mut path = path.replace('|', "\\|");
        if path.len() > 60 {
            path.truncate(57); // every path of the table is ASCII
            path.push_str("...");
        }
        writeln!(wanted, "| {what} | `{method} {path}` | {status} | {} |", code(field)).unwrap();
    }
    wanted.push_str(RECORDS);
    for row in bad_records::rows(1_767_592_800_000) {
        let reason =
            row.reason.map_or_else(|| "none: it is taken".to_owned(), |reason| format!("`{reason}`"));
        writeln!(wanted, "| {} | {reason} |", row.what).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/bad-input.md");
    if std::env::var_os("ANDON_TEST_UPDATE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "ANDON_TEST_UPDATE=1 writes it anew");
}
