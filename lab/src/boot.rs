//! Starting a node: QEMU under a watcher, then its control socket, the end of its boot, and ssh.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::artifacts::Artifacts;
use crate::command::{check, tail};
use crate::error::{Error, Result, io};
use crate::programs;
use crate::qemu::{self, Files, Seat};
use crate::qmp::Qmp;
use crate::ssh::Ssh;
use crate::topology::Topology;

/// A boot takes about 20 s alone, three at once 55 s; a busy machine may take much longer.
const BOOT: Duration = Duration::from_secs(300);
/// What the node's last service writes to the console.
const READY: &str = "accelnet-lab: ready";
/// What the kernel reports when an emulated processor's timer stopped: it boots no further. Seen once in
/// some hundred boots, on a busy machine.
const STALLED: &str = "kthread timer wakeup didn't happen";
/// How often a node is started when its boot stalls.
const ATTEMPTS: u32 = 3;
/// Becomes QEMU, leaving a watcher behind that ends QEMU when this process, however it ends, closes
/// the other side of standard input; then the node's folder is removed.
const WATCHED: &str = r#"exec 3<&0 < /dev/null
folder=$1; shift
(read -r _ <&3; kill -KILL $$; rm -rf "$folder") &
exec "$@" 3<&-"#;

/// A node whose boot is done.
pub(crate) struct Booted {
    pub folder: TempDir,
    pub qemu: Child,
    pub qmp: Qmp,
    pub ssh: Ssh,
}

/// Starts QEMU and waits until the node can be used. A boot that stalls is begun again.
pub(crate) fn boot(
    topology: &Topology,
    artifacts: &Artifacts,
    seat: &Seat,
    programs: &[PathBuf],
) -> Result<Booted> {
    let mut attempt = 1;
    loop {
        let folder = tempfile::Builder::new()
            .prefix("accelnet-lab-")
            .tempdir_in("/var/tmp")
            .map_err(io("create a folder in /var/tmp"))?;
        let files = Files { dir: folder.path() };
        fs::create_dir(files.share()).map_err(io("create the node's share"))?;
        if seat.wire.is_some() {
            make_disk(artifacts, &files)?;
        }
        if !programs.is_empty() {
            programs::make_disk(programs, &files.programs())?;
        }
        let mut qemu = start(topology, artifacts, &files, seat)?;
        match connect(topology, artifacts, &files, &mut qemu) {
            Ok((qmp, ssh)) => {
                return Ok(Booted {
                    folder,
                    qemu,
                    qmp,
                    ssh,
                });
            }
            Err(error) => {
                end(&mut qemu);
                if !matches!(error, Error::Stalled { .. }) || attempt == ATTEMPTS {
                    return Err(error);
                }
                eprintln!("{error}\nstarting it again ({attempt} of {ATTEMPTS} attempts used)");
                attempt += 1;
            }
        }
    }
}

/// Starts QEMU again over the disk of a node whose QEMU was killed, and waits until it can be used.
pub(crate) fn boot_again(
    topology: &Topology,
    artifacts: &Artifacts,
    files: &Files<'_>,
    seat: &Seat,
) -> Result<(Child, Qmp, Ssh)> {
    let mut attempt = 1;
    loop {
        // What it reports next is not what it reported before.
        drop(fs::remove_file(files.console()));
        drop(fs::remove_file(files.qmp()));
        let mut qemu = start(topology, artifacts, files, seat)?;
        match connect(topology, artifacts, files, &mut qemu) {
            Ok((qmp, ssh)) => return Ok((qemu, qmp, ssh)),
            Err(error) => {
                kill(&mut qemu);
                if !matches!(error, Error::Stalled { .. }) || attempt == ATTEMPTS {
                    return Err(error);
                }
                eprintln!("{error}\nstarting it again ({attempt} of {ATTEMPTS} attempts used)");
                attempt += 1;
            }
        }
    }
}

/// Makes an overlay over the image, which is the node's disk for as long as its folder is there.
fn make_disk(artifacts: &Artifacts, files: &Files<'_>) -> Result<()> {
    let mut command = Command::new("qemu-img");
    command
        .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"])
        .arg(artifacts.disk())
        .arg(files.disk());
    check(
        "make the node's disk",
        &mut command,
        Duration::from_secs(60),
    )
    .map(drop)
}

