use std::io;
use std::sync::{Arc, Mutex};

use accelnet_model::switch::{Bridge, Carried, Mention, PortRules};

use super::*;
use crate::switch::guard::Watch;

/// Switches that note what is done, with faults.
#[derive(Default)]
struct Fake {
    done: Mutex<Vec<String>>,
    /// A step that is refused.
    refuses: Option<&'static str>,
    /// Links on which no gateway answers.
    silent_on: Vec<&'static str>,
}

impl Switches for Fake {
    fn list_bridges(&self) -> Result<Vec<Bridge>, NetlinkError> {
        Ok(Vec::new())
    }

    fn carried(&self, _link: &str) -> Result<Carried, NetlinkError> {
        Ok(Carried::default())
    }

    fn port_rules(&self, _bridge: &str) -> Result<Option<PortRules>, NetlinkError> {
        Ok(None)
    }

    fn apply(&self, step: &SwitchStep) -> Result<(), NetlinkError> {
        let step = step.to_string();
        if self.refuses == Some(&step) {
            return Err(NetlinkError::Refused {
                errno: 16,
                name: "EBUSY".to_owned(),
                words: None,
                what: step,
            });
        }
        self.done.lock().expect("alone").push(step);
        Ok(())
    }

    fn mentions(&self, _link: &str) -> Vec<Mention> {
        Vec::new()
    }

    fn answers(&self, _gateway: IpAddr, link: &str, _within: Duration) -> bool {
        !self.silent_on.contains(&link)
    }
}

/// A guard that does nothing, and shows how it was used.
#[derive(Default)]
struct FakeGuard {
    /// Whether there is none to be had.
    missing: bool,
    /// The outcome that it reports.
    restored: bool,
    used: Arc<Mutex<Vec<String>>>,
}

struct FakeWatch {
    restored: bool,
    used: Arc<Mutex<Vec<String>>>,
}

impl Guard for FakeGuard {
    fn watch(
        &self,
        bridge: &str,
        undo: &[SwitchStep],
        within: Duration,
    ) -> io::Result<Box<dyn Watch>> {
        if self.missing {
            return Err(io::Error::other("no room"));
        }
        let words = format!("{bridge}: {} steps in {} s", undo.len(), within.as_secs());
        self.used.lock().expect("alone").push(words);
        Ok(Box::new(FakeWatch {
            restored: self.restored,
            used: Arc::clone(&self.used),
        }))
    }
}

impl Watch for FakeWatch {
    fn dismiss(self: Box<Self>) -> Dismissed {
        self.used
            .lock()
            .expect("alone")
            .push("dismissed".to_owned());
        match self.restored {
            true => Dismissed::Restored,
            false => Dismissed::Untouched,
        }
    }
}

/// A clock on which every read takes a second.
#[derive(Default)]
struct Slow(Mutex<u64>);

impl Clock for Slow {
    fn now(&self) -> String {
        String::new()
    }

    fn uptime(&self) -> Duration {
        let mut seconds = self.0.lock().expect("alone");
        *seconds += 1;
        Duration::from_secs(*seconds)
    }

    fn sleep(&self, _time: Duration) {}
}

fn up(link: &str) -> SwitchStep {
    SwitchStep::Up {
        link: link.to_owned(),
    }
}

fn down(link: &str) -> SwitchStep {
    SwitchStep::Down {
        link: link.to_owned(),
    }
}

fn plan() -> Plan {
    let gateway = |ip: &str| Gateway {
        ip: ip.parse().expect("an address"),
        before: "eth0".to_owned(),
        after: "br0".to_owned(),
    };
    Plan {
        bridge: "br0".to_owned(),
        uplink: "eth0".to_owned(),
        steps: vec![up("br0"), up("eth0")],
        undo: vec![down("eth0"), down("br0")],
        gateways: vec![gateway("192.0.2.1"), gateway("fe80::1")],
        why: String::new(),
        warnings: Vec::new(),
    }
}

