//! The node's own network: leases and their keepers, rules that name an uplink, and macvtaps.

use std::time::Duration;

use accelnet_api::types::{Fault, IntentAdd, IntentChanged, IntentSet, Severity};
use accelnet_host::Clock;
use accelnet_model::Code;
use accelnet_model::intent::Role;
use accelnet_model::switch::Mention;
use accelnet_sim::{DomainSpec, NicSpec};

use crate::fixture::{Fixture, INTENT, WHO, intent_add, mac};

const COMPUTE: &[Role] = &[Role::Compute];
const IP: &str = "192.0.2.4";
const BRIDGE: &str = "acn-MyIntent";
const LEASE: Duration = Duration::from_secs(900);
const EXPIRES: &str = "Address 192.0.2.4/24 runs out at 2026-01-02T03:19:05Z: no program known to accelnet renews it on acn-MyIntent, and the node is without it from then on.";

/// The usual node, whose `ens1` is leased an address.
fn leased() -> Fixture {
    let fixture = Fixture::new();
    let (ip, gateway) = (IP.parse().expect("there"), "192.0.2.1".parse().ok());
    fixture
        .machine
        .switches
        .lease("ens1", ip, 24, gateway, LEASE);
    fixture
}

/// Writes a file of the node.
fn write(fixture: &Fixture, path: &str, text: &str) {
    let path = fixture.machine.kernel.root().locate(path);
    std::fs::create_dir_all(path.parent().expect("there")).expect("there");
    std::fs::write(path, text).expect("there");
}

fn index(fixture: &mut Fixture, link: &str) -> u32 {
    let node = fixture
        .machine
        .kernel
        .root()
        .text(&format!("/sys/class/net/{link}/ifindex"));
    node.expect("there").parse().expect("there")
}

/// networkd configures a link, by a file with this text.
fn networkd(fixture: &mut Fixture, link: &str, text: &str) {
    let index = index(fixture, link);
    let file = format!("/etc/systemd/network/05-{link}.network");
    let state = format!("ADMIN_STATE=configured\nNETWORK_FILE={file}\n");
    write(
        fixture,
        &format!("/run/systemd/netif/links/{index}"),
        &state,
    );
    write(fixture, &file, text);
}

fn dry_run(fixture: &mut Fixture) -> IntentChanged {
    let request = IntentAdd {
        dry_run: true,
        ..intent_add(INTENT, COMPUTE, &["ens1"])
    };
    fixture.agent().add_intent(WHO, &request).expect("planned")
}

fn add(fixture: &mut Fixture) -> IntentChanged {
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared")
}

fn status_warnings(fixture: &Fixture) -> Vec<String> {
    fixture.status_of(INTENT).expect("a status").warnings
}

fn fault(fixture: &Fixture) -> Option<Fault> {
    let mut faults = fixture.report().faults.into_iter();
    faults.find(|fault| fault.code == Code::AddressExpires)
}

fn wait(fixture: &Fixture, time: Duration) {
    fixture.machine.kernel.sleep(time);
}

#[test]
fn a_lease_is_warned_of_everywhere_and_a_fault_until_it_is_renewed_on_the_bridge() {
    let mut fixture = leased();
    networkd(
        &mut fixture,
        "ens1",
        "[Match]\nName=ens1\n[Network]\nDHCP=yes\n",
    );
    let planned = dry_run(&mut fixture);
    assert_eq!(planned.warnings.len(), 2, "{:#?}", planned.warnings);
    assert!(
        planned.warnings[0].starts_with(
            "systemd-networkd configures ens1 by /etc/systemd/network/05-ens1.network,"
        ),
        "{}",
        planned.warnings[0]
    );
    assert_eq!(planned.warnings[1], EXPIRES);
    assert_eq!(fault(&fixture), None, "nothing was taken");
    // In the answer, in the status, in the plan, and for as long as they hold.
    assert_eq!(add(&mut fixture).warnings, planned.warnings);
    assert_eq!(status_warnings(&fixture), planned.warnings);
    assert_eq!(
        fixture.agent().plan().expect("a plan").warnings,
        planned.warnings
    );
    let raised = fault(&fixture).expect("a fault");
    assert_eq!(
        (raised.severity, &*raised.subject),
        (Severity::Warning, INTENT)
    );
    assert_eq!(
        raised.message,
        "Address 192.0.2.4/24 of acn-MyIntent is not renewed."
    );
    assert_eq!(
        raised.found,
        "It runs out at 2026-01-02T03:19:05Z: no program known to accelnet renews it on acn-MyIntent."
    );
    wait(&fixture, Duration::from_secs(100));
    fixture.reconcile();
    assert_eq!(status_warnings(&fixture), planned.warnings);
    assert_eq!(fault(&fixture), Some(raised));
    let set = IntentSet {
        vfs: Some(2),
        dry_run: true,
        ..IntentSet::default()
    };
    assert_eq!(
        fixture.set_intent(&set).expect("planned").warnings,
        planned.warnings
    );
    // networkd learns of the bridge.
    networkd(
        &mut fixture,
        "ens1",
        "[Match]\nName=ens1\n[Network]\nBridge=acn-MyIntent\n",
    );
    networkd(
        &mut fixture,
        BRIDGE,
        "[Match]\nName=acn-MyIntent\n[Network]\nDHCP=yes\n",
    );
    fixture.reconcile();
    assert_eq!(status_warnings(&fixture), [""; 0]);
    assert_eq!(fault(&fixture), None);
    // It renews at half time, and once it does not.
    wait(&fixture, Duration::from_secs(350));
    fixture.machine.switches.renew(IP.parse().unwrap(), LEASE);
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
    wait(&fixture, Duration::from_secs(700));
    fixture.reconcile();
    assert_eq!(fault(&fixture), None, "it has 200 s left");
    wait(&fixture, Duration::from_secs(100));
    fixture.reconcile();
    let message = fault(&fixture).expect("a fault").found;
    assert!(
        message
            .ends_with("It runs out at 2026-01-02T03:26:35Z: systemd-networkd has not renewed it."),
        "{message}"
    );
}

