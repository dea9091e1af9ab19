use std::time::Duration;

use accelnet_model::vf_evidence::Holding;
use accelnet_model::{Observed, VfEvidence};
use proptest::prelude::*;

use super::*;

fn held() -> Observed<Holding> {
    Observed::Known(Holding::Held("/dev/vfio/12".to_owned()))
}

fn observation(held: Observed<Holding>, bus_master: Observed<bool>) -> Observation {
    Observation {
        running: true,
        vf: Some(VfEvidence { held, bus_master }),
        negotiated: None,
        guest: None,
        sends_on_vnic: false,
        link: Some(true),
        elsewhere: false,
        begin: Begin::Started,
        waited: Duration::ZERO,
    }
}

fn of(observation: &Observation) -> Verdict {
    judge(observation, Limits::default())
}

#[test]
fn each_piece_of_evidence_and_its_path() {
    let unknown = || Observed::unknown("permission denied");
    let no = || Observed::Known(Holding::NotHeld);
    let table = [
        (held(), Observed::Known(true), None, Path::Vf),
        (
            Observed::unknown("no process"),
            Observed::Known(true),
            None,
            Path::Vf,
        ),
        (held(), Observed::Known(false), None, Path::Software),
        (
            Observed::unknown("a group of two"),
            Observed::Known(false),
            None,
            Path::Software,
        ),
        // Hidden or refused by QEMU: whatever is in the register is not the guest's.
        (no(), Observed::Known(true), None, Path::Software),
        (no(), unknown(), Some(true), Path::Software),
        // The guest's agent decides where the VF cannot be read.
        (held(), unknown(), Some(true), Path::Vf),
        (held(), unknown(), Some(false), Path::Software),
        (held(), unknown(), None, Path::Unknown),
        (
            Observed::unknown("no process"),
            unknown(),
            Some(true),
            Path::Unknown,
        ),
    ];
    for (held, bus_master, guest, path) in table {
        let observation = Observation {
            guest,
            ..observation(held, bus_master)
        };
        let verdict = of(&observation);
        assert_eq!(verdict.path, path, "{observation:?}: {verdict:?}");
        assert_eq!(verdict.bridge, path != Path::Vf, "{observation:?}");
    }
}

#[test]
fn a_vm_without_a_vf_is_on_its_software_path() {
    let observation = Observation {
        vf: None,
        waited: Duration::from_secs(3600),
        ..observation(held(), Observed::Known(true))
    };
    let verdict = of(&observation);
    assert_eq!(
        (verdict.path, verdict.time),
        (Path::Software, Time::NotCounted)
    );
    assert!(verdict.bridge && !verdict.take_back && verdict.next_check.is_none());
}

/// A guest that has a VF receives nothing over its vNIC, so a VF without link is taken back: at once where the
/// software path leads over another adapter.
#[test]
fn a_vf_whose_adapter_has_no_link_is_taken_back() {
    let after = |waited: u64, begin: Begin, elsewhere: bool| {
        let verdict = of(&Observation {
            link: Some(false),
            begin,
            elsewhere,
            waited: Duration::from_secs(waited),
            ..observation(held(), Observed::Known(true))
        });
        assert!(verdict.bridge && verdict.path == Path::Unknown);
        verdict.take_back
    };
    assert!(!after(4, Begin::Lost, false), "it may come back");
    assert!(after(5, Begin::Lost, false));
    assert!(after(0, Begin::Lost, true));
    assert!(after(0, Begin::Started, true));
    assert!(!after(100, Begin::Started, false), "it boots");
    let mut observation = Observation {
        link: Some(false),
        ..observation(held(), Observed::Known(false))
    };
    let verdict = of(&observation);
    assert_eq!((verdict.path, verdict.take_back), (Path::Software, false));
    observation.vf = self::observation(held(), Observed::Known(true)).vf;
    for link in [Some(true), None] {
        observation.link = link;
        assert_eq!(of(&observation).path, Path::Vf);
    }
}

#[test]
fn a_driver_at_work_is_no_proof_where_the_guest_goes_past_the_vf() {
    let at_work = observation(held(), Observed::Known(true));
    let sends = Observation {
        sends_on_vnic: true,
        ..at_work.clone()
    };
    let rebooted = Observation {
        negotiated: Some(false),
        ..at_work.clone()
    };
    for observation in [sends, rebooted] {
        let observation = Observation {
            waited: Duration::from_secs(3600),
            ..observation
        };
        let verdict = of(&observation);
        assert_eq!(verdict.path, Path::Unknown, "{verdict:?}");
        assert!(verdict.bridge && !verdict.take_back, "{verdict:?}");
    }
    assert_eq!(
        of(&Observation {
            negotiated: Some(true),
            ..at_work
        })
        .path,
        Path::Vf
    );
}

