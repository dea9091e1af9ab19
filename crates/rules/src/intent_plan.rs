//! The steps that an intent requires on a node: VFs, the virtual switch, libvirt's networks. Networks name VFs and
//! a bridge, so their steps follow when those exist.

use accelnet_model::intent::BoundAdapter;
use accelnet_model::switch::{Mention, NetworkState, Plan as SwitchPlan};
use accelnet_model::vf_plan::{Ask, Plan as VfPlan, Step as VfStep};
use accelnet_model::{Adapter, Code, Intent, Node, Observed, PciAddress, Problem};

use crate::switch::{self, DesiredSwitch};
use crate::{intent as rules, prereq, vf_count};

#[cfg(test)]
mod tests;

/// What a plan is based on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The node, for the prerequisite that explains a refusal.
    pub node: &'a Node,
    /// The adapters of the intent, as they are bound.
    pub adapters: Vec<&'a Adapter>,
    /// The bridge that the intent has here with these adapters.
    pub had: Option<String>,
    /// The network of the node, or why it cannot be read.
    pub network: &'a Result<NetworkState, Problem>,
    /// Where the uplink is named on the node.
    pub mentions: &'a [Mention],
    /// Ports of running VMs on the intent's switch that have no bridge, each with its VM.
    pub lost_ports: &'a [(String, String)],
    /// libvirt's networks, or why they are unknown; none before libvirt may be called.
    pub networks: Option<Observed<Vec<Network>>>,
}

/// A libvirt network, as its definition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Name.
    pub name: String,
    /// Whether it runs.
    pub active: bool,
    /// Whether it exists after a reboot, and starts then.
    pub is_lasting: bool,
    /// The bridge that it leads to.
    pub bridge: Option<String>,
    /// PFs that it names as a pool.
    pub pfs: Vec<String>,
    /// VFs that it names as a pool, or found when it started.
    pub vfs: Vec<PciAddress>,
}

/// What a libvirt network leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A bridge.
    Bridge(String),
    /// All VFs of a PF.
    Pf(String),
    /// These VFs.
    Vfs(Vec<PciAddress>),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Change the number of VFs of an adapter.
    Vfs {
        /// Name of the adapter.
        adapter: String,
        /// Its address.
        address: PciAddress,
        /// The number.
        ask: Ask,
        /// What is done, imperatives.
        actions: Vec<String>,
        /// Why.
        why: String,
    },
    /// Change the virtual switch.
    Switch(Box<SwitchPlan>),
    /// Add the port of a running VM to the bridge.
    Port {
        /// The bridge.
        bridge: String,
        /// The port.
        port: String,
        /// The VM.
        vm: String,
    },
    /// Define and start a libvirt network.
    Network {
        /// Name.
        name: String,
        /// What it leads to.
        target: Target,
        /// It runs with another definition, and is stopped first.
        restart: bool,
        /// Why.
        why: &'static str,
    },
    /// Start a libvirt network.
    StartNetwork {
        /// Name.
        name: String,
    },
}

impl Step {
    /// Subject, action and reason of everything that it does for the intent called `intent`.
    pub fn actions<'a>(&'a self, intent: &'a str) -> Vec<(&'a str, String, &'a str)> {
        match self {
            Step::Vfs {
                adapter,
                actions,
                why,
                ..
            } => {
                let each = actions.iter();
                each.map(|action| (&**adapter, action.clone(), &**why))
                    .collect()
            }
            Step::Switch(plan) => {
                let each = plan.steps.iter();
                each.map(|step| (intent, step.to_string(), &*plan.why))
                    .collect()
            }
            Step::Port { bridge, port, vm } => vec![(
                vm,
                format!("add port {port} to bridge {bridge}"),
                "its vNIC lost its bridge when the bridge was created again",
            )],
            Step::Network { name, why, .. } => {
                vec![(
                    name,
                    format!("define and start libvirt network {name}"),
                    why,
                )]
            }
            Step::StartNetwork { name } => vec![(
                name,
                format!("start libvirt network {name}"),
                "it does not run",
            )],
        }
    }

    /// Name of the failpoint before it.
    pub fn failpoint(&self) -> &'static str {
        match self {
            Step::Vfs { .. } => "vfs",
            Step::Switch(_) => "switch",
            Step::Port { .. } => "port",
            Step::Network { .. } => "network",
            Step::StartNetwork { .. } => "start-network",
        }
    }
}

