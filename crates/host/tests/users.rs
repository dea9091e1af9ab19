//! Who uses a VF: the driver reports where to search, and doubt is never "nobody".

use std::time::Duration;

use accelnet_host::observe;
use accelnet_libvirt::LibvirtError;
use accelnet_model::vf::VfUser;
use accelnet_model::{Observed, PciAddress};
use accelnet_sim::{AdapterSpec, Port, SimHost, Tree};

fn at(address: &str) -> PciAddress {
    address.parse().expect("an address")
}

fn pf() -> PciAddress {
    at("0000:01:00.0")
}

/// A node with one VF, 0000:01:10.0, which has no driver.
struct Bench {
    host: SimHost,
    folder: tempfile::TempDir,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let igb = AdapterSpec::igb(pf(), "ens1").vfs(1);
    let igb = igb.sriov(|sriov| sriov.drivers_autoprobe = false);
    let port = Port::root(at("0000:00:01.0"), 1, 2).adapter(igb);
    let host = SimHost::boot(Tree::new().port(port), folder.path()).expect("a node");
    Bench { host, folder }
}

impl Bench {
    /// With the VF bound to `driver`.
    fn bound(driver: &str) -> Self {
        let bench = bench();
        let node = bench.host.kernel.node();
        node.bind_vf(pf(), 0, driver).expect("bound");
        drop(node);
        bench
    }

    /// Who uses the VF.
    fn users(&self) -> Observed<Vec<VfUser>> {
        let adapter = observe::adapter(&self.host.host(), pf()).expect("an adapter");
        adapter.vfs[0].users.clone()
    }

    /// The same in words, where it is known.
    fn names(&self) -> Vec<String> {
        let users = self.users();
        let users = users.known().unwrap_or_else(|| panic!("{users:?}"));
        users.iter().map(ToString::to_string).collect()
    }

    /// The file of the VF's vfio group.
    fn group(&self) -> String {
        let group = self.host.kernel.node().vf_group(pf(), 0);
        format!("/dev/vfio/{}", group.expect("a group"))
    }

    /// A process whose open files cannot be listed.
    fn hide_a_process(&self) {
        let hidden = self.host.opaque_process(99, &["mystery"]);
        hidden.expect("a process");
    }
}

const NOBODY: [&str; 0] = [];

#[test]
fn without_a_driver_there_is_no_user_whatever_is_hidden() {
    let bench = bench();
    assert_eq!(bench.names(), NOBODY);
    bench.hide_a_process();
    assert_eq!(bench.names(), NOBODY);
}

#[test]
fn drivers_that_block_every_user_are_as_good_as_none() {
    for driver in ["pci-stub", "xen-pciback"] {
        let bench = Bench::bound(driver);
        bench.hide_a_process();
        assert_eq!(bench.names(), NOBODY, "{driver}");
    }
}

#[test]
fn with_vfio_a_process_or_no_process_has_it() {
    let bench = Bench::bound("vfio-pci");
    assert_eq!(bench.names(), NOBODY);
    let group = bench.group();
    let process = bench.host.process(7, &["/opt/testpmd"], &[&group]);
    process.expect("a process");
    let words = format!("process 7 (testpmd), which holds {group}");
    assert_eq!(bench.names(), [words]);
}

#[test]
fn another_group_is_another_vfs() {
    let bench = Bench::bound("vfio-pci");
    let other = format!("{}9", bench.group());
    let process = bench
        .host
        .process(7, &["testpmd"], &[&other, "/dev/vfio/vfio"]);
    process.expect("a process");
    assert_eq!(bench.names(), NOBODY);
}

#[test]
fn with_vfio_and_a_process_that_is_hidden_it_is_unknown() {
    let bench = Bench::bound("vfio-pci");
    bench.hide_a_process();
    let users = bench.users();
    let reason = users.reason().expect("unknown");
    assert!(reason.contains("/proc/99/fd"), "{reason}");
}

