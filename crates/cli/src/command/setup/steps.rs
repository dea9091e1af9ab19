//! Steps that change a node for its agent: planned whole, then done in order.

use std::process::{Command, Stdio};

use accelnet_model::{Code, Problem, outside};

use crate::session::Session;

/// One step.
pub struct Step {
    what: String,
    act: Box<dyn FnOnce() -> Result<(), Problem>>,
}

impl Step {
    /// A step that does `what`, an imperative.
    pub fn new(
        what: impl Into<String>,
        act: impl FnOnce() -> Result<(), Problem> + 'static,
    ) -> Self {
        Step {
            what: what.into(),
            act: Box::new(act),
        }
    }
}

/// Shows each step, and does it unless this is a dry run.
///
/// # Errors
///
/// That of the first step that fails. The next call goes on from there.
pub fn take(steps: Vec<Step>, dry: bool, session: &mut Session<'_>) -> Result<(), Problem> {
    for one in steps {
        step(session, dry, &one.what, one.act)?;
    }
    Ok(())
}

/// The same of one step.
pub fn step(
    session: &mut Session<'_>,
    dry: bool,
    what: &str,
    act: impl FnOnce() -> Result<(), Problem>,
) -> Result<(), Problem> {
    session.say(&format!("{}\n", outside::escaped(what)));
    match dry {
        true => Ok(()),
        false => act(),
    }
}

/// Only root may go on.
///
/// # Errors
///
/// It is somebody else.
pub fn needs_root() -> Result<(), Problem> {
    let uid = rustix::process::geteuid();
    if uid.is_root() {
        return Ok(());
    }
    let who = format!("uid {}", uid.as_raw());
    let found = format!("This command runs as {who}. Nothing was changed.");
    Err(
        Problem::new(Code::NotAllowed, &[&who, "administrator"], found)
            .needed("Root.")
            .resolution("Run the same command as root."),
    )
}

/// A program that says nothing.
pub fn quiet(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Whether it succeeds.
pub fn runs(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Runs a program that must succeed.
///
/// # Errors
///
/// It is not there, or what it says.
pub fn command(program: &str, words: &[&str]) -> Result<(), Problem> {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(program, &error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let words = format!("{program} {}", words.join(" "));
            let said = String::from_utf8_lossy(&output.stderr);
            Err(failed(&words, said.trim()))
        }
    }
}

/// Something could not be done, in somebody's `words`.
pub fn failed(what: &str, words: &str) -> Problem {
    let what = format!("{what} failed");
    Problem::new(Code::SetupFailed, &[&what], format!("{words}."))
}