#[test]
fn time_runs_out_by_what_it_is_counted_from() {
    let table = [
        (Begin::Attached, 47, Time::Left),
        (Begin::Attached, 48, Time::Late),
        (Begin::Attached, 119, Time::Late),
        (Begin::Attached, 120, Time::Over),
        (Begin::Started, 119, Time::Left),
        (Begin::Started, 120, Time::Late),
        (Begin::Rebooted, 299, Time::Late),
        (Begin::Rebooted, 300, Time::Over),
        (Begin::Lost, 300, Time::Over),
    ];
    for (begin, waited, time) in table {
        let observation = Observation {
            begin,
            waited: Duration::from_secs(waited),
            ..observation(held(), Observed::Known(false))
        };
        let verdict = of(&observation);
        assert_eq!(verdict.time, time, "{begin:?} {waited}");
        assert_eq!(verdict.take_back, time == Time::Over, "{begin:?} {waited}");
    }
}

#[test]
fn a_guest_is_inspected_less_often_the_longer_it_takes() {
    let after = |waited| {
        let observation = Observation {
            waited: Duration::from_secs(waited),
            ..observation(held(), Observed::Known(false))
        };
        of(&observation).next_check.expect("a look").as_secs()
    };
    assert_eq!([0, 8, 24, 100, 299, 300].map(after), [1, 1, 3, 5, 5, 60]);
    let driven = observation(held(), Observed::Known(true));
    assert_eq!(of(&driven).next_check, Some(Duration::from_secs(60)));
    let paused = Observation {
        running: false,
        ..driven
    };
    assert_eq!(
        of(&paused).next_check,
        None,
        "an event reports that it goes on"
    );
}

#[test]
fn what_qemu_hides_is_reported_with_its_reason() {
    let hidden = observation(Observed::Known(Holding::NotHeld), Observed::Known(false));
    let why = of(&hidden).why;
    assert!(
        why.contains("QEMU does not hold it") && why.contains("VIRTIO_NET_F_STANDBY"),
        "{why}"
    );
    let refused = Observation {
        negotiated: Some(true),
        ..hidden
    };
    let why = of(&refused).why;
    assert!(!why.contains("STANDBY"), "{why}");
}

fn any_held() -> impl Strategy<Value = Observed<Holding>> {
    prop_oneof![
        Just(held()),
        Just(Observed::Known(Holding::NotHeld)),
        Just(Observed::unknown("unreadable")),
    ]
}

fn any_observation() -> impl Strategy<Value = Observation> {
    let master = prop_oneof![
        Just(Observed::Known(true)),
        Just(Observed::Known(false)),
        Just(Observed::unknown("unreadable")),
    ];
    let begin = prop_oneof![
        Just(Begin::Attached),
        Just(Begin::Started),
        Just(Begin::Rebooted),
        Just(Begin::Lost),
    ];
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<Option<bool>>(),
        any::<bool>(),
    );
    let words = (any::<Option<bool>>(), any::<Option<bool>>());
    (any_held(), master, begin, flags, words, 0..1000_u64).prop_map(
        |(
            held,
            master,
            begin,
            (running, has, sends_on_vnic, link, elsewhere),
            (negotiated, guest),
            waited,
        )| Observation {
            running,
            vf: has.then_some(observation(held, master).vf).flatten(),
            negotiated,
            guest,
            sends_on_vnic,
            link,
            elsewhere,
            begin,
            waited: Duration::from_secs(waited),
        },
    )
}

proptest! {
    /// The path is the VF's only when the driver, or QEMU and the guest, show it; everything else is
    /// bridged. What cannot be determined, or does not run, keeps its VF.
    #[test]
    fn nothing_is_claimed_or_taken_without_proof(observation in any_observation()) {
        let verdict = of(&observation);
        let master = observation.vf.as_ref().and_then(|vf| vf.bus_master.known().copied());
        let held = observation.vf.as_ref().and_then(|vf| vf.held.known().cloned());
        if verdict.path == Path::Vf {
            prop_assert!(master == Some(true) || (master.is_none() && observation.guest == Some(true)));
            prop_assert!(held != Some(Holding::NotHeld));
            prop_assert!(observation.link != Some(false));
        }
        prop_assert_eq!(verdict.bridge, verdict.path != Path::Vf);
        if verdict.take_back {
            prop_assert!(observation.running && verdict.path != Path::Vf && observation.vf.is_some());
            let without_link = observation.link == Some(false) && master == Some(true);
            prop_assert!(without_link || verdict.path == Path::Software);
            prop_assert!(without_link || observation.waited >= Limits::default().attached);
        }
        if let Some(after) = verdict.next_check {
            prop_assert!(after >= Duration::from_secs(1) && observation.running);
        }
    }
}
