//! The API of a real andon, searched for requests that it answers otherwise than its document says.
//!
//! The tool is schemathesis, in a Python environment of its own below `target/`, with every version pinned. What is
//! allowed beyond the document, and why, stands in `xtask/schemathesis/schemathesis.toml`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::shell::{cargo, root, step, target};

/// Python, and what shows that it can make an environment: Debian has that in a package of its own.
pub(crate) const PYTHON: &str = "python3";
pub(crate) const CAN_MAKE_ENVIRONMENTS: &str = "-cimport venv, ensurepip";

/// Searches.
pub(crate) fn test() -> Result<(), String> {
    let name = "schemathesis";
    let files = root().join("xtask").join("schemathesis");
    let environment = target().join("schemathesis");
    install(&files.join("requirements.txt"), &environment)?;
    step(name, &cargo(), &["build", "--locked", "--package", "andon"], &[])?;
    let folder = environment.join("run");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{name}: could not empty a folder: {error}"))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{name}: could not make a folder: {error}"))?;
    let andon = Andon::start(&folder)?;
    let program = environment.join("bin").join("schemathesis").display().to_string();
    let settings = files.join("schemathesis.toml").display().to_string();
    let document = format!("{}/openapi.json", andon.url);
    let arguments = ["--config-file", &settings, "run", &document];
    let hooks = files.join("hooks.py").display().to_string();
    let environment = [
        ("ANDON_URL", andon.url.as_str()),
        ("SCHEMATHESIS_HOOKS", hooks.as_str()),
        ("PYTHONDONTWRITEBYTECODE", "1"), // the hooks lie among the sources
    ];
    let searched = step(name, &program, &arguments, &environment);
    // What andon has to say comes first: a fault of its own explains what the tool found.
    andon.end()?;
    searched
}

/// Makes the environment, unless it is there with these versions.
fn install(requirements: &Path, environment: &Path) -> Result<(), String> {
    let name = "schemathesis: install";
    let wanted = fs::read(requirements).map_err(|error| format!("{name}: no requirements: {error}"))?;
    let installed = environment.join("installed.txt");
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let folder = environment.display().to_string();
    step(name, PYTHON, &["-m", "venv", "--clear", &folder], &[])?;
    let python = environment.join("bin").join("python").display().to_string();
    let requirements = requirements.display().to_string();
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", &requirements];
    step(name, &python, &pip, &[])?;
    fs::write(installed, wanted).map_err(|error| format!("{name}: could not write what was done: {error}"))
}

/// A running andon, on ports of its own.
struct Andon {
    child: Child,
    url: String,
    log: std::path::PathBuf,
}

impl Andon {
    fn start(folder: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("could not start andon: {error}");
        let log = folder.join("andon.log");
        let program = target().join("debug").join("andon");
        let mut command = Command::new(program);
        // Settings of whoever runs this are none of the search's.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ANDON_"))
        {
            command.env_remove(name);
        }
        let mut child = command
            .args(["run", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir"])
            .arg(folder.join("data"))
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let out = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.trim().strip_prefix("api ").map(|url| url.trim().to_owned()));
        let Some(url) = url else {
            drop(child.kill());
            return Err(format!("andon did not say where it listens; see {}", log.display()));
        };
        // Whatever else it prints must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, url, log })
    }

    /// Ends it. An andon that is not there any more, panicked or failed inside is a find.
    fn end(mut self) -> Result<(), String> {
        let ended = self.child.try_wait().map_err(|error| format!("could not look at andon: {error}"))?;
        if let Some(status) = ended {
            return Err(format!("andon ended by itself ({status}); see {}", self.log.display()));
        }
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map_err(|error| format!("could not end andon: {error}"))?;
        let log = fs::read(&self.log).map_err(|error| format!("could not read andon's log: {error}"))?;
        let log = String::from_utf8_lossy(&log);
        match log.lines().find(|line| line.contains("panicked") || line.contains("\"ERROR\"")) {
            Some(line) => Err(format!("andon failed inside: {line}")),
            None => Ok(()),
        }
    }
}

impl Drop for Andon {
    fn drop(&mut self) {
        // It is over already where `end` was called.
        drop(self.child.kill());
    }
}
