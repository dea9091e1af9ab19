//! libvirt's network hook, on nodes that never existed, with what libvirt 11.3 handed over.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use accelnet_host::Links;
use accelnet_host::hook::{self, Edge, Operation, coming};
use accelnet_libvirt::xml::DomainXml;
use accelnet_model::adapter::EswitchMode;
use accelnet_model::hook_config::{HookConfig, VfOutcome};
use accelnet_model::link::{Channels, DriverInfo, Link};
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};
use accelnet_model::{Mac, PciAddress};
use accelnet_netlink::{FdbEntry, NetlinkError, VfChange};
use accelnet_pci::Root;
use accelnet_sim::{AdapterSpec, Fault, Port, SimHost, Tree};

const CREATED: &str = include_str!("../src/hook/port-created.xml");
const BRIDGE: &str = include_str!("../src/hook/port-created-bridge.xml");
const UUID: &str = "11111111-2222-4333-8444-555555555555";
const OWN: Mac = Mac([0x52, 0x54, 0, 0xd, 0, 1]);
const OTHER: Mac = Mac([0x52, 0x54, 0, 0xd, 0, 2]);

/// A node with two VFs, of which libvirt chose the second: 0000:01:10.2.
struct Bench {
    host: SimHost,
    folder: tempfile::TempDir,
    links: Settable,
}

/// Links whose VFs can be set.
struct Settable {
    links: Vec<Link>,
    vfs: RefCell<Vec<VfSettings>>,
    refuses: bool,
}

fn pf() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

fn config() -> HookConfig {
    HookConfig {
        mac: OWN,
        max_tx_rate_mbps: 500,
        max_tx_rate_mbps_by_pf: BTreeMap::new(),
        min_tx_rate_mbps: 0,
        vlan: Some(42),
        spoof_check: false,
        trust: true,
        queue_pairs: Some(4),
    }
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let igb = AdapterSpec::igb(pf(), "ens1").vfs(2);
    let igb = igb.sriov(|sriov| sriov.drivers_autoprobe = false);
    let port = Port::root("0000:00:01.0".parse().expect("an address"), 1, 2).adapter(igb);
    let host = SimHost::boot(Tree::new().port(port), folder.path()).expect("a node");
    let links = host.kernel.links().expect("links");
    let vfs = (0..2).map(untouched).collect();
    Bench {
        host,
        folder,
        links: Settable {
            links,
            vfs: RefCell::new(vfs),
            refuses: false,
        },
    }
}

impl Bench {
    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    fn config_with(self, config: &HookConfig) -> Self {
        let path = self.path(&format!("run/accelnet/vms/{UUID}.json"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, serde_json::to_vec(config).expect("JSON")).expect("written");
        self
    }

    fn serve(&self, operation: Operation, xml: &str) -> Vec<String> {
        let root = Root::new(self.folder.path());
        let edge = Edge {
            root: &root,
            links: &self.links,
            knobs: &self.host.kernel,
        };
        hook::serve(&edge, operation, xml)
    }

    fn vf(&self) -> VfSettings {
        self.links.vfs.borrow()[1].clone()
    }

    /// As libvirt does after the hook.
    fn libvirt_sets_mac(&self, mac: Mac) {
        self.links.vfs.borrow_mut()[1].mac = mac;
    }

    fn outcome(&self) -> Option<VfOutcome> {
        let path = self.path(&format!("run/accelnet/vms/{UUID}.outcome.json"));
        let bytes = fs::read(path).ok()?;
        Some(serde_json::from_slice(&bytes).expect("an outcome"))
    }
}

impl Links for Settable {
    fn links(&self) -> Result<Vec<Link>, NetlinkError> {
        Ok(self.links.clone())
    }

    fn links_in(&self, _file: &Path) -> Result<Vec<Link>, NetlinkError> {
        Ok(Vec::new())
    }

    fn vf_settings(&self, link: &Link) -> Result<Vec<VfSettings>, NetlinkError> {
        assert_eq!(link.name, "ens1");
        Ok(self.vfs.borrow().clone())
    }

