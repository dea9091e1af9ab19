//! Changing the number of VFs: the plan, its refusals, and the kernel's refusals.
//!
//! The kernel changes the number only through zero, and zero destroys every VF. So the
//! plan goes through zero only if no VF is in use.

mod refusal;
mod verdict;

use accelnet_model::adapter::Sriov;
use accelnet_model::vf_plan::{Ask, Plan, Step, vfs_in_words};
use accelnet_model::{Adapter, Code, Observed, Problem, Vf};

use crate::prereq::{blocker, can_change};

pub use refusal::read as read_refusal;
pub use verdict::{expected, left, verdict, warnings_after};

/// Plans the change of `adapter` to the requested number.
///
/// # Errors
///
/// A prerequisite that the adapter does not meet, more VFs than can be reached, VFs in use.
pub fn plan(adapter: &Adapter, ask: Ask) -> Result<Plan, Problem> {
    let name = adapter.name();
    let address = adapter.address.to_string();
    let sriov = match &adapter.sriov {
        Observed::Known(Some(sriov)) => sriov,
        Observed::Known(None) => {
            let found = format!("{address} has no SR-IOV capability.");
            let unknown = || Problem::new(Code::SriovUnknown, &[&name], found);
            return Err(blocker(adapter).unwrap_or_else(unknown));
        }
        Observed::Unknown(reason) => {
            let names = [name.as_str(), "its PCI capabilities"];
            return Err(Problem::new(Code::NotReadable, &names, reason.clone()));
        }
    };
    // VFs can be switched on and not (yet, or no more) be there: then too the way to
    // another number leads through zero.
    let switched_on = sriov.num_vfs.known().copied().unwrap_or(0);
    let from = sriov.current_vfs.max(switched_on);
    let to = match ask {
        Ask::Off => return off(adapter, from, &name),
        Ask::All => all(adapter, sriov, from, &name)?,
        Ask::Exactly(count) => exactly(count, adapter, sriov, &name)?,
    };
    let whole = from == to && adapter.vfs.len() == to as usize;
    if whole && adapter.vfs.iter().all(is_complete) {
        let steps = match sriov.drivers_autoprobe {
            Observed::Known(false) => Vec::new(),
            _ => vec![Step::KeepDriversOff],
        };
        return Ok(Plan {
            from,
            to,
            steps,
            reason: format!("{} already; no VF is created again.", are(to)),
        });
    }
    if let Some(problem) = blocker(adapter) {
        return Err(problem);
    }
    can_change(adapter)?;
    unused(adapter, &name)?;
    let mut steps = vec![Step::KeepDriversOff];
    let why = match from {
        0 => "There are no VFs yet.".to_owned(),
        from if from == to && !whole => {
            steps.push(Step::Destroy { vfs: from });
            let seen = adapter.vfs.len();
            format!(
                "{} switched on and {seen} can be seen; all are created again, since none is in use.",
                are(from)
            )
        }
        from if from == to => {
            steps.push(Step::Destroy { vfs: from });
            "VFs have host drivers; all are created again without, since none is in use.".to_owned()
        }
        from => {
            steps.push(Step::Destroy { vfs: from });
            format!("The kernel changes {from} to {to} only through 0, and no VF is in use.")
        }
    };
    steps.extend([Step::Create { vfs: to }, Step::AwaitReady { vfs: to }]);
    Ok(Plan {
        from,
        to,
        steps,
        reason: why,
    })
}

/// Removing all VFs.
fn off(adapter: &Adapter, from: u32, name: &str) -> Result<Plan, Problem> {
    if from == 0 {
        return Ok(Plan {
            from,
            to: 0,
            steps: vec![Step::LetDriversOn],
            reason: "There are no VFs.".to_owned(),
        });
    }
    can_change(adapter)?;
    unused(adapter, name)?;
    Ok(Plan {
        from,
        to: 0,
        steps: vec![Step::Destroy { vfs: from }, Step::LetDriversOn],
        reason: "No VF is in use.".to_owned(),
    })
}

/// The number requested, where the adapter can give so many.
fn exactly(count: u32, adapter: &Adapter, sriov: &Sriov, name: &str) -> Result<u32, Problem> {
    let most = most(sriov, name)?;
    if (1..=most).contains(&count) {
        return Ok(count);
    }
    // With none to give the number is not what is wrong.
    if most == 0
        && let Some(problem) = blocker(adapter)
    {
        return Err(problem);
    }
    let found = match sriov.total_vfs {
        Observed::Known(total) if total > most => format!(
            "{name} has {}, and bus numbers reach {most} of them.",
            vfs_in_words(total)
        ),
        _ => format!("{name} supports {}.", vfs_in_words(most)),
    };
    let problem = Problem::new(Code::VfCountTooHigh, &[name, &count.to_string()], found);
    Err(problem.needed(format!("A number from 1 to {most}.")))
}

/// As many as the adapter can give, at least 1; those that exist, where the driver creates VFs at load only.
fn all(adapter: &Adapter, sriov: &Sriov, from: u32, name: &str) -> Result<u32, Problem> {
    if from > 0 && can_change(adapter).is_err() {
        return Ok(from);
    }
    match most(sriov, name)? {
        // Without any of them, the reason is given.
        0 => exactly(1, adapter, sriov, name),
        most => Ok(most),
    }
}

/// How many VFs the adapter can give.
fn most(sriov: &Sriov, name: &str) -> Result<u32, Problem> {
    match sriov.usable_vfs() {
        Observed::Known(most) => Ok(most),
        Observed::Unknown(reason) => {
            let names = [name, "the maximum number of VFs"];
            Err(Problem::new(Code::NotReadable, &names, reason))
        }
    }
}

/// "1 VF is" or "7 VFs are".
fn are(vfs: u32) -> String {
    match vfs {
        1 => "1 VF is".to_owned(),
        vfs => format!("{} are", vfs_in_words(vfs)),
    }
}

/// A VF that need not be made again: it is in use, or no host netdev is on it.
fn is_complete(vf: &Vf) -> bool {
    let used = vf.users.known().is_none_or(|users| !users.is_empty());
    used || vf.is_ready()
}

/// Checks that no VF is in use or of unknown use.
pub fn unused(adapter: &Adapter, name: &str) -> Result<(), Problem> {
    let mut used = Vec::new();
    let mut unknown = Vec::new();
    for vf in &adapter.vfs {
        match &vf.users {
            Observed::Known(users) => used.extend(
                users
                    .iter()
                    .map(|user| format!("VF {} ({}) is used by {user}", vf.index, vf.address)),
            ),
            Observed::Unknown(reason) => unknown.push(format!("VF {}: {reason}", vf.index)),
        }
    }
    let seen = adapter.vfs.len();
    let there = adapter
        .sriov
        .present()
        .map_or(0, |sriov| sriov.current_vfs as usize);
    if seen < there {
        unknown.push(format!("only {seen} of {there} VFs exist in sysfs"));
    }
    if !used.is_empty() {
        let found = format!("{}.", used.join("; "));
        return Err(Problem::new(Code::VfInUse, &[name], found));
    }
    if !unknown.is_empty() {
        let found = format!("{}.", unknown.join("; "));
        return Err(Problem::new(Code::VfUseUnknown, &[name], found));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
