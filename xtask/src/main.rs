//! The tasks of this workspace: `cargo xtask <task>`. Nothing else needs to be installed to work on Andon.

mod board;
mod checks;
mod schemathesis;
mod services;
mod shell;

use std::process::ExitCode;

const HELP: &str = "\
The tasks of this workspace.

  cargo xtask test          everything that must hold: format, lints, docs, all tests, the board, the API, the demo's result
  cargo xtask setup         install what `test` needs and this machine lacks, where that is possible
  cargo xtask lint          format, lints and docs alone
  cargo xtask kafka         the tests of the log on Apache Kafka alone, on a real broker
  cargo xtask board         the board's tests alone, in a real browser
  cargo xtask api           search a running API for requests that it answers otherwise than /openapi.json says
  cargo xtask screenshots   pictures of every page at three sizes, light and dark
  cargo xtask services up [--nodes 3] | down | status
                            the services that some tests need: Apache Kafka, from its jars, on a free port
  cargo xtask help          this text

`cargo test` alone runs all tests that need no service; `cargo test -p andon-log --features kafka` those of Kafka,
once `cargo xtask services up` has started it or ANDON_TEST_KAFKA=host:port names a broker.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => checks::setup().and_then(|()| checks::test()),
        ["setup"] => checks::setup(),
        ["lint"] => checks::lint(),
        ["kafka"] => checks::setup().and_then(|()| checks::kafka()),
        ["board"] => checks::setup().and_then(|()| board::test()),
        ["api"] => checks::setup().and_then(|()| schemathesis::test()),
        ["screenshots"] => checks::setup().and_then(|()| board::screenshots()),
        ["services", "up"] => services::up(1),
        ["services", "up", "--nodes", nodes @ ("1" | "3")] => services::up(if *nodes == "3" { 3 } else { 1 }),
        ["services", "down"] => services::down(),
        ["services", "status"] => {
            services::status();
            Ok(())
        }
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("xtask: there is no task `{}`\n\n{HELP}", arguments.join(" "));
            return ExitCode::from(64);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
