//! Whether a VF can be assigned alone: ACS on the way to the root, and IOMMU groups.
//!
//! Where there are IOMMU groups they are the answer, since the kernel made them from ACS
//! and its own knowledge of hardware; the bridges then give the reason. Without an IOMMU the
//! bridges' capabilities are all there is.

use std::collections::BTreeMap;

use accelnet_model::adapter::{Bridge, BridgeKind, IommuGroup};
use accelnet_model::check::Row;
use accelnet_model::{Adapter, Check, Code, Observed, PciAddress, Problem, Vf};

use super::surroundings::Surroundings;

/// Judges the way from the adapter to the root.
pub(super) fn acs(adapter: &Adapter, around: Surroundings<'_>, row: Row<'_>) -> Check {
    if let Observed::Known(Some(group)) = &adapter.iommu_group {
        let bridges = adapter.bridges.known().map_or(&[][..], Vec::as_slice);
        let weak = Weak::of(bridges);
        let found = match strangers(adapter, group).as_slice() {
            [] => passed_by_group(adapter, group, around.adapters, &weak),
            strangers => {
                return row.failed(problem(row, shared_words(group, strangers, &weak)));
            }
        };
        return match around.forced {
            None => row.passed(found),
            Some(parameter) => row.warned(Problem::new(
                Code::IommuGroupsForced,
                &[row.node],
                format!("{parameter} is on the kernel command line. {found}"),
            )),
        };
    }
    let bridges = match &adapter.bridges {
        Observed::Known(bridges) => bridges.as_slice(),
        Observed::Unknown(reason) => return row.unknown("the bridges above it", reason),
    };
    let weak = Weak::of(bridges);
    match (weak.lacking.as_slice(), weak.unknown.first()) {
        ([], Some(reason)) => row.unknown("ACS of the bridges above it", reason),
        ([], None) if around.has_groups => row.unknown(
            "the IOMMU group of the adapter",
            "It has none, although the node has an IOMMU.",
        ),
        ([], None) => row.passed(match bridges {
            [] => "The adapter is on the root bus; no bridge is above it.",
            _ => "Every port above the adapter has ACS; an enabled IOMMU switches ACS on.",
        }),
        (lacking, _) => row.failed(problem(row, lacking.join(" "))),
    }
}

/// Judges the groups of the VFs that are there, beside the VFs of the other adapters in `all`; no row without
/// VFs or without an IOMMU.
pub(super) fn groups(adapter: &Adapter, all: &[Adapter], row: Row<'_>) -> Option<Check> {
    let mut inside: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for vf in &adapter.vfs {
        match &vf.iommu_group {
            Observed::Known(Some(group)) => inside.entry(*group).or_default().push(vf.index),
            Observed::Known(None) => {}
            Observed::Unknown(reason) => {
                let what = format!("the IOMMU group of VF {}", vf.index);
                return Some(row.unknown(&what, reason));
            }
        }
    }
    if inside.is_empty() {
        return None;
    }
    let without = |vf: &&Vf| vf.iommu_group == Observed::Known(None);
    if let Some(vf) = adapter.vfs.iter().find(without) {
        let what = format!("the IOMMU group of VF {}", vf.index);
        return Some(row.unknown(&what, "It has none, unlike other VFs of the adapter."));
    }
    let own = adapter.iommu_group.present().map(|group| group.id);
    let shared = inside.iter().filter_map(|(group, vfs)| {
        let mut others: Vec<String> = match own == Some(*group) {
            true => vec!["the adapter itself".to_owned()],
            false => Vec::new(),
        };
        others.extend(vfs_of_others(adapter, all, *group));
        let is_shared = vfs.len() > 1 || !others.is_empty();
        is_shared.then(|| format!("Group {group} holds {}.", together(vfs, others)))
    });
    let shared: Vec<String> = shared.collect();
    Some(match shared.as_slice() {
        [] => row.passed("Every VF has its own IOMMU group."),
        shared => row.failed(Problem::new(
            Code::IommuGroupShared,
            &[row.subject],
            shared.join(" "),
        )),
    })
}

/// The VFs of other adapters in a group, each as "VF 3 of ens1f1".
fn vfs_of_others(adapter: &Adapter, all: &[Adapter], group: u32) -> Vec<String> {
    let others = all.iter().filter(|other| other.address != adapter.address);
    let vfs = others.flat_map(|other| other.vfs.iter().map(move |vf| (other, vf)));
    vfs.filter(|(_, vf)| vf.iommu_group.present() == Some(&group))
        .map(|(other, vf)| format!("VF {} of {}", vf.index, other.name()))
        .collect()
}

/// "VFs 0, 1 and 2", "VF 2 and the adapter itself".
fn together(vfs: &[u32], others: Vec<String>) -> String {
    let mut names: Vec<String> = vfs.iter().map(u32::to_string).collect();
    names.extend(others);
    let last = names.pop().unwrap_or_default();
    let kind = if vfs.len() == 1 { "VF" } else { "VFs" };
    match names.as_slice() {
        [] => format!("{kind} {last}"),
        names => format!("{kind} {} and {last}", names.join(", ")),
    }
}

