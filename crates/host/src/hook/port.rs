//! One port, created or deleted.

use std::io;

use accelnet_libvirt::xml::Port;
use accelnet_model::hook_config::{HookConfig, VfOutcome};
use accelnet_model::link::Link;
use accelnet_model::vf::VfSettings;
use accelnet_model::{Mac, PciAddress, VfChange, VfSecurity};
use accelnet_rules::vf_settings::{self, Target};

use super::Edge;
use super::files::Files;

/// What libvirt did with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It chose a VF for it. Also reported about running VMs' ports when libvirt restarts.
    Created,
    /// It took the port away; the VF is back on the host.
    Deleted,
}

impl Operation {
    /// From libvirt's word; none for what the hook does not care about.
    pub fn from_word(word: &str) -> Option<Self> {
        [Operation::Created, Operation::Deleted]
            .into_iter()
            .find(|operation| operation.word() == word)
    }

    /// libvirt's word.
    pub fn word(self) -> &'static str {
        match self {
            Operation::Created => "port-created",
            Operation::Deleted => "port-deleted",
        }
    }
}

/// A VF with all that is needed to change it.
struct Found {
    pf: PciAddress,
    link: Link,
    settings: VfSettings,
}

/// Does what is to be done when libvirt did `operation` with the port in `xml`, notes the
/// outcome for the agent, and answers what failed.
pub fn serve(edge: &Edge<'_>, operation: Operation, xml: &str) -> Vec<String> {
    let port = match Port::parse(xml) {
        Ok(port) => port,
        Err(error) => return vec![format!("failed to read the port: {error}")],
    };
    let Some(vf) = port.vf else { return Vec::new() };
    let Some(files) = Files::of(edge.root, &port.owner) else {
        return vec![format!("{:?} is no UUID", port.owner)];
    };
    let mut outcome = VfOutcome {
        operation: operation.word().to_owned(),
        mac: port.mac,
        vf: Some(vf),
        pf: None,
        index: None,
        done: Vec::new(),
        failures: Vec::new(),
    };
    let config = match files.config() {
        Ok(config) => config.filter(|config| Some(config.mac) == port.mac),
        Err(words) => {
            outcome.failures.push(words);
            None
        }
    };
    let known = config.is_some() || !outcome.failures.is_empty() || was_set(&files, &port, vf);
    if !known {
        // The VM of another program.
        return Vec::new();
    }
    match find(edge, vf) {
        Ok(found) => {
            outcome.pf = Some(found.link.name.clone());
            outcome.index = Some(found.settings.index);
            act(
                edge,
                operation,
                &port,
                config.as_ref(),
                &found,
                &mut outcome,
            );
        }
        Err(words) => outcome.failures.push(words),
    }
    if let Err(error) = files.note(&outcome) {
        let words = format!("failed to note the outcome: {error}");
        outcome.failures.push(words);
    }
    outcome.failures
}

/// Whether the hook set this VF for this port.
fn was_set(files: &Files, port: &Port, vf: PciAddress) -> bool {
    let outcome = files.outcome().ok().flatten();
    outcome.is_some_and(|outcome| {
        let created = outcome.operation == Operation::Created.word();
        created && outcome.vf == Some(vf) && outcome.mac == port.mac
    })
}

fn act(
    edge: &Edge<'_>,
    operation: Operation,
    port: &Port,
    config: Option<&HookConfig>,
    found: &Found,
    outcome: &mut VfOutcome,
) {
    let Some(vf) = port.vf else { return };
    // libvirt may name a VF that another VM has, when its network was restarted meanwhile;
    // it finds out later, and takes the port back.
    if is_held(edge, vf) && Some(found.settings.mac) != port.mac {
        let words = format!("VF {vf} belongs to another VM and remains unchanged");
        outcome.failures.push(words);
        return;
    }
    let changes = match (operation, config) {
        (Operation::Created, Some(config)) => changes_to(config, port, found, outcome),
        (Operation::Created, None) => Vec::new(),
        (Operation::Deleted, _) => {
            vf_settings::cleared(Some(port.mac.unwrap_or(Mac::ZERO)), &found.settings)
        }
    };
    let (link, index) = (found.link.index, found.settings.index);
    for change in changes {
        match edge.links.set_vf(link, index, change) {
            Ok(remark) => {
                let remark = remark.map_or_else(String::new, |remark| format!(" ({remark})"));
                outcome.done.push(format!("{change}{remark}"));
            }
            Err(error) => outcome.failures.push(format!("failed to {error}")),
        }
    }
    if let Some(pairs) = config.and_then(|config| config.queue_pairs) {
        let vectors = match operation {
            Operation::Created => vf_settings::vectors(pairs),
            // The driver's own choice.
            Operation::Deleted => 0,
        };
        match set_vectors(edge, vf, vectors) {
            Ok(true) => outcome.done.push(format!("set {vectors} MSI-X vectors")),
            Ok(false) => {}
            Err(error) => {
                let words = format!("failed to set {vectors} MSI-X vectors: {error}");
                outcome.failures.push(words);
            }
        }
    }
}

