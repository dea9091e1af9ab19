//! A node, a store, and an agent that can be killed at a step.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelnet_agent::journal::Journal;
use accelnet_agent::policy::{Policy, PolicyStore};
use accelnet_agent::reports::{Report, Reports};
use accelnet_agent::simulated::DirectAgent;
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::*;
use accelnet_model::intent::{IntentState, IntentStatus, Role};
use accelnet_model::{Code, Mac, PciAddress, Performance, Problem};
use accelnet_sim::tree::PlatformSpec;
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, SimMachine, Tree};
use accelnet_store::{
    Commit, Embedded, Entry, History, Lease, LeaseId, Range, Store, StoreError, Txn, Watch,
};

/// The node's name.
pub const NODE: &str = "node1";
/// Who asks.
pub const WHO: &str = "root";
/// The intent of most tests.
pub const INTENT: &str = "MyIntent";

/// What happens at a step.
type Act = Box<dyn FnOnce() + Send>;

/// Where an agent is killed, or something else happens.
#[derive(Default)]
pub struct Steps {
    passed: Mutex<Vec<String>>,
    kill_at: Mutex<Option<(String, u32)>>,
    act_at: Mutex<Option<(String, u32, Act)>>,
}

/// What a killed agent unwinds with.
struct Killed;

impl Steps {
    fn reach(&self, step: &str) {
        locked(&self.passed).push(step.to_owned());
        if let Some(act) = self.due(step) {
            act();
        }
        let mut kill_at = locked(&self.kill_at);
        let Some((at, left)) = kill_at.as_mut().filter(|(at, _)| at == step) else {
            return;
        };
        if *left > 0 {
            *left -= 1;
            return;
        }
        let _ = std::mem::take(at);
        *kill_at = None;
        drop(kill_at);
        resume_unwind(Box::new(Killed));
    }

    /// What is to happen at this passing of `step`.
    fn due(&self, step: &str) -> Option<Act> {
        let mut act_at = locked(&self.act_at);
        let (_, left, _) = act_at.as_mut().filter(|(at, ..)| at == step)?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        act_at.take().map(|(.., act)| act)
    }

    /// Does `act` at the `times`th passing of `step`, counted from 0.
    pub fn act_at(&self, step: &str, times: u32, act: impl FnOnce() + Send + 'static) {
        *locked(&self.act_at) = Some((step.to_owned(), times, Box::new(act)));
    }

    /// The steps that were passed since the last time.
    pub fn passed(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.passed))
    }

    /// Kills the agent at the `times`th passing of `step`, counted from 0.
    pub fn kill_at(&self, step: &str, times: u32) {
        *locked(&self.kill_at) = Some((step.to_owned(), times));
    }

    /// Kills nobody.
    pub fn spare(&self) {
        *locked(&self.kill_at) = None;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The steps of a commit.
pub const STORE_STEPS: [&str; 2] = ["commit", "committed"];

/// A store, each commit of which is two steps at which its user can be killed.
struct Stepping {
    store: Arc<dyn Store>,
    steps: Arc<Steps>,
}

impl Store for Stepping {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.store.get(key)
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.store.range(prefix)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.steps.reach(STORE_STEPS[0]);
        let done = self.store.commit(txn);
        self.steps.reach(STORE_STEPS[1]);
        done
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.store.watch(prefix, from)
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.store.compact(revision)
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.store.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.revoke(lease)
    }
}

/// All of it.
pub struct Fixture {
    pub machine: SimMachine,
    pub steps: Arc<Steps>,
    pub store: Arc<dyn Store>,
    pub node: String,
    agent: Option<DirectAgent>,
    _folder: tempfile::TempDir,
}

/// The PF `ens1`: VFs with 2 queue pairs each, 7 of them.
pub fn igb() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

/// The PF `ens2`: 8 VFs that share out their vectors.
pub fn mlx5() -> PciAddress {
    "0000:09:00.0".parse().expect("an address")
}

/// A MAC of a vNIC.
pub fn mac(number: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0xaa, 0, number])
}

/// The node of most tests: an igb, an mlx5 and a plain adapter.
pub fn tree() -> Tree {
    let shared = AdapterSpec::mlx5(mlx5(), "ens2").sriov(|sriov| {
        sriov.hardware_vfs = 8;
        sriov.total_vfs = 8;
        sriov.vf_msix_vectors = 8;
        sriov.vf_total_msix = Some(64);
    });
    let plain = AdapterSpec::e1000e("0000:11:00.0".parse().expect("an address"), "eno1");
    let at = |device| PciAddress {
        domain: 0,
        bus: 0,
        device,
        function: 0,
    };
    Tree::new()
        .port(Port::root(at(1), 1, 2).adapter(AdapterSpec::igb(igb(), "ens1")))
        .port(Port::root(at(2), 9, 10).adapter(shared))
        .port(Port::root(at(3), 17, 18).adapter(plain))
}

