//! What decides whether a VF goes with a domain.

use accelnet_model::domain::{DomainMemory, DomainSettings, GuestIommu, MemoryDevice, PciSlots};
use roxmltree::Node;

use super::document::{XmlError, child, of_child};
use super::places::Places;
use super::{memory, root_port};

/// Namespace of libosinfo's metadata.
const LIBOSINFO: &str = "http://libosinfo.org/xmlns/libvirt/domain/1.0";

/// Reads them of a `<domain>` with those `devices`.
pub fn settings(
    domain: Node<'_, '_>,
    devices: &[Node<'_, '_>],
    places: &Places<'_>,
) -> Result<DomainSettings, XmlError> {
    let kind = child(domain, "os").and_then(|os| child(os, "type"));
    let machine = kind.and_then(|kind| kind.attribute("machine"));
    Ok(DomainSettings {
        os_type: kind
            .and_then(|kind| kind.text())
            .map(|text| text.trim().to_owned()),
        machine: machine.map(str::to_owned),
        memory: memory_settings(domain, devices)?,
        slots: PciSlots {
            accelnet_root_ports: root_port::own_ports(devices),
            ..places.slots()
        },
        hostdevs: devices
            .iter()
            .filter(|device| device.has_tag_name("hostdev"))
            .count() as u32,
        iommu: devices
            .iter()
            .find(|device| device.has_tag_name("iommu"))
            .map(|iommu| GuestIommu {
                model: iommu.attribute("model").unwrap_or_default().to_owned(),
                caching_mode: of_child(*iommu, "driver", "caching_mode") == Some("on"),
            }),
        encryption: of_domain(domain, "launchSecurity", "type"),
        os_id: os_id(domain),
    })
}

fn of_domain(domain: Node<'_, '_>, name: &'static str, attribute: &str) -> Option<String> {
    of_child(domain, name, attribute).map(str::to_owned)
}

/// `<metadata><libosinfo:libosinfo><libosinfo:os id='http://debian.org/debian/13'/>...`.
fn os_id(domain: Node<'_, '_>) -> Option<String> {
    let metadata = child(domain, "metadata")?;
    let mut all = metadata.descendants();
    let os = all.find(|node| node.has_tag_name((LIBOSINFO, "os")))?;
    os.attribute("id").map(str::to_owned)
}

fn memory_settings(
    domain: Node<'_, '_>,
    devices: &[Node<'_, '_>],
) -> Result<DomainMemory, XmlError> {
    let backing = child(domain, "memoryBacking");
    let backed = |name| backing.is_some_and(|backing| child(backing, name).is_some());
    let balloon = devices
        .iter()
        .find(|device| device.has_tag_name("memballoon"));
    let mib = |node: Option<Node<'_, '_>>| node.map(memory::mib).transpose();
    Ok(DomainMemory {
        locked: backed("locked"),
        hugepages: backed("hugepages"),
        hugepage_kib: backing
            .and_then(|backing| child(backing, "hugepages"))
            .and_then(|pages| child(pages, "page"))
            .and_then(|page| page.attribute("size").zip(Some(page)))
            .map(|(size, page)| memory::kib(size, page.attribute("unit")))
            .transpose()?,
        source: backing.and_then(|backing| of_domain(backing, "source", "type")),
        shared: backing
            .is_some_and(|backing| of_child(backing, "access", "mode") == Some("shared")),
        devices: devices
            .iter()
            .filter(|device| device.has_tag_name("memory"))
            .map(|device| memory_device(*device))
            .collect::<Result<_, _>>()?,
        no_share_pages: backed("nosharepages"),
        balloon: balloon
            .and_then(|balloon| balloon.attribute("model"))
            .map(str::to_owned),
        current_mib: mib(child(domain, "currentMemory"))?,
        most_mib: mib(child(domain, "maxMemory"))?,
        hard_limit_mib: mib(child(domain, "memtune").and_then(|tune| child(tune, "hard_limit")))?,
    })
}

fn memory_device(device: Node<'_, '_>) -> Result<MemoryDevice, XmlError> {
    let target = child(device, "target");
    let size = |name| {
        let node = target.and_then(|target| child(target, name));
        node.map(memory::mib).transpose()
    };
    let path = child(device, "source").and_then(|source| child(source, "path"));
    Ok(MemoryDevice {
        model: device.attribute("model").unwrap_or_default().to_owned(),
        size_mib: size("size")?.unwrap_or(0),
        // What runs shows how much is plugged; a definition, how much is asked for.
        plugged_mib: size("current")?.or(size("requested")?),
        path: path
            .and_then(|path| path.text())
            .map(|text| text.trim().to_owned()),
    })
}

#[cfg(test)]
mod tests;
