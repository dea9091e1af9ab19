//! `accelnet vm show`: VMs, whole.

use accelnet_api::types::VmView;

use super::vm_list::{self, Listed};
use super::{Result, ask};
use crate::args::{Output, VmShow};
use crate::render;
use crate::session::Session;

/// Shows VMs.
pub fn run(args: &VmShow, session: &mut Session<'_>) -> Result {
    show(args, session, render::vm)
}

/// Shows each VM that is meant in `words`; one VM alone is an object in JSON, several are a
/// list.
pub fn show(
    args: &VmShow,
    session: &mut Session<'_>,
    words: impl Fn(&VmView, bool, Option<u16>) -> String,
) -> Result {
    let Listed { vms: all, unknown } = vm_list::listed(args.node.as_deref(), session)?;
    let Some(names) = ask::names(&args.names, session) else {
        return Ok(ask::NO_SENSE);
    };
    let (chosen, missing) = vm_list::choose(&all, args.node.as_deref(), &names);
    match (args.output, chosen.as_slice()) {
        (Output::Json, _) if !missing.is_empty() => {}
        (Output::Json, [only]) if names.len() == 1 => session.print_json(only),
        (Output::Json, several) => session.print_json(&several),
        (Output::Table, several) => {
            for (place, vm) in several.iter().enumerate() {
                let between = if place == 0 { "" } else { "\n" };
                let text = words(&session.for_people(*vm), session.colour, session.width);
                session.print(&format!("{between}{text}"));
            }
        }
    }
    let json = args.output == Output::Json;
    vm_list::end(&names, missing, &unknown, json, session)
}
