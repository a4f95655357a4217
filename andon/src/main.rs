//! The `andon` program: command line, configuration, wiring, admin endpoint. The only place that names adapters.

mod admin;
mod cli;
mod client;
mod config;
mod config_command;
mod dead_letters;
mod demo;
mod exit;
mod ingest;
mod logging;
mod roles;
mod run;
mod sweep;
mod token;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::config::Layer;
use crate::exit::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_help = !error.use_stderr();
            // Nothing is left to tell whoever closed the output.
            drop(error.print());
            return if is_help { ExitCode::SUCCESS } else { ExitCode::from(64) };
        }
    };
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("andon: {}", failure.message());
            failure.code()
        }
    }
}

fn execute(cli: Cli) -> Result<(), Failure> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Run(args) => {
            let mut flags = Layer::default();
            flags.flag("--data-dir", "data_dir", args.data_dir);
            flags.flag("--listen", "listen", args.listen);
            flags.flag("--admin", "admin.listen", args.admin);
            let (config, _) = config_command::read(file, flags)?;
            logging::start(&config);
            run::run(&config)
        }
        Command::Demo { once, data_dir, listen } => demo::run(once, data_dir, listen),
        Command::Ingest(args) => ingest::run(&args),
        Command::DeadLetters { command, url, token } => dead_letters::run(&command, &url, &token),
        Command::Token { command, data_dir } => {
            let mut flags = Layer::default();
            flags.flag("--data-dir", "data_dir", data_dir);
            let (config, _) = config_command::read(file, flags)?;
            token::run(&command, &config.data_dir)
        }
        Command::Config { command } => {
            let (config, origins) = config_command::read(file, Layer::default())?;
            config_command::run(&command, &config, &origins);
            Ok(())
        }
    }
}
