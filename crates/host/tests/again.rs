//! A node read again: what was requested is as it is now, all else as it was seen.

use accelnet_host::observe;
use accelnet_libvirt::{Domains, UnreadableDomain};
use accelnet_model::domain::DomainState;
use accelnet_model::node::Node;
use accelnet_model::{Domain, PciAddress};
use accelnet_sim::{AdapterSpec, Port, SimHost, Tree};

const WEB01: &str = "11111111-0000-4000-8000-000000000001";
const WEB02: &str = "22222222-0000-4000-8000-000000000002";

fn pf() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

/// A node with 7 VFs and VMs web01 and web02, and its folder.
fn booted() -> (SimHost, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let igb = AdapterSpec::igb(pf(), "ens1").vfs(7);
    let igb = igb.sriov(|sriov| sriov.drivers_autoprobe = false);
    let port = Port::root("0000:00:01.0".parse().expect("an address"), 1, 2).adapter(igb);
    let mut host = SimHost::boot(Tree::new().port(port), folder.path()).expect("a node");
    for (name, uuid) in [("web01", WEB01), ("web02", WEB02)] {
        host.libvirt.run(name, &[]);
        let read = &mut domains(&mut host).read;
        read.last_mut().expect("a VM").uuid = uuid.parse().expect("a UUID");
    }
    (host, folder)
}

fn domains(host: &mut SimHost) -> &mut Domains {
    let reading = host.libvirt.answer.as_mut().expect("an answer");
    reading.domains.as_mut().expect("domains")
}

fn vcpus(node: &Node) -> Vec<(&str, u32)> {
    let domains: &[Domain] = node.domains.known().expect("domains");
    let shown = domains.iter().map(|vm| (vm.name.as_str(), vm.vcpus));
    shown.collect()
}

#[test]
fn an_adapter_observed_again_is_as_in_a_full_observation() {
    let (host, _folder) = booted();
    let before = observe::node(&host.host());
    assert_eq!(
        observe::again(&host.host(), &before, None, &[pf()]).adapters,
        before.adapters
    );
    // One VF is a guest's now, and the full observation agrees.
    let bound = host.kernel.node().bind_vf(pf(), 3, "vfio-pci");
    bound.expect("bound");
    let again = observe::again(&host.host(), &before, None, &[pf()]);
    assert_ne!(again.adapters, before.adapters);
    assert_eq!(again.adapters, observe::node(&host.host()).adapters);
    // Unless it was not to be read.
    let unasked = observe::again(&host.host(), &before, None, &[]);
    assert_eq!(unasked.adapters, before.adapters);
}

#[test]
fn vfs_that_were_not_there_are_read_whole() {
    let (host, _folder) = booted();
    host.kernel.echo_numvfs(pf(), 0).expect("no VFs");
    host.kernel.echo_numvfs(pf(), 3).expect("3 VFs");
    let before = observe::node(&host.host());
    host.kernel.echo_numvfs(pf(), 0).expect("no VFs");
    host.kernel.echo_numvfs(pf(), 7).expect("7 VFs");
    let again = observe::again(&host.host(), &before, None, &[pf()]);
    assert_eq!(again.adapters, observe::node(&host.host()).adapters);
    let adapters = again.adapters.known().expect("adapters");
    let vectors = adapters[0].vfs.iter().map(|vf| vf.msix_vectors.present());
    assert_eq!(vectors.flatten().count(), 7);
}

#[test]
fn vectors_are_inspected_again_where_they_can_be_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let mlx5 = AdapterSpec::mlx5(pf(), "ens1").vfs(2).sriov(|sriov| {
        sriov.vf_msix_vectors = 8;
        sriov.vf_total_msix = Some(64);
        sriov.drivers_autoprobe = false;
    });
    let port = Port::root("0000:00:01.0".parse().expect("an address"), 1, 2).adapter(mlx5);
    let host = SimHost::boot(Tree::new().port(port), folder.path()).expect("a node");
    let before = observe::node(&host.host());
    let vf = host.kernel.node().vf_address(pf(), 1).expect("a VF");
    let knob = format!("sys/bus/pci/devices/{vf}/sriov_vf_msix_count");
    std::fs::write(folder.path().join(knob), "12").expect("a knob");
    let applied = host.kernel.node().apply_msix_count(pf(), 1);
    applied.expect("12 vectors");
    let again = observe::again(&host.host(), &before, None, &[pf()]);
    let adapters = again.adapters.known().expect("adapters");
    let vectors = adapters[0]
        .vfs
        .iter()
        .map(|vf| vf.msix_vectors.present().copied());
    assert_eq!(vectors.collect::<Vec<_>>(), [Some(8), Some(12)]);
}

#[test]
fn only_the_vms_that_were_asked_for_are_inspected() {
    let (mut host, _folder) = booted();
    let before = observe::node(&host.host());
    for domain in &mut domains(&mut host).read {
        domain.vcpus = 16;
    }
    let asked = [WEB02.to_owned()];
    let again = observe::again(&host.host(), &before, Some(&asked), &[]);
    assert_eq!(vcpus(&again), [("web01", 4), ("web02", 16)]);
    let all = observe::again(&host.host(), &before, None, &[]);
    assert_eq!(vcpus(&all), [("web01", 16), ("web02", 16)]);
}

#[test]
fn a_vm_that_is_gone_is_left_out_and_the_others_stay() {
    let (mut host, _folder) = booted();
    let before = observe::node(&host.host());
    domains(&mut host).read.clear();
    let asked = [WEB01.to_owned()];
    let again = observe::again(&host.host(), &before, Some(&asked), &[]);
    assert_eq!(vcpus(&again), [("web02", 4)]);
}

#[test]
fn vms_that_cannot_be_read_are_reported_until_they_can() {
    let (mut host, _folder) = booted();
    let unreadable = |name: &str, uuid: &str| UnreadableDomain {
        name: name.to_owned(),
        uuid: Some(uuid.to_owned()),
        state: DomainState::Running,
        reason: "its definition is broken".to_owned(),
    };
    let web01 = domains(&mut host).read.remove(0);
    domains(&mut host).unreadable = vec![unreadable("web01", WEB01), unreadable("db", "33")];
    let before = observe::node(&host.host());
    let told = |node: &Node| -> Vec<String> {
        let vms = node.unreadable.iter().map(|one| one.subject.clone());
        vms.filter(|what| what.starts_with("VM ")).collect()
    };
    assert_eq!(told(&before), ["VM web01", "VM db"]);
    // Asked for again: one still cannot be read, then it can, and the other is not forgotten.
    let asked = [WEB01.to_owned()];
    let again = observe::again(&host.host(), &before, Some(&asked), &[]);
    assert_eq!(told(&again), ["VM web01", "VM db"]);
    domains(&mut host).unreadable.remove(0);
    domains(&mut host).read.push(web01);
    let again = observe::again(&host.host(), &before, Some(&asked), &[]);
    assert_eq!(told(&again), ["VM db"]);
    assert_eq!(vcpus(&again), [("web01", 4), ("web02", 4)]);
}
