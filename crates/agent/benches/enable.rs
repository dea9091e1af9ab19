//! How long an agent takes to enable 50 stopped VMs at once: `ROUNDS` times (the first argument
//! that is a number), a line `SECONDS` each. Node and hypervisor are simulated, and their time
//! counts; the store is a file.

use std::sync::Arc;
use std::time::Instant;

use accelnet_agent::Core;
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::{Enable, IntentAdd, VmChange, VmDisable, VmEnable};
use accelnet_host::{Clock, SystemClock};
use accelnet_model::intent::Role;
use accelnet_model::{Mac, PciAddress, Performance};
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, SimMachine, Tree};
use accelnet_store::{Embedded, History};

const VMS: u8 = 50;
const WHO: &str = "root";
const INTENT: &str = "lan";

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is called with words and measures time"
)]
fn main() {
    let rounds = std::env::args().find_map(|word| word.parse().ok());
    let folder = tempfile::tempdir().expect("a folder");
    let machine = SimMachine::boot(tree(), &folder.path().join("node")).expect("a node");
    for number in 1..=VMS {
        let nic = NicSpec::on_network(Mac([0x52, 0x54, 0, 0xaa, 0, number]), "accelnet-lan");
        let spec = DomainSpec::new(&format!("vm{number}"), number.into(), 4).nic(nic);
        machine.vms.add(&spec).expect("a VM");
    }
    let file = folder.path().join("store");
    let store = Embedded::open(&file, History::default(), || SystemClock.uptime());
    let edge = Simulated::new(machine);
    let mut core = Core::new(Box::new(edge), Arc::new(store.expect("a store")), "node1");
    let intent = IntentAdd {
        name: INTENT.to_owned(),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs: Some(64),
        dry_run: false,
        trust: None,
        spoof_check: None,
    };
    core.add_intent(WHO, &intent).expect("an intent");
    let enable = Enable {
        intent: INTENT.to_owned(),
        node_reserve_percentage: Some(0),
        ..Enable::default()
    };
    core.enable(WHO, &enable).expect("management");
    // The first round does not count.
    for round in 0..=rounds.unwrap_or(10) {
        let begun = Instant::now();
        change(&mut core, &all_enabled());
        let spent = begun.elapsed();
        change(&mut core, &all_disabled());
        if round > 0 {
            println!("{:.6}", spent.as_secs_f64());
        }
    }
}

/// An adapter with VFs enough.
fn tree() -> Tree {
    let address: PciAddress = "0000:01:00.0".parse().expect("an address");
    let port: PciAddress = "0000:00:01.0".parse().expect("an address");
    let adapter = AdapterSpec::mlx5(address, "ens1");
    Tree::new().port(Port::root(port, 1, 3).adapter(adapter))
}

fn names() -> Vec<String> {
    (1..=VMS).map(|number| format!("vm{number}")).collect()
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

fn change(core: &mut Core, change: &VmChange) {
    let changed = core.change_vms(WHO, change).expect("an answer");
    assert!(changed.ok, "{changed:#?}");
}
