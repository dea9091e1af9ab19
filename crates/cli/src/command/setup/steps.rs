//! Steps that change a node for its agent: planned whole, then done in order.

use std::io;

use accelnet_model::{Code, Problem, outside};

use crate::session::Session;
use crate::system::{self, System};

/// One step.
pub struct Step<'a> {
    what: String,
    act: Box<dyn FnOnce() -> Result<(), Problem> + 'a>,
}

impl<'a> Step<'a> {
    /// A step that does `what`, an imperative.
    pub fn new(what: impl Into<String>, act: impl FnOnce() -> Result<(), Problem> + 'a) -> Self {
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
pub fn take(steps: Vec<Step<'_>>, dry: bool, session: &mut Session<'_>) -> Result<(), Problem> {
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
    session.print(&format!("{}\n", outside::escaped(what)));
    match dry {
        true => Ok(()),
        false => {
            session.changed = true;
            act()
        }
    }
}

/// Only root may go on.
///
/// # Errors
///
/// It belongs to another user.
pub fn needs_root(system: &dyn System) -> Result<(), Problem> {
    let uid = system.user();
    if uid == 0 {
        return Ok(());
    }
    let who = format!("uid {uid}");
    let found = format!("This command runs as {who}. Nothing was changed.");
    Err(
        Problem::new(Code::NotAllowed, &[&who, "administrator"], found)
            .needed("Root.")
            .resolution("Run the same command as root."),
    )
}

/// Whether a program that changes nothing succeeds.
pub fn succeeds(system: &dyn System, program: &str, words: &[&str]) -> bool {
    let ran = system.run(program, words);
    ran.is_ok_and(|output| output.status.success())
}

/// Runs a program that must succeed.
///
/// # Errors
///
/// It is not there, or an error.
pub fn command(system: &dyn System, program: &str, words: &[&str]) -> Result<(), Problem> {
    let whole = format!("{program} {}", words.join(" "));
    let output = system
        .before(&whole)
        .and_then(|()| system.run(program, words));
    let output = output.map_err(|error| failed(program, &error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(failed(&whole, said.trim()))
        }
    }
}

/// Writes a file whole, by way of another one with the ending `new`.
///
/// # Errors
///
/// What the kernel answered.
pub fn write(
    system: &dyn System,
    path: &str,
    new: &str,
    text: &str,
    mode: u32,
) -> Result<(), Problem> {
    let beside = system::at(system, path).with_extension(new);
    let written = system::put(system, path, &beside, text, mode);
    written.map_err(|error| failed(path, &error.to_string()))
}

/// Removes a file, if it is there.
///
/// # Errors
///
/// What the kernel answered.
pub fn remove(system: &dyn System, path: &str) -> Result<(), Problem> {
    let wrong = |error: io::Error| failed(path, &error.to_string());
    system::remove(system, path).map_err(wrong)
}

/// Something could not be done, in a user's `words`.
pub fn failed(what: &str, words: &str) -> Problem {
    let what = format!("{what} failed");
    Problem::new(Code::SetupFailed, &[&what], format!("{words}."))
}
