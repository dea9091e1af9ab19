//! The virtual switch of an intent: handed over to a bridge, and handed back.

use accelnet_api::types::EventKind;
use accelnet_host::switch::hand_over::{
    Cause, Edge as HandOverEdge, Limits, NotHandedOver, hand_over,
};
use accelnet_host::switch::network_state;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::switch::{NetworkState, Plan, SwitchStep};
use accelnet_model::{Code, Intent, Problem};
use accelnet_netlink::NetlinkError;
use accelnet_rules::switch;

use crate::context::Context;
use crate::observed::Snapshot;

/// What to do about the kernel's error.
const FIX: &str = "Fix the error that the kernel reports, then run the same command again.";

/// Reads the network of the node, as far as a switch with these uplinks is planned from it; the problem names
/// `subject`.
pub(crate) fn network(
    ctx: &Context,
    subject: &str,
    uplinks: &[String],
) -> Result<NetworkState, Problem> {
    let host = ctx.edge.host();
    let network = network_state(ctx.edge.switches(), host.links, host.root, uplinks);
    network.map_err(|error| not_readable(&[subject, "the node's links"], &error))
}

/// Runs the plan of a switch, all of it or nothing.
pub(crate) fn run(ctx: &Context, plan: &Plan, intent: &Intent) -> Result<(), Problem> {
    let edge = HandOverEdge {
        switches: ctx.edge.switches(),
        guard: ctx.edge.guard(),
        clock: ctx.edge.host().clock,
    };
    let mut failpoint = |_: &SwitchStep| ctx.failpoint("switch-step");
    let handed = hand_over(edge, plan, Limits::default(), &mut failpoint);
    let handed = handed.map_err(|error| rolled_back(plan, &error))?;
    for gateway in &handed.silent_before {
        let message = format!(
            "Gateway {gateway} did not answer before the change of {}, so it was not checked after the change.",
            plan.bridge
        );
        ctx.record(EventKind::Noticed, &intent.name, message);
    }
    Ok(())
}

/// Moves what a bridge of accelnet carries back to its adapter, and removes the bridge. An adopted bridge stays.
pub(crate) fn hand_back(
    ctx: &Context,
    intent: &Intent,
    bound: &[BoundAdapter],
    snapshot: &Snapshot,
) -> Result<(), Problem> {
    let bridge = intent.bridge_name();
    let bridges = ctx.edge.switches().list_bridges();
    let bridges =
        bridges.map_err(|error| not_readable(&[&bridge, "the node's bridges"], &error))?;
    let Some(found) = bridges.iter().find(|one| one.name == bridge) else {
        return Ok(());
    };
    let interfaces = bound
        .iter()
        .filter_map(|bound| snapshot.adapter(bound)?.interfaces.first());
    let uplinks: Vec<&String> = interfaces.map(|interface| &interface.link.name).collect();
    let others = found.ports.iter().filter(|port| !uplinks.contains(port));
    let others: Vec<&str> = others.map(String::as_str).collect();
    if !others.is_empty() {
        let found = format!("Ports {} are on bridge {bridge}.", others.join(", "));
        return Err(Problem::new(Code::IntentInUse, &[&intent.name], found));
    }
    if let Some(uplink) = found.ports.first() {
        let network = network(ctx, &bridge, &[bridge.clone(), uplink.clone()])?;
        let plan = switch::give_back(&bridge, uplink, &network)
            .map_err(|refusal| Problem::new(Code::UplinkUnfit, &[uplink], refusal.to_string()))?;
        run(ctx, &plan, intent)?;
    }
    let step = SwitchStep::DeleteBridge {
        bridge: bridge.clone(),
    };
    let deleted = ctx.edge.switches().apply(&step);
    deleted.map_err(|error| not_readable(&[&intent.name, &bridge], &error))
}

/// Adds a link to a bridge as a port.
pub(crate) fn add_port(ctx: &Context, bridge: &str, port: &str) -> Result<(), Problem> {
    let step = SwitchStep::AddPort {
        bridge: bridge.to_owned(),
        port: port.to_owned(),
    };
    ctx.edge.switches().apply(&step).map_err(|error| {
        let found = format!("It failed to {error}.");
        Problem::new(Code::UplinkUnfit, &[port], found).resolution(FIX)
    })
}

/// Ports of running VMs on the switch of `intent` that have no bridge, each with its VM: the bridge was deleted and
/// created again.
pub(crate) fn lost_ports(
    ctx: &Context,
    intent: &Intent,
    bridge: &str,
    snapshot: &Snapshot,
) -> Vec<(String, String)> {
    // Without the list of links nothing is known to be lost.
    let links = ctx.edge.host().links.links().unwrap_or_default();
    let network = intent.switch_network();
    let mut lost = Vec::new();
    for domain in snapshot.domains() {
        for vnic in &domain.vnics {
            // libvirt shows a running vNIC on a network that leads to a bridge as on that bridge, by the
            // network's name.
            let source = vnic.source.as_deref();
            let is_on = ["network", "bridge"].contains(&vnic.kind.as_str())
                && (source == Some(&network) || source == Some(bridge));
            let mut links = links.iter().filter(|_| is_on);
            let port = links.find(|link| Some(&link.name) == vnic.target.as_ref());
            let port = port.filter(|port| port.master.is_none());
            lost.extend(port.map(|port| (port.name.clone(), domain.name.clone())));
        }
    }
    lost
}

fn not_readable(names: &[&str], error: &NetlinkError) -> Problem {
    Problem::new(Code::NotReadable, names, format!("It failed to {error}."))
}

/// A change of the switch that was rolled back.
fn rolled_back(plan: &Plan, error: &NotHandedOver) -> Problem {
    let found = format!("It failed to {error}.");
    match error {
        NotHandedOver::RolledBack {
            cause: Cause::Silent { gateway, .. },
            ..
        } => Problem::new(
            Code::GatewayLost,
            &[&gateway.ip.to_string(), &plan.bridge],
            found,
        ),
        _ => Problem::new(Code::UplinkUnfit, &[&plan.uplink], found).resolution(FIX),
    }
}
