//! What was observed of the node at one moment. It does not change; observing again makes another.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use accelnet_host::vms::VirtualNetwork;
use accelnet_libvirt::xml::{self, NetworkFacts};
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Adapter, Domain, Node, Observed, PciAddress, Uuid, Vf};

/// The node and libvirt's networks, with indices.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub node: Node,
    pub networks: Observed<Vec<VirtualNetwork>>,
    /// When all of it was observed, on the clock that never goes back.
    pub observed_at: Duration,
    facts: OnceLock<Vec<(String, NetworkFacts)>>,
    /// Places of the VMs, by UUID.
    vms: OnceLock<HashMap<Uuid, usize>>,
    /// Places of VFs: that of the adapter, and of the VF among those of the adapter.
    vfs: OnceLock<HashMap<PciAddress, (usize, usize)>>,
}

impl Snapshot {
    pub fn new(node: Node, networks: Observed<Vec<VirtualNetwork>>, observed_at: Duration) -> Self {
        Snapshot {
            node,
            networks,
            observed_at,
            facts: OnceLock::new(),
            vms: OnceLock::new(),
            vfs: OnceLock::new(),
        }
    }

    /// A node that was not observed yet.
    pub fn unobserved(name: &str, now: &str) -> Self {
        let unknown = "the agent has no snapshot yet";
        let node = Node::unseen(name, now, unknown);
        Snapshot::new(node, Observed::unknown(unknown), Duration::ZERO)
    }

    /// libvirt's networks by name, as their definitions say; without those that are none.
    pub fn network_facts(&self) -> &[(String, NetworkFacts)] {
        self.facts.get_or_init(|| {
            let networks = self.networks.known().into_iter().flatten();
            let facts =
                networks.filter_map(|one| Some((one.name.clone(), xml::network(&one.xml)?)));
            facts.collect()
        })
    }

    /// The VM with that UUID.
    pub fn domain(&self, uuid: &str) -> Option<&Domain> {
        let places = self.vms.get_or_init(|| {
            let all = self.domains().iter().enumerate();
            all.map(|(place, domain)| (domain.uuid.clone(), place))
                .collect()
        });
        self.domains().get(*places.get(uuid)?)
    }

    /// The same, if it holds devices of the node.
    pub fn running(&self, uuid: &str) -> Option<&Domain> {
        self.domain(uuid).filter(|one| one.state.holds_devices())
    }

    /// The VF at that address, and its adapter.
    pub fn vf(&self, address: PciAddress) -> Option<(&Adapter, &Vf)> {
        let vfs = self.vfs.get_or_init(|| {
            let adapters = self.adapters().iter().enumerate();
            let all = adapters.flat_map(|(place, adapter)| {
                let vfs = adapter.vfs.iter().enumerate();
                vfs.map(move |(index, vf)| (vf.address, (place, index)))
            });
            all.collect()
        });
        let (adapter, vf) = vfs.get(&address)?;
        let adapter = self.adapters().get(*adapter)?;
        Some((adapter, adapter.vfs.get(*vf)?))
    }

    /// The adapters, as far as they are known.
    pub fn adapters(&self) -> &[Adapter] {
        self.node.adapters.known().map_or(&[], Vec::as_slice)
    }

    /// The VMs, as far as they are known.
    pub fn domains(&self) -> &[Domain] {
        self.node.domains.known().map_or(&[], Vec::as_slice)
    }

    /// Whether libvirt reports its VMs.
    pub fn has_domains(&self) -> bool {
        self.node.domains.known().is_some()
    }

    /// The adapter that was bound as `bound`.
    pub fn adapter(&self, bound: &BoundAdapter) -> Option<&Adapter> {
        let mut adapters = self.adapters().iter();
        adapters.find(|adapter| bound.is(&adapter.identity()))
    }

    /// Whether SMT is on; unknown counts as on, which requires more vCPUs.
    pub fn smt(&self) -> bool {
        self.node.platform.smt.known().is_none_or(|smt| smt.is_on())
    }
}
