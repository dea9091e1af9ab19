//! Hosts that are not this machine, simulated or elsewhere: their agent is asked for what is
//! read off the machine itself otherwise.

use accelnet_host::observe;
use accelnet_model::{Node, Problem};

use crate::session::Session;

/// Whether the host of the agent that is asked is not this machine.
///
/// # Errors
///
/// The agent is named and does not answer: this machine does not take its place.
pub fn is(session: &Session<'_>) -> Result<bool, Problem> {
    let Some(agent) = &session.agent else {
        return Ok(false);
    };
    if agent.is_remote() {
        return Ok(true);
    }
    match agent.status() {
        Ok(status) => Ok(status.agent.simulated),
        Err(problem) if session.named => Err(problem),
        Err(_) => Ok(false),
    }
}

/// The node: the one of an agent that is named, simulated or elsewhere, and else this machine.
///
/// # Errors
///
/// That agent does not answer.
pub fn node(session: &Session<'_>) -> Result<Node, Problem> {
    match session.asks_only_the_agent() || is(session)? {
        true => session.agent()?.node(),
        false => Ok(observe::node(&session.host)),
    }
}
