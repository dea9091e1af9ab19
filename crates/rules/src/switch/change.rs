//! The steps of a change, while they are planned.

use accelnet_model::switch::{Bridge, SwitchStep};

use super::choose::Chosen;

/// Steps, and what undoes them in the order of the steps.
#[derive(Default)]
pub(super) struct Change {
    pub(super) steps: Vec<SwitchStep>,
    pub(super) undo: Vec<SwitchStep>,
}

impl Change {
    pub(super) fn step(&mut self, step: SwitchStep, undo: SwitchStep) {
        self.steps.push(step);
        self.undo.push(undo);
    }

    /// A bridge that does not stand. It has the uplink's MAC, so that its addresses stay
    /// where the neighbours know them.
    pub(super) fn create(&mut self, chosen: &Chosen<'_>) {
        let bridge = chosen.bridge.clone();
        self.step(
            SwitchStep::CreateBridge {
                bridge: bridge.clone(),
                mac: chosen.link.mac,
                mtu: chosen.link.mtu,
            },
            SwitchStep::DeleteBridge {
                bridge: bridge.clone(),
            },
        );
        for setting in &chosen.uplink.carried.settings {
            self.steps.push(SwitchStep::Set {
                link: bridge.clone(),
                setting: setting.clone(),
            });
        }
        self.steps.push(SwitchStep::Up { link: bridge });
    }

    /// A bridge that stands.
    pub(super) fn ready(&mut self, bridge: &Bridge, chosen: &Chosen<'_>) {
        let link = || bridge.name.clone();
        let unused = bridge.ports.is_empty() && bridge.addresses.is_empty();
        if let (Some(mac), Some(own)) = (chosen.link.mac, bridge.mac)
            && unused
            && mac != own
        {
            self.step(
                SwitchStep::SetMac { link: link(), mac },
                SwitchStep::SetMac {
                    link: link(),
                    mac: own,
                },
            );
        }
        if !bridge.up {
            self.step(
                SwitchStep::Up { link: link() },
                SwitchStep::Down { link: link() },
            );
        }
    }
}
