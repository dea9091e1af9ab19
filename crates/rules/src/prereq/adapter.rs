//! One adapter: SR-IOV, driver, bus numbers, memory space, link type, model, link.

use accelnet_model::adapter::Sriov;
use accelnet_model::check::{CheckName, Outcome, Row};
use accelnet_model::link::{Interface, LinkType};
use accelnet_model::platform::Architecture;
use accelnet_model::vf_plan::vfs_in_words;
use accelnet_model::{Adapter, Check, Code, Node, Observed, Problem};

use super::drivers::{self, NOT_NETWORK_DRIVERS};
use super::surroundings::Surroundings;
use super::{advice, isolation, models};

/// The rows of one adapter. Without SR-IOV there is nothing further to judge.
pub fn judge(node: &Node, adapter: &Adapter) -> Vec<Check> {
    rows(adapter, Surroundings::of(node))
}

/// Why VMs cannot have VFs of `adapter`: the problem of its first row that fails. What cannot be judged is
/// none, and neither is what only VFs that exist can show.
pub fn blocker(adapter: &Adapter) -> Option<Problem> {
    let around = Surroundings {
        node: "this node",
        architecture: Architecture::Other,
        forced: None,
        adapters: std::slice::from_ref(adapter),
        has_iommu: true,
        has_groups: false,
    };
    let mut rows = rows(adapter, around).into_iter();
    let failed =
        rows.find(|row| row.outcome == Outcome::Failed && row.name != CheckName::IommuGroups)?;
    failed.problem()
}

fn rows(adapter: &Adapter, around: Surroundings<'_>) -> Vec<Check> {
    let rows = all_rows(adapter, around).into_iter();
    rows.map(|row| advice::fit(row, around.architecture))
        .collect()
}

fn all_rows(adapter: &Adapter, around: Surroundings<'_>) -> Vec<Check> {
    let name = adapter.name();
    let row = |check| Row {
        name: check,
        node: around.node,
        subject: &name,
    };
    if adapter.responds == Observed::Known(false) {
        return vec![row(CheckName::Sriov).failed(left_the_bus(adapter))];
    }
    let sriov = match &adapter.sriov {
        Observed::Known(Some(sriov)) => sriov,
        Observed::Known(None) => {
            return vec![row(CheckName::Sriov).failed(no_sriov(adapter, around))];
        }
        Observed::Unknown(reason) => {
            return vec![row(CheckName::Sriov).unknown("the adapter's PCI capabilities", reason)];
        }
    };
    let architecture = around.architecture;
    let total = total(adapter, sriov, architecture, row(CheckName::Sriov));
    if total.outcome == Outcome::Failed {
        return vec![total];
    }
    let mut rows = vec![total, isolation::acs(adapter, around, row(CheckName::Acs))];
    if around.has_iommu {
        let row = row(CheckName::IommuGroups);
        rows.extend(isolation::groups(adapter, around.adapters, row));
    }
    rows.extend([
        driver(adapter, sriov, row(CheckName::Driver)),
        bus_numbers(adapter, sriov, row(CheckName::BusNumbers)),
        vf_memory(adapter, sriov, architecture, row(CheckName::VfMemory)),
    ]);
    rows.extend(link_type(adapter, row(CheckName::LinkType)));
    rows.push(models::judge(adapter, row(CheckName::Model)));
    rows.extend(links(adapter, around.node));
    rows
}

fn left_the_bus(adapter: &Adapter) -> Problem {
    let (name, address) = (adapter.name(), adapter.address.to_string());
    Problem::new(
        Code::AdapterLost,
        &[&name, &address],
        "Its configuration space reads as all ones: the device no longer answers on the bus.",
    )
    .resolution(format!(
        "Read 'dmesg | grep {address}' for the error before it. Reseat the adapter or power-cycle the node; 'echo 1 > /sys/bus/pci/devices/{address}/remove' and 'echo 1 > /sys/bus/pci/rescan' suffice only if the link recovers."
    ))
}

/// The functions of the same device that have VFs to give.
fn with_vfs<'a>(adapter: &Adapter, all: &'a [Adapter]) -> impl Iterator<Item = &'a Adapter> {
    let own = adapter.address;
    all.iter().filter(move |other| {
        let there = other.address;
        (there.domain, there.bus, there.device) == (own.domain, own.bus, own.device)
            && there != own
            && other.sriov.present().is_some()
    })
}

