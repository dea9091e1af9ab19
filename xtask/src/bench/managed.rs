//! A node of the lab with an agent: a running VM gets its VF, beside libvirt's own command; and
//! what the agent costs while nothing happens.

use std::path::Path;
use std::time::Duration;

use accelnet_lab::{Guest, Node, Vm, topologies};

use super::limit::Limit;
use super::node::{LIBVIRT, times};
use super::row::Row;
use crate::error::Error;

/// What a node runs to measure.
const SCRIPT: &str = include_str!("managed.py");
/// Two changes there and back, each followed by rest, where there is no KVM.
const ROUND: Duration = Duration::from_secs(180);
/// Until the guests of five VMs drive their VFs.
const FIVE: Duration = Duration::from_secs(1200);
/// The agent's first answer.
const AGENT: Duration = Duration::from_secs(120);
/// libvirt's own command for the same VF.
const VF: &str = "<interface type='network'><mac address='MAC'/><source network='accelnet-lan-vf'/>\
    <teaming type='transient' persistent='ua-mine'/><alias name='ua-its-vf'/></interface>";
/// The vNIC of a VM on the intent's switch.
const VNIC: &str = "<interface type='network'><mac address='MAC'/><source network='accelnet-lan'/>\
    <model type='virtio'/></interface>";
/// VMs whose guests drive their VFs while the agent has nothing to do.
const OTHERS: [&str; 4] = ["small1", "small2", "small3", "small4"];

/// Boots a node and measures in it. `idle` seconds long nothing happens.
pub fn measure(accelnet: &Path, rounds: u32, idle: u32) -> Result<(Row, Vec<Limit>), Error> {
    let node = Node::boot_with(&topologies::igb_acs(), &[accelnet.to_owned()])?;
    node.wait_until("libvirt", "virsh version", LIBVIRT)?;
    let script = node.share().join("managed.py");
    std::fs::write(&script, SCRIPT).map_err(|source| Error::File {
        path: script,
        source,
    })?;
    node.check(
        "start the agent",
        "modprobe -a vfio-pci bridge tun && accelnet setup && ip link set pf0 up",
    )?;
    node.wait_until("the agent", "accelnet status", AGENT)?;
    node.check(
        "enable management",
        // The emulated adapter echoes broadcasts, from which the bridge would learn wrongly.
        "accelnet intent add lan --compute --adapter pf0 && \
         bridge link set dev pf0 learning off && accelnet enable --intent lan",
    )?;
    Vm::start_on_bridge(&node, "web01", "acn-lan", Some("ua-mine"))?;
    let by_hand = Vm::start_on_bridge(&node, "byhand", "acn-lan", Some("ua-mine"))?;
    let vf = VF.replace("MAC", &by_hand.mac());
    node.check("describe a VF", &format!("echo \"{vf}\" > /run/vf.xml"))?;
    for name in OTHERS {
        let guest = Guest {
            interfaces: VNIC,
            ..Guest::default()
        };
        Vm::define_guest(&node, name, &guest)?;
    }
    let script = format!(
        "python3 /host/managed.py {rounds} {idle} \
         $(systemctl show --property MainPID --value accelnet)"
    );
    let within = ROUND * (rounds + 1) + FIVE + Duration::from_secs(idle.into());
    let measured = node.run_within(&script, within);
    if !measured.success() {
        return Err(Error::Bench(measured.to_string()));
    }
    let lines = measured.stdout;
    let row = Row {
        place: "lab, a VM that runs".to_owned(),
        ours: "accelnet vm enable",
        theirs: "virsh attach-device --live",
        our_times: times(&lines, "vm-enable", "ours")?,
        their_times: times(&lines, "vm-enable", "theirs")?,
    };
    let mut limits = vec![Limit {
        what: "accelnet vm enable of a VM that runs: its time by that of virsh attach-device"
            .to_owned(),
        found: row.ratio(),
        most: Some(1.15),
        unit: "",
    }];
    limits.extend(at_rest(&lines)?);
    node.shutdown()?;
    Ok((row, limits))
}

/// What the agent cost while nothing happened.
fn at_rest(lines: &str) -> Result<[Limit; 4], Error> {
    let value = |name: &str| {
        let mut found = lines.lines().filter_map(|line| {
            let value = line.strip_prefix("idle ")?.strip_prefix(name)?;
            value.strip_prefix(' ')?.parse::<f64>().ok()
        });
        let missing = || Error::Bench(format!("idle {name}: no value"));
        found.next().ok_or_else(missing)
    };
    let agent = "the idle agent in the lab, 7 VFs, 5 VMs with VFs";
    let seconds = value("seconds")?;
    Ok([
        Limit {
            what: format!(
                "{agent}: resident memory ({:.1} MiB its own, {:.1} MiB of files; {:.1} MiB \
                 when what others map, too, is shared out)",
                value("RssAnon")?,
                value("RssFile")?,
                value("Pss")?
            ),
            found: value("VmRSS")?,
            most: Some(20.0),
            unit: " MiB",
        },
        Limit {
            what: format!("{agent}: share of one CPU over {seconds:.0} s"),
            found: value("cpu")?,
            most: Some(0.1),
            unit: " %",
        },
        Limit {
            what: format!(
                "{agent}: how often the busiest of its own threads woke over {seconds:.0} s, for \
                 each 30 s"
            ),
            found: value("wakes")? / seconds * 30.0,
            most: Some(1.0),
            unit: "",
        },
        Limit {
            what: format!(
                "{agent}: how often libvirt's thread in it woke, which libvirt's daemon asks every \
                 5 s whether it is there"
            ),
            found: value("asked")? / seconds * 30.0,
            most: None,
            unit: "",
        },
    ])
}
