//! `accelnet node list`: the nodes of the cluster.

use accelnet_api::types::{NodeView, Standing};
use accelnet_model::outside;

use super::Result;
use crate::args::{ListOutput, NodeList};
use crate::render;
use crate::session::Session;

/// Lists them; all is well when every one is up.
pub fn run(args: &NodeList, session: &mut Session<'_>) -> Result {
    let nodes = session.agent()?.nodes()?;
    match args.output {
        ListOutput::Json => session.print_json(&nodes),
        ListOutput::Name => nodes
            .iter()
            .for_each(|node| session.print(&format!("{}\n", outside::escaped(&node.name)))),
        ListOutput::Table => {
            let text = render::nodes(&session.for_people(&nodes), session.colour, session.width);
            session.print(&text);
        }
    }
    let down = |node: &NodeView| node.state == Standing::Down;
    Ok(match nodes.iter().any(down) {
        true => accelnet_model::Code::NodeDown.entry().exit_status,
        false => 0,
    })
}
