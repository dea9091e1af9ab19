//! The mind of an agent: one thread that owns the node's edge, looks, plans, acts, and tells.
//!
//! Everything that changes the node happens here, one after the other. What readers want is
//! left for them in pictures of the node, so that nobody waits behind a slow change.

mod adapters;
mod apply;
mod asked;
mod bridging;
pub(crate) mod drain;
mod drift;
mod filter;
mod hook_outcome;
mod host_network;
mod intent_problems;
pub(crate) mod intents;
pub(crate) mod management;
mod moves;
mod nics;
pub(crate) mod paths;
mod remarks;
mod room;
pub(crate) mod settle;
mod shortage;
mod software_path;
mod standing;
mod switches;
mod taken_back;
mod vms;
mod vnics;
mod wishes;

use vms::Requests;
pub(crate) use wishes::security_of;

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use accelnet_api::Role;
use accelnet_api::types::{EventKind, Origin};
use accelnet_host::hypervisor::NoHypervisor;
use accelnet_host::vms::VirtualNetwork;
use accelnet_host::{Host, observe};
use accelnet_model::adapter::Identity;
use accelnet_model::intent::{BoundAdapter, IntentStatus};
use accelnet_model::{
    Adapter, Code, Domain, Intent, Node, NodeName, Observed, PciAddress, Problem, Uuid, Vf,
};
use accelnet_rules::vm_names::Names;
use accelnet_store::Store;

use crate::cluster::nodes::Nodes;
use crate::cluster::{CutOff, Link, Why};
use crate::edge::Edge;
use crate::journal::{Journal, Word};
use crate::orders::Orders;
use crate::policy::{Policy, PolicyStore};
use crate::reflex::Reflex;
use crate::report::{Report, Reports};
use crate::view::Picture;

#[cfg(all(test, feature = "simulated"))]
mod tests;

/// How long a change of the number of VFs may take.
const VF_DEADLINE: Duration = Duration::from_secs(180);
/// How long a guest may take to give up its VF (QEMU's own unplug of a busy guest takes seconds).
const GIVE_UP: Duration = Duration::from_secs(30);

/// What was seen of the node at one moment, beside what other agents reported.
pub(crate) struct Seen {
    /// The node itself.
    pub node: Node,
    /// libvirt's networks.
    pub networks: Observed<Vec<VirtualNetwork>>,
    /// When all of it was seen, on the clock that never goes back.
    pub seen_at: Duration,
    /// Places of the VMs, by UUID.
    places: OnceCell<HashMap<Uuid, usize>>,
    /// Places of VFs: that of the adapter, and of the VF among those of the adapter.
    vfs: OnceCell<HashMap<PciAddress, (usize, usize)>>,
}

impl Seen {
    fn of(node: Node, networks: Observed<Vec<VirtualNetwork>>, seen_at: Duration) -> Self {
        Seen {
            node,
            networks,
            seen_at,
            places: OnceCell::new(),
            vfs: OnceCell::new(),
        }
    }

