//! Adapters, bridges and VFs of generated nodes.

use std::fs;
use std::path::PathBuf;

use accelnet_model::adapter::{BridgeKind, Sriov};
use accelnet_model::{Observed, PciAddress};
use accelnet_pci::{Direct, LockedRead, PciAdapter, Root, adapter, adapters};
use accelnet_sim::{AdapterSpec, Port, SimNode, Tree};
use tempfile::TempDir;

fn at(address: &str) -> PciAddress {
    address.parse().expect("an address")
}

const PF: &str = "0000:01:00.0";

fn igb() -> AdapterSpec {
    AdapterSpec::igb(at(PF), "ens1")
}

fn write(tree: Tree) -> (TempDir, SimNode) {
    let folder = tempfile::tempdir().expect("a folder");
    let node = tree.write(folder.path()).expect("a tree");
    (folder, node)
}

fn seen(node: &SimNode) -> Vec<PciAdapter> {
    adapters(&Root::new(node.root()), &Direct).expect("a list of functions")
}

/// The only adapter of a node with `spec` behind a root port to buses 1 and 2.
fn behind_port(spec: AdapterSpec) -> PciAdapter {
    let port = Port::root(at("0000:00:01.0"), 1, 2).adapter(spec);
    let (_folder, node) = write(Tree::new().port(port));
    seen(&node).pop().expect("an adapter")
}

fn sriov(adapter: &PciAdapter) -> &Sriov {
    adapter.sriov.present().expect("SR-IOV")
}

#[test]
fn an_igb_behind_a_port_with_acs() {
    let found = behind_port(igb().vfs(7));
    assert_eq!(found.address, at(PF));
    assert_eq!(found.vendor.id, Observed::Known(0x8086));
    let name = found.device.name.present().map(String::as_str);
    assert_eq!(name, Some("82576 Gigabit Network Connection"));
    let driver = found.driver.present().expect("a driver");
    assert_eq!((driver.name.as_str(), &driver.version), ("igb", &None));
    assert_eq!(found.numa_node, Observed::Known(None));
    assert_eq!(found.netdevs, ["ens1"]);
    let link = found.pcie_link.present().expect("a link");
    assert_eq!((link.max.megatransfers, link.max.lanes), (2_500, 4));
    let group = found.iommu_group.present().expect("a group");
    assert_eq!(group.members, [at(PF)]);

    let bridges = found.bridges.known().expect("bridges");
    let [port] = bridges.as_slice() else {
        panic!("one bridge: {bridges:?}");
    };
    assert_eq!(port.address, at("0000:00:01.0"));
    assert_eq!(port.kind, Observed::Known(BridgeKind::RootPort));
    assert!(port.acs.present().expect("ACS").isolates());
    assert_eq!((port.secondary_bus, port.subordinate_bus), (1, 2));
    assert_eq!(port.ari_forwarding, Observed::Known(true));

    let sriov = sriov(&found);
    assert_eq!(sriov.total_vfs, Observed::Known(7));
    assert_eq!(sriov.hardware_vfs, Observed::Known(8));
    assert_eq!(sriov.num_vfs, Observed::Known(7));
    assert_eq!(sriov.current_vfs, 7);
    assert_eq!(sriov.vf_device, Observed::Known(0x10ca));
    assert_eq!(sriov.vf_total_msix, Observed::Known(None));
    let sizes = sriov.bars.known().expect("BARs").iter();
    let sizes: Vec<_> = sizes
        .map(|bar| (bar.index, bar.size, bar.assigned))
        .collect();
    assert_eq!(sizes, [(0, Some(0x4000), true), (3, Some(0x4000), true)]);

    let last = found.vfs.last().expect("VFs");
    assert_eq!((last.index, last.address), (6, at("0000:01:11.4")));
    assert_eq!(last.driver, Observed::Known(Some("igbvf".to_owned())));
    assert_eq!(last.netdevs, ["ens1v6"]);
    assert_eq!(last.msix_vectors, Observed::Known(Some(3)));
    assert!(last.iommu_group.present().is_some());
}

#[test]
fn all_256_vfs_of_an_adapter() {
    let spec = AdapterSpec::mlx5(at(PF), "ens1np0").vfs(256);
    let port = Port::root(at("0000:00:01.0"), 1, 3).adapter(spec);
    let (_folder, node) = write(Tree::new().port(port));
    let found = seen(&node).pop().expect("an adapter");
    let indexes = found.vfs.iter().map(|vf| vf.index);
    assert!(indexes.eq(0..256));
    assert_eq!(found.vfs[64].address, at("0000:02:00.0"));
    assert_eq!(found.vfs[255].address, at("0000:03:0f.6"));
    let buses = sriov(&found).bus_numbers.known().expect("bus numbers");
    assert_eq!((buses.needed, buses.reachable_vfs), (3, 256));
    assert_eq!(sriov(&found).vf_total_msix, Observed::Known(Some(2_048)));
    let driver = found.driver.present().expect("a driver");
    assert_eq!(driver.version.as_deref(), Some("24.10-0.7.0"));
}

