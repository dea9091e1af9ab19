//! Does the steps of a plan. It chooses nothing: every choice is in the plan.

use std::time::Duration;

use accelnet_model::PciAddress;
use accelnet_model::vf::ready_for_vfio;
use accelnet_model::vf_plan::{Plan, Refusal, Step};
use accelnet_pci::PciVf;

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
/// `on`, if anyone is, is told how it goes. Returns the kernel's log since then. That a wait
/// ran out is no error here: what is there afterwards tells.
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
) -> Result<KernelLog, Stopped> {
    let begun = host.clock.uptime();
    let log = KernelLog::from_now(host.root);
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
                await_ready(host, address, *vfs, left, &mut |ready, there| {
                    tell(ready, &|| there);
                });
            }
            let Some((knob, value)) = step.write() else {
                continue;
            };
            let knob = format!("/sys/bus/pci/devices/{address}/{knob}");
            let mut waiting = || tell(0, &|| there(host, address));
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
        Ok(()) => Ok(log),
        Err((step, refusal)) => Err(Stopped {
            step,
            refusal,
            words: log.about(&address.to_string()),
        }),
    }
}

/// Waits until `vfs` VFs are there and ready, all at once, for no longer than `within`; for
/// fewer where the kernel says that the driver made fewer.
fn await_ready(
    host: &Host<'_>,
    address: PciAddress,
    vfs: u32,
    within: Duration,
    on: &mut dyn FnMut(u32, u32),
) {
    let begun = host.clock.uptime();
    let mut pause = Duration::from_millis(2);
    let mut vfs = vfs;
    let mut asked = false;
    loop {
        let Some(seen) = look(host, address) else {
            return;
        };
        let ready = seen
            .iter()
            .filter(|vf| ready_for_vfio(&vf.driver, &vf.netdevs))
            .count();
        let there = seen.len();
        let waited = host.clock.uptime().saturating_sub(begun);
        if ready >= vfs as usize || waited >= within {
            return;
        }
        if !asked {
            asked = true;
            vfs = vfs.min(switched_on(host, address).unwrap_or(vfs));
            continue;
        }
        on(ready as u32, there as u32);
        host.clock.sleep(pause.min(within.saturating_sub(waited)));
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}

/// How many VFs the kernel says are switched on.
fn switched_on(host: &Host<'_>, address: PciAddress) -> Option<u32> {
    let path = format!("/sys/bus/pci/devices/{address}/sriov_numvfs");
    let answer = host.knobs.read(&[host.root.locate(&path)]).pop()?;
    answer.ok()?.trim().parse().ok()
}

/// The adapter's VFs as sysfs shows them; none when the adapter is gone.
fn look(host: &Host<'_>, address: PciAddress) -> Option<Vec<PciVf>> {
    let folder = format!("/sys/bus/pci/devices/{address}");
    let names = host.root.names(&folder).ok()?;
    Some(accelnet_pci::vf::read_brief(host.root, &folder, &names))
}

/// VFs that are there.
fn there(host: &Host<'_>, address: PciAddress) -> u32 {
    let names = host.root.names(&format!("/sys/bus/pci/devices/{address}"));
    let is_vf = |name: &&String| name.starts_with("virtfn");
    names.map_or(0, |names| names.iter().filter(is_vf).count() as u32)
}