fn run(fake: &Fake, guard: &FakeGuard, limits: Limits) -> Result<HandedOver, NotHandedOver> {
    let clock = Slow::default();
    let edge = Edge {
        switches: fake,
        guard,
        clock: &clock,
    };
    hand_over(edge, &plan(), limits, &mut |_| {})
}

fn done(fake: &Fake) -> Vec<String> {
    fake.done.lock().expect("alone").clone()
}

const ALL: [&str; 2] = ["set br0 up", "set eth0 up"];
const BACK: [&str; 2] = ["set eth0 down", "set br0 down"];

#[test]
fn all_steps_and_a_guard_that_is_dismissed() {
    let (fake, guard) = (Fake::default(), FakeGuard::default());
    let handed = run(&fake, &guard, Limits::default()).expect("done");
    assert_eq!(handed.answered.len(), 2);
    assert_eq!(done(&fake), ALL);
    let used = guard.used.lock().expect("alone");
    assert_eq!(*used, ["br0: 2 steps in 50 s", "dismissed"]);
}

#[test]
fn a_plan_without_steps_needs_no_guard() {
    let (fake, clock) = (Fake::default(), Slow::default());
    let guard = FakeGuard {
        missing: true,
        ..FakeGuard::default()
    };
    let edge = Edge {
        switches: &fake,
        guard: &guard,
        clock: &clock,
    };
    let nothing = Plan {
        steps: Vec::new(),
        ..plan()
    };
    let handed = hand_over(edge, &nothing, Limits::default(), &mut |_| {});
    assert_eq!(handed, Ok(HandedOver::default()));
}

#[test]
fn without_a_guard_nothing_is_changed() {
    let fake = Fake::default();
    let guard = FakeGuard {
        missing: true,
        ..FakeGuard::default()
    };
    let error = run(&fake, &guard, Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "start a guard for the change: no room");
    assert_eq!(done(&fake), [""; 0]);
}

#[test]
fn a_step_that_is_refused_takes_everything_back() {
    let fake = Fake {
        refuses: Some("set eth0 up"),
        ..Fake::default()
    };
    let guard = FakeGuard::default();
    let error = run(&fake, &guard, Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "set eth0 up: device or resource busy (EBUSY); everything is as it was"
    );
    assert_eq!(done(&fake), [&ALL[..1], &BACK[..]].concat());
    assert_eq!(guard.used.lock().expect("alone").len(), 2, "dismissed");
}

#[test]
fn what_cannot_be_taken_back_is_reported_and_the_rest_is() {
    let fake = Fake {
        refuses: Some("set eth0 down"),
        silent_on: vec!["br0"],
        ..Fake::default()
    };
    let error = run(&fake, &FakeGuard::default(), Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "reach gateway 192.0.2.1 on br0 within 30 s; not everything could be restored: failed to set eth0 down: device or resource busy (EBUSY)"
    );
    assert_eq!(done(&fake), [&ALL[..], &BACK[1..]].concat());
}

#[test]
fn a_gateway_that_was_silent_before_is_not_demanded() {
    let fake = Fake {
        silent_on: vec!["eth0", "br0"],
        ..Fake::default()
    };
    let handed = run(&fake, &FakeGuard::default(), Limits::default()).expect("done");
    assert_eq!((handed.answered.len(), handed.silent_before.len()), (0, 2));
}

#[test]
fn no_step_is_begun_when_time_is_up() {
    let fake = Fake::default();
    let limits = Limits {
        within: Duration::from_secs(2),
        ..Limits::default()
    };
    let error = run(&fake, &FakeGuard::default(), limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "set eth0 up: 2 s were up; everything is as it was"
    );
    assert_eq!(done(&fake), [&ALL[..1], &BACK[..]].concat());
}

#[test]
fn a_guard_that_restored_has_the_last_word() {
    let fake = Fake::default();
    let guard = FakeGuard {
        restored: true,
        ..FakeGuard::default()
    };
    let error = run(&fake, &guard, Limits::default()).unwrap_err();
    assert_eq!(
        error,
        NotHandedOver::Guarded {
            bridge: "br0".to_owned()
        }
    );
}
