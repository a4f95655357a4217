//! The board in a real browser, against the real program.

use crate::shell::{cargo, step, target};

/// The browser that the board is tried in.
pub(crate) const BROWSER: &str = "chromium";

/// The browser, as the environment names it.
pub(crate) fn browser() -> String {
    std::env::var("CHROMIUM").unwrap_or_else(|_| BROWSER.to_owned())
}

/// Tries the board.
pub(crate) fn test() -> Result<(), String> {
    drive("board", &["test"])
}

/// Pictures of every page, to be looked at.
pub(crate) fn screenshots() -> Result<(), String> {
    let folder = target().join("screenshots");
    drive("screenshots", &["run", "screenshots", "--", &folder.display().to_string()])?;
    println!("the pictures are in {}", folder.display());
    Ok(())
}

fn drive(name: &str, arguments: &[&str]) -> Result<(), String> {
    step(name, &cargo(), &["build", "--locked", "--package", "andon"], &[])?;
    step(name, "npm", &["ci", "--prefix", "board-tests", "--silent"], &[])?;
    let program = target().join("debug").join("andon").display().to_string();
    let arguments: Vec<&str> =
        ["--prefix", "board-tests", "--silent"].into_iter().chain(arguments.iter().copied()).collect();
    step(name, "npm", &arguments, &[("ANDON_TEST_PROGRAM", &program), ("CHROMIUM", &path_of(&browser()))])
}

/// The whole path of a program, which the driver of the browser wants; its name where it is not found.
fn path_of(program: &str) -> String {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .map_or_else(|| program.to_owned(), |path| path.display().to_string())
}
