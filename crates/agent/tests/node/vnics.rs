//! Settings of vNICs: carried over to the VF, or the VF is refused, and taken when they change.

use accelnet_api::types::{EventKind, Path, State};
use accelnet_host::{Links, Switches, Vms};
use accelnet_libvirt::xml::Definition;
use accelnet_model::switch::SwitchStep;
use accelnet_model::vf::VfSettings;
use accelnet_model::{Code, Performance};

use crate::fixture::{Fixture, INTENT, enable, refused};
use crate::invariants;

const LOW: Performance = Performance::Low;
const MEDIUM: Performance = Performance::Medium;

/// `web`, whose vNIC has `element` in its definition, too.
fn with(fixture: &Fixture, element: &str) {
    fixture.define("web", 1, 4);
    edit(fixture, element);
}

fn edit(fixture: &Fixture, element: &str) {
    let model = "<model type='virtio'/>";
    let both = format!("{element}{model}");
    let edit = |xml: String| xml.replacen(model, &both, 1);
    fixture.machine.vms.virsh_edit("web", edit).expect("edited");
}

fn set_live(fixture: &Fixture, from: &str, to: &str) {
    let edit = |xml: String| xml.replacen(from, to, 1);
    fixture
        .machine
        .vms
        .virsh_update_live("web", edit)
        .expect("edited");
}

/// The settings of the VF that `web` has; none without one.
fn vf(fixture: &Fixture) -> Option<VfSettings> {
    let (vf, _) = fixture.machine.vms.vfs_in_use().into_iter().next()?;
    let kernel = &fixture.machine.kernel;
    let (pf, index) = kernel.node().vf_at(vf)?;
    let links = kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(pf))?;
    let all = kernel.vf_settings(link).expect("settings");
    all.into_iter().find(|one| one.index == u32::from(index))
}

/// The VLANs that libvirt puts the interfaces of a definition into, in order.
fn vlans(xml: Option<&String>) -> Vec<Option<u16>> {
    let definition = Definition::parse(xml.expect("a text")).expect("a domain");
    let tag = |vlan: &accelnet_model::port::VnicVlan| vlan.tags.first().copied();
    let vnics = definition.vnics.iter();
    vnics.map(|vnic| vnic.vlan.as_ref().and_then(tag)).collect()
}

fn tap(fixture: &Fixture) -> String {
    let (_, live) = fixture.machine.vms.texts("web");
    let vnics = Definition::parse(&live.expect("running")).expect("a domain");
    let mut targets = vnics.vnics.into_iter().filter_map(|vnic| vnic.target);
    targets.next().expect("a tap")
}

/// The intent on `br0`, which filters VLANs: 1 without a tag and 42 with one on the uplink.
fn on_a_vlan_bridge() -> Fixture {
    let mut fixture = Fixture::new();
    let switches = &fixture.machine.switches;
    switches.create_bridge_externally("br0", &["ens1"]);
    switches.filter_vlans("br0", Some(1));
    switches.set_vlans("ens1", &[(1, true, true), (42, false, false)]);
    fixture.manage("ens1");
    fixture
}

