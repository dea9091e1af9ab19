//! More VMs in one request than go into one transaction of a store: the agent is killed in the middle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::{Event, EventKind, VmChange, VmDisable};
use accelnet_model::intent::Role;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Mac, PciAddress, Performance};
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, Tree};
use accelnet_store::testing::EtcdServer;
use accelnet_store::{Embedded, History, Store};

use crate::fixture::{Fixture, INTENT, NODE, STORE_STEPS, WHO, vm_enable};
use crate::invariants;

/// Several transactions of [`accelnet_store::MAX_OPS`].
const VMS: u32 = 130;
/// VFs of one adapter at most.
const VFS: u32 = 250;

/// A node with so many VMs, and VFs for all of them.
fn bench_of(vms: u32, store: Arc<dyn Store>) -> Fixture {
    let adapters = u8::try_from(vms.div_ceil(VFS)).expect("few adapters");
    let tree = (1..=adapters).fold(Tree::new(), |tree, number| {
        let at = |bus, device| PciAddress {
            domain: 0,
            bus,
            device,
            function: 0,
        };
        let bus = number * 4;
        let adapter = AdapterSpec::mlx5(at(bus, 0), &format!("ens{number}"));
        tree.port(Port::root(at(0, number), bus, bus + 2).adapter(adapter))
    });
    let mut fixture = Fixture::on(tree, NODE, store);
    let names: Vec<String> = (1..=adapters).map(|one| format!("ens{one}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fixture
        .add_intent(INTENT, &[Role::Compute], &names)
        .expect("an intent");
    fixture.enable(Some(0)).expect("enabled");
    for number in 1..=vms {
        let [_, _, high, low] = number.to_be_bytes();
        let mac = Mac([0x52, 0x54, 0, 0xaa, high, low]);
        let nic = NicSpec::on_network(mac, &format!("accelnet-{INTENT}"));
        let spec = DomainSpec::new(&format!("vm{number}"), number, 4).nic(nic);
        fixture.machine.vms.add(&spec).expect("a VM");
    }
    fixture.reconcile();
    fixture
}

fn in_memory() -> Arc<dyn Store> {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO);
    Arc::new(store.expect("a store"))
}

fn fixture() -> Fixture {
    bench_of(VMS, in_memory())
}

fn all_enabled() -> VmChange {
    VmChange::Enable(vm_enable("*", Performance::Low, false))
}

fn all_disabled() -> VmChange {
    VmChange::Disable(VmDisable {
        names: vec!["*".to_owned()],
        dry_run: false,
    })
}

/// Settings that are there; none of them is half-way.
fn whole(fixture: &Fixture) -> usize {
    let policy = fixture.policy();
    let half = policy
        .vms
        .iter()
        .filter(|(vm, _)| vm.phase != Phase::Enabled);
    assert_eq!(half.count(), 0);
    policy.vms.len()
}

/// Events of what was asked for.
fn requested(fixture: &Fixture) -> Vec<Event> {
    let mut events = fixture.events();
    events.retain(|event| event.user.is_some());
    events
}

fn changed(fixture: &mut Fixture, change: &VmChange) {
    let changed = fixture.agent().change_vms(WHO, change).expect("an answer");
    assert!(changed.ok, "{changed:#?}");
}

#[test]
fn more_than_go_at_once_are_enabled_and_disabled_by_one_request_each() {
    let mut fixture = fixture();
    let count = usize::try_from(VMS).expect("a number");
    for _ in 0..2 {
        let changed = fixture
            .agent()
            .change_vms(WHO, &all_enabled())
            .expect("an answer");
        assert!(changed.ok && changed.results.len() == count);
        assert_eq!(whole(&fixture), count);
    }
    let before = requested(&fixture).len();
    let changed = fixture
        .agent()
        .change_vms(WHO, &all_disabled())
        .expect("an answer");
    assert!(changed.ok && changed.results.len() == count);
    assert_eq!(whole(&fixture), 0);
    assert_eq!(requested(&fixture).len(), before + 1);
}

/// The steps at which a change of many VMs is killed: each of the store and of the request, and of those that
/// each VM takes one in the middle.
fn kills(passed: Vec<String>) -> Vec<(String, u32)> {
    let mut often: BTreeMap<String, u32> = BTreeMap::new();
    for step in passed {
        *often.entry(step).or_default() += 1;
    }
    let mut kills = Vec::new();
    for (step, times) in often {
        let each = match times {
            // What follows a commit is what comes before the next one.
            few if few < 16 && step != STORE_STEPS[1] => (0..few).collect(),
            many => vec![many / 2],
        };
        kills.extend(each.into_iter().map(|times| (step.clone(), times)));
    }
    kills
}

/// Kills an agent in the middle of a change: the next one goes on with it or takes it back, and records the
/// request once. Whether it was killed.
fn killed_at(
    fixture: &mut Fixture,
    change: &VmChange,
    vms: u32,
    (step, times): &(String, u32),
) -> bool {
    let what = format!("killed at {step} ({times})");
    let before = requested(fixture).len();
    fixture.steps.kill_at(step, *times);
    let answer = fixture.attempt(|agent| agent.change_vms(WHO, change));
    fixture.steps.spare();
    if answer.is_some() {
        return false;
    }
    fixture.start();
    let settings = whole(fixture);
    invariants::hold(fixture, &what);
    let events = requested(fixture);
    // Before its first commit nothing was asked of the store.
    if (step.as_str(), *times) == ("commit", 0) {
        assert_eq!(events.len(), before, "{what}");
        return true;
    }
    assert_eq!(events.len(), before + 1, "{what}");
    let event = events.last().expect("an event");
    assert_eq!(event.user.as_deref(), Some(WHO), "{what}");
    assert_eq!(
        event.outcomes.len() + event.omitted_outcomes as usize,
        vms as usize,
        "{what}: {event:?}"
    );
    let done = match change {
        VmChange::Disable(_) => vms as usize - settings,
        _ => settings,
    };
    let message = match done {
        0 => format!("acceleration on {vms} VMs."),
        done => format!("acceleration on {done} of {vms} VMs."),
    };
    assert!(event.message.ends_with(&message), "{what}: {event:?}");
    fixture.reconcile();
    assert_eq!(requested(fixture).len(), before + 1, "{what}: not at rest");
    true
}

/// Has all VMs be enabled, or none.
fn put(fixture: &mut Fixture, enabled: bool, vms: u32) {
    let settings = whole(fixture);
    let change = match enabled {
        true if settings < vms as usize => all_enabled(),
        false if settings > 0 => all_disabled(),
        _ => return,
    };
    // A VM that has nothing cannot be disabled.
    let _ = fixture.agent().change_vms(WHO, &change).expect("an answer");
}

/// Kills an agent at each of the steps of enabling or of disabling.
fn killed_everywhere(vms: u32, change: &VmChange) {
    let mut fixture = bench_of(vms, in_memory());
    let enabled = matches!(change, VmChange::Disable(_));
    put(&mut fixture, enabled, vms);
    fixture.steps.passed();
    changed(&mut fixture, change);
    let all = kills(fixture.steps.passed());
    let mut killed = 0;
    for kill in &all {
        put(&mut fixture, enabled, vms);
        killed += u32::from(killed_at(&mut fixture, change, vms, kill));
    }
    println!("killed at {killed} of {} steps", all.len());
    assert!(killed > 10, "{all:?}");
}

#[test]
fn enabling_many_killed_at_each_step() {
    killed_everywhere(VMS, &all_enabled());
}

#[test]
fn disabling_many_killed_at_each_step() {
    killed_everywhere(VMS, &all_disabled());
}

/// A thousand VMs are enabled and disabled, killed in the middle each time, and whole afterwards.
fn a_thousand(store: Arc<dyn Store>) {
    const VMS: u32 = 1000;
    let mut fixture = bench_of(VMS, store);
    let step = |name: &str, times| (name.to_owned(), times);
    for kill in [step("committed", 3), step("define-vf", 500)] {
        put(&mut fixture, false, VMS);
        assert!(killed_at(&mut fixture, &all_enabled(), VMS, &kill));
    }
    changed(&mut fixture, &all_enabled());
    assert_eq!(whole(&fixture), 1000);
    assert!(killed_at(
        &mut fixture,
        &all_disabled(),
        VMS,
        &step("acted", 500)
    ));
    changed(&mut fixture, &all_enabled());
    assert!(killed_at(
        &mut fixture,
        &all_disabled(),
        VMS,
        &step("committed", 12)
    ));
    assert_eq!(whole(&fixture), 0);
}

#[test]
fn a_thousand_in_a_file_killed_in_the_middle() {
    a_thousand(in_memory());
}

#[test]
fn a_thousand_in_etcd_killed_in_the_middle() {
    let server = EtcdServer::start();
    a_thousand(Arc::new(server.store("cluster")));
}

/// What cannot be gone on with is taken back, and the event of its request says so.
#[test]
fn refused_by_libvirt_after_a_kill_the_event_says_so() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    fixture.define("db", 2, 4);
    let before = requested(&fixture).len();
    fixture.steps.kill_at("decided", 0);
    let answer = fixture.attempt(|agent| agent.change_vms(WHO, &all_enabled()));
    assert!(answer.is_none(), "it died");
    fixture
        .machine
        .vms
        .refuse("update config", "Operation not supported", 1);
    fixture.start();
    assert_eq!(whole(&fixture), 1);
    let events = requested(&fixture);
    assert_eq!(events.len(), before + 1);
    let event = events.last().expect("an event");
    assert_eq!(event.kind, EventKind::Changed);
    assert_eq!(event.message, "Enabled acceleration on 1 of 2 VMs.");
    assert_eq!(event.code, Some(Code::LibvirtFailed), "{event:?}");
}

/// A request that stays open since libvirt went away is recorded before another begins.
#[test]
fn a_request_that_is_open_is_recorded_before_the_next() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    fixture.define("db", 2, 4);
    let before = requested(&fixture).len();
    fixture.steps.kill_at("decided", 0);
    let answer = fixture.attempt(|agent| agent.change_vms(WHO, &all_enabled()));
    assert!(answer.is_none(), "it died");
    fixture.machine.vms.set_away(true);
    fixture.start();
    assert_eq!(requested(&fixture).len(), before, "nobody can tell yet");
    fixture.machine.vms.set_away(false);
    changed(
        &mut fixture,
        &VmChange::Disable(VmDisable {
            names: vec!["db".to_owned()],
            dry_run: false,
        }),
    );
    let events = requested(&fixture);
    let told: Vec<&str> = events[before..].iter().map(|one| &*one.message).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "Enabled acceleration on 2 of 2 VMs.");
    assert!(
        told[1].starts_with("Disabled acceleration on db"),
        "{told:?}"
    );
    fixture.reconcile();
    assert_eq!(whole(&fixture), 1);
    assert_eq!(requested(&fixture).len(), before + 2);
}
