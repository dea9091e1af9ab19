//! Adapters in words: the list, and one whole.

use accelnet_model::adapter::{Acs, Bridge, BridgeKind, PcieLink, PcieRate, Sriov, Support, VfBar};
use accelnet_model::link::Interface;
use accelnet_model::vf::{Vf, VfLinkState, VfSettings, VlanProtocol};
use accelnet_model::{Adapter, Code, Node, Observed};
use accelnet_rules::prereq;
use serde::{Deserialize, Serialize};

use super::table::{Table, Tone, painted, pairs};
use super::{shown, shown_or};

/// A line of the list. Its JSON is part of the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdapterSummary {
    /// Its name.
    pub name: String,
    /// Its PCI address.
    pub address: String,
    /// Vendor and device.
    pub model: String,
    /// Bound driver.
    pub driver: Observed<Option<String>>,
    /// Whether it is up and has carrier; none without a netdev.
    pub link: Option<bool>,
    /// Whether its VFs can be given to VMs.
    pub supported: bool,
    /// Why not: the codes of the checks that it does not pass.
    pub reasons: Vec<Code>,
    /// VFs that it can give.
    pub vfs_total: Observed<u32>,
    /// VFs that are there.
    pub vfs: u32,
    /// VFs of which somebody is known to use them.
    pub vfs_in_use: u32,
    /// VFs of which it cannot be told.
    pub vfs_in_doubt: u32,
    /// Queue pairs that the adapter itself uses.
    pub queue_pairs: Observed<Option<u32>>,
    /// Queue pairs that it can use at most.
    pub queue_pairs_total: Observed<Option<u32>>,
}

impl AdapterSummary {
    /// What the list says of `adapter`, judged by the prerequisite checks.
    pub fn of(node: &Node, adapter: &Adapter) -> Self {
        let sriov = adapter.sriov.present();
        let mut reasons: Vec<Code> = Vec::new();
        for row in prereq::judge_adapter(node, adapter) {
            let reason = row
                .code
                .filter(|code| !row.passed && !reasons.contains(code));
            reasons.extend(reason);
        }
        let channels = match adapter.interfaces.first() {
            Some(interface) => interface.channels.clone(),
            None => Observed::unknown("the adapter has no netdev here to ask"),
        };
        let count = |counts: fn(&Vf) -> bool| {
            u32::try_from(adapter.vfs.iter().filter(|vf| counts(vf)).count()).unwrap_or(u32::MAX)
        };
        AdapterSummary {
            name: adapter.name(),
            address: adapter.address.to_string(),
            model: prereq::describe(adapter),
            driver: adapter
                .driver
                .as_ref()
                .map(|driver| driver.as_ref().map(|driver| driver.name.clone())),
            link: adapter
                .interfaces
                .first()
                .map(|interface| interface.link.up && interface.link.carrier),
            supported: reasons.is_empty(),
            reasons,
            vfs_total: match sriov {
                Some(sriov) => sriov.total_vfs.clone(),
                None => adapter.sriov.as_ref().map(|_| 0),
            },
            vfs: sriov.map_or(0, |sriov| sriov.current_vfs),
            vfs_in_use: count(|vf| vf.users.known().is_some_and(|users| !users.is_empty())),
            vfs_in_doubt: count(|vf| vf.users.known().is_none()),
            queue_pairs: channels.as_ref().map(|all| all.map(|all| all.pairs())),
            queue_pairs_total: channels.as_ref().map(|all| all.map(|all| all.max_pairs())),
        }
    }
}

