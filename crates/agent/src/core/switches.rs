//! The virtual switch of an intent: planned, handed over, and handed back.

use accelnet_api::types::EventKind;
use accelnet_host::switch::hand_over::{Edge as HandOverEdge, Limits, NotHandedOver, hand_over};
use accelnet_host::switch::network_state;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::switch::Plan;
use accelnet_model::{Adapter, Code, Intent, Problem};
use accelnet_rules::switch::{self, DesiredSwitch};
use accelnet_rules::vm::Switch;

use super::apply::Step;
use super::{Core, Seen};
use crate::policy::Policy;

/// What bringing about a switch takes: its bridge, the plan if there is anything to do, and
/// what is worth knowing.
type Planned = (String, Option<Plan>, Vec<String>);

impl Core {
    /// How the node gets the virtual switch of `intent`.
    pub(crate) fn switch_plan(
        &self,
        intent: &Intent,
        adapters: &[&Adapter],
        seen: &Seen,
    ) -> Result<Planned, Problem> {
        let mut uplinks = Vec::new();
        for adapter in adapters {
            let link = adapter.interfaces.first().ok_or_else(|| {
                let found = "It has no netdev: no driver is bound, or it is in another namespace.";
                Problem::new(Code::UplinkUnfit, &[&adapter.name()], found)
            })?;
            uplinks.push(link.link.name.clone());
        }
        let had = self.bridge_of(intent, adapters);
        let plan = self.plan_of(intent, &uplinks, had, seen)?;
        let mut warnings = plan.warnings.clone();
        warnings.extend(self.mention_warnings(intent, &plan, seen));
        let bridge = plan.bridge.clone();
        match plan.steps.is_empty() {
            true => Ok((bridge, None, warnings)),
            false => Ok((bridge, Some(plan), warnings)),
        }
    }

    /// The bridge that `intent` has here with these very adapters.
    fn bridge_of(&self, intent: &Intent, adapters: &[&Adapter]) -> Option<String> {
        let status = self.status_of(&intent.name)?;
        let same = status.adapters.len() == adapters.len()
            && status
                .adapters
                .iter()
                .all(|bound| adapters.iter().any(|one| one.address == bound.address));
        status.bridge.clone().filter(|_| same)
    }

    fn plan_of(
        &self,
        intent: &Intent,
        uplinks: &[String],
        had: Option<String>,
        seen: &Seen,
    ) -> Result<Plan, Problem> {
        let host = self.edge.host();
        let first = uplinks.first().map_or("", String::as_str);
        let begun = host.clock.uptime();
        let network_state = network_state(self.edge.switches(), host.links, host.root, uplinks);
        let mut network_state = network_state.map_err(|error| {
            Problem::new(
                Code::NotReadable,
                &[&intent.name, "the node's links"],
                format!("It failed to {error}."),
            )
        })?;
        self.complete(&mut network_state, seen, begun);
        let wish = DesiredSwitch {
            bridge: intent.bridge_name(),
            uplinks: uplinks.to_vec(),
            had,
        };
        let plan = switch::plan(&wish, &network_state).map_err(|refusal| {
            let uplink = refusal.uplink().unwrap_or(first);
            Problem::new(Code::UplinkUnfit, &[uplink], refusal.to_string())
                .needed(refusal.needed())
                .resolution(refusal.to_do())
        })?;
        self.host_network
            .judge(intent, &plan, &network_state, host.clock.uptime());
        Ok(plan)
    }

    /// Does the plan of a switch, all of it or none.
    pub(crate) fn hand_over(&self, plan: &Plan, intent: &Intent) -> Result<(), Problem> {
        let host = self.edge.host();
        let edge = HandOverEdge {
            switches: self.edge.switches(),
            guard: self.edge.guard(),
            clock: host.clock,
        };
        let mut passing = |_: &accelnet_model::switch::SwitchStep| self.edge.passing("switch-step");
        match hand_over(edge, plan, Limits::default(), &mut passing) {
            Ok(handed) => {
                for gateway in &handed.silent_before {
                    let message = format!(
                        "Gateway {gateway} did not answer before the change of {}, so it was not checked after the change.",
                        plan.bridge
                    );
                    self.tell(EventKind::Noticed, &intent.name, message);
                }
                Ok(())
            }
            Err(error) => Err(taken_back(plan, &error)),
        }
    }

