//! What must hold before a change is good.

use crate::shell::{cargo, has, output_of, root, step};

/// Installs what the checks need, where it can; else says what is missing.
pub(crate) fn setup() -> Result<(), String> {
    if has("cc", "--version") {
        return Ok(());
    }
    let is_debian_root =
        has("apt-get", "--version") && output_of("id", "-u").is_some_and(|id| id.trim() == "0");
    if !is_debian_root {
        return Err("a C compiler is missing (the bundled SQLite is built with it); install `cc`".to_owned());
    }
    step("setup", "apt-get", &["update"], &[])?;
    step("setup", "apt-get", &["install", "--yes", "--no-install-recommends", "gcc", "libc6-dev"], &[])
}

/// Format, lints, docs.
pub(crate) fn lint() -> Result<(), String> {
    let cargo = cargo();
    step("format", &cargo, &["fmt", "--all", "--check"], &[])?;
    step("lints", &cargo, &["clippy", "--workspace", "--all-targets", "--locked"], &[])?;
    step(
        "docs",
        &cargo,
        &["doc", "--workspace", "--no-deps", "--locked"],
        &[("RUSTDOCFLAGS", "--deny warnings")],
    )?;
    if has("cargo-deny", "--version") {
        step("dependencies", &cargo, &["deny", "--offline", "check", "bans", "licenses", "sources"], &[])?;
    } else {
        println!("==> dependencies: left out, `cargo deny` is not installed (cargo install cargo-deny)");
    }
    Ok(())
}

/// Everything.
pub(crate) fn test() -> Result<(), String> {
    lint()?;
    let cargo = cargo();
    step("tests", &cargo, &["test", "--workspace", "--locked", "--no-fail-fast"], &[])?;
    // The program as a user has it, on the bundled record: its exit code says whether every interval is right.
    step("demo", &cargo, &["run", "--locked", "--package", "andon", "--", "demo", "--once"], &[])?;
    println!("all of {} holds", root().file_name().map_or("it".into(), |name| name.to_string_lossy()));
    Ok(())
}
