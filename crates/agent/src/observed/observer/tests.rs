//! What is looked at for a change of VMs.

use accelnet_model::intent::Role;
use accelnet_sim::{DomainSpec, SimMachine, Tree};
use accelnet_store::{Embedded, History};

use super::*;
use crate::simulated::Simulated;

#[test]
fn vms_that_are_not_meant_are_looked_at_when_something_was_heard_or_nobody_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let machine = SimMachine::boot(Tree::new(), folder.path()).unwrap();
    let all = ["db", "web01", "web02"];
    for (number, name) in (1..).zip(all) {
        machine.vms.add(&DomainSpec::new(name, number, 4)).unwrap();
    }
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).unwrap();
    let edge = Simulated::new(machine.clone());
    let mut core = Core::new(Box::new(edge), Arc::new(store), "node1");
    core.pass().unwrap();
    for name in all {
        machine.vms.virsh_vcpus(name, 8).unwrap();
    }
    let intent = Intent {
        name: "lan".parse().expect("a name"),
        roles: vec![Role::Compute],
        adapters: Vec::new(),
        vfs: None,
        security: accelnet_model::VfSecurity::default(),
    };
    let looked_at = |core: &Core, names: &[&str]| -> Vec<String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let seen = core.look_at_vms(&intent, &names);
        assert_eq!(seen.domains().len(), all.len());
        let new = seen.domains().iter().filter(|vm| vm.vcpus == 8);
        new.map(|vm| vm.name.clone()).collect()
    };
    core.nothing_heard = true;
    assert_eq!(looked_at(&core, &["web01"]), ["web01"]);
    assert_eq!(looked_at(&core, &["web*", "web01"]), ["web01", "web02"]);
    assert_eq!(looked_at(&core, &["web01", "nobody"]), all);
    assert_eq!(looked_at(&core, &[]), all);
    core.nothing_heard = false;
    assert_eq!(looked_at(&core, &["web01"]), all);
}
