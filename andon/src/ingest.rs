//! `andon ingest`: a file of status changes, cut into requests, sent in order. Each request is tried again until it is
//! accepted or refused; sending a row twice changes nothing, so a doubt is no reason to stop.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::time::{Duration, Instant};

use andon_domain::Vocabulary;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Format, IngestArgs};
use crate::client::{Answer, Client};
use crate::config::duration_ms;
use crate::exit::Failure;

/// The largest request that is made: below the server's limit of 8 MiB.
const BODY_BYTES_MAX: usize = 7 << 20;

/// The longest line of a file.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// Rows that were accepted.
    pub(crate) rows: u64,
    /// Requests that were made, not counting those that were repeated.
    pub(crate) requests: u64,
}

/// Runs the command.
pub(crate) fn run(args: &IngestArgs) -> Result<(), Failure> {
    let vocabulary = Vocabulary::from_name(&args.vocabulary).ok_or_else(|| {
        let known: Vec<_> = Vocabulary::ALL.iter().map(|vocabulary| vocabulary.name()).collect();
        Failure::Usage(format!(
            "there is no vocabulary `{}`; known are {}",
            args.vocabulary,
            known.join(", ")
        ))
    })?;
    let retry_ms = duration_ms(&args.retry_for).map_err(Failure::Usage)?;
    let (mut input, size) = open(args)?;
    let format = match args.format {
        Some(format) => format,
        None => guess(args, &mut input)?,
    };
    let began = Instant::now();
    let bar = progress(size);
    let sender = Sender {
        client: Client::new(&args.url).with_token(&args.token)?,
        path: format!("/v1/line-status?vocabulary={}", vocabulary.name()),
        content_type: match format {
            Format::Csv => "text/csv",
            Format::Ndjson => "application/x-ndjson",
        },
        retry_for: Duration::from_millis(retry_ms.cast_unsigned()),
    };
    let rows_max = args.batch as usize;
    let result = match format {
        Format::Csv => send_csv(input, &sender, rows_max, &bar),
        Format::Ndjson => send_ndjson(input, &sender, rows_max, &bar),
    };
    bar.finish_and_clear();
    let sent = result?;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} status changes accepted in {} requests, {seconds:.1} s, {:.0}/s",
        sent.rows,
        sent.requests,
        sent.rows as f64 / seconds.max(0.001)
    );
    Ok(())
}

type Input = BufReader<Box<dyn Read>>;

fn open(args: &IngestArgs) -> Result<(Input, Option<u64>), Failure> {
    if args.file.as_os_str() == "-" {
        return Ok((BufReader::new(Box::new(std::io::stdin())), None));
    }
    let path = args.file.display();
    let file =
        File::open(&args.file).map_err(|error| Failure::Data(format!("could not open `{path}`: {error}")))?;
    let size = file.metadata().ok().map(|metadata| metadata.len());
    Ok((BufReader::with_capacity(1 << 16, Box::new(file)), size))
}

fn guess(args: &IngestArgs, input: &mut Input) -> Result<Format, Failure> {
    match args.file.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("jsonl" | "ndjson" | "json") => Ok(Format::Ndjson),
        _ => match input.fill_buf() {
            Ok([b'{', ..]) => Ok(Format::Ndjson),
            Ok(_) => Ok(Format::Csv),
            Err(error) => Err(Failure::Data(format!("could not read the input: {error}"))),
        },
    }
}

/// A bar on a terminal, nothing elsewhere: there the closing line says it all.
fn progress(size: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match size {
        Some(size) => {
            (ProgressBar::new(size), "{bar:30} {bytes}/{total_bytes}  {msg}  {bytes_per_sec}, {eta} left")
        }
        None => (ProgressBar::no_length(), "{spinner} {bytes}  {msg}"),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(ProgressStyle::with_template(template).expect("the template is valid"))
}

struct Sender {
    client: Client,
    path: String,
    content_type: &'static str,
    retry_for: Duration,
}

impl Sender {
    /// Sends one request until it is accepted or refused. `first_row` is the number in the file of its first row.
    fn send(&self, body: &[u8], first_row: u64, bar: &ProgressBar) -> Result<u64, Failure> {
        let began = Instant::now();
        let mut wait = Duration::from_millis(50);
        loop {
            let result = self.client.post(&self.path, self.content_type, body);
            let why = match result {
                Ok(answer) if answer.status == 202 => {
                    return Ok(answer.json()["accepted"].as_u64().unwrap_or(0));
                }
                Ok(answer) if matches!(answer.status, 429 | 503) => Failure::Unavailable(answer.problem()),
                Ok(answer) => return Err(refused(&answer, first_row)),
                Err(error) => self.client.unreachable(&error),
            };
            if began.elapsed() >= self.retry_for {
                return Err(why);
            }
            bar.set_message("waiting for andon");
            std::thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_secs(2));
        }
    }
}