/// The list.
pub fn adapters(rows: &[AdapterSummary], colour: bool, width: Option<u16>) -> String {
    if rows.is_empty() {
        return "This node has no PCI network adapter.\n".to_owned();
    }
    let heading = [
        "NAME",
        "ADDRESS",
        "MODEL",
        "DRIVER",
        "LINK",
        "SR-IOV",
        "VFS",
        "IN USE",
        "QUEUE PAIRS",
    ];
    let mut table = Table::new(&heading, colour, width);
    for row in rows {
        let sriov = match row.reasons.as_slice() {
            [] => "yes".to_owned(),
            reasons => {
                let ids: Vec<&str> = reasons.iter().map(|code| code.id()).collect();
                ids.join(", ")
            }
        };
        let in_use = match row.vfs_in_doubt {
            0 => row.vfs_in_use.to_string(),
            doubt => format!("{}, {doubt} unknown", row.vfs_in_use),
        };
        let pairs = match (row.queue_pairs.present(), row.queue_pairs_total.present()) {
            (Some(now), Some(total)) => format!("{now}/{total}"),
            _ => "?".to_owned(),
        };
        let tone = if row.supported { Tone::Good } else { Tone::Bad };
        table.toned([
            (row.name.clone(), Tone::Plain),
            (row.address.clone(), Tone::Plain),
            (row.model.clone(), Tone::Plain),
            (brief(&row.driver, "none"), Tone::Plain),
            (link_word(row.link).to_owned(), Tone::Plain),
            (sriov, tone),
            (
                format!("{}/{}", row.vfs, total_word(&row.vfs_total)),
                Tone::Plain,
            ),
            (in_use, Tone::Plain),
            (pairs, Tone::Plain),
        ]);
    }
    table.text()
}

fn brief(value: &Observed<Option<String>>, without: &str) -> String {
    match value {
        Observed::Known(Some(value)) => value.clone(),
        Observed::Known(None) => without.to_owned(),
        Observed::Unknown(_) => "?".to_owned(),
    }
}

fn total_word(total: &Observed<u32>) -> String {
    total.known().map_or("?".to_owned(), u32::to_string)
}

fn link_word(link: Option<bool>) -> &'static str {
    match link {
        Some(true) => "up",
        Some(false) => "down",
        None => "no netdev",
    }
}

/// One adapter whole.
pub fn adapter(adapter: &Adapter, colour: bool, width: Option<u16>) -> String {
    let mut text = format!(
        "{} ({})\n",
        painted(&adapter.name(), Tone::Plain, colour),
        adapter.address
    );
    let mut lines = vec![
        ("model", model(adapter)),
        ("driver", driver(adapter)),
        (
            "firmware",
            shown_or(&adapter.firmware, "not reported", String::clone),
        ),
    ];
    for interface in &adapter.interfaces {
        lines.push(("netdev", netdev(interface)));
        lines.push(("link", link(interface)));
        lines.push(("queue pairs", queue_pairs(interface)));
    }
    lines.extend([
        (
            "numa node",
            shown_or(&adapter.numa_node, "none", u32::to_string),
        ),
        (
            "pcie link",
            shown_or(&adapter.pcie_link, "not PCI Express", pcie_link),
        ),
        (
            "iommu group",
            shown_or(&adapter.iommu_group, "none", |group| {
                let members: Vec<String> = group.members.iter().map(ToString::to_string).collect();
                format!("{} ({})", group.id, members.join(", "))
            }),
        ),
        ("bridges", bridges(&adapter.bridges)),
    ]);
    text.push_str(&pairs(&lines));
    match &adapter.sriov {
        Observed::Unknown(reason) => text.push_str(&format!("\nSR-IOV unknown: {reason}\n")),
        Observed::Known(None) => text.push_str("\nNo SR-IOV capability.\n"),
        Observed::Known(Some(sriov)) => {
            text.push_str("\nSR-IOV\n");
            text.push_str(&pairs(&sriov_lines(sriov)));
            text.push_str("\nFor its VFs\n");
            text.push_str(&pairs(&feature_lines(adapter)));
        }
    }
    if !adapter.vfs.is_empty() {
        text.push('\n');
        text.push_str(&vfs(&adapter.vfs, colour, width));
    }
    text
}

fn model(adapter: &Adapter) -> String {
    let number = |id: &Observed<u16>| shown(id, |id| format!("{id:04x}"));
    format!(
        "{} [{}:{}]",
        prereq::describe(adapter),
        number(&adapter.vendor.id),
        number(&adapter.device.id)
    )
}

