//! Schedules of requests, crashes, partitions and delays over three agents. Each is made from a
//! number, and the same number makes the same schedule:
//!
//! ```console
//! ACCELNET_SEED=17 cargo test -p accelnet-agent --test cluster schedules
//! ```

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelnet_agent::check::{check, damaged, judge, repair};
use accelnet_agent::cluster::Linked;
use accelnet_agent::cluster::backup::Backup;
use accelnet_agent::cluster::link::Link;
use accelnet_agent::cluster::restore::restore;
use accelnet_agent::simulated::DirectAgent;
use accelnet_agent::simulated::Simulated;
use accelnet_host::SystemClock;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Problem};
use accelnet_store::{Embedded, Entry, History, MAX_OPS, Range, Store, Txn};

use crate::faulty::{Faulty, Mishap};
use crate::fixture::{Machine, WHO, enable, intent_add, only, policy, vm_disable, vm_enable};
use crate::replayed::Replayed;

/// Nodes, and VFs of each. Of three nodes at 34 % one may be down.
const NODES: u8 = 3;
const VFS: u32 = 2;
const RESERVE: i64 = 34;
/// VMs that can be promised a VF so that they fit on any two nodes.
const FIT: usize = 4;
/// VMs of each node.
const VMS: u8 = 2;
/// Things that happen in one schedule.
const EVENTS: u32 = 7;

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(sides)).expect("small")
    }
}

/// What a killed agent unwinds with.
struct Killed;

fn die() {
    resume_unwind(Box::new(Killed));
}

/// What is known of a VM's setting by what was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Accelerated,
    Not,
    /// No answer came, or the agent died.
    Either,
}

#[derive(Debug, Clone, Copy)]
enum Request {
    Enable(u8),
    Disable(u8),
    Reconcile,
}

/// What happened, one line each.
type Trace = Arc<Mutex<Vec<String>>>;

