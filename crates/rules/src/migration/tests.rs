use super::*;

fn status(state: IntentState) -> IntentStatus {
    IntentStatus {
        intent: "lan".to_owned(),
        node: "n2".to_owned(),
        state,
        intent_revision: 1,
        since: String::new(),
        verified_at: None,
        adapters: Vec::new(),
        bridge: None,
        vfs: 7,
        problem: None,
        other_problems: Vec::new(),
        warnings: Vec::new(),
        last_report: None,
    }
}

fn mover() -> Mover {
    Mover {
        runs: true,
        has_vf: true,
        can_fail_over: true,
        may_arrive_without: true,
        other_devices: 0,
        queue_pairs: 2,
    }
}

fn target<'a>(status: &'a IntentStatus, adapters: &[(u32, Option<u32>)]) -> Target<'a> {
    Target {
        up: true,
        drained: false,
        intent: "lan",
        status: Some(status),
        adapters: adapters.to_vec(),
    }
}

#[test]
fn with_a_vf_where_one_is_free_that_can_give_the_figures() {
    let completed = status(IntentState::Completed);
    let judged = |adapters: &[(u32, Option<u32>)]| judge(&mover(), &target(&completed, adapters));
    let (arrival, why) = judged(&[(3, Some(2))]);
    assert_eq!((arrival, why.as_str()), (Arrival::Vf, "3 VFs are free"));
    assert_eq!(judged(&[(0, Some(4)), (1, None)]).0, Arrival::Vf);
    // A free VF that is too small does not count.
    assert_eq!(judged(&[(0, Some(2)), (5, Some(1))]).0, Arrival::Software);
    let (arrival, why) = judged(&[(5, Some(1))]);
    assert_eq!(arrival, Arrival::Never);
    assert!(why.contains("at most 1 queue pairs"), "{why}");
}

#[test]
fn over_its_vnic_where_none_is_free() {
    let completed = status(IntentState::Completed);
    let full = target(&completed, &[(0, Some(2))]);
    assert_eq!(judge(&mover(), &full).0, Arrival::Software);
    let old = Mover {
        may_arrive_without: false,
        ..mover()
    };
    assert_eq!(judge(&old, &full).0, Arrival::Never);
    let on_its_vnic = Mover {
        has_vf: false,
        can_fail_over: false,
        ..old
    };
    assert_eq!(judge(&on_its_vnic, &full).0, Arrival::Software);
}

#[test]
fn not_at_all_and_why() {
    let completed = status(IntentState::Completed);
    let failed = status(IntentState::Failed);
    let free = [(3, Some(2))];
    let there = || target(&completed, &free);
    let cases = [
        (
            Mover {
                runs: false,
                ..mover()
            },
            there(),
            "does not run",
        ),
        (
            Mover {
                other_devices: 1,
                ..mover()
            },
            there(),
            "a device of the host",
        ),
        (
            Mover {
                other_devices: 2,
                ..mover()
            },
            there(),
            "2 devices of the host",
        ),
        (
            Mover {
                can_fail_over: false,
                ..mover()
            },
            there(),
            "no failover feature",
        ),
        (
            mover(),
            Target {
                up: false,
                ..there()
            },
            "is down",
        ),
        (mover(), target(&failed, &free), "failed on that node"),
        (
            mover(),
            Target {
                status: None,
                ..there()
            },
            "does not exist on that node",
        ),
    ];
    for (vm, target, words) in cases {
        let (arrival, why) = judge(&vm, &target);
        assert_eq!(arrival, Arrival::Never, "{why}");
        assert!(why.contains(words), "{why:?} without {words:?}");
    }
    let drained = Target {
        drained: true,
        ..there()
    };
    let (arrival, why) = judge(&mover(), &drained);
    assert_eq!(arrival, Arrival::Software, "{why}");
}
