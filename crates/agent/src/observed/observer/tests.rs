//! What is observed for a change of VMs, and after an event.

use std::time::Duration;

use accelnet_sim::{DomainSpec, SimMachine, Tree};
use accelnet_store::{Embedded, History};

use super::*;
use crate::simulated::Simulated;

const ALL: [&str; 3] = ["db", "web01", "web02"];

/// An observer of a node whose VMs all have changed since it observed them.
struct Fixture {
    ctx: Context,
    observer: Observer,
    uuids: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("no error");
        let machine = SimMachine::boot(Tree::new(), folder.path()).expect("no error");
        for (number, name) in (1..).zip(ALL) {
            machine
                .vms
                .add(&DomainSpec::new(name, number, 4))
                .expect("no error");
        }
        let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("no error");
        let edge = Box::new(Simulated::new(machine.clone()));
        let ctx = Context::new(edge, Arc::new(store), "node1".parse().expect("no error"));
        let mut observer = Observer::new(&ctx);
        observer.newest = all(&ctx);
        for name in ALL {
            machine.vms.virsh_vcpus(name, 8).expect("no error");
        }
        let domains = observer.newest.node.domains.known().expect("no error");
        let uuids = domains.iter().map(|vm| vm.uuid.to_string()).collect();
        Fixture {
            ctx,
            observer,
            uuids,
            _folder: folder,
        }
    }

    /// The VMs whose change was observed for a change of these VMs.
    fn observed_for(&self, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        changed_vms(&self.observer.vms(&self.ctx, &[], &names))
    }
}

fn changed_vms(snapshot: &Snapshot) -> Vec<String> {
    let domains = snapshot.node.domains.known().expect("no error");
    assert_eq!(domains.len(), ALL.len());
    let new = domains.iter().filter(|vm| vm.vcpus == 8);
    new.map(|vm| vm.name.to_string()).collect()
}

#[test]
fn all_vms_are_observed_when_an_event_waits_or_no_vm_is_named() {
    let mut fixture = Fixture::new();
    fixture.observer.is_current = true;
    assert_eq!(fixture.observed_for(&["web01"]), ["web01"]);
    assert_eq!(fixture.observed_for(&["web*", "web01"]), ["web01", "web02"]);
    assert_eq!(fixture.observed_for(&["web01", "nobody"]), ALL);
    assert_eq!(fixture.observed_for(&[]), ALL);
    fixture.observer.is_current = false;
    assert_eq!(fixture.observed_for(&["web01"]), ALL);
}

#[test]
fn an_event_of_one_vm_observes_that_vm() {
    let fixture = Fixture::new();
    let after = |uuids: &[&String]| {
        let uuids = uuids.iter().map(|uuid| (*uuid).clone()).collect();
        changed_vms(&fixture.observer.events_of(&fixture.ctx, &uuids))
    };
    assert_eq!(after(&[&fixture.uuids[0]]), ["db"]);
    let new = "0a1b2c3d-0000-4000-8000-0000000000aa".to_owned();
    assert_eq!(after(&[&fixture.uuids[0], &new]), ALL);
}
