//! Brings intents about on the node: VFs, virtual switch, libvirt's networks.

use accelnet_api::types::{EventKind, PlannedStep};
use accelnet_host::vms::VirtualNetwork;
use accelnet_libvirt::xml::{self, PoolOf};
use accelnet_model::intent::{BoundAdapter, IntentState, IntentStatus};
use accelnet_model::vf_plan::{Ask, Plan as VfPlan, Step as VfStep};
use accelnet_model::{Adapter, Code, Intent, PciAddress, Problem};
use accelnet_rules::vf_count;

use super::{Core, Seen, VF_DEADLINE};
use crate::policy::Policy;
use crate::problems::libvirt_failed;
use crate::vf_change::{self, Request};

/// One step towards an intent.
pub(crate) enum Step {
    /// Another number of VFs.
    Vfs {
        adapter: String,
        address: PciAddress,
        ask: Ask,
        actions: Vec<String>,
        why: String,
    },
    /// The virtual switch.
    Switch(Box<accelnet_model::switch::Plan>),
    /// The host's end of a running VM's vNIC, which is nobody's port.
    Port {
        bridge: String,
        port: String,
        vm: String,
    },
    /// A libvirt network as it should be.
    Network {
        name: String,
        xml: String,
        /// Whether it runs with another definition, which has to end first.
        restart: bool,
        why: String,
    },
    /// A libvirt network that is there and does not run.
    StartNetwork { name: String },
}

impl Step {
    /// As it is shown before it is done.
    pub fn planned(&self, node: &str, intent: &str) -> Vec<PlannedStep> {
        let step = |subject: &str, action: String, why: &str| PlannedStep {
            node: node.to_owned(),
            subject: subject.to_owned(),
            action,
            reason: why.to_owned(),
            affected_vms: Vec::new(),
            restarts: None,
        };
        match self {
            Step::Vfs {
                adapter,
                actions,
                why,
                ..
            } => actions
                .iter()
                .map(|action| step(adapter, action.clone(), why))
                .collect(),
            Step::Switch(plan) => plan
                .steps
                .iter()
                .map(|one| step(intent, one.to_string(), &plan.why))
                .collect(),
            Step::Port { bridge, port, vm } => vec![step(
                vm,
                format!("add port {port} to bridge {bridge}"),
                "its vNIC lost its bridge when the bridge was created again",
            )],
            Step::Network { name, why, .. } => {
                vec![step(
                    name,
                    format!("define and start libvirt network {name}"),
                    why,
                )]
            }
            Step::StartNetwork { name } => vec![step(
                name,
                format!("start libvirt network {name}"),
                "it does not run",
            )],
        }
    }

    /// The name by which it can be killed at.
    fn name(&self) -> &'static str {
        match self {
            Step::Vfs { .. } => "vfs",
            Step::Switch(_) => "switch",
            Step::Port { .. } => "port",
            Step::Network { .. } => "network",
            Step::StartNetwork { .. } => "start-network",
        }
    }
}

/// What an intent needs on this node now.
pub(crate) struct Needs {
    pub bound: Vec<BoundAdapter>,
    pub bridge: Option<String>,
    pub vfs: u32,
    pub steps: Vec<Step>,
    pub warnings: Vec<String>,
    /// Steps whose turn comes when libvirt may be asked.
    pub waits_for_libvirt: bool,
}

impl Core {
    /// Brings every intent about, once round: look, plan, act, look again. Whether a change
    /// was gone on with that may have changed the policy.
    pub(crate) fn apply_intents(&mut self, policy: &Policy, seen: &mut Seen) -> bool {
        let mut went_on = false;
        let names: Vec<String> = policy
            .plain_intents()
            .into_iter()
            .map(|one| one.name.into())
            .collect();
        self.statuses
            .retain(|status| names.contains(&status.intent));
        self.withdraw_removed(policy, seen);
        for intent in &policy.plain_intents() {
            if self.cut_the_node_off(intent, policy) {
                continue;
            }
            if let Ok(Some(disruption)) = self.policies.disruption(&intent.name) {
                self.go_on_with(&disruption, intent, policy, seen);
                went_on = true;
                continue;
            }
            // What failed stands in the status.
            drop(self.apply_intent(intent, policy, seen));
        }
        went_on
    }

