//! The one that changes dies or hangs in the middle, and its guard restores what was.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use accelnet_host::switch::guard::{ChildGuard, Guard, recover};
use accelnet_host::{Clock, KernelSwitches, Switches, SystemClock};
use accelnet_model::switch::{Plan, SwitchStep};

use crate::bench::{Bench, Hooked, PROGRAM, execute};

/// Marks the test process that dies.
const DIES: &str = "ACCELNET_TEST_DIES_IN";

/// Not a test: what a test starts in order to kill it. It does a plan and stops at the step
/// that it is reported.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that is called by another"
)]
fn child_that_stops_at_a_step() {
    let Some(folder) = std::env::var_os(DIES) else {
        return;
    };
    let folder = Path::new(&folder);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("written");
    let plan: Plan = serde_json::from_str(&read("plan")).expect("a plan");
    let stop: String = read("stop");
    let stops = Hooked(|step: &SwitchStep| {
        if step.to_string() == stop {
            println!("stopped");
            SystemClock.sleep(Duration::from_secs(600));
        }
    });
    let ended = execute(&stops, &plan, &folder.join("run"), Duration::from_secs(60));
    println!("ended: {ended:?}");
}

/// Starts a process that stops before that step, and kills it there.
fn die_at(bench: &Bench, plan: &Plan, step: &SwitchStep) {
    let folder = bench.folder.path();
    let text = serde_json::to_string(plan).expect("plain data");
    std::fs::write(folder.join("plan"), text).expect("written");
    std::fs::write(folder.join("stop"), step.to_string()).expect("written");
    let child = Command::new("ip")
        .args(["netns", "exec", bench.node.name()])
        .arg(std::env::current_exe().expect("this test"))
        .args([
            "--exact",
            "death::child_that_stops_at_a_step",
            "--nocapture",
        ])
        .env(DIES, folder)
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut lines = lines.map_while(Result::ok);
    let stopped = lines.find(|line| line.ends_with("stopped") || line.starts_with("ended"));
    assert!(
        stopped.is_some_and(|line| line.ends_with("stopped")),
        "{step}"
    );
    // SIGKILL; `ip netns exec` has become the test.
    child.kill().expect("killed");
    child.wait().expect("dead");
}

/// Waits until no change is under way any more.
fn until_restored(folder: &Path) {
    for _ in 0..500 {
        let run = folder.join("run");
        if std::fs::read_dir(run).is_ok_and(|entries| entries.count() == 0) {
            return;
        }
        SystemClock.sleep(Duration::from_millis(20));
    }
    panic!("the guard did not restore");
}

#[test]
fn a_process_that_is_killed_leaves_everything_as_it_was() {
    let Some(bench) = Bench::new("killed") else {
        return;
    };
    let before = bench.state("up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    for step in &plan.steps {
        die_at(&bench, &plan, step);
        until_restored(bench.folder.path());
        assert_eq!(bench.state("up0"), before, "killed before: {step}");
        assert_eq!(bench.node.ip_output("-br link show type bridge"), "");
    }
    assert!(bench.gateways_answer("up0"));
}

#[test]
fn a_process_that_hangs_is_given_up_by_its_guard() {
    let Some(bench) = Bench::new("hangs") else {
        return;
    };
    let before = bench.state("up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    let folder = bench.folder.path().join("run");
    let guard = ChildGuard {
        program: PROGRAM.into(),
        folder: folder.clone(),
    };
    bench.node.inside(|| {
        let watch = guard.watch("acn-vms", &plan.undo, Duration::from_secs(1));
        let watch = watch.expect("it starts");
        let second = guard.watch("acn-vms", &plan.undo, Duration::from_secs(1));
        let refused = second.err().expect("one at a time");
        assert_eq!(
            refused.to_string(),
            "another change of this bridge is under way"
        );
        for step in &plan.steps {
            KernelSwitches.apply(step).expect("it works");
        }
        until_restored(bench.folder.path());
        assert_eq!(
            watch.dismiss(),
            accelnet_host::switch::guard::Dismissed::Restored
        );
    });
    assert_eq!(bench.state("up0"), before);
}

#[test]
fn a_change_whose_guard_died_too_is_undone_by_the_next_process() {
    let Some(bench) = Bench::new("both") else {
        return;
    };
    let before = bench.state("up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    let folder = bench.folder.path();
    assert_eq!(
        recover(&folder.join("none"), &KernelSwitches).expect("none"),
        []
    );
    let record = serde_json::json!({ "bridge": "acn-vms", "undo": plan.undo });
    std::fs::write(folder.join("acn-vms.undo"), record.to_string()).expect("written");
    bench.node.inside(|| {
        for step in &plan.steps {
            KernelSwitches.apply(step).expect("it works");
        }
        let recovered = recover(folder, &KernelSwitches).expect("readable");
        assert_eq!(recovered.len(), 1);
        assert_eq!(recovered[0].failed, [""; 0]);
        assert_eq!(recover(folder, &KernelSwitches).expect("readable"), []);
    });
    assert_eq!(bench.state("up0"), before);
}

#[test]
fn a_guard_that_cannot_start_means_that_nothing_is_changed() {
    let Some(bench) = Bench::new("noguard") else {
        return;
    };
    let plan = bench.plan("acn-vms").expect("a plan");
    let guard = ChildGuard {
        program: "/bin/false".into(),
        folder: bench.folder.path().to_owned(),
    };
    bench.node.inside(|| {
        let refused = guard.watch("acn-vms", &plan.undo, Duration::from_secs(1));
        let refused = refused.err().expect("no guard");
        assert_eq!(refused.to_string(), "the guard process did not start");
    });
    let left = std::fs::read_dir(bench.folder.path()).expect("the folder");
    assert_eq!(left.count(), 0, "no record is left");
}
