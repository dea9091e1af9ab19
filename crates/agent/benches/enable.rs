//! How long an agent takes to enable many stopped VMs at once: `ROUNDS` times, a line `SECONDS` each.
//! Arguments: `ROUNDS VMS`; `etcd` for an etcd in the place of a file; `disable` to measure how long it takes
//! to disable them. Node and hypervisor are simulated, and their time counts.

use std::sync::Arc;
use std::time::Instant;

use accelnet_agent::simulated::DirectAgent;
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::{Enable, IntentAdd, VmChange, VmDisable, VmEnable};
use accelnet_host::{Clock, SystemClock};
use accelnet_model::intent::Role;
use accelnet_model::{Mac, PciAddress, Performance};
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, SimMachine, Tree};
use accelnet_store::testing::EtcdServer;
use accelnet_store::{Embedded, History, Store};

/// VFs of one adapter at most.
const VFS: u32 = 250;
const WHO: &str = "root";
const INTENT: &str = "lan";

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is called with words and measures time"
)]
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut numbers = words.iter().filter_map(|word| word.parse::<u32>().ok());
    let (rounds, vms): (u32, u32) = (numbers.next().unwrap_or(10), numbers.next().unwrap_or(50));
    let folder = tempfile::tempdir().expect("a folder");
    let adapters = u8::try_from(vms.div_ceil(VFS)).expect("few adapters");
    let machine = SimMachine::boot(tree(adapters), &folder.path().join("node")).expect("a node");
    for number in 1..=vms {
        let [_, _, high, low] = number.to_be_bytes();
        let nic = NicSpec::on_network(Mac([0x52, 0x54, 0, 0xaa, high, low]), "accelnet-lan");
        let spec = DomainSpec::new(&format!("vm{number}"), number, 4).nic(nic);
        machine.vms.add(&spec).expect("a VM");
    }
    let etcd = words.iter().any(|word| word == "etcd");
    let server = etcd.then(EtcdServer::start);
    let store: Arc<dyn Store> = match &server {
        Some(server) => Arc::new(server.store("cluster")),
        None => {
            let file = folder.path().join("store");
            let store = Embedded::open(&file, History::default(), || SystemClock.uptime());
            Arc::new(store.expect("a store"))
        }
    };
    let edge = Simulated::new(machine);
    let mut agent = DirectAgent::new(Box::new(edge), store, "node1");
    let intent = IntentAdd {
        name: INTENT.to_owned(),
        roles: vec![Role::Compute],
        adapters: (1..=adapters)
            .map(|number| format!("ens{number}"))
            .collect(),
        vfs: Some(VFS.min(vms.max(64))),
        dry_run: false,
        trust: None,
        spoof_check: None,
    };
    agent.add_intent(WHO, &intent).expect("an intent");
    let enable = Enable {
        intent: INTENT.to_owned(),
        node_reserve_percentage: Some(0),
        ..Enable::default()
    };
    agent.enable(WHO, &enable).expect("management");
    let disable = words.iter().any(|word| word == "disable");
    // The first round does not count.
    for round in 0..=rounds {
        let begun = Instant::now();
        change(&mut agent, &all_enabled());
        let enabled = Instant::now();
        change(&mut agent, &all_disabled());
        let spent = match disable {
            true => enabled.elapsed(),
            false => enabled - begun,
        };
        if round > 0 {
            println!("{:.6}", spent.as_secs_f64());
        }
    }
}

/// Adapters with VFs enough.
fn tree(adapters: u8) -> Tree {
    (1..=adapters).fold(Tree::new(), |tree, number| {
        let at = |bus, device| PciAddress {
            domain: 0,
            bus,
            device,
            function: 0,
        };
        let bus = number * 4;
        let adapter = AdapterSpec::mlx5(at(bus, 0), &format!("ens{number}"));
        tree.port(Port::root(at(0, number), bus, bus + 2).adapter(adapter))
    })
}

fn names() -> Vec<String> {
    vec!["vm*".to_owned()]
}

fn all_enabled() -> VmChange {
    VmChange::Enable(VmEnable {
        names: names(),
        performance: Performance::Low,
        now: false,
        add_nic: false,
        dry_run: false,
        mac: None,
        trust: None,
        spoof_check: None,
    })
}

fn all_disabled() -> VmChange {
    VmChange::Disable(VmDisable {
        names: names(),
        dry_run: false,
    })
}

fn change(agent: &mut DirectAgent, change: &VmChange) {
    let changed = agent.change_vms(WHO, change).expect("an answer");
    assert!(changed.ok, "{changed:#?}");
}
