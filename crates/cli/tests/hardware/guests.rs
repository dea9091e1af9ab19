//! Adapters that a hypervisor gave to a VM.

use accelnet_sim::{AdapterSpec, Tree};

use crate::{Copy, adapter, at};

fn guest(adapters: Vec<AdapterSpec>, architecture: &str) -> Copy {
    let tree = adapters.into_iter().fold(Tree::new(), Tree::adapter);
    Copy::of(tree.platform(|machine| {
        machine.architecture = architecture.to_owned();
        machine.kvm = false;
        machine.iommus.clear();
    }))
}

fn given(address: &str, ids: (u16, u16), driver: &str, netdev: &str) -> AdapterSpec {
    AdapterSpec {
        address: at(address),
        sriov: None,
        ..adapter(ids, driver, netdev, 0)
    }
}

/// VFs by the id tables of their drivers: MANA on Azure, bnxt_en, cxgb4vf, hinic, nfp, qede, sfc, ionic,
/// fm10k, octeontx2 and enetc.
#[test]
fn the_vfs_of_every_vendor_show_that_the_machine_is_a_vm() {
    for (ids, driver) in [
        ((0x1414, 0x00ba), "mana"),
        ((0x14e4, 0x16dc), "bnxt_en"),
        ((0x1425, 0x5801), "cxgb4vf"),
        ((0x19e5, 0x375e), "hinic"),
        ((0x19ee, 0x6003), "nfp_netvf"),
        ((0x1077, 0x8090), "qede"),
        ((0x1924, 0x1a03), "sfc"),
        ((0x1dd8, 0x1003), "ionic"),
        ((0x8086, 0x15a5), "fm10k"),
        ((0x177d, 0xa064), "rvu_nicvf"),
        ((0x1957, 0xef00), "fsl_enetc_vf"),
    ] {
        let copy = guest(vec![given("0000:00:05.0", ids, driver, "ens5")], "aarch64");
        copy.refuses("ens5", "adapter_is_vf");
        let (rows, _) = copy.prereq(&[]);
        let said = format!("{rows:?}");
        assert!(!said.contains("BIOS") && !said.contains("EL2"), "{said}");
    }
}

/// Amazon's bare-metal machines have ENA as VMs do (models.rs): it proves nothing.
#[test]
fn an_ena_of_amazon_may_be_on_a_bare_metal_machine() {
    let ena = given("0000:00:05.0", (0x1d0f, 0xec20), "ena", "ens5");
    let copy = guest(vec![ena], "aarch64");
    copy.refuses("ens5", "adapter_is_vf");
    let (rows, _) = copy.prereq(&["--adapter", "ens5"]);
    let said = format!("{rows:?}");
    assert!(said.contains("If this machine is a VM"), "{said}");
    assert!(!said.contains("BIOS"), "{said}");
}

/// A virtio adapter beside a VF, as KVM hosts give both: no hint for either names a BIOS.
#[test]
fn a_virtio_adapter_beside_a_vf_is_virtual() {
    let virtio = given("0000:00:03.0", (0x1af4, 0x1041), "virtio-pci", "eth0");
    let vf = given("0000:00:05.0", (0x8086, 0x1889), "iavf", "eth1");
    let copy = guest(vec![virtio, vf], "x86_64");
    copy.refuses("eth0", "Sriov_support_Unknown")
        .refuses("eth1", "adapter_is_vf");
    let (rows, _) = copy.prereq(&[]);
    let said = format!("{rows:?}");
    assert!(said.contains("this one is virtual"), "{said}");
    assert!(!said.contains("BIOS"), "{said}");
}

/// The only adapters of VMs on Google Cloud (gve) and VMware (vmxnet3).
#[test]
fn adapters_of_clouds_are_virtual() {
    for (ids, driver) in [((0x1ae0, 0x0042), "gve"), ((0x15ad, 0x07b0), "vmxnet3")] {
        let copy = guest(vec![given("0000:00:04.0", ids, driver, "ens4")], "x86_64");
        let (rows, _) = copy.prereq(&["--adapter", "ens4"]);
        let row = rows.iter().find(|row| row["subject"] == "ens4");
        let how = row.expect("a row")["resolution"].as_str().expect("text");
        assert!(how.contains("this one is virtual"), "{how}");
        copy.refuses("ens4", "Sriov_support_Unknown");
    }
}

/// An LPAR of IBM Z can have a VF alone (zpci_iov_find_parent_pf, arch/s390/pci): it is no VM.
#[test]
fn a_vf_alone_in_an_lpar_does_not_make_it_a_vm() {
    let vf = given("0100:00:00.0", (0x15b3, 0x101e), "mlx5_core", "eno256");
    let tree = Tree::new().adapter(vf).platform(|machine| {
        machine.architecture = "s390x".to_owned();
        machine.iommus = vec!["s390-iommu.00000100".to_owned()];
        machine.modules = ["kvm", "vfio", "vfio_pci"].map(String::from).into();
    });
    let copy = Copy::of(tree);
    copy.stands_out(
        &[],
        &[(
            "sriov",
            "eno256",
            "failed",
            "adapter_is_vf",
            "Assign the PF of this VF to the LPAR",
        )],
    )
    .refuses("eno256", "adapter_is_vf");
    let (rows, _) = copy.prereq(&[]);
    assert!(!format!("{rows:?}").contains("is a VM"), "{rows:#?}");
}
