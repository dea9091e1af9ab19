//! What a bridge lets through its ports.

use accelnet_host::Links;
use accelnet_model::switch::{BridgePort, PortRules, PortVlan};
use accelnet_netlink::NetlinkError;

use super::SimSwitches;
use crate::mutex::held;

impl SimSwitches {
    /// `ip link set BRIDGE type bridge vlan_filtering 1 vlan_default_pvid PVID`; none for a new port without a
    /// VLAN.
    pub fn filter_vlans(&self, bridge: &str, default_pvid: Option<u16>) {
        let mut state = held(&self.state);
        state.filtering.insert(bridge.to_owned(), default_pvid);
    }

    /// `bridge vlan add`: all that a port has from now on. Each is a VLAN, whether it is the port's
    /// own, and whether it goes out without its tag.
    pub fn set_vlans(&self, port: &str, vlans: &[(u16, bool, bool)]) {
        let vlans = vlans.iter().map(|(id, pvid, untagged)| PortVlan {
            id: *id,
            pvid: *pvid,
            untagged: *untagged,
        });
        let vlans = vlans.collect();
        held(&self.state).vlans.insert(port.to_owned(), vlans);
    }

    /// `bridge link set dev PORT isolated on`.
    pub fn isolate(&self, port: &str) {
        held(&self.state).isolated.insert(port.to_owned());
    }

    pub(super) fn rules_of(&self, bridge: &str) -> Result<Option<PortRules>, NetlinkError> {
        let links = self.kernel.links()?;
        let state = held(&self.state);
        let Some(link) = links.iter().find(|link| link.name == bridge) else {
            return Ok(None);
        };
        let filtering = state.filtering.get(bridge);
        let default_pvid = filtering.copied().unwrap_or(Some(1));
        let own = default_pvid.map(|id| PortVlan {
            id,
            pvid: true,
            untagged: true,
        });
        let ports = links
            .iter()
            .filter(|port| port.master.as_deref() == Some(bridge));
        let ports = ports.map(|port| BridgePort {
            name: port.name.clone(),
            isolated: state.isolated.contains(&port.name),
            locked: false,
            learning_off: held(&self.kernel.learning_off).contains(&port.index),
            flood_off: false,
            vlans: match state.vlans.get(&port.name) {
                Some(vlans) => vlans.clone(),
                None => own.into_iter().collect(),
            },
        });
        Ok(Some(PortRules {
            vlan_filtering: filtering.is_some(),
            default_pvid,
            service_tags: false,
            mtu: link.mtu,
            ports: ports.collect(),
        }))
    }
}