    fn set_vf(
        &self,
        index: u32,
        vf: u32,
        change: VfChange,
    ) -> Result<Option<String>, NetlinkError> {
        assert!(self.links.iter().any(|link| link.index == index));
        if self.refuses {
            return Err(NetlinkError::CutShort {
                got: 0,
                expected: 1,
            });
        }
        let vf = &mut self.vfs.borrow_mut()[vf as usize];
        match change {
            VfChange::Mac(mac) => vf.mac = mac,
            VfChange::Vlan { id, qos, .. } => (vf.vlan, vf.qos) = (id, qos),
            VfChange::Rate { min, max } => (vf.min_tx_rate, vf.max_tx_rate) = (min, max),
            VfChange::SpoofCheck(on) => vf.spoof_check = Some(on),
            VfChange::Trust(on) => vf.trust = Some(on),
            VfChange::LinkState(state) => vf.link_state = Some(state),
        }
        Ok(None)
    }

    fn take_in(&self, _index: u32, _mac: Mac, _on: bool) -> Result<bool, NetlinkError> {
        panic!("the hook changes VFs alone")
    }

    fn fdb(&self) -> Result<Vec<FdbEntry>, NetlinkError> {
        panic!("the hook looks at VFs alone")
    }

    fn unlearn(&self, _port: u32, _mac: Mac, _vlan: u16) -> Result<(), NetlinkError> {
        panic!("the hook changes VFs alone")
    }

    fn learn(&self, _port: u32, _mac: Mac, _vlan: u16) -> Result<(), NetlinkError> {
        panic!("the hook changes VFs alone")
    }

    fn set_learning(&self, _port: u32, _on: bool) -> Result<(), NetlinkError> {
        panic!("the hook changes VFs alone")
    }

    fn driver_info(&self, _name: &str) -> io::Result<DriverInfo> {
        Ok(DriverInfo::default())
    }

    fn channels(&self, _name: &str) -> io::Result<Option<Channels>> {
        Ok(None)
    }

