//! The real services that tests run against: `cargo xtask services up|down|status`. Each is made of packages of its
//! language's registry, listens on loopback alone, and keeps everything under `target/services/`.

mod kafka;
mod process;

use std::path::PathBuf;

use crate::shell::target;

/// Starts what does not run yet; tests find it by the files `target/services/*.env`.
pub(crate) fn up(nodes: u32) -> Result<(), String> {
    if let Some(given) = kafka::given() {
        return kafka::check_given(&given);
    }
    kafka::up(nodes)
}

/// Stops what [`up`] started, and nothing else.
pub(crate) fn down() -> Result<(), String> {
    kafka::down()
}

/// Says what runs.
pub(crate) fn status() {
    kafka::status();
}

/// Runs `during` with the services up. They are stopped afterwards, also when it failed, unless they ran before.
pub(crate) fn with(during: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let ran_before = kafka::given().is_some() || kafka::is_up();
    up(1)?;
    let result = during();
    if ran_before { result } else { [result, down()].into_iter().collect() }
}

/// Whether a program is needed: those that run a service are not, where the environment names one that runs.
pub(crate) fn is_needed(program: &str) -> bool {
    kafka::given().is_none() || !matches!(program, "java" | "mvn")
}

fn folder() -> PathBuf {
    target().join("services")
}
