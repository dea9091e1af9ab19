//! One step, as the kernel does it.

use std::io;

use accelnet_model::Mac;
use accelnet_model::switch::{AddressFlags, Network, Route, SwitchStep};
use accelnet_netlink::NetlinkError;

use super::state::{ENODEV, SimSwitches, route};
use crate::links::refused;
use crate::mutex::held;
use crate::tree::SoftLink;

impl SimSwitches {
    pub(super) fn act(&self, step: &SwitchStep) -> Result<(), NetlinkError> {
        let what = step.to_string();
        let done = |result: io::Result<()>| {
            result.map_err(|error| NetlinkError::System {
                what: what.clone(),
                call: "write",
                reason: error.to_string(),
            })
        };
        let missing = || Err(refused(what.clone(), ENODEV, "ENODEV"));
        let there = |link: &str| self.kernel.node().has_link(link);
        match step {
            SwitchStep::CreateBridge { bridge, mac, mtu } => {
                if !there(bridge) {
                    let mac = mac.unwrap_or(Mac([0x02, 0, 0, 0, 0xbb, 2]));
                    let made = self
                        .kernel
                        .node()
                        .add_link(SoftLink::Bridge, bridge, mac, *mtu);
                    done(made.map(drop))?;
                    held(&self.state).bridges.push(bridge.clone());
                }
                Ok(())
            }
            SwitchStep::DeleteBridge { bridge } => {
                for port in self.ports(bridge) {
                    done(self.kernel.node().set_master(&port, None))?;
                }
                let mut state = held(&self.state);
                state.bridges.retain(|one| one != bridge);
                state.carried.remove(bridge);
                match there(bridge) {
                    true => done(self.kernel.node().remove_link(bridge)),
                    false => Ok(()),
                }
            }
            SwitchStep::Set { link, .. } if !there(link) => missing(),
            SwitchStep::Set { link, setting } => {
                let mut state = held(&self.state);
                let carried = state.carried.entry(link.clone()).or_default();
                carried.settings.retain(|one| one.name != setting.name);
                carried.settings.push(setting.clone());
                Ok(())
            }
            SwitchStep::SetMac { link, mac } if there(link) => {
                done(self.kernel.node().set_attribute(link, "address", mac))
            }
            SwitchStep::SetMtu { link, mtu } if there(link) => {
                done(self.kernel.node().set_attribute(link, "mtu", mtu))
            }
            SwitchStep::Up { link } if there(link) => {
                let speed = self.speed(link);
                done(self.kernel.node().set_up(link, true, speed))
            }
            SwitchStep::Down { link } => match there(link) {
                true => done(self.kernel.node().set_up(link, false, None)),
                false => Ok(()),
            },
            SwitchStep::AddPort { bridge, port } if there(port) && there(bridge) => {
                done(self.kernel.node().set_master(port, Some(bridge)))
            }
            SwitchStep::RemovePort { bridge, port } => match self.ports(bridge).contains(port) {
                true => done(self.kernel.node().set_master(port, None)),
                false => Ok(()),
            },
            SwitchStep::SetMac { .. }
            | SwitchStep::SetMtu { .. }
            | SwitchStep::Up { .. }
            | SwitchStep::AddPort { .. } => missing(),
            SwitchStep::AddAddress { link, .. }
            | SwitchStep::AddRoute { link, .. }
            | SwitchStep::AddNeighbour { link, .. }
                if !there(link) =>
            {
                missing()
            }
            step => {
                self.carry(step);
                Ok(())
            }
        }
    }

    /// What a link that is up runs at.
    fn speed(&self, link: &str) -> Option<u32> {
        match self.kernel.node().speed_of(link) {
            Some(speed) => speed,
            // A link that software made has carrier when it is up.
            None => Some(10_000),
        }
    }

    /// What links carry.
    fn carry(&self, step: &SwitchStep) {
        let mut state = held(&self.state);
        match step {
            SwitchStep::AddAddress { link, address } => {
                let carried = state.carried.entry(link.clone()).or_default();
                carried.addresses.retain(|one| !one.is(address));
                carried.addresses.push(address.clone());
                let end = address.peer.unwrap_or(address.ip);
                let own = Route {
                    protocol: Route::BY_KERNEL,
                    source: Some(address.ip),
                    ..route(Network::of(end, address.prefix), None)
                };
                let wanted = !address.flags.has(AddressFlags::NO_PREFIX_ROUTE);
                if wanted && !carried.routes.iter().any(|one| one.is(&own)) {
                    carried.routes.push(own);
                }
            }
            SwitchStep::RemoveAddress { link, address } => {
                let Some(carried) = state.carried.get_mut(link) else {
                    return;
                };
                carried.addresses.retain(|one| !one.is(address));
                let network = Network::of(address.ip, address.prefix);
                carried.routes.retain(|one| {
                    !(one.protocol == Route::BY_KERNEL && one.to == network)
                        && one.source != Some(address.ip)
                });
            }
            SwitchStep::AddRoute { link, route } => {
                let carried = state.carried.entry(link.clone()).or_default();
                if !carried.routes.iter().any(|one| one.is(route)) {
                    carried.routes.push(route.clone());
                }
            }
            SwitchStep::RemoveRoute { link, route } => {
                if let Some(carried) = state.carried.get_mut(link) {
                    carried.routes.retain(|one| !one.is(route));
                }
            }
            SwitchStep::AddNeighbour { link, neighbour } => {
                let carried = state.carried.entry(link.clone()).or_default();
                carried.neighbours.retain(|one| one.ip != neighbour.ip);
                carried.neighbours.push(*neighbour);
            }
            SwitchStep::RemoveNeighbour { link, neighbour } => {
                if let Some(carried) = state.carried.get_mut(link) {
                    carried.neighbours.retain(|one| one.ip != neighbour.ip);
                }
            }
            _ => {}
        }
    }
}
