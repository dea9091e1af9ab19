//! How the host treats the vNICs of VMs, and what of that a VF carries.

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

use crate::context::Context;
use crate::world::World;

/// The networks, bridge and adapters that vNICs on the managed intent's switch lead through.
#[derive(Debug, Default)]
pub(crate) struct Vnics {
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

/// Settings of an accelerated VM's vNIC that its VF does not have.
#[derive(Debug, Default)]
pub(crate) struct Bypassed {
    /// A setting that the VF of its definition would bypass.
    pub(crate) config: Option<Problem>,
    /// A setting that its VF bypasses.
    pub(crate) live: Option<Problem>,
    /// Another setting that it does not have.
    pub(crate) lost: Option<Problem>,
}

impl Vnics {
    /// The rules of the managed intent's bridge for its ports, as far as they were read.
    pub fn port_rules(&self) -> Option<&PortRules> {
        self.bridge.as_ref().map(|(_, rules)| rules)
    }
}

impl Vnics {
    /// Reads what vNICs lead through; `bridge` is that of the managed intent.
    pub fn read(ctx: &Context, world: &World, bridge: Option<&str>) -> Self {
        let mut vnics = Vnics {
            pool: world.pool.clone(),
            ..Vnics::default()
        };
        for (name, facts) in world.snapshot.network_facts() {
            vnics.networks.insert(name.clone(), facts.settings.clone());
        }
        for domain in world.snapshot.domains() {
            for vnic in &domain.vnics {
                let limit = vnic_fitness::transmit_limit(vnic, vnics.network_of(vnic));
                if let (Some(mac), Some(limit)) = (vnic.mac, limit) {
                    vnics.limits.insert((domain.uuid.clone(), mac), limit);
                }
            }
        }
        for setting in world.own_settings() {
            let domain = world.snapshot.domain(&setting.uuid);
            if let Some(nic) = domain.and_then(|one| vnics.live_nic(one, setting.mac)) {
                vnics.running.insert(setting.uuid.clone(), nic.clone());
            }
        }
        let adapters = world.managed_adapters();
        vnics.pfs = adapters.iter().map(|adapter| pf(adapter)).collect();
        let rules = bridge.and_then(|bridge| {
            // What cannot be read now is unknown, and changes nothing.
            ctx.edge.switches().port_rules(bridge).ok().flatten()
        });
        if let (Some(bridge), Some(rules)) = (bridge, rules) {
            vnics.uplink = uplink(&rules, &adapters);
            vnics.bridge = Some((bridge.to_owned(), rules));
        }
        vnics
    }

    /// Whether a running vNIC of an accelerated VM was changed since it was read: libvirt reports no such change.
    pub fn have_changed(&mut self, ctx: &Context) -> bool {
        let vms = ctx.edge.vms();
        let (pool, digests) = (&self.pool, &mut self.digests);
        self.running.iter().any(|(uuid, before)| {
            // What cannot be read now is observed when that is over, which libvirt reports.
            let Ok(text) = vms.xml(uuid, Side::Live) else {
                return false;
            };
            let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(&text);
            if digests.get(uuid) == Some(&digest) {
                return false;
            }
            let now = xml::Definition::parse(&text).ok();
            let now = now.zip(before.mac).and_then(|(now, mac)| {
                let nic = Pair::of(&now.vnics, mac, pool).nic?;
                Some((nic.port.clone(), nic.vlan.clone()))
            });
            let changed =
                now.is_some_and(|(port, vlan)| port != before.port || vlan != before.vlan);
            if !changed {
                digests.insert(uuid.clone(), digest);
            }
            changed
        })
    }

    /// Whether there are running vNICs of accelerated VMs.
    pub(crate) fn are_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// What a VM's VF may send at most because its vNIC may not send more, in Mb/s.
    pub(crate) fn transmit_limit(&self, setting: &VmSetting) -> Option<u32> {
        let vnic = (setting.uuid.clone(), setting.mac);
        self.limits.get(&vnic).copied()
    }

