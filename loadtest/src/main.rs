//! Load on Andon, and on what it is compared with, in one run: `loadtest embedded`.

mod alone;
mod http;
mod plant;
mod process;
mod report;
mod straight;

use std::path::PathBuf;
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
}

fn main() -> ExitCode {
    let Command::Embedded { events, lines, batch, runs, andon } = Cli::parse().command;
    match embedded(events, lines, batch, runs, andon) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::FAILURE
        }
    }
}

fn embedded(
    events: u64,
    lines: u64,
    batch: usize,
    runs: usize,
    andon: Option<PathBuf>,
) -> Result<(), Failure> {
    let andon = match andon {
        Some(path) => path,
        None => std::env::current_exe()?.with_file_name("andon"),
    };
    let mut report = Report::new(events);
    for run in 0..runs.max(1) {
        let plant = || Plant::new(lines, 1 + run as u64).take(events as usize);
        alone::run(plant(), batch, &mut report)?;
        straight::run(plant(), batch, &mut report)?;
        http::run(plant(), batch, &andon, &mut report)?;
    }
    report.print();
    Ok(())
}
