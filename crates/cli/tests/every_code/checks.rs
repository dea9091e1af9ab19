//! Nodes and adapters that do not pass a check.

use accelnet_libvirt::{Domains, LibvirtError, Reading, Versions};
use accelnet_model::Code;
use accelnet_model::platform::Version;
use accelnet_sim::tree::PlatformSpec;
use accelnet_sim::{AdapterSpec, Tree};

use crate::shown;
use crate::support::{Booted, boot, node, pf, port};

fn on(node: &Booted) -> Vec<Code> {
    shown(node, "accelnet prereq")
}

fn machine(change: impl FnOnce(&mut PlatformSpec)) -> Booted {
    let igb = AdapterSpec::igb(pf(), "ens1");
    boot(Tree::new().platform(change).port(port().adapter(igb)))
}

fn adapter(change: impl FnOnce(AdapterSpec) -> AdapterSpec) -> Vec<Code> {
    on(&node(change))
}

pub fn without_an_iommu() -> Vec<Code> {
    on(&machine(|machine| machine.iommus.clear()))
}

pub fn an_intent_that_is_not_there() -> Vec<Code> {
    shown(&node(|igb| igb), "accelnet prereq --intent storage")
}

pub fn an_adapter_without_sriov() -> Vec<Code> {
    adapter(|_| AdapterSpec::e1000e(pf(), "ens1"))
}

pub fn a_port_without_acs() -> Vec<Code> {
    let igb = AdapterSpec::igb(pf(), "ens1");
    on(&boot(Tree::new().port(port().acs(false).adapter(igb))))
}

pub fn vfs_in_one_group() -> Vec<Code> {
    let igb = AdapterSpec::igb(pf(), "ens1").vfs(2);
    on(&boot(Tree::new().port(port().acs(false).adapter(igb))))
}

pub fn no_driver_bound() -> Vec<Code> {
    adapter(AdapterSpec::unbound)
}

pub fn vfs_past_the_last_bus() -> Vec<Code> {
    adapter(|igb| igb.sriov(|sriov| sriov.offset = 512))
}

pub fn an_old_kernel() -> Vec<Code> {
    on(&machine(|machine| machine.kernel = "5.13.19".to_owned()))
}

pub fn a_locked_down_kernel() -> Vec<Code> {
    on(&machine(|machine| {
        machine.lockdown = Some("none [integrity] confidentiality".to_owned());
    }))
}

pub fn no_kvm() -> Vec<Code> {
    on(&machine(|machine| machine.kvm = false))
}

pub fn no_vfio() -> Vec<Code> {
    let node = machine(|machine| machine.modules.clear());
    std::fs::remove_dir_all(node.folder.path().join("lib/modules")).expect("no modules");
    on(&node)
}

pub fn no_libvirt() -> Vec<Code> {
    let mut node = node(|igb| igb);
    node.host.libvirt.answer = Err(LibvirtError::NotInstalled {
        words: "libvirt.so.0: cannot open shared object file".to_owned(),
    });
    on(&node)
}

fn with_versions(libvirt: Version, qemu: Version) -> Vec<Code> {
    let mut node = node(|igb| igb);
    node.host.libvirt.answer = Ok(Reading {
        versions: Versions {
            libvirt,
            qemu: Some(qemu),
        },
        domains: Ok(Domains::default()),
    });
    on(&node)
}

pub fn an_old_libvirt_and_qemu() -> Vec<Code> {
    with_versions(Version::new(7, 0, 0), Version::new(4, 1, 1))
}

pub fn a_libvirt_that_crashes() -> Vec<Code> {
    with_versions(Version::new(12, 1, 0), Version::new(10, 0, 3))
}

pub fn a_firewall_that_drops(rules: &str) -> Vec<Code> {
    let node = node(|igb| igb);
    node.host.kernel.load_br_netfilter().expect("loaded");
    node.host.kernel.drop_forwarded(rules).expect("rules");
    on(&node)
}

pub fn no_qemu() -> Vec<Code> {
    let mut node = node(|igb| igb);
    node.host.libvirt.qemu = None;
    if let Ok(reading) = &mut node.host.libvirt.answer {
        reading.versions.qemu = None;
    }
    on(&node)
}

pub fn a_total_that_cannot_be_read() -> Vec<Code> {
    let node = node(|igb| igb);
    let device = node
        .folder
        .path()
        .join(format!("sys/bus/pci/devices/{}", pf()));
    std::fs::write(device.join("sriov_totalvfs"), "many\n").expect("nonsense");
    on(&node)
}

pub fn vf_bars_without_an_address() -> Vec<Code> {
    adapter(|igb| igb.sriov(|sriov| sriov.bars_assigned = false))
}

pub fn a_total_of_zero() -> Vec<Code> {
    adapter(|igb| igb.sriov(|sriov| sriov.total_vfs = 0))
}

pub fn a_model_off_record() -> Vec<Code> {
    adapter(|igb| AdapterSpec {
        ids: (0x1234, 0x5678),
        ..igb
    })
}

pub fn an_adapter_that_is_down() -> Vec<Code> {
    adapter(|igb| AdapterSpec { up: false, ..igb })
}

pub fn an_adapter_in_infiniband_mode() -> Vec<Code> {
    adapter(|igb| AdapterSpec {
        link_type: 32,
        ..igb
    })
}

pub fn a_vf_in_a_guest() -> Vec<Code> {
    adapter(|igb| AdapterSpec {
        ids: (0x8086, 0x10ca),
        sriov: None,
        ..igb
    })
}

pub fn groups_that_a_parameter_forces() -> Vec<Code> {
    on(&machine(|machine| {
        machine.command_line = "ro pcie_acs_override=downstream".to_owned();
    }))
}

pub fn vfs_of_which_some_lie_past_the_last_bus() -> Vec<Code> {
    adapter(|igb| igb.sriov(|sriov| sriov.offset = 504))
}

pub fn a_hook_that_selinux_confines() -> Vec<Code> {
    let node = node(|igb| igb);
    let root = node.folder.path();
    let hooks = root.join("etc/libvirt/hooks");
    std::fs::create_dir_all(&hooks).expect("a folder");
    let program = std::path::Path::new("/usr/local/bin/accelnet");
    accelnet_host::hook::install(&hooks, program).expect("installed");
    let booleans = root.join("sys/fs/selinux/booleans");
    std::fs::create_dir_all(&booleans).expect("a folder");
    std::fs::write(booleans.join("virt_hooks_unconfined"), "0 0").expect("written");
    std::fs::write(root.join("sys/fs/selinux/enforce"), "1").expect("written");
    on(&node)
}
