//! Memory of the node and of a VM's process.

use accelnet_model::Observed;
use accelnet_model::memory::{FreeHugepages, NodeMemory, ProcessMemory};
use accelnet_pci::{ReadError, Root};

use super::processes;
use super::vf_evidence::qemu_process;

const HUGEPAGES: &str = "/sys/kernel/mm/hugepages";
const KIB_OF_MIB: u64 = 1024;

/// What the node has, and what is left of it.
pub fn node(root: &Root) -> Observed<NodeMemory> {
    let text = match root.text("/proc/meminfo") {
        Ok(text) => text,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    let mib = |name| Some(kib(&text, name)? / KIB_OF_MIB);
    let (Some(total_mib), Some(available_mib)) = (mib("MemTotal"), mib("MemAvailable")) else {
        return Observed::unknown("/proc/meminfo has no MemTotal and MemAvailable");
    };
    Observed::Known(NodeMemory {
        total_mib,
        available_mib,
        default_hugepage_kib: kib(&text, "Hugepagesize").unwrap_or(0),
        // A kernel without huge pages has none that are free.
        free_hugepages: free_hugepages(root).unwrap_or_default(),
    })
}

/// Free pages that were not promised to a process.
fn free_hugepages(root: &Root) -> Result<Vec<FreeHugepages>, ReadError> {
    let mut pools = Vec::new();
    for name in root.names(HUGEPAGES)? {
        let size = name.strip_prefix("hugepages-");
        let size = size.and_then(|size| size.strip_suffix("kB")?.parse().ok());
        let Some(size_kib) = size else { continue };
        let number = |file| root.number::<u64>(&format!("{HUGEPAGES}/{name}/{file}"));
        let pages = number("free_hugepages")?.saturating_sub(number("resv_hugepages")?);
        pools.push(FreeHugepages {
            size_kib,
            free_mib: pages * size_kib / KIB_OF_MIB,
        });
    }
    Ok(pools)
}

/// What the process of the running VM called `vm` has.
pub fn process(root: &Root, vm: &str) -> Observed<ProcessMemory> {
    let pid = match qemu_process(root, vm) {
        Observed::Known(pid) => pid,
        Observed::Unknown(reason) => return Observed::unknown(reason),
    };
    // A file that a dead daemon left may name another process by now.
    if processes::guest(root, pid).as_deref() != Some(vm) {
        return Observed::unknown(format!("process {pid} is not that of VM {vm}"));
    }
    let folder = format!("/proc/{pid}");
    let resident = match root.text(&format!("{folder}/status")) {
        Ok(text) => kib(&text, "VmRSS"),
        Err(error) => return Observed::unknown(error.to_string()),
    };
    let Some(resident) = resident else {
        return Observed::unknown(format!("{folder}/status has no VmRSS"));
    };
    // Linux 5.19 and later show it.
    let merged = root.number::<u64>(&format!("{folder}/ksm_merging_pages"));
    Observed::Known(ProcessMemory {
        resident_mib: resident / KIB_OF_MIB,
        merged_mib: merged.unwrap_or(0) * 4 / KIB_OF_MIB,
    })
}

/// The figure of `Name:   123 kB`.
fn kib(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
