//! Hosts that are not this machine, simulated or elsewhere: their agent is asked for what is
//! read off the machine itself otherwise.

use accelnet_host::observe;
use accelnet_model::{Node, Problem};

use crate::session::Session;

/// Whether the host of the agent that is asked is not this machine.
pub fn is(session: &Session<'_>) -> bool {
    let Some(agent) = &session.agent else {
        return false;
    };
    agent.is_remote() || agent.status().is_ok_and(|status| status.agent.simulated)
}

/// The node: this machine, or the agent's.
pub fn node(session: &Session<'_>) -> Result<Node, Problem> {
    match is(session) {
        true => session.agent()?.node(),
        false => Ok(observe::node(&session.host)),
    }
}
