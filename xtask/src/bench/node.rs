//! A node of the lab: VFs made on a real kernel, beside the bare write; and read.

use std::path::Path;
use std::time::Duration;

use accelnet_lab::{Node, Topology, topologies};

use super::machine::first_line;
use super::row::{Row, Times};
use crate::error::Error;

/// What a node runs to time both sides.
const SCRIPT: &str = include_str!("node.py");
/// A round takes some seconds where there is no KVM.
const ROUND: Duration = Duration::from_secs(60);
/// libvirt's first answer.
pub const LIBVIRT: Duration = Duration::from_secs(240);

/// What was measured in a node.
#[derive(Debug)]
pub struct Measured {
    /// The comparisons.
    pub rows: Vec<Row>,
    /// What runs in the node.
    pub versions: Vec<(&'static str, String)>,
}

/// Boots two nodes, one after the other, and times both sides in each: as fast as it is emulated, and by
/// the instructions that it takes.
pub fn measure(accelnet: &Path, rounds: u32) -> Result<Measured, Error> {
    let plain = measure_in(&topologies::igb_acs(), "lab", accelnet, rounds)?;
    let counting = topologies::igb_acs().counting_instructions();
    let counted = measure_in(&counting, "lab, 1,000 MIPS", accelnet, rounds)?;
    Ok(Measured {
        rows: [plain.rows, counted.rows].concat(),
        versions: plain.versions,
    })
}

fn measure_in(
    topology: &Topology,
    place: &str,
    accelnet: &Path,
    rounds: u32,
) -> Result<Measured, Error> {
    let node = Node::boot_with(topology, &[accelnet.to_owned()])?;
    node.wait_until("libvirt", "virsh version", LIBVIRT)?;
    let script = node.share().join("node.py");
    std::fs::write(&script, SCRIPT).map_err(|source| Error::File {
        path: script,
        source,
    })?;
    node.check(
        "prepare the measurement",
        "ip link set pf0 up && modprobe vfio-pci && udevadm settle && sleep 5",
    )?;
    let script = format!("python3 /host/node.py accelnet {rounds}");
    let measured = node.run_within(&script, ROUND * (rounds + 1));
    if !measured.success() {
        return Err(Error::Bench(measured.to_string()));
    }
    let rows = COMPARISONS
        .iter()
        .map(|comparison| comparison.row(place, &measured.stdout));
    let rows = rows.collect::<Result<_, _>>()?;
    let ask = |script| -> Result<String, Error> {
        Ok(first_line(&node.check("tell its versions", script)?))
    };
    let versions = vec![
        ("kernel", ask("uname -r")?),
        ("iproute2", ask("ip -V")?),
        ("pciutils", ask("lspci --version")?),
    ];
    node.shutdown()?;
    Ok(Measured { rows, versions })
}

/// A comparison that the script makes.
struct Comparison {
    name: &'static str,
    ours: &'static str,
    theirs: &'static str,
}

const ENABLE: &str = "accelnet adapter enable pf0";
const BARE: &str = "the bare write of 7 to sriov_numvfs";

const COMPARISONS: [Comparison; 3] = [
    Comparison {
        name: "enable",
        ours: ENABLE,
        theirs: BARE,
    },
    Comparison {
        name: "first",
        ours: "the same, the first time since boot",
        theirs: BARE,
    },
    Comparison {
        name: "show",
        ours: "accelnet node show --output json",
        theirs: "lspci -vv, ip -j link show",
    },
];

impl Comparison {
    /// Finds its times among lines `NAME SIDE SECONDS`.
    fn row(&self, place: &str, lines: &str) -> Result<Row, Error> {
        Ok(Row {
            place: format!("{place}, 1 adapter x 7 VFs"),
            ours: self.ours,
            theirs: self.theirs,
            our_times: times(lines, self.name, "ours")?,
            their_times: times(lines, self.name, "theirs")?,
        })
    }
}

/// The times of one side among lines `NAME SIDE SECONDS`.
pub fn times(lines: &str, name: &str, side: &str) -> Result<Times, Error> {
    let words = lines
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    let own = words.filter_map(|words| match words[..] {
        [found, of, seconds] if (found, of) == (name, side) => seconds.parse().ok(),
        _ => None,
    });
    let times: Vec<Duration> = own.map(Duration::from_secs_f64).collect();
    match times.as_slice() {
        [] => Err(Error::Bench(format!("{name} {side}: no times"))),
        _ => Ok(Times(times)),
    }
}
