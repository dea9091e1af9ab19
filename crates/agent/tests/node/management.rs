//! Management enabled, set, disabled and asked, with its limits and its refusals.

use accelnet_api::types::{Enable, EventKind, Set, State};
use accelnet_model::intent::Role;
use accelnet_model::{Code, Performance};

use crate::fixture::{Fixture, INTENT, WHO};
use crate::invariants;

fn with_intent() -> Fixture {
    let mut fixture = Fixture::new();
    fixture
        .add_intent(INTENT, &[Role::Compute], &["ens1"])
        .expect("an intent");
    fixture
}

#[test]
fn the_reserve_is_fifty_unless_it_is_given() {
    let mut fixture = with_intent();
    let changed = fixture.enable(None).expect("enabled");
    assert_eq!(changed.management.node_reserve_percentage, 50);
    assert_eq!(fixture.policy().management.node_reserve_percentage, 50);
    let changed = fixture.enable(Some(99)).expect("enabled");
    assert_eq!(changed.management.node_reserve_percentage, 99);
}

#[test]
fn enabling_again_without_a_reserve_keeps_the_one_that_was_set() {
    let mut fixture = with_intent();
    fixture.enable(Some(25)).expect("enabled");
    let changed = fixture.enable(None).expect("enabled");
    assert_eq!(changed.management.node_reserve_percentage, 25);
    assert_eq!(changed.previous, Some(changed.management));
    fixture.agent().disable(WHO, false).expect("disabled");
    let changed = fixture.enable(None).expect("enabled");
    assert_eq!(fixture.policy().management.node_reserve_percentage, 25);
    let before = changed.previous.expect("settings");
    assert_eq!(
        (before.enabled, before.node_reserve_percentage),
        (false, 25)
    );
    let request = Enable {
        intent: INTENT.to_owned(),
        node_reserve_percentage: Some(50),
        performance: None,
        dry_run: true,
    };
    let shown = fixture.agent().enable(WHO, &request).expect("judged");
    let actions: Vec<&str> = shown.steps.iter().map(|step| &*step.action).collect();
    assert_eq!(actions, ["change the node reserve from 25 % to 50 %"]);
}

#[test]
fn a_change_that_the_vms_do_not_fit_is_named_with_what_binds() {
    // 64 VFs of mlx5 share their queue pairs.
    let mut fixture = Fixture::enabled_on("ens2");
    for number in 1..=3 {
        let name = format!("web{number}");
        fixture.define(&name, number, 4);
        assert!(fixture.vm_enable(&name, Performance::High).ok);
    }
    let mut figures = fixture.policy().management.performance;
    let mut codes = Vec::new();
    for pairs in 5..=64 {
        figures.high.queue_pairs = pairs;
        let request = Set {
            performance: Some(figures),
            dry_run: true,
            ..Set::default()
        };
        let Err(refused) = fixture.agent().set(WHO, &request) else {
            continue;
        };
        let said = format!("{} {}", refused.message, refused.found);
        assert!(said.contains("queue pair"), "{refused:?}");
        assert!(!said.contains("VFs bind"), "{refused:?}");
        assert!(!said.contains("enable VM"), "{refused:?}");
        if refused.code == Code::ClusterNotEnoughResources {
            let message =
                format!("The accelerated VMs do not fit with {pairs} queue pairs for High.");
            assert_eq!(refused.message, message);
            assert!(said.contains("queue pairs bind"), "{refused:?}");
        }
        codes.push(refused.code);
    }
    codes.dedup();
    assert_eq!(
        codes,
        [
            Code::ClusterNotEnoughResources,
            Code::CannotProvisionPerformance
        ]
    );
    let reserve = Set {
        node_reserve_percentage: Some(99),
        ..Set::default()
    };
    // One node: none may be down.
    fixture.agent().set(WHO, &reserve).expect("set");
}

#[test]
fn a_reserve_out_of_range_is_refused() {
    let mut fixture = with_intent();
    for reserve in [100, -1, i64::MAX, i64::MIN] {
        let refused = fixture.enable(Some(reserve)).expect_err("out of range");
        assert_eq!(refused.code, Code::NodeReserveInvalid, "{reserve}");
    }
    assert!(!fixture.policy().management.enabled);
}

#[test]
fn an_unknown_intent_and_one_without_compute_are_refused() {
    let mut fixture = Fixture::new();
    let refused = fixture.enable(None).expect_err("no intent");
    assert_eq!(refused.code, Code::IntentNotFound);
    fixture
        .add_intent(INTENT, &[Role::Storage], &["ens1"])
        .expect("an intent");
    let refused = fixture.enable(None).expect_err("storage only");
    assert_eq!(refused.code, Code::IntentTypeCheckFailed);
    assert!(!fixture.policy().management.enabled);
    assert!(fixture.was_recorded(EventKind::Refused, "cluster"));
}