/// What is wrong with which rows, by their number in the file.
fn refused(answer: &Answer, first_row: u64) -> Failure {
    let json = answer.json();
    let mut text = format!(
        "the request with rows from {first_row} on was refused, nothing of it was stored: {}",
        answer.problem()
    );
    for error in json["errors"].as_array().into_iter().flatten().take(10) {
        let row = error["row"].as_u64().map_or(first_row, |row| first_row + row.saturating_sub(1));
        let field = error["field"].as_str().unwrap_or("row");
        let detail = error["detail"].as_str().or(error["message"].as_str()).unwrap_or("is wrong");
        text.push_str(&format!("\n  row {row}, {field}: {detail}"));
    }
    Failure::Data(text)
}

/// Rows that wait to be sent.
struct Batch<'a> {
    sender: &'a Sender,
    bar: &'a ProgressBar,
    rows_max: usize,
    rows: usize,
    sent: Sent,
}

impl Batch<'_> {
    fn is_full(&self, bytes: usize) -> bool {
        self.rows >= self.rows_max || bytes >= BODY_BYTES_MAX
    }

    fn send(&mut self, body: &[u8], position: u64) -> Result<(), Failure> {
        if self.rows > 0 {
            self.sent.rows += self.sender.send(body, self.sent.rows + 1, self.bar)?;
            self.sent.requests += 1;
            self.rows = 0;
            self.bar.set_position(position);
            self.bar.set_message(format!("{} rows", self.sent.rows));
        }
        Ok(())
    }
}

fn send_csv(input: Input, sender: &Sender, rows_max: usize, bar: &ProgressBar) -> Result<Sent, Failure> {
    let broken = |error: csv::Error| Failure::Data(format!("the file is no CSV: {error}"));
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let header = reader.byte_headers().map_err(broken)?.clone();
    let begin = || {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        writer.write_byte_record(&header).map(|()| writer)
    };
    let finish = |writer: csv::Writer<Vec<u8>>| writer.into_inner().expect("writing to memory does not fail");
    let mut batch = Batch { sender, bar, rows_max, rows: 0, sent: Sent::default() };
    let mut writer = begin().map_err(broken)?;
    let (mut record, mut bytes) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).map_err(broken)? {
        writer.write_byte_record(&record).map_err(broken)?;
        bytes += record.as_slice().len() + record.len();
        batch.rows += 1;
        if batch.is_full(bytes) {
            let body = finish(std::mem::replace(&mut writer, begin().map_err(broken)?));
            batch.send(&body, record.position().map_or(0, csv::Position::byte))?;
            bytes = 0;
        }
    }
    let body = finish(writer);
    batch.send(&body, reader.position().byte())?;
    Ok(batch.sent)
}

fn send_ndjson(
    mut input: Input,
    sender: &Sender,
    rows_max: usize,
    bar: &ProgressBar,
) -> Result<Sent, Failure> {
    let mut batch = Batch { sender, bar, rows_max, rows: 0, sent: Sent::default() };
    let (mut body, mut position) = (Vec::new(), 0);
    loop {
        let start = body.len();
        let read = (&mut input)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut body)
            .map_err(|error| Failure::Data(format!("could not read the input: {error}")))?;
        position += read as u64;
        if read as u64 == LINE_BYTES_MAX && body.last() != Some(&b'\n') {
            let row = batch.sent.rows + batch.rows as u64 + 1;
            return Err(Failure::Data(format!("row {row} is longer than {LINE_BYTES_MAX} bytes")));
        }
        if body[start..].iter().any(|byte| !byte.is_ascii_whitespace()) {
            batch.rows += 1;
        }
        if read == 0 || batch.is_full(body.len()) {
            batch.send(&body, position)?;
            body.clear();
            if read == 0 {
                return Ok(batch.sent);
            }
        }
    }
}
