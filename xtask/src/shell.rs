//! Running other programs, one step at a time, each announced and timed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace").to_owned()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Runs a program in the workspace's root. An error says which step failed.
pub(crate) fn step(
    name: &str,
    program: &str,
    arguments: &[&str],
    env: &[(&str, &str)],
) -> Result<(), String> {
    println!("==> {name}: {program} {}", arguments.join(" "));
    let began = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .envs(env.iter().copied())
        .current_dir(root())
        .status()
        .map_err(|error| format!("{name}: could not start `{program}`: {error}"))?;
    println!("<== {name}: {:.1} s", began.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("{name} failed ({status})")) }
}

/// The cargo that runs this.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// What a program prints, if it answers.
pub(crate) fn output_of(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
}

/// Whether a program answers.
pub(crate) fn has(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// Runs a command to its end. An error says what failed.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("could not start `{name}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed ({status})")) }
}

/// Turns an error of the file system into one that names the file.
pub(crate) fn failed(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> String {
    move |error| format!("could not {action} {}: {error}", path.display())
}

/// Looks again and again until it holds, or the time is over; whether it held.
pub(crate) fn await_until(deadline: Instant, mut holds: impl FnMut() -> bool) -> bool {
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
