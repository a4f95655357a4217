//! Load on Andon, and on what it is compared with, in one run.

mod alone;
mod api;
mod child;
mod histogram;
mod http;
mod latency;
mod plant;
mod process;
mod report;
mod seed;
mod smtp_sink;
mod straight;
mod wire;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::plant::Plant;
use crate::report::Report;

/// Why a measurement was not made.
type Failure = Box<dyn std::error::Error>;

/// Load on Andon, and on what it is compared with, in one run.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The embedded pipe: straight into the log, through HTTP, and beside it SQLite alone
    #[command(after_help = "\
Examples:
  cargo build --release --workspace
  cargo run --release -p andon-loadtest -- embedded
  cargo run --release -p andon-loadtest -- embedded --events 200000 --lines 500 --runs 3")]
    Embedded {
        /// Status changes of a run
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
        /// Lines that report them, each in turn once a minute of event time
        #[arg(long, default_value_t = 5_000)]
        lines: u64,
        /// Status changes of one transaction, or of one request
        #[arg(long, default_value_t = 5_000)]
        batch: usize,
        /// Runs, each of all three; the median is reported
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// The program [default: the one built beside this one]
        #[arg(long, value_name = "FILE")]
        andon: Option<PathBuf>,
    },
    /// Reads over HTTP with 10 and 100 kept connections, and beside them the same bytes from memory
    #[command(after_help = "\
Examples:
  cargo build --release --workspace
  cargo run --release -p andon-loadtest -- api
  cargo run --release -p andon-loadtest -- api --seconds 10 --only 'one line'")]
    Api {
        /// Seconds of each measurement
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
        /// Runs of each; the median is reported
        #[arg(long, default_value_t = 5)]
        runs: usize,
        /// Only reads whose name contains this
        #[arg(long, value_name = "TEXT")]
        only: Option<String>,
        /// The program [default: the one built beside this one]
        #[arg(long, value_name = "FILE")]
        andon: Option<PathBuf>,
    },
    /// From a report to the event of the stream, and to a mail that a mail server has accepted
    #[command(after_help = "\
Examples:
  cargo build --release --workspace
  cargo run --release -p andon-loadtest -- latency
  cargo run --release -p andon-loadtest -- latency --per-second 2000 --followed 0 --seconds 60")]
    Latency {
        /// How long reports are sent, after two seconds of warming up
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Reports a second
        #[arg(long, default_value_t = 500)]
        per_second: u64,
        /// Lines that take turns
        #[arg(long, default_value_t = 500)]
        lines: u64,
        /// Lines with a subscriber: each report of theirs becomes a mail
        #[arg(long, default_value_t = 20)]
        followed: u64,
        /// The program [default: the one built beside this one]
        #[arg(long, value_name = "FILE")]
        andon: Option<PathBuf>,
    },
    /// Some users who register an address and read without a pause
    #[command(after_help = "\
Examples:
  cargo build --release --workspace
  cargo run --release -p andon-loadtest -- seed
  cargo run --release -p andon-loadtest -- seed --users 100 --seconds 10")]
    Seed {
        /// Users, each with a connection of its own
        #[arg(long, default_value_t = 10)]
        users: usize,
        /// How long they ask
        #[arg(long, default_value_t = 50.0)]
        seconds: f64,
        /// The program [default: the one built beside this one]
        #[arg(long, value_name = "FILE")]
        andon: Option<PathBuf>,
    },
}

/// The program to measure.
fn program(andon: Option<PathBuf>) -> Result<PathBuf, Failure> {
    match andon {
        Some(path) => Ok(path),
        None => Ok(std::env::current_exe()?.with_file_name("andon")),
    }
}

fn main() -> ExitCode {
    let measured = match Cli::parse().command {
        Command::Embedded { events, lines, batch, runs, andon } => {
            program(andon).and_then(|andon| embedded(events, lines, batch, runs, &andon))
        }
        Command::Api { seconds, runs, only, andon } => {
            program(andon).and_then(|andon| api::run(&andon, &api::Options { seconds, runs, only }))
        }
        Command::Latency { seconds, per_second, lines, followed, andon } => {
            let options = latency::Options { seconds, per_second, lines, followed };
            program(andon).and_then(|andon| latency::run(&andon, &options))
        }
        Command::Seed { users, seconds, andon } => {
            program(andon).and_then(|andon| seed::run(&andon, users, seconds))
        }
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::FAILURE
        }
    }
}

fn embedded(events: u64, lines: u64, batch: usize, runs: usize, andon: &Path) -> Result<(), Failure> {
    let mut report = Report::new(events);
    for run in 0..runs.max(1) {
        let plant = || Plant::new(lines, 1 + run as u64).take(events as usize);
        alone::run(plant(), batch, &mut report)?;
        straight::run(plant(), batch, &mut report)?;
        http::run(plant(), batch, andon, &mut report)?;
    }
    report.print();
    Ok(())
}
