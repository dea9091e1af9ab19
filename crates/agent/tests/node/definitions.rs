//! What is not accelnet's stays as it is, byte for byte of what libvirt writes, whatever is done, fails,
//! is done twice or is cut off in the middle.

use accelnet_api::types::{VmChange, VmEnable};
use accelnet_host::Vms;
use accelnet_libvirt::Side;
use accelnet_libvirt::xml::{DomainXml, Part};
use accelnet_model::Performance;
use accelnet_model::domain::Vnic;
use accelnet_sim::{DomainSpec, NicSpec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use roxmltree::{Document, Node};

use crate::elements::{NAME, Sample, UUID, interface_fragment, sample};
use crate::fixture::{Fixture, INTENT, WHO, disable, mac, set};

/// Steps at which the agent is killed.
const STEPS: &[&str] = &[
    "decided",
    "wish",
    "add-nic",
    "join-nic",
    "define-port",
    "define-vf",
    "replug-nic",
    "plug-nic",
    "attach-vf",
    "detach-vf",
    "undefine-vf",
    "undefine-port",
    "part-nic",
    "remove-nic",
    "forget",
    "acted",
    "verified",
    "recorded",
];

#[derive(Debug, Clone)]
enum Op {
    Enable(bool),
    Set(bool),
    Disable,
    Start,
    Stop,
    ChangeRunning(u32),
    Refuse(u32),
    Away(bool),
    Kill(usize),
    Reconcile,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => any::<bool>().prop_map(Op::Enable),
        2 => any::<bool>().prop_map(Op::Set),
        4 => Just(Op::Disable),
        4 => Just(Op::Start),
        1 => Just(Op::Stop),
        1 => (1280..1500_u32).prop_map(Op::ChangeRunning),
        3 => (0..6_u32).prop_map(Op::Refuse),
        1 => any::<bool>().prop_map(Op::Away),
        4 => (0..STEPS.len()).prop_map(Op::Kill),
        2 => Just(Op::Reconcile),
    ]
}

/// Does one thing; what is refused is refused. Whether the VM was enabled.
fn does(fixture: &mut Fixture, op: &Op, on_switch: bool) -> bool {
    let vms = fixture.machine.vms.clone();
    let change = match op {
        Op::Enable(now) => Some(enable(*now, !on_switch)),
        Op::Set(now) => Some(set(NAME, Performance::Medium, *now)),
        Op::Disable => Some(disable(NAME)),
        _ => None,
    };
    if let Some(change) = change {
        let changed = fixture.attempt(|agent| agent.change_vms(WHO, &change));
        let enabled = changed.is_some_and(|changed| changed.is_ok_and(|answer| answer.ok));
        return enabled && matches!(op, Op::Enable(_));
    }
    match op {
        Op::Start => drop(vms.virsh_start(NAME)),
        Op::Stop => drop(vms.virsh_stop(NAME)),
        Op::ChangeRunning(mtu) => change_running(fixture, *mtu),
        Op::Refuse(call) => vms.refuse_call(*call, "error from the hypervisor"),
        Op::Away(away) => vms.set_away(*away),
        Op::Kill(step) => fixture.steps.kill_at(STEPS[*step], 0),
        Op::Reconcile => drop(fixture.attempt(|agent| agent.reconcile())),
        Op::Enable(_) | Op::Set(_) | Op::Disable => {}
    }
    false
}

fn enable(now: bool, add_nic: bool) -> VmChange {
    VmChange::Enable(VmEnable {
        mac: None,
        trust: None,
        spoof_check: None,
        names: vec![NAME.to_owned()],
        performance: Performance::Low,
        now,
        add_nic,
        dry_run: false,
    })
}

