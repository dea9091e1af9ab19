//! Management enabled, set, disabled and asked, with its limits and its refusals.

use accelnet_api::types::{Enable, EventKind, Set, State};
use accelnet_model::intent::Role;
use accelnet_model::{Code, Performance};

use crate::bench::{Bench, INTENT, WHO};
use crate::invariants;

fn with_intent() -> Bench {
    let mut bench = Bench::new();
    bench
        .add_intent(INTENT, &[Role::Compute], &["ens1"])
        .expect("an intent");
    bench
}

#[test]
fn the_reserve_is_fifty_unless_it_is_given() {
    let mut bench = with_intent();
    let changed = bench.enable(None).expect("enabled");
    assert_eq!(changed.management.node_reserve_percentage, 50);
    assert_eq!(bench.policy().management.node_reserve_percentage, 50);
    let changed = bench.enable(Some(99)).expect("enabled");
    assert_eq!(changed.management.node_reserve_percentage, 99);
}

#[test]
fn a_reserve_out_of_range_is_refused() {
    let mut bench = with_intent();
    for reserve in [100, -1, i64::MAX, i64::MIN] {
        let refused = bench.enable(Some(reserve)).expect_err("out of range");
        assert_eq!(refused.code, Code::NodeReserveInvalid, "{reserve}");
    }
    assert!(!bench.policy().management.enabled);
}

#[test]
fn an_unknown_intent_and_one_without_compute_are_refused() {
    let mut bench = Bench::new();
    let refused = bench.enable(None).expect_err("no intent");
    assert_eq!(refused.code, Code::IntentNotFound);
    bench
        .add_intent(INTENT, &[Role::Storage], &["ens1"])
        .expect("an intent");
    let refused = bench.enable(None).expect_err("storage only");
    assert_eq!(refused.code, Code::IntentTypeCheckFailed);
    assert!(!bench.policy().management.enabled);
    assert!(bench.was_told(EventKind::Refused, "cluster"));
}

#[test]
fn prerequisites_refuse_in_their_own_words() {
    let mut bench = Bench::with_platform(|platform| platform.iommus.clear());
    let added = bench.add_intent(INTENT, &[Role::Compute], &["ens1"]);
    drop(added);
    let refused = bench.enable(None).expect_err("no IOMMU");
    assert!(
        matches!(refused.code, Code::IommuOff | Code::AccelNetNotSupported),
        "{refused:?}"
    );
    assert!(
        refused.resolution.contains("accelnet prereq"),
        "{refused:?}"
    );
}

#[test]
fn what_is_not_given_stays() {
    let mut bench = with_intent();
    let refused = bench
        .core()
        .set(WHO, &Set::default())
        .expect_err("disabled");
    assert_eq!(refused.code, Code::ManagementDisabled);
    bench.enable(Some(20)).expect("enabled");
    bench
        .core()
        .set(WHO, &Set::default())
        .expect("nothing to do");
    assert_eq!(bench.policy().management.node_reserve_percentage, 20);
    let request = Set {
        node_reserve_percentage: Some(30),
        ..Set::default()
    };
    let changed = bench.core().set(WHO, &request).expect("set");
    assert_eq!(changed.management.intent.as_deref(), Some(INTENT));
    assert_eq!(bench.policy().management.node_reserve_percentage, 30);
}

#[test]
fn another_intent_is_taken_only_when_nothing_is_promised() {
    let mut bench = Bench::enabled();
    bench
        .add_intent("Other", &[Role::Compute], &["ens2"])
        .expect("an intent");
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", Performance::Low).ok);
    let request = Set {
        intent: Some("Other".to_owned()),
        ..Set::default()
    };
    let refused = bench.core().set(WHO, &request).expect_err("in use");
    assert_eq!(refused.code, Code::IntentInUse);
    assert_eq!(bench.policy().management.intent.as_deref(), Some(INTENT));
    assert!(bench.vm_disable("web").ok);
    bench.core().set(WHO, &request).expect("set");
    assert_eq!(bench.policy().management.intent.as_deref(), Some("Other"));
}

#[test]
fn figures_that_no_longer_fit_are_refused() {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", Performance::Medium).ok);
    let mut figures = bench.policy().management.performance;
    figures.medium.queue_pairs = 8;
    figures.high.queue_pairs = 8;
    let request = Set {
        performance: Some(figures),
        ..Set::default()
    };
    let refused = bench.core().set(WHO, &request).expect_err("too many");
    assert_eq!(refused.code, Code::CannotProvisionPerformance);
    figures.medium.queue_pairs = 0;
    let request = Set {
        performance: Some(figures),
        ..Set::default()
    };
    let refused = bench.core().set(WHO, &request).expect_err("none");
    assert_eq!(refused.code, Code::FiguresInvalid);
}

#[test]
fn an_intent_that_is_not_completed_is_not_enough() {
    let mut bench = with_intent();
    bench
        .machine
        .vms
        .virsh_start("nobody")
        .expect_err("no such VM");
    bench.machine.vms.set_away(true);
    bench.pass();
    let refused = bench.enable(None).expect_err("libvirt is away");
    // The prerequisites say it first.
    assert!(!bench.policy().management.enabled, "{refused:?}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let mut bench = with_intent();
    let request = Enable {
        intent: INTENT.to_owned(),
        dry_run: true,
        ..Enable::default()
    };
    let changed = bench.core().enable(WHO, &request).expect("judged");
    assert!(!changed.done && !changed.steps.is_empty());
    assert!(!bench.policy().management.enabled);
    bench.enable(None).expect("enabled");
    let changed = bench.core().disable(WHO, true).expect("judged");
    assert!(!changed.done && bench.policy().management.enabled);
}

#[test]
fn disabling_leaves_vms_as_they_are_and_enabling_picks_them_up() {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", Performance::Medium).ok);
    bench.machine.vms.virsh_start("web").expect("started");
    bench.pass();
    let before = bench.machine.vms.texts("web");
    let changed = bench.core().disable(WHO, false).expect("disabled");
    assert_eq!(changed.warnings.len(), 1, "{changed:?}");
    bench.pass();
    assert_eq!(bench.machine.vms.texts("web"), before);
    assert_eq!(bench.vm("web").acceleration, State::Unmanaged);
    assert_eq!(bench.report().faults, Vec::new(), "nobody watches");
    // Its VF is taken away, and nobody gives it another.
    let mac = crate::bench::mac(1);
    bench.machine.vms.virsh_detach_vf("web", mac).expect("gone");
    bench.pass();
    assert!(bench.machine.vms.vfs_in_use().is_empty());
    let refused = bench
        .core()
        .change_vms(WHO, &crate::bench::enable("web", Performance::Low, false));
    assert_eq!(
        refused.expect_err("disabled").code,
        Code::ManagementDisabled
    );
    bench.enable(Some(0)).expect("enabled");
    bench.pass();
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
    assert_eq!(bench.vm("web").performance, Some(Performance::Medium));
    invariants::hold(&bench, "enabled again");
}
