//! `accelnet node show`: all that can be seen of this node.

use accelnet_model::Code;

use super::{Result, simulated};
use crate::args::{Output, Show};
use crate::render;
use crate::session::Session;

/// Shows this node. All is well when its adapters and its VMs could be listed.
pub fn run(args: &Show, session: &mut Session<'_>) -> Result {
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
