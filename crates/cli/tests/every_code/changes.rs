//! Changes and questions that do not go through.

use accelnet_model::{Code, PciAddress};
use accelnet_sim::{AdapterSpec, Fault, Port, Tree};

use crate::shown;
use crate::support::{boot, node, pf, port};

const ENABLE: &str = "accelnet adapter enable ens1";

/// Enabling with a fault.
fn with(fault: Fault) -> Vec<Code> {
    let node = node(|igb| igb);
    node.host.kernel.break_with(fault);
    shown(&node, ENABLE)
}

pub fn a_driver_that_refuses() -> Vec<Code> {
    with(Fault::Errno(22))
}

pub fn a_name_that_nobody_has() -> Vec<Code> {
    shown(&node(|igb| igb), "accelnet adapter show ens9")
}

pub fn a_mac_that_two_have() -> Vec<Code> {
    let other: PciAddress = "0000:03:00.0".parse().expect("an address");
    let below = Port::root("0000:00:02.0".parse().expect("an address"), 3, 4);
    let node = boot(
        Tree::new()
            .port(port().adapter(AdapterSpec::igb(pf(), "ens1")))
            .port(below.adapter(AdapterSpec::igb(other, "ens2"))),
    );
    for netdev in ["ens1", "ens2"] {
        let mac = node
            .folder
            .path()
            .join(format!("sys/class/net/{netdev}/address"));
        std::fs::write(mac, "52:54:00:00:00:07\n").expect("a MAC");
    }
    shown(&node, "accelnet adapter show 52:54:00:00:00:07")
}

pub fn an_ordinary_user() -> Vec<Code> {
    with(Fault::NotRoot)
}

pub fn a_vf_that_is_up() -> Vec<Code> {
    let node = node(|igb| igb.vfs(2));
    node.host.kernel.node().bring_up("ens1v1").expect("up");
    shown(&node, ENABLE)
}

pub fn a_process_that_cannot_be_looked_into() -> Vec<Code> {
    let node = node(|igb| igb.vfs(2));
    let bound = node.host.kernel.node().bind_vf(pf(), 0, "vfio-pci");
    bound.expect("bound to vfio");
    node.host
        .opaque_process(7, &["mystery"])
        .expect("a process");
    shown(&node, ENABLE)
}

pub fn more_than_there_are() -> Vec<Code> {
    shown(&node(|igb| igb), "accelnet adapter enable ens1 --vfs 8")
}

pub fn a_busy_kernel() -> Vec<Code> {
    with(Fault::Errno(16))
}

pub fn no_room() -> Vec<Code> {
    with(Fault::Errno(28))
}

pub fn fewer_than_asked() -> Vec<Code> {
    with(Fault::FewerThanAsked(1))
}

pub fn a_write_that_hangs() -> Vec<Code> {
    with(Fault::Hang)
}

pub fn a_vf_with_a_host_driver() -> Vec<Code> {
    with(Fault::HostDriver { vf: 0 })
}

pub fn an_adapter_that_vanishes() -> Vec<Code> {
    with(Fault::AdapterVanishes)
}

pub fn two_at_once() -> Vec<Code> {
    let node = node(|igb| igb);
    let host = node.host.host();
    let _held = host.knobs.lock(pf(), "another").expect("the lock is free");
    shown(&node, ENABLE)
}

pub fn an_id_that_is_no_code() -> Vec<Code> {
    shown(&node(|igb| igb), "accelnet explain missingacs")
}

fn installed(folder: &std::path::Path) -> Vec<Code> {
    let command = format!("accelnet cmdlets install --dir {}", folder.display());
    shown(&node(|igb| igb), &command)
}

pub fn a_file_with_the_name_of_a_cmdlet() -> Vec<Code> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("Get-VM"), "mine").expect("a file");
    let codes = installed(folder.path());
    let there = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(there, 1, "nothing else was changed");
    codes
}

pub fn a_folder_that_is_a_file() -> Vec<Code> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    installed(file.path())
}