    /// A change that was taken back because the node was cut off is not tried again by itself,
    /// only when the intent changes.
    fn cut_the_node_off(&self, intent: &Intent, policy: &Policy) -> bool {
        self.status_of(&intent.name).is_some_and(|status| {
            let lost = status.problem.as_ref();
            status.intent_revision == policy.intent_revision(&intent.name)
                && lost.is_some_and(|problem| problem.code == Code::GatewayLost)
        })
    }

    /// Brings one intent about. Its status is "completed" only when a look after the last act
    /// found nothing left to do.
    pub(crate) fn apply_intent(
        &mut self,
        intent: &Intent,
        policy: &Policy,
        seen: &mut Seen,
    ) -> Result<(), Problem> {
        let result = self.try_apply(intent, policy, seen);
        if let Err(problem) = &result {
            if Core::was_short(problem) || self.can_be_judged(seen).is_err() {
                // That says nothing about the intent: its status stays, and it is tried again.
                self.step_was_short = true;
                return result;
            }
            let known = self
                .status_of(&intent.name)
                .and_then(|status| status.problem.clone());
            if known.as_ref() != Some(problem) {
                self.tell_problem(EventKind::Failed, &intent.name, problem);
            }
            let others = self.other_problems(intent, seen, problem);
            self.enter(intent, policy, IntentState::Failed, |status| {
                status.problem = Some(problem.clone());
                status.other_problems = others;
            });
        }
        result
    }

    fn try_apply(
        &mut self,
        intent: &Intent,
        policy: &Policy,
        seen: &mut Seen,
    ) -> Result<(), Problem> {
        // Each round ends with a fresh look; a second one begins where the first made room
        // (a bridge that is there can be planned with), and no sound intent needs a fourth.
        for _ in 0..4 {
            let needs = self.needs_now(intent, seen)?;
            let now = self.now();
            if needs.steps.is_empty() {
                let state = match needs.waits_for_libvirt {
                    true => IntentState::Applying,
                    false => IntentState::Completed,
                };
                if state == IntentState::Completed {
                    self.stands(intent);
                }
                self.enter(intent, policy, state, |status| {
                    status.verified_at = Some(now);
                    status.adapters = needs.bound;
                    status.bridge = needs.bridge;
                    status.vfs = needs.vfs;
                    status.warnings = needs.warnings;
                    status.problem = None;
                    status.other_problems.clear();
                });
                return Ok(());
            }
            self.steps_are_needed(intent, &needs.steps);
            self.enter(intent, policy, IntentState::Applying, |status| {
                status.adapters = needs.bound.clone();
                status.bridge = needs.bridge.clone();
                status.warnings.clone_from(&needs.warnings);
            });
            for step in &needs.steps {
                self.edge.failpoint(step.name());
                self.act(step, intent)?;
            }
            self.edge.failpoint("acted");
            *seen = self.look_after(seen);
        }
        let needs = self.needs(intent, seen)?;
        let left: Vec<String> = needs
            .steps
            .iter()
            .flat_map(|step| step.planned(&self.name, &intent.name))
            .map(|step| step.action)
            .collect();
        if left.is_empty() {
            return self.try_apply(intent, policy, seen);
        }
        Err(Problem::new(
            Code::NotVerified,
            &[&format!("intent {}", intent.name)],
            format!(
                "Its steps were done, and the node still asks for: {}.",
                left.join("; ")
            ),
        ))
    }

    /// What `intent` needs on this node, as it is seen.
    pub(crate) fn needs(&self, intent: &Intent, seen: &Seen) -> Result<Needs, Problem> {
        let bound = self.bind(intent, seen)?;
        self.needs_of(intent, bound, seen)
    }

    /// The same for whoever only looks: nothing is bound that is not.
    pub(crate) fn needs_as_seen(&self, intent: &Intent, seen: &Seen) -> Result<Needs, Problem> {
        match self.bound_as_declared(intent)? {
            Some(bound) => self.needs_of(intent, bound, seen),
            None => self.needs_unbound(intent, seen),
        }
    }

