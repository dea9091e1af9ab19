//! What the program calls.

use std::net::IpAddr;
use std::time::Duration;

use accelnet_host::{Links, Switches};
use accelnet_model::switch::{Bridge, Carried, Mention, Network, PortRules, SwitchStep};
use accelnet_netlink::NetlinkError;

use super::SimSwitches;
use super::state::ENODEV;
use crate::links::refused;
use crate::mutex::held;

impl Switches for SimSwitches {
    fn list_bridges(&self) -> Result<Vec<Bridge>, NetlinkError> {
        let going = self.half_gone();
        let links = self.kernel.links()?;
        let now = self.kernel.time.passed();
        let mut state = held(&self.state);
        let names = state.bridges.clone();
        let bridges = links
            .iter()
            .filter(|link| names.contains(&link.name) && going.as_ref() != Some(&link.name));
        Ok(bridges
            .map(|link| Bridge {
                name: link.name.clone(),
                index: link.index,
                mac: link.mac,
                mtu: link.mtu,
                up: link.up,
                ports: links
                    .iter()
                    .filter(|port| port.master.as_ref() == Some(&link.name))
                    .map(|port| port.name.clone())
                    .collect(),
                addresses: state.carried_at(&link.name, now).addresses,
                spanning_tree: false,
                forward_delay_ms: 0,
                vlan_filtering: state.filtering.contains_key(&link.name),
            })
            .collect())
    }

    fn port_rules(&self, bridge: &str) -> Result<Option<PortRules>, NetlinkError> {
        self.rules_of(bridge)
    }

    fn carried(&self, link: &str) -> Result<Carried, NetlinkError> {
        match self.kernel.node().has_link(link) {
            true => Ok(self.carries(link)),
            false => Err(refused(format!("read {link}"), ENODEV, "ENODEV")),
        }
    }

    fn apply(&self, step: &SwitchStep) -> Result<(), NetlinkError> {
        let words = step.to_string();
        {
            let mut state = held(&self.state);
            let refusal = state
                .refusals
                .iter_mut()
                .find(|refusal| refusal.left > 0 && words.contains(&refusal.step));
            if let Some(refusal) = refusal {
                refusal.left -= 1;
                return Err(refused(words, 16, "EBUSY"));
            }
            state.applied.push(words);
        }
        self.act(step)
    }

    fn mentions(&self, link: &str) -> Vec<Mention> {
        let mut state = held(&self.state);
        state.asked += 1;
        state.mentions.get(link).cloned().unwrap_or_default()
    }

    fn answers(&self, gateway: IpAddr, link: &str, _within: Duration) -> bool {
        let state = held(&self.state);
        let Some(cable) = state.gateways.get(&gateway) else {
            return false;
        };
        let Ok(links) = self.kernel.links() else {
            return false;
        };
        let find = |name: &str| links.iter().find(|link| link.name == name);
        let cabled = |name: &str| find(name).is_some_and(|link| link.up && link.carrier);
        let bridge = state.bridges.iter().any(|bridge| bridge == link);
        let carried = state.carried.get(link);
        let spoken = carried.is_some_and(|carried| {
            let mut own = carried.addresses.iter();
            own.any(|own| Network::of(own.ip, own.prefix) == Network::of(gateway, own.prefix))
        });
        let reached = match bridge {
            true => {
                !state.silent_through_bridges
                    && find(link).is_some_and(|link| link.up)
                    && find(cable).is_some_and(|cable| cable.master.as_deref() == Some(link))
                    && cabled(cable)
            }
            false => {
                cable == link
                    && cabled(link)
                    && find(link).is_some_and(|link| link.master.is_none())
            }
        };
        spoken && reached && !state.silent
    }
}
