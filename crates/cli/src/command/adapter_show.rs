//! `accelnet adapter show`: one adapter and its VFs.

use accelnet_host::features;
use accelnet_model::{Adapter, Code, Problem};
use accelnet_rules::naming;

use super::{Result, ask, simulated};
use crate::args::AdapterShow;
use crate::session::Session;
use crate::{change, render};

/// Shows an adapter, and asks it first when told to.
pub fn run(args: &AdapterShow, session: &mut Session<'_>) -> Result {
    // Only this machine itself can query an adapter.
    if simulated::is(session)? || (session.named && !args.ask) {
        return of_agent(args, session);
    }
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
    ask::tell(session, args.output, &adapter, render::adapter);
    Ok(0)
}

/// Shows an adapter of a host that is simulated or elsewhere.
fn of_agent(args: &AdapterShow, session: &mut Session<'_>) -> Result {
    if args.ask {
        session
            .note("note: nothing is asked of an adapter that is simulated or on another machine");
    }
    let node = session.agent()?.node()?;
    let adapters = node.adapters.known().map_or(&[][..], Vec::as_slice);
    let identities: Vec<_> = adapters.iter().map(Adapter::identity).collect();
    let address = naming::find(&args.name, &identities)?;
    for adapter in adapters.iter().filter(|adapter| adapter.address == address) {
        ask::tell(session, args.output, adapter, render::adapter);
    }
    Ok(0)
}
