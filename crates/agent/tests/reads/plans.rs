//! Plans have no effects: any request that only plans, on any node.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::simulated::DirectAgent;
use accelnet_api::types::*;
use accelnet_model::intent::Role;
use accelnet_model::{Mac, PciAddress, Performance, Problem};
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, SimMachine, Tree};
use accelnet_store::{Embedded, History};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::frozen::{Freeze, FrozenEdge, FrozenStore};

/// Requests on each node; proptest has 256 nodes, or PROPTEST_CASES.
const REQUESTS: usize = 4;

const WHO: &str = "root";
const NAMES: [&str; 5] = ["pf0", "pf1", "pf2", "pf9", "lan"];
const VMS: [&str; 5] = ["vm0", "vm1", "vm2", "vm9", "vm*"];
const INTENTS: [&str; 2] = ["lan", "other"];

/// What another program changed since the last reconcile.
#[derive(Debug, Clone, Copy)]
enum Drift {
    Nothing,
    VfsRemoved,
    NetworkStopped,
    BridgeDeleted,
    LibvirtAway,
}

#[derive(Debug, Clone)]
struct VmSpec {
    vcpus: u32,
    on_switch: bool,
    running: bool,
    /// With what it is accelerated, and whether while it runs.
    accelerated: Option<(Performance, bool)>,
}

#[derive(Debug, Clone)]
struct NodeSpec {
    /// Models of the adapters.
    adapters: Vec<u8>,
    iommu: bool,
    vms: Vec<VmSpec>,
    /// VFs of the intent, none for the default; whether Accelerated Networking is enabled.
    intent: Option<(Option<u32>, bool)>,
    drained: bool,
    drift: Drift,
}

/// A request that only plans.
#[derive(Debug, Clone)]
enum Request {
    Plan,
    Prereq(Option<String>),
    Enable(Enable),
    Set(Set),
    Disable,
    IntentAdd(IntentAdd),
    IntentSet(String, IntentSet),
    IntentRemove(String),
    Vms(VmChange),
    Drain(NodeDrain),
    Adapters(AdaptersChange),
}

fn performance() -> impl Strategy<Value = Performance> {
    select(&[Performance::Low, Performance::Medium, Performance::High][..])
}

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(names).prop_map(str::to_owned)
}

fn vm_spec() -> impl Strategy<Value = VmSpec> {
    let accelerated = option::of((performance(), any::<bool>()));
    let spec = (1..12_u32, any::<bool>(), any::<bool>(), accelerated);
    spec.prop_map(|(vcpus, on_switch, running, accelerated)| VmSpec {
        vcpus,
        on_switch,
        running,
        accelerated,
    })
}

fn node() -> impl Strategy<Value = NodeSpec> {
    let drift = [
        Drift::Nothing,
        Drift::VfsRemoved,
        Drift::NetworkStopped,
        Drift::BridgeDeleted,
        Drift::LibvirtAway,
    ];
    let spec = (
        vec(0..3_u8, 1..4),
        prop::bool::weighted(0.9),
        vec(vm_spec(), 0..4),
        option::weighted(0.8, (option::of(1..9_u32), prop::bool::weighted(0.8))),
        prop::bool::weighted(0.1),
        select(drift.to_vec()),
    );
    spec.prop_map(|(adapters, iommu, vms, intent, drained, drift)| NodeSpec {
        adapters,
        iommu,
        vms,
        intent,
        drained,
        drift,
    })
}

fn vm_change() -> impl Strategy<Value = VmChange> {
    let names = || vec(one_of(&VMS), 1..3);
    let enable = (names(), performance(), any::<bool>(), any::<bool>());
    let enable = enable.prop_map(|(names, performance, now, add_nic)| {
        VmChange::Enable(VmEnable {
            names,
            performance,
            now,
            add_nic,
            dry_run: true,
            mac: None,
            trust: None,
            spoof_check: None,
        })
    });
    let set = (names(), option::of(performance()), any::<bool>());
    let set = set.prop_map(|(names, performance, now)| {
        VmChange::Set(VmSet {
            names,
            performance,
            now,
            dry_run: true,
            trust: None,
            spoof_check: None,
        })
    });
    let disable = names().prop_map(|names| {
        VmChange::Disable(VmDisable {
            names,
            dry_run: true,
        })
    });
    prop_oneof![enable, set, disable]
}

