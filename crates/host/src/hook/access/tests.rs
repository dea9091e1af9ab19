use std::path::Path;

use super::*;
use crate::hook::install;

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// A node where the hook calls `program`.
fn node(program: &str) -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().expect("a folder");
    let hooks = folder.path().join("etc/libvirt/hooks");
    std::fs::create_dir_all(&hooks).expect("a folder");
    assert!(install(&hooks, Path::new(program)).expect("installed"));
    let root = Root::new(folder.path());
    (folder, root)
}

fn seen(root: &Root) -> HookAccess {
    read(root).known().expect("readable").clone()
}

const ENFORCED: &str = "libvirtd (enforce)\nlibvirt-11111111 (enforce)\nvirtqemud (complain)\n";

#[test]
fn a_node_without_policies_lets_the_hook_run() {
    let (_folder, root) = node("/usr/local/bin/accelnet");
    let expected = HookAccess {
        program: Some("/usr/local/bin/accelnet".to_owned()),
        ..HookAccess::default()
    };
    assert_eq!(seen(&root), expected);
    let bare = tempfile::tempdir().expect("a folder");
    let root = Root::new(bare.path());
    assert!(read(&root).reason().is_some(), "nothing is known of it");
    std::fs::create_dir(bare.path().join("etc")).expect("a folder");
    assert_eq!(seen(&root), HookAccess::default());
}

#[test]
fn an_enforced_profile_allows_the_systems_folders_and_what_is_added() {
    let (folder, root) = node("/usr/local/bin/accelnet");
    write(
        folder.path(),
        "sys/kernel/security/apparmor/profiles",
        ENFORCED,
    );
    assert_eq!(seen(&root).apparmor, ["libvirtd"]);
    let local = "etc/apparmor.d/local/usr.sbin.libvirtd";
    write(
        folder.path(),
        local,
        "# own\n\"/usr/local/bin/accelnet\" PUx,\n",
    );
    assert_eq!(seen(&root).apparmor, [""; 0]);
    let (folder, root) = node("/usr/bin/accelnet");
    write(
        folder.path(),
        "sys/kernel/security/apparmor/profiles",
        ENFORCED,
    );
    assert_eq!(seen(&root).apparmor, [""; 0]);
}

#[test]
fn selinux_needs_its_boolean() {
    let (folder, root) = node("/usr/local/bin/it's accelnet");
    assert_eq!(
        seen(&root).program.as_deref(),
        Some("/usr/local/bin/it's accelnet")
    );
    write(folder.path(), "sys/fs/selinux/enforce", "1");
    write(
        folder.path(),
        "sys/fs/selinux/booleans/virt_hooks_unconfined",
        "0 0",
    );
    assert!(seen(&root).selinux);
    write(
        folder.path(),
        "sys/fs/selinux/booleans/virt_hooks_unconfined",
        "1 1",
    );
    assert!(!seen(&root).selinux);
}

#[test]
fn a_rule_means_the_path_as_it_stands() {
    assert_eq!(rule("/opt/a b/accelnet"), "\"/opt/a b/accelnet\" PUx,");
    assert_eq!(
        rule("/opt/{x}*/accelnet"),
        "\"/opt/\\{x\\}\\*/accelnet\" PUx,"
    );
}
