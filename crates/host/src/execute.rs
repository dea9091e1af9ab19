//! Does the steps of a plan. It chooses nothing: every choice is in the plan.

use std::time::Duration;

use accelnet_model::PciAddress;
use accelnet_model::vf::ready_for_vfio;
use accelnet_model::vf_plan::{Plan, Refusal, Step};
use accelnet_pci::{PciVf, VfsNow};

use crate::kernel_log::KernelLog;
use crate::{Host, Lock};

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The step.
    pub step: &'a Step,
    /// VFs that are ready.
    pub ready: u32,
    /// VFs that are there.
    pub there: u32,
}

/// What the steps of a plan brought.
#[derive(Debug)]
pub struct Done {
    /// The kernel's log since they began.
    pub log: KernelLog,
    /// The adapter's VFs as they were last seen; none where no step waits for them, or the adapter
    /// is gone.
    pub seen: Option<VfsNow>,
}

/// A step that did not go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Which one.
    pub step: Step,
    /// How it ended.
    pub refusal: Refusal,
    /// What the kernel logged about the adapter meanwhile.
    pub words: Option<String>,
}

/// Does the steps of `plan` on the adapter at `address`, all of them within `within`;
/// `on` gets the progress. That a wait ran out is no error here: what is there
/// afterwards decides.
///
/// # Errors
///
/// The first step that the kernel refused or did not come back from.
pub fn execute(
    host: &Host<'_>,
    lock: &Lock,
    address: PciAddress,
    plan: &Plan,
    within: Duration,
    mut on: Option<&mut dyn FnMut(Progress<'_>)>,
) -> Result<Done, Stopped> {
    let begun = host.clock.uptime();
    let log = KernelLog::from_now(host.root);
    let mut seen = None;
    let mut run = || {
        for step in &plan.steps {
            let left = within.saturating_sub(host.clock.uptime().saturating_sub(begun));
            // To count what is there costs, and gets into the kernel's way while it makes more.
            let mut tell = |ready: u32, there: &dyn Fn() -> u32| {
                if let Some(on) = on.as_deref_mut() {
                    let there = there();
                    on(Progress { step, ready, there });
                }
            };
            if let Step::AwaitReady { vfs } = step {
                seen = await_ready(host, address, *vfs, left, &mut |ready, there| {
                    tell(ready, &|| there);
                });
            }
            let Some((knob, value)) = step.write() else {
                continue;
            };
            let knob = format!("/sys/bus/pci/devices/{address}/{knob}");
            let mut looked = false;
            let mut waiting = || {
                tell(0, &|| there(host, address));
                // The read afterwards is quicker if it is not the first of its kind, and here there
                // is nothing else to do.
                if !looked {
                    looked = true;
                    rehearse(host, address);
                }
            };
            host.knobs
                .write(lock, &knob, &value.to_string(), left, &mut waiting)
                .map_err(|refusal| match refusal {
                    Refusal::TimedOut(_) => (*step, Refusal::TimedOut(within)),
                    refusal @ Refusal::Errno { .. } => (*step, refusal),
                })?;
        }
        Ok(())
    };
    match run() {
        Ok(()) => Ok(Done { log, seen }),
        Err((step, refusal)) => Err(Stopped {
            step,
            refusal,
            words: log.about(&address.to_string()),
        }),
    }
}

/// Waits until `vfs` VFs are there and ready, all at once, for no longer than `within`; for
/// fewer where the kernel reports that the driver made fewer. Returns what it saw last; none when the
/// adapter is gone.
fn await_ready(
    host: &Host<'_>,
    address: PciAddress,
    vfs: u32,
    within: Duration,
    on: &mut dyn FnMut(u32, u32),
) -> Option<VfsNow> {
    let begun = host.clock.uptime();
    let mut pause = Duration::from_millis(2);
    loop {
        let now = accelnet_pci::vfs_now(host.root, address)?;
        let made = now.num_vfs.present().copied().unwrap_or(vfs);
        let is_ready = |vf: &&PciVf| ready_for_vfio(&vf.driver, &vf.netdevs);
        let ready = now.vfs.iter().filter(is_ready).count() as u32;
        let waited = host.clock.uptime().saturating_sub(begun);
        if ready >= vfs.min(made) || waited >= within {
            return Some(now);
        }
        on(ready, now.vfs.len() as u32);
        host.clock.sleep(pause.min(within.saturating_sub(waited)));
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}

/// Reads the VFs and makes nothing of it. No configuration space is read: that can hang while a
/// driver does.
fn rehearse(host: &Host<'_>, address: PciAddress) {
    let folder = format!("/sys/bus/pci/devices/{address}");
    if let Ok(names) = host.root.names(&folder) {
        drop(accelnet_pci::vf::read_brief(host.root, &folder, &names));
    }
}

/// VFs that are there.
fn there(host: &Host<'_>, address: PciAddress) -> u32 {
    let names = host.root.names(&format!("/sys/bus/pci/devices/{address}"));
    let is_vf = |name: &&String| name.starts_with("virtfn");
    names.map_or(0, |names| names.iter().filter(is_vf).count() as u32)
}