fn intent_change() -> impl Strategy<Value = Request> {
    let adapters = || vec(one_of(&NAMES), 1..3);
    let add = (one_of(&INTENTS), adapters(), option::of(0..70_u32));
    let add = add.prop_map(|(name, adapters, vfs)| {
        Request::IntentAdd(IntentAdd {
            name,
            roles: vec![Role::Compute],
            adapters,
            vfs,
            trust: None,
            spoof_check: None,
            dry_run: true,
        })
    });
    let set = (
        one_of(&INTENTS),
        option::of(adapters()),
        option::of(0..70_u32),
        any::<bool>(),
    );
    let set = set.prop_map(|(name, adapters, vfs, disruptive)| {
        let set = IntentSet {
            adapters,
            vfs,
            disruptive,
            dry_run: true,
            ..IntentSet::default()
        };
        Request::IntentSet(name, set)
    });
    prop_oneof![add, set, one_of(&INTENTS).prop_map(Request::IntentRemove)]
}

fn request() -> impl Strategy<Value = Request> {
    let reserve = || option::of(-5..110_i64);
    let enable = (one_of(&INTENTS), reserve()).prop_map(|(intent, reserve)| {
        Request::Enable(Enable {
            intent,
            node_reserve_percentage: reserve,
            dry_run: true,
            ..Enable::default()
        })
    });
    let set = (option::of(one_of(&INTENTS)), reserve()).prop_map(|(intent, reserve)| {
        Request::Set(Set {
            intent,
            node_reserve_percentage: reserve,
            dry_run: true,
            ..Set::default()
        })
    });
    let drain = (select(&["n1", "n9"][..]), any::<bool>()).prop_map(|(node, undrain)| {
        Request::Drain(NodeDrain {
            node: node.parse().expect("a name"),
            undrain,
            dry_run: true,
        })
    });
    let adapters = (vec(one_of(&NAMES), 1..3), option::of(0..70_u32));
    let adapters = adapters.prop_map(|(names, vfs)| {
        Request::Adapters(AdaptersChange {
            names,
            vfs,
            timeout_seconds: None,
            dry_run: true,
        })
    });
    prop_oneof![
        2 => Just(Request::Plan),
        1 => option::of(one_of(&INTENTS)).prop_map(Request::Prereq),
        1 => enable,
        1 => set,
        1 => Just(Request::Disable),
        3 => intent_change(),
        5 => vm_change().prop_map(Request::Vms),
        1 => drain,
        1 => adapters,
    ]
}

fn adapter(place: u8, model: u8) -> AdapterSpec {
    let address = PciAddress {
        domain: 0,
        bus: 1 + 8 * place,
        device: 0,
        function: 0,
    };
    let name = format!("pf{place}");
    match model {
        0 => AdapterSpec::igb(address, &name),
        1 => AdapterSpec::mlx5(address, &name),
        _ => AdapterSpec::e1000e(address, &name),
    }
}

fn boot(spec: &NodeSpec, folder: &Path) -> SimMachine {
    let mut tree = Tree::new();
    for (place, model) in (0..).zip(&spec.adapters) {
        let port = PciAddress {
            domain: 0,
            bus: 0,
            device: 1 + place,
            function: 0,
        };
        let (first, last) = (1 + 8 * place, 2 + 8 * place);
        tree = tree.port(Port::root(port, first, last).adapter(adapter(place, *model)));
    }
    if !spec.iommu {
        tree = tree.platform(|platform| platform.iommus.clear());
    }
    SimMachine::boot(tree, folder).expect("a node")
}

