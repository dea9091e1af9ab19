//! A change of the number of VFs: lock, observe, plan, execute, observe again, verify.

use std::time::Duration;

use accelnet_host::execute::{Done, Progress, Stopped, execute};
use accelnet_host::knobs::{Lock, LockError};
use accelnet_host::{Host, features, observe};
use accelnet_model::vf_plan::{Ask, Plan, Refusal, Step};
use accelnet_model::{Adapter, Code, Observed, PciAddress, Problem};
use accelnet_rules::{naming, prereq, vf_count};
use serde::{Deserialize, Serialize};

/// The result of a change. Its JSON is part of the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Changed {
    /// Name of the adapter.
    pub adapter: String,
    /// Its PCI address.
    pub address: PciAddress,
    /// The plan.
    pub plan: Plan,
    /// False after a dry run.
    pub applied: bool,
    /// Its duration in seconds.
    pub seconds: f64,
    /// The PCI addresses of the VFs, by number.
    pub vfs: Vec<PciAddress>,
    /// Warnings of a change that was made.
    pub warnings: Vec<String>,
}

/// A requested change.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Name of the adapter, of any kind.
    pub name: &'a str,
    /// The requested number of VFs.
    pub ask: Ask,
    /// The deadline.
    pub within: Duration,
    /// Only show the plan.
    pub dry_run: bool,
}

/// The address of the adapter called `name`.
///
/// # Errors
///
/// No adapter or several have that name, or the adapters cannot be listed.
pub fn find(host: &Host<'_>, name: &str) -> Result<PciAddress, Problem> {
    if let Some(address) = observe::named(host, name) {
        return Ok(address);
    }
    let identities = observe::identities(host).map_err(|reason| {
        Problem::new(Code::NotReadable, &[name, "the list of adapters"], reason)
    })?;
    naming::find(name, &identities)
}

/// All properties of the adapter at `address`.
///
/// # Errors
///
/// It does not exist any more.
pub fn read(host: &Host<'_>, name: &str, address: PciAddress) -> Result<Adapter, Problem> {
    observe::adapter(host, address).ok_or_else(|| gone(name, address))
}

fn gone(name: &str, address: PciAddress) -> Problem {
    let names = [name, &address.to_string()];
    let found = format!("The device at {address} does not exist any more.");
    Problem::new(Code::AdapterLost, &names, found)
}

/// Changes the number of VFs; `on` receives the progress.
///
/// # Errors
///
/// Why it was refused or interrupted; the next call continues from the state at that time.
pub fn run(
    host: &Host<'_>,
    request: Request<'_>,
    on: Option<&mut dyn FnMut(Progress<'_>)>,
) -> Result<Changed, Problem> {
    let begun = host.clock.uptime();
    let address = find(host, request.name)?;
    let lock = match request.dry_run {
        true => Lock::private(),
        false => take_lock(host, request.name, address)?,
    };
    let before = observe::adapter_to_change(host, address);
    let before = before.ok_or_else(|| gone(request.name, address))?;
    let name = before.name();
    let plan = vf_count::plan(&before, request.ask);
    let plan = plan.map_err(|problem| judged(host, problem, &before))?;
    let mut changed = Changed {
        adapter: name.clone(),
        address,
        applied: false,
        seconds: 0.0,
        vfs: before.vfs.iter().map(|vf| vf.address).collect(),
        warnings: Vec::new(),
        plan,
    };
    if request.dry_run {
        changed.warnings = vf_count::expected(&before, &changed.plan);
        return Ok(changed);
    }
    let plan = &changed.plan;
    let guard = guard(host, &before, &name, plan)?;
    let ended = execute(host, &lock, address, plan, request.within, on);
    drop(guard);
    let Done { log, seen } = match ended {
        Ok(done) => done,
        Err(stopped) => return Err(stopped_problem(host, &lock, &before, plan, &stopped)),
    };
    let fresh = plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::Create { .. }));
    let after = observe::adapter_changed(host, &before, fresh, seen);
    let waited = host.clock.uptime().saturating_sub(begun);
    let waited = format!("{} s", waited.as_secs());
    let address_text = address.to_string();
    vf_count::verdict(plan, &name, &address_text, after.as_ref(), &waited)
        .map_err(|problem| with_words(problem, log.about(&address_text).as_deref()))?;
    if let Some(after) = after {
        changed.vfs = after.vfs.iter().map(|vf| vf.address).collect();
        changed.warnings = vf_count::warnings_after(&after, plan);
        if fresh {
            changed.warnings.extend(test_features(host, &after));
        }
    }
    changed.applied = true;
    changed.seconds = host.clock.uptime().saturating_sub(begun).as_secs_f64();
    Ok(changed)
}

