//! A node in words: machine, adapters, VMs, and what could not be read.

use accelnet_model::node::Unreadable;
use accelnet_model::platform::{Iommu, Kvm, Libvirt, Lockdown, Platform, Smt, Version, Vfio};
use accelnet_model::{AdapterSummary, Domain, Node, Observed};
use accelnet_rules::adapter_summary;

use super::table::{Table, Tone, painted, pairs};
use super::{adapter, shown, shown_or, vms};

/// The whole of it.
pub fn node(node: &Node, colour: bool, width: Option<u16>) -> String {
    let mut text = format!(
        "{}, observed {}\n",
        painted(node.display_name(), Tone::Plain, colour),
        node.observed_at
    );
    text.push_str(&pairs(&platform(&node.platform)));
    match &node.adapters {
        Observed::Unknown(reason) => text.push_str(&format!("\nAdapters unknown: {reason}\n")),
        Observed::Known(adapters) => {
            text.push('\n');
            let brief = |adapter| adapter_summary::summary(node, node.display_name(), adapter);
            let rows: Vec<AdapterSummary> = adapters.iter().map(brief).collect();
            text.push_str(&super::adapters(&rows, colour, width));
            for each in adapters {
                text.push('\n');
                text.push_str(&adapter(each, colour, width));
            }
        }
    }
    text.push('\n');
    text.push_str(&domains(&node.domains, colour, width));
    text.push_str(&unreadable(&node.unreadable));
    text
}

/// Lines of what could not be read that are shown; JSON has them all.
const SHOWN: usize = 10;

fn unreadable(all: &[Unreadable]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut text = "\nUnreadable\n".to_owned();
    for one in all.iter().take(SHOWN) {
        text.push_str(&format!("  {}: {}\n", one.subject, one.reason));
    }
    if all.len() > SHOWN {
        let more = all.len() - SHOWN;
        text.push_str(&format!("  and {more} more, see --output json\n"));
    }
    text
}

fn platform(platform: &Platform) -> Vec<(&'static str, String)> {
    let version =
        |value: &Observed<Option<Version>>| shown_or(value, "not installed", Version::to_string);
    vec![
        (
            "kernel",
            shown(&platform.kernel, |kernel| kernel.release.clone()),
        ),
        ("lockdown", lockdown(&platform.lockdown)),
        (
            "CPU",
            shown(&platform.cpu, |cpu| {
                format!(
                    "{}: {} sockets, {} cores, {} threads online",
                    cpu.model, cpu.sockets, cpu.cores, cpu.threads
                )
            }),
        ),
        ("SMT", shown(&platform.smt, |smt| smt_word(*smt).to_owned())),
        ("IOMMU", shown(&platform.iommu, iommu)),
        ("KVM", shown(&platform.kvm, kvm)),
        (
            "vfio-pci",
            shown(&platform.vfio, |vfio| vfio_word(*vfio).to_owned()),
        ),
        ("libvirt", shown(&platform.libvirt, libvirt)),
        ("QEMU", version(&platform.qemu)),
    ]
}

fn lockdown(level: &Observed<Option<Lockdown>>) -> String {
    shown_or(level, "not in this kernel", |level| {
        match level {
            Lockdown::None => "none",
            Lockdown::Integrity => "integrity",
            Lockdown::Confidentiality => "confidentiality",
        }
        .to_owned()
    })
}

fn smt_word(smt: Smt) -> &'static str {
    match smt {
        Smt::On => "on",
        Smt::Off => "off",
        Smt::NotSupported => "not supported",
    }
}

fn iommu(iommu: &Iommu) -> String {
    match (iommu.is_on(), iommu.units.as_slice()) {
        (false, _) => "off".to_owned(),
        (true, units) => format!("on, {} groups ({})", iommu.groups, units.join(", ")),
    }
}

fn kvm(kvm: &Kvm) -> String {
    match kvm {
        Kvm::Usable {
            module: Some(module),
        } => format!("usable ({module})"),
        Kvm::Usable { module: None } => "usable".to_owned(),
        Kvm::Missing { reason } | Kvm::Broken { reason } => format!("not usable: {reason}"),
    }
}

fn vfio_word(vfio: Vfio) -> &'static str {
    match vfio {
        Vfio::Loaded => "loaded",
        Vfio::Available => "installed, not loaded",
        Vfio::Missing => "missing",
    }
}

fn libvirt(libvirt: &Libvirt) -> String {
    match libvirt {
        Libvirt::Running { version } => version.to_string(),
        Libvirt::NotRunning { reason } => format!("does not answer: {reason}"),
        Libvirt::Missing => "not installed".to_owned(),
    }
}

fn domains(domains: &Observed<Vec<Domain>>, colour: bool, width: Option<u16>) -> String {
    let domains = match domains {
        Observed::Unknown(reason) => return format!("VMs unknown: {reason}\n"),
        Observed::Known(domains) => domains,
    };
    if domains.is_empty() {
        return "No VMs.\n".to_owned();
    }
    let heading = ["VM", "STATE", "VCPUS", "MEMORY", "VNICS", "HOST DEVICES"];
    let mut table = Table::new(&heading, colour, width);
    for domain in domains {
        let devices: Vec<String> = domain
            .host_devices
            .iter()
            .map(ToString::to_string)
            .collect();
        table.row([
            domain.name.clone(),
            vms::domain(domain.state).to_owned(),
            domain.vcpus.to_string(),
            format!("{} MiB", domain.memory_mib),
            domain.vnics.len().to_string(),
            devices.join(", "),
        ]);
    }
    table.text()
}
