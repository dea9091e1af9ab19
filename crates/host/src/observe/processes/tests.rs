use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

/// A process with its command line, which has `files` open.
fn process(root: &Path, pid: u32, command: &[&str], files: &[&str]) {
    let folder = root.join(format!("proc/{pid}"));
    std::fs::create_dir_all(folder.join("fd")).expect("a folder");
    std::fs::write(folder.join("comm"), format!("{}\n", command[0])).expect("a name");
    std::fs::write(folder.join("cmdline"), command.join("\0")).expect("a command line");
    for (number, file) in files.iter().enumerate() {
        symlink(file, folder.join(format!("fd/{number}"))).expect("an open file");
    }
}

fn node() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("proc")).expect("a folder");
    let root = Root::new(folder.path());
    (folder, root)
}

/// The names of those who hold something, and what.
fn held(root: &Root) -> Vec<(String, String)> {
    let holders = holders(root);
    let holders = holders.known().expect("nothing is hidden");
    let pair = |holder: &Holder| (holder.name.clone(), holder.device.clone());
    holders.iter().map(pair).collect()
}

fn pair(name: &str, device: &str) -> (String, String) {
    (name.to_owned(), device.to_owned())
}

#[test]
fn only_files_that_vfs_are_held_by_count() {
    let (folder, root) = node();
    let files = [
        "/dev/null",
        "/dev/vfio/vfio",
        "/dev/vfio/12",
        "/dev/vfio/devices/vfio3",
        "/dev/uio0",
        "/dev/infiniband/uverbs1",
        "/dev/infiniband/rdma_cm",
        "socket:[4711]",
        "/home/me/dev/vfio/13",
    ];
    process(folder.path(), 7, &["dpdk"], &files);
    let expected = [
        "/dev/vfio/12",
        "/dev/vfio/devices/vfio3",
        "/dev/uio0",
        "/dev/infiniband/uverbs1",
    ];
    assert_eq!(held(&root), expected.map(|device| pair("dpdk", device)));
}

#[test]
fn a_file_that_is_gone_and_still_open_is_held() {
    let (folder, root) = node();
    process(folder.path(), 7, &["dpdk"], &["/dev/vfio/12 (deleted)"]);
    assert_eq!(held(&root), [pair("dpdk", "/dev/vfio/12")]);
}

#[test]
fn the_guest_of_qemu_is_named() {
    let (folder, root) = node();
    let forms = [
        (1, "guest=web1,debug-threads=on", "web1"),
        (2, "web2", "web2"),
        (3, "web3,process=x", "web3"),
        (4, "debug-threads=on,guest=web4", "web4"),
        (5, "guest=web,,5,debug-threads=on", "web,5"),
    ];
    for (pid, name, _) in forms {
        let command = ["qemu-system-x86", "-enable-kvm", "-name", name, "-m", "512"];
        process(folder.path(), pid, &command, &["/dev/vfio/12"]);
    }
    let expected =
        forms.map(|(_, _, guest)| pair(&format!("qemu-system-x86, guest {guest}"), "/dev/vfio/12"));
    assert_eq!(held(&root), expected);
}

#[test]
fn a_process_that_ended_meanwhile_is_none() {
    let (folder, root) = node();
    std::fs::create_dir(folder.path().join("proc/9")).expect("a folder");
    process(folder.path(), 7, &["dpdk"], &["/dev/vfio/12"]);
    assert_eq!(held(&root).len(), 1);
}

#[test]
fn one_that_cannot_be_inspected_leaves_all_unknown() {
    let (folder, root) = node();
    process(folder.path(), 7, &["dpdk"], &["/dev/vfio/12"]);
    std::fs::create_dir(folder.path().join("proc/9")).expect("a folder");
    std::fs::write(folder.path().join("proc/9/fd"), "").expect("a file in its place");
    let holders = holders(&root);
    let reason = holders.reason().expect("unknown");
    assert!(reason.contains("/proc/9/fd"), "{reason}");
}

#[test]
fn without_proc_it_is_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(holders(&Root::new(folder.path())).known(), None);
}