#[test]
fn bus_numbers_that_run_out() {
    let found = behind_port(AdapterSpec::mlx5(at(PF), "ens1np0"));
    let buses = sriov(&found).bus_numbers.known().expect("bus numbers");
    let numbers = (buses.needed, buses.available, buses.reachable_vfs);
    assert_eq!(numbers, (3, 2, 192));
}

#[test]
fn memory_space_that_ran_out() {
    let found = behind_port(igb().sriov(|sriov| sriov.bars_assigned = false));
    let bars = sriov(&found).bars.known().expect("BARs");
    let assigned: Vec<_> = bars.iter().map(|bar| (bar.index, bar.assigned)).collect();
    assert_eq!(assigned, [(0, false), (3, false)]);
}

#[test]
fn a_switch_is_named_from_the_adapter_up() {
    let downstream = Port::downstream(at("0000:02:00.0"), 3, 4);
    let spec = AdapterSpec::igb(at("0000:03:00.0"), "ens3").vfs(1);
    let upstream = Port::upstream(at("0000:01:00.0"), 2, 4).port(downstream.adapter(spec));
    let (_folder, node) =
        write(Tree::new().port(Port::root(at("0000:00:01.0"), 1, 4).port(upstream)));
    let found = seen(&node).pop().expect("an adapter");
    let bridges = found.bridges.known().expect("bridges").iter();
    let bridges: Vec<_> = bridges
        .map(|bridge| {
            (
                bridge.address,
                bridge.kind.clone(),
                bridge.acs.present().is_some(),
            )
        })
        .collect();
    let expected = [
        (
            at("0000:02:00.0"),
            Observed::Known(BridgeKind::SwitchDownstream),
            false,
        ),
        (
            at("0000:01:00.0"),
            Observed::Known(BridgeKind::SwitchUpstream),
            false,
        ),
        (
            at("0000:00:01.0"),
            Observed::Known(BridgeKind::RootPort),
            true,
        ),
    ];
    assert_eq!(bridges, expected);
    let group = found.iommu_group.present().expect("a group");
    let members = ["0000:02:00.0", "0000:03:00.0", "0000:03:10.0"].map(at);
    assert_eq!(group.members, members);
}

#[test]
fn without_a_driver_and_without_an_iommu() {
    let port = Port::root(at("0000:00:01.0"), 1, 2).adapter(igb().unbound());
    let tree = Tree::new().port(port);
    let (_folder, node) = write(tree.platform(|platform| platform.iommus.clear()));
    let found = seen(&node).pop().expect("an adapter");
    assert_eq!(found.driver, Observed::Known(None));
    assert_eq!(found.iommu_group, Observed::Known(None));
    assert!(found.netdevs.is_empty());
    assert_eq!(sriov(&found).total_vfs, Observed::Known(8));
}

#[test]
fn no_sriov_at_all() {
    let found = behind_port(AdapterSpec::e1000e(at(PF), "ens1"));
    assert_eq!(found.sriov, Observed::Known(None));
}

#[test]
fn a_kernel_without_sriov() {
    let found = behind_port(igb().sriov(|sriov| sriov.in_sysfs = false));
    let sriov = sriov(&found);
    let reason = sriov.total_vfs.reason().expect("unknown");
    assert!(reason.contains("CONFIG_PCI_IOV"), "{reason}");
    assert_eq!(sriov.hardware_vfs, Observed::Known(8));
    assert_eq!(sriov.bars.known().map(Vec::len), Some(2));
}

#[test]
fn an_ordinary_user_gets_a_list_of_what_needs_root() {
    let port = Port::root(at("0000:00:01.0"), 1, 2).adapter(igb().vfs(1));
    let tree = Tree::new().port(port);
    let (_folder, node) = write(tree.platform(|platform| platform.root_reads = false));
    let found = seen(&node).pop().expect("an adapter");
    let needs_root = "only the first 64 bytes of the configuration space may be read (needs root)";
    let bridge = &found.bridges.known().expect("bridges")[0];
    assert_eq!(bridge.acs.reason(), Some(needs_root));
    assert_eq!(bridge.kind.reason(), Some(needs_root));
    assert_eq!(bridge.subordinate_bus, 2);
    let sriov = sriov(&found);
    assert_eq!(sriov.hardware_vfs.reason(), Some(needs_root));
    assert_eq!(sriov.total_vfs, Observed::Known(7));
    assert!(
        sriov
            .bars
            .known()
            .expect("BARs")
            .iter()
            .all(|bar| bar.assigned)
    );
    assert!(sriov.bus_numbers.known().is_some());
    assert_eq!(found.vfs[0].msix_vectors.reason(), Some(needs_root));
}

