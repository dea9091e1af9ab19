//! Memory: a VF has all that a guest can reach locked, which has to be there.

use accelnet_model::domain::{DomainMemory, MemoryDevice};
use accelnet_model::memory::{NodeMemory, ProcessMemory};
use accelnet_model::platform::Version;
use accelnet_model::{Code, Domain, Mac, Observed, Problem};

use super::{Facts, cost, unfit};

/// What QEMU locks and uses beside the guest's memory: the figure by which libvirt raises the limit
/// for a VM with an assigned device, and which a hard_limit replaces (qemuDomainGetMemLockLimitBytes,
/// src/qemu/qemu_domain.c). On ppc64 libvirt counts DMA windows instead, which is less.
pub const OVERHEAD_MIB: u64 = 1024;
/// The first QEMU that gives an assigned device only what is plugged of a virtio-mem device
/// (RamDiscardManager); before, it refuses the one beside the other.
const VIRTIO_MEM: Version = Version::new(6, 1, 0);

/// Memory that stays free on a node: MemAvailable is an estimate, and other processes grow.
pub fn spare_mib(total_mib: u64) -> u64 {
    (total_mib / 32).clamp(64, 1024)
}

/// What a VF has locked. Of a virtio-mem device only what is plugged is there to be locked; what a
/// balloon took is given back by locking (QEMU inhibits balloons while a device is assigned).
fn locked_mib(vm: &Domain) -> u64 {
    let unplugged = vm.settings.memory.devices.iter().map(unplugged_mib);
    vm.memory_mib.saturating_sub(unplugged.sum())
}

fn unplugged_mib(device: &MemoryDevice) -> u64 {
    let plugged = match device.model.as_str() {
        "virtio-mem" => device.plugged_mib.unwrap_or(0),
        // Enclave pages are no memory that a device can reach, and not the node's.
        "sgx-epc" => 0,
        _ => device.size_mib,
    };
    device.size_mib.saturating_sub(plugged)
}

/// What the node has to give when all memory of a running VM is locked. Huge pages come from a pool,
/// and libvirt takes all of them when the VM starts. A page that KSM merged is locked as a copy.
pub fn needed_mib(live: &Domain, process: &ProcessMemory) -> u64 {
    match live.settings.memory.hugepages {
        true => 0,
        false => {
            let own = process.resident_mib.saturating_sub(process.merged_mib);
            locked_mib(live).saturating_sub(own)
        }
    }
}

/// A node whose memory is short beside what VFs have locked. The figures are those of the VMs and of the
/// machine: they do not change from one read to the next.
pub fn short(node: &str, memory: &NodeMemory, with_vfs: &[&Domain]) -> Option<Problem> {
    let spare = spare_mib(memory.total_mib);
    let from_pages = |vm: &&&Domain| !vm.settings.memory.hugepages;
    let locked: u64 = with_vfs
        .iter()
        .filter(from_pages)
        .map(|vm| locked_mib(vm))
        .sum();
    (locked > 0 && memory.available_mib < spare).then(|| {
        let found =
            format!("VFs have {locked} MiB locked, and less than {spare} MiB are available.");
        Problem::new(Code::MemoryShort, &[node], found)
    })
}

/// What cannot work.
pub(super) fn judge(facts: &Facts<'_>) -> Result<(), Problem> {
    let vm = facts.definition;
    for vm in [Some(vm), facts.attached()].into_iter().flatten() {
        hard_limit(vm, facts.mac)?;
    }
    let is_virtio_mem = |device: &MemoryDevice| device.model == "virtio-mem";
    if vm.settings.memory.devices.iter().any(is_virtio_mem)
        && let Some(qemu) = facts.qemu.filter(|qemu| *qemu < VIRTIO_MEM)
    {
        return Err(unfit(
            vm,
            format!(
                "It has a virtio-mem device, which QEMU {qemu} does not have beside an assigned device."
            ),
            "QEMU 6.1.0 or later, or no virtio-mem device.",
            "Update QEMU, or remove the virtio-mem device with 'virsh edit', then run the same command again.",
        ));
    }
    match (facts.attached(), &facts.node, &facts.process) {
        (Some(live), Observed::Known(node), Observed::Known(process)) => {
            must_be_available(live, node, process)
        }
        _ => Ok(()),
    }
}

/// libvirt takes a hard_limit as the limit of locked memory, too. Behind a virtual IOMMU each
/// assigned device is counted for itself.
fn hard_limit(vm: &Domain, mac: Mac) -> Result<(), Problem> {
    let Some(limit) = vm.settings.memory.hard_limit_mib else {
        return Ok(());
    };
    let assigned = vm.vnics.iter().filter(|vnic| vnic.kind == "hostdev");
    let others = assigned.filter(|vnic| vnic.mac != Some(mac)).count() as u64;
    let devices = match vm.settings.iommu {
        Some(_) => u64::from(vm.settings.hostdevs) + others + 1,
        None => 1,
    };
    let needed = vm.memory_mib * devices + OVERHEAD_MIB;
    if limit >= needed {
        return Ok(());
    }
    Err(unfit(
        vm,
        format!(
            "Its hard_limit is {limit} MiB; with a VF, its {} MiB of memory are locked and QEMU needs up to {OVERHEAD_MIB} MiB more.",
            vm.memory_mib
        ),
        &format!("A hard_limit of {needed} MiB or more, or none."),
        "Raise or remove the hard_limit with 'virsh memtune' or 'virsh edit', then run the same command again.",
    ))
}

