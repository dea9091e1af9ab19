//! `accelnet vm list`: the VMs.

use accelnet_api::types::VmView;
use accelnet_model::{Problem, outside};
use accelnet_rules::vm_names;

use super::{Result, ask};
use crate::args::{ListOutput, VmList};
use crate::render::{self, Refused};
use crate::session::Session;

/// Lists VMs. A name that none has, and nodes whose VMs are unknown, are shown after the VMs.
pub fn run(args: &VmList, session: &mut Session<'_>) -> Result {
    let Listed { vms: all, unknown } = listed(args.node.as_deref(), session)?;
    let (chosen, missing) = choose(&all, args.node.as_deref(), &args.name);
    let vms: Vec<&VmView> = chosen
        .into_iter()
        .filter(|vm| match (args.accelerated, args.not_accelerated) {
            (true, _) => vm.performance.is_some(),
            (_, true) => vm.performance.is_none(),
            _ => true,
        })
        .collect();
    match args.output {
        // Half an answer is none for a program.
        ListOutput::Json if !missing.is_empty() => {}
        ListOutput::Json => session.print_json(&vms),
        ListOutput::Table => {
            let text = render::vms(
                &cleaned(&vms).iter().collect::<Vec<_>>(),
                session.colour,
                session.width,
            );
            session.print(&text);
        }
        ListOutput::Name => {
            for vm in &vms {
                session.print(&format!("{}\n", outside::escaped(&vm.name)));
            }
        }
    }
    let json = args.output == ListOutput::Json;
    end(&args.name, missing, &unknown, json, session)
}

/// VMs of all nodes, or of one.
pub struct Listed {
    /// The VMs.
    pub vms: Vec<VmView>,
    /// Nodes whose VMs are unknown, with the reason.
    pub unknown: Vec<(String, Problem)>,
}

/// Asks the agent for the VMs.
pub fn listed(node: Option<&str>, session: &Session<'_>) -> std::result::Result<Listed, Problem> {
    let agent = session.agent()?;
    let vms = agent.vms_of(node)?;
    let nodes = match node {
        None => agent.nodes()?,
        // Unknown VMs of one node are an error of the first question.
        Some(_) => Vec::new(),
    };
    let unknown = nodes
        .into_iter()
        .filter_map(|node| Some((node.name, node.vms_unknown?)));
    Ok(Listed {
        vms,
        unknown: unknown.collect(),
    })
}

/// Ends with what is missing: nodes whose VMs are unknown, where the names may mean VMs there, or else the
/// names that no VM has.
pub fn end(
    typed: &[String],
    missing: Vec<(String, Problem)>,
    unknown: &[(String, Problem)],
    json: bool,
    session: &mut Session<'_>,
) -> Result {
    let is_glob = |name: &String| vm_names::is_glob(name.trim());
    let all_found = missing.is_empty() && !typed.is_empty() && !typed.iter().any(is_glob);
    let unknown = if all_found { &[] } else { unknown };
    if !unknown.is_empty() {
        return Ok(ask::unknown_nodes(unknown, session));
    }
    let Some((_, first)) = missing.first().cloned() else {
        return Ok(0);
    };
    if json {
        return Err(first);
    }
    let missing = render::clean(&missing);
    let refused = missing.iter().map(|(name, problem)| Refused {
        name,
        subject: name,
        problem,
    });
    session.fail_all("VMs", refused);
    Ok(first.exit_status())
}

/// The VMs as they are shown.
fn cleaned(vms: &[&VmView]) -> Vec<VmView> {
    vms.iter().map(|vm| render::clean(*vm)).collect()
}

/// The VMs that are meant, each once and in the order of what was typed, and a problem for
/// every name that no VM has; a glob may fit none.
pub fn choose<'a>(
    all: &'a [VmView],
    node: Option<&str>,
    typed: &[String],
) -> (Vec<&'a VmView>, Vec<(String, Problem)>) {
    if typed.is_empty() {
        return (all.iter().collect(), Vec::new());
    }
    let (mut chosen, mut missing) = (Vec::<&VmView>::new(), Vec::new());
    for typed in typed.iter().map(|typed| typed.trim()) {
        let fits = vm_names::matching(typed, all, |vm| (&vm.name, &vm.uuid));
        if fits.is_empty() && !vm_names::is_glob(typed) {
            let called = all.iter().map(|vm| (&*vm.name, &*vm.node));
            let problem = vm_names::not_found(typed, node, called);
            missing.push((typed.to_owned(), problem));
        }
        for vm in fits {
            if !chosen
                .iter()
                .any(|there| (&there.uuid, &there.node) == (&vm.uuid, &vm.node))
            {
                chosen.push(vm);
            }
        }
    }
    (chosen, missing)
}