/// A node in a schedule.
struct Node {
    machine: Arc<Machine>,
    faulty: Arc<Faulty>,
    /// What it remembers outlives its agent, as its file does.
    linked: Arc<dyn Store>,
    link: Arc<Link>,
    agent: Mutex<Option<DirectAgent>>,
    /// Steps until it dies.
    dies: Arc<Mutex<Option<u32>>>,
    known: Mutex<BTreeMap<u8, Known>>,
    trace: Trace,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Node {
    fn start(&self) {
        let dies = self.dies.clone();
        let passing = move |_: &str| {
            let mut left = locked(&dies);
            match *left {
                None => {}
                Some(0) => {
                    *left = None;
                    drop(left);
                    die();
                }
                Some(more) => *left = Some(more - 1),
            }
        };
        let edge = Simulated::new(self.machine.sim.clone()).failpoint(Arc::new(passing));
        let mut agent = DirectAgent::new(Box::new(edge), self.linked.clone(), &self.machine.name);
        agent.connect(self.link.clone());
        *locked(&self.agent) = Some(agent);
        self.ask(Request::Reconcile);
    }

    /// Asks the node for something; a dead one does not hear it.
    fn ask(&self, request: Request) {
        let Some(mut agent) = locked(&self.agent).take() else {
            return;
        };
        let machine = &self.machine;
        let done = catch_unwind(AssertUnwindSafe(|| {
            let answer = match request {
                Request::Enable(vm) => only(agent.change_vms(WHO, &vm_enable(&machine.vm(vm)))),
                Request::Disable(vm) => only(agent.change_vms(WHO, &vm_disable(&machine.vm(vm)))),
                Request::Reconcile => {
                    drop(agent.reconcile());
                    return (agent, None);
                }
            };
            let answer = match answer {
                Ok(result) => match (result.ok, result.problem) {
                    (false, Some(problem)) => Err(problem),
                    _ => Ok(()),
                },
                Err(problem) => Err(problem),
            };
            (agent, Some(answer))
        }));
        let reported = match done {
            Ok((agent, answer)) => {
                *locked(&self.agent) = Some(agent);
                self.learn(request, answer.as_ref());
                answer.map_or_else(|| "-".to_owned(), |answer| in_words(&answer))
            }
            Err(payload) if payload.is::<Killed>() => {
                self.learn(request, Some(&Err(Problem::new(Code::NodeCutOff, &[], ""))));
                "died".to_owned()
            }
            Err(payload) => resume_unwind(payload),
        };
        let line = format!("{} {request:?}: {reported}", machine.name);
        locked(&self.trace).push(line);
    }

    fn learn(&self, request: Request, answer: Option<&Result<(), Problem>>) {
        let (vm, becomes) = match request {
            Request::Enable(vm) => (vm, Known::Accelerated),
            Request::Disable(vm) => (vm, Known::Not),
            Request::Reconcile => return,
        };
        let mut known = locked(&self.known);
        match answer {
            Some(Ok(())) => {
                known.insert(vm, becomes);
            }
            Some(Err(problem)) if matches!(problem.code, Code::NodeCutOff | Code::StoreForeign) => {
                known.insert(vm, Known::Either);
            }
            _ => {}
        }
    }

    fn set_dies(&self, steps: u32) {
        *locked(&self.dies) = Some(steps);
    }

    /// Its VMs as if nobody had ever touched them.
    fn reset(&self) {
        for vm in 1..=VMS {
            let vms = &self.machine.sim.vms;
            drop(vms.virsh_stop(&self.machine.vm(vm)));
            self.machine.define(vm);
        }
        drop(std::fs::remove_dir_all(self.machine.sim.hook_configs()));
    }
}

fn in_words(answer: &Result<(), Problem>) -> String {
    match answer {
        Ok(()) => "done".to_owned(),
        Err(problem) => problem.code.to_string(),
    }
}

/// Machines on which the intent stands, and the store's content with it.
struct Ground {
    machines: Vec<Arc<Machine>>,
    content: Range,
}

impl Ground {
    fn new() -> Self {
        let machines: Vec<_> = (1..=NODES).map(|n| Arc::new(Machine::boot(n))).collect();
        let store = memory();
        let mut agents: Vec<DirectAgent> = machines
            .iter()
            .map(|machine| machine.agent(store.clone()))
            .collect();
        agents[0]
            .add_intent(WHO, &intent_add(VFS))
            .expect("declared");
        for agent in &mut agents {
            agent.reconcile().expect("a store");
        }
        agents[0].enable(WHO, &enable(RESERVE)).expect("enabled");
        Ground {
            content: store.range("").expect("content"),
            machines,
        }
    }

    /// A cluster as it was at first.
    fn begin(&self) -> (Arc<Replayed>, Vec<Arc<Node>>, Trace) {
        let store = Arc::new(Replayed::new());
        for entry in &self.content.entries {
            let txn = Txn::new().put(entry.key.clone(), entry.value.clone());
            let _ = store.commit(&txn).expect("copied");
        }
        let trace: Trace = Arc::default();
        let nodes = self.machines.iter().map(|machine| {
            let faulty = Arc::new(Faulty::new(store.clone()));
            let linked = Linked::new(faulty.clone(), &machine.name, None, Arc::new(SystemClock));
            let node = Node {
                machine: machine.clone(),
                faulty,
                link: linked.link(),
                linked: Arc::new(linked),
                agent: Mutex::default(),
                dies: Arc::default(),
                known: Mutex::default(),
                trace: trace.clone(),
            };
            node.reset();
            node.start();
            Arc::new(node)
        });
        let nodes = nodes.collect();
        (store, nodes, trace)
    }
}

fn memory() -> Arc<dyn Store> {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO);
    Arc::new(store.expect("a store"))
}