    /// The VM with that UUID.
    pub fn domain(&self, uuid: &str) -> Option<&Domain> {
        let places = self.places.get_or_init(|| {
            let all = self.domains().iter().enumerate();
            all.map(|(place, domain)| (domain.uuid.clone(), place))
                .collect()
        });
        self.domains().get(*places.get(uuid)?)
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

    /// The adapter that was bound as `bound`.
    pub fn adapter(&self, bound: &BoundAdapter) -> Option<&Adapter> {
        self.adapters()
            .iter()
            .find(|adapter| bound.is(&adapter.identity()))
    }

    /// Whether SMT is on; what cannot be told counts as on, which asks for more vCPUs.
    pub fn smt(&self) -> bool {
        self.node.platform.smt.known().is_none_or(|smt| smt.is_on())
    }
}

/// The mind of one agent.
pub struct Core {
    pub(crate) edge: Box<dyn Edge>,
    pub(crate) name: String,
    pub(crate) policies: PolicyStore,
    pub(crate) journal: Journal,
    pub(crate) reports: Arc<Reports>,
    pub(crate) nodes: Nodes,
    pub(crate) statuses: Vec<IntentStatus>,
    /// Intents that were complete here.
    stood: Vec<drift::Stood>,
    /// Whether libvirt may be waited for: not before its own start, which waits for us.
    pub(crate) libvirt_may_be_asked: bool,
    pub(crate) applied_revision: u64,
    /// From where the request came that is being done; none when nobody asked over the API.
    pub(crate) asked_from: Option<Origin>,
    /// The role of who asked.
    pub(crate) asked_as: Option<Role>,
    /// The order of another node that is carried out.
    pub(crate) asked_by_order: Option<Uuid>,
    pub(crate) orders: Orders,
    pub(crate) picture: Arc<RwLock<Arc<Picture>>>,
    pub(crate) reflex: Reflex,
    /// VMs with a setting that were this node's while they ran here.
    pub(crate) own: BTreeSet<Uuid>,
    /// The way to a store that others have, too.
    pub(crate) link: Option<Arc<Link>>,
    /// Whether the node was brought to a policy since this agent began.
    pub(crate) begun: bool,
    /// No event is waiting for a refresh; only the watchers of events set it.
    pub(crate) nothing_heard: bool,
    /// Whether somebody waits for an answer, which the other nodes' report is not to keep up: then it
    /// is written by [`Core::report`].
    pub(crate) answers_first: bool,
    /// Whether the last pass was given up for want of descriptors or memory.
    short: bool,
    /// Whether a step of an intent was, in this pass.
    step_was_short: bool,
    remarks: remarks::Remarks,
    paths: paths::Paths,
    /// Addresses that run out, and rules that name uplinks.
    pub(crate) host_network: host_network::HostNetwork,
    /// vNICs that running guests were asked for and did not give up, by the VM's UUID.
    asked_out: std::collections::BTreeMap<Uuid, vms::AskedOut>,
    /// What vNICs lead through.
    ways: vnics::Ways,
    taken_back: taken_back::TakenBack,
    requests: Requests,
    /// MACs in failover bridging for a while, whatever is seen of their VMs.
    lingering: Vec<bridging::Lingering>,
    /// MACs that were bridged because their guests were not seen to drive their VFs.
    unproved: BTreeSet<accelnet_model::Mac>,
    filter: filter::Filter,
    /// The cluster's sums, as the last admission left them.
    kept: Mutex<Option<standing::Kept>>,
}

impl Core {
    /// The agent of the node called `name`.
    pub fn new(edge: Box<dyn Edge>, store: Arc<dyn Store>, name: &str) -> Self {
        let picture = Picture::empty(name, &edge.host().clock.now());
        let wishes = edge.wishes().to_owned();
        let journald = edge.journald();
        let filter = filter::Filter::new(wishes.with_file_name("filter.json"));
        let taken_back = taken_back::TakenBack::read(&wishes);
        let orders = Orders::new(store.clone(), name);
        Core {
            reflex: Reflex::new(edge.reflex_links(), wishes, filter.ledger()),
            own: BTreeSet::new(),
            edge,
            name: name.to_owned(),
            policies: PolicyStore::new(store.clone(), name),
            journal: Journal::new(store.clone(), name).with_journald(journald),
            nodes: Nodes::new(store.clone(), name),
            reports: Arc::new(Reports::new(store, name)),
            statuses: Vec::new(),
            stood: Vec::new(),
            libvirt_may_be_asked: true,
            applied_revision: 0,
            asked_from: None,
            asked_as: None,
            asked_by_order: None,
            orders,
            picture: Arc::new(RwLock::new(Arc::new(picture))),
            link: None,
            begun: false,
            nothing_heard: false,
            answers_first: false,
            short: false,
            step_was_short: false,
            remarks: remarks::Remarks::default(),
            paths: paths::Paths::default(),
            host_network: host_network::HostNetwork::default(),
            asked_out: std::collections::BTreeMap::new(),
            ways: vnics::Ways::default(),
            taken_back,
            requests: Requests::default(),
            lingering: Vec::new(),
            unproved: BTreeSet::new(),
            filter,
            kept: Mutex::default(),
        }
    }

    /// Its store is one that can be cut off.
    pub fn reaches_by(&mut self, link: Arc<Link>) {
        self.link = Some(link);
    }

