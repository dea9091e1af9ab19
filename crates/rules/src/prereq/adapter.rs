//! One adapter: SR-IOV, driver, bus numbers, memory space, model, link.

use accelnet_model::adapter::Sriov;
use accelnet_model::check::{CheckName, Row};
use accelnet_model::vf_plan::vfs_in_words;
use accelnet_model::{Adapter, Check, Code, Node, Observed, Problem};

use super::{isolation, models};

/// Drivers that hand a whole device to user space or keep it from everybody: bound to an
/// adapter they cannot make VFs of use to VMs.
const NOT_NETWORK_DRIVERS: [&str; 5] = [
    "vfio-pci",
    "pci-stub",
    "uio_pci_generic",
    "igb_uio",
    "xen-pciback",
];

/// The rows of one adapter. Without SR-IOV there is nothing further to judge.
pub fn judge(node: &Node, adapter: &Adapter) -> Vec<Check> {
    let name = adapter.name();
    let row = |check| Row {
        name: check,
        node: node.display_name(),
        subject: &name,
    };
    let sriov = match &adapter.sriov {
        Observed::Known(Some(sriov)) => sriov,
        Observed::Known(None) => return vec![row(CheckName::Sriov).failed(no_sriov(adapter))],
        Observed::Unknown(reason) => {
            return vec![row(CheckName::Sriov).unknown("the adapter's PCI capabilities", reason)];
        }
    };
    let mut rows = vec![
        total(adapter, sriov, row(CheckName::Sriov)),
        isolation::acs(adapter, row(CheckName::Acs)),
    ];
    rows.extend(isolation::groups(adapter, row(CheckName::IommuGroups)));
    rows.extend([
        driver(adapter, row(CheckName::Driver)),
        bus_numbers(adapter, sriov, row(CheckName::BusNumbers)),
        vf_memory(adapter, sriov, row(CheckName::VfMemory)),
        models::judge(adapter, row(CheckName::Model)),
    ]);
    rows.extend(link(adapter, row(CheckName::Link)));
    rows
}

fn no_sriov(adapter: &Adapter) -> Problem {
    let name = adapter.name();
    let model = models::describe(adapter);
    Problem::new(
        Code::SriovUnknown,
        &[&name],
        format!("{model} at {} has no SR-IOV capability.", adapter.address),
    )
}

fn total(adapter: &Adapter, sriov: &Sriov, row: Row<'_>) -> Check {
    match &sriov.total_vfs {
        Observed::Unknown(reason) => row.unknown("the number of VFs it can give", reason),
        Observed::Known(0) => {
            let hardware = match sriov.hardware_vfs.known() {
                Some(vfs) => format!("; its SR-IOV capability names {vfs}"),
                None => String::new(),
            };
            row.failed(Problem::new(
                Code::FirmwareCapsVfs,
                &[row.subject],
                format!("{} allows 0 VFs{hardware}.", adapter.address),
            ))
        }
        Observed::Known(total) => row.passed(format!(
            "{}, {} of them there now.",
            vfs_in_words(*total),
            sriov.current_vfs
        )),
    }
}

fn driver(adapter: &Adapter, row: Row<'_>) -> Check {
    let address = adapter.address.to_string();
    let missing = |found: String| {
        row.failed(Problem::new(
            Code::SriovMissingPfDriver,
            &[row.subject, &address],
            found,
        ))
    };
    match &adapter.driver {
        Observed::Unknown(reason) => row.unknown("the bound driver", reason),
        Observed::Known(None) => missing(format!("No driver is bound to {address}.")),
        Observed::Known(Some(driver)) if NOT_NETWORK_DRIVERS.contains(&driver.name.as_str()) => {
            missing(format!(
                "Driver {} is bound to {address}; it is no network driver.",
                driver.name
            ))
        }
        Observed::Known(Some(driver)) => row.passed(match &driver.version {
            Some(version) => format!("Driver {} {version} is bound.", driver.name),
            None => format!("Driver {} is bound.", driver.name),
        }),
    }
}

fn bus_numbers(adapter: &Adapter, sriov: &Sriov, row: Row<'_>) -> Check {
    match &sriov.bus_numbers {
        Observed::Unknown(reason) => row.unknown("the routing ids of its VFs", reason),
        Observed::Known(buses) if buses.needed <= u16::from(buses.available) => {
            row.passed(format!(
                "All VFs lie on buses up to {:02x}; those up to {:02x} lead to the adapter.",
                buses.needed, buses.available
            ))
        }
        Observed::Known(buses) => {
            let bridge = match adapter.bridges.known().and_then(|all| all.first()) {
                Some(bridge) => format!("bridge {}", bridge.address),
                None => "the root".to_owned(),
            };
            row.failed(
                Problem::new(
                    Code::SriovNoBusResources,
                    &[row.subject],
                    format!(
                        "The last VF would lie on bus {:02x}; {bridge} leads to buses up to {:02x}. {} can be reached.",
                        buses.needed,
                        buses.available,
                        vfs_in_words(buses.reachable_vfs.into())
                    ),
                )
                .needed(format!("Buses up to {:02x} behind {bridge}.", buses.needed)),
            )
        }
    }
}

fn vf_memory(adapter: &Adapter, sriov: &Sriov, row: Row<'_>) -> Check {
    let bars = match &sriov.bars {
        Observed::Unknown(reason) => return row.unknown("the memory space of its VFs", reason),
        Observed::Known(bars) => bars,
    };
    let missing: Vec<String> = bars
        .iter()
        .filter(|bar| !bar.assigned)
        .map(|bar| format!("BAR {}", bar.index))
        .collect();
    match missing.as_slice() {
        [] => row.passed(match bars.len() {
            1 => "1 VF BAR, assigned.".to_owned(),
            some => format!("{some} VF BARs, all assigned."),
        }),
        missing => row.failed(Problem::new(
            Code::VfMemoryNotAssigned,
            &[row.subject],
            format!(
                "VF {} of {} {} no address.",
                missing.join(" and "),
                adapter.address,
                if missing.len() == 1 { "has" } else { "have" }
            ),
        )),
    }
}

/// An adapter that is down has VFs without link; no row where it has no netdev to judge.
fn link(adapter: &Adapter, row: Row<'_>) -> Option<Check> {
    let interface = adapter.interfaces.first()?;
    Some(match (interface.link.up, interface.link.carrier) {
        (true, true) => row.passed("Up, with carrier."),
        (up, _) => {
            let found = if up { "Up, no carrier." } else { "Down." };
            row.warned(Problem::new(Code::AdapterDown, &[row.subject], found))
        }
    })
}
