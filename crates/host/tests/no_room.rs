//! No room for one more open file: an error, and nothing hangs. By itself, since it concerns all
//! of a process.

use std::time::Duration;

use accelnet_host::{Knobs, Lock, SystemKnobs};
use accelnet_model::vf_plan::Refusal;
use accelnet_pci::LockedRead;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn a_child_that_cannot_be_started_is_an_error_and_no_hang() {
    let before = getrlimit(Resource::Nofile);
    let none = Rlimit {
        current: Some(3),
        ..before
    };
    setrlimit(Resource::Nofile, none).expect("less than before");
    let knobs = SystemKnobs::default();
    let within = Duration::from_secs(30);
    let own = "/proc/self/oom_score_adj";
    let refused = knobs.write(&Lock::private(), own, "0", within, &mut || ());
    let read = knobs.read(&[own.into()]);
    setrlimit(Resource::Nofile, before).expect("as before");
    let text = "Too many open files".to_owned();
    assert_eq!(refused, Err(Refusal::Errno { number: 24, text }));
    let number = read[0]
        .as_ref()
        .err()
        .and_then(std::io::Error::raw_os_error);
    assert_eq!(number, Some(24));
}