/// Memory that is not resident yet has to fit into what is available.
fn must_be_available(
    live: &Domain,
    node: &NodeMemory,
    process: &ProcessMemory,
) -> Result<(), Problem> {
    let needed = needed_mib(live, process);
    let spare = spare_mib(node.total_mib);
    if needed == 0 || needed + spare <= node.available_mib {
        return Ok(());
    }
    let merged = match process.merged_mib {
        0 => String::new(),
        merged => format!(" ({merged} MiB of them merged by KSM, which locking undoes)"),
    };
    Err(unfit(
        live,
        format!(
            "A VF locks its {} MiB of memory, of which {} MiB are resident{merged}; the node has {} MiB available.",
            locked_mib(live),
            process.resident_mib,
            node.available_mib
        ),
        &format!(
            "{} MiB available: {needed} MiB for the VM and {spare} MiB to spare.",
            needed + spare
        ),
        "Free memory on the node or give the VM less memory, then run the same command again.",
    ))
}

/// What works, and costs something.
pub(super) fn costs(facts: &Facts<'_>) -> Vec<Problem> {
    let vm = facts.definition;
    let memory = &vm.settings.memory;
    let mut costs = Vec::new();
    let mut add = |found: String, what_to_do: &str| costs.push(cost(vm, found, what_to_do));
    let fixed = "Configure the memory that it needs as fixed memory.";
    if let Some(held) = ballooned_mib(vm, memory) {
        add(
            format!(
                "Its balloon holds {held} of {} MiB; all of them are locked while it has a VF.",
                vm.memory_mib
            ),
            fixed,
        );
    }
    for device in &memory.devices {
        if device.model == "virtio-mem" {
            let plugged = device.plugged_mib.unwrap_or(0);
            add(
                format!(
                    "Its virtio-mem device has {plugged} of {} MiB plugged; what is plugged is locked at once.",
                    device.size_mib
                ),
                "Keep so much memory free on the node.",
            );
        }
    }
    if let Some(most) = memory.most_mib
        && most > vm.memory_mib
    {
        add(
            format!("Its memory may grow to {most} MiB, and what is plugged is locked at once."),
            "Keep so much memory free on the node.",
        );
    }
    if let Some(what) = written_back(memory) {
        add(
            format!(
                "{what}, and Linux 6.5 and later lock no shared pages of a file system that writes them back."
            ),
            "Put the file on tmpfs, hugetlbfs or /dev/dax; otherwise QEMU refuses the VF, or the VM does not start.",
        );
    }
    if let Some(kind @ ("sev" | "sev-es")) = vm.settings.encryption.as_deref() {
        add(
            format!(
                "Its memory is encrypted ({kind}); the guest copies all that the VF transfers."
            ),
            "Measure whether the VF is faster than virtio for this VM.",
        );
    }
    costs.extend(at_its_start(facts));
    costs
}

/// MiB that a balloon holds now. `<currentMemory>` may leave out all of a virtio-mem device.
fn ballooned_mib(vm: &Domain, memory: &DomainMemory) -> Option<u64> {
    if memory.balloon.as_deref() == Some("none") {
        return None;
    }
    let pluggable = memory
        .devices
        .iter()
        .filter(|device| device.model == "virtio-mem");
    let fixed = vm
        .memory_mib
        .saturating_sub(pluggable.map(|device| device.size_mib).sum());
    fixed
        .checked_sub(memory.current_mib?)
        .filter(|held| *held > 0)
}

/// Memory in files that are written back, in words. `vma_needs_dirty_tracking` in the kernel's
/// mm/mmap.c: shared mappings, and neither tmpfs nor huge pages.
fn written_back(memory: &DomainMemory) -> Option<String> {
    let device = memory.devices.iter().find(|device| {
        let path = device.path.as_deref().unwrap_or("/dev/dax");
        ["nvdimm", "virtio-pmem"].contains(&device.model.as_str()) && !path.starts_with("/dev/dax")
    });
    if let Some(device) = device {
        let path = device.path.as_deref().unwrap_or_default();
        return Some(format!("Its {} device lies in {path}", device.model));
    }
    let file = memory.source.as_deref() == Some("file") && memory.shared && !memory.hugepages;
    file.then(|| "Its memory lies in shared files (<source type='file'/>)".to_owned())
}

/// A VM that gets its VF with its next start is judged now by a warning.
fn at_its_start(facts: &Facts<'_>) -> Option<Problem> {
    let vm = facts.definition;
    if facts.attached().is_some() {
        let hidden = facts.node.reason().or(facts.process.reason())?;
        return Some(cost(
            vm,
            format!("Whether its memory can be locked now is not known: {hidden}."),
            "Make sure that all of its memory fits into what the node has available.",
        ));
    }
    let node = facts.node.known()?;
    let locked = locked_mib(vm);
    let (free, of, otherwise) = match vm.settings.memory.hugepages {
        true => {
            let size = vm.settings.memory.hugepage_kib;
            let size = size.unwrap_or(node.default_hugepage_kib);
            let mut pools = node.free_hugepages.iter();
            let free = pools.find(|pool| pool.size_kib == size)?.free_mib;
            let of = format!(" in huge pages of {size} KiB");
            (free, of, "the VM does not start")
        }
        // What a running VM has is given back before it starts again.
        false => {
            let own = facts.process.known();
            let own = own.map_or(0, |process| process.resident_mib);
            let free = (node.available_mib + own).saturating_sub(spare_mib(node.total_mib));
            (
                free,
                String::new(),
                "the kernel may end it or other processes",
            )
        }
    };
    // A running VM has its huge pages of the pool already.
    let starts_from_pool = vm.settings.memory.hugepages && facts.live.is_some();
    (locked > free && !starts_from_pool).then(|| {
        cost(
            vm,
            format!("All of its {locked} MiB are locked from its start on, and the node has {free} MiB for it now{of}."),
            &format!("Free memory on the node before the VM starts, or give it less: otherwise {otherwise}."),
        )
    })
}
