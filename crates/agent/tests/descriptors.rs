//! An agent that has no file descriptor left judges nothing, changes nothing, and goes on when there are some
//! again. A file of its own: the limit is that of the whole process.

#[path = "node/fixture.rs"]
#[expect(dead_code, reason = "the other tests need all of it")]
mod fixture;

use accelnet_api::types::EventKind;
use accelnet_model::{Code, Performance};
use fixture::{Fixture, INTENT};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Runs `what` while no more files can be opened than there are.
fn without_descriptors<T>(what: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Nofile);
    let none = Rlimit {
        current: Some(3),
        ..before
    };
    setrlimit(Resource::Nofile, none).expect("a limit");
    let done = what();
    setrlimit(Resource::Nofile, before).expect("a limit");
    done
}

#[test]
fn what_cannot_be_opened_is_no_fault_of_the_node() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    assert!(fixture.vm_enable("web", Performance::Low).ok);
    fixture.define("stopped", 2, 4);
    fixture.reconcile();
    let (before, policy) = (fixture.report(), fixture.policy());
    without_descriptors(|| {
        for _ in 0..2 {
            let problem = fixture
                .agent()
                .reconcile()
                .expect_err("nothing can be read");
            assert_eq!(problem.code, Code::NotReadable);
            assert!(
                problem.found.contains("too many open files"),
                "{}",
                problem.found
            );
        }
        let change = fixture::enable("stopped", Performance::Low, false);
        let refused = fixture.agent().change_vms("root", &change);
        assert_eq!(refused.expect_err("not judged").code, Code::NotReadable);
        let checks = fixture.agent().prereq(Some(INTENT));
        assert_eq!(checks.expect_err("not judged").code, Code::NotReadable);
    });
    assert_eq!(fixture.report(), before, "what was known stays");
    assert_eq!(fixture.policy().vms, policy.vms);
    fixture.reconcile();
    assert!(fixture.is_completed());
    let told: Vec<_> = fixture
        .events()
        .into_iter()
        .filter(|event| event.subject == fixture::NODE)
        .map(|event| (event.kind, event.code))
        .collect();
    assert_eq!(
        told,
        [
            (EventKind::Failed, Some(Code::NotReadable)),
            (EventKind::Repaired, None)
        ],
        "once each"
    );
    assert!(fixture.vm_enable("stopped", Performance::Low).ok);
    assert_eq!(fixture.policy().vms.len(), 2);
}
