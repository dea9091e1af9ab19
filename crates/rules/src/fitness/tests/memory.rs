//! Memory, each kind judged as what it is.

use super::*;

/// On a node with that much available.
fn available(facts: Facts<'_>, available_mib: u64) -> Facts<'_> {
    let node = facts.node.clone().map(|node| NodeMemory {
        available_mib,
        ..node
    });
    Facts { node, ..facts }
}

fn device(model: &str, size_mib: u64, plugged_mib: Option<u64>) -> MemoryDevice {
    MemoryDevice {
        model: model.to_owned(),
        size_mib,
        plugged_mib,
        path: None,
    }
}

#[test]
fn what_is_not_resident_has_to_be_available() {
    let vm = vm(|_| {});
    // 2048 MiB, 512 of them resident; 512 of 16384 are to spare.
    assert_eq!(judge(&available(running(&vm), 2048)), Ok(Vec::new()));
    let problem = refused(&available(running(&vm), 2047), "has 2047 MiB available");
    assert!(problem.found.contains("512 MiB are resident;"));
    assert!(
        problem
            .needed
            .contains("1536 MiB for the VM and 512 MiB to spare")
    );
}

#[test]
fn what_is_resident_needs_nothing() {
    let vm = vm(|_| {});
    let facts = Facts {
        process: Observed::Known(ProcessMemory {
            resident_mib: 2100,
            merged_mib: 0,
        }),
        ..running(&vm)
    };
    assert_eq!(judge(&available(facts, 1)), Ok(Vec::new()));
}

#[test]
fn a_merged_page_is_locked_as_a_copy() {
    let vm = vm(|_| {});
    let facts = Facts {
        process: Observed::Known(ProcessMemory {
            resident_mib: 2048,
            merged_mib: 1024,
        }),
        ..running(&vm)
    };
    let problem = refused(&available(facts, 1024), "1024 MiB of them merged by KSM");
    assert!(problem.needed.contains("1024 MiB for the VM"));
}

#[test]
fn huge_pages_come_from_their_pool() {
    let huge = vm(|s| s.memory.hugepages = true);
    assert_eq!(judge(&available(running(&huge), 1)), Ok(Vec::new()));
    assert_eq!(judge(&available(stopped(&huge), 1)), Ok(Vec::new()));
    let mut large = huge.clone();
    large.memory_mib = 8192;
    let found = warned(&stopped(&large));
    assert!(
        found[0].contains("4096 MiB for it now in huge pages of 2048 KiB"),
        "{found:?}"
    );
}

#[test]
fn a_stopped_vm_is_warned() {
    let vm = vm(|_| {});
    let found = warned(&available(stopped(&vm), 2559));
    assert!(
        found[0].contains("2048 MiB are locked from its start on"),
        "{found:?}"
    );
    assert_eq!(judge(&available(stopped(&vm), 2560)), Ok(Vec::new()));
    // What it has while it runs is given back before it starts again.
    let waits = Facts {
        steps: &[Step::WriteConfig, Step::JoinNic, Step::DefineVf],
        ..running(&vm)
    };
    assert_eq!(judge(&available(waits, 2048)), Ok(Vec::new()));
}

#[test]
fn what_cannot_be_read_is_reported() {
    let vm = vm(|_| {});
    let facts = Facts {
        process: Observed::unknown("/run/libvirt/qemu/web1.pid is not there"),
        ..running(&vm)
    };
    let found = warned(&facts);
    assert!(found[0].contains("web1.pid is not there"), "{found:?}");
}

#[test]
fn a_hard_limit_holds_what_qemu_needs_too() {
    let limited = |mib| vm(|s| s.memory.hard_limit_mib = Some(mib));
    let equal = limited(2048);
    let problem = refused(&stopped(&equal), "hard_limit is 2048 MiB");
    assert!(problem.needed.contains("3072 MiB"), "{}", problem.needed);
    refused(&stopped(&limited(3071)), "3071 MiB");
    assert_eq!(judge(&stopped(&limited(3072))), Ok(Vec::new()));
    // Behind a virtual IOMMU each device is counted for itself.
    let mut behind = limited(4096);
    behind.settings.hostdevs = 1;
    behind.settings.iommu = Some(GuestIommu {
        model: "virtio".to_owned(),
        caching_mode: false,
    });
    let problem = refused(&stopped(&behind), "4096 MiB");
    assert!(problem.needed.contains("5120 MiB"), "{}", problem.needed);
}

#[test]
fn virtio_mem_is_no_balloon() {
    let mut pluggable = vm(|s| {
        s.memory.devices = vec![device("virtio-mem", 4096, Some(1024))];
        s.memory.current_mib = Some(2048);
        s.memory.balloon = Some("virtio".to_owned());
    });
    pluggable.memory_mib = 2048 + 4096;
    let found = warned(&stopped(&pluggable));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("virtio-mem device has 1024 of 4096 MiB plugged"),
        "{found:?}"
    );
    // 2048 + 1024 are locked, 512 of them resident.
    assert!(judge(&available(running(&pluggable), 3072)).is_ok());
    refused(
        &available(running(&pluggable), 3071),
        "its 3072 MiB of memory",
    );
    let old = Facts {
        qemu: Some(Version::new(6, 0, 0)),
        ..stopped(&pluggable)
    };
    refused(&old, "virtio-mem device, which QEMU 6.0.0");
}

#[test]
fn what_a_balloon_took_is_locked_again() {
    let small = vm(|s| {
        s.memory.current_mib = Some(1024);
        s.memory.balloon = Some("virtio".to_owned());
        s.memory.most_mib = Some(8192);
    });
    let found = warned(&stopped(&small));
    assert!(
        found[0].contains("balloon holds 1024 of 2048 MiB"),
        "{found:?}"
    );
    assert!(found[1].contains("grow to 8192 MiB"), "{found:?}");
    let none = vm(|s| {
        s.memory.current_mib = Some(1024);
        s.memory.balloon = Some("none".to_owned());
    });
    assert_eq!(judge(&stopped(&none)), Ok(Vec::new()));
}

#[test]
fn files_that_are_written_back_cannot_be_locked() {
    let nvdimm = vm(|s| {
        s.memory.devices = vec![MemoryDevice {
            path: Some("/var/lib/nvdimm0".to_owned()),
            ..device("nvdimm", 512, None)
        }];
    });
    let found = warned(&stopped(&nvdimm));
    assert!(
        found[0].contains("nvdimm device lies in /var/lib/nvdimm0"),
        "{found:?}"
    );
    let dax = vm(|s| {
        s.memory.devices = vec![MemoryDevice {
            path: Some("/dev/dax0.0".to_owned()),
            ..device("virtio-pmem", 512, None)
        }];
    });
    assert_eq!(judge(&stopped(&dax)), Ok(Vec::new()));
    let shared = |source: &str| {
        vm(|s| {
            s.memory.source = Some(source.to_owned());
            s.memory.shared = true;
        })
    };
    assert_eq!(warned(&stopped(&shared("file"))).len(), 1);
    assert_eq!(judge(&stopped(&shared("memfd"))), Ok(Vec::new()));
}
