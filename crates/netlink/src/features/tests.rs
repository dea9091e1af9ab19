use std::cell::RefCell;
use std::time::Duration;

use accelnet_model::Mac;
use proptest::prelude::*;

use super::*;
use crate::Ack;

/// Kinds of questions, as bits of what a driver refuses.
const SPOOF: u8 = 1;
const TRUST: u8 = 2;
const STATE: u8 = 4;
const VLAN_Q: u8 = 8;
const VLAN_AD: u8 = 16;
const MAX: u8 = 32;
const MIN: u8 = 64;

/// A driver that keeps one VF's settings.
struct Fake {
    vf: RefCell<VfSettings>,
    refuses: u8,
    errno: i32,
    /// Changes after this one are refused, as by a driver that died.
    dies_after: usize,
    changes: RefCell<Vec<VfChange>>,
}

impl Fake {
    fn new(vf: &VfSettings, refuses: u8, errno: i32) -> Self {
        Fake {
            vf: RefCell::new(vf.clone()),
            refuses,
            errno,
            dies_after: usize::MAX,
            changes: RefCell::default(),
        }
    }
}

fn refusal(errno: i32, change: VfChange) -> NetlinkError {
    let words = Some("says the driver".to_owned());
    let ack = Ack {
        errno,
        words,
        ..Ack::default()
    };
    NetlinkError::refused(&format!("{change} of VF 3"), ack)
}

impl VfControl for Fake {
    fn set(&self, vf: u32, change: VfChange) -> Result<Option<String>, NetlinkError> {
        assert_eq!(vf, 3);
        self.changes.borrow_mut().push(change);
        if self.changes.borrow().len() > self.dies_after {
            return Err(refusal(libc::ENODEV, change));
        }
        let mut vf = self.vf.borrow_mut();
        let bits = match change {
            VfChange::SpoofCheck(_) => SPOOF,
            VfChange::Trust(_) => TRUST,
            VfChange::LinkState(_) => STATE,
            VfChange::Vlan {
                protocol: VlanProtocol::Dot1Q,
                ..
            } => VLAN_Q,
            VfChange::Vlan {
                protocol: VlanProtocol::Dot1Ad,
                ..
            } => VLAN_AD,
            VfChange::Rate { min, max } => {
                let figure = |value, bit| if value == 0 { 0 } else { bit };
                figure(min, MIN) | figure(max, MAX)
            }
            VfChange::Mac(_) => panic!("the MAC is nobody's business here"),
        };
        if bits & self.refuses != 0 {
            return Err(refusal(self.errno, change));
        }
        match change {
            VfChange::SpoofCheck(on) => vf.spoof_check = Some(on),
            VfChange::Trust(on) => vf.trust = Some(on),
            VfChange::LinkState(state) => vf.link_state = Some(state),
            VfChange::Vlan { id, qos, protocol } => {
                (vf.vlan, vf.qos, vf.vlan_protocol) = (id, qos, protocol);
            }
            VfChange::Rate { min, max } => (vf.min_tx_rate, vf.max_tx_rate) = (min, max),
            VfChange::Mac(_) => {}
        }
        Ok(None)
    }
}

fn fresh() -> VfSettings {
    VfSettings {
        index: 3,
        mac: Mac::ZERO,
        vlan: 0,
        qos: 0,
        vlan_protocol: VlanProtocol::Dot1Q,
        max_tx_rate: 0,
        min_tx_rate: 0,
        spoof_check: Some(true),
        trust: Some(false),
        link_state: Some(VfLinkState::Auto),
        rss_query: None,
    }
}

/// The answers by the bit of their question.
fn answers(features: &VfFeatures) -> [(u8, &Observed<Support>); 7] {
    [
        (SPOOF, &features.spoof_check),
        (TRUST, &features.trust),
        (STATE, &features.link_state),
        (VLAN_Q, &features.vlan),
        (VLAN_AD, &features.vlan_802_1ad),
        (MAX, &features.max_tx_rate),
        (MIN, &features.min_tx_rate),
    ]
}

#[test]
fn whatever_a_driver_refuses_is_reported_and_everything_is_put_back() {
    for refuses in 0..128 {
        let driver = Fake::new(&fresh(), refuses, libc::EOPNOTSUPP);
        let probe = probe(&driver, &fresh(), true);
        for (bit, support) in answers(&probe.features) {
            match support {
                Observed::Known(Support::Yes) => assert_eq!(refuses & bit, 0),
                Observed::Known(Support::No { reason }) => {
                    assert_ne!(refuses & bit, 0);
                    assert_eq!(reason, "says the driver (EOPNOTSUPP)");
                }
                Observed::Unknown(reason) => panic!("{bit}: {reason}"),
            }
        }
        match refuses & VLAN_Q != 0 && refuses & VLAN_AD == 0 {
            // A driver that takes the one protocol and then refuses the other that it had:
            // nothing can be done, and the error is reported.
            true => assert_eq!(probe.not_restored.len(), 1),
            false => {
                assert_eq!(probe.not_restored, []);
                assert_eq!(*driver.vf.borrow(), fresh());
            }
        }
    }
}

