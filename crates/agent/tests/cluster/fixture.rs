//! Simulated nodes, each with the agent of an agent, on a store that they share.

use std::sync::Arc;

use accelnet_agent::policy::{Policy, PolicyStore};
use accelnet_agent::simulated::DirectAgent;
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::*;
use accelnet_host::Vms;
use accelnet_model::intent::Role;
use accelnet_model::{Mac, PciAddress, Performance, Problem};
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, SimMachine, Tree};
use accelnet_store::Store;
use tempfile::TempDir;

/// Who asks.
pub const WHO: &str = "root";
/// The intent.
pub const INTENT: &str = "MyIntent";

/// A machine with one adapter.
pub struct Machine {
    pub name: String,
    pub number: u8,
    pub sim: SimMachine,
    _folder: TempDir,
}

impl Machine {
    pub fn boot(number: u8) -> Self {
        Machine::boot_with(number, "ens1")
    }

    /// One whose adapter has that name.
    pub fn boot_with(number: u8, adapter: &str) -> Self {
        let bus = number * 4;
        let at = |bus, device| PciAddress {
            domain: 0,
            bus,
            device,
            function: 0,
        };
        let adapter = AdapterSpec::igb(at(bus, 0), adapter);
        let name = format!("node{number}");
        let tree = Tree::new()
            .platform(|platform| platform.host_name.clone_from(&name))
            .port(Port::root(at(0, 1), bus, bus + 1).adapter(adapter));
        let folder = tempfile::tempdir().expect("a folder");
        let sim = SimMachine::boot(tree, folder.path()).expect("a node");
        Machine {
            name,
            number,
            sim,
            _folder: folder,
        }
    }

    /// A agent on it.
    pub fn agent(&self, store: Arc<dyn Store>) -> DirectAgent {
        let edge = Simulated::new(self.sim.clone());
        DirectAgent::new(Box::new(edge), store, &self.name)
    }

    /// Name of its VM with that number.
    pub fn vm(&self, vm: u8) -> String {
        format!("vm{}{vm}", self.number)
    }

    /// Its UUID.
    pub fn uuid(&self, vm: u8) -> String {
        self.sim.vms.uuid(&self.vm(vm)).expect("a VM")
    }

    /// Defines a VM with one vNIC on the intent's switch.
    pub fn define(&self, vm: u8) {
        let network = format!("accelnet-{INTENT}");
        let mac = Mac([0x52, 0x54, 0, 0xcc, self.number, vm]);
        let number = u32::from(self.number) * 100 + u32::from(vm);
        let spec = DomainSpec::new(&self.vm(vm), number, 4).nic(NicSpec::on_network(mac, &network));
        let defined = Vms::define(&self.sim.vms, &spec.xml());
        defined.expect("defined");
    }

    /// Removes the definition of a VM.
    pub fn undefine(&self, vm: u8) {
        let undefined = self.sim.vms.virsh_undefine(&self.vm(vm));
        undefined.expect("undefined");
    }
}

pub fn intent_add(vfs: u32) -> IntentAdd {
    IntentAdd {
        name: INTENT.to_owned(),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs: Some(vfs),
        dry_run: false,
        trust: None,
        spoof_check: None,
    }
}

pub fn enable(reserve: i64) -> Enable {
    Enable {
        intent: INTENT.to_owned(),
        node_reserve_percentage: Some(reserve),
        ..Enable::default()
    }
}

pub fn vm_enable(name: &str) -> VmChange {
    VmChange::Enable(VmEnable {
        names: vec![name.to_owned()],
        performance: Performance::Low,
        now: false,
        add_nic: false,
        dry_run: false,
        mac: None,
        trust: None,
        spoof_check: None,
    })
}

pub fn vm_disable(name: &str) -> VmChange {
    VmChange::Disable(VmDisable {
        names: vec![name.to_owned()],
        dry_run: false,
    })
}

/// The only result of a change of one VM.
pub fn only(changed: Result<VmChanged, Problem>) -> Result<VmResult, Problem> {
    let changed = changed?;
    assert_eq!(changed.results.len(), 1, "{changed:?}");
    changed
        .results
        .into_iter()
        .next()
        .ok_or_else(|| unreachable!("there is one"))
}

/// The policy in a store.
pub fn policy(store: &Arc<dyn Store>) -> Policy {
    let policies = PolicyStore::new(store.clone(), "nobody");
    policies.read().expect("policy")
}