/// Adds VMs and policy; what the node refuses is refused.
fn prepare(spec: &NodeSpec, machine: &SimMachine, agent: &mut DirectAgent) {
    let adapters = vec!["pf0".to_owned()];
    if let Some((vfs, enabled)) = spec.intent {
        let intent = IntentAdd {
            name: INTENTS[0].to_owned(),
            roles: vec![Role::Compute],
            adapters,
            vfs,
            trust: None,
            spoof_check: None,
            dry_run: false,
        };
        drop(agent.add_intent(WHO, &intent));
        if enabled {
            let enable = Enable {
                intent: INTENTS[0].to_owned(),
                node_reserve_percentage: Some(0),
                ..Enable::default()
            };
            drop(agent.enable(WHO, &enable));
        }
    }
    for (number, vm) in (0_u8..).zip(&spec.vms) {
        let name = format!("vm{number}");
        let network = match vm.on_switch {
            true => "accelnet-lan",
            false => "default",
        };
        let mac = Mac([0x52, 0x54, 0, 0, 0, number]);
        let nic = NicSpec::on_network(mac, network);
        let definition = DomainSpec::new(&name, number.into(), vm.vcpus).nic(nic);
        machine.vms.add(&definition).expect("a VM");
        if vm.running {
            drop(machine.vms.virsh_start(&name));
        }
        if let Some((performance, now)) = vm.accelerated {
            let change = VmChange::Enable(VmEnable {
                names: vec![name],
                performance,
                now,
                add_nic: false,
                dry_run: false,
                mac: None,
                trust: None,
                spoof_check: None,
            });
            drop(agent.change_vms(WHO, &change));
        }
    }
    if spec.drained {
        let drain = NodeDrain {
            node: "n1".parse().expect("a name"),
            undrain: false,
            dry_run: false,
        };
        drop(agent.drain(WHO, &drain));
    }
    match spec.drift {
        Drift::Nothing => {}
        Drift::VfsRemoved => {
            let first = "0000:01:00.0".parse().expect("an address");
            drop(machine.kernel.echo_numvfs(first, 0));
        }
        Drift::NetworkStopped => {
            use accelnet_host::Vms;
            drop(machine.vms.stop_network("accelnet-lan"));
        }
        Drift::BridgeDeleted => machine.switches.delete_bridge_externally("accelnet-lan"),
        Drift::LibvirtAway => machine.vms.set_away(true),
    }
}

fn plan(agent: &mut DirectAgent, request: &Request) -> Result<(), Problem> {
    match request {
        Request::Plan => agent.plan().map(drop),
        Request::Prereq(intent) => agent.prereq(intent.as_deref()).map(drop),
        Request::Enable(request) => agent.enable(WHO, request).map(drop),
        Request::Set(request) => agent.set(WHO, request).map(drop),
        Request::Disable => agent.disable(WHO, true).map(drop),
        Request::IntentAdd(request) => agent.add_intent(WHO, request).map(drop),
        Request::IntentSet(name, request) => agent.set_intent(WHO, name, request).map(drop),
        Request::IntentRemove(name) => agent.remove_intent(WHO, name, true).map(drop),
        Request::Vms(change) => agent.change_vms(WHO, change).map(drop),
        Request::Drain(request) => agent.drain(WHO, request).map(drop),
        Request::Adapters(change) => agent.change_adapters(WHO, change).map(drop),
    }
}

/// Plans each request; how many of them had an answer other than an error.
fn plan_all(spec: &NodeSpec, requests: &[Request]) -> Result<usize, TestCaseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let machine = boot(spec, &folder.path().join("node"));
    let freeze = Arc::new(Freeze::default());
    let edge = FrozenEdge::new(machine.clone(), freeze.clone());
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
    let store = FrozenStore {
        store: Arc::new(store),
        freeze: freeze.clone(),
    };
    let mut agent = DirectAgent::new(Box::new(edge), Arc::new(store), "n1");
    drop(agent.reconcile());
    prepare(spec, &machine, &mut agent);
    let files = crate::files(folder.path());
    let effects = || (machine.vms.calls(), machine.switches.applied());
    drop(effects());
    freeze.close();
    let mut answered = 0;
    for request in requests {
        answered += usize::from(plan(&mut agent, request).is_ok());
        prop_assert_eq!(freeze.broken(), Vec::<String>::new(), "{:?}", request);
        prop_assert_eq!(effects(), (Vec::new(), Vec::new()), "{:?}", request);
    }
    prop_assert!(crate::files(folder.path()) == files, "a file was written");
    Ok(answered)
}

#[test]
fn no_plan_has_an_effect() {
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let answered = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(config);
    let any = (node(), vec(request(), REQUESTS));
    let outcome = runner.run(&any, |(spec, requests)| {
        answered.set(answered.get() + plan_all(&spec, &requests)?);
        Ok(())
    });
    outcome.expect("no effect");
    // Errors alone would prove nothing.
    assert!(answered.get() > 200, "{} answers", answered.get());
}
