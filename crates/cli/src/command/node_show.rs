//! `accelnet node show`: all that can be seen of this node.

use accelnet_api::types::{Drained, Standing};
use accelnet_model::{Code, Node};
use serde::Serialize;

use super::{Result, ask, simulated};
use crate::args::{NodeShow, Output};
use crate::render;
use crate::session::Session;

/// A node as it is shown. Its JSON is part of the API.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    node: &'a Node,
    /// Who drained it; none when it is not drained, or no agent answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    drained: Option<Drained>,
}

/// Who drained the node of the agent that is asked.
fn drained(session: &Session<'_>) -> Option<Drained> {
    let agent = session.agent.as_ref()?;
    let status = agent.status().ok()?;
    if !status.nodes_drained.contains(&status.agent.node) {
        return None;
    }
    let mut nodes = agent.nodes().ok()?.into_iter();
    nodes.find(|node| node.name == status.agent.node)?.drained
}

/// Shows this node. All is well when its adapters and its VMs could be listed.
pub fn run(args: &NodeShow, session: &mut Session<'_>) -> Result {
    if let Some(node) = &args.node {
        return of_the_cluster(node, args.output, session);
    }
    let node = simulated::node(session)?;
    let drained = drained(session);
    match args.output {
        Output::Json => session.print_json(&Shown {
            node: &node,
            drained,
        }),
        Output::Table => {
            let text = render::node(&render::clean(&node), session.colour, session.width);
            session.print(&text);
            if let Some(drained) = &drained {
                session.print(&render::is_drained(&render::clean(drained)));
            }
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
    ask::print_answer(session, output, &report, render::node_report);
    Ok(match report.node.state {
        Standing::Up => 0,
        Standing::Down => Code::NodeDown.entry().exit_status,
    })
}
