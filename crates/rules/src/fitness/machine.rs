//! The machine around a VF: PCI Express, a virtual IOMMU, memory encryption, a free PCI slot, and a vNIC
//! that can be unplugged. QEMU's answers are those of its 10.0 unless a comment names another version.

use accelnet_model::platform::Version;
use accelnet_model::{Domain, Problem};

use super::{Facts, unfit};
use crate::pair::Step;

/// Machine types without PCI Express, by what their names begin with.
const CONVENTIONAL: [&str; 6] = [
    "pc-i440fx",
    "isapc",
    "microvm",
    "pseries",
    "s390-ccw",
    "xenpv",
];
/// The first QEMU that keeps an assigned device from private guest memory
/// (system/ram-block-attributes.c): before, system/physmem.c refuses `guest_memfd` with one.
const GUEST_MEMFD: Version = Version::new(10, 1, 0);

/// Judges the definition, and what runs where that is to get a VF.
pub(super) fn judge(facts: &Facts<'_>) -> Result<(), Problem> {
    let vm = facts.definition;
    settings(vm, facts.qemu)?;
    // libvirt adds a first port to a definition that has none, and the plan may add another.
    let adds = vm.settings.slots.root_ports == 0 || facts.steps.contains(&Step::DefinePort);
    if facts.steps.contains(&Step::DefineVf) && !adds {
        place(vm)?;
    }
    if let Some(live) = facts.attached() {
        settings(live, facts.qemu).map_err(as_it_runs)?;
        // The place of a stand-in becomes free.
        if !facts.steps.contains(&Step::DropStandIn) {
            place(live).map_err(as_it_runs)?;
        }
        if facts.steps.contains(&Step::ReplugNic) {
            replug(live, facts)?;
        }
    }
    Ok(())
}

/// The definition is fit, and what runs is not.
fn as_it_runs(problem: Problem) -> Problem {
    let found = format!("As it runs: {}", problem.found);
    Problem { found, ..problem }.resolution(
        "Stop and start the VM (a reboot from within is not enough), then run the same command again.",
    )
}

fn settings(vm: &Domain, qemu: Option<Version>) -> Result<(), Problem> {
    pci_express(vm)?;
    iommu(vm)?;
    encryption(vm, qemu)
}

/// hw/pci/pci.c: "failover primary device must be on PCIExpress bus".
fn pci_express(vm: &Domain) -> Result<(), Problem> {
    let machine = vm.settings.machine.as_deref();
    let by_name = || {
        !machine.is_some_and(|machine| {
            machine == "pc" || CONVENTIONAL.iter().any(|name| machine.starts_with(name))
        })
    };
    if vm.settings.slots.pcie.unwrap_or_else(by_name) {
        return Ok(());
    }
    Err(unfit(
        vm,
        format!(
            "Its machine type {} has no PCI Express, and QEMU takes a failover device on PCI Express only.",
            machine.unwrap_or("(QEMU's default)")
        ),
        "A machine type with PCI Express, such as q35.",
        "Define the VM with the machine type q35 (x86) or virt (Arm, RISC-V), then run the same command again.",
    ))
}

/// Every device of the guest is behind its virtual IOMMU.
///
/// - intel: hw/i386/intel_iommu.c and pc.c want caching-mode=on, and end the VM or refuse the
///   device without. Interrupt remapping and address width change nothing of that.
/// - amd: hw/i386/amd_iommu.c refuses the notifier of new mappings. Up to 10.1 it leaves the
///   device's DMA untranslated instead, so the VF works only while the guest translates nothing;
///   `dma-remap=on` of later releases has no setting in libvirt.
/// - smmuv3: hw/arm/smmuv3.c refuses the same notifier; `accel=on` of later releases wants a PCI
///   root of its own for each assigned device.
/// - virtio: hw/virtio/virtio-iommu.c passes mappings on, in every release since 5.2.
fn iommu(vm: &Domain) -> Result<(), Problem> {
    let Some(iommu) = &vm.settings.iommu else {
        return Ok(());
    };
    match iommu.model.as_str() {
        "intel" if iommu.caching_mode => Ok(()),
        "virtio" => Ok(()),
        "intel" => Err(unfit(
            vm,
            "Its Intel IOMMU has no caching mode, and QEMU assigns no device without it."
                .to_owned(),
            "caching_mode='on' for the virtual IOMMU, or none.",
            "Set <driver caching_mode='on'/> in its <iommu> with 'virsh edit', stop and start the VM, then run the same command again.",
        )),
        other => Err(unfit(
            vm,
            format!(
                "QEMU does not pass the DMA mappings of its IOMMU ({other}) on to an assigned device."
            ),
            "A virtual IOMMU of model intel with caching_mode='on', or of model virtio, or none.",
            "Remove its <iommu> or change the model with 'virsh edit', then run the same command again.",
        )),
    }
}

/// sev and sev-es: target/i386/sev.c locks all memory, and the guest bounces DMA through pages that
/// are not encrypted. sev-snp and tdx have private memory (`guest_memfd`).
fn encryption(vm: &Domain, qemu: Option<Version>) -> Result<(), Problem> {
    let kind = match vm.settings.encryption.as_deref() {
        Some(kind @ ("sev-snp" | "tdx")) => kind,
        _ => return Ok(()),
    };
    match qemu {
        Some(qemu) if qemu >= GUEST_MEMFD => Ok(()),
        qemu => Err(unfit(
            vm,
            format!(
                "Its memory is encrypted ({kind}), and {} refuses assigned devices with private memory.",
                qemu.map_or_else(
                    || "a QEMU of unknown version".to_owned(),
                    |qemu| format!("QEMU {qemu}")
                )
            ),
            "QEMU 10.1.0 or later, or no <launchSecurity>.",
            "Update QEMU, or remove <launchSecurity> with 'virsh edit', then run the same command again.",
        )),
    }
}

/// A free place for the VF.
fn place(vm: &Domain) -> Result<(), Problem> {
    let slots = &vm.settings.slots;
    if slots.free != Some(0) {
        return Ok(());
    }
    let found = match slots.root_ports {
        0 => "It has no PCI Express port.".to_owned(),
        ports => format!("All of its {ports} PCI Express ports are in use."),
    };
    Err(unfit(
        vm,
        found,
        "A free pcie-root-port for the VF.",
        "Add <controller type='pci' model='pcie-root-port'/> with 'virsh edit', and stop and start the VM.",
    ))
}

/// The running vNIC has to be unplugged to be plugged in with the failover feature.
fn replug(live: &Domain, facts: &Facts<'_>) -> Result<(), Problem> {
    let vnic = live.vnics.iter().find(|vnic| vnic.mac == Some(facts.mac));
    let place = vnic.and_then(|vnic| vnic.guest_address.as_ref());
    let Some((place, why)) =
        place.and_then(|place| Some((place, place.no_unplug_reason.as_ref()?)))
    else {
        return Ok(());
    };
    Err(unfit(
        live,
        format!(
            "Its vNIC {} on PCI bus {} cannot be unplugged while the VM runs: {why}.",
            facts.mac, place.bus
        ),
        "A vNIC that can be unplugged, for --now.",
        "Run the same command without --now, then stop and start the VM (a reboot from within is not enough).",
    ))
}