#[test]
fn what_a_vf_would_go_past_is_refused_and_nothing_is_changed() {
    let mut fixture = Fixture::enabled();
    for (element, words) in [
        ("<filterref filter='clean-traffic'/>", "clean-traffic"),
        ("<link state='down'/>", "is down"),
        ("<port isolated='yes'/>", "isolated"),
        (
            "<bandwidth><inbound average='1000'/></bandwidth>",
            "1000 KiB/s",
        ),
        (
            "<bandwidth><inbound average='9' floor='9'/></bandwidth>",
            "9 KiB/s",
        ),
        (
            "<vlan trunk='yes'><tag id='42'/><tag id='47'/></vlan>",
            "42, 47",
        ),
        (
            "<vlan trunk='yes'><tag id='42' nativeMode='untagged'/></vlan>",
            "native",
        ),
        ("<vlan><tag id='42'/></vlan>", "does not filter VLANs"),
        ("<virtualport type='openvswitch'/>", "openvswitch"),
        ("<mtu size='9000'/>", "MTU of 9000"),
    ] {
        with(&fixture, element);
        for now in [false, true] {
            if now {
                fixture.machine.vms.virsh_start("web").expect("started");
            }
            let before = fixture.machine.vms.texts("web");
            let result = fixture.change(&enable("web", LOW, now));
            assert_eq!(refused(&result), Code::VmUnfit, "{element}");
            let problem = result.problem.expect("a problem");
            assert!(problem.found.contains(words), "{element}: {problem:?}");
            assert_eq!(fixture.machine.vms.texts("web"), before, "{element}");
            assert!(fixture.policy().vms.is_empty(), "{element}");
        }
        fixture.machine.vms.virsh_stop("web").expect("stopped");
        fixture
            .machine
            .vms
            .virsh_undefine("web")
            .expect("undefined");
    }
    invariants::hold(&fixture, "refused");
}

#[test]
fn what_somebody_set_of_the_running_vnic_only_is_seen_with_now() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    set_live(&fixture, "<model", "<link state='down'/><model");
    // Its next start has a vNIC whose link is up.
    assert!(fixture.change(&enable("web", LOW, false)).ok);
    assert!(fixture.vm_disable("web").ok);
    let before = fixture.machine.vms.texts("web");
    assert_eq!(
        refused(&fixture.change(&enable("web", LOW, true))),
        Code::VmUnfit
    );
    assert_eq!(fixture.machine.vms.texts("web"), before);
    // Nor past what was set on the port itself.
    set_live(&fixture, "<link state='down'/>", "");
    fixture.machine.switches.isolate(&tap(&fixture));
    assert_eq!(
        refused(&fixture.change(&enable("web", LOW, true))),
        Code::VmUnfit
    );
}

#[test]
fn a_network_and_its_port_group_are_asked_too() {
    let mut fixture = Fixture::enabled();
    let network = |inner: &str| {
        format!(
            "<network><name>lan</name><forward mode='bridge'/><bridge name='acn-{INTENT}'/>{inner}</network>"
        )
    };
    let lan = |fixture: &Fixture, inner: &str| {
        let vms = &fixture.machine.vms;
        vms.stop_network("lan").expect("stopped");
        vms.define_network(&network(inner), true).expect("defined");
        vms.start_network("lan").expect("started");
    };
    fixture.define_on("web", 1, 4, "lan");
    for (inner, words) in [
        ("<port isolated='yes'/>", "Network lan is isolated"),
        (
            "<bandwidth><outbound average='9'/></bandwidth>",
            "its VMs share",
        ),
        (
            "<portgroup name='a'/><portgroup name='b' default='yes'><bandwidth><inbound average='9'/></bandwidth></portgroup>",
            "Port group b of network lan",
        ),
        ("<mtu size='9000'/>", "Network lan has an MTU of 9000"),
    ] {
        lan(&fixture, inner);
        let result = fixture.vm_enable("web", LOW);
        assert_eq!(refused(&result), Code::VmUnfit, "{inner}");
        let found = result.problem.expect("a problem").found;
        assert!(found.contains(words), "{found}");
    }
    lan(
        &fixture,
        "<portgroup name='b'><port isolated='yes'/></portgroup>",
    );
    assert!(fixture.vm_enable("web", LOW).ok, "not its port group");
}

