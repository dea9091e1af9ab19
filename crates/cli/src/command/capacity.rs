//! `accelnet capacity`: what there is to give, of this cluster or of one in a file.

use accelnet_model::{Capacity, Problem};
use accelnet_rules::vm_names;

use super::{Result, ask, cluster_file};
use crate::args;
use crate::render;
use crate::session::Session;

/// Shows the capacity.
pub fn run(args: &args::Capacity, session: &mut Session<'_>) -> Result {
    let capacity = match &args.from {
        Some(file) => cluster_file::judge(file, session)?,
        None => session.agent()?.capacity()?,
    };
    let status = status(&capacity);
    let nodes = capacity.nodes.len();
    let shown = of_node(capacity, args.node.as_deref())?;
    ask::print_answer(session, args.output, &shown, |shown, colour, width| {
        render::capacity(shown, nodes, colour, width)
    });
    Ok(status)
}

/// With the row of one node only.
fn of_node(mut capacity: Capacity, node: Option<&str>) -> std::result::Result<Capacity, Problem> {
    let Some(node) = node else {
        return Ok(capacity);
    };
    let names = capacity.nodes.iter().map(|one| one.node.as_str());
    if !names.clone().any(|name| name == node) {
        return Err(vm_names::no_node(node, names));
    }
    capacity.nodes.retain(|one| one.node == node);
    Ok(capacity)
}

/// That of the promise, then that of the first VM that is not admitted.
fn status(capacity: &Capacity) -> u8 {
    let mut refused = capacity.answers.iter().filter_map(|answer| answer.code);
    match (&capacity.problem, refused.next()) {
        (Some(problem), _) => Problem::exit_status(problem),
        (None, Some(code)) => code.entry().exit_status,
        (None, None) => 0,
    }
}