/// Starts QEMU.
fn start(
    topology: &Topology,
    artifacts: &Artifacts,
    files: &Files<'_>,
    seat: &Seat,
) -> Result<Child> {
    // The folder's name is random, and so is the id that MACs of bridges are made from.
    let seed = files
        .dir
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let machine_id: String = seed
        .bytes()
        .rev()
        .map(|byte| format!("{byte:02x}"))
        .take(16)
        .collect();
    let log = File::create(files.log()).map_err(io("create QEMU's log"))?;
    let errors = log.try_clone().map_err(io("create QEMU's log"))?;
    Command::new("sh")
        .args(["-c", WATCHED, "accelnet-lab"])
        .arg(files.dir)
        .arg(qemu::PROGRAM)
        .args(qemu::arguments(
            topology,
            artifacts,
            files,
            &machine_id,
            seat,
        ))
        .stdin(Stdio::piped())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(io("start QEMU"))
}

/// Waits until the node can be used.
fn connect(
    topology: &Topology,
    artifacts: &Artifacts,
    files: &Files<'_>,
    qemu: &mut Child,
) -> Result<(Qmp, Ssh)> {
    let begin = Instant::now();
    let mut awaited = "QEMU's control socket";
    let mut connection: Option<(Qmp, Ssh)> = None;
    loop {
        if let Some(status) = qemu.try_wait().map_err(io("wait for QEMU"))? {
            let status = status.to_string();
            return Err(Error::QemuEnded {
                node: topology.name.clone(),
                status,
                detail: detail(files),
            });
        }
        if console(files).contains(STALLED) {
            return Err(Error::Stalled {
                node: topology.name.clone(),
                detail: detail(files),
            });
        }
        if begin.elapsed() >= BOOT {
            let what = format!("{awaited} of node {}", topology.name);
            return Err(Error::Deadline {
                what,
                deadline: BOOT,
                detail: detail(files),
            });
        }
        connection = match connection.take() {
            None => match Qmp::connect(&files.qmp()) {
                Ok(mut qmp) => {
                    awaited = "the end of the boot";
                    let port = qmp.ssh_port()?;
                    Some((qmp, Ssh::new(&artifacts.key(), &files.ssh(), port)))
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::NotFound | ErrorKind::ConnectionRefused
                    ) =>
                {
                    None
                }
                Err(error) => return Err(io("talk to QEMU")(error)),
            },
            Some((qmp, mut ssh)) if boots(files) >= 1 => {
                awaited = "an ssh connection";
                if ssh.connect()? {
                    return Ok((qmp, ssh));
                }
                Some((qmp, ssh))
            }
            waiting => waiting,
        };
        thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until the node that was reset after `before` boots can be used again.
pub(crate) fn again(before: usize, node: &str, files: &Files<'_>, ssh: &mut Ssh) -> Result<()> {
    let begin = Instant::now();
    ssh.disconnect();
    while begin.elapsed() < BOOT {
        if boots(files) > before && ssh.connect()? {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    Err(Error::Deadline {
        what: format!("the boot of node {node} after its reset"),
        deadline: BOOT,
        detail: detail(files),
    })
}

/// How often the node has booted.
pub(crate) fn boots(files: &Files<'_>) -> usize {
    console(files).matches(READY).count()
}

/// Ends QEMU, and with standard input its watcher, before the process id can be another's.
pub(crate) fn end(qemu: &mut Child) {
    // It may have ended by itself, which is as good.
    let _ = qemu.kill();
    let _ = qemu.wait();
    drop(qemu.stdin.take());
}

/// Ends QEMU and its watcher, as a power cut does: what belongs to the node stays.
pub(crate) fn kill(qemu: &mut Child) {
    let group = i32::try_from(qemu.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // It may have ended by itself, which is as good.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = qemu.wait();
    drop(qemu.stdin.take());
}

/// How QEMU ended, if it has; waiting for it is still possible.
pub(crate) fn how_it_ended(qemu: &Child) -> Option<String> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    let pid = Pid::from_child(qemu);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let ended = waitid(WaitId::Pid(pid), options).ok()??;
    Some(match (ended.exit_status(), ended.terminating_signal()) {
        (Some(status), _) => format!("exit status: {status}"),
        (None, Some(signal)) => format!("signal: {signal}"),
        (None, None) => "unknown".to_owned(),
    })
}

/// All that the node wrote to its console.
pub(crate) fn console(files: &Files<'_>) -> String {
    fs::read(files.console())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// What QEMU and the node reported last.
pub(crate) fn detail(files: &Files<'_>) -> String {
    let log = fs::read_to_string(files.log()).unwrap_or_default();
    format!(
        "--- QEMU\n{}\n--- console\n{}",
        tail(&log, 10),
        tail(&console(files), 40)
    )
}