/// What differs from the hook config. libvirt sets MAC and VLAN, from the interface's XML.
fn changes_to(
    config: &HookConfig,
    port: &Port,
    found: &Found,
    outcome: &mut VfOutcome,
) -> Vec<VfChange> {
    let tags = port.vlan.as_ref().map(|vlan| vlan.tags.as_slice());
    if config.vlan.is_some_and(|vlan| tags != Some(&[vlan])) {
        let words = "its VLAN is not in the interface's XML, from which libvirt sets it";
        outcome.failures.push(words.to_owned());
    }
    let target = Target {
        mac: None,
        vlan: None,
        rate: Some((config.min_tx_rate_mbps, config.max_tx_rate_of(found.pf))),
        security: VfSecurity {
            trust: config.trust,
            spoof_check: config.spoof_check,
        },
        assume_defaults: true,
    };
    vf_settings::changes(&target, &found.settings)
}

/// Finds the VF by its PF's folder in sysfs.
fn find(edge: &Edge<'_>, vf: PciAddress) -> Result<Found, String> {
    let root = edge.root;
    let pf = root.link_name(&format!("/sys/bus/pci/devices/{vf}/physfn"));
    let pf = pf.map_err(|error| format!("failed to find the PF of VF {vf}: {error}"))?;
    let pf = pf.ok_or_else(|| format!("{vf} is no VF"))?;
    let address = pf.parse().map_err(|_| format!("{pf} is no PF"))?;
    let folder = format!("/sys/bus/pci/devices/{pf}");
    let names = root.names(&folder).map_err(|error| error.to_string())?;
    let wanted = vf.to_string();
    let index = names.iter().find_map(|name| {
        let index = name.strip_prefix("virtfn")?.parse::<u32>().ok()?;
        let target = root.link_name(&format!("{folder}/{name}")).ok()??;
        (target == wanted).then_some(index)
    });
    let index = index.ok_or_else(|| format!("PF {pf} does not list VF {vf}"))?;
    let netdevs = root.names(&format!("{folder}/net"));
    let netdevs = netdevs.map_err(|error| format!("PF {pf} has no netdev: {error}"))?;
    let links = edge.links.links();
    let links = links.map_err(|error| format!("failed to {error}"))?;
    let link = links.into_iter().find(|link| netdevs.contains(&link.name));
    let link = link.ok_or_else(|| format!("PF {pf} has no netdev here"))?;
    let settings = edge.links.vf_settings(&link);
    let settings = settings.map_err(|error| format!("failed to {error}"))?;
    let settings = settings.into_iter().find(|one| one.index == index);
    match settings {
        Some(settings) => Ok(Found {
            pf: address,
            link,
            settings,
        }),
        None => Err(format!("the driver of {} reports no VF {index}", link.name)),
    }
}

/// Whether a process has the VF through vfio.
fn is_held(edge: &Edge<'_>, vf: PciAddress) -> bool {
    let folder = format!("/sys/bus/pci/devices/{vf}");
    let name = |link: &str| edge.root.link_name(&format!("{folder}/{link}")).ok()?;
    if name("driver").as_deref() != Some("vfio-pci") {
        return false;
    }
    let Some(group) = name("iommu_group") else {
        return false;
    };
    let held = edge.knobs.hold(&format!("/dev/vfio/{group}"));
    held.is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy)
}

/// Sets the number of MSI-X vectors of a VF; false where its driver has no control of it,
/// or the VF is in use and has its number already.
fn set_vectors(edge: &Edge<'_>, vf: PciAddress, vectors: u32) -> io::Result<bool> {
    let folder = format!("/sys/bus/pci/devices/{vf}");
    let knob = format!("{folder}/sriov_vf_msix_count");
    if !edge.root.exists(&knob) || edge.root.exists(&format!("{folder}/driver")) {
        return Ok(false);
    }
    std::fs::write(edge.root.locate(&knob), vectors.to_string()).map(|()| true)
}