fn driver(adapter: &Adapter) -> String {
    shown_or(&adapter.driver, "none bound", |driver| {
        match &driver.version {
            Some(version) => format!("{} {version}", driver.name),
            None => driver.name.clone(),
        }
    })
}

fn netdev(interface: &Interface) -> String {
    let link = &interface.link;
    let mac =
        |mac: Option<accelnet_model::Mac>| mac.map_or("none".to_owned(), |mac| mac.to_string());
    let mut text = format!("{}, MAC {}", link.name, mac(link.mac));
    if link.permanent_mac != link.mac {
        text.push_str(&format!(" (permanent {})", mac(link.permanent_mac)));
    }
    text.push_str(&format!(", MTU {}", link.mtu));
    if !link.alt_names.is_empty() {
        text.push_str(&format!(", also {}", link.alt_names.join(", ")));
    }
    if let Some(master) = &link.master {
        text.push_str(&format!(", port of {master}"));
    }
    text
}

fn link(interface: &Interface) -> String {
    match (interface.link.up, interface.link.carrier) {
        (false, _) => "down".to_owned(),
        (true, false) => "up, no carrier".to_owned(),
        (true, true) => {
            let speed = shown_or(&interface.speed_mbps, "speed not reported", |speed| {
                format!("{speed} Mb/s")
            });
            format!("up, {speed}")
        }
    }
}

fn queue_pairs(interface: &Interface) -> String {
    shown_or(&interface.channels, "no control of them", |channels| {
        format!("{} of {}", channels.pairs(), channels.max_pairs())
    })
}

fn pcie_link(link: &PcieLink) -> String {
    let rate = |rate: &PcieRate| {
        let gigatransfers = f64::from(rate.megatransfers) / 1000.0;
        format!("{gigatransfers} GT/s x{}", rate.lanes)
    };
    match &link.current {
        Some(current) => format!("{}, at most {}", rate(current), rate(&link.max)),
        None => format!("not trained, at most {}", rate(&link.max)),
    }
}

fn bridges(bridges: &Observed<Vec<Bridge>>) -> String {
    shown(bridges, |all| match all.as_slice() {
        [] => "none: on the root".to_owned(),
        all => all.iter().map(bridge).collect::<Vec<_>>().join("; "),
    })
}

fn bridge(bridge: &Bridge) -> String {
    let kind = shown(&bridge.kind, |kind| {
        match kind {
            BridgeKind::RootPort => "root port",
            BridgeKind::SwitchUpstream => "switch upstream port",
            BridgeKind::SwitchDownstream => "switch downstream port",
            BridgeKind::Conventional => "conventional bridge",
        }
        .to_owned()
    });
    let acs = shown_or(&bridge.acs, "no ACS", |acs: &Acs| {
        let state = if acs.isolates() { "ACS on" } else { "ACS off" };
        state.to_owned()
    });
    format!(
        "{} ({kind}, {acs}, buses {:02x}-{:02x})",
        bridge.address, bridge.secondary_bus, bridge.subordinate_bus
    )
}

fn sriov_lines(sriov: &Sriov) -> Vec<(&'static str, String)> {
    let number = |value: &Observed<u16>| shown(value, u16::to_string);
    vec![
        (
            "VFs",
            format!(
                "{} there, {} at most",
                sriov.current_vfs,
                shown(&sriov.total_vfs, u32::to_string)
            ),
        ),
        ("hardware VFs", number(&sriov.hardware_vfs)),
        ("initial VFs", number(&sriov.initial_vfs)),
        (
            "offset, stride",
            format!("{}, {}", number(&sriov.offset), number(&sriov.stride)),
        ),
        (
            "VF device",
            shown(&sriov.vf_device, |device| format!("{device:04x}")),
        ),
        ("VF BARs", shown(&sriov.bars, |bars| bar_words(bars))),
        (
            "bus numbers",
            shown(&sriov.bus_numbers, |buses| {
                format!(
                    "up to {:02x} needed, up to {:02x} there",
                    buses.needed, buses.available
                )
            }),
        ),
        (
            "host drivers",
            shown(&sriov.drivers_autoprobe, |on| {
                let words = if *on {
                    "may take new VFs"
                } else {
                    "are kept off new VFs"
                };
                words.to_owned()
            }),
        ),
        (
            "MSI-X to share",
            shown_or(&sriov.vf_total_msix, "fixed by the driver", u32::to_string),
        ),
    ]
}

