//! libvirt's network hook: sets a VF to what its VM is to have, after libvirt chose it and
//! before the guest sees it, and puts it back when it is released. And its hook of QEMU, for a VM
//! that comes from another node and would find no VF.
//!
//! libvirt waits for its hook while it holds locks, and takes a failure of it for a reason
//! not to start the VM. So the hook asks libvirt nothing, always succeeds, and is done by a
//! child process that can be left behind when a driver hangs.
//!
//! libvirt itself sets MAC and VLAN of the VF, after this hook, from the interface's XML. It
//! notes what it finds there before, and puts that back; therefore the hook must not set
//! either beforehand.

pub mod access;
pub mod coming;
mod edge;
mod files;
mod incoming;
mod install;
mod parent;
mod port;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use accelnet_libvirt::xml::DomainXml;
use accelnet_model::outside;
use accelnet_pci::Root;

use crate::SystemKnobs;
use crate::links::KernelLinks;

pub use edge::Edge;
pub use incoming::serve as let_in;
pub use install::{
    InstallError, NETWORK_SCRIPT, NEW, SCRIPT_MODE, differs, install, is_ours, scripts,
};
pub use port::{Operation, serve};

/// First argument of a hook that libvirt runs through its script.
pub const CALLED: &str = "__hook";

/// Second argument of the child that does the work.
const WORK: &str = "work";
/// What such a child does for a VM that comes from another node.
const COMING: &str = "coming";

/// The operation by which `accelnet setup` tries whether the hook runs.
pub const TRIED: &str = "accelnet-tried";
/// What a hook that was tried leaves.
pub const TRIAL: &str = "/run/accelnet/hook-trial";

/// Runs the hook with the arguments after [`CALLED`], as libvirt gives them: `network NAME
/// OPERATION SUB-OPERATION EXTRA`, or `qemu` and the same. The answer is its exit status, which is always 0.
pub fn run(args: impl Iterator<Item = OsString>, mut data: impl Read) -> i32 {
    let words: Vec<String> = args
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut xml = String::new();
    // Read to the end whatever it is: libvirt writes all of it.
    if let Err(error) = data.read_to_string(&mut xml) {
        complain(&format!("failed to read the input from libvirt: {error}"));
    }
    match words[..] {
        ["network", _, TRIED, ..] => {
            if let Err(error) = write_trial() {
                complain(&format!("failed to write {TRIAL}: {error}"));
            }
        }
        ["network", _, operation, ..] => {
            if let Some(operation) = Operation::from_word(operation) {
                let mut child = Command::new("/proc/self/exe");
                child.args([CALLED, WORK, operation.word()]);
                complain_of(parent::run(child, &xml), "failed to set a VF for libvirt");
            }
        }
        ["qemu", _, "migrate", "begin", ..] => {
            let Ok(domain) = DomainXml::parse(&xml) else {
                return 0;
            };
            complain_of(
                coming::note(&Root::system(), &domain),
                "failed to note a VM",
            );
            // Nothing said is the same as all of it unchanged.
            if let Some(changed) = let_in(&Root::system(), &domain)
                && let Err(error) = std::io::stdout().write_all(changed.as_bytes())
            {
                complain(&format!("failed to answer libvirt: {error}"));
            }
        }
        ["qemu", _, "start", "begin", ..] if coming::forget(&Root::system(), &xml) => {
            let mut child = Command::new("/proc/self/exe");
            child.args([CALLED, WORK, COMING]);
            complain_of(parent::run(child, &xml), "failed to set a VF");
        }
        ["qemu", _, "release", "end", ..] => drop(coming::forget(&Root::system(), &xml)),
        [WORK, operation] => {
            let root = Root::system();
            let knobs = SystemKnobs::default();
            let edge = Edge {
                root: &root,
                links: &KernelLinks,
                knobs: &knobs,
            };
            if operation == COMING {
                complain_of(coming::remove_mac(&edge, &xml), "failed to set a VF");
            } else if let Some(operation) = Operation::from_word(operation) {
                for failure in serve(&edge, operation, &xml) {
                    complain(&format!("{}: {failure}", operation.word()));
                }
            }
        }
        _ => {}
    }
    0
}

fn write_trial() -> std::io::Result<()> {
    let file = std::path::Path::new(TRIAL);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, "")
}

/// Reports it in the system's log: libvirt shows what a hook prints only when the hook fails.
fn complain_of(result: Result<(), String>, what: &str) {
    if let Err(words) = result {
        complain(&format!("{what}: {words}"));
    }
}

fn complain(words: &str) {
    // Facility "daemon", severity "warning" (RFC 5424).
    let words = outside::short(words, 1000);
    let line = format!("<28>accelnet: {words}");
    let sent = UnixDatagram::unbound().and_then(|log| log.send_to(line.as_bytes(), "/dev/log"));
    if sent.is_err() {
        eprintln!("accelnet: {words}");
    }
}
