//! Network namespaces for tests against the running kernel.

use std::fs::File;
use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Whether we may do everything.
pub fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A network namespace that `ip netns` made; none where that is not permitted.
#[derive(Debug)]
pub struct Namespace(String);

impl Namespace {
    /// Makes one; none, with a word about it, without the right to.
    pub fn new(name: &str) -> Option<Self> {
        let name = format!("accelnet-{name}-{}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        match made {
            Ok(output) if output.status.success() => Some(Namespace(name)),
            why => {
                assert!(!root(), "`ip netns add` must work for root: {why:?}");
                println!("SKIPPED: making a network namespace needs root: {why:?}");
                None
            }
        }
    }

    /// What stands for it.
    pub fn file(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.0)
    }

    /// Runs `ip` with these arguments in it.
    pub fn ip(&self, arguments: &str) {
        let output = Command::new("ip")
            .args(["-n", &self.0])
            .args(arguments.split(' '))
            .output()
            .expect("ip runs");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ip {arguments}: {words}");
    }

    /// What `ip` prints with these arguments in it.
    pub fn ip_output(&self, arguments: &str) -> String {
        let output = Command::new("ip")
            .args(["-n", &self.0])
            .args(arguments.split(' '))
            .output()
            .expect("ip runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Does `work` inside, on a thread of its own.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = File::open(self.file()).expect("it is there");
        thread::scope(|scope| {
            let entered = scope.spawn(|| {
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(file.as_fd(), kind).expect("root may enter");
                work()
            });
            entered.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}