#[test]
fn an_address_that_ran_out_stays_a_fault_until_the_bridge_has_one_again() {
    let mut fixture = leased();
    let added = add(&mut fixture);
    assert_eq!(added.warnings, [EXPIRES]);
    assert_eq!(
        fault(&fixture).expect("a fault").severity,
        Severity::Warning
    );
    wait(&fixture, LEASE);
    fixture.reconcile();
    let over = fault(&fixture).expect("a fault");
    assert_eq!(over.severity, Severity::Error);
    assert!(
        over.found.contains("It ran out at 2026-01-02T03:19:05Z"),
        "{over:?}"
    );
    fixture.reconcile();
    assert_eq!(fault(&fixture).as_ref(), Some(&over));
    let other = "192.0.2.9".parse().unwrap();
    fixture.machine.switches.address(BRIDGE, other, 24, None);
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
    assert_eq!(status_warnings(&fixture), [""; 0]);
}

#[test]
fn what_an_intent_took_is_no_fault_any_more_once_the_intent_is_gone() {
    let mut fixture = leased();
    let _ = add(&mut fixture);
    assert!(fault(&fixture).is_some());
    fixture
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect("removed");
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
}

#[test]
fn a_client_that_is_not_known_has_half_the_lease_on_a_bridge_that_others_made() {
    let mut fixture = Fixture::new();
    let switches = fixture.machine.switches.clone();
    switches.create_bridge_externally("br0", &["ens1"]);
    let ip = IP.parse().unwrap();
    switches.lease("br0", ip, 24, None, LEASE);
    let _ = add(&mut fixture);
    assert_eq!(fault(&fixture), None);
    wait(&fixture, Duration::from_secs(440));
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
    // Its client renews it, and is trusted from then on.
    switches.renew(ip, LEASE);
    fixture.reconcile();
    wait(&fixture, Duration::from_secs(460));
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
    wait(&fixture, Duration::from_secs(340));
    fixture.reconcile();
    assert!(fault(&fixture).is_some());
}

/// A DHCP client and each program with files of its own, on a node with nothing else.
#[test]
fn each_keeper_is_named() {
    let files: &[(&str, &[(&str, &str)])] = &[
        (
            "NetworkManager configures ens1 by /etc/NetworkManager/system-connections/lan.nmconnection,",
            &[
                (
                    "/run/NetworkManager/devices/INDEX",
                    "[device]\nmanaged=true\nconnection-uuid=x\n",
                ),
                (
                    "/etc/NetworkManager/system-connections/lan.nmconnection",
                    "[connection]\nid=lan\nuuid=x\n[ipv4]\nmethod=auto\n",
                ),
            ],
        ),
        (
            "netplan configures ens1 by /etc/netplan/50-cloud-init.yaml,",
            &[
                (
                    "/run/systemd/netif/links/INDEX",
                    "ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-ens1.network\n",
                ),
                (
                    "/run/systemd/network/10-netplan-ens1.network",
                    "[Network]\nDHCP=ipv4\n",
                ),
                (
                    "/etc/netplan/50-cloud-init.yaml",
                    "network:\n  ethernets:\n    ens1:\n      dhcp4: true\n",
                ),
            ],
        ),
        (
            "ifupdown configures ens1 by /etc/network/interfaces,",
            &[
                ("/sbin/ifup", ""),
                (
                    "/etc/network/interfaces",
                    "auto ens1\niface ens1 inet dhcp\n",
                ),
            ],
        ),
        (
            "dhclient (process 812) renews a lease on ens1,",
            &[
                ("/proc/812/comm", "dhclient\n"),
                ("/proc/812/cmdline", "dhclient\0ens1\0"),
            ],
        ),
    ];
    for (begins, files) in files {
        let mut fixture = leased();
        let index = index(&mut fixture, "ens1").to_string();
        for (path, text) in *files {
            write(&fixture, &path.replace("INDEX", &index), text);
        }
        let planned = dry_run(&mut fixture);
        assert_eq!(
            planned.warnings.len(),
            2,
            "{begins}: {:#?}",
            planned.warnings
        );
        assert!(
            planned.warnings[0].starts_with(begins),
            "{}",
            planned.warnings[0]
        );
        assert_eq!(planned.warnings[1], EXPIRES);
        assert_eq!(add(&mut fixture).warnings, planned.warnings);
    }
}