#[test]
fn an_outbound_limit_is_the_rate_of_the_vf_where_it_is_the_lower_one() {
    // 10 % of 1 Gb/s are 100 Mb/s; 2500 KiB/s are 20.
    for (average, rate) in [(2500, 20), (25_000, 100), (1, 1)] {
        let mut fixture = Fixture::enabled();
        let peak = "peak='99999'";
        let outbound = format!("<bandwidth><outbound average='{average}' {peak}/></bandwidth>");
        with(&fixture, &outbound);
        let result = fixture.vm_enable("web", LOW);
        assert!(result.ok, "{result:?}");
        let costs = result.warnings.iter();
        let mut costs = costs.filter(|one| one.code == Code::VmCosts);
        let cost = costs.next().expect("the peak is lost");
        assert!(cost.found.contains("a peak"), "{cost:?}");
        fixture.machine.vms.virsh_start("web").expect("started");
        assert_eq!(
            vf(&fixture).map(|vf| vf.max_tx_rate),
            Some(rate),
            "the hook"
        );
        fixture.reconcile();
        let shown = fixture.vm("web");
        let words = format!("outbound {average} KiB/s");
        let line = shown
            .vnic_settings
            .iter()
            .find(|line| line.contains(&words));
        assert!(line.is_some(), "{shown:?}");
        let verified = shown.verified.iter();
        let mut rates = verified.filter(|one| one.check == "transmit rate");
        assert_eq!(rates.next().and_then(|one| one.ok), Some(true));
        // virsh domiftune
        let before = format!("average='{average}'");
        set_live(&fixture, &before, "average='1250'");
        fixture.reconcile();
        let now = vf(&fixture).map(|vf| vf.max_tx_rate);
        assert_eq!(now, Some(10), "as it is now");
    }
}

#[test]
fn a_larger_mtu_needs_one_of_the_adapter() {
    let mut fixture = Fixture::enabled();
    with(&fixture, "<mtu size='9000'/>");
    let problem = fixture.vm_enable("web", LOW).problem.expect("too small");
    assert!(problem.resolution.contains("ip link set ens1 mtu 9000"));
    let raise = |mtu| SwitchStep::SetMtu {
        link: "ens1".to_owned(),
        mtu,
    };
    fixture
        .machine
        .switches
        .apply(&raise(9000))
        .expect("raised");
    fixture.reconcile();
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert!(fixture.report().faults.is_empty(), "{:?}", fixture.report());
    // Somebody lowers it: the VM keeps its VF, and that is told.
    fixture
        .machine
        .switches
        .apply(&raise(1500))
        .expect("lowered");
    fixture.reconcile();
    let faults = fixture.report().faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].code, Code::VmUnfit);
    assert_eq!(fixture.vm("web").path, Path::Vf);
}

#[test]
fn a_vf_is_in_the_vlan_of_its_port() {
    let mut fixture = on_a_vlan_bridge();
    // What it names, or what a new port gets.
    with(&fixture, "<vlan><tag id='42'/></vlan>");
    fixture.define("plain", 2, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    assert!(fixture.vm_enable("plain", LOW).ok);
    let vms = &fixture.machine.vms;
    assert_eq!(vlans(vms.texts("web").0.as_ref()), [Some(42), Some(42)]);
    assert_eq!(vlans(vms.texts("plain").0.as_ref()), [None, None]);
    vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert_eq!(vf(&fixture).map(|vf| vf.vlan), Some(42));
    let lines = fixture.vm("web").vnic_settings;
    assert_eq!(lines, ["VLAN 42: the adapter puts the VF into it"]);
    invariants::hold(&fixture, "in a VLAN");
}

#[test]
fn a_vf_follows_its_port_into_another_vlan() {
    let mut fixture = on_a_vlan_bridge();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert_eq!(vf(&fixture).map(|vf| vf.vlan), Some(0));
    // bridge vlan add dev vnet2 vid 42 pvid untagged
    let tap = tap(&fixture);
    fixture
        .machine
        .switches
        .set_vlans(&tap, &[(42, true, true)]);
    fixture.reconcile();
    assert_eq!(vf(&fixture).map(|vf| vf.vlan), Some(42));
    fixture.reconcile();
    let (config, _) = fixture.machine.vms.texts("web");
    assert_eq!(vlans(config.as_ref()), [None, Some(42)], "its next start");
    // And a trunk takes it.
    let both = [(42, true, true), (7, false, false)];
    fixture.machine.switches.set_vlans(&tap, &both);
    fixture.reconcile();
    assert_eq!(vf(&fixture), None);
    fixture
        .machine
        .switches
        .set_vlans(&tap, &[(42, true, true)]);
    fixture.reconcile();
    assert_eq!(vf(&fixture).map(|vf| vf.vlan), Some(42));
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture.reconcile();
    let (config, _) = fixture.machine.vms.texts("web");
    assert_eq!(vlans(config.as_ref()), [None, Some(42)], "it is kept");
    invariants::hold(&fixture, "followed");
}

/// An accelerated VM that runs with its VF.
fn accelerated() -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert!(vf(&fixture).is_some());
    fixture
}

