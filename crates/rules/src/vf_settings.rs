//! The settings of a VF: what its VM requires, what differs, and what an unused VF must not keep. libvirt's
//! hook, the agent's repair and the views of VMs all use these functions.

use std::collections::BTreeMap;

use accelnet_model::performance::PerformanceSetting;
use accelnet_model::vf::{VfSettings, VlanProtocol};
use accelnet_model::{Adapter, HookConfig, Mac, PciAddress, VfChange, VfSecurity};

#[cfg(test)]
mod tests;

/// The queue pairs of a VF with so many MSI-X vectors: one vector is that of its mailbox.
pub fn queue_pairs(vectors: u16) -> u32 {
    u32::from(vectors).saturating_sub(1).max(1)
}

/// The MSI-X vectors that so many queue pairs require.
pub fn vectors(queue_pairs: u32) -> u32 {
    queue_pairs.saturating_add(1)
}

/// Whether the driver distributes MSI-X vectors among the VFs of an adapter (`sriov_vf_total_msix`).
pub fn shares_vectors(adapter: &Adapter) -> bool {
    shared_vectors(adapter).is_some()
}

fn shared_vectors(adapter: &Adapter) -> Option<u32> {
    let total = adapter.sriov.present()?.vf_total_msix.present()?;
    Some(*total).filter(|total| *total > 0)
}

/// The queue pairs of all VFs of an adapter, and the most that one VF can have; none where a VF's vectors are
/// unknown.
pub fn queue_pairs_of(adapter: &Adapter) -> (Option<u32>, Option<u32>) {
    let vfs = u32::try_from(adapter.vfs.len()).unwrap_or(u32::MAX);
    if let Some(total) = shared_vectors(adapter) {
        return (Some(total.saturating_sub(vfs)), Some(total - 1));
    }
    let pairs = adapter.vfs.iter().map(|vf| vf.msix_vectors.present());
    let pairs: Option<Vec<u32>> = pairs.map(|of| of.map(|of| queue_pairs(*of))).collect();
    let least = pairs.and_then(|pairs| pairs.into_iter().min());
    (least.map(|least| least * vfs), least)
}

/// The maximum transmit rate of a VF of `adapter` in Mb/s, 0 for none; `limit` is that of its vNIC.
///
/// # Errors
///
/// The adapter has no link, so that a share of its speed is no number; a fragment.
pub fn rate(
    figure: PerformanceSetting,
    limit: Option<u32>,
    adapter: &Adapter,
) -> Result<u32, String> {
    let percent = figure.rate_limit_percent;
    if percent >= 100 && limit.is_none() {
        return Ok(0);
    }
    let mut interfaces = adapter.interfaces.iter();
    match interfaces.find_map(|interface| interface.speed_mbps.present().copied()) {
        Some(speed) => {
            let share = (speed / 100 * percent).max(1);
            let lowest = limit.map_or(share, |limit| limit.min(share));
            // Drivers refuse a limit that the link does not reach.
            Ok(if lowest >= speed { 0 } else { lowest })
        }
        None if percent >= 100 => Ok(limit.unwrap_or(0)),
        None => Err(format!(
            "{percent} % of the speed of {}, which has no link",
            adapter.name()
        )),
    }
}

/// The VF settings of a VM, whichever of `adapters` libvirt takes the VF from.
pub fn desired(
    mac: Mac,
    figure: PerformanceSetting,
    security: VfSecurity,
    limit: Option<u32>,
    adapters: &[&Adapter],
) -> HookConfig {
    // An adapter without link gets its rate when the link is up.
    let rate = |adapter: &&Adapter| rate(figure, limit, adapter).unwrap_or(0);
    let first = adapters.first().map_or(0, rate);
    let others = adapters.iter().map(|one| (one.address, rate(one)));
    HookConfig {
        mac,
        max_tx_rate_mbps: first,
        max_tx_rate_mbps_by_pf: others
            .filter(|(_, own)| *own != first)
            .collect::<BTreeMap<PciAddress, u32>>(),
        min_tx_rate_mbps: 0,
        vlan: None,
        spoof_check: security.spoof_check,
        trust: security.trust,
        queue_pairs: adapters
            .iter()
            .any(|adapter| shares_vectors(adapter))
            .then_some(figure.queue_pairs),
    }
}

/// The settings that a VF is compared with; none of those that are not to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Administrative MAC.
    pub mac: Option<Mac>,
    /// VLAN, 0 for none.
    pub vlan: Option<u16>,
    /// Minimum and maximum transmit rate in Mb/s, 0 for none.
    pub rate: Option<(u32, u32)>,
    /// Trust and spoof check.
    pub security: VfSecurity,
    /// A setting that the driver does not report is taken for the default; else it is not changed.
    pub assume_defaults: bool,
}

/// The changes from `now` to `target`.
pub fn changes(target: &Target, now: &VfSettings) -> Vec<VfChange> {
    let mut changes = Vec::new();
    changes.extend(target.mac.filter(|mac| *mac != now.mac).map(VfChange::Mac));
    let vlan = target.vlan.filter(|vlan| *vlan != now.vlan);
    changes.extend(vlan.map(|id| VfChange::Vlan {
        id,
        qos: 0,
        protocol: now.vlan_protocol,
    }));
    let rate = target.rate;
    let rate = rate.filter(|rate| *rate != (now.min_tx_rate, now.max_tx_rate));
    changes.extend(rate.map(|(min, max)| VfChange::Rate { min, max }));
    let (wanted, usual) = (target.security, VfSecurity::default());
    let differs = |now: Option<bool>, usual: bool, wanted: bool| match now {
        Some(now) => now != wanted,
        None => target.assume_defaults && usual != wanted,
    };
    if differs(now.spoof_check, usual.spoof_check, wanted.spoof_check) {
        changes.push(VfChange::SpoofCheck(wanted.spoof_check));
    }
    if differs(now.trust, usual.trust, wanted.trust) {
        changes.push(VfChange::Trust(wanted.trust));
    }
    changes
}

/// The changes to an unused VF; its MAC is cleared if it is `mac`, or any without one.
pub fn cleared(mac: Option<Mac>, now: &VfSettings) -> Vec<VfChange> {
    let mut changes = Vec::new();
    // While it is there, the adapter sends the VM's traffic to the VF.
    if now.mac != Mac::ZERO && mac.is_none_or(|mac| mac == now.mac) {
        changes.push(VfChange::Mac(Mac::ZERO));
    }
    if now.vlan != 0 || now.qos != 0 {
        changes.push(VfChange::Vlan {
            id: 0,
            qos: 0,
            protocol: VlanProtocol::Dot1Q,
        });
    }
    changes.extend(self::changes(
        &Target {
            mac: None,
            vlan: None,
            rate: Some((0, 0)),
            security: VfSecurity::default(),
            assume_defaults: false,
        },
        now,
    ));
    changes
}