fn request(dice: &mut Dice) -> Request {
    let vm = u8::try_from(1 + dice.roll(u32::from(VMS))).expect("small");
    match dice.roll(8) {
        0..=4 => Request::Enable(vm),
        5 | 6 => Request::Disable(vm),
        _ => Request::Reconcile,
    }
}

/// What was done to the store itself, and is put right at last.
#[derive(Default)]
struct Damage {
    /// All of it, before it was emptied or set back.
    lost: Option<Vec<Entry>>,
    /// What was known of each node's VMs when it was set back: what came after that is not in the backup.
    known: Vec<BTreeMap<u8, Known>>,
    /// What stood where garbage was put, by key.
    good: BTreeMap<String, Entry>,
}

/// Values that nobody can read.
const VALUES: [&str; 4] = [
    "",
    "{}",
    r#"{"format":1,"value":[null]}"#,
    r#"{"format":9,"value":0}"#,
];

/// Keys beside those that agents use.
const GARBAGE: &[&str] = &[
    "policy/intents/other",
    "policy/vms/0a1b2c3d-0000-4000-8000-0000000000ff",
    "policy/vms/../../../../x",
    "policy/drained/node9",
    "reports/node9",
    "events/9",
    "nodes/node1/bound/other",
];

impl Damage {
    /// Somebody works on the store with other tools.
    fn meddle(&mut self, dice: &mut Dice, store: &Replayed, nodes: &[Arc<Node>]) {
        let commit = |txn: Txn| drop(store.commit(&txn).expect("in memory"));
        match dice.roll(4) {
            0 => {
                let value = VALUES[dice.roll(4) as usize];
                for key in GARBAGE {
                    commit(Txn::new().put(*key, value));
                }
            }
            1 => self.garble(dice, store, nodes),
            2 if self.lost.is_none() => {
                self.backup(store);
                let all = store.range("").expect("in memory").entries;
                for some in all.chunks(MAX_OPS) {
                    let keys = some.iter().map(|entry| entry.key.as_str());
                    commit(keys.fold(Txn::new(), Txn::delete));
                }
            }
            3 if self.lost.is_none() => {
                self.backup(store);
                let known = nodes.iter().map(|node| locked(&node.known).clone());
                self.known = known.collect();
                let back = dice.roll(12) as usize;
                store.set_back(store.changes().saturating_sub(back));
            }
            _ => {}
        }
    }

    /// Garbage in a key that counts, which every node has read before: what a node never read it cannot count.
    fn garble(&mut self, dice: &mut Dice, store: &Replayed, nodes: &[Arc<Node>]) {
        let reads = |node: &Arc<Node>| {
            let read = node.linked.range("policy/").is_ok();
            read && node.link.cut_off().is_none()
        };
        // Each is asked, whatever the others said.
        let read = nodes.iter().filter(|node| reads(node)).count();
        if read < nodes.len() {
            return;
        }
        let all = store.range("").expect("in memory").entries;
        // What agents write by themselves they write again.
        let counts =
            |entry: &&Entry| entry.key.starts_with("policy/") || entry.key.starts_with("nodes/");
        let all: Vec<&Entry> = all.iter().filter(counts).collect();
        let Ok(count) = u32::try_from(all.len()) else {
            return;
        };
        if count == 0 {
            return;
        }
        let entry = all[dice.roll(count) as usize];
        if judge(entry).is_none() {
            self.good.insert(entry.key.clone(), entry.clone());
        }
        let value = VALUES[dice.roll(4) as usize];
        let txn = Txn::new().put(entry.key.clone(), value);
        drop(store.commit(&txn).expect("in memory"));
    }

    /// What is there, without garbage.
    fn backup(&mut self, store: &Replayed) {
        let all = store.range("").expect("in memory").entries;
        let whole = all.into_iter().map(|entry| {
            let good = self
                .good
                .get(&entry.key)
                .filter(|_| judge(&entry).is_some());
            good.cloned().unwrap_or(entry)
        });
        self.lost = Some(whole.collect());
    }

