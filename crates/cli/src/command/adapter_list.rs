//! `accelnet adapter list`: the adapters, and whether they can have VFs.

use accelnet_model::{Code, Observed, Problem, outside};

use super::{Result, simulated};
use crate::args::{AdapterList, ListOutput};
use crate::render::{self, AdapterSummary};
use crate::session::Session;

/// Lists the adapters.
pub fn run(args: &AdapterList, session: &mut Session<'_>) -> Result {
    let node = simulated::node(session)?;
    let adapters = match &node.adapters {
        Observed::Known(adapters) => adapters,
        Observed::Unknown(reason) => {
            let names = ["The list of adapters", "/sys/bus/pci"];
            return Err(Problem::new(Code::NotReadable, &names, reason.clone()));
        }
    };
    let rows: Vec<AdapterSummary> = adapters
        .iter()
        .map(|adapter| AdapterSummary::of(&node, adapter))
        .collect();
    match args.output {
        ListOutput::Json => session.say_json(&rows),
        ListOutput::Table => {
            let text = render::adapters(&render::clean(&rows), session.colour, session.width);
            session.say(&text);
        }
        ListOutput::Name => {
            for row in &rows {
                session.say(&format!("{}\n", outside::escaped(&row.name)));
            }
        }
    }
    Ok(0)
}