/// What an intent requires on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Its adapters.
    pub bound: Vec<BoundAdapter>,
    /// The bridge that it has then; none of an intent without a virtual switch.
    pub bridge: Option<String>,
    /// VFs that exist.
    pub vfs: u32,
    /// The steps.
    pub steps: Vec<Step>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Further steps follow when libvirt may be called.
    pub waits_for_libvirt: bool,
}

/// The plan of an intent.
///
/// # Errors
///
/// An adapter cannot have its VFs, its settings or its virtual switch, or libvirt's networks are unknown.
pub fn plan(intent: &Intent, facts: &Facts<'_>) -> Result<Plan, Problem> {
    let mut plan = Plan::default();
    if !intent.is_compute() {
        return Ok(plan);
    }
    let adapters = &facts.adapters;
    rules::is_settable(intent.security, adapters.iter().copied())?;
    for adapter in adapters {
        plan.vfs += u32::try_from(adapter.vfs.len()).unwrap_or(u32::MAX);
        plan.steps.extend(vf_step(intent, adapter, facts.node)?);
    }
    let switch = switch(intent, facts)?;
    plan.warnings = switch.warnings.clone();
    plan.warnings.extend(switch::of_mentions(
        &switch.uplink,
        &switch.bridge,
        facts.mentions,
    ));
    let bridge = switch.bridge.clone();
    plan.bridge = Some(bridge.clone());
    if !switch.steps.is_empty() {
        plan.steps.push(Step::Switch(Box::new(switch)));
    }
    if plan.steps.is_empty() {
        let ports = facts.lost_ports.iter();
        plan.steps.extend(ports.map(|(port, vm)| Step::Port {
            bridge: bridge.clone(),
            port: port.clone(),
            vm: vm.clone(),
        }));
    }
    if plan.steps.is_empty() {
        match &facts.networks {
            None => plan.waits_for_libvirt = true,
            Some(Observed::Known(networks)) => {
                plan.steps = network_steps(intent, adapters, &bridge, networks);
            }
            Some(Observed::Unknown(reason)) => {
                let names = ["list its networks"];
                let found = "It refused, or did not answer.";
                return Err(Problem::new(Code::LibvirtFailed, &names, found).cause(reason.clone()));
            }
        }
    }
    Ok(plan)
}

/// How an adapter of `intent` gets its VFs.
///
/// # Errors
///
/// It cannot have them.
pub fn vf_plan(intent: &Intent, adapter: &Adapter, node: &Node) -> Result<VfPlan, Problem> {
    let ask = intent.vfs.map_or(Ask::All, Ask::Exactly);
    vf_count::plan(adapter, ask).map_err(|problem| prereq::as_judged(problem, node, adapter))
}

fn vf_step(intent: &Intent, adapter: &Adapter, node: &Node) -> Result<Option<Step>, Problem> {
    let plan = vf_plan(intent, adapter, node)?;
    // Drivers that are kept off already need not be again.
    let sriov = adapter.sriov.present();
    let on = sriov.is_some_and(|sriov| sriov.drivers_autoprobe.known() == Some(&true));
    let mut steps = plan.steps.iter();
    let changes = steps.any(|step| on || *step != VfStep::KeepDriversOff);
    Ok(changes.then(|| Step::Vfs {
        adapter: adapter.name(),
        address: adapter.address,
        ask: intent.vfs.map_or(Ask::All, Ask::Exactly),
        actions: plan.steps.iter().map(ToString::to_string).collect(),
        why: plan.reason,
    }))
}

