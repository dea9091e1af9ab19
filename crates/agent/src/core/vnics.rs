//! How the host treats the vNICs of VMs, and what a VF has of that.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use accelnet_host::vms::Side;
use accelnet_libvirt::xml;
use accelnet_model::adapter::Support;
use accelnet_model::domain::Vnic;
use accelnet_model::port::NetworkSettings;
use accelnet_model::switch::PortRules;
use accelnet_model::{Adapter, Code, Domain, Mac, Observed, Problem, Uuid, VmSetting};
use accelnet_rules::pair::Pair;
use accelnet_rules::vnic_fitness::{self, Carried, Pf, Vlan, Way};

use super::{Core, Seen};
use crate::policy::Policy;

/// What the vNICs of the managed intent's switch lead through, as it was seen last.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    pool: String,
    networks: BTreeMap<String, NetworkSettings>,
    bridge: Option<(String, PortRules)>,
    uplink: Option<String>,
    pfs: Vec<Pf>,
    /// What each vNIC may send at most, in Mb/s, by UUID of its VM.
    limits: BTreeMap<(Uuid, Mac), u32>,
    /// The running vNICs of accelerated VMs here, by UUID.
    running: BTreeMap<Uuid, Vnic>,
    /// Digests of the running definitions that were compared with them: an equal one is not parsed again.
    digests: BTreeMap<Uuid, u64>,
}

/// What stands between an accelerated VM and its VF.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// A setting that the VF of its definition would go past.
    pub(crate) config: Option<Problem>,
    /// A setting that the VF goes past that it has.
    pub(crate) live: Option<Problem>,
    /// What else its VF does not have of the vNIC.
    pub(crate) lost: Option<Problem>,
}

impl Ways {
    /// The rules of the managed intent's bridge for its ports, as far as they were read.
    pub fn port_rules(&self) -> Option<&PortRules> {
        self.bridge.as_ref().map(|(_, rules)| rules)
    }
}

impl Core {
    /// Sees what vNICs lead through.
    pub(crate) fn learn_ways(&mut self, policy: &Policy, seen: &Seen) {
        let mut ways = Ways::default();
        for network in seen.networks.known().into_iter().flatten() {
            if let Some(facts) = xml::network(&network.xml) {
                ways.networks.insert(network.name.clone(), facts.settings);
            }
        }
        for domain in seen.domains() {
            for vnic in &domain.vnics {
                let limit = vnic_fitness::transmit_limit(vnic, ways.network_of(vnic));
                if let (Some(mac), Some(limit)) = (vnic.mac, limit) {
                    ways.limits.insert((domain.uuid.clone(), mac), limit);
                }
            }
        }
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        ways.pool = pool.unwrap_or_default();
        for (setting, _) in policy.vms.iter().filter(|(vm, _)| vm.node == self.name) {
            let domain = seen.domain(&setting.uuid);
            if let Some(nic) = domain.and_then(|one| ways.live_nic(one, setting.mac)) {
                ways.running.insert(setting.uuid.clone(), nic.clone());
            }
        }
        if let Some(intent) = policy.managed_intent() {
            let bridge = self.status_of(&intent.name);
            let bridge = bridge.and_then(|status| status.bridge.clone());
            let adapters = self.managed_adapters(policy, seen);
            ways.pfs = adapters.iter().map(|adapter| pf(adapter)).collect();
            let rules = bridge.as_ref().and_then(|bridge| {
                // What cannot be read now is unknown, and changes nothing.
                self.edge.switches().port_rules(bridge).ok().flatten()
            });
            if let (Some(bridge), Some(rules)) = (bridge, rules) {
                ways.uplink = uplink(&rules, &adapters);
                ways.bridge = Some((bridge, rules));
            }
        }
        self.ways = ways;
    }

