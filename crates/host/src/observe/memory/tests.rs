use super::*;

fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let root = Root::new(folder.path());
    (folder, root)
}

#[test]
fn the_nodes_memory_and_its_free_huge_pages() {
    let (_folder, root) = tree(&[
        (
            "proc/meminfo",
            "MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:   8192000 kB\nHugepagesize:       2048 kB\n",
        ),
        (
            "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
            "600\n",
        ),
        (
            "sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages",
            "88\n",
        ),
    ]);
    let expected = NodeMemory {
        total_mib: 16_000,
        available_mib: 8_000,
        default_hugepage_kib: 2048,
        free_hugepages: vec![FreeHugepages {
            size_kib: 2048,
            free_mib: 1024,
        }],
    };
    assert_eq!(node(&root), Observed::Known(expected));
    let (_folder, root) = tree(&[("proc/meminfo", "MemTotal: 1 kB\n")]);
    assert!(
        node(&root)
            .reason()
            .is_some_and(|reason| reason.contains("MemAvailable"))
    );
}

#[test]
fn a_vms_process_is_found_by_libvirts_file() {
    let (_folder, root) = tree(&[
        ("run/libvirt/qemu/web 1.pid", "4711"),
        (
            "proc/4711/cmdline",
            "qemu-system-x86_64\0-name\0guest=web 1,debug-threads=on\0",
        ),
        (
            "proc/4711/status",
            "Name:\tqemu\nVmHWM:\t 9 kB\nVmRSS:\t  524288 kB\n",
        ),
        ("proc/4711/ksm_merging_pages", "25600\n"),
        ("run/libvirt/qemu/old.pid", "4711"),
    ]);
    let expected = ProcessMemory {
        resident_mib: 512,
        merged_mib: 100,
    };
    assert_eq!(process(&root, "web 1"), Observed::Known(expected));
    let other = process(&root, "old");
    assert!(
        other
            .reason()
            .is_some_and(|reason| reason.contains("is not that of VM old"))
    );
    assert!(process(&root, "none").reason().is_some());
}