    /// The same of an intent that may not be declared: nothing is bound.
    pub(crate) fn needs_unbound(&self, intent: &Intent, seen: &Seen) -> Result<Needs, Problem> {
        let bound = self.resolve(intent, seen)?;
        self.needs_of(intent, bound, seen)
    }

    fn needs_of(
        &self,
        intent: &Intent,
        bound: Vec<BoundAdapter>,
        seen: &Seen,
    ) -> Result<Needs, Problem> {
        let mut needs = Needs {
            bound: bound.clone(),
            bridge: None,
            vfs: 0,
            steps: Vec::new(),
            warnings: Vec::new(),
            waits_for_libvirt: false,
        };
        let mut adapters: Vec<&Adapter> = Vec::new();
        for bound in &bound {
            adapters.push(adapter_of(bound, seen)?);
        }
        if !intent.is_compute() {
            return Ok(needs);
        }
        accelnet_rules::intent::is_settable(intent.security, adapters.iter().copied())?;
        let ask = intent.vfs.map_or(Ask::All, Ask::Exactly);
        for adapter in &adapters {
            needs.vfs += u32::try_from(adapter.vfs.len()).unwrap_or(u32::MAX);
            let plan = vf_plan(adapter, ask, seen)?;
            if changes_vfs(&plan, adapter) {
                needs.steps.push(Step::Vfs {
                    adapter: adapter.name(),
                    address: adapter.address,
                    ask,
                    actions: plan.steps.iter().map(ToString::to_string).collect(),
                    why: plan.reason,
                });
            }
        }
        let (bridge, plan, warnings) = self.switch_plan(intent, &adapters, seen)?;
        needs.bridge = Some(bridge.clone());
        needs.warnings = warnings;
        if let Some(plan) = plan {
            needs.steps.push(Step::Switch(Box::new(plan)));
        }
        if needs.steps.is_empty() {
            let lost = self.lost_ports(intent, &bridge, seen);
            needs.steps.extend(lost);
        }
        // Networks name VFs and a bridge, which have to be there.
        if needs.steps.is_empty() {
            self.network_needs(intent, &adapters, &bridge, seen, &mut needs)?;
        }
        Ok(needs)
    }

    fn network_needs(
        &self,
        intent: &Intent,
        adapters: &[&Adapter],
        bridge: &str,
        seen: &Seen,
        needs: &mut Needs,
    ) -> Result<(), Problem> {
        let Some(networks) = seen.networks.known() else {
            if self.libvirt_may_be_asked {
                let reason = seen.networks.reason().unwrap_or_default();
                return Err(libvirt_failed("list its networks", reason));
            }
            needs.waits_for_libvirt = true;
            return Ok(());
        };
        let switch_name = intent.switch_network();
        let switch_xml = xml::bridge_network(&switch_name, bridge);
        needs
            .steps
            .extend(network_step(networks, &switch_name, &switch_xml, |found| {
                xml::network(found)
                    .and_then(|facts| facts.bridge)
                    .as_deref()
                    == Some(bridge)
            }));
        let pool_name = intent.pool_network();
        let names: Vec<String> = adapters.iter().map(|adapter| adapter.name()).collect();
        let vfs: Vec<PciAddress> = adapters
            .iter()
            .flat_map(|adapter| adapter.vfs.iter().map(|vf| vf.address))
            .collect();
        let of = match names.as_slice() {
            [only] => PoolOf::Pf(only),
            _ => PoolOf::Vfs(&vfs),
        };
        let pool_xml = xml::hostdev_network(&pool_name, of);
        needs
            .steps
            .extend(network_step(networks, &pool_name, &pool_xml, |found| {
                xml::network(found).is_some_and(|facts| {
                    let mut there = facts.vfs.clone();
                    let mut wanted = vfs.clone();
                    there.sort();
                    wanted.sort();
                    // One that does not run names its PF only.
                    there == wanted || (there.is_empty() && facts.pfs == names)
                })
            }));
        Ok(())
    }