    /// Whether somebody set something of a running vNIC of an accelerated VM since the last look: libvirt
    /// tells of no such change.
    pub fn vnics_have_changed(&mut self) -> bool {
        let vms = self.edge.vms();
        let ways = &mut self.ways;
        ways.running.iter().any(|(uuid, before)| {
            // What cannot be read now is seen when that is over, which libvirt tells of.
            let Ok(text) = vms.xml(uuid, Side::Live) else {
                return false;
            };
            let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(&text);
            if ways.digests.get(uuid) == Some(&digest) {
                return false;
            }
            let now = xml::Definition::parse(&text).ok();
            let now = now.zip(before.mac).and_then(|(now, mac)| {
                let nic = Pair::of(&now.vnics, mac, &ways.pool).nic?;
                Some((nic.port.clone(), nic.vlan.clone()))
            });
            let changed =
                now.is_some_and(|(port, vlan)| port != before.port || vlan != before.vlan);
            if !changed {
                ways.digests.insert(uuid.clone(), digest);
            }
            changed
        })
    }

    /// Whether there are running vNICs of accelerated VMs.
    pub(crate) fn has_vnics(&self) -> bool {
        !self.ways.running.is_empty()
    }

    /// What a VM's VF may send at most because its vNIC may not send more, in Mb/s.
    pub(crate) fn transmit_limit(&self, setting: &VmSetting) -> Option<u32> {
        let vnic = (setting.uuid.clone(), setting.mac);
        self.ways.limits.get(&vnic).copied()
    }

    /// What a VF of the VM would have of its vNIC, by its definition and by what runs; the VF is to come
    /// to what runs if it is `plugged`.
    ///
    /// # Errors
    ///
    /// A setting that does not go with a VF, or that cannot be read.
    pub(crate) fn vnic_fits(
        &self,
        definition: &Domain,
        domain: &Domain,
        mac: Mac,
        plugged: bool,
    ) -> Result<Carried, Problem> {
        let ways = &self.ways;
        let pair = Pair::of(&definition.vnics, mac, &ways.pool);
        let Some(nic) = pair.nic else {
            let found = format!("Its vNIC {mac} is no longer in its definition.");
            return Err(Problem::new(Code::VmUnfit, &[&domain.name], found));
        };
        let live = ways.live_nic(domain, mac);
        if let (Some(live), true) = (live, plugged) {
            vnic_fitness::judge(&ways.way(&domain.name, live, live.target.as_deref()))?;
        }
        let carried = vnic_fitness::judge(&ways.definition(&domain.name, nic, live))?;
        match carried.vlan {
            Vlan::Unknown => Err(Problem::new(
                Code::NotReadable,
                &[&domain.name, "its bridge"],
                "The VLAN of its vNIC is unknown now.",
            )),
            Vlan::Is(_) | Vlan::WouldBe(_) => Ok(carried),
        }
    }

    /// What a VF of an accelerated VM goes past now, or would at its next start.
    pub(crate) fn past(&self, definition: &Domain, domain: &Domain, mac: Mac) -> Past {
        let ways = &self.ways;
        let live = ways.live_nic(domain, mac);
        let config = Pair::of(&definition.vnics, mac, &ways.pool).nic;
        let config = config.map(|nic| ways.definition(&domain.name, nic, live));
        let live = live.map(|nic| ways.way(&domain.name, nic, nic.target.as_deref()));
        let past = |way: Option<Way<'_>>| vnic_fitness::holds(&way?).err();
        let lost = live.or(config).map(|way| vnic_fitness::judge(&way));
        Past {
            config: past(config),
            live: past(live),
            lost: lost.and_then(Result::err),
        }
    }

    /// The VLAN that the VF of a running VM belongs into, 0 for none; none where that cannot be told.
    pub(crate) fn vlan_of_live(&self, domain: &Domain, mac: Mac) -> Option<u16> {
        let nic = self.ways.live_nic(domain, mac)?;
        let way = self.ways.way(&domain.name, nic, nic.target.as_deref());
        match vnic_fitness::holds(&way) {
            Ok(Vlan::Is(vlan) | Vlan::WouldBe(vlan)) => Some(vlan),
            Ok(Vlan::Unknown) | Err(_) => None,
        }
    }