/// Somebody changes what runs, and not what it starts with.
fn change_running(fixture: &Fixture, mtu: u32) {
    let vms = &fixture.machine.vms;
    let live = vms.migratable_xml(UUID).unwrap_or_default();
    if let Some(nic) = interface_fragment(&live, mac(1), Part::Persistent) {
        let anew = format!("<mtu size='{mtu}'/>");
        let changed = match nic.find("<mtu ") {
            Some(start) => {
                let end = start + nic[start..].find("/>").unwrap_or(0) + 2;
                format!("{}{anew}{}", &nic[..start], &nic[end..])
            }
            None => nic.replacen("</interface>", &format!("{anew}</interface>"), 1),
        };
        drop(vms.update(UUID, &changed, Side::Live));
    }
}

/// A definition without what is accelnet's, where it was `before` without any of it.
fn foreign(definition: &str, before: &str) -> String {
    let document = Document::parse(definition).expect("a definition");
    let mut gone = Vec::new();
    for device in devices(&document) {
        let alias = attribute(device, "alias", "name").unwrap_or_default();
        let mac = attribute(device, "mac", "address").unwrap_or_default();
        let added = alias.starts_with("ua-accelnet-vf-")
            || alias.starts_with("ua-accelnet-port-")
            || (alias.starts_with("ua-accelnet-path-5") && !before.contains(mac));
        if added {
            gone.push(device.range());
            continue;
        }
        let was = interfaces(before)
            .into_iter()
            .find(|text| text.contains(mac))
            .unwrap_or_default();
        let ours = device.children().filter(|child| {
            device.has_tag_name("interface")
                && (child.has_tag_name("alias") || child.has_tag_name("teaming"))
                && !was.contains(&definition[child.range()])
        });
        gone.extend(ours.map(|child| child.range()));
    }
    let mut text = definition.to_owned();
    for range in gone.into_iter().rev() {
        let start = text[..range.start].trim_end().len();
        text.replace_range(start..range.end, "");
    }
    text
}

/// The running vNIC, as far as it is not accelnet's or made up anew by libvirt.
fn running_nic(fixture: &Fixture) -> Option<Vec<String>> {
    let live = fixture.machine.vms.texts(NAME).1?;
    let nic = interface_fragment(&live, mac(1), Part::Persistent)?;
    let document = Document::parse(&nic).ok()?;
    let made_up = |child: &Node<'_, '_>| {
        let name = child.attribute("dev").unwrap_or_default();
        child.has_tag_name("target") && name.starts_with("vnet")
    };
    let ours = |child: &Node<'_, '_>| {
        let alias = child.attribute("name").unwrap_or_default();
        child.has_tag_name("teaming")
            || (child.has_tag_name("alias")
                && (alias.starts_with("net") || alias.starts_with("ua-accelnet-path-5")))
    };
    let children = document.root_element().children().filter(Node::is_element);
    let kept = children.filter(|child| !made_up(child) && !ours(child));
    Some(kept.map(|child| nic[child.range()].to_owned()).collect())
}

fn interfaces(definition: &str) -> Vec<&str> {
    let document = Document::parse(definition).expect("a definition");
    devices(&document)
        .filter(|device| device.has_tag_name("interface"))
        .map(|device| &definition[device.range()])
        .collect()
}

fn devices<'a, 'input>(document: &'a Document<'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    document
        .root_element()
        .children()
        .filter(|node| node.has_tag_name("devices"))
        .flat_map(|devices| devices.children())
        .filter(Node::is_element)
}

fn attribute<'a>(node: Node<'a, '_>, name: &str, attribute: &str) -> Option<&'a str> {
    let child = node.children().find(|child| child.has_tag_name(name))?;
    child.attribute(attribute)
}