/// The bridges that do not keep apart what lies below them, each in a sentence.
struct Weak {
    /// Without ACS, or without what isolation needs.
    lacking: Vec<String>,
    /// With ACS that is switched off.
    off: Vec<String>,
    /// Whose capabilities could not be read.
    unknown: Vec<String>,
}

impl Weak {
    fn of(bridges: &[Bridge]) -> Self {
        let mut weak = Weak {
            lacking: Vec::new(),
            off: Vec::new(),
            unknown: Vec::new(),
        };
        for bridge in bridges {
            let named = describe(bridge);
            match (&bridge.acs, needs_acs(bridge)) {
                (_, false) => {}
                (_, true) if bridge.kind == Observed::Known(BridgeKind::Conventional) => {
                    weak.lacking.push(format!("{named} cannot have ACS."));
                }
                (Observed::Known(None), true) => {
                    weak.lacking.push(format!("{named} has no ACS."));
                }
                (Observed::Known(Some(acs)), true) if !acs.isolates() => {
                    weak.off.push(format!("{named} has ACS switched off."));
                }
                (Observed::Known(Some(_)), true) => {}
                (Observed::Unknown(reason), true) => weak.unknown.push(reason.clone()),
            }
        }
        weak
    }
}

/// Upstream ports of a switch need ACS only as one of several functions, as the kernel has
/// it (`pci_acs_enabled` in `drivers/pci/pci.c`).
fn needs_acs(bridge: &Bridge) -> bool {
    bridge.kind != Observed::Known(BridgeKind::SwitchUpstream)
        || bridge.multifunction == Observed::Known(true)
}

fn describe(bridge: &Bridge) -> String {
    let kind = match bridge.kind.known() {
        Some(BridgeKind::RootPort) => "Root port",
        Some(BridgeKind::SwitchUpstream) => "Switch upstream port",
        Some(BridgeKind::SwitchDownstream) => "Switch downstream port",
        Some(BridgeKind::Conventional) => "Conventional PCI bridge",
        None => "Bridge",
    };
    format!("{kind} {}", bridge.address)
}

/// Members of the adapter's group that are neither functions of its own card nor its VFs.
fn strangers(adapter: &Adapter, group: &IommuGroup) -> Vec<PciAddress> {
    let is_own = |member: &PciAddress| {
        is_of_card(adapter, *member) || adapter.vfs.iter().any(|vf| vf.address == *member)
    };
    let mut members = group.members.clone();
    members.retain(|member| !is_own(member));
    members
}

/// Whether a function is one of the adapter's own card. Directly below a PCI Express port the bus is one card,
/// whose functions from 8 on have other device numbers (ARI, PCI Express section 6.13).
fn is_of_card(adapter: &Adapter, member: PciAddress) -> bool {
    let own = adapter.address;
    if (member.domain, member.bus) != (own.domain, own.bus) {
        return false;
    }
    let above = adapter.bridges.known().and_then(|bridges| bridges.first());
    let is_port = above.is_some_and(|bridge| {
        matches!(
            bridge.kind,
            Observed::Known(BridgeKind::RootPort | BridgeKind::SwitchDownstream)
        )
    });
    member.device == own.device || is_port
}

/// The other functions of its own card in the group, with their names.
fn siblings(adapter: &Adapter, group: &IommuGroup, all: &[Adapter]) -> Vec<String> {
    let others = group.members.iter().filter(|member| {
        **member != adapter.address && adapter.vfs.iter().all(|vf| vf.address != **member)
    });
    let name = |member: &PciAddress| {
        let known = all.iter().find(|one| one.address == *member);
        match known.map(Adapter::name) {
            Some(name) => format!("{member} ({name})"),
            None => member.to_string(),
        }
    };
    others.map(name).collect()
}

fn passed_by_group(adapter: &Adapter, group: &IommuGroup, all: &[Adapter], weak: &Weak) -> String {
    let siblings = siblings(adapter, group, all);
    let base = match siblings.as_slice() {
        [] => format!("IOMMU group {} contains only the adapter.", group.id),
        siblings => format!(
            "IOMMU group {} contains the adapter and {} of the same card.",
            group.id,
            siblings.join(", ")
        ),
    };
    match weak.lacking.as_slice() {
        [] => base,
        lacking => format!(
            "{base} {} The kernel treats it as isolated without ACS (a quirk).",
            lacking.join(" ")
        ),
    }
}

fn shared_words(group: &IommuGroup, strangers: &[PciAddress], weak: &Weak) -> String {
    let strangers: Vec<String> = strangers.iter().map(PciAddress::to_string).collect();
    let mut words = weak.lacking.clone();
    words.extend(weak.off.iter().cloned());
    words.push(format!(
        "IOMMU group {} contains the adapter and {}.",
        group.id,
        strangers.join(", ")
    ));
    words.join(" ")
}

fn problem(row: Row<'_>, found: String) -> Problem {
    Problem::new(Code::SriovMissingAcs, &[row.subject], found)
}
