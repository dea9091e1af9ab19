//! `accelnet adapter show`: one adapter and its VFs.

use accelnet_host::features;
use accelnet_model::{Adapter, AdapterSummary, Code, PciAddress, Problem};
use accelnet_rules::naming;
use accelnet_rules::nearest::absent_on_nodes;

use super::{Result, ask, simulated};
use crate::args::{AdapterShow, Output};
use crate::session::Session;
use crate::{change, render};

/// Shows an adapter, and tests it first if requested.
pub fn run(args: &AdapterShow, session: &mut Session<'_>) -> Result {
    if let Some(node) = &args.node
        && !is_here(node, session)?
    {
        return match args.ask {
            true => Ok(not_asked(args, session)),
            false => elsewhere(args, session),
        };
    }
    // Only this machine itself can query an adapter.
    let by_agent = simulated::is(session)? || (session.named && !args.ask);
    let shown = match by_agent {
        true if args.ask => return Ok(not_asked(args, session)),
        true => of_agent(args, session),
        false => here(args, session),
    };
    let missing = |problem: &Problem| problem.code == Code::AdapterNotFound && args.node.is_none();
    match shown {
        // Another node may have it.
        Err(problem) if missing(&problem) && session.agent.is_some() && !args.ask => {
            elsewhere(args, session).map_err(|there| match missing(&there) {
                true => there,
                false => problem,
            })
        }
        shown => shown,
    }
}

/// Refuses to test an adapter of another machine.
fn not_asked(args: &AdapterShow, session: &mut Session<'_>) -> u8 {
    session.wrong(
        &format!("--ask cannot test adapter {}", args.name),
        "The adapter is simulated or on another machine.",
        "Omit --ask, or run the command on the node of the adapter.",
    );
    ask::NO_SENSE
}

/// Whether that is the node that this machine is, or whose agent is asked.
fn is_here(node: &str, session: &Session<'_>) -> std::result::Result<bool, Problem> {
    Ok(session.agent()?.status()?.agent.node == node)
}

/// Shows adapters of other nodes as their nodes reported them.
fn elsewhere(args: &AdapterShow, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?.clone();
    let address: Option<PciAddress> = args.name.parse().ok();
    let address = address.map(|address| address.to_string());
    let is_etcd = |one: &AdapterSummary| {
        one.name == args.name || address.as_ref().is_some_and(|at| *at == one.address)
    };
    let mut adapters = agent.adapters(args.node.as_deref())?;
    if adapters.iter().all(|one| !is_etcd(one)) {
        let names = adapters.iter().map(|one| (&*one.name, &*one.node));
        let names: Vec<(&str, &str)> = names.collect();
        let found = absent_on_nodes(
            &args.name,
            args.node.as_deref(),
            ("adapter", "adapters"),
            &names,
        );
        return Err(Problem::new(Code::AdapterNotFound, &[&args.name], found));
    }
    adapters.retain(is_etcd);
    match (args.output, adapters.as_slice()) {
        (Output::Json, [only]) => session.print_json(only),
        (Output::Json, several) => session.print_json(&several),
        (Output::Table, several) => {
            for (place, adapter) in several.iter().enumerate() {
                let between = if place == 0 { "" } else { "\n" };
                // VMs that are unknown hide no adapter.
                let vms = agent.vms_of(Some(&adapter.node)).unwrap_or_default();
                let (adapter, vms) = (render::clean(adapter), render::clean(&vms));
                let text = render::adapter_in_brief(&adapter, &vms, session.colour, session.width);
                session.print(&format!("{between}{text}"));
            }
        }
    }
    Ok(0)
}

/// Shows an adapter of this machine.
fn here(args: &AdapterShow, session: &mut Session<'_>) -> Result {
    let host = session.host;
    let address = change::find(&host, &args.name)?;
    let mut adapter = change::read(&host, &args.name, address)?;
    if args.ask {
        let asked = features::ask(&host, &adapter).map_err(|reason| {
            let names = ["The adapter's VF capabilities", "its answer"];
            Problem::new(Code::NotReadable, &names, reason).resolution(
                "Create VFs with 'accelnet adapter enable', leave one of them unused, and run the same command as root.",
            )
        })?;
        for words in asked.warnings.iter().chain(&asked.not_restored) {
            session.note(words);
        }
        adapter = change::read(&host, &args.name, address)?;
    }
    ask::print_answer(session, args.output, &adapter, render::adapter);
    Ok(0)
}

/// Shows an adapter of a host that is simulated or elsewhere.
fn of_agent(args: &AdapterShow, session: &mut Session<'_>) -> Result {
    let node = session.agent()?.node()?;
    let adapters = node.adapters.known().map_or(&[][..], Vec::as_slice);
    let identities: Vec<_> = adapters.iter().map(Adapter::identity).collect();
    let address = naming::find(&args.name, &identities)?;
    for adapter in adapters.iter().filter(|adapter| adapter.address == address) {
        ask::print_answer(session, args.output, adapter, render::adapter);
    }
    Ok(0)
}