    /// Since when the node is cut off from its store; none while it is not.
    pub fn cut_off(&self) -> Option<CutOff> {
        self.link.as_ref()?.cut_off()
    }

    /// The store answers again: what was missed is made up for.
    pub(crate) fn back_in_touch(&mut self, was: &CutOff) {
        let CutOff {
            since, found, why, ..
        } = was;
        let message = match why {
            Why::Silent => format!("The store answers again; it did not since {since} ({found})."),
            Why::Foreign => {
                format!("The store is this cluster's again; it was not since {since} ({found}).")
            }
            Why::NameTaken => format!(
                "No other agent has this node's name any more; since {since} one had ({found})."
            ),
            Why::Damaged => format!("The store can be read again; since {since} it could not."),
        };
        self.tell(EventKind::Noticed, &self.name, message);
        self.policies.forget_own();
        // What cannot be done stands in the statuses, and is tried again.
        drop(self.pass());
        self.carry_out_orders();
    }

    /// Where readers find the newest picture.
    pub fn picture(&self) -> Arc<RwLock<Arc<Picture>>> {
        self.picture.clone()
    }

    /// The reports of all nodes, this one's as it is now.
    pub(crate) fn reports(&self) -> Arc<Reports> {
        self.reports.clone()
    }

    /// The node as it is now.
    pub fn node(&self) -> Node {
        self.look().node
    }

    /// What acts without the mind.
    pub fn reflex(&self) -> Reflex {
        self.reflex.clone()
    }

    /// Looks at the whole node.
    pub(crate) fn look(&self) -> Seen {
        let host = self.edge.host();
        let seen_at = host.clock.uptime();
        if !self.libvirt_may_be_asked {
            let blind = Host {
                hypervisor: &NoHypervisor,
                ..host
            };
            let mut node = self.named(observe::node(&blind));
            node.domains =
                Observed::unknown("the agent has just started, and has not asked libvirt yet");
            let networks = Observed::unknown("libvirt is not asked before it has started");
            return Seen::of(node, networks, seen_at);
        }
        let node = self.named(observe::node(&host));
        Seen::of(node, self.networks(), seen_at)
    }

    /// Looks at what a change of the VMs called `names` rests on: them, and the adapters of `intent`.
    /// All else is as it was seen by the last pass, which events ask for when it changes; networks and
    /// other VMs, too, unless such an event waits for its pass. Without names, or when one of them means
    /// nobody, all VMs are looked at.
    pub(crate) fn look_at_vms(&self, intent: &Intent, names: &[String]) -> Seen {
        let picture = self.newest();
        let meant = match self.nothing_heard {
            true => all_meant(names, picture.node.domains.known()),
            false => None,
        };
        let which = self.is_bound(intent);
        let Some(node) = self.look_again(&picture.node, meant.as_deref(), which) else {
            return self.look();
        };
        let networks = match self.nothing_heard && picture.networks.known().is_some() {
            true => picture.networks.clone(),
            false => self.networks(),
        };
        Seen::of(node, networks, picture.seen_at)
    }

    /// Looks at what a change of these VMs of the managed intent has changed: them, its adapters, and
    /// its pool. All else is as in `before`.
    pub(crate) fn look_at_changed(&self, policy: &Policy, before: &Seen, vms: &[String]) -> Seen {
        let Some(intent) = policy.managed_intent() else {
            return self.look();
        };
        let Some(node) = self.look_again(&before.node, Some(vms), self.is_bound(intent)) else {
            return self.look();
        };
        let networks = self.with_pool(&before.networks, &intent.pool_network());
        Seen::of(node, networks, before.seen_at)
    }

    /// Looks at what a change of policy rests on: the VMs, networks, and all adapters. The machine
    /// and its software are as the last pass saw them.
    pub(crate) fn look_at_adapters(&self) -> Seen {
        let picture = self.newest();
        self.look_at_all_but_the_machine(&picture.node, picture.seen_at)
    }

    /// Looks at the same things after an act of this agent; all else is as in `before`.
    pub(crate) fn look_after(&self, before: &Seen) -> Seen {
        self.look_at_all_but_the_machine(&before.node, before.seen_at)
    }