    /// As an administrator puts it right.
    fn put_right(&self, store: &Replayed, nodes: &[Arc<Node>]) {
        if let Some(lost) = &self.lost {
            let backup = Backup::of(lost, 1, AT);
            restore(store, "memory", &backup, AT, 1, false).expect("restored");
        }
        // A value of a later release is left where it is, unless somebody puts an earlier one there.
        let last = Backup::of(self.good.values(), 1, AT);
        for entry in store.range("").expect("in memory").entries {
            let good = self.good.get(&entry.key);
            if let Some(good) =
                good.filter(|_| judge(&entry).is_some_and(|found| found.newer_format))
            {
                let txn = Txn::new().put(good.key.clone(), good.value.clone());
                drop(store.commit(&txn).expect("in memory"));
            }
        }
        let damaged = damaged(store, AT).expect("in memory");
        repair(store, &damaged, Some(&last), false).expect("repaired");
        let found = check(store).expect("in memory").unreadable;
        assert!(found.iter().all(|one| one.newer_format), "{found:?}");
        for (node, before) in nodes.iter().zip(&self.known) {
            for (vm, known) in locked(&node.known).iter_mut() {
                if before.get(vm) != Some(known) {
                    *known = Known::Either;
                }
            }
        }
    }
}

const AT: &str = "2026-05-01T12:00:00Z";

/// One thing that happens.
fn happen(dice: &mut Dice, nodes: &[Arc<Node>], store: &Replayed, damage: &mut Damage) {
    let node = &nodes[dice.roll(u32::from(NODES)) as usize];
    let other = nodes[dice.roll(u32::from(NODES)) as usize].clone();
    match dice.roll(13) {
        0 => node.faulty.partition(true),
        1 => node.faulty.partition(false),
        2 => node.set_dies(dice.roll(8)),
        3 => node.faulty.next(dice.roll(3), Mishap::Refused),
        4 => node.faulty.next(dice.roll(3), Mishap::AnswerLost),
        5 => node.faulty.next(dice.roll(3), Mishap::Died(Box::new(die))),
        6 | 7 => {
            let asked = request(dice);
            let late = Mishap::Late(Box::new(move || other.ask(asked)));
            node.faulty.next(0, late);
        }
        8 => {
            let vm = u8::try_from(1 + dice.roll(u32::from(VMS))).expect("small");
            let vms = &node.machine.sim.vms;
            match dice.roll(2) {
                0 => drop(vms.virsh_start(&node.machine.vm(vm))),
                _ => drop(vms.virsh_stop(&node.machine.vm(vm))),
            }
        }
        9 if locked(&node.agent).is_none() => node.start(),
        10 | 11 => damage.meddle(dice, store, nodes),
        _ => {}
    }
    let asked = request(dice);
    nodes[dice.roll(u32::from(NODES)) as usize].ask(asked);
}

/// Never more than fits, whatever happens.
fn fits(store: &Arc<dyn Store>, seed: u64, trace: &Mutex<Vec<String>>) {
    let promised = policy(store).vms;
    let reported = || format!("seed {seed}: {:#?}", locked(trace));
    assert!(promised.len() <= FIT, "{promised:?}\n{}", reported());
    for number in 1..=NODES {
        let name = format!("node{number}");
        let here = promised.iter().filter(|(vm, _)| vm.node == name).count();
        assert!(here <= VFS as usize, "{promised:?}\n{}", reported());
    }
}

/// Whether a fault of the node says that the setting of a VM was lost, which runs with a VF.
fn names_lost(node: &Node, uuid: &str) -> bool {
    let agent = locked(&node.agent);
    let faults = agent.as_ref().expect("it lives").report().faults;
    let mut vms = (1..=VMS).filter(|vm| node.machine.uuid(*vm) == uuid);
    vms.any(|vm| {
        let name = node.machine.vm(vm);
        let mut faults = faults.iter();
        faults.any(|fault| fault.code == Code::StoreForeign && fault.subject == name)
    })
}

