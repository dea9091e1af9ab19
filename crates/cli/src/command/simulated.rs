//! Simulated hosts: an agent that has one is asked for what is read off the machine itself
//! otherwise.

use accelnet_host::observe;
use accelnet_model::{Node, Problem};

use crate::session::Session;

/// Whether the agent that is asked has a simulated host.
pub fn is(session: &Session<'_>) -> bool {
    let status = session.agent.as_ref().map(|agent| agent.status());
    status.is_some_and(|status| status.is_ok_and(|status| status.agent.simulated))
}

/// The node: this machine, or the agent's simulated one.
pub fn node(session: &Session<'_>) -> Result<Node, Problem> {
    match is(session) {
        true => session.agent()?.node(),
        false => Ok(observe::node(&session.host)),
    }
}
