//! `accelnet node show`: all that can be seen of this node.

use accelnet_api::types::Standing;
use accelnet_model::Code;

use super::{Result, ask, simulated};
use crate::args::{NodeShow, Output};
use crate::render;
use crate::session::Session;

/// Shows this node. All is well when its adapters and its VMs could be listed.
pub fn run(args: &NodeShow, session: &mut Session<'_>) -> Result {
    if let Some(node) = &args.node {
        return of_the_cluster(node, args.output, session);
    }
    let node = simulated::node(session)?;
    match args.output {
        Output::Json => session.say_json(&node),
        Output::Table => {
            let text = render::node(&render::clean(&node), session.colour, session.width);
            session.say(&text);
        }
    }
    let listed = node.adapters.known().is_some() && node.domains.known().is_some();
    Ok(match listed {
        true => 0,
        false => Code::NotReadable.entry().exit_status,
    })
}

/// Shows the last report of any node. All is well when the node reports now.
fn of_the_cluster(node: &str, output: Output, session: &mut Session<'_>) -> Result {
    let report = session.agent()?.node_report(node)?;
    ask::tell(session, output, &report, render::node_report);
    Ok(match report.node.state {
        Standing::Up => 0,
        Standing::Down => Code::NodeDown.entry().exit_status,
    })
}
