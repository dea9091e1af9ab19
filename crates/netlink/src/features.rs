//! What an adapter can do for its VFs: from what it reports, or by asking
//! one unused VF for what it already has, or for harmless figures that are put back.

use accelnet_model::Observed;
use accelnet_model::adapter::{Support, VfFeatures};
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};

use crate::{NetlinkError, VfChange, set_vf};

mod judge;

#[cfg(test)]
mod tests;

use judge::judge;

/// Changes the settings of one adapter's VFs.
pub trait VfControl {
    /// Changes VF `vf`; returns what the driver remarked though it did it.
    fn set(&self, vf: u32, change: VfChange) -> Result<Option<String>, NetlinkError>;
}

/// The VFs of a link of this node.
#[derive(Debug, Clone, Copy)]
pub struct PfControl {
    /// The PF's link index.
    pub index: u32,
}

impl VfControl for PfControl {
    fn set(&self, vf: u32, change: VfChange) -> Result<Option<String>, NetlinkError> {
        set_vf(self.index, vf, change)
    }
}

/// What asking brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The adapter's VF capabilities. MSI-X and eswitch are not asked here.
    pub features: VfFeatures,
    /// Remarks of the driver on what it did, each with what it was asked.
    pub warnings: Vec<String>,
    /// Settings that could not be put back, as fragments that fit after "failed to".
    pub not_restored: Vec<NetlinkError>,
}

/// What can be determined without asking. A driver that does not report spoof check or trust
/// for any VF has neither; everything else is unknown until [`probe`] asks.
pub fn reported(vfs: &[VfSettings]) -> VfFeatures {
    let unasked = || match vfs {
        [] => Observed::unknown("no VF exists to test it"),
        _ => Observed::unknown("not tested yet"),
    };
    let told = |what, told: fn(&VfSettings) -> bool| match vfs {
        [_, ..] if !vfs.iter().any(told) => silent(what),
        _ => unasked(),
    };
    VfFeatures {
        max_tx_rate: unasked(),
        min_tx_rate: unasked(),
        trust: told("trust", |vf| vf.trust.is_some()),
        spoof_check: told("spoof check", |vf| vf.spoof_check.is_some()),
        vlan: unasked(),
        vlan_802_1ad: unasked(),
        link_state: unasked(),
        msix_per_vf: Observed::unknown("not tested yet"),
        eswitch: Observed::unknown("not tested yet"),
    }
}

fn silent(what: &str) -> Observed<Support> {
    Observed::Known(Support::No {
        reason: format!("the driver reports no {what}"),
    })
}

/// Mb/s that every adapter can limit a VF to.
const ASKED_MAX: u32 = 100;

/// Asks `control` about the VF with the settings `former`, which no process may be using, and
/// puts everything back. Without `carrier` some drivers refuse what they could do: such a
/// refusal is taken as unknown.
pub fn probe(control: &impl VfControl, former: &VfSettings, carrier: bool) -> Probe {
    let mut asker = Asker {
        control,
        former,
        carrier,
        warnings: Vec::new(),
        not_restored: Vec::new(),
    };
    let mut features = reported(std::slice::from_ref(former));
    if let Some(on) = former.spoof_check {
        features.spoof_check = asker.ask(VfChange::SpoofCheck(on), None);
    }
    if let Some(on) = former.trust {
        features.trust = asker.ask(VfChange::Trust(on), None);
    }
    features.link_state = asker.link_state();
    features.vlan = asker.vlan(VlanProtocol::Dot1Q);
    features.vlan_802_1ad = asker.vlan(VlanProtocol::Dot1Ad);
    features.max_tx_rate = asker.max_tx_rate();
    // A driver that takes a rate has link, whatever was seen before: links come back
    // while VFs are made.
    asker.carrier |= features.max_tx_rate == Observed::Known(Support::Yes);
    features.min_tx_rate = asker.min_tx_rate();
    Probe {
        features,
        warnings: asker.warnings,
        not_restored: asker.not_restored,
    }
}

struct Asker<'a, C> {
    control: &'a C,
    former: &'a VfSettings,
    carrier: bool,
    warnings: Vec<String>,
    not_restored: Vec<NetlinkError>,
}

impl<C: VfControl> Asker<'_, C> {
    /// Tries `change`, then `back`, unless the driver clearly did not do it.
    fn ask(&mut self, change: VfChange, back: Option<VfChange>) -> Observed<Support> {
        let result = self.control.set(self.former.index, change);
        let untouched = matches!(result, Err(NetlinkError::Refused { .. }));
        if let (Some(back), false) = (back.filter(|back| *back != change), untouched) {
            match self.control.set(self.former.index, back) {
                Ok(warning) => self.remember(back, warning),
                Err(error) => self.not_restored.push(error),
            }
        }
        match result {
            Ok(warning) => {
                self.remember(change, warning);
                Observed::Known(Support::Yes)
            }
            Err(error) => judge(&error, self.carrier),
        }
    }

    fn remember(&mut self, change: VfChange, warning: Option<String>) {
        self.warnings
            .extend(warning.map(|words| format!("{change}: {words}")));
    }

    fn link_state(&mut self) -> Observed<Support> {
        let state = self.former.link_state.unwrap_or(VfLinkState::Auto);
        self.ask(VfChange::LinkState(state), None)
    }

    /// Asks for the VLAN it has, or for none by the protocol that it has not.
    fn vlan(&mut self, protocol: VlanProtocol) -> Observed<Support> {
        let has = VfChange::Vlan {
            id: self.former.vlan,
            qos: self.former.qos,
            protocol: self.former.vlan_protocol,
        };
        let none = VfChange::Vlan {
            id: 0,
            qos: 0,
            protocol,
        };
        let same = protocol == self.former.vlan_protocol;
        self.ask(if same { has } else { none }, Some(has))
    }

    fn rate(&mut self, min: u32, max: u32) -> Observed<Support> {
        let back = VfChange::Rate {
            min: self.former.min_tx_rate,
            max: self.former.max_tx_rate,
        };
        self.ask(VfChange::Rate { min, max }, Some(back))
    }

    fn max_tx_rate(&mut self) -> Observed<Support> {
        let min = self.former.min_tx_rate;
        match self.former.max_tx_rate {
            0 => self.rate(min, min.max(ASKED_MAX)),
            max => self.rate(min, max),
        }
    }

    /// Asks for a minimum of 1 Mb/s, the least there is, beside the maximum it has.
    fn min_tx_rate(&mut self) -> Observed<Support> {
        let min = self.former.min_tx_rate.max(1);
        self.rate(min, self.former.max_tx_rate)
    }
}
