//! What the VFs of VMs are to have, written down for libvirt's hook: before a VM starts, also
//! at boot, when libvirt starts VMs by itself.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_libvirt::LibvirtError;
use accelnet_model::vf_wish::{VfWish, outcome_file, wish_file};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Adapter, PciAddress, VmSetting};

use super::{Core, Seen};
use crate::policy::Policy;

impl Core {
    /// Brings the wishes that lie here to the settings of this node's VMs.
    pub(crate) fn settle_wishes(&self, policy: &Policy, seen: &Seen) {
        let adapters = self.managed_adapters(policy, seen);
        let mut wanted = BTreeSet::new();
        for (setting, _) in policy.vms.iter().filter(|(vm, _)| vm.node == self.name) {
            wanted.insert(setting.uuid.as_str());
            // While a setting is being taken away its wish is its own affair.
            if setting.phase == Phase::Enabled && !adapters.is_empty() {
                let wish = self.wish(policy, setting, &adapters);
                if self.read_wish(&setting.uuid).as_ref() != Some(&wish) {
                    // What cannot be written is tried again by the next pass.
                    drop(self.write_wish(&setting.uuid, &wish));
                }
            }
        }
        let there = std::fs::read_dir(self.edge.wishes());
        for entry in there.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let uuid = name.to_str().and_then(|name| name.strip_suffix(".json"));
            let uuid = uuid.map(|uuid| uuid.strip_suffix(".outcome").unwrap_or(uuid));
            if let Some(uuid) = uuid.filter(|uuid| !wanted.contains(uuid)) {
                self.forget_wish(uuid, seen);
            }
        }
    }

    /// A VM without a setting needs no wish; the outcome stays until its VF is put back.
    fn forget_wish(&self, uuid: &str, seen: &Seen) {
        let holds = match seen.node.domains.known() {
            None => true,
            Some(domains) => domains.iter().any(|domain| {
                domain.uuid == uuid
                    && domain.state.holds_devices()
                    && !domain.host_devices.is_empty()
            }),
        };
        if !holds {
            drop(self.drop_wish(uuid));
        }
    }

    /// A change that failed leaves the wish that was before it.
    pub(crate) fn restore_wish(&self, policy: &Policy, setting: &VmSetting) {
        match setting.before {
            None => drop(self.drop_wish(&setting.uuid)),
            Some(performance) => {
                let before = VmSetting {
                    performance,
                    ..setting.clone()
                };
                let seen = self.look();
                let wish = self.wish(policy, &before, &self.managed_adapters(policy, &seen));
                // The next pass tries again.
                drop(self.write_wish(&setting.uuid, &wish));
            }
        }
    }

    fn read_wish(&self, uuid: &str) -> Option<VfWish> {
        let text = std::fs::read(wish_file(self.edge.wishes(), uuid)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(crate) fn write_wish(&self, uuid: &str, wish: &VfWish) -> Result<(), LibvirtError> {
        let file = wish_file(self.edge.wishes(), uuid);
        let failed = |words: String| LibvirtError::Failed {
            doing: "be prepared for a VF",
            words,
        };
        let text = serde_json::to_string(wish).map_err(|error| failed(error.to_string()))?;
        crate::files::replace(&file, text.as_bytes())
            .map_err(|error| failed(format!("{}: {error}", file.display())))
    }

    pub(crate) fn drop_wish(&self, uuid: &str) -> Result<(), LibvirtError> {
        for file in [
            wish_file(self.edge.wishes(), uuid),
            outcome_file(self.edge.wishes(), uuid),
        ] {
            // What is not there need not go.
            drop(std::fs::remove_file(file));
        }
        Ok(())
    }

    /// What a VM's VF is to have, whichever of `adapters` libvirt takes it from.
    pub(crate) fn wish(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        adapters: &[&Adapter],
    ) -> VfWish {
        let figure = policy.management.performance.of(setting.performance);
        let mut rates: BTreeMap<PciAddress, u32> = adapters
            .iter()
            .map(|adapter| {
                // What has no link now gets its rate when it does.
                let rate = self.rate(policy, setting, adapter).unwrap_or(0);
                (adapter.address, rate)
            })
            .collect();
        let first = adapters.first().and_then(|first| rates.get(&first.address));
        let rate = first.copied().unwrap_or(0);
        rates.retain(|_, own| *own != rate);
        VfWish {
            mac: setting.mac,
            max_tx_rate_mbps: rate,
            max_tx_rate_mbps_by_pf: rates,
            min_tx_rate_mbps: 0,
            vlan: None,
            spoof_check: true,
            trust: false,
            // The hook leaves VFs alone whose driver has no say in it.
            queue_pairs: adapters
                .iter()
                .any(|adapter| super::vms::shares_vectors(adapter))
                .then_some(figure.queue_pairs),
        }
    }

    /// The transmit rate of a VM's VF, in Mb/s; 0 for no limit.
    ///
    /// # Errors
    ///
    /// The adapter has no link, so that a share of its speed is no figure; as a fragment.
    pub(crate) fn rate(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        adapter: &Adapter,
    ) -> Result<u32, String> {
        let weight = policy
            .management
            .performance
            .of(setting.performance)
            .transmit_weight;
        if weight >= 100 {
            return Ok(0);
        }
        let speed = adapter
            .interfaces
            .iter()
            .find_map(|interface| interface.speed_mbps.present().copied());
        match speed {
            Some(speed) => Ok((speed / 100 * weight).max(1)),
            None => Err(format!(
                "{weight} % of the speed of {}, which has no link",
                adapter.name()
            )),
        }
    }

    /// The adapters of the managed intent, in its order.
    pub(crate) fn managed_adapters<'a>(&self, policy: &Policy, seen: &'a Seen) -> Vec<&'a Adapter> {
        let intent = policy.managed_intent();
        let bound = intent.and_then(|intent| self.policies.bound(&intent.name).ok().flatten());
        let bound = bound.unwrap_or_default();
        bound
            .iter()
            .filter_map(|bound| seen.adapter(bound))
            .collect()
    }
}
