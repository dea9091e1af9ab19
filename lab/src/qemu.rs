//! The QEMU command line of a topology.

use std::path::Path;

use crate::image::Artifacts;
use crate::topology::{Adapter, Below, Nic, Topology};

/// The files of one running node, all in one folder with a short path (socket names are limited).
pub(crate) struct Files<'a> {
    pub dir: &'a Path,
}

impl Files<'_> {
    pub fn console(&self) -> std::path::PathBuf {
        self.dir.join("console")
    }
    pub fn qmp(&self) -> std::path::PathBuf {
        self.dir.join("qmp")
    }
    pub fn log(&self) -> std::path::PathBuf {
        self.dir.join("qemu.log")
    }
    pub fn share(&self) -> std::path::PathBuf {
        self.dir.join("share")
    }
    pub fn ssh(&self) -> std::path::PathBuf {
        self.dir.join("ssh")
    }
}

/// The QEMU program.
pub(crate) const PROGRAM: &str = "qemu-system-x86_64";

/// All arguments for booting `topology` from `artifacts`.
pub(crate) fn arguments(
    topology: &Topology,
    artifacts: &Artifacts,
    files: &Files<'_>,
    machine_id: &str,
) -> Vec<String> {
    let cpus = topology.cpus;
    let total = cpus.sockets * cpus.cores * cpus.threads;
    let mut args: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| args.extend(words.iter().map(|&word| word.to_owned()));

    add(&["-name", &topology.name, "-machine", "q35"]);
    add(&[
        "-accel",
        "tcg,thread=multi,tb-size=256",
        "-cpu",
        "max,la57=off",
    ]);
    add(&[
        "-smp",
        &format!(
            "{total},sockets={},cores={},threads={}",
            cpus.sockets, cpus.cores, cpus.threads
        ),
    ]);
    add(&["-m", &format!("{}M", topology.memory_mib)]);
    add(&["-display", "none", "-vga", "none", "-no-reboot"]);
    add(&[
        "-kernel",
        &text(&artifacts.kernel()),
        "-initrd",
        &text(&artifacts.initrd()),
    ]);
    add(&[
        "-append",
        &format!(
            "console=ttyS0 quiet 8250.nr_uarts=1 audit=0 root=/dev/vda rw intel_iommu=on iommu=pt panic=-1 net.ifnames=0 mitigations=off \
             systemd.show_status=auto systemd.machine_id={machine_id} systemd.hostname={}",
            topology.name
        ),
    ]);
    if topology.iommu {
        add(&["-device", "intel-iommu,intremap=on,caching-mode=on"]);
    }
    // Every node writes into its own unnamed overlay, which is gone when QEMU is.
    add(&[
        "-drive",
        &format!(
            "file={},format=raw,if=none,id=disk,snapshot=on",
            text(&artifacts.disk())
        ),
        "-device",
        "virtio-blk-pci,drive=disk",
    ]);
    // Host port 0: the system chooses a free one, and QEMU tells which.
    add(&[
        "-netdev",
        "user,id=mgmt,net=192.168.76.0/24,hostfwd=tcp:127.0.0.1:0-:22",
        "-device",
        "virtio-net-pci,netdev=mgmt,mac=52:54:00:00:00:01,romfile=",
    ]);
    add(&["-device", "virtio-rng-pci"]);
    add(&[
        "-fsdev",
        &format!(
            "local,id=host,path={},security_model=none",
            text(&files.share())
        ),
        "-device",
        "virtio-9p-pci,fsdev=host,mount_tag=host",
    ]);
    add(&["-serial", &format!("file:{}", text(&files.console()))]);
    add(&[
        "-qmp",
        &format!("unix:{},server=on,wait=off", text(&files.qmp())),
    ]);
    args.extend(ports(topology));
    args
}

fn ports(topology: &Topology) -> Vec<String> {
    let mut args = Vec::new();
    let mut device = |text: String| args.extend(["-device".to_owned(), text]);
    let mut adapters = Vec::new();
    let mut slot = 0;
    for port in &topology.ports {
        slot += 1;
        let acs = if port.acs { "off" } else { "on" };
        device(format!(
            "pcie-root-port,id={0},bus=pcie.0,chassis={slot},slot={slot},disable-acs={acs}",
            port.name
        ));
        match &port.below {
            Below::Nothing => {}
            Below::Adapter(adapter) => adapters.push((port.name.clone(), *adapter)),
            Below::Switch(below) => {
                let upstream = format!("{}-up", port.name);
                device(format!("x3130-upstream,id={upstream},bus={}", port.name));
                for (number, adapter) in below.iter().enumerate() {
                    slot += 1;
                    let downstream = format!("{}-down{number}", port.name);
                    device(format!(
                        "xio3130-downstream,id={downstream},bus={upstream},chassis={slot},slot={slot}"
                    ));
                    adapters.push((downstream, *adapter));
                }
            }
        }
    }
    for (number, (bus, adapter)) in adapters.iter().enumerate() {
        args.extend(nic(number, bus, *adapter));
    }
    args
}

/// An adapter `nicN` on the network `netN`; the last byte of its MAC is what the node names it by.
fn nic(number: usize, bus: &str, adapter: Adapter) -> [String; 4] {
    let model = match adapter.nic {
        Nic::Igb => "igb",
        Nic::E1000e => "e1000e",
    };
    [
        "-netdev".to_owned(),
        format!("user,id=net{number}"),
        "-device".to_owned(),
        format!(
            "{model},id=nic{number},bus={bus},netdev=net{number},mac=52:54:00:aa:00:{number:02x},romfile="
        ),
    ]
}

/// QEMU reads a comma as the end of a value; doubled, it stands for itself.
fn text(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}