#[test]
fn an_igb_is_seen_as_the_lab_saw_it() {
    let driver = Fake::new(&fresh(), STATE | VLAN_AD | MIN, libc::EOPNOTSUPP);
    probe(&driver, &fresh(), true);
    let vlan = |protocol| VfChange::Vlan {
        id: 0,
        qos: 0,
        protocol,
    };
    assert_eq!(
        *driver.changes.borrow(),
        [
            VfChange::SpoofCheck(true),
            VfChange::Trust(false),
            VfChange::LinkState(VfLinkState::Auto),
            vlan(VlanProtocol::Dot1Q),
            vlan(VlanProtocol::Dot1Ad),
            VfChange::Rate { min: 0, max: 100 },
            VfChange::Rate { min: 0, max: 0 },
            VfChange::Rate { min: 1, max: 0 },
        ]
    );
}

#[test]
fn refusals_without_a_statement_on_support_leave_it_unknown() {
    for errno in [
        libc::EPERM,
        libc::ENODEV,
        libc::EBUSY,
        libc::EAGAIN,
        libc::ENETDOWN,
    ] {
        let driver = Fake::new(&fresh(), 127, errno);
        for (_, support) in answers(&probe(&driver, &fresh(), true).features) {
            assert!(support.known().is_none(), "{errno}");
        }
    }
}

#[test]
fn an_invalid_argument_counts_only_with_carrier() {
    for carrier in [true, false] {
        let driver = Fake::new(&fresh(), MAX, libc::EINVAL);
        let rate = probe(&driver, &fresh(), carrier).features.max_tx_rate;
        assert_eq!(rate.known().is_some(), carrier, "{rate:?}");
    }
}

#[test]
fn a_driver_that_does_not_answer_is_asked_to_put_back_all_the_same() {
    struct Silent(RefCell<Vec<VfChange>>);
    impl VfControl for Silent {
        fn set(&self, _: u32, change: VfChange) -> Result<Option<String>, NetlinkError> {
            self.0.borrow_mut().push(change);
            Err(NetlinkError::NoAnswer {
                what: change.to_string(),
                waited: Duration::from_secs(10),
            })
        }
    }
    let driver = Silent(RefCell::default());
    let probe = probe(&driver, &fresh(), true);
    assert_eq!(probe.not_restored.len(), 3, "802.1ad, maximum, minimum");
    assert_eq!(
        probe.features.max_tx_rate,
        Observed::unknown("no answer within 10 s")
    );
    let back = VfChange::Rate { min: 0, max: 0 };
    assert!(driver.0.borrow().contains(&back));
}

#[test]
fn warnings_are_kept() {
    struct Chatty;
    impl VfControl for Chatty {
        fn set(&self, _: u32, change: VfChange) -> Result<Option<String>, NetlinkError> {
            let trust = matches!(change, VfChange::Trust(_));
            Ok(trust.then(|| "takes a reset".to_owned()))
        }
    }
    let probe = probe(&Chatty, &fresh(), true);
    assert_eq!(probe.warnings, ["switch trust off: takes a reset"]);
}

#[test]
fn what_a_driver_does_not_report_it_is_not_asked_for() {
    let mute = VfSettings {
        spoof_check: None,
        trust: None,
        ..fresh()
    };
    let driver = Fake::new(&mute, 0, 0);
    let features = probe(&driver, &mute, true).features;
    assert_eq!(
        features,
        VfFeatures {
            link_state: Observed::Known(Support::Yes),
            vlan: Observed::Known(Support::Yes),
            vlan_802_1ad: Observed::Known(Support::Yes),
            max_tx_rate: Observed::Known(Support::Yes),
            min_tx_rate: Observed::Known(Support::Yes),
            ..reported(std::slice::from_ref(&mute))
        }
    );
    assert_eq!(features.trust, silent("trust"));
    assert_eq!(*driver.vf.borrow(), mute);
}

#[test]
fn without_asking_only_silence_is_reported() {
    let mute = VfSettings {
        trust: None,
        ..fresh()
    };
    let features = reported(&[mute.clone(), mute.clone()]);
    assert_eq!(features.trust, silent("trust"));
    assert_eq!(features.spoof_check, Observed::unknown("not tested yet"));
    assert_eq!(
        reported(&[mute, fresh()]).trust,
        Observed::unknown("not tested yet")
    );
    assert_eq!(
        reported(&[]).trust,
        Observed::unknown("no VF exists to test it")
    );
}

proptest! {
    /// Whatever a VF has, whatever is refused, and whenever the driver dies: the VF is as
    /// before, or the difference is reported.
    #[test]
    fn nothing_stays_changed_in_silence(
        (vlan, qos) in (0u16..4095, 0u8..8),
        dot1ad: bool,
        (min, extra) in (0u32..2000, 0u32..2000),
        refuses in 0u8..128,
        dies_after in 0usize..16,
    ) {
        let max_tx_rate = if extra == 0 { 0 } else { min + extra };
        let former = VfSettings {
            vlan,
            qos,
            vlan_protocol: if dot1ad { VlanProtocol::Dot1Ad } else { VlanProtocol::Dot1Q },
            min_tx_rate: min,
            max_tx_rate,
            ..fresh()
        };
        let driver = Fake { dies_after, ..Fake::new(&former, refuses, libc::EOPNOTSUPP) };
        let probe = probe(&driver, &former, true);
        prop_assert!(*driver.vf.borrow() == former || !probe.not_restored.is_empty());
        for change in driver.changes.borrow().iter() {
            if let VfChange::Rate { min, max } = change {
                prop_assert!(*max == 0 || min <= max, "{change}");
            }
        }
    }
}