impl Fixture {
    /// The usual node, and an agent that has looked at it.
    pub fn new() -> Self {
        Fixture::of(tree())
    }

    /// The usual node with another machine around it.
    pub fn with_platform(change: impl FnOnce(&mut PlatformSpec)) -> Self {
        Fixture::of(tree().platform(change))
    }

    /// A node.
    pub fn of(tree: Tree) -> Self {
        let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
        Fixture::on(tree, NODE, Arc::new(store))
    }

    /// A node with an igb whose driver does not let guests be trusted.
    pub fn without_trust() -> Self {
        let rigid = AdapterSpec::igb(igb(), "ens1").sriov(|sriov| sriov.trusts = false);
        let at = "0000:00:01.0".parse().expect("an address");
        Fixture::of(Tree::new().port(Port::root(at, 1, 2).adapter(rigid)))
    }

    /// Another of the usual nodes, with the same store.
    pub fn beside(&self, node: &str) -> Self {
        Fixture::on(tree(), node, self.store.clone())
    }

    /// A node with that store.
    pub fn on(tree: Tree, node: &str, store: Arc<dyn Store>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let machine = SimMachine::boot(tree, folder.path()).expect("a node");
        let mut fixture = Fixture {
            machine,
            steps: Arc::default(),
            store,
            node: node.to_owned(),
            agent: None,
            _folder: folder,
        };
        fixture.start();
        fixture
    }

    /// With the intent on `ens1` and management enabled without a reserve.
    pub fn enabled() -> Self {
        Fixture::enabled_on("ens1")
    }

    /// With the intent on `adapter` and management enabled without a reserve.
    pub fn enabled_on(adapter: &str) -> Self {
        let mut fixture = Fixture::new();
        fixture.manage(adapter);
        fixture
    }

    /// Declares the intent on `adapter`, and enables management without a reserve.
    pub fn manage(&mut self, adapter: &str) {
        self.add_intent(INTENT, &[Role::Compute], &[adapter])
            .expect("an intent");
        self.enable(Some(0)).expect("enabled");
    }

    /// Starts an agent on what is there.
    pub fn start(&mut self) {
        let steps = self.steps.clone();
        let edge = Simulated::new(self.machine.clone()).failpoint(Arc::new(move |step: &str| {
            steps.reach(step);
        }));
        let store = Arc::new(Stepping {
            store: self.store.clone(),
            steps: self.steps.clone(),
        });
        self.agent = Some(DirectAgent::new(Box::new(edge), store, &self.node));
        self.reconcile();
    }

    /// The agent's mind.
    pub fn agent(&mut self) -> &mut DirectAgent {
        self.agent.as_mut().expect("an agent that lives")
    }

    /// Whether the agent lives.
    pub fn lives(&self) -> bool {
        self.agent.is_some()
    }

    /// One pass.
    pub fn reconcile(&mut self) {
        self.agent().reconcile().expect("a store");
    }