    /// The VLAN that the VF in a VM's definition belongs into, 0 for none; none where that cannot be told,
    /// or `surely` is asked for and it would only be what a new port gets.
    pub(crate) fn vlan_of_config(
        &self,
        vnics: &[Vnic],
        domain: &Domain,
        mac: Mac,
        surely: bool,
    ) -> Option<u16> {
        let nic = Pair::of(vnics, mac, &self.ways.pool).nic?;
        let live = self.ways.live_nic(domain, mac);
        match vnic_fitness::holds(&self.ways.definition(&domain.name, nic, live)) {
            Ok(Vlan::Is(vlan)) => Some(vlan),
            Ok(Vlan::WouldBe(vlan)) => Some(vlan).filter(|_| !surely),
            Ok(Vlan::Unknown) | Err(_) => None,
        }
    }

    /// How the settings of a VM's vNIC are carried, one line each.
    pub(crate) fn carried_lines(&self, domain: &Domain, mac: Mac) -> Vec<String> {
        let nic = Pair::of(&domain.vnics, mac, &self.ways.pool).nic;
        let judged = nic.map(|nic| {
            let port = nic.target.as_deref();
            vnic_fitness::judge(&self.ways.way(&domain.name, nic, port))
        });
        judged.map_or(Vec::new(), |judged| {
            judged.map_or_else(|problem| vec![problem.found], |carried| carried.lines)
        })
    }
}

impl Ways {
    fn network_of(&self, vnic: &Vnic) -> Option<&NetworkSettings> {
        self.networks.get(vnic.source.as_deref()?)
    }

    fn live_nic<'a>(&self, domain: &'a Domain, mac: Mac) -> Option<&'a Vnic> {
        let runs = domain.state.holds_devices();
        Pair::of(&domain.vnics, mac, &self.pool)
            .nic
            .filter(|_| runs)
    }

    fn way<'a>(&'a self, vm: &'a str, vnic: &'a Vnic, port: Option<&'a str>) -> Way<'a> {
        let bridge = self.bridge.as_ref();
        Way {
            vm,
            vnic,
            port,
            network: self.network_of(vnic),
            bridge: bridge.map(|(name, rules)| (name.as_str(), rules)),
            uplink: self.uplink.as_deref(),
            pfs: &self.pfs,
        }
    }

    /// Of a vNIC as it is defined. Where it names no VLAN, whoever put the running one's port into another
    /// VLAN than a new port has will do so again.
    fn definition<'a>(&'a self, vm: &'a str, nic: &'a Vnic, live: Option<&'a Vnic>) -> Way<'a> {
        let way = self.way(vm, nic, None);
        let port = live.and_then(|live| live.target.as_deref());
        let named = vnic_fitness::names_vlan(&way);
        Way {
            port: port.filter(|_| !named),
            ..way
        }
    }
}

fn pf(adapter: &Adapter) -> Pf {
    let refusal = |support: &Observed<Support>| match support.known() {
        Some(Support::No { reason }) => Some(reason.clone()),
        _ => None,
    };
    Pf {
        name: adapter.name(),
        mtu: adapter.interfaces.first().map(|one| one.link.mtu),
        no_rate: refusal(&adapter.features.max_tx_rate),
        no_vlan: refusal(&adapter.features.vlan),
    }
}

/// The port of the bridge that one of the adapters is, or is in.
fn uplink(rules: &PortRules, adapters: &[&Adapter]) -> Option<String> {
    let links = adapters.iter().flat_map(|adapter| &adapter.interfaces);
    let mut names = links.flat_map(|one| [Some(&one.link.name), one.link.master.as_ref()]);
    let found = names.find_map(|name| rules.port(name?));
    found.map(|port| port.name.clone())
}