#[test]
fn prerequisites_refuse_in_their_own_words() {
    let mut fixture = Fixture::with_platform(|platform| platform.iommus.clear());
    let added = fixture.add_intent(INTENT, &[Role::Compute], &["ens1"]);
    drop(added);
    let refused = fixture.enable(None).expect_err("no IOMMU");
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
    let mut fixture = with_intent();
    let refused = fixture
        .agent()
        .set(WHO, &Set::default())
        .expect_err("disabled");
    assert_eq!(refused.code, Code::ManagementDisabled);
    fixture.enable(Some(20)).expect("enabled");
    fixture
        .agent()
        .set(WHO, &Set::default())
        .expect("nothing to do");
    assert_eq!(fixture.policy().management.node_reserve_percentage, 20);
    let request = Set {
        node_reserve_percentage: Some(30),
        ..Set::default()
    };
    let changed = fixture.agent().set(WHO, &request).expect("set");
    assert_eq!(changed.management.intent.as_deref(), Some(INTENT));
    assert_eq!(fixture.policy().management.node_reserve_percentage, 30);
}

#[test]
fn another_intent_is_taken_only_when_nothing_is_promised() {
    let mut fixture = Fixture::enabled();
    fixture
        .add_intent("Other", &[Role::Compute], &["ens2"])
        .expect("an intent");
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", Performance::Low).ok);
    let request = Set {
        intent: Some("Other".to_owned()),
        ..Set::default()
    };
    let refused = fixture.agent().set(WHO, &request).expect_err("in use");
    assert_eq!(refused.code, Code::IntentInUse);
    assert_eq!(fixture.policy().management.intent.as_deref(), Some(INTENT));
    assert!(fixture.vm_disable("web").ok);
    fixture.agent().set(WHO, &request).expect("set");
    assert_eq!(fixture.policy().management.intent.as_deref(), Some("Other"));
}

#[test]
fn figures_that_no_longer_fit_are_refused() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", Performance::Medium).ok);
    let mut figures = fixture.policy().management.performance;
    figures.medium.queue_pairs = 8;
    figures.high.queue_pairs = 8;
    let request = Set {
        performance: Some(figures),
        ..Set::default()
    };
    let refused = fixture.agent().set(WHO, &request).expect_err("too many");
    assert_eq!(refused.code, Code::CannotProvisionPerformance);
    figures.medium.queue_pairs = 0;
    let request = Set {
        performance: Some(figures),
        ..Set::default()
    };
    let refused = fixture.agent().set(WHO, &request).expect_err("none");
    assert_eq!(refused.code, Code::PerformanceSettingsInvalid);
}

#[test]
fn an_intent_that_is_not_completed_is_not_enough() {
    let mut fixture = with_intent();
    fixture
        .machine
        .vms
        .virsh_start("nobody")
        .expect_err("no such VM");
    fixture.machine.vms.set_away(true);
    fixture.reconcile();
    let refused = fixture.enable(None).expect_err("libvirt is away");
    // The prerequisites say it first.
    assert!(!fixture.policy().management.enabled, "{refused:?}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let mut fixture = with_intent();
    let request = Enable {
        intent: INTENT.to_owned(),
        dry_run: true,
        ..Enable::default()
    };
    let changed = fixture.agent().enable(WHO, &request).expect("judged");
    assert!(!changed.applied && !changed.steps.is_empty());
    assert!(!fixture.policy().management.enabled);
    fixture.enable(None).expect("enabled");
    let changed = fixture.agent().disable(WHO, true).expect("judged");
    assert!(!changed.applied && fixture.policy().management.enabled);
}

#[test]
fn disabling_leaves_vms_as_they_are_and_enabling_picks_them_up() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", Performance::Medium).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    let before = fixture.machine.vms.texts("web");
    let changed = fixture.agent().disable(WHO, false).expect("disabled");
    assert_eq!(changed.warnings.len(), 1, "{changed:?}");
    fixture.reconcile();
    assert_eq!(fixture.machine.vms.texts("web"), before);
    assert_eq!(fixture.vm("web").acceleration, State::Unmanaged);
    assert_eq!(fixture.report().faults, Vec::new(), "nobody watches");
    // Its VF is taken away, and nobody gives it another.
    let mac = crate::fixture::mac(1);
    fixture
        .machine
        .vms
        .virsh_detach_vf("web", mac)
        .expect("gone");
    fixture.reconcile();
    assert!(fixture.machine.vms.vfs_in_use().is_empty());
    let refused = fixture
        .agent()
        .change_vms(WHO, &crate::fixture::enable("web", Performance::Low, false));
    assert_eq!(
        refused.expect_err("disabled").code,
        Code::ManagementDisabled
    );
    fixture.enable(Some(0)).expect("enabled");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    assert_eq!(fixture.vm("web").performance, Some(Performance::Medium));
    invariants::hold(&fixture, "enabled again");
}
