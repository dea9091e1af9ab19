//! What the three changes of VMs have in common: names, results, exit status.

use std::collections::BTreeSet;

use accelnet_api::types::{VmChange, VmResult};

use super::{Result, ask};
use crate::args::{Output, Told};
use crate::render;
use crate::session::Session;

/// A change in words.
pub struct Words {
    /// What is under way: "enabling".
    pub verb: &'static str,
    /// What a VM is that needs no change: "not accelerated".
    pub unchanged: String,
}

/// Asks for a change of the VMs that were typed, and tells each VM's result.
pub fn run(
    typed: &[String],
    node: Option<&str>,
    how: Told,
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
    let change = change(names);
    let agent = session.agent()?;
    let changed = ask::waiting(session, &what, || agent.vms_change_of(node, &change))?;
    match how.output {
        Output::Json => session.say_json(&changed),
        Output::Table => {
            let nodes = changed.results.iter().filter_map(|one| one.node.as_ref());
            let several = nodes.collect::<BTreeSet<_>>().len() > 1;
            let cleaned = render::clean(&changed).results;
            let results = cleaned.iter();
            let (unchanged, others): (Vec<&VmResult>, Vec<&VmResult>) =
                results.partition(|result| result.unchanged);
            for result in others {
                match &result.problem {
                    Some(problem) => session.fail(problem, false),
                    None => {
                        let text = render::vm_result(result, several, how.dry_run, session.colour);
                        session.say(&text);
                    }
                }
            }
            session.say(&render::vms_unchanged(&unchanged, &words.unchanged));
        }
    }
    let results = changed.results.iter();
    let problems = results.filter_map(|result| result.problem.as_ref());
    Ok(ask::worst(changed.ok, problems))
}