fn bar_words(bars: &[VfBar]) -> String {
    let words: Vec<String> = bars
        .iter()
        .map(|bar| {
            let size = match bar.size {
                Some(size) if size >= 1 << 20 => format!("{} MiB", size >> 20),
                Some(size) => format!("{} KiB", size >> 10),
                None => "size unknown".to_owned(),
            };
            let state = if bar.assigned {
                "assigned"
            } else {
                "NOT ASSIGNED"
            };
            format!("BAR {} {size} {state}", bar.index)
        })
        .collect();
    words.join(", ")
}

fn feature_lines(adapter: &Adapter) -> Vec<(&'static str, String)> {
    let features = &adapter.features;
    let support = |value: &Observed<Support>| {
        shown(value, |value| match value {
            Support::Yes => "yes".to_owned(),
            Support::No { reason } => format!("no: {reason}"),
        })
    };
    vec![
        ("rate limit", support(&features.max_tx_rate)),
        ("minimum rate", support(&features.min_tx_rate)),
        ("trust", support(&features.trust)),
        ("spoof check", support(&features.spoof_check)),
        ("VLAN", support(&features.vlan)),
        ("VLAN 802.1ad", support(&features.vlan_802_1ad)),
        ("link state", support(&features.link_state)),
        ("MSI-X per VF", support(&features.msix_per_vf)),
        (
            "eswitch",
            shown_or(&features.eswitch, "none", |mode| {
                format!("{mode:?}").to_lowercase()
            }),
        ),
    ]
}

fn vfs(vfs: &[Vf], colour: bool, width: Option<u16>) -> String {
    let heading = ["VF", "ADDRESS", "DRIVER", "GROUP", "SETTINGS", "USED BY"];
    let mut table = Table::new(&heading, colour, width);
    for vf in vfs {
        let users = shown(&vf.users, |users| match users.as_slice() {
            [] => "nobody".to_owned(),
            users => users
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; "),
        });
        table.row([
            vf.index.to_string(),
            vf.address.to_string(),
            shown_or(&vf.driver, "none", String::clone),
            shown_or(&vf.iommu_group, "none", u32::to_string),
            shown(&vf.settings, settings),
            users,
        ]);
    }
    table.text()
}

/// What was set; what stands at its default is not named.
fn settings(settings: &VfSettings) -> String {
    let mut words = vec![format!("MAC {}", settings.mac)];
    if settings.vlan != 0 {
        let kind = match settings.vlan_protocol {
            VlanProtocol::Dot1Q => "VLAN",
            VlanProtocol::Dot1Ad => "service VLAN",
        };
        words.push(format!(
            "{kind} {} (priority {})",
            settings.vlan, settings.qos
        ));
    }
    match (settings.min_tx_rate, settings.max_tx_rate) {
        (0, 0) => {}
        (0, most) => words.push(format!("at most {most} Mb/s")),
        (least, most) => words.push(format!("{least} to {most} Mb/s")),
    }
    let flag = |name: &str, value: Option<bool>| {
        value.map(|on| format!("{name} {}", if on { "on" } else { "off" }))
    };
    words.extend(flag("spoof check", settings.spoof_check));
    words.extend(flag("trust", settings.trust));
    match settings.link_state {
        None | Some(VfLinkState::Auto) => {}
        Some(VfLinkState::Enable) => words.push("link always up".to_owned()),
        Some(VfLinkState::Disable) => words.push("link always down".to_owned()),
    }
    words.join(", ")
}
