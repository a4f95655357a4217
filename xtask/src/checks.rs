//! What must hold before a change is good.

use crate::board;
use crate::schemathesis;
use crate::services;
use crate::shell::{cargo, has, output_of, root, step};

/// What the checks need: a program that answers to an argument, the packages that have it, and what it is for.
const NEEDED: [(&str, &str, &[&str], &str); 7] = [
    ("cc", "--version", &["gcc", "libc6-dev"], "the bundled SQLite is built with it"),
    ("make", "--version", &["make", "g++"], "librdkafka, the client of Kafka, is built with it"),
    ("java", "-version", &["openjdk-17-jre-headless"], "Apache Kafka runs on it"),
    ("mvn", "--version", &["maven"], "it fetches Apache Kafka"),
    ("npm", "--version", &["nodejs", "npm"], "the board's tests are driven by Node.js"),
    (board::BROWSER, "--version", &["chromium"], "the board is tried in it; `CHROMIUM` may name another one"),
    (
        schemathesis::PYTHON,
        schemathesis::CAN_MAKE_ENVIRONMENTS,
        &["python3", "python3-venv", "python3-pip"],
        "the API is searched for faults by schemathesis, which is written in it; `venv` and `pip` belong to it",
    ),
];

/// Installs what the checks need, where it can; else says what is missing.
pub(crate) fn setup() -> Result<(), String> {
    let is_there = |program: &str, argument: &str| has(&program_named(program), argument);
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|(program, ..)| services::is_needed(program))
        .filter(|(program, argument, ..)| !is_there(program, argument))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_debian_root =
        has("apt-get", "--version") && output_of("id", "-u").is_some_and(|id| id.trim() == "0");
    if !is_debian_root {
        let lines: Vec<_> =
            missing.iter().map(|(program, _, _, why)| format!("`{program}` is missing ({why})")).collect();
        return Err(format!("{}; install it and try again", lines.join("; ")));
    }
    let packages = missing.iter().flat_map(|(_, _, packages, _)| packages.iter().copied());
    let arguments: Vec<&str> =
        ["install", "--yes", "--no-install-recommends"].into_iter().chain(packages).collect();
    step("setup", "apt-get", &["update"], &[])?;
    step("setup", "apt-get", &arguments, &[])
}

/// The browser may be named by the environment; everything else has its usual name.
fn program_named(program: &str) -> String {
    if program == board::BROWSER { board::browser() } else { program.to_owned() }
}

/// Format, lints, docs.
pub(crate) fn lint() -> Result<(), String> {
    let cargo = cargo();
    step("format", &cargo, &["fmt", "--all", "--check"], &[])?;
    step("lints", &cargo, &["clippy", "--workspace", "--all-targets", "--locked"], &[])?;
    // Behind a feature, since it builds a large library in C.
    step(
        "lints of kafka",
        &cargo,
        &["clippy", "--package", "andon-log", "--features", "kafka", "--all-targets", "--locked"],
        &[],
    )?;
    step(
        "docs",
        &cargo,
        &["doc", "--workspace", "--no-deps", "--locked"],
        &[("RUSTDOCFLAGS", "--deny warnings")],
    )?;
    step(
        "docs of kafka",
        &cargo,
        &["doc", "--package", "andon-log", "--features", "kafka", "--no-deps", "--locked"],
        &[("RUSTDOCFLAGS", "--deny warnings")],
    )?;
    if has("cargo-deny", "--version") {
        step("dependencies", &cargo, &["deny", "--offline", "check", "bans", "licenses", "sources"], &[])?;
    } else {
        println!("==> dependencies: left out, `cargo deny` is not installed (cargo install cargo-deny)");
    }
    Ok(())
}

/// The log on Apache Kafka, on a real broker.
pub(crate) fn kafka() -> Result<(), String> {
    let arguments = ["test", "--package", "andon-log", "--features", "kafka", "--locked", "--no-fail-fast"];
    services::with(|| step("kafka", &cargo(), &arguments, &[]))
}

/// Everything.
pub(crate) fn test() -> Result<(), String> {
    lint()?;
    let cargo = cargo();
    step("tests", &cargo, &["test", "--workspace", "--locked", "--no-fail-fast"], &[])?;
    kafka()?;
    board::test()?;
    schemathesis::test()?;
    // The program as a user has it, on the bundled record: its exit code says whether every interval is right.
    step("demo", &cargo, &["run", "--locked", "--package", "andon", "--", "demo", "--once"], &[])?;
    println!("all of {} holds", root().file_name().map_or("it".into(), |name| name.to_string_lossy()));
    Ok(())
}
