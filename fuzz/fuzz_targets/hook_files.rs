//! The files in /run that libvirt's hook reads: whatever lies there, the hook works, the outcome that it notes can
//! be read, and it writes nothing elsewhere.

#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use accelnet_host::hook::{Edge, Operation, let_in, serve};
use accelnet_libvirt::xml::{Definition, DomainXml};
use accelnet_model::hook_config::{FOLDER, POOLS, VfOutcome, HookConfig};
use accelnet_pci::Root;
use accelnet_sim::{AdapterSpec, Port, SimHost, Tree};
use libfuzzer_sys::fuzz_target;

const CREATED: &str = include_str!("../../crates/host/src/hook/port-created.xml");
const UUID: &str = "11111111-2222-4333-8444-555555555555";
/// A VM with a VF of a pool, which comes from another node.
const COMING: &str = "<domain type='kvm'><name>vm1</name><uuid>11111111-2222-4333-8444-555555555555</uuid><devices>
    <interface type='network'><mac address='52:54:00:0d:00:01'/><source network='accelnet-lan-vf'/>
    <teaming type='transient' persistent='ua-lan'/><model type='virtio'/></interface></devices></domain>";

struct Node {
    host: SimHost,
    folder: tempfile::TempDir,
}

static NODE: LazyLock<Node> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |text: &str| text.parse().expect("an address");
    let igb = AdapterSpec::igb(at("0000:01:00.0"), "ens1").vfs(2);
    let igb = igb.sriov(|sriov| sriov.drivers_autoprobe = false);
    let tree = Tree::new().port(Port::root(at("0000:00:01.0"), 1, 2).adapter(igb));
    let host = SimHost::boot(tree, folder.path()).expect("a node");
    for path in [FOLDER, POOLS] {
        fs::create_dir_all(below(folder.path(), path)).expect("a folder");
    }
    let vf = "/sys/bus/pci/devices/0000:01:10.2/sriov_vf_msix_count";
    fs::write(below(folder.path(), vf), "").expect("a driver that has it");
    Node { host, folder }
});

fn below(folder: &Path, path: &str) -> std::path::PathBuf {
    folder.join(path.trim_start_matches('/'))
}

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else {
        return;
    };
    let folder = NODE.folder.path();
    let vms = below(folder, FOLDER);
    let (wish, outcome) = (
        vms.join(format!("{UUID}.json")),
        vms.join(format!("{UUID}.outcome.json")),
    );
    let file = match which % 3 {
        0 => &wish,
        1 => &outcome,
        _ => return comes(data),
    };
    for old in [&wish, &outcome] {
        drop(fs::remove_file(old));
    }
    fs::write(file, data).expect("written");
    let root = Root::new(folder);
    let edge = Edge {
        root: &root,
        links: &NODE.host.kernel,
        knobs: &NODE.host.kernel,
    };
    for operation in [Operation::Created, Operation::Deleted] {
        drop(serve(&edge, operation, CREATED));
        if file == &wish {
            let noted = fs::read(&outcome).ok();
            let noted = noted.map(|noted| serde_json::from_slice::<VfOutcome>(&noted));
            assert!(noted.is_none_or(|noted| noted.is_ok()), "the outcome can be read");
        }
    }
    if let Ok(read) = serde_json::from_slice::<HookConfig>(data) {
        let text = serde_json::to_vec(&read).expect("JSON");
        assert_eq!(serde_json::from_slice::<HookConfig>(&text).expect("the same"), read);
    }
    let names = fs::read_dir(&vms).expect("a folder").flatten();
    assert!(names.count() <= 2, "nothing else is written");
});

/// A VM comes from another node while the pool is so.
fn comes(data: &[u8]) {
    let folder = NODE.folder.path();
    let root = Root::new(folder);
    fs::write(below(folder, POOLS).join("accelnet-lan-vf.json"), data).expect("written");
    if let Some(changed) = let_in(&root, &DomainXml::parse(COMING).expect("a domain")) {
        let read = Definition::parse(&changed);
        assert!(read.is_ok(), "{read:?} of {changed}");
    }
}