/// A refusal with the text of the failed prerequisite, if there is one.
fn judged(host: &Host<'_>, problem: Problem, adapter: &Adapter) -> Problem {
    let is_prerequisite = prereq::blocker(adapter).is_some_and(|one| one.code == problem.code);
    match is_prerequisite {
        true => prereq::as_judged(problem, &observe::node(host), adapter),
        false => problem,
    }
}

fn take_lock(host: &Host<'_>, name: &str, address: PciAddress) -> Result<Lock, Problem> {
    let address_text = address.to_string();
    let note = format!("process {}, since {}", std::process::id(), host.clock.now());
    host.knobs
        .lock(address, &note)
        .map_err(|error| match error {
            LockError::Held(holder) => Problem::new(
                Code::ChangeInProgress,
                &[name],
                format!("The lock of {address} is held by {holder}."),
            ),
            error @ (LockError::ReadOnly | LockError::Io { .. }) => Problem::new(
                Code::PermissionDenied,
                &[name, &address_text],
                format!("The lock of {address} cannot be acquired."),
            )
            .cause(error.to_string())
            .resolution(match error {
                LockError::ReadOnly => {
                    "Run the command on the node itself, without --root.".to_owned()
                }
                _ => Code::PermissionDenied.entry().resolution.to_owned(),
            }),
        })
}

/// Opens the vfio group of every VF while the plan removes VFs, so that no VM can take one after the
/// observation. A group that a process holds stops the plan.
fn guard(
    host: &Host<'_>,
    adapter: &Adapter,
    name: &str,
    plan: &Plan,
) -> Result<Vec<std::fs::File>, Problem> {
    let destroys = |step: &Step| matches!(step, Step::Destroy { .. });
    if !plan.steps.iter().any(destroys) {
        return Ok(Vec::new());
    }
    let mut held = Vec::new();
    for vf in &adapter.vfs {
        let vfio = vf
            .driver
            .present()
            .is_some_and(|driver| driver == "vfio-pci");
        let (true, Some(group)) = (vfio, vf.iommu_group.present()) else {
            continue;
        };
        let device = format!("/dev/vfio/{group}");
        match host.knobs.hold(&device) {
            Ok(file) => held.push(file),
            Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                let found = format!(
                    "VF {} ({}) is in use: a process holds {device}.",
                    vf.index, vf.address
                );
                return Err(Problem::new(Code::VfInUse, &[name], found));
            }
            // No group file, or no permission: the write fails if a VF is in use.
            Err(_) => {}
        }
    }
    Ok(held)
}

/// The problem of a stopped step, with the current state.
fn stopped_problem(
    host: &Host<'_>,
    lock: &Lock,
    before: &Adapter,
    plan: &Plan,
    stopped: &Stopped,
) -> Problem {
    let name = before.name();
    let address = before.address.to_string();
    // While the write hangs, the adapter's own attributes would hang as well.
    let hung = matches!(stopped.refusal, Refusal::TimedOut(_));
    let after = match hung {
        true => None,
        false => observe::adapter(host, before.address),
    };
    if !hung {
        let waited = "the refusal";
        let verdict = vf_count::verdict(plan, &name, &address, after.as_ref(), waited);
        if let Err(lost) = verdict
            && lost.code == Code::AdapterLost
        {
            return with_words(lost, stopped.words.as_deref());
        }
    }
    let left = match &after {
        Some(after) => vf_count::left(after),
        None => "The current number of VFs is not known yet.".to_owned(),
    };
    if after.is_some_and(|after| after.vfs.is_empty()) {
        // Without VFs, the host's drivers may bind again, as before.
        let knob = format!("/sys/bus/pci/devices/{address}/sriov_drivers_autoprobe");
        let second = Duration::from_secs(1);
        drop(host.knobs.write(lock, &knob, "1", second, &mut || {}));
    }
    let Stopped {
        step,
        refusal,
        words,
    } = stopped;
    let problem = vf_count::read_refusal(refusal, &name, &address, step, &left);
    with_words(problem, words.as_deref())
}

/// Adds the kernel's message.
fn with_words(problem: Problem, words: Option<&str>) -> Problem {
    match words {
        Some(words) => problem.cause(words),
        None => problem,
    }
}

/// Tests the VF capabilities of the adapter while no new VF is in use, unless they are recorded.
fn test_features(host: &Host<'_>, adapter: &Adapter) -> Vec<String> {
    let none = |users: &Observed<Vec<_>>| users.known().is_some_and(Vec::is_empty);
    let free = adapter.vfs.iter().all(|vf| none(&vf.users));
    if !free || features::is_stable(host, adapter) {
        return Vec::new();
    }
    match features::ask(host, adapter) {
        Ok(tested) => tested.not_restored,
        Err(reason) => vec![reason],
    }
}
