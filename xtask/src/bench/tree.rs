//! `node show` on nodes that never existed, beside `lspci` on the same tree.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use accelnet_model::Mac;
use accelnet_model::link::{Link, LinkType};
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};
use accelnet_netlink::encode;
use accelnet_sim::Tree;

use super::measure::in_turns;
use super::namespace::Namespace;
use super::row::Row;
use crate::error::Error;
use crate::run::program;

/// Adapters and VFs on each.
const SIZES: [(u8, u16); 2] = [(8, 64), (1, 256)];
/// What is compared.
const OURS: &str = "accelnet node show --output json";
const THEIRS: &str = "lspci -vv, ip -j link show";
/// Where Debian keeps the names of vendors and devices.
const NAMES: &str = "usr/share/misc/pci.ids";

/// A node below a folder.
#[derive(Debug)]
struct Node {
    adapters: u8,
    vfs: u16,
    folder: tempfile::TempDir,
}

/// Times both sides on every size.
pub fn measure(accelnet: &Path, rounds: u32) -> Result<Vec<Row>, Error> {
    let one = |(adapters, vfs)| Node::make(adapters, vfs)?.measure(accelnet, rounds);
    // In a thread of their own, which can go into another network namespace.
    let all = || SIZES.into_iter().map(one).collect();
    std::thread::scope(|scope| {
        let thread = scope.spawn(all);
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

impl Node {
    fn make(adapters: u8, vfs: u16) -> Result<Node, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        let folder = tempfile::tempdir().map_err(failed(&std::env::temp_dir()))?;
        let root = folder.path();
        let tree = Tree::of_size(adapters, vfs);
        tree.write(root).map_err(failed(root))?;
        finish(root, vfs).map_err(failed(root))?;
        Ok(Node {
            adapters,
            vfs,
            folder,
        })
    }

    fn measure(&self, accelnet: &Path, rounds: u32) -> Result<Row, Error> {
        let namespace = Namespace::enter(self.adapters.into());
        if namespace.is_none() {
            eprintln!("not root: ip shows the links of this machine");
        }
        self.check(accelnet)?;
        let ip = || {
            let mut ip = program("ip");
            ip.args(["-j", "link", "show"]);
            ip
        };
        let (our_times, their_times) = in_turns(
            rounds,
            &mut [self.ours(accelnet)],
            &mut [self.lspci(), ip()],
        )?;
        let place = match self.adapters {
            1 => format!("1 adapter x {} VFs", self.vfs),
            adapters => format!("{adapters} adapters x {} VFs", self.vfs),
        };
        Ok(Row {
            place,
            ours: OURS,
            theirs: THEIRS,
            our_times,
            their_times,
        })
    }

    fn ours(&self, accelnet: &Path) -> Command {
        let mut ours = program(accelnet);
        ours.arg("--root").arg(self.folder.path());
        ours.args(["node", "show", "--output", "json"]);
        ours
    }

    fn lspci(&self) -> Command {
        let root = self.folder.path();
        let mut lspci = program("lspci");
        let place = format!("sysfs.path={}", root.join("sys/bus/pci").display());
        lspci
            .args(["-vv", "-O", &place, "-i"])
            .arg(root.join(NAMES));
        lspci
    }

    /// Both sides have seen every VF, and ours its settings: how quickly less is read shows
    /// nothing.
    fn check(&self, accelnet: &Path) -> Result<(), Error> {
        let made = usize::from(self.adapters) * usize::from(self.vfs);
        let answer = output(&mut self.ours(accelnet))?;
        let ours = ObservedVfs::by_accelnet(&answer);
        if ours != Some(ObservedVfs::all(made)) {
            let said = format!("accelnet: {ours:?} of {made} VFs");
            return Err(Error::Bench(said));
        }
        let listed = output(&mut self.lspci())?;
        let listed = String::from_utf8_lossy(&listed);
        let functions = listed.lines().filter(|line| line.contains("MSI-X: Enable"));
        // The adapters themselves have MSI-X as well; ports have not.
        let wanted = made + usize::from(self.adapters);
        match functions.count() {
            seen if seen == wanted => Ok(()),
            seen => Err(Error::Bench(format!("lspci: {seen} of {wanted} functions"))),
        }
    }
}

/// How many VFs an answer has whole.
#[derive(Debug, PartialEq, Eq)]
struct ObservedVfs {
    with_settings: usize,
    with_group: usize,
    with_vectors: usize,
}

impl ObservedVfs {
    fn all(made: usize) -> ObservedVfs {
        ObservedVfs {
            with_settings: made,
            with_group: made,
            with_vectors: made,
        }
    }

    fn by_accelnet(json: &[u8]) -> Option<ObservedVfs> {
        let node: accelnet_model::Node = serde_json::from_slice(json).ok()?;
        let adapters = node.adapters.known()?;
        let vfs = || adapters.iter().flat_map(|adapter| &adapter.vfs);
        Some(ObservedVfs {
            with_settings: vfs()
                .filter(|vf| Some(&settings(vf.index)) == vf.settings.known())
                .count(),
            with_group: vfs()
                .filter(|vf| vf.iommu_group.present().is_some())
                .count(),
            with_vectors: vfs()
                .filter(|vf| vf.msix_vectors.present().is_some())
                .count(),
        })
    }
}

/// Completes a tree: what the kernel answers about VFs, and files that only lspci needs.
fn finish(root: &Path, vfs: u16) -> io::Result<()> {
    let devices = root.join("sys/bus/pci/devices");
    for entry in fs::read_dir(devices)? {
        let device = entry?.path();
        fs::write(device.join("irq"), "0\n")?;
        let resource = device.join("resource");
        if !resource.exists() {
            fs::write(
                resource,
                format!("{0:#018x} {0:#018x} {0:#018x}\n", 0).repeat(13),
            )?;
        }
    }
    let recorded = root.join("run/accelnet/recorded");
    fs::create_dir_all(&recorded)?;
    let settings: Vec<VfSettings> = (0..vfs.into()).map(settings).collect();
    for (place, entry) in fs::read_dir(root.join("sys/class/net"))?.enumerate() {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let answer = encode::link_answer(&link(&name, place, vfs), &settings, false);
        fs::write(recorded.join(format!("{name}.netlink")), answer)?;
    }
    // Names are looked up in a file of its real size, where this machine has it.
    let names = Path::new("/").join(NAMES);
    match names.exists() {
        true => fs::copy(names, root.join(NAMES)).map(drop),
        false => Ok(()),
    }
}

fn link(name: &str, place: usize, vfs: u16) -> Link {
    Link {
        index: u32::try_from(place).unwrap_or_default() + 1,
        name: name.to_owned(),
        link_type: LinkType::Ether,
        alt_names: Vec::new(),
        mac: None,
        permanent_mac: None,
        mtu: 1_500,
        up: true,
        carrier: true,
        master: None,
        kind: None,
        parent: None,
        vf_count: Some(vfs.into()),
        bond: None,
    }
}

/// No two VFs have the same.
fn settings(index: u32) -> VfSettings {
    let [_, _, high, low] = index.to_be_bytes();
    VfSettings {
        index,
        mac: Mac([0x52, 0x54, 0, 0, high, low]),
        vlan: 100 + u16::from(low),
        qos: low % 8,
        vlan_protocol: VlanProtocol::Dot1Q,
        max_tx_rate: 1_000 + index,
        min_tx_rate: index,
        spoof_check: Some(index.is_multiple_of(2)),
        trust: Some(index.is_multiple_of(3)),
        link_state: Some(VfLinkState::Auto),
        rss_query: Some(false),
    }
}

fn output(command: &mut Command) -> Result<Vec<u8>, Error> {
    let answer = command.output().map_err(|source| Error::NotStarted {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    Ok(answer.stdout)
}