    /// What a VF of the VM would have of its vNIC, by its definition and by what runs; the VF is to come
    /// to what runs if it is `plugged`.
    ///
    /// # Errors
    ///
    /// A setting that does not go with a VF, or that cannot be read.
    pub(crate) fn carried(
        &self,
        definition: &Domain,
        domain: &Domain,
        mac: Mac,
        plugged: bool,
    ) -> Result<Carried, Problem> {
        let pair = Pair::of(&definition.vnics, mac, &self.pool);
        let Some(nic) = pair.nic else {
            let found = format!("Its vNIC {mac} is no longer in its definition.");
            return Err(Problem::new(Code::VmUnfit, &[&domain.name], found));
        };
        let live = self.live_nic(domain, mac);
        if let (Some(live), true) = (live, plugged) {
            vnic_fitness::judge(&self.way(&domain.name, live, live.target.as_deref()))?;
        }
        let carried = vnic_fitness::judge(&self.definition(&domain.name, nic, live))?;
        match carried.vlan {
            Vlan::Unknown => Err(Problem::new(
                Code::NotReadable,
                &[&domain.name, "its bridge"],
                "The VLAN of its vNIC is unknown now.",
            )),
            Vlan::Is(_) | Vlan::WouldBe(_) => Ok(carried),
        }
    }

    /// The settings that the VF of an accelerated VM bypasses now, or would at its next start.
    pub(crate) fn bypassed(&self, definition: &Domain, domain: &Domain, mac: Mac) -> Bypassed {
        let live = self.live_nic(domain, mac);
        let config = Pair::of(&definition.vnics, mac, &self.pool).nic;
        let config = config.map(|nic| self.definition(&domain.name, nic, live));
        let live = live.map(|nic| self.way(&domain.name, nic, nic.target.as_deref()));
        let past = |way: Option<Way<'_>>| vnic_fitness::holds(&way?).err();
        let lost = live.or(config).map(|way| vnic_fitness::judge(&way));
        Bypassed {
            config: past(config),
            live: past(live),
            lost: lost.and_then(Result::err),
        }
    }

    /// The VLAN of the VF of a running VM, 0 for none; none where that is unknown.
    pub(crate) fn vlan_of_live(&self, domain: &Domain, mac: Mac) -> Option<u16> {
        let nic = self.live_nic(domain, mac)?;
        let way = self.way(&domain.name, nic, nic.target.as_deref());
        match vnic_fitness::holds(&way) {
            Ok(Vlan::Is(vlan) | Vlan::WouldBe(vlan)) => Some(vlan),
            Ok(Vlan::Unknown) | Err(_) => None,
        }
    }

    /// The VLAN of the VF in a VM's definition, 0 for none; none where that is unknown, or
    /// is only what a new port gets and `surely` is set.
    pub(crate) fn vlan_of_config(
        &self,
        vnics: &[Vnic],
        domain: &Domain,
        mac: Mac,
        surely: bool,
    ) -> Option<u16> {
        let nic = Pair::of(vnics, mac, &self.pool).nic?;
        let live = self.live_nic(domain, mac);
        match vnic_fitness::holds(&self.definition(&domain.name, nic, live)) {
            Ok(Vlan::Is(vlan)) => Some(vlan),
            Ok(Vlan::WouldBe(vlan)) => Some(vlan).filter(|_| !surely),
            Ok(Vlan::Unknown) | Err(_) => None,
        }
    }

    /// How the settings of a VM's vNIC are carried, one line each.
    pub(crate) fn carried_lines(&self, domain: &Domain, mac: Mac) -> Vec<String> {
        let nic = Pair::of(&domain.vnics, mac, &self.pool).nic;
        let judged = nic.map(|nic| {
            let port = nic.target.as_deref();
            vnic_fitness::judge(&self.way(&domain.name, nic, port))
        });
        judged.map_or(Vec::new(), |judged| {
            judged.map_or_else(|problem| vec![problem.found], |carried| carried.lines)
        })
    }
}

impl Vnics {
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

    /// Of a vNIC as it is defined. Where it names no VLAN, the program that moved the running one's port
    /// to another VLAN than a new port has will do so again.
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
