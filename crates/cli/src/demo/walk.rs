//! Does the tasks, and shows what each showed.

use accelnet_host::SystemClock;
use accelnet_model::Problem;

use super::cluster::Cluster;
use super::line::{Run, Shown, types};
use super::tasks::{TASKS, Task};
use crate::session::Session;

/// Lines of an answer that are shown.
const LINES: usize = 14;

/// What is simulated, and what is not; the same at the beginning and at the end.
pub const SIMULATED: &str = "The hardware is simulated: four nodes with their adapters, kernels, libvirt and VMs\n\
    are files in a temporary folder. Agents, store, API, sockets and commands are the real ones.\n";

/// How to do the same without a simulation.
pub const IN_THE_LAB: &str = "The same on a real kernel with emulated SR-IOV adapters:  cargo xtask lab build\n\
    \x20                                                       cargo xtask lab shell two-adapters\n\
    docs/lab.md describes it; docs/setup.md takes a real host from its BIOS to an accelerated VM.\n";

/// Walks through all tasks; the number of unexpected results.
///
/// # Errors
///
/// The cluster itself failed.
pub fn walk(cluster: &Cluster, session: &mut Session<'_>, program: Run) -> Result<usize, Problem> {
    let client = cluster.client();
    let mut amiss = Vec::new();
    for (place, task) in (1..).zip(TASKS) {
        session.print(&format!(
            "\n{place}. {}\n   $ {}\n   native: {}\n",
            task.title, task.line, task.native
        ));
        let host = cluster.node().host(&SystemClock);
        let shown = types(task.line, host, &client, program);
        session.print(&indented(&shown));
        let then = task.then.map_or(Ok(()), |then| then(cluster));
        let judged = judge(task, &shown).and_then(|()| (task.check)(&client));
        let judged = judged.and_then(|()| then.map_err(|problem| problem.to_string()));
        if let Err(what) = judged {
            session.print(&format!("   !! failed: {what}\n"));
            amiss.push(task.title);
        }
    }
    session.print(&format!(
        "\nSummary: {} of {} steps gave the expected result, which for some of them is a refusal.\n",
        TASKS.len() - amiss.len(),
        TASKS.len()
    ));
    for title in &amiss {
        session.print(&format!("  unexpected result: {title}\n"));
    }
    Ok(amiss.len())
}

fn judge(task: &Task, shown: &Shown) -> Result<(), String> {
    let wanted = task.refused.map_or(0, |code| code.entry().exit_status);
    if shown.status != wanted {
        return Err(format!("exit status {}, not {wanted}", shown.status));
    }
    let said = format!("{}{}", shown.out, shown.err);
    match task.refused.map(|code| code.to_string()) {
        Some(code) if !said.contains(&code) => Err(format!("it does not name {code}")),
        _ => Ok(()),
    }
}

/// The first lines of what was shown, further in.
fn indented(shown: &Shown) -> String {
    let text = format!("{}{}", shown.out, shown.err);
    let lines: Vec<&str> = text.lines().collect();
    let mut text = String::new();
    for line in lines.iter().take(LINES) {
        text += &format!("   | {line}\n");
    }
    if lines.len() > LINES {
        text += &format!("   | ... {} more lines\n", lines.len() - LINES);
    }
    text
}