    fn eswitch_mode(&self, _address: PciAddress) -> Result<Option<EswitchMode>, NetlinkError> {
        Ok(None)
    }
}

fn untouched(index: u32) -> VfSettings {
    VfSettings {
        index,
        mac: Mac::ZERO,
        vlan: 0,
        qos: 0,
        vlan_protocol: VlanProtocol::Dot1Q,
        max_tx_rate: 0,
        min_tx_rate: 0,
        spoof_check: Some(true),
        trust: Some(false),
        link_state: Some(VfLinkState::Auto),
        rss_query: None,
    }
}

#[test]
fn a_vf_is_set_and_put_back() {
    let bench = bench().config_with(&config());
    let knob = bench.path("sys/bus/pci/devices/0000:01:10.2/sriov_vf_msix_count");
    fs::write(&knob, "").expect("a driver that has it");
    assert_eq!(bench.serve(Operation::Created, CREATED), [""; 0]);
    let vf = bench.vf();
    assert_eq!((vf.min_tx_rate, vf.max_tx_rate), (0, 500));
    assert_eq!((vf.spoof_check, vf.trust), (Some(false), Some(true)));
    assert_eq!((vf.mac, vf.vlan), (Mac::ZERO, 0), "libvirt's own to set");
    assert_eq!(fs::read_to_string(&knob).expect("read"), "5");
    let outcome = bench.outcome().expect("an outcome");
    assert_eq!(outcome.operation, "port-created");
    assert_eq!(
        (outcome.pf.as_deref(), outcome.index),
        (Some("ens1"), Some(1))
    );
    assert_eq!(
        outcome.done,
        [
            "set the rate to 0..500 Mb/s",
            "switch spoof check off",
            "switch trust on",
            "set 5 MSI-X vectors"
        ]
    );
    assert_eq!(
        *bench.links.vfs.borrow().first().expect("a VF"),
        untouched(0)
    );

    // A driver that keeps the MAC, or libvirt's restoring it: it must not stay.
    bench.libvirt_sets_mac(OWN);
    assert_eq!(bench.serve(Operation::Deleted, CREATED), [""; 0]);
    assert_eq!(bench.vf(), untouched(1));
    assert_eq!(fs::read_to_string(&knob).expect("read"), "0");
    assert_eq!(
        bench.outcome().expect("an outcome").operation,
        "port-deleted"
    );
}

/// The driver refuses what it does not have; the hook does not end in the middle of its work.
#[test]
fn a_config_of_any_number_of_queue_pairs_is_tried() {
    let config = HookConfig {
        queue_pairs: Some(u32::MAX),
        ..config()
    };
    let bench = bench().config_with(&config);
    let knob = bench.path("sys/bus/pci/devices/0000:01:10.2/sriov_vf_msix_count");
    fs::write(&knob, "").expect("a driver that has it");
    let _ = bench.serve(Operation::Created, CREATED);
    assert_eq!(fs::read_to_string(&knob).expect("read"), "4294967295");
    assert!(bench.outcome().is_some());
}

#[test]
fn a_config_that_cannot_be_read_leaves_a_short_outcome() {
    let bench = bench();
    let file = bench.path(&format!("run/accelnet/vms/{UUID}.json"));
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    let long = format!(r#"{{"{}":0}}"#, "x".repeat(60_000));
    fs::write(file, long).expect("written");
    let failures = bench.serve(Operation::Created, CREATED);
    assert!(
        failures.iter().all(|words| words.len() < 1000),
        "{failures:?}"
    );
    assert_eq!(bench.outcome().expect("an outcome").failures, failures);
}

#[test]
fn a_second_time_changes_nothing() {
    let bench = bench().config_with(&config());
    let _ = bench.serve(Operation::Created, CREATED);
    let _ = bench.serve(Operation::Created, CREATED);
    assert_eq!(bench.outcome().expect("an outcome").done, [""; 0]);
}

#[test]
fn a_vf_is_put_back_when_the_config_has_gone() {
    let bench = bench().config_with(&config());
    let _ = bench.serve(Operation::Created, CREATED);
    let file = bench.path(&format!("run/accelnet/vms/{UUID}.json"));
    fs::remove_file(file).expect("removed");
    assert_eq!(bench.serve(Operation::Deleted, CREATED), [""; 0]);
    assert_eq!(bench.vf(), untouched(1));
}

#[test]
fn vms_that_are_not_accelnets_are_left_alone() {
    let without = bench();
    let of_another_nic = bench().config_with(&HookConfig {
        mac: OTHER,
        ..config()
    });
    for bench in [without, of_another_nic] {
        bench.links.vfs.borrow_mut()[1].max_tx_rate = 7;
        for operation in [Operation::Created, Operation::Deleted] {
            assert_eq!(bench.serve(operation, CREATED), [""; 0]);
            assert_eq!(bench.serve(operation, BRIDGE), [""; 0]);
        }
        assert_eq!(bench.vf().max_tx_rate, 7);
        assert_eq!(bench.outcome(), None);
    }
}

#[test]
fn a_vf_of_another_user_is_left_alone() {
    let bench = bench().config_with(&config());
    let node = bench.host.kernel.node();
    node.bind_vf(pf(), 1, "vfio-pci").expect("bound");
    drop(node);
    bench.host.kernel.break_with(Fault::GroupsTaken);
    bench.libvirt_sets_mac(OTHER);
    let before = bench.vf();
    for operation in [Operation::Created, Operation::Deleted] {
        let failures = bench.serve(operation, CREATED);
        assert_eq!(
            failures,
            ["VF 0000:01:10.2 belongs to another VM and remains unchanged"]
        );
        assert_eq!(bench.vf(), before);
        assert_eq!(bench.outcome().expect("an outcome").failures, failures);
    }
    // Its own VM has it: libvirt restarted.
    bench.libvirt_sets_mac(OWN);
    assert_eq!(bench.serve(Operation::Created, CREATED), [""; 0]);
    assert_eq!(bench.vf().max_tx_rate, 500);
}

#[test]
fn failures_are_noted() {
    let mut refusing = bench().config_with(&config());
    refusing.links.refuses = true;
    let failures = refusing.serve(Operation::Created, CREATED);
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert!(failures[0].starts_with("failed to "), "{failures:?}");
    assert_eq!(refusing.outcome().expect("an outcome").failures, failures);

    let vlan = bench().config_with(&HookConfig {
        vlan: Some(43),
        ..config()
    });
    let failures = vlan.serve(Operation::Created, CREATED);
    assert!(failures[0].contains("VLAN"), "{failures:?}");

    let gone = CREATED.replace(
        "slot='0x10' function='0x2'/>\n    </plug>",
        "slot='0x1f' function='0x2'/></plug>",
    );
    let failures = bench()
        .config_with(&config())
        .serve(Operation::Created, &gone);
    assert!(failures[0].contains("0000:01:1f.2"), "{failures:?}");

    let strange = bench().config_with(&config());
    let file = strange.path(&format!("run/accelnet/vms/{UUID}.json"));
    fs::write(file, "{").expect("written");
    let failures = strange.serve(Operation::Created, CREATED);
    assert!(failures[0].contains(".json"), "{failures:?}");
    assert_eq!(strange.vf(), untouched(1));
}

#[test]
fn what_is_no_port_is_harmless() {
    let bench = bench().config_with(&config());
    for text in ["", "<hookData/>", &CREATED[..700]] {
        assert_eq!(bench.serve(Operation::Created, text).len(), 1);
    }
    let outside = CREATED.replace(UUID, "../../../../../etc/passwd");
    let failures = bench.serve(Operation::Created, &outside);
    assert!(failures[0].contains("is no UUID"), "{failures:?}");
    assert_eq!(Operation::from_word("started"), None);
    assert_eq!(hook::run(std::iter::empty(), io::empty()), 0);
    let words = ["network", "pool", "started", "begin", "-"];
    assert_eq!(hook::run(words.map(Into::into).into_iter(), io::empty()), 0);
}

#[test]
fn the_script_is_written_once() {
    let hooks = tempfile::tempdir().expect("a folder");
    let program = Path::new("/opt/no such/accelnet");
    assert!(hook::differs(hooks.path(), program));
    assert!(hook::install(hooks.path(), program).expect("written"));
    assert!(!hook::differs(hooks.path(), program));
    assert!(!hook::install(hooks.path(), program).expect("there"));
    let script = hooks.path().join("network.d/accelnet");
    let text = fs::read_to_string(&script).expect("a script");
    assert!(text.contains("accelnet='/opt/no such/accelnet'"), "{text}");
    let run = std::process::Command::new(&script)
        .args(["pool", "port-created", "begin", "-"])
        .env("PATH", "/usr/bin:/bin")
        .stdin(std::process::Stdio::null())
        .status();
    assert!(run.expect("run").success(), "also without accelnet");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).expect("set");
    assert!(hook::differs(hooks.path(), program));
    assert!(hook::install(hooks.path(), program).expect("repaired"));
    let names = fs::read_dir(hooks.path().join("network.d")).expect("a folder");
    assert_eq!(names.count(), 1);
}

#[test]
fn the_vf_of_a_vm_that_comes_has_no_mac_until_its_agent_sets_it() {
    let xml = format!("<domain type='kvm'><name>web</name><uuid>{UUID}</uuid></domain>");
    let bench = bench().config_with(&config());
    let root = Root::new(bench.folder.path());
    let edge = Edge {
        root: &root,
        links: &bench.links,
        knobs: &bench.host.kernel,
    };
    assert!(!coming::forget(&root, &xml), "an ordinary start");
    coming::note(&root, &DomainXml::parse(&xml).expect("a domain")).expect("a note");
    assert_eq!(bench.serve(Operation::Created, CREATED), [""; 0]);
    bench.libvirt_sets_mac(OWN);
    assert!(coming::forget(&root, &xml) && !coming::forget(&root, &xml));
    // Without an agent it would stay so.
    coming::remove_mac(&edge, &xml).expect("nothing");
    assert_eq!(bench.vf().mac, OWN);
    let socket = bench.path("run/accelnet/agent.sock");
    let _agent = std::os::unix::net::UnixListener::bind(socket).expect("a socket");
    coming::remove_mac(&edge, &xml).expect("the MAC removed");
    assert_eq!(bench.vf().mac, Mac::ZERO);
    // Of a VM without a setting nothing is noted.
    let other = xml.replace(UUID, "22222222-2222-4333-8444-555555555555");
    coming::note(&root, &DomainXml::parse(&other).expect("a domain")).expect("nothing");
    assert!(!coming::forget(&root, &other));
}
