//! Processes that outlive the task which started them, remembered by files with their ids. A process is ours only if
//! the id still belongs to a command line with the mark that we started it with: ids are used again.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{await_until, failed};

/// How long a process may take to end after SIGTERM before it is killed.
const STOP: Duration = Duration::from_secs(20);

/// How long a process may have no command line before it counts as dead.
const REPLACED: Duration = Duration::from_millis(300);

/// A process that is, or was, running in the background.
pub(crate) struct Background {
    id_file: PathBuf,
    mark: String,
}

impl Background {
    /// The process whose id stands in `id_file`, and whose command line has `mark` in it.
    pub(crate) fn new(id_file: PathBuf, mark: String) -> Self {
        Self { id_file, mark }
    }

    /// Starts it in a process group of its own, so that an interrupted terminal does not take it along.
    pub(crate) fn start(&self, command: &mut Command, output: &Path) -> Result<(), String> {
        let log = File::create(output).map_err(failed("create", output))?;
        let both = log.try_clone().map_err(failed("open", output))?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(both)
            .spawn()
            .map_err(|error| format!("could not start {}: {error}", command.get_program().display()))?;
        std::fs::write(&self.id_file, child.id().to_string()).map_err(failed("write", &self.id_file))
    }

    /// Its id, if it runs and is ours.
    pub(crate) fn id(&self) -> Option<u32> {
        let id = std::fs::read_to_string(&self.id_file).ok()?.trim().parse().ok()?;
        let mut line = command_line(id)?;
        // Empty in the moment in which a program replaces itself, as Java does when it starts; and of the dead.
        await_until(Instant::now() + REPLACED, || {
            line = command_line(id).unwrap_or_default();
            !line.is_empty()
        });
        line.contains(&self.mark).then_some(id)
    }

    /// Ends it, if it runs: politely, then not.
    pub(crate) fn stop(&self) -> Result<(), String> {
        let Some(id) = self.id() else { return Ok(()) };
        signal(id, "TERM")?;
        if !await_until(Instant::now() + STOP, || self.id().is_none()) {
            signal(id, "KILL")?;
            await_until(Instant::now() + STOP, || self.id().is_none());
        }
        if self.id().is_some() { Err(format!("process {id} does not end")) } else { Ok(()) }
    }
}

/// The command line of a process; empty if it has ended and waits for its parent.
fn command_line(id: u32) -> Option<String> {
    if Path::new("/proc/self").exists() {
        let bytes = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    let output = Command::new("ps").args(["-p", &id.to_string(), "-o", "command="]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The shell has `kill` built in; the program of that name is not on every machine.
fn signal(id: u32, name: &str) -> Result<(), String> {
    let status = Command::new("sh")
        .args(["-c", &format!("kill -{name} {id}")])
        .status()
        .map_err(|error| format!("could not send SIG{name} to process {id}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("could not send SIG{name} to process {id}")) }
}
