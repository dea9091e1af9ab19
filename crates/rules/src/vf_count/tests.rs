use accelnet_model::adapter::IommuGroup;
use accelnet_model::vf::VfUser;
use accelnet_model::vf_plan::Refusal;

use super::*;
use crate::sample::{adapter, adapter_with, change_sriov};

mod properties;

fn domain() -> VfUser {
    VfUser::Domain {
        name: "web1".to_owned(),
    }
}

fn host_driver(vf: &mut Vf) {
    vf.driver = Observed::Known(Some("igbvf".to_owned()));
    vf.netdevs = vec![format!("ens1v{}", vf.index)];
}

fn steps(adapter: &Adapter, ask: Ask) -> Vec<Step> {
    plan(adapter, ask).expect("a plan").steps
}

fn code(adapter: &Adapter, ask: Ask) -> Code {
    plan(adapter, ask).expect_err("a problem").code
}

#[test]
fn from_none_to_all() {
    let plan = plan(&adapter(), Ask::All).expect("a plan");
    assert_eq!((plan.from, plan.to), (0, 7));
    let create = [
        Step::KeepDriversOff,
        Step::Create { vfs: 7 },
        Step::AwaitReady { vfs: 7 },
    ];
    assert_eq!(plan.steps, create);
}

#[test]
fn another_number_leads_through_zero() {
    let through_zero = [
        Step::KeepDriversOff,
        Step::Destroy { vfs: 3 },
        Step::Create { vfs: 5 },
        Step::AwaitReady { vfs: 5 },
    ];
    assert_eq!(steps(&adapter_with(3), Ask::Exactly(5)), through_zero);
}

#[test]
fn what_is_there_already_is_left() {
    let mut adapter = adapter_with(7);
    assert_eq!(steps(&adapter, Ask::All), [Step::KeepDriversOff]);
    adapter.vfs[1].users = Observed::Known(vec![domain()]);
    adapter.vfs[2].users = Observed::unknown("no permission");
    host_driver(&mut adapter.vfs[1]);
    assert_eq!(steps(&adapter, Ask::Exactly(7)), [Step::KeepDriversOff]);
}

#[test]
fn vfs_with_host_drivers_are_made_anew_unless_one_is_used() {
    let mut adapter = adapter_with(2);
    host_driver(&mut adapter.vfs[0]);
    let anew = steps(&adapter, Ask::Exactly(2));
    assert!(anew.contains(&Step::Destroy { vfs: 2 }), "{anew:?}");
    adapter.vfs[1].users = Observed::Known(vec![domain()]);
    assert_eq!(code(&adapter, Ask::Exactly(2)), Code::VfInUse);
}

#[test]
fn vfs_that_are_switched_on_and_not_there_are_switched_off_first() {
    // A driver that died left 7 switched on, and 3, or none, to be seen.
    for seen in [0, 3] {
        let mut adapter = adapter_with(seen);
        change_sriov(&mut adapter, |sriov| sriov.num_vfs = Observed::Known(7));
        for ask in [Ask::All, Ask::Exactly(3)] {
            let anew = steps(&adapter, ask);
            assert!(anew.contains(&Step::Destroy { vfs: 7 }), "{seen}: {anew:?}");
        }
        let off = [Step::Destroy { vfs: 7 }, Step::LetDriversOn];
        assert_eq!(steps(&adapter, Ask::Off), off);
    }
}

#[test]
fn off_destroys_only_what_is_there() {
    assert_eq!(steps(&adapter(), Ask::Off), [Step::LetDriversOn]);
    let off = [Step::Destroy { vfs: 4 }, Step::LetDriversOn];
    assert_eq!(steps(&adapter_with(4), Ask::Off), off);
}

#[test]
fn each_user_and_its_vf_are_named() {
    let mut adapter = adapter_with(3);
    adapter.vfs[0].users = Observed::Known(vec![domain()]);
    adapter.vfs[2].users = Observed::Known(vec![VfUser::Netdev {
        netdev: "ens1v2".to_owned(),
        master: Some("br0".to_owned()),
    }]);
    let problem = plan(&adapter, Ask::Off).expect_err("in use");
    assert_eq!(
        problem.found,
        "VF 0 (0000:01:10.0) is used by VM web1; VF 2 (0000:01:10.4) is used by host netdev \
         ens1v2, a port of br0."
    );
}

#[test]
fn doubt_is_as_good_as_use() {
    let mut unreadable = adapter_with(2);
    unreadable.vfs[1].users = Observed::unknown("no permission");
    assert_eq!(code(&unreadable, Ask::Off), Code::VfUseUnknown);
    assert_eq!(code(&unreadable, Ask::All), Code::VfUseUnknown);

    let mut unseen = adapter_with(2);
    unseen.vfs.pop();
    let problem = plan(&unseen, Ask::Off).expect_err("in doubt");
    assert_eq!(problem.code, Code::VfUseUnknown);
    assert_eq!(problem.found, "only 1 of 2 VFs exist in sysfs.");
}