    /// Does one step.
    fn act(&mut self, step: &Step, intent: &Intent) -> Result<(), Problem> {
        match step {
            Step::Vfs { address, ask, .. } => {
                let name = address.to_string();
                let request = Request {
                    name: &name,
                    ask: *ask,
                    within: VF_DEADLINE,
                    dry_run: false,
                };
                let host = self.edge.host();
                let changed = vf_change::run(&host, request, None)?;
                for warning in &changed.warnings {
                    self.tell(EventKind::Noticed, &changed.adapter, format!("{warning}."));
                }
                Ok(())
            }
            Step::Switch(plan) => self.hand_over(plan, intent),
            Step::Port { bridge, port, .. } => self.add_port(bridge, port),
            Step::Network {
                name, xml, restart, ..
            } => {
                let vms = self.edge.vms();
                let result = match restart {
                    true => vms.stop_network(name),
                    false => Ok(()),
                };
                let result = result
                    .and_then(|()| vms.define_network(xml, true))
                    .and_then(|()| vms.start_network(name));
                result.map_err(|error| {
                    libvirt_failed(&format!("create network {name}"), &error.to_string())
                })
            }
            Step::StartNetwork { name } => self.edge.vms().start_network(name).map_err(|error| {
                libvirt_failed(&format!("start network {name}"), &error.to_string())
            }),
        }
    }

    /// Enters a state of an intent; one that is the same already keeps its time.
    pub(crate) fn enter(
        &mut self,
        intent: &Intent,
        policy: &Policy,
        state: IntentState,
        more: impl FnOnce(&mut IntentStatus),
    ) {
        let now = self.now();
        let known = self
            .statuses
            .iter()
            .position(|status| status.intent == intent.name);
        let place = known.unwrap_or_else(|| {
            self.statuses.push(IntentStatus {
                intent: intent.name.to_string(),
                node: self.name.clone(),
                state: IntentState::Pending,
                intent_revision: 0,
                since: now.clone(),
                verified_at: None,
                adapters: Vec::new(),
                bridge: None,
                vfs: 0,
                problem: None,
                other_problems: Vec::new(),
                warnings: Vec::new(),
                last_report: None,
            });
            self.statuses.len() - 1
        });
        let Some(status) = self.statuses.get_mut(place) else {
            return;
        };
        if status.state != state {
            status.state = state;
            status.since = now;
        }
        status.intent_revision = policy.intent_revision(&intent.name);
        more(status);
    }
}

/// An adapter as it is observed.
pub(super) fn adapter_of<'a>(bound: &BoundAdapter, seen: &'a Seen) -> Result<&'a Adapter, Problem> {
    seen.adapter(bound).ok_or_else(|| {
        let found = match seen.node.adapters.reason() {
            Some(reason) => reason.to_owned(),
            None => format!("No adapter has this MAC or the address {}.", bound.address),
        };
        let names = [&*bound.name, &bound.address.to_string()];
        Problem::new(Code::AdapterLost, &names, found)
    })
}

/// How an adapter gets its VFs.
pub(super) fn vf_plan(adapter: &Adapter, ask: Ask, seen: &Seen) -> Result<VfPlan, Problem> {
    vf_count::plan(adapter, ask)
        .map_err(|problem| accelnet_rules::prereq::as_judged(problem, &seen.node, adapter))
}

/// Whether a plan changes anything: drivers that are kept off already need not be again.
fn changes_vfs(plan: &VfPlan, adapter: &Adapter) -> bool {
    let on = adapter.sriov.present();
    let on = on.is_some_and(|sriov| sriov.drivers_autoprobe.known() == Some(&true));
    plan.steps
        .iter()
        .any(|step| on || *step != VfStep::KeepDriversOff)
}

/// The step that a libvirt network needs to be as it should be.
fn network_step(
    networks: &[VirtualNetwork],
    name: &str,
    xml: &str,
    is_right: impl Fn(&str) -> bool,
) -> Option<Step> {
    let found = networks.iter().find(|network| network.name == name);
    let network = |restart, why: &str| {
        Some(Step::Network {
            name: name.to_owned(),
            xml: xml.to_owned(),
            restart,
            why: why.to_owned(),
        })
    };
    match found {
        None => network(false, "libvirt has no such network"),
        Some(found) if !is_right(&found.xml) => network(found.active, "its definition differs"),
        Some(found) if !found.persistent || !found.autostart => {
            network(false, "it would not come back after a reboot")
        }
        Some(found) if !found.active => Some(Step::StartNetwork {
            name: name.to_owned(),
        }),
        Some(_) => None,
    }
}
