//! This test program started again as another process: one of its tests does the child's part, told by the
//! environment, and prints what was acknowledged.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::steps::DEADLINE;

const FOLDER: &str = "ANDON_LOG_TEST_FOLDER";

/// The folder that this process is a child for.
pub(crate) fn folder_of_child() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// A child process, killed with the value.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts the test of this name as a child over `folder`.
    pub(crate) fn start(test: &str, folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || read_lines(stdout, |line| sender.send(line).is_ok()));
        Self { child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that the child prints about itself.
    pub(crate) fn next_line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("the child says nothing")
    }

    /// `kill -9`, and all it had printed.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect() // ends with the child's output
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Passes on the lines that begin with `: `, without that. A line that the kill cut short is none.
fn read_lines(mut from: impl BufRead, mut to: impl FnMut(String) -> bool) {
    let mut line = String::new();
    while from.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some(said) = line.strip_prefix(": ").and_then(|said| said.strip_suffix('\n'))
            && !to(said.to_owned())
        {
            return;
        }
        line.clear();
    }
}
