//! Adapters in words: the list, and one whole.

use accelnet_model::adapter::{Acs, Bridge, BridgeKind, PcieLink, PcieRate, Sriov, Support, VfBar};
use accelnet_model::link::Interface;
use accelnet_model::vf::{Vf, VfLinkState, VfSettings, VlanProtocol};
use accelnet_model::{Adapter, Observed};
use accelnet_rules::prereq;

use super::table::{Table, Tone, painted, pairs};
use super::{shown, shown_or};

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
            "NUMA node",
            shown_or(&adapter.numa_node, "none", u32::to_string),
        ),
        (
            "PCIe link",
            shown_or(&adapter.pcie_link, "not reported", pcie_link),
        ),
        (
            "IOMMU group",
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
            text.push_str("\nVF features\n");
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
    shown_or(&interface.channels, "not reported", |channels| {
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
        [] => "none, on the root bus".to_owned(),
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
                "{} created, at most {}",
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
                    "up to {:02x} required, up to {:02x} available",
                    buses.needed, buses.available
                )
            }),
        ),
        (
            "host drivers",
            shown(&sriov.drivers_autoprobe, |on| {
                let words = if *on {
                    "bind to new VFs"
                } else {
                    "do not bind to new VFs"
                };
                words.to_owned()
            }),
        ),
        (
            "MSI-X vectors",
            shown_or(
                &sriov.vf_total_msix,
                "distributed by the driver",
                u32::to_string,
            ),
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
                "not assigned"
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
    let heading = [
        "VF",
        "ADDRESS",
        "DRIVER",
        "IOMMU GROUP",
        "USED BY",
        "SETTINGS",
    ];
    let mut table = Table::new(&heading, colour, width);
    for vf in vfs {
        let users = shown(&vf.users, |users| match users.as_slice() {
            [] => "-".to_owned(),
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
            users,
            shown(&vf.settings, settings),
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