/// A refusal of `adapter` in the words of the prerequisite that fails with the same code: that check sees the
/// whole node, a plan the adapter alone.
pub fn as_judged(problem: Problem, node: &Node, adapter: &Adapter) -> Problem {
    let mut rows = judge(node, adapter).into_iter();
    let same = rows.find(|row| row.outcome == Outcome::Failed && row.code == Some(problem.code));
    same.and_then(Check::problem).unwrap_or(problem)
}

fn no_sriov(adapter: &Adapter, around: Surroundings<'_>) -> Problem {
    let name = adapter.name();
    let model = models::describe(adapter);
    if models::is_vf(adapter) {
        let found = format!("{} is {model}.", adapter.address);
        let problem = Problem::new(Code::AdapterIsVf, &[&name], found);
        return match advice::vf_alone(adapter, around.architecture) {
            Some(how) => problem.resolution(how),
            None => problem,
        };
    }
    let mut found = format!("{model} at {} has no SR-IOV capability.", adapter.address);
    let owners: Vec<String> = with_vfs(adapter, around.adapters)
        .map(|owner| format!("{} ({})", owner.address, owner.name()))
        .collect();
    if owners.is_empty() {
        let problem = Problem::new(Code::SriovUnknown, &[&name], found);
        return match advice::without_sriov(adapter) {
            Some(how) => problem.resolution(how),
            None => problem,
        };
    }
    let owners = owners.join(", ");
    found += &format!(" The VFs of this device belong to function {owners}.");
    Problem::new(Code::SriovUnknown, &[&name], found)
        .resolution(format!("Use function {owners} for VFs."))
}

fn total(adapter: &Adapter, sriov: &Sriov, architecture: Architecture, row: Row<'_>) -> Check {
    match &sriov.total_vfs {
        Observed::Unknown(reason) => row.unknown("the maximum number of VFs", reason),
        Observed::Known(0) => {
            let hardware = match sriov.hardware_vfs.known() {
                Some(vfs) => format!("; its SR-IOV capability names {vfs}"),
                None => String::new(),
            };
            let found = format!("sriov_totalvfs of {} is 0{hardware}.", adapter.address);
            let problem = Problem::new(Code::FirmwareCapsVfs, &[row.subject], found);
            row.failed(problem.resolution(advice::firmware(adapter, architecture)))
        }
        Observed::Known(total) => row.passed(format!(
            "{} supported, {} created.",
            vfs_in_words(*total),
            sriov.current_vfs
        )),
    }
}

fn driver(adapter: &Adapter, sriov: &Sriov, row: Row<'_>) -> Check {
    let address = adapter.address.to_string();
    let missing =
        |found: String| Problem::new(Code::SriovMissingPfDriver, &[row.subject, &address], found);
    let driver = match &adapter.driver {
        Observed::Unknown(reason) => return row.unknown("the bound driver", reason),
        Observed::Known(None) => {
            let problem = missing(format!("No driver is bound to {address}."));
            return row.failed(match models::module(adapter) {
                None => problem,
                Some(module) => problem.resolution(format!(
                    "Run 'modprobe {module}'; if no driver is bound then, 'echo {address} > /sys/bus/pci/drivers_probe'."
                )),
            });
        }
        Observed::Known(Some(driver)) => driver,
    };
    if NOT_NETWORK_DRIVERS.contains(&driver.name.as_str()) {
        let found = format!(
            "Driver {} is bound to {address}; it is no network driver.",
            driver.name
        );
        let how = advice::give_back(adapter.address, &driver.name, models::module(adapter));
        return row.failed(missing(found).resolution(how));
    }
    let bound = match &driver.version {
        Some(version) => format!("Driver {} {version} is bound.", driver.name),
        None => format!("Driver {} is bound.", driver.name),
    };
    match drivers::can_change(adapter) {
        Ok(()) => row.passed(bound),
        Err(problem) if sriov.current_vfs == 0 => row.failed(problem),
        Err(_) => row.passed(format!("{bound} Its VFs were created when it was loaded.")),
    }
}

