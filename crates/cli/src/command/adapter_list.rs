//! `accelnet adapter list`: the adapters of all nodes, and whether they can have VFs.

use std::collections::BTreeSet;

use accelnet_api::Client;
use accelnet_host::observe;
use accelnet_model::{AdapterSummary, Code, Node, Observed, Problem, outside};
use accelnet_rules::adapter_summary;

use super::{Result, ask, service};
use crate::args::{AdapterList, ListOutput};
use crate::render;
use crate::session::Session;

/// Lists the adapters. Nodes whose adapters are unknown are shown after them.
pub fn run(args: &AdapterList, session: &mut Session<'_>) -> Result {
    let listed = listed(args.node.as_deref(), session)?;
    let rows = listed.adapters;
    match args.output {
        ListOutput::Json => session.print_json(&rows),
        ListOutput::Table => {
            let words = match listed.of_several {
                true => render::adapters_of_nodes,
                false => render::adapters,
            };
            let text = words(&render::clean(&rows), session.colour, session.width);
            session.print(&text);
        }
        ListOutput::Name => {
            let mut said = BTreeSet::new();
            for row in rows.iter().filter(|row| said.insert(row.name.clone())) {
                session.print(&format!("{}\n", outside::escaped(&row.name)));
            }
        }
    }
    Ok(ask::unknown_nodes(&listed.unknown, session))
}

/// Adapters of all nodes, or of one.
pub struct Listed {
    /// The adapters.
    pub adapters: Vec<AdapterSummary>,
    /// Nodes whose adapters are unknown, with the reason.
    pub unknown: Vec<(String, Problem)>,
    /// Whether the cluster has several nodes.
    pub of_several: bool,
}

/// The adapters: those of this machine as they are now, those of other nodes as its agent knows them. Without
/// an agent, as before the setup, those of this machine alone.
pub fn listed(
    node: Option<&str>,
    session: &mut Session<'_>,
) -> std::result::Result<Listed, Problem> {
    if node.is_some() {
        let agent = session.agent()?.clone();
        return of_cluster(&agent, node, session);
    }
    let Some(agent) = session.agent.clone() else {
        return alone(session);
    };
    match of_cluster(&agent, None, session) {
        Err(problem) if !session.named && !agent.is_remote() => {
            if session.host.root.locate(service::FILE).is_file() {
                session.note(&format!(
                    "note: only this node is shown: {}",
                    problem.message
                ));
            }
            alone(session)
        }
        answer => answer,
    }
}

/// The adapters of this machine.
fn alone(session: &Session<'_>) -> std::result::Result<Listed, Problem> {
    let node = observe::node(&session.host);
    Ok(Listed {
        adapters: own(&node, node.display_name())?,
        unknown: Vec::new(),
        of_several: false,
    })
}

fn own(node: &Node, name: &str) -> std::result::Result<Vec<AdapterSummary>, Problem> {
    match adapter_summary::all(node, name) {
        Observed::Known(adapters) => Ok(adapters),
        Observed::Unknown(reason) => {
            let names = ["The list of adapters", "/sys/bus/pci"];
            Err(Problem::new(Code::NotReadable, &names, reason))
        }
    }
}

fn of_cluster(
    agent: &Client,
    node: Option<&str>,
    session: &Session<'_>,
) -> std::result::Result<Listed, Problem> {
    let answering = agent.status()?.agent;
    let nodes = agent.nodes()?;
    let of_several = nodes.len() > 1;
    let here = !session.named && !agent.is_remote() && !answering.simulated;
    let only_here = here && node.map_or(!of_several, |node| node == answering.node);
    let mut adapters = match only_here {
        true => Vec::new(),
        false => agent.adapters(node)?,
    };
    let mut unknown: Vec<(String, Problem)> = Vec::new();
    if node.is_none() {
        let others = nodes
            .into_iter()
            .filter(|node| !here || node.name != answering.node);
        unknown.extend(others.filter_map(|node| Some((node.name, node.adapters_unknown?))));
    }
    if here && node.is_none_or(|node| node == answering.node) {
        let node = observe::node(&session.host);
        adapters.retain(|adapter| adapter.node != answering.node);
        match own(&node, &answering.node) {
            Err(problem) if only_here => return Err(problem),
            Err(problem) => unknown.push((answering.node.clone(), problem)),
            Ok(here) => adapters.extend(here),
        }
        adapters.sort_by(|one, other| one.node.cmp(&other.node));
    }
    Ok(Listed {
        adapters,
        unknown,
        of_several,
    })
}