/// Does all of it, and disables the VM at the end. Whether it was ever enabled.
fn run(sample: &Sample, ops: &[Op]) -> bool {
    let mut fixture = Fixture::enabled();
    let vms = fixture.machine.vms.clone();
    vms.define(&sample.xml).expect("defined");
    fixture.reconcile();
    let definition = || vms.texts(NAME).0.expect("a definition");
    let before = definition();
    let what = |op: &str| format!("{op} of {ops:?}\n{}", sample.xml);
    let mut enabled = false;
    let mut running = None;
    for op in ops {
        enabled |= does(&mut fixture, op, sample.on_switch);
        assert_eq!(
            foreign(&definition(), &before),
            before,
            "{}",
            what(&format!("{op:?}"))
        );
        if !fixture.lives() {
            fixture.steps.spare();
            fixture.start();
        }
        let now = running_nic(&fixture);
        let replaced = matches!(op, Op::Start | Op::Stop | Op::ChangeRunning(_));
        if !replaced && running.is_some() && now.is_some() {
            assert_eq!(now, running, "{}", what(&format!("{op:?}")));
        }
        running = now.or(running.filter(|_| !replaced));
    }
    fixture.steps.spare();
    vms.accept();
    vms.set_away(false);
    for _ in 0..3 {
        fixture.reconcile();
    }
    assert_eq!(
        foreign(&definition(), &before),
        before,
        "{}",
        what("the end")
    );
    if fixture.policy().vm(UUID).is_some() {
        let disabled = fixture.change(&disable(NAME));
        assert!(disabled.ok, "{disabled:?} {}", what("disable"));
    }
    fixture.reconcile();
    assert_eq!(definition(), before, "{}", what("disable"));
    let now = running_nic(&fixture);
    assert_eq!(now.is_some(), running.is_some(), "{}", what("the vNIC"));
    assert_eq!(now, running, "{}", what("the vNIC"));
    enabled
}

proptest! {
    #![proptest_config(Config {
        cases: 24,
        max_shrink_iters: 80,
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn what_is_not_ours_stays_byte_for_byte(sample in sample(), ops in vec(op(), 1..9)) {
        let _ = run(&sample, &ops);
    }
}

proptest! {
    #[test]
    fn a_stand_in_changes_nothing_but_its_vf(sample in sample(), at in 0..4_usize) {
        let vf = "<interface type='network'>\n      <mac address='52:54:00:aa:00:77'/>\n      \
                  <source network='pool'/>\n      <model type='virtio'/>\n      \
                  <teaming type='transient' persistent='ua-mine'/>\n      <mtu size='1500'/>\n      \
                  <alias name='ua-accelnet-vf-525400aa0077'/>\n    </interface>";
        let all = interfaces(&sample.xml);
        let beside = all[at % all.len()];
        let with = |device: &str| sample.xml.replacen(beside, &format!("{device}{beside}"), 1);
        let stand_in = vf
            .replace("<source network='pool'/>", "<source network='lan'/><link state='down'/>")
            .replace("\n      <teaming type='transient' persistent='ua-mine'/>", "");
        let pool = |vnic: &Vnic| (vnic.source.as_deref() == Some("pool")).then(|| "lan".to_owned());
        let changed = |xml: &str| DomainXml::parse(xml).expect("a domain").with_stand_ins(pool);
        prop_assert_eq!(changed(&with(vf)), Some(with(&stand_in)));
        prop_assert_eq!(changed(&sample.xml), None);
    }
}

/// The first property above is not held by refusals alone.
#[test]
fn most_samples_can_be_enabled() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let enabled = (0..12).filter(|_| {
        let sample = sample().new_tree(&mut runner).expect("a sample").current();
        run(&sample, &[Op::Enable(true), Op::Start, Op::Set(true)])
    });
    let enabled = enabled.count();
    assert!(enabled >= 6, "{enabled} of 12");
}

#[test]
fn a_vm_whose_vf_has_the_last_port_can_be_set() {
    let mut fixture = Fixture::enabled();
    let network = format!("accelnet-{INTENT}");
    let mut spec = DomainSpec::new(NAME, 1, 4).nic(NicSpec::on_network(mac(1), &network));
    // The first has a disk.
    spec.ports = 3;
    fixture.machine.vms.add(&spec).expect("defined");
    assert!(fixture.vm_enable(NAME, Performance::Low).ok);
    let enabled = fixture.machine.vms.texts(NAME).0;
    let result = fixture.change(&set(NAME, Performance::Medium, false));
    assert!(result.ok, "{result:?}");
    assert_eq!(fixture.machine.vms.texts(NAME).0, enabled);
}