fn bus_numbers(adapter: &Adapter, sriov: &Sriov, row: Row<'_>) -> Check {
    let on_root = adapter.bridges.known().is_some_and(Vec::is_empty);
    let buses = match &sriov.bus_numbers {
        Observed::Unknown(_) if on_root => {
            return row.passed(
                "The adapter is on a root bus: no bridge limits the bus numbers of its VFs.",
            );
        }
        Observed::Unknown(_) if sriov.current_vfs == 0 && is_named_later(sriov) => {
            return row.passed("The buses of the VFs are known when the VFs exist.");
        }
        Observed::Unknown(reason) => return row.unknown("the routing ids of its VFs", reason),
        Observed::Known(buses) => buses,
    };
    if buses.needed <= u16::from(buses.available) {
        return row.passed(format!(
            "The VFs use buses up to {:02x}; buses up to {:02x} are available.",
            buses.needed, buses.available
        ));
    }
    let bridge = match adapter.bridges.known().and_then(|all| all.first()) {
        Some(bridge) => format!("bridge {}", bridge.address),
        None => "the root".to_owned(),
    };
    let found = format!(
        "The last VF needs bus {:02x}; {bridge} has buses up to {:02x}. {} can be used.",
        buses.needed,
        buses.available,
        vfs_in_words(buses.reachable_vfs.into())
    );
    let needed = format!("Buses up to {:02x} behind {bridge}.", buses.needed);
    let total = sriov.total_vfs.known().copied().unwrap_or_default();
    match buses.reachable_vfs {
        0 => row
            .failed(Problem::new(Code::SriovNoBusResources, &[row.subject], found).needed(needed)),
        reachable => {
            let (reachable, total) = (reachable.to_string(), total.to_string());
            let names = [row.subject, &reachable, &total];
            row.warned(Problem::new(Code::VfsOutOfReach, &names, found).needed(needed))
        }
    }
}

/// Whether the adapter names the place of its VFs only while VFs exist.
fn is_named_later(sriov: &Sriov) -> bool {
    [&sriov.offset, &sriov.stride].contains(&&Observed::Known(0))
}

fn vf_memory(adapter: &Adapter, sriov: &Sriov, architecture: Architecture, row: Row<'_>) -> Check {
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
            1 => "1 VF BAR has an address.".to_owned(),
            some => format!("{some} VF BARs have addresses."),
        }),
        missing => {
            let found = format!(
                "VF {} of {} {} no address.",
                missing.join(" and "),
                adapter.address,
                if missing.len() == 1 { "has" } else { "have" }
            );
            let problem = Problem::new(Code::VfMemoryNotAssigned, &[row.subject], found);
            row.failed(problem.resolution(advice::vf_memory(architecture)))
        }
    }
}

/// Only Ethernet can stand in for a VM's vNIC.
fn link_type(adapter: &Adapter, row: Row<'_>) -> Option<Check> {
    let mut others = adapter.interfaces.iter().filter(|interface| {
        matches!(
            interface.link.link_type,
            LinkType::Infiniband | LinkType::Other
        )
    });
    let link = &others.next()?.link;
    let carries = match link.link_type {
        LinkType::Infiniband => "InfiniBand",
        _ => "something other than Ethernet",
    };
    let found = format!("{} carries {carries}.", link.name);
    let problem = Problem::new(Code::AdapterNotEthernet, &[row.subject], found);
    Some(row.failed(match advice::ethernet(adapter) {
        Some(how) => problem.resolution(how),
        None => problem,
    }))
}

/// A row for each port of the function. An adapter that is down has VFs without link; no row where it has no
/// netdev to judge.
fn links(adapter: &Adapter, node: &str) -> Vec<Check> {
    let judge = |interface: &Interface| {
        let link = &interface.link;
        let row = Row {
            name: CheckName::Link,
            node,
            subject: &link.name,
        };
        let above = match &link.master {
            Some(master) => format!(" It is a port of {master}."),
            None => String::new(),
        };
        let down = |found: &str| {
            let found = format!("{found}{above}");
            Problem::new(Code::AdapterDown, &[&link.name], found)
        };
        match (link.up, link.carrier) {
            (true, true) => row.passed(format!("Up, with carrier.{above}")),
            (true, false) => row
                .warned(down("Up, no carrier.").resolution("Check the cable and the switch port.")),
            (false, _) => row.warned(down("Its administrative state is down.")),
        }
    };
    ports(adapter).map(judge).collect()
}

/// The ports of the function, as netdevs.
pub(crate) fn ports(adapter: &Adapter) -> impl Iterator<Item = &Interface> {
    adapter
        .interfaces
        .iter()
        .filter(|interface| !is_control(adapter, interface))
}

/// A netdev without frames, by which a driver lets VFs be set (`cxgb4_mgmt_setup` of cxgb4 names it
/// `mgmtpfA,B`).
fn is_control(adapter: &Adapter, interface: &Interface) -> bool {
    let driver = adapter.driver.present().map(|driver| driver.name.as_str());
    let link = &interface.link;
    link.link_type == LinkType::None || (driver == Some("cxgb4") && link.name.starts_with("mgmtpf"))
}
