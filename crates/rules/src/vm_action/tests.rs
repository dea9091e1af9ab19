use accelnet_model::{Mac, Performance, VfSecurityOfVm};

use super::*;

fn setting(node: &str, phase: Phase) -> VmSetting {
    VmSetting {
        uuid: "2f6a5b1c-0000-4000-8000-000000000001"
            .parse()
            .expect("a UUID"),
        name: "web1".parse().expect("a name"),
        node: node.parse().expect("a name"),
        performance: Performance::High,
        mac: Mac([0x52, 0x54, 0, 0, 0, 1]),
        phase,
        nic_added: false,
        nic_teamed: false,
        before: None,
        security: VfSecurityOfVm::default(),
        security_before: None,
    }
}

#[test]
fn each_state_has_one_action() {
    let node: NodeName = "n1".parse().expect("a name");
    let of = |at, phase, is_here, enabled, drained| {
        let facts = Facts {
            node: &node,
            is_here,
            enabled,
            drained,
        };
        action(&setting(at, phase), facts)
    };
    use Phase::{Disabling, Enabled, Enabling};
    let table = [
        (("n2", Enabled, true, true, false), Action::KeepReady),
        (("n2", Enabled, false, true, false), Action::None),
        (("n1", Disabling, false, true, false), Action::RemoveSetting),
        (("n1", Enabling, false, true, false), Action::None),
        (
            ("n1", Enabling, true, false, true),
            Action::CompleteEnabling,
        ),
        (
            ("n1", Disabling, true, false, true),
            Action::CompleteDisabling,
        ),
        (("n1", Enabled, true, false, true), Action::None),
        (("n1", Enabled, true, true, true), Action::Drain),
        (("n1", Enabled, true, true, false), Action::Repair),
    ];
    for ((at, phase, is_here, enabled, drained), wanted) in table {
        let found = of(at, phase, is_here, enabled, drained);
        assert_eq!(
            found, wanted,
            "{at} {phase:?} {is_here} {enabled} {drained}"
        );
    }
}

#[test]
fn a_vm_that_runs_on_two_nodes_is_taken_over_once() {
    let node: NodeName = "n1".parse().expect("a name");
    let of = |at, was_own| owner(&setting(at, Phase::Enabled), &node, was_own);
    assert_eq!(of("n1", false), Owner::ThisNode);
    assert_eq!(of("n2", false), Owner::Arrived);
    assert_eq!(of("n2", true), Owner::Left);
}

#[test]
fn a_failed_change_restores_what_was_before() {
    let mut one = setting("n1", Phase::Enabling);
    assert_eq!(after_failure(&one, false), None);
    let left = after_failure(&one, true).expect("it is removed later");
    assert_eq!(left.phase, Phase::Disabling);
    one.before = Some(Performance::Low);
    one.security_before = Some(VfSecurityOfVm::default());
    let restored = after_failure(&one, true).expect("what it had");
    assert_eq!(
        (restored.performance, restored.phase, restored.before),
        (Performance::Low, Phase::Enabled, None)
    );
}
