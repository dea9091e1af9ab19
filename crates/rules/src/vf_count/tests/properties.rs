//! What holds of every plan, for adapters in any state.

use proptest::prelude::*;

use super::*;
use crate::sample::vf;

/// A VF in any state.
fn any_vf(index: u32) -> impl Strategy<Value = Vf> {
    let driver = prop_oneof![
        Just(Observed::Known(None)),
        Just(Observed::Known(Some("vfio-pci".to_owned()))),
        Just(Observed::Known(Some("igbvf".to_owned()))),
        Just(Observed::unknown("no permission")),
    ];
    let users = prop_oneof![
        4 => Just(Observed::Known(Vec::new())),
        1 => Just(Observed::Known(vec![domain()])),
        1 => Just(Observed::unknown("no permission")),
    ];
    let netdevs = prop_oneof![Just(Vec::new()), Just(vec!["ens1v".to_owned()])];
    (driver, users, netdevs).prop_map(move |(driver, users, netdevs)| Vf {
        driver,
        users,
        netdevs,
        ..vf(index)
    })
}

/// An adapter in any state: VFs seen, VFs there, and VFs that the kernel reports are on.
fn any_adapter() -> impl Strategy<Value = Adapter> {
    let vfs = (0_u32..8).prop_flat_map(|count| (0..count).map(any_vf).collect::<Vec<_>>());
    let num_vfs = prop_oneof![
        3 => Just(None),
        1 => (0_u32..8).prop_map(|said| Some(Observed::Known(said))),
        1 => Just(Some(Observed::unknown("the kernel did not answer"))),
    ];
    (vfs, num_vfs, 0_u32..3).prop_map(|(vfs, num_vfs, unseen)| {
        let mut adapter = adapter();
        let there = u32::try_from(vfs.len()).expect("few") + unseen / 2;
        adapter.vfs = vfs;
        change_sriov(&mut adapter, |sriov| {
            sriov.current_vfs = there;
            sriov.num_vfs = num_vfs.unwrap_or(Observed::Known(there));
        });
        adapter
    })
}

fn any_ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        Just(Ask::All),
        (1_u32..8).prop_map(Ask::Exactly),
        Just(Ask::Off),
    ]
}

/// What the kernel does with the steps when nothing fails; none where it refuses one.
fn done(adapter: &Adapter, plan: &Plan) -> Option<Adapter> {
    let mut after = adapter.clone();
    let mut on = adapter.sriov.present()?.num_vfs.known().copied();
    for step in &plan.steps {
        match *step {
            Step::Destroy { .. } => {
                on = Some(0);
                after.vfs.clear();
            }
            Step::Create { vfs } => {
                let now = on.unwrap_or(after.vfs.len().try_into().ok()?);
                if now != 0 && now != vfs {
                    return None;
                }
                on = Some(vfs);
                after.vfs = (0..vfs).map(vf).collect();
            }
            Step::KeepDriversOff | Step::LetDriversOn | Step::AwaitReady { .. } => {}
        }
    }
    let there = after.vfs.len().try_into().ok()?;
    change_sriov(&mut after, |sriov| {
        sriov.current_vfs = there;
        sriov.num_vfs = Observed::Known(on.unwrap_or(there));
    });
    Some(after)
}

fn destroys(plan: &Plan) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| matches!(step, Step::Destroy { .. } | Step::Create { .. }))
}

proptest! {
    #[test]
    fn a_vf_that_is_used_or_in_doubt_is_never_destroyed(
        adapter in any_adapter(),
        ask in any_ask(),
    ) {
        let unseen = adapter.sriov.present().expect("some").current_vfs as usize > adapter.vfs.len();
        if let Ok(plan) = plan(&adapter, ask)
            && destroys(&plan)
        {
            prop_assert_eq!(adapter.vfs_in_use().count(), 0);
            prop_assert!(!unseen, "a VF could not be seen");
        }
    }

    #[test]
    fn where_nothing_is_used_there_is_a_plan_and_it_leads_there(
        adapter in any_adapter(),
        ask in any_ask(),
    ) {
        let planned = plan(&adapter, ask);
        let unseen = adapter.sriov.present().expect("some").current_vfs as usize > adapter.vfs.len();
        if adapter.vfs_in_use().count() == 0 && !unseen {
            let planned = planned.expect("a plan");
            let asked = match ask {
                Ask::All => 7,
                Ask::Exactly(count) => count,
                Ask::Off => 0,
            };
            prop_assert_eq!(planned.to, asked);
            let after = done(&adapter, &planned);
            let after = after.expect("the kernel refuses no step");
            let verdict = verdict(&planned, "ens1", "0000:01:00.0", Some(&after), "30 s");
            prop_assert_eq!(verdict, Ok(()));
        }
    }

    #[test]
    fn done_once_there_is_nothing_left_to_do(adapter in any_adapter(), ask in any_ask()) {
        if let Ok(first) = plan(&adapter, ask) {
            let after = done(&adapter, &first).expect("the kernel refuses no step");
            let second = plan(&after, ask).expect("a plan");
            prop_assert!(!destroys(&second), "{second:?}");
            prop_assert_eq!((second.from, second.to), (first.to, first.to));
        }
    }
}
