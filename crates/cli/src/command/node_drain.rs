//! `accelnet node drain` and `accelnet node undrain`.

use std::time::Duration;

use accelnet_api::types::NodeDrain as Request;

use super::{Result, ask};
use crate::args::{NodeDrain, NodeUndrain, Output};
use crate::render;
use crate::session::Session;

/// How long another node's agent is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// Shows which VMs can move, and takes their VFs away unless it is a dry run.
pub fn run(args: &NodeDrain, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?.clone();
    let mut request = Request {
        node: args.node.clone(),
        undrain: false,
        dry_run: args.dry_run,
    };
    let mut drained = ask::waiting(session, "draining", || agent.node_drain(&request))?;
    request.dry_run = true;
    let begun = session.host.clock.uptime();
    // The node's own agent takes them away.
    while !args.dry_run && drained.vms.iter().any(|vm| vm.has_vf && vm.can_migrate) {
        if session.host.clock.uptime().saturating_sub(begun) > PATIENCE {
            break;
        }
        session.host.clock.sleep(PAUSE);
        drained.vms = agent.node_drain(&request)?.vms;
    }
    print_answer(args.output, &drained, session);
    Ok(
        match drained
            .vms
            .iter()
            .all(|vm| vm.can_migrate && (args.dry_run || !vm.has_vf))
        {
            true => 0,
            false => 1,
        },
    )
}

/// Lets the node have VFs again.
pub fn undo(args: &NodeUndrain, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?.clone();
    let request = Request {
        node: args.node.clone(),
        undrain: true,
        dry_run: args.dry_run,
    };
    let drained = ask::waiting(session, "undraining", || agent.node_drain(&request))?;
    print_answer(args.output, &drained, session);
    Ok(0)
}

fn print_answer(
    output: Output,
    drained: &accelnet_api::types::NodeDrained,
    session: &mut Session<'_>,
) {
    ask::print_answer(session, output, drained, render::drained);
}