    fn look_at_all_but_the_machine(&self, before: &Node, seen_at: Duration) -> Seen {
        let Some(node) = self.look_again(before, None, |_| true) else {
            return self.look();
        };
        Seen::of(node, self.networks(), seen_at)
    }

    /// Looks at VMs (all, or those with these UUIDs) and adapters; none where VMs were not seen
    /// before, or cannot be seen now: what libvirt was seen to be is then no longer so.
    fn look_again(
        &self,
        before: &Node,
        vms: Option<&[String]>,
        which: impl Fn(&Adapter) -> bool,
    ) -> Option<Node> {
        if !self.libvirt_may_be_asked {
            return None;
        }
        before.domains.known()?;
        let adapters = before.adapters.known().into_iter().flatten();
        let which = adapters.filter(|adapter| which(adapter));
        let addresses: Vec<PciAddress> = which.map(|adapter| adapter.address).collect();
        let node = observe::again(&self.edge.host(), before, vms, &addresses);
        node.domains.known().is_some().then_some(node)
    }

    /// Tells the adapters that `intent` has here.
    fn is_bound(&self, intent: &Intent) -> impl Fn(&Adapter) -> bool + use<> {
        let bound = self.policies.bound(&intent.name).ok().flatten();
        let bound = bound.unwrap_or_default();
        move |adapter| bound.iter().any(|bound| bound.address == adapter.address)
    }

    fn networks(&self) -> Observed<Vec<VirtualNetwork>> {
        Observed::from(self.edge.vms().networks())
    }

    /// The networks as they were, of which only `pool` is looked at.
    fn with_pool(
        &self,
        before: &Observed<Vec<VirtualNetwork>>,
        pool: &str,
    ) -> Observed<Vec<VirtualNetwork>> {
        let mut networks = before.clone();
        let Observed::Known(known) = &mut networks else {
            return self.networks();
        };
        let pool = known.iter_mut().find(|network| network.name == pool);
        match pool.map(|pool| (self.edge.vms().network_xml(&pool.name), pool)) {
            Some((Ok(xml), pool)) => pool.xml = xml,
            _ => return self.networks(),
        }
        networks
    }

    /// The same for the managed intent.
    pub(crate) fn look_at_managed(&self, policy: &Policy, names: &[String]) -> Seen {
        match policy.managed_intent() {
            Some(intent) => self.look_at_vms(intent, names),
            None => self.look(),
        }
    }

