//! What the three changes of VMs have in common: names, results, exit status.

use std::collections::BTreeSet;

use accelnet_api::types::{VmChange, VmResult};
use accelnet_model::{Code, Problem};

use super::{Result, ask};
use crate::args::{ChangeOptions, Output};
use crate::render::{self, Refused};
use crate::session::Session;

const VMS: &str = "VMs";

/// A change in words.
pub struct Words {
    /// What is under way: "enabling".
    pub verb: &'static str,
    /// What a VM is that needs no change: "not accelerated".
    pub unchanged: String,
}

/// Asks for a change of the VMs that were typed, and shows each VM's result.
pub fn run(
    typed: &[String],
    node: Option<&str>,
    how: ChangeOptions,
    session: &mut Session<'_>,
    words: &Words,
    change: impl FnOnce(Vec<String>) -> VmChange,
) -> Result {
    // Asked for first: without an agent there is nothing to read names for.
    session.agent()?;
    let Some(names) = ask::names(typed, session) else {
        return Ok(ask::NO_SENSE);
    };
    let verb = words.verb;
    let what = match names.as_slice() {
        [only] => format!("{verb} {only}"),
        several => format!("{verb} {} VMs", several.len()),
    };
    let named = names.clone();
    let change = change(names);
    let agent = session.agent()?;
    let changed = ask::waiting(session, &what, || agent.vms_change_of(node, &change));
    let changed = match changed {
        Err(problem) if how.output == Output::Table && is_of_a_node(&problem) => {
            let named = render::clean(&named);
            let named: Vec<&str> = named.iter().map(String::as_str).collect();
            session.fail_of(VMS, &named, &problem);
            return Ok(problem.exit_status());
        }
        changed => changed?,
    };
    match how.output {
        Output::Json => session.print_json(&changed),
        Output::Table => {
            let nodes = changed.results.iter().filter_map(|one| one.node.as_ref());
            let several = nodes.collect::<BTreeSet<_>>().len() > 1;
            let cleaned = render::clean(&changed).results;
            let results = cleaned.iter();
            let (unchanged, others): (Vec<&VmResult>, Vec<&VmResult>) =
                results.partition(|result| result.unchanged);
            for result in others.iter().filter(|result| result.problem.is_none()) {
                let text = render::vm_result(result, several, how.dry_run, session.colour);
                session.print(&text);
            }
            refuse(&others, several, session);
            session.print(&render::vms_unchanged(&unchanged, &words.unchanged));
        }
    }
    let results = changed.results.iter();
    let problems = results.filter_map(|result| result.problem.as_ref());
    Ok(ask::worst(changed.ok, problems))
}

/// Shows the errors of those that were refused.
fn refuse(results: &[&VmResult], with_node: bool, session: &mut Session<'_>) {
    let subject = |result: &VmResult| match &result.node {
        Some(node) if with_node => format!("{} on {node}", result.name),
        _ => result.name.clone(),
    };
    let subjects: Vec<String> = results.iter().map(|result| subject(result)).collect();
    let refused = results.iter().zip(&subjects);
    let refused = refused.filter_map(|(result, subject)| {
        Some(Refused {
            name: &result.name,
            subject,
            problem: result.problem.as_ref()?,
        })
    });
    session.fail_all(VMS, refused);
}

/// Whether a node did not take or answer the request: its error names no VM.
fn is_of_a_node(problem: &Problem) -> bool {
    matches!(
        problem.code,
        Code::NodeDown | Code::NodeCutOff | Code::RequestNotTaken | Code::RequestUnanswered
    )
}