#[test]
fn a_vm_is_named_once_and_its_qemu_not_again() {
    let mut bench = Bench::bound("vfio-pci");
    bench.host.libvirt.run("web1", &[at("0000:01:10.0")]);
    let group = bench.group();
    let qemu = ["qemu-system-x86_64", "-name", "guest=web1,debug-threads=on"];
    bench.host.process(7, &qemu, &[&group]).expect("a process");
    assert_eq!(bench.names(), ["VM web1"]);

    // Known already, it stays known when something is hidden.
    bench.hide_a_process();
    assert_eq!(bench.names(), ["VM web1"]);
}

#[test]
fn a_vm_whose_name_ends_alike_is_another() {
    let mut bench = Bench::bound("vfio-pci");
    bench.host.libvirt.run("web1", &[at("0000:01:10.0")]);
    let group = bench.group();
    let qemu = ["qemu-system-x86_64", "-name", "guest=my web1"];
    bench.host.process(7, &qemu, &[&group]).expect("a process");
    assert_eq!(bench.names().len(), 2, "{:?}", bench.names());
}

#[test]
fn without_libvirt_qemu_is_seen_as_a_process() {
    let mut bench = Bench::bound("vfio-pci");
    bench.host.libvirt.answer = Err(LibvirtError::NotRunning {
        words: "connection refused".to_owned(),
    });
    let group = bench.group();
    let qemu = ["qemu-system-x86_64", "-name", "guest=web1"];
    bench.host.process(7, &qemu, &[&group]).expect("a process");
    let words = format!("process 7 (qemu-system-x86, guest web1), which holds {group}");
    assert_eq!(bench.names(), [words]);
}

#[test]
fn a_host_netdev_that_is_down_is_no_user() {
    assert_eq!(Bench::bound("igbvf").names(), NOBODY);
}

#[test]
fn a_host_netdev_that_is_up_or_a_port_is_used() {
    let bench = Bench::bound("igbvf");
    bench.host.kernel.node().bring_up("ens1v0").expect("up");
    assert_eq!(bench.names(), ["host netdev ens1v0, which is up"]);

    let bench = Bench::bound("igbvf");
    let port = bench.host.kernel.node().enslave("ens1v0", "br0");
    port.expect("a port");
    assert_eq!(bench.names(), ["host netdev ens1v0, a port of br0"]);
}

#[test]
fn a_netdev_in_another_namespace_is_used_up_or_down() {
    let bench = Bench::bound("igbvf");
    let moved = bench.host.move_to_namespace(pf(), 0, "blue");
    moved.expect("moved");
    assert_eq!(bench.names(), ["network namespace blue, as ens1v0"]);
}

#[test]
fn a_netdev_that_is_not_found_has_an_unknown_user() {
    let bench = Bench::bound("igbvf");
    bench.host.kernel.node().move_away("ens1v0").expect("away");
    let names = bench.names();
    assert!(
        names[0].starts_with("someone unknown: driver igbvf"),
        "{names:?}"
    );
}

#[test]
fn a_driver_that_only_tries_it_is_no_user() {
    let bench = bench();
    let tried = bench
        .host
        .kernel
        .try_driver(pf(), 0, Duration::from_millis(300));
    tried.expect("tried");
    let adapter = observe::adapter(&bench.host.host(), pf()).expect("an adapter");
    assert_eq!(adapter.vfs[0].users, Observed::Known(Vec::new()));
    assert_eq!(adapter.vfs[0].driver, Observed::Known(None));
    assert!(adapter.vfs[0].is_ready());
}

#[test]
fn a_namespace_that_cannot_be_entered_leaves_it_unknown() {
    let bench = Bench::bound("igbvf");
    bench.host.kernel.node().move_away("ens1v0").expect("away");
    let namespaces = bench.folder.path().join("run/netns");
    std::fs::create_dir_all(namespaces.join("locked")).expect("a folder in its place");
    let users = bench.users();
    assert!(users.reason().is_some(), "{users:?}");
}
