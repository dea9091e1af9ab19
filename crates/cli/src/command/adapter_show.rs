//! `accelnet adapter show`: one adapter and its VFs.

use accelnet_host::features;
use accelnet_model::{Code, Problem};

use super::Result;
use crate::args::{AdapterShow, Output};
use crate::session::Session;
use crate::{change, render};

/// Shows an adapter, and asks it first when told to.
pub fn run(args: &AdapterShow, session: &mut Session<'_>) -> Result {
    let host = session.host;
    let address = change::find(&host, &args.name)?;
    let mut adapter = change::look(&host, &args.name, address)?;
    if args.ask {
        let asked = features::ask(&host, &adapter).map_err(|reason| {
            let names = ["What the adapter can do", "its answer"];
            Problem::new(Code::NotReadable, &names, reason).resolution(
                "Create VFs with 'accelnet adapter enable', leave one of them unused, and run the same command as root.",
            )
        })?;
        for words in asked.remarks.iter().chain(&asked.not_restored) {
            session.note(words);
        }
        adapter = change::look(&host, &args.name, address)?;
    }
    match args.output {
        Output::Json => session.say_json(&adapter),
        Output::Table => {
            let text = render::adapter(&adapter, session.colour, session.width);
            session.say(&text);
        }
    }
    Ok(0)
}