    /// Hands what a bridge of ours carries back to its adapter, and takes the bridge away. One
    /// that was adopted stays.
    pub(crate) fn hand_back(
        &self,
        intent: &Intent,
        bound: &[BoundAdapter],
        seen: &Seen,
    ) -> Result<(), Problem> {
        let uplinks: Vec<String> = bound
            .iter()
            .filter_map(|bound| {
                let adapter = seen.adapter(bound)?;
                let link = adapter.interfaces.first()?;
                Some(link.link.name.clone())
            })
            .collect();
        let bridge = intent.bridge_name();
        let stands = self.edge.switches().list_bridges();
        let stands = stands.map_err(|error| {
            Problem::new(
                Code::NotReadable,
                &[&bridge, "the node's bridges"],
                format!("It failed to {error}."),
            )
        })?;
        let Some(found) = stands.iter().find(|one| one.name == bridge) else {
            return Ok(());
        };
        let guests: Vec<&String> = found
            .ports
            .iter()
            .filter(|port| !uplinks.contains(port))
            .collect();
        if !guests.is_empty() {
            let names: Vec<&str> = guests.iter().map(|name| name.as_str()).collect();
            return Err(Problem::new(
                Code::IntentInUse,
                &[&intent.name],
                format!("Ports {} are on bridge {bridge}.", names.join(", ")),
            ));
        }
        let Some(uplink) = found.ports.first() else {
            return self.take_away(&bridge, intent);
        };
        let host = self.edge.host();
        let links = [bridge.clone(), uplink.clone()];
        let network_state = network_state(self.edge.switches(), host.links, host.root, &links);
        let network_state = network_state.map_err(|error| {
            Problem::new(
                Code::NotReadable,
                &[&bridge, "the node's links"],
                format!("It failed to {error}."),
            )
        })?;
        match switch::give_back(&bridge, uplink, &network_state) {
            Ok(plan) => {
                self.hand_over(&plan, intent)?;
                self.take_away(&bridge, intent)
            }
            Err(refusal) => Err(Problem::new(
                Code::UplinkUnfit,
                &[uplink],
                refusal.to_string(),
            )),
        }
    }

    fn take_away(&self, bridge: &str, intent: &Intent) -> Result<(), Problem> {
        let step = accelnet_model::switch::SwitchStep::DeleteBridge {
            bridge: bridge.to_owned(),
        };
        self.edge.switches().apply(&step).map_err(|error| {
            Problem::new(
                Code::NotReadable,
                &[&intent.name, bridge],
                format!("It failed to {error}."),
            )
        })
    }

    /// Running VMs' ends that are no port of their bridge any more: somebody deleted it, and it
    /// was made anew.
    pub(crate) fn lost_ports(&self, intent: &Intent, bridge: &str, seen: &Seen) -> Vec<Step> {
        // Without the list of links nothing is known to be lost.
        let links = self.edge.host().links.links().unwrap_or_default();
        let network = intent.switch_network();
        let mut lost = Vec::new();
        for domain in seen.domains() {
            for vnic in &domain.vnics {
                // Of what runs, libvirt shows a network that leads to a bridge as that bridge, by
                // the network's name.
                let source = vnic.source.as_deref();
                let on = ["network", "bridge"].contains(&vnic.kind.as_str())
                    && (source == Some(&network) || source == Some(bridge));
                let end = links
                    .iter()
                    .find(|link| on && Some(&link.name) == vnic.target.as_ref());
                if let Some(end) = end.filter(|end| end.master.is_none()) {
                    lost.push(Step::Port {
                        bridge: bridge.to_owned(),
                        port: end.name.clone(),
                        vm: domain.name.clone(),
                    });
                }
            }
        }
        lost
    }

    /// Makes a link a port of a bridge.
    pub(crate) fn add_port(&self, bridge: &str, port: &str) -> Result<(), Problem> {
        let step = accelnet_model::switch::SwitchStep::AddPort {
            bridge: bridge.to_owned(),
            port: port.to_owned(),
        };
        self.edge.switches().apply(&step).map_err(|error| {
            Problem::new(Code::UplinkUnfit, &[port], format!("It failed to {error}.")).resolution(
                "Fix the error that the kernel reports, then run the same command again.",
            )
        })
    }

    /// The managed intent's switch here, by every name that a vNIC can call it.
    pub(crate) fn switch(&self, policy: &Policy, seen: &Seen) -> Option<Switch> {
        let intent = policy.managed_intent()?;
        let bridge = self.status_of(&intent.name)?.bridge.clone()?;
        let mut networks = vec![intent.switch_network()];
        for network in seen.networks.known().into_iter().flatten() {
            let facts = accelnet_libvirt::xml::network(&network.xml);
            let leads = facts.is_some_and(|facts| {
                facts.mode.as_deref() == Some("bridge") && facts.bridge.as_deref() == Some(&bridge)
            });
            if leads && !networks.contains(&network.name) {
                networks.push(network.name.clone());
            }
        }
        Some(Switch {
            intent: intent.name.to_string(),
            bridge,
            networks,
        })
    }
}

/// A change of the switch that did not go through.
fn taken_back(plan: &Plan, error: &NotHandedOver) -> Problem {
    use accelnet_host::switch::hand_over::Cause;
    let words = format!("It failed to {error}.");
    match error {
        NotHandedOver::RolledBack {
            cause: Cause::Silent { gateway, .. },
            ..
        } => Problem::new(
            Code::GatewayLost,
            &[&gateway.ip.to_string(), &plan.bridge],
            words,
        ),
        _ => Problem::new(Code::UplinkUnfit, &[&plan.uplink], words)
            .resolution("Fix the error that the kernel reports, then run the same command again."),
    }
}
