//! `accelnet vm list`: the VMs.

use accelnet_api::types::VmView;
use accelnet_model::{Problem, outside};
use accelnet_rules::vm_names;

use super::Result;
use crate::args::{ListOutput, VmList};
use crate::render;
use crate::session::Session;

/// Lists VMs. A name that none has is told after those that there are.
pub fn run(args: &VmList, session: &mut Session<'_>) -> Result {
    let all = session.agent()?.vms_of(args.node.as_deref())?;
    let (chosen, missing) = choose(&all, &args.name);
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
        ListOutput::Json => session.say_json(&vms),
        ListOutput::Table => {
            let text = render::vms(
                &cleaned(&vms).iter().collect::<Vec<_>>(),
                session.colour,
                session.width,
            );
            session.say(&text);
        }
        ListOutput::Name => {
            for vm in &vms {
                session.say(&format!("{}\n", outside::escaped(&vm.name)));
            }
        }
    }
    match missing.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(0),
    }
}

/// The VMs as they are shown.
fn cleaned(vms: &[&VmView]) -> Vec<VmView> {
    vms.iter().map(|vm| render::clean(*vm)).collect()
}

/// The VMs that are meant, each once and in the order of what was typed, and a problem for
/// every name that no VM has; a glob may fit none.
pub fn choose<'a>(all: &'a [VmView], typed: &[String]) -> (Vec<&'a VmView>, Vec<Problem>) {
    if typed.is_empty() {
        return (all.iter().collect(), Vec::new());
    }
    let (mut chosen, mut missing): (Vec<&VmView>, Vec<Problem>) = Default::default();
    for typed in typed.iter().map(|typed| typed.trim()) {
        let fits = vm_names::meant(typed, all, |vm| (&vm.name, &vm.uuid));
        if fits.is_empty() && !vm_names::is_glob(typed) {
            let names: Vec<String> = all.iter().map(|vm| vm.name.clone()).collect();
            missing.push(vm_names::not_found(typed, &names));
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