/// When all is well again nothing is half-way, nothing is lost, and no VF is left over.
fn whole(
    store: &Arc<dyn Store>,
    nodes: &[Arc<Node>],
    set_back: bool,
    seed: u64,
    trace: &Mutex<Vec<String>>,
) {
    let policy = policy(store);
    let reported = || format!("seed {seed}: {:#?}", locked(trace));
    for (setting, _) in &policy.vms {
        assert_eq!(setting.phase, Phase::Enabled, "{setting:?}\n{}", reported());
    }
    for node in nodes {
        for (vm, known) in locked(&node.known).iter() {
            let has = policy.vm(&node.machine.uuid(*vm)).is_some();
            let name = node.machine.vm(*vm);
            match known {
                Known::Accelerated => assert!(has, "{name} is lost\n{}", reported()),
                Known::Not => assert!(!has, "{name} came back\n{}", reported()),
                Known::Either => {}
            }
        }
        for (vf, uuid) in node.machine.sim.vms.vfs_in_use() {
            // What was decided in a store that was set back, and runs, stays and is named.
            let stays = policy.vm(&uuid).is_some() || (set_back && names_lost(node, &uuid));
            assert!(stays, "VF {vf} is left\n{}", reported());
        }
    }
}

/// Runs the schedule of a seed, and returns what happened.
fn run(ground: &Ground, seed: u64) -> Vec<String> {
    let (replayed, nodes, trace) = ground.begin();
    let store: Arc<dyn Store> = replayed.clone();
    let mut dice = Dice(seed);
    let mut damage = Damage::default();
    for _ in 0..EVENTS {
        happen(&mut dice, &nodes, &replayed, &mut damage);
        fits(&store, seed, &trace);
    }
    damage.put_right(&replayed, &nodes);
    for node in &nodes {
        node.faulty.heal();
        *locked(&node.dies) = None;
        if locked(&node.agent).is_none() {
            node.start();
        }
    }
    for _ in 0..2 {
        for node in &nodes {
            node.ask(Request::Reconcile);
        }
    }
    fits(&store, seed, &trace);
    let set_back = !damage.known.is_empty();
    whole(&store, &nodes, set_back, seed, &trace);
    locked(&trace).to_vec()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a seed that failed is given to be run again"
)]
fn run_all(seeds: std::ops::Range<u64>) {
    let ground = Ground::new();
    if let Ok(seed) = std::env::var("ACCELNET_SEED") {
        let seed = seed.parse().expect("a number");
        if seeds.contains(&seed) {
            println!("{:#?}", run(&ground, seed));
        }
        return;
    }
    for seed in seeds {
        run(&ground, seed);
    }
}

#[test]
fn the_first_quarter_of_a_thousand() {
    run_all(0..250);
}

#[test]
fn the_second_quarter_of_a_thousand() {
    run_all(250..500);
}

#[test]
fn the_third_quarter_of_a_thousand() {
    run_all(500..750);
}

#[test]
fn the_last_quarter_of_a_thousand() {
    run_all(750..1000);
}

/// `ACCELNET_SEEDS=1000..9000 cargo test -p accelnet-agent --test cluster -- --ignored further_seeds`
#[test]
#[ignore = "takes minutes: the seeds of ACCELNET_SEEDS"]
#[expect(clippy::disallowed_methods, reason = "which ones are given")]
fn further_seeds() {
    let seeds = std::env::var("ACCELNET_SEEDS").unwrap_or_else(|_| "1000..2000".to_owned());
    let (from, to) = seeds.split_once("..").expect("a range");
    run_all(from.parse().expect("a number")..to.parse().expect("a number"));
}

#[test]
fn a_seed_replays() {
    let ground = Ground::new();
    for seed in [3, 77, 911] {
        let first = run(&ground, seed);
        assert!(!first.is_empty());
        assert_eq!(first, run(&ground, seed), "seed {seed}");
    }
}