#[test]
fn one_unreadable_adapter_hides_nothing() {
    let other = AdapterSpec::igb(at("0000:03:00.0"), "ens3");
    let tree = Tree::new()
        .port(Port::root(at("0000:00:01.0"), 1, 2).adapter(igb()))
        .port(Port::root(at("0000:00:02.0"), 3, 4).adapter(other));
    let (_folder, node) = write(tree);
    let device = node
        .root()
        .join("sys/devices/pci0000:00/0000:00:01.0")
        .join(PF);
    fs::remove_dir_all(&device).expect("a folder");
    fs::write(&device, "").expect("a file in its place");
    let found = seen(&node);
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].sriov.reason(),
        Some("not a directory reading /sys/bus/pci/devices/0000:01:00.0")
    );
    assert!(found[0].vendor.name.reason().is_some());
    assert!(found[0].driver.reason().is_some());
    assert!(found[1].sriov.present().is_some());
}

#[test]
fn one_unreadable_attribute_hides_nothing() {
    let port = Port::root(at("0000:00:01.0"), 1, 2).adapter(igb().vfs(2));
    let (_folder, node) = write(Tree::new().port(port));
    let device = node.root().join("sys/bus/pci/devices").join(PF);
    for name in ["sriov_totalvfs", "resource", "numa_node", "virtfn1/config"] {
        let path = device.join(name);
        fs::remove_file(&path).expect("a file");
        fs::create_dir(&path).expect("a folder in its place");
    }
    let found = seen(&node).pop().expect("an adapter");
    let reason = "is a directory reading /sys/bus/pci/devices/0000:01:00.0/sriov_totalvfs";
    assert_eq!(sriov(&found).total_vfs.reason(), Some(reason));
    assert_eq!(sriov(&found).bus_numbers.reason(), Some(reason));
    assert!(sriov(&found).bars.reason().is_some());
    assert!(found.numa_node.reason().is_some());
    assert_eq!(sriov(&found).current_vfs, 2);
    assert!(found.vfs[0].msix_vectors.known().is_some());
    assert!(found.vfs[1].msix_vectors.reason().is_some());
}

#[test]
fn an_adapter_that_is_gone_is_not_there() {
    let port = Port::root(at("0000:00:01.0"), 1, 2).adapter(igb());
    let (_folder, node) = write(Tree::new().port(port));
    let root = Root::new(node.root());
    assert!(adapter(&root, at(PF), &Direct).is_some());
    assert!(adapter(&root, at("0000:01:00.1"), &Direct).is_none());
    assert!(
        adapter(&root, at("0000:00:01.0"), &Direct).is_none(),
        "a bridge"
    );
    let device = node
        .root()
        .join("sys/devices/pci0000:00/0000:00:01.0")
        .join(PF);
    fs::remove_dir_all(&device).expect("a folder");
    assert!(seen(&node).is_empty());
}

#[test]
fn a_machine_without_pci_has_no_adapters() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Root::new(folder.path());
    assert!(adapters(&root, &Direct).is_err(), "no sysfs");
    fs::create_dir_all(folder.path().join("sys/bus")).expect("a folder");
    assert_eq!(adapters(&root, &Direct), Ok(Vec::new()));
}

/// Gives up on every attribute, and counts how often it was asked.
#[derive(Default)]
struct Hung(std::cell::Cell<usize>);

impl LockedRead for Hung {
    fn read(&self, paths: &[PathBuf]) -> Vec<std::io::Result<String>> {
        self.0.set(self.0.get() + 1);
        let hung = |_: &PathBuf| Err(std::io::Error::from(std::io::ErrorKind::TimedOut));
        paths.iter().skip(1).map(hung).collect()
    }
}

#[test]
fn a_hung_lock_is_waited_for_once() {
    let mlx5 = AdapterSpec::mlx5(at("0000:03:00.0"), "ens3np0");
    let tree = Tree::new()
        .port(Port::root(at("0000:00:01.0"), 1, 2).adapter(igb().vfs(2)))
        .port(Port::root(at("0000:00:02.0"), 3, 5).adapter(mlx5));
    let (_folder, node) = write(tree);
    let hung = Hung::default();
    let found = adapters(&Root::new(node.root()), &hung).expect("a list of functions");
    assert_eq!(hung.0.get(), 1);
    assert_eq!(sriov(&found[0]).current_vfs, 2);
    let reasons = found.iter().map(|found| sriov(found).num_vfs.reason());
    assert!(reasons.eq([
        Some("timed out reading /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs"),
        Some("timed out reading /sys/bus/pci/devices/0000:03:00.0/sriov_numvfs"),
    ]));
    let unanswered = sriov(&found[1]).vf_total_msix.reason();
    assert!(unanswered.is_some_and(|reason| reason.starts_with("no answer")));
}
