//! What libvirt finds out of its emulators at first contact: in the image from the start. In an emulated
//! node the asking takes a quarter of a minute, longer than everything else that libvirt does there.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::artifacts::Artifacts;
use crate::command::check;
use crate::error::{Error, Result, io};
use crate::node::Node;
use crate::qemu::Seat;
use crate::topologies;

/// Where libvirt keeps it, below a folder that its package brings. It asks again when emulator, kernel
/// or processor are others.
const PLACE: &str = "/var/cache/libvirt/qemu/capabilities";
const SOON: Duration = Duration::from_secs(240);

/// Has a node ask, and puts the answers into the disk that it booted from. `work` is a folder for
/// what lies between.
pub(crate) fn ask(artifacts: &Artifacts, work: &Path) -> Result<()> {
    eprintln!("lab: asking its emulators for what they can (half a minute)");
    let answers = work.join("emulators");
    fs::create_dir(&answers).map_err(io(format!("create {}", answers.display())))?;
    let node = Node::boot_at(
        &topologies::igb_acs(),
        artifacts.clone(),
        Seat::default(),
        None,
        &[],
    )?;
    node.wait_until("libvirt", "virsh version", SOON)?;
    node.check("share the answers", &format!("cp {PLACE}/*.xml /host/"))?;
    let mut copy = Command::new("sh");
    copy.args(["-euc", "cp \"$1\"/*.xml \"$2\"", "sh"])
        .arg(node.share())
        .arg(&answers);
    check("take the answers", &mut copy, SOON)?;
    drop(node);
    let names: Vec<String> = fs::read_dir(&answers)
        .map_err(io(format!("read {}", answers.display())))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let mut words = format!("mkdir {PLACE}\ncd {PLACE}\n");
    for name in &names {
        words.push_str(&format!("write {name} {name}\n"));
    }
    let script = work.join("debugfs");
    fs::write(&script, words).map_err(io(format!("write {}", script.display())))?;
    let debugfs = |words: &[&str]| {
        let mut command = Command::new("sh");
        command
            // Where root's programs are, for other users.
            .args([
                "-euc",
                "PATH=$PATH:/usr/sbin:/sbin; exec debugfs \"$@\"",
                "sh",
            ])
            .args(words)
            .arg(artifacts.disk())
            .current_dir(&answers);
        check("write the answers to the disk", &mut command, SOON)
    };
    debugfs(&["-w", "-f", "../debugfs"])?;
    // Its exit status does not report failures.
    let there = debugfs(&["-R", &format!("ls -p {PLACE}")])?;
    match names.iter().find(|name| !there.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Error::Command {
            what: format!("write {PLACE}/{name} to the disk"),
            status: 0,
            output: there,
        }),
    }
}