    /// Has the agent do something that it may not survive; none when it did not. Then it is
    /// gone.
    pub fn attempt<T>(&mut self, what: impl FnOnce(&mut DirectAgent) -> T) -> Option<T> {
        let mut agent = self.agent.take().expect("an agent that lives");
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let done = what(&mut agent);
            (agent, done)
        }));
        match ended {
            Ok((agent, done)) => {
                self.agent = Some(agent);
                Some(done)
            }
            Err(payload) if payload.is::<Killed>() => None,
            Err(payload) => resume_unwind(payload),
        }
    }

    pub fn add_intent(
        &mut self,
        name: &str,
        roles: &[Role],
        adapters: &[&str],
    ) -> Result<IntentChanged, Problem> {
        self.agent()
            .add_intent(WHO, &intent_add(name, roles, adapters))
    }

    pub fn set_intent(&mut self, set: &IntentSet) -> Result<IntentChanged, Problem> {
        self.agent().set_intent(WHO, INTENT, set)
    }

    pub fn enable(&mut self, reserve: Option<i64>) -> Result<ManagementChanged, Problem> {
        let request = Enable {
            intent: INTENT.to_owned(),
            node_reserve_percentage: reserve,
            ..Enable::default()
        };
        self.agent().enable(WHO, &request)
    }

    pub fn vm_enable(&mut self, name: &str, performance: Performance) -> VmResult {
        self.change(&enable(name, performance, false))
    }

    pub fn vm_disable(&mut self, name: &str) -> VmResult {
        self.change(&disable(name))
    }

    /// A change of one VM.
    pub fn change(&mut self, change: &VmChange) -> VmResult {
        let changed = self.agent().change_vms(WHO, change).expect("an answer");
        let mut results = changed.results;
        assert_eq!(results.len(), 1, "{results:?}");
        results.remove(0)
    }

    /// Defines a VM with one vNIC on the intent's switch.
    pub fn define(&self, name: &str, number: u8, vcpus: u32) {
        let network = format!("accelnet-{INTENT}");
        self.define_on(name, number, vcpus, &network);
    }

    /// Defines a VM with one vNIC on a network.
    pub fn define_on(&self, name: &str, number: u8, vcpus: u32, network: &str) {
        let spec = DomainSpec::new(name, number.into(), vcpus)
            .nic(NicSpec::on_network(mac(number), network));
        self.machine.vms.add(&spec).expect("defined");
    }

    /// Defines a VM and starts it.
    pub fn run(&self, name: &str, number: u8, vcpus: u32) {
        self.define(name, number, vcpus);
        self.machine.vms.virsh_start(name).expect("started");
    }

    /// Somebody else's VMs take all VFs of the intent's pool: `filler1` and so on.
    pub fn use_all_vfs(&self) {
        let pool = format!("accelnet-{INTENT}-vf");
        for number in 1.. {
            let name = format!("filler{number}");
            self.define_on(&name, 100 + number, 2, &pool);
            if self.machine.vms.virsh_start(&name).is_err() {
                break;
            }
        }
    }

    pub fn policy(&self) -> Policy {
        self.policies().read().expect("policy")
    }

    pub fn policies(&self) -> PolicyStore {
        PolicyStore::new(self.store.clone(), &self.node)
    }

    /// What the agent reported last.
    pub fn report(&self) -> Report {
        let reports = Reports::new(self.store.clone(), &self.node);
        let mut all = reports.all().expect("reports");
        all.retain(|report| report.node == self.node);
        all.pop().expect("a report")
    }

    pub fn status_of(&self, intent: &str) -> Option<IntentStatus> {
        let mut all = self.report().intents.into_iter();
        all.find(|status| status.intent == intent)
    }

    pub fn is_completed(&self) -> bool {
        let status = self.status_of(INTENT);
        status.is_some_and(|status| status.state == IntentState::Completed)
    }

    /// The VM as it is shown.
    pub fn vm(&self, name: &str) -> VmView {
        let mut all = self.report().vms.into_iter();
        all.find(|vm| vm.name == name).expect("a VM")
    }

    /// The VM as it is shown, with where it could move to.
    pub fn vm_shown(&mut self, name: &str) -> VmView {
        let mut vms = vec![self.vm(name)];
        let node = self.agent().node();
        let reports = Reports::new(self.store.clone(), &self.node);
        let reports = reports.all().expect("reports");
        accelnet_agent::views::destinations::add(
            &mut vms,
            &node,
            &self.policy(),
            &reports,
            &std::collections::BTreeSet::new(),
        );
        vms.remove(0)
    }

    /// What was told, oldest first.
    pub fn events(&self) -> Vec<Event> {
        let journal = Journal::new(self.store.clone(), &self.node);
        journal.since(None, 0, 1000).expect("events")
    }

    /// Whether something of that kind was told about `subject`.
    pub fn was_recorded(&self, kind: EventKind, subject: &str) -> bool {
        let mut events = self.events().into_iter();
        events.any(|event| event.kind == kind && event.subject == subject)
    }
}

pub fn intent_add(name: &str, roles: &[Role], adapters: &[&str]) -> IntentAdd {
    IntentAdd {
        name: name.to_owned(),
        roles: roles.to_vec(),
        adapters: adapters.iter().map(|name| (*name).to_owned()).collect(),
        vfs: None,
        dry_run: false,
        trust: None,
        spoof_check: None,
    }
}

pub fn enable(name: &str, performance: Performance, now: bool) -> VmChange {
    VmChange::Enable(vm_enable(name, performance, now))
}

/// The same, for a test to add to.
pub fn vm_enable(name: &str, performance: Performance, now: bool) -> VmEnable {
    VmEnable {
        names: vec![name.to_owned()],
        performance,
        now,
        add_nic: false,
        mac: None,
        trust: None,
        spoof_check: None,
        dry_run: false,
    }
}

pub fn set(name: &str, performance: Performance, now: bool) -> VmChange {
    VmChange::Set(VmSet {
        names: vec![name.to_owned()],
        performance: Some(performance),
        now,
        dry_run: false,
        trust: None,
        spoof_check: None,
    })
}

pub fn disable(name: &str) -> VmChange {
    VmChange::Disable(VmDisable {
        names: vec![name.to_owned()],
        dry_run: false,
    })
}

/// The code that a result was refused with.
pub fn refused(result: &VmResult) -> Code {
    assert!(!result.ok, "{result:?}");
    result.problem.as_ref().expect("a problem").code
}