    pub(crate) fn newest(&self) -> Arc<Picture> {
        let picture = self.picture.read();
        picture.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A node is called what its agent is called.
    fn named(&self, mut node: Node) -> Node {
        node.name = Observed::Known(self.name.clone());
        node
    }

    /// The node's name, as settings have it.
    pub(crate) fn node_name(&self) -> Result<NodeName, Problem> {
        self.name.parse().map_err(|error| {
            let found = format!("This agent was started with --node: {error}.");
            Problem::new(Code::BadRequest, &[], found)
        })
    }

    pub(crate) fn now(&self) -> String {
        self.edge.host().clock.now()
    }

    pub(crate) fn tell(&self, kind: EventKind, subject: &str, message: impl Into<String>) {
        let word = Word::of(kind, subject, message);
        self.journal.tell(&self.now(), word);
    }

    pub(crate) fn tell_problem(&self, kind: EventKind, subject: &str, problem: &Problem) {
        let message = match &problem.cause {
            Some(cause) => format!("{} {} ({cause})", problem.message, problem.found),
            None => format!("{} {}", problem.message, problem.found),
        };
        let word = Word {
            code: Some(problem.code),
            ..Word::of(kind, subject, message)
        };
        self.journal.tell(&self.now(), word);
    }

    /// The adapters of `intent` on this node: as they were bound, or bound now by name.
    pub(crate) fn bind(&self, intent: &Intent, seen: &Seen) -> Result<Vec<BoundAdapter>, Problem> {
        if let Some(bound) = self.bound_as_declared(intent)? {
            return Ok(bound);
        }
        let bound = self.resolve(intent, seen)?;
        self.policies.bind(&intent.name, Some(&bound))?;
        Ok(bound)
    }

    /// The adapters of `intent` as they were bound; none when it has others by now.
    pub(crate) fn bound_as_declared(
        &self,
        intent: &Intent,
    ) -> Result<Option<Vec<BoundAdapter>>, Problem> {
        let bound = self.policies.bound(&intent.name)?;
        Ok(bound.filter(|bound| {
            let called = bound.iter().map(|bound| &bound.name);
            called.eq(&intent.adapters)
        }))
    }

    /// What the adapters of `intent` are on this node, by name.
    pub(crate) fn resolve(
        &self,
        intent: &Intent,
        seen: &Seen,
    ) -> Result<Vec<BoundAdapter>, Problem> {
        let identities: Vec<Identity> = seen.adapters().iter().map(Adapter::identity).collect();
        let others = self.policies.all_bound()?;
        let mut bound: Vec<BoundAdapter> = Vec::new();
        for called in &intent.adapters {
            let address = accelnet_rules::naming::find(called, &identities)?;
            let identity = identities.iter().find(|one| one.address == address);
            let mac = identity.and_then(|one| {
                let mut links = one.links.iter();
                links.find_map(|link| link.permanent_mac)
            });
            let other = others.iter().find(|(name, adapters)| {
                *name != intent.name
                    && identity.is_some_and(|one| adapters.iter().any(|bound| bound.is(one)))
            });
            accelnet_rules::intent::adapter_is_free(called, other.map(|(name, _)| name.as_str()))?;
            if bound.iter().any(|other| other.address == address) {
                return Err(Problem::new(
                    Code::IntentInvalid,
                    &[&intent.name],
                    format!("{called} is another name of an adapter that is already listed."),
                ));
            }
            bound.push(BoundAdapter {
                name: called.clone(),
                mac,
                address,
            });
        }
        Ok(bound)
    }

    /// The status of an intent here.
    pub(crate) fn status_of(&self, intent: &str) -> Option<&IntentStatus> {
        self.statuses.iter().find(|status| status.intent == intent)
    }

    /// Whether anything could not be done, and is worth trying again. What cut the node off is
    /// not tried by itself. A lease that is not renewed is looked at again, since a client that
    /// begins to renew it tells of itself only after the last event of the kernel.
    pub(crate) fn has_failures(&self) -> bool {
        let failed = self.statuses.iter().any(|status| {
            status
                .problem
                .as_ref()
                .is_some_and(|problem| problem.code != Code::GatewayLost)
        });
        failed || self.step_was_short || self.unrenewed().iter().any(|(_, over, _)| !over)
    }

    /// Writes what was left for the other nodes.
    pub(crate) fn report(&self) {
        self.reports.write();
    }

    /// Leaves a picture for readers, and a report for the other nodes.
    pub(crate) fn leave(&mut self, seen: Seen, policy: &Policy) {
        if !policy.held.management {
            self.watch_paths(policy, &seen);
            self.learn_held(policy, &seen);
            self.settle_filter(policy, &seen);
        }
        let report = Report::of(self, &seen, policy);
        self.reports.keep(report.clone());
        if !self.answers_first {
            self.report();
        }
        let picture = Picture {
            node: seen.node,
            networks: seen.networks,
            report,
            applied_revision: self.applied_revision,
            simulated: self.edge.is_simulated(),
            seen_at: seen.seen_at,
        };
        *self.picture.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(picture);
    }
}

/// The UUIDs of the VMs that are called `names`; none without a name, or when one of these means no
/// VM that was seen.
fn all_meant(names: &[String], domains: Option<&Vec<Domain>>) -> Option<Vec<String>> {
    let domains = domains.filter(|_| !names.is_empty())?;
    let all = Names::of(domains.iter().map(|vm| (&*vm.name, &*vm.uuid)));
    let mut meant = BTreeSet::new();
    for name in names {
        let found = all.matching(name);
        if found.is_empty() {
            return None;
        }
        meant.extend(found);
    }
    let meant = meant.into_iter().filter_map(|place| domains.get(place));
    Some(meant.map(|vm| vm.uuid.to_string()).collect())
}
