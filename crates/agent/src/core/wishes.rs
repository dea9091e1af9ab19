//! What the VFs of VMs are to have, written down for libvirt's hook: before a VM starts, also
//! at boot, when libvirt starts VMs by itself.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_libvirt::LibvirtError;
use accelnet_model::hook_config::{HookConfig, Pool, config_file, outcome_file, pool_file};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Adapter, PciAddress, Uuid, VfSecurity, VmSetting};

use super::{Core, Seen};
use crate::policy::Policy;

impl Core {
    /// Brings the wishes that lie here to the settings of VMs: of all, because any of them may
    /// come to this node.
    pub(crate) fn settle_wishes(&self, policy: &Policy, seen: &Seen) {
        let adapters = self.managed_adapters(policy, seen);
        let mut wanted = BTreeSet::new();
        for (setting, _) in &policy.vms {
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
            let uuid = uuid.and_then(|uuid| uuid.parse::<Uuid>().ok());
            let gone = |uuid: &Uuid| !wanted.contains(uuid.as_str()) && policy.has_no(uuid);
            if let Some(uuid) = uuid.filter(gone) {
                self.forget_wish(&uuid, seen);
            }
        }
    }

    /// Leaves the managed pool for libvirt's hook: it looks there whether a VM that comes would find
    /// a VF. A pool that nobody watches is not left there: nobody would mend what came in.
    pub(crate) fn settle_pools(&self, policy: &Policy, seen: &Seen) {
        let folder = self.edge.wishes().with_file_name("pools");
        let managed = policy
            .managed_intent()
            .filter(|_| policy.management.enabled);
        // What cannot be read may name one.
        if policy.management.intent.is_some() && managed.is_none() && policy.management.enabled
            || policy.held.management
        {
            return;
        }
        let mut wanted = None;
        if let Some(intent) = managed {
            let bound = self.policies.bound(&intent.name).ok().flatten();
            let adapters = bound.unwrap_or_default();
            let adapters = adapters.iter().filter_map(|bound| seen.adapter(bound));
            let pool = Pool {
                network: intent.switch_network(),
                vfs: adapters
                    .flat_map(|adapter| adapter.vfs.iter().map(|vf| vf.address))
                    .collect(),
            };
            let file = pool_file(&folder, &intent.name);
            let same = crate::files::read_capped(&file)
                .ok()
                .and_then(|text| serde_json::from_slice::<Pool>(&text).ok());
            if same.as_ref() != Some(&pool)
                && let Ok(text) = serde_json::to_string(&pool)
            {
                // What cannot be written is tried again by the next pass.
                drop(crate::files::replace(&file, text.as_bytes()));
            }
            wanted = file.file_name().map(ToOwned::to_owned);
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if Some(entry.file_name()) != wanted {
                drop(std::fs::remove_file(entry.path()));
            }
        }
    }

    /// A VM without a setting needs no wish; the outcome stays until its VF is put back.
    fn forget_wish(&self, uuid: &Uuid, seen: &Seen) {
        let holds = match seen.node.domains.known() {
            None => true,
            Some(_) => seen.domain(uuid).is_some_and(|domain| {
                domain.state.holds_devices() && !domain.host_devices.is_empty()
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
                    security: setting.security_before.unwrap_or(setting.security),
                    ..setting.clone()
                };
                let picture = self.newest();
                let adapters = picture.node.adapters.known().map_or(&[][..], Vec::as_slice);
                let bound = self.bound_to_managed(policy);
                let adapters = adapters.iter();
                let adapters = adapters.filter(|one| bound.iter().any(|b| b.is(&one.identity())));
                let wish = self.wish(policy, &before, &adapters.collect::<Vec<_>>());
                // The next pass tries again.
                drop(self.write_wish(&setting.uuid, &wish));
            }
        }
    }

    fn read_wish(&self, uuid: &Uuid) -> Option<HookConfig> {
        let text = crate::files::read_capped(&config_file(self.edge.wishes(), uuid)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(crate) fn write_wish(&self, uuid: &Uuid, wish: &HookConfig) -> Result<(), LibvirtError> {
        let file = config_file(self.edge.wishes(), uuid);
        let failed = |words: String| LibvirtError::Failed {
            doing: "be prepared for a VF",
            words,
        };
        let text = serde_json::to_string(wish).map_err(|error| failed(error.to_string()))?;
        crate::files::replace(&file, text.as_bytes())
            .map_err(|error| failed(format!("{}: {error}", file.display())))
    }

    pub(crate) fn drop_wish(&self, uuid: &Uuid) -> Result<(), LibvirtError> {
        for file in [
            config_file(self.edge.wishes(), uuid),
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
    ) -> HookConfig {
        let figure = policy.management.performance.of(setting.performance);
        let security = security_of(policy, setting);
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
        HookConfig {
            mac: setting.mac,
            max_tx_rate_mbps: rate,
            max_tx_rate_mbps_by_pf: rates,
            min_tx_rate_mbps: 0,
            vlan: None,
            spoof_check: security.spoof_check,
            trust: security.trust,
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
            .rate_limit_percent;
        let limit = self.transmit_limit(setting);
        if weight >= 100 && limit.is_none() {
            return Ok(0);
        }
        let speed = adapter
            .interfaces
            .iter()
            .find_map(|interface| interface.speed_mbps.present().copied());
        match speed {
            Some(speed) => {
                let share = (speed / 100 * weight).max(1);
                // A limit that the link does not reach is none, and drivers refuse it.
                let lowest = limit.map_or(share, |limit| limit.min(share));
                Ok(if lowest >= speed { 0 } else { lowest })
            }
            None if weight >= 100 => Ok(limit.unwrap_or(0)),
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

/// What the guest of a VM may do with its VF.
pub(crate) fn security_of(policy: &Policy, setting: &VmSetting) -> VfSecurity {
    let intent = policy.managed_intent();
    let intent = intent.map_or(VfSecurity::default(), |intent| intent.security);
    setting.security.on(intent)
}