#[test]
fn what_names_the_uplink_is_looked_for_when_it_becomes_a_port_and_until_it_is_gone() {
    let mut fixture = leased();
    let switches = fixture.machine.switches.clone();
    let rule = Mention::PolicyRule {
        rule: "100: from all iif ens1 lookup 7".to_owned(),
    };
    switches.mention("ens1", &[rule]);
    let names = |warnings: &[String]| {
        let mut warnings = warnings.iter();
        warnings
            .any(|one| one.starts_with("ip rule names ens1: '100: from all iif ens1 lookup 7'."))
    };
    assert!(names(&dry_run(&mut fixture).warnings));
    assert!(names(&add(&mut fixture).warnings));
    let asked = switches.mentions_asked();
    for _ in 0..3 {
        fixture.reconcile();
        assert!(names(&status_warnings(&fixture)));
    }
    assert_eq!(switches.mentions_asked(), asked, "not for every look");
    switches.mention("ens1", &[]);
    wait(&fixture, Duration::from_secs(301));
    fixture.reconcile();
    assert!(!names(&status_warnings(&fixture)));
    let asked = switches.mentions_asked();
    wait(&fixture, Duration::from_secs(301));
    fixture.reconcile();
    assert_eq!(switches.mentions_asked(), asked, "nothing named it");
}

#[test]
fn a_bridge_that_others_made_is_their_own_affair() {
    let mut fixture = Fixture::new();
    let switches = fixture.machine.switches.clone();
    switches.create_bridge_externally("br0", &["ens1"]);
    assert_eq!(add(&mut fixture).warnings, [""; 0]);
    fixture.reconcile();
    assert_eq!(switches.mentions_asked(), 0);
}

#[test]
fn a_vm_with_a_macvtap_on_the_uplink_keeps_it_or_is_named() {
    let mut fixture = Fixture::new();
    let vm = DomainSpec::new("web01", 1, 4).nic(NicSpec::on_link(mac(1), "ens1"));
    fixture.machine.vms.add(&vm).expect("defined");
    fixture.machine.vms.virsh_start("web01").expect("started");
    fixture.reconcile();
    let refused = fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect_err("in use");
    assert_eq!(refused.code, Code::UplinkUnfit);
    assert_eq!(
        refused.found,
        "These VMs run with a macvtap on ens1: web01."
    );
    assert!(!fixture.machine.kernel.node().has_link(BRIDGE));
    fixture.machine.vms.virsh_stop("web01").expect("stopped");
    fixture.reconcile();
    let added = add(&mut fixture);
    assert_eq!(added.warnings.len(), 1, "{:#?}", added.warnings);
    assert!(
        added.warnings[0].contains("do not start: web01."),
        "{:#?}",
        added.warnings
    );
    let failed = fixture
        .machine
        .vms
        .virsh_start("web01")
        .expect_err("a port");
    assert!(
        failed.to_string().contains("Device or resource busy"),
        "{failed}"
    );
}

#[test]
fn a_network_of_libvirts_that_names_the_uplink_is_named_and_so_are_its_vms() {
    use accelnet_host::Vms;
    let mut fixture = Fixture::new();
    let vms = fixture.machine.vms.clone();
    for xml in [
        "<network><name>routed</name><forward mode='nat' dev='ens1'/></network>",
        "<network><name>taps</name><forward mode='bridge'><interface dev='ens1'/></forward></network>",
        "<network><name>other</name><forward mode='nat' dev='ens2'/></network>",
    ] {
        vms.define_network(xml, false).expect("defined");
    }
    fixture.define_on("web01", 1, 4, "taps");
    fixture.reconcile();
    let warnings = add(&mut fixture).warnings;
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(
        warnings[0].contains("do not start: web01."),
        "{warnings:#?}"
    );
    assert!(
        warnings[1].starts_with("Networks of libvirt forward to ens1: routed, taps."),
        "{warnings:#?}"
    );
}
