//! The QEMU command line of a topology.

use std::path::{Path, PathBuf};

use crate::artifacts::Artifacts;
use crate::topology::{Adapter, Below, Nic, Topology};

/// The files of one running node, all in one folder with a short path (socket names are limited).
pub(crate) struct Files<'a> {
    pub dir: &'a Path,
}

impl Files<'_> {
    pub fn console(&self) -> PathBuf {
        self.dir.join("console")
    }
    pub fn qmp(&self) -> PathBuf {
        self.dir.join("qmp")
    }
    pub fn log(&self) -> PathBuf {
        self.dir.join("qemu.log")
    }
    pub fn share(&self) -> PathBuf {
        self.dir.join("share")
    }
    pub fn ssh(&self) -> PathBuf {
        self.dir.join("ssh")
    }
    /// The disk of programs, where it has some.
    pub fn programs(&self) -> PathBuf {
        self.dir.join("programs")
    }
    /// The node's own disk, where it keeps one.
    pub fn disk(&self) -> PathBuf {
        self.dir.join("disk.qcow2")
    }
}

/// Where a node stands among others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seat {
    /// Its number; 0 when it is alone.
    pub number: u8,
    /// The socket of its port on the wire, for `pf0`. A node on a wire keeps its disk when QEMU ends.
    pub wire: Option<PathBuf>,
}

pub(crate) const PROGRAM: &str = "qemu-system-x86_64";

/// All arguments for booting `topology` from `artifacts`.
pub(crate) fn arguments(
    topology: &Topology,
    artifacts: &Artifacts,
    files: &Files<'_>,
    machine_id: &str,
    seat: &Seat,
) -> Vec<String> {
    let cpus = topology.cpus;
    let total = cpus.sockets * cpus.cores * cpus.threads;
    let mut args: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| args.extend(words.iter().map(|&word| word.to_owned()));

    add(&["-name", &topology.name, "-machine", "q35"]);
    add(processor(topology));
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
            "console=ttyS0 quiet 8250.nr_uarts=1 audit=0 root=/dev/vda rw intel_iommu=on iommu=pt panic=-1 net.ifnames=0 mitigations=off no_timer_check \
             systemd.show_status=auto systemd.machine_id={machine_id} systemd.hostname={}",
            topology.name
        ),
    ]);
    if topology.iommu {
        add(&["-device", "intel-iommu,intremap=on,caching-mode=on"]);
    }
    // A node alone writes into an unnamed overlay, which is gone when QEMU is.
    let disk = match seat.wire {
        None => format!("file={},format=raw,snapshot=on", text(&artifacts.disk())),
        Some(_) => format!("file={},format=qcow2,cache=unsafe", text(&files.disk())),
    };
    add(&[
        "-drive",
        &format!("{disk},if=none,id=disk"),
        "-device",
        "virtio-blk-pci,drive=disk",
    ]);
    // Host port 0: the system chooses a free one, and QEMU shows which.
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
    if files.programs().exists() {
        let drive = text(&files.programs());
        args.extend(
            [
                "-drive",
                &format!("file={drive},format=raw,readonly=on,if=none,id=programs"),
                "-device",
                "virtio-blk-pci,drive=programs",
            ]
            .map(str::to_owned),
        );
    }
    if topology.one_wire {
        // Without `restrict` the network answers pings for stations that are on the wire.
        args.extend(
            [
                "-netdev",
                "user,id=outside,restrict=on",
                "-netdev",
                "hubport,id=beyond,hubid=1,netdev=outside",
            ]
            .map(str::to_owned),
        );
    }
    args.extend(ports(topology, seat));
    args
}

/// How the node's processor is emulated. QEMU counts instructions on one thread only.
fn processor(topology: &Topology) -> &'static [&'static str] {
    const CPU: &str = "max,la57=off";
    match topology.counts {
        false => &["-accel", "tcg,thread=multi,tb-size=256", "-cpu", CPU],
        true => &[
            "-accel",
            "tcg,thread=single,tb-size=256",
            "-icount",
            "shift=0",
            "-cpu",
            CPU,
        ],
    }
}

fn ports(topology: &Topology, seat: &Seat) -> Vec<String> {
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
        args.extend(nic(number, bus, *adapter, topology.one_wire, seat));
    }
    args
}

/// An adapter `nicN` on the network `netN`; the last byte of its MAC is what the node names it by, the
/// byte before it is the node's.
fn nic(number: usize, bus: &str, adapter: Adapter, hub: bool, seat: &Seat) -> [String; 4] {
    let model = match adapter.nic {
        Nic::Igb => "igb",
        Nic::E1000e => "e1000e",
    };
    let network = match &seat.wire {
        Some(socket) if number == 0 => format!(
            "stream,id=net{number},server=off,addr.type=unix,addr.path={},reconnect-ms=500",
            text(socket)
        ),
        _ if hub => format!("hubport,id=net{number},hubid=1"),
        _ => format!("user,id=net{number}"),
    };
    [
        "-netdev".to_owned(),
        network,
        "-device".to_owned(),
        format!(
            "{model},id=nic{number},bus={bus},netdev=net{number},mac=52:54:00:aa:{:02x}:{number:02x},romfile=",
            seat.number
        ),
    ]
}

/// QEMU reads a comma as the end of a value; doubled, it stands for itself.
fn text(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topologies;

    fn devices(topology: &Topology, model: &str) -> Vec<String> {
        ports(topology, &Seat::default())
            .into_iter()
            .filter(|word| word.starts_with(model))
            .collect()
    }

    #[test]
    fn a_port_loses_acs_only_where_the_topology_removes_it() {
        let ports = devices(&topologies::two_adapters(), "pcie-root-port");
        assert!(
            ports[0].contains("id=rp1") && ports[0].ends_with("disable-acs=off"),
            "{ports:?}"
        );
        assert!(
            ports[1].contains("id=rp2") && ports[1].ends_with("disable-acs=on"),
            "{ports:?}"
        );
    }

    #[test]
    fn adapters_below_a_switch_stand_in_ports_of_their_own() {
        let nics = devices(&topologies::switch(), "igb");
        assert!(
            nics[0].contains("bus=rp1-down0") && nics[0].contains("52:54:00:aa:00:00"),
            "{nics:?}"
        );
        assert!(
            nics[1].contains("bus=rp1-down1") && nics[1].contains("52:54:00:aa:00:01"),
            "{nics:?}"
        );
    }

    #[test]
    fn time_passes_with_instructions_only_where_that_was_asked_for() {
        let plain = processor(&topologies::igb_acs());
        assert!(!plain.contains(&"-icount"), "{plain:?}");
        let counting = processor(&topologies::igb_acs().counting_instructions());
        assert!(counting.contains(&"-icount"), "{counting:?}");
        assert!(counting[1].contains("thread=single"), "{counting:?}");
    }

    #[test]
    fn no_two_ports_have_the_same_slot() {
        for topology in topologies::list() {
            let ports = ["pcie-root-port", "xio3130"]
                .map(|model| devices(&topology, model))
                .concat();
            let mut slots: Vec<&str> = ports
                .iter()
                .filter_map(|port| port.split([',', '=']).nth(6))
                .collect();
            let all = slots.len();
            slots.sort_unstable();
            slots.dedup();
            assert_eq!(slots.len(), all, "{}: {ports:?}", topology.name());
        }
    }
}