/// The netdevs of the adapters.
///
/// # Errors
///
/// An adapter has none.
pub fn uplinks(adapters: &[&Adapter]) -> Result<Vec<String>, Problem> {
    let link = |adapter: &&Adapter| match adapter.interfaces.first() {
        Some(interface) => Ok(interface.link.name.clone()),
        None => {
            let found = "It has no netdev: no driver is bound, or it is in another namespace.";
            Err(Problem::new(Code::UplinkUnfit, &[&adapter.name()], found))
        }
    };
    adapters.iter().map(link).collect()
}

/// How the node gets the virtual switch of `intent`.
///
/// # Errors
///
/// No adapter can be its uplink, or the network of the node cannot be read.
pub fn switch(intent: &Intent, facts: &Facts<'_>) -> Result<SwitchPlan, Problem> {
    let uplinks = uplinks(&facts.adapters)?;
    let first = uplinks.first().cloned().unwrap_or_default();
    let network = facts.network.as_ref().map_err(Clone::clone)?;
    let desired = DesiredSwitch {
        bridge: intent.bridge_name(),
        uplinks,
        had: facts.had.clone(),
    };
    switch::plan(&desired, network).map_err(|refusal| {
        let uplink = refusal.uplink().unwrap_or(&first);
        Problem::new(Code::UplinkUnfit, &[uplink], refusal.to_string())
            .needed(refusal.needed())
            .resolution(refusal.to_do())
    })
}

fn network_steps(
    intent: &Intent,
    adapters: &[&Adapter],
    bridge: &str,
    networks: &[Network],
) -> Vec<Step> {
    let pfs: Vec<String> = adapters.iter().map(|adapter| adapter.name()).collect();
    let vfs = adapters.iter().flat_map(|adapter| &adapter.vfs);
    let mut vfs: Vec<PciAddress> = vfs.map(|vf| vf.address).collect();
    let target = match pfs.as_slice() {
        [only] => Target::Pf(only.clone()),
        _ => Target::Vfs(vfs.clone()),
    };
    vfs.sort();
    let is_switch = |found: &Network| found.bridge.as_deref() == Some(bridge);
    let is_pool = |found: &Network| {
        let mut there = found.vfs.clone();
        there.sort();
        // A pool that does not run names its PF only.
        there == vfs || (there.is_empty() && found.pfs == pfs)
    };
    let switch = network_step(
        networks,
        intent.switch_network(),
        Target::Bridge(bridge.to_owned()),
        is_switch,
    );
    let pool = network_step(networks, intent.pool_network(), target, is_pool);
    switch.into_iter().chain(pool).collect()
}

fn network_step(
    networks: &[Network],
    name: String,
    target: Target,
    is_right: impl Fn(&Network) -> bool,
) -> Option<Step> {
    let found = networks.iter().find(|network| network.name == name);
    let (restart, why) = match found {
        None => (false, "libvirt has no such network"),
        Some(found) if !is_right(found) => (found.active, "its definition differs"),
        Some(found) if !found.is_lasting => (false, "it would not come back after a reboot"),
        Some(found) if !found.active => return Some(Step::StartNetwork { name }),
        Some(_) => return None,
    };
    Some(Step::Network {
        name,
        target,
        restart,
        why,
    })
}

/// All problems of a failed intent other than `first`, which its plan failed with: those of each of its adapters.
/// An adapter that cannot be found has its problem in place of the adapter.
pub fn other_problems<'a>(
    intent: &Intent,
    node: &Node,
    adapters: impl IntoIterator<Item = Result<&'a Adapter, Problem>>,
    first: &Problem,
) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for adapter in adapters {
        let judged = adapter.and_then(|adapter| match intent.is_compute() {
            true => {
                rules::is_settable(intent.security, [adapter])?;
                vf_plan(intent, adapter, node).map(drop)
            }
            false => Ok(()),
        });
        if let Err(problem) = judged
            && problem != *first
            && !problems.contains(&problem)
        {
            problems.push(problem);
        }
    }
    problems
}