/// The fault that a VM has because of its vNIC; none without.
fn fault(fixture: &Fixture) -> Option<String> {
    let faults = fixture.report().faults.into_iter();
    let mut own = faults.filter(|fault| fault.subject == "web");
    let fault = own.next()?;
    assert_eq!(fault.code, Code::VmUnfit, "{fault:?}");
    assert!(own.next().is_none(), "once is enough");
    Some(format!("{} {}", fault.message, fault.found))
}

#[test]
fn a_vf_does_not_go_past_what_is_set_while_it_is_there() {
    let model = "<model type='virtio'/>";
    for (element, words) in [
        ("<link state='down'/>", "is down"),
        ("<filterref filter='no-mac-spoofing'/>", "no-mac-spoofing"),
        ("<bandwidth><inbound average='9'/></bandwidth>", "9 KiB/s"),
    ] {
        let mut fixture = accelerated();
        let config = fixture.machine.vms.texts("web").0;
        let both = format!("{element}{model}");
        assert!(!fixture.agent().vnics_have_changed());
        set_live(&fixture, model, &both);
        assert!(fixture.agent().vnics_have_changed(), "{element}");
        fixture.reconcile();
        assert!(!fixture.agent().vnics_have_changed());
        assert_eq!(vf(&fixture), None, "{element}");
        let vm = fixture.vm("web");
        assert_eq!(
            (vm.acceleration, vm.path),
            (State::Degraded, Path::Software)
        );
        let told = fault(&fixture).expect("a fault");
        assert!(told.contains(words), "{told}");
        assert!(fixture.was_recorded(EventKind::Drift, "web"));
        assert_eq!(fixture.machine.vms.texts("web").0, config, "{element}");
        fixture.reconcile();
        let drifts = fixture.events().into_iter();
        let drifts = drifts.filter(|event| event.code == Some(Code::VmUnfit));
        assert_eq!(drifts.count(), 1, "told once");
        // It goes again, and the VF comes back.
        set_live(&fixture, &both, model);
        assert!(fixture.agent().vnics_have_changed(), "{element}");
        fixture.reconcile();
        assert!(vf(&fixture).is_some(), "{element}");
        assert_eq!(fault(&fixture), None);
        assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
        invariants::hold(&fixture, element);
    }
}

#[test]
fn a_definition_that_does_not_go_with_a_vf_has_none_at_its_next_start() {
    let mut fixture = accelerated();
    edit(&fixture, "<filterref filter='clean-traffic'/>");
    fixture.reconcile();
    assert!(vf(&fixture).is_some(), "what runs has no filter");
    assert!(fault(&fixture).is_some());
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").acceleration, State::Degraded);
    fixture.machine.vms.virsh_start("web").expect("started");
    assert_eq!(vf(&fixture), None, "not even for a moment");
    fixture.reconcile();
    assert_eq!(vf(&fixture), None);
    let (config, _) = fixture.machine.vms.texts("web");
    assert!(config.expect("defined").contains("clean-traffic"));
    // Disabled, it is as it was, and nobody is told any more.
    assert!(fixture.vm_disable("web").ok);
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
    let (config, _) = fixture.machine.vms.texts("web");
    assert!(!config.expect("defined").contains("teaming"));
    invariants::hold(&fixture, "disabled");
}

#[test]
fn a_started_vm_is_kept_from_a_vf_that_came_with_what_was_edited_meanwhile() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", MEDIUM).ok);
    edit(&fixture, "<link state='down'/>");
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert_eq!(vf(&fixture), None);
    assert!(fault(&fixture).is_some());
}