#[test]
fn what_an_adapter_cannot_do_is_not_planned() {
    let mut plain = adapter();
    plain.sriov = Observed::Known(None);
    assert_eq!(code(&plain, Ask::All), Code::SriovUnknown);

    let mut hidden = adapter();
    hidden.sriov = Observed::unknown("no permission");
    assert_eq!(code(&hidden, Ask::Off), Code::NotReadable);

    let mut capped = adapter();
    change_sriov(&mut capped, |sriov| sriov.total_vfs = Observed::Known(0));
    assert_eq!(code(&capped, Ask::All), Code::FirmwareCapsVfs);
    assert_eq!(code(&capped, Ask::Exactly(1)), Code::FirmwareCapsVfs);

    let mut unknown = adapter();
    change_sriov(&mut unknown, |sriov| {
        sriov.total_vfs = Observed::unknown("?")
    });
    assert_eq!(code(&unknown, Ask::All), Code::NotReadable);

    let mut unbound = adapter();
    unbound.driver = Observed::Known(None);
    assert_eq!(code(&unbound, Ask::All), Code::SriovMissingPfDriver);

    assert_eq!(code(&adapter(), Ask::Exactly(8)), Code::VfCountTooHigh);
    assert_eq!(code(&adapter(), Ask::Exactly(0)), Code::VfCountTooHigh);
}

#[test]
fn every_error_number_has_its_meaning() {
    let read = |number| {
        let refusal = Refusal::Errno {
            number,
            text: "Some words".to_owned(),
        };
        let step = Step::Create { vfs: 7 };
        read_refusal(
            &refusal,
            "ens1",
            "0000:01:00.0",
            &step,
            "It has no VFs now.",
        )
    };
    let table = [
        (0, Code::AdapterLost),
        (1, Code::PermissionDenied),
        (2, Code::SriovMissingPfDriver),
        (5, Code::DriverRefuses),
        (6, Code::AdapterLost),
        (12, Code::VfNoRoom),
        (13, Code::PermissionDenied),
        (16, Code::VfCountBusy),
        (19, Code::AdapterLost),
        (22, Code::DriverRefuses),
        (28, Code::VfNoRoom),
        (30, Code::PermissionDenied),
        (34, Code::VfCountTooHigh),
        (95, Code::DriverRefuses),
    ];
    for (number, code) in table {
        let problem = read(number);
        assert_eq!(problem.code, code, "{number}");
        assert!(
            problem.found.ends_with(" It has no VFs now."),
            "{problem:?}"
        );
        assert!(!problem.message.contains('{'), "{problem:?}");
        assert!(!problem.resolution.contains('{'), "{problem:?}");
    }
}

#[test]
fn a_refusal_names_the_attribute_that_was_written() {
    let refusal = Refusal::Errno {
        number: 30,
        text: "Read-only file system".to_owned(),
    };
    let step = Step::KeepDriversOff;
    let problem = read_refusal(
        &refusal,
        "ens1",
        "0000:01:00.0",
        &step,
        "It has no VFs now.",
    );
    assert_eq!(
        problem.found,
        "The write of 0 to sriov_drivers_autoprobe of 0000:01:00.0 ended with: Read-only file \
         system. It has no VFs now."
    );
}

/// The verdict on `after` of having created 3 VFs.
fn judged(after: Option<&Adapter>) -> Result<(), Code> {
    let plan = plan(&adapter(), Ask::Exactly(3)).expect("a plan");
    verdict(&plan, "ens1", "0000:01:00.0", after, "30 s").map_err(|problem| problem.code)
}

#[test]
fn what_came_out_is_judged() {
    assert_eq!(judged(Some(&adapter_with(3))), Ok(()));
    assert_eq!(judged(None), Err(Code::AdapterLost));

    let mut unbound = adapter_with(3);
    unbound.driver = Observed::Known(None);
    assert_eq!(judged(Some(&unbound)), Err(Code::AdapterLost));

    let mut plain = adapter_with(3);
    plain.sriov = Observed::Known(None);
    assert_eq!(judged(Some(&plain)), Err(Code::AdapterLost));

    assert_eq!(judged(Some(&adapter_with(2))), Err(Code::VfFewerThanAsked));

    let mut late = adapter_with(2);
    change_sriov(&mut late, |sriov| sriov.num_vfs = Observed::Known(3));
    assert_eq!(judged(Some(&late)), Err(Code::VfNotReady));
}

#[test]
fn a_fresh_vf_that_the_host_took_is_not_ready() {
    let mut taken = adapter_with(3);
    host_driver(&mut taken.vfs[1]);
    assert_eq!(judged(Some(&taken)), Err(Code::VfNotReady));
    taken.vfs[1].users = Observed::Known(vec![VfUser::Netdev {
        netdev: "ens1v1".to_owned(),
        master: None,
    }]);
    assert_eq!(judged(Some(&taken)), Err(Code::VfNotReady));

    // One that was used before, and was left as it was, is no failure.
    let before = plan(&taken, Ask::Exactly(3)).expect("a plan");
    let verdict = verdict(&before, "ens1", "0000:01:00.0", Some(&taken), "30 s");
    assert_eq!(verdict, Ok(()));
}

#[test]
fn what_is_worth_knowing_is_reported() {
    let plan = plan(&adapter(), Ask::Exactly(3)).expect("a plan");
    assert_eq!(warnings_after(&adapter_with(3), &plan), [""; 0]);

    let said = |change: fn(&mut Adapter)| {
        let mut after = adapter_with(3);
        change(&mut after);
        let warnings_after = warnings_after(&after, &plan);
        assert_eq!(warnings_after.len(), 1, "{warnings_after:?}");
        warnings_after[0].clone()
    };
    let shared = said(|after| after.vfs[1].iommu_group = Observed::Known(Some(100)));
    assert!(shared.starts_with("VFs share an IOMMU group"), "{shared}");
    let none = said(|after| {
        for vf in &mut after.vfs {
            vf.iommu_group = Observed::Known(None);
        }
        after.iommu_group = Observed::Known(None::<IommuGroup>);
    });
    assert!(none.starts_with("no VF has an IOMMU group"), "{none}");
    let down = said(|after| after.interfaces[0].link.up = false);
    assert!(down.starts_with("ens1 is down"), "{down}");
}
