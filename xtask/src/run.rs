//! Running programs in the workspace.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::error::Error;

/// The workspace's folder.
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(named)
}

/// Where tools are that this command installed itself.
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// A program, to be run in the workspace's folder with the installed tools in its path.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain([tools().join("bin")]);
    // A path that cannot be joined again stays as it was.
    if let Ok(path) = env::join_paths(places) {
        command.env("PATH", path);
    }
    command
}

/// The cargo that runs this command, with `words`.
pub fn cargo<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let own = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = program(own);
    command.args(words);
    command
}

/// Prints the command, and runs it.
pub fn status(command: &mut Command) -> Result<ExitStatus, Error> {
    eprintln!("$ {}", words(command));
    command.status().map_err(|source| Error::NotStarted {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })
}

/// Prints the command, runs it, and fails when it fails.
pub fn run(command: &mut Command) -> Result<(), Error> {
    let status = status(command)?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::Failed {
            command: words(command),
            status,
        }),
    }
}

/// Prints the command, runs it, and returns what it wrote; fails when it fails.
pub fn output(command: &mut Command) -> Result<String, Error> {
    eprintln!("$ {}", words(command));
    let answer = command.stderr(Stdio::inherit()).output();
    let answer = answer.map_err(|source| Error::NotStarted {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    match answer.status.success() {
        true => Ok(String::from_utf8_lossy(&answer.stdout).into_owned()),
        false => Err(Error::Failed {
            command: words(command),
            status: answer.status,
        }),
    }
}

/// Whether it can be started and succeeds; its output is dropped.
pub fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A command as one types it.
fn words(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
