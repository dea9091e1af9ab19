//! Changing the number of VFs: the plan, what stops it, and what a refusal means.
//!
//! The kernel changes the number only through zero, and zero destroys every VF. So the
//! plan goes through zero only where nobody uses any VF.

mod refusal;
mod verdict;

use accelnet_model::vf_plan::{Ask, Plan, Step, vfs_in_words};
use accelnet_model::{Adapter, Code, Observed, Problem, Vf};

pub use refusal::read as read_refusal;
pub use verdict::{left, remarks, verdict};

/// Decides how `adapter` gets from what it has to what is asked.
///
/// # Errors
///
/// What stops it: no SR-IOV, no driver, more VFs than there are, VFs in use.
pub fn plan(adapter: &Adapter, ask: Ask) -> Result<Plan, Problem> {
    let name = adapter.name();
    let address = adapter.address.to_string();
    let sriov = match &adapter.sriov {
        Observed::Known(Some(sriov)) => sriov,
        Observed::Known(None) => {
            let found = format!("{address} has no SR-IOV capability.");
            return Err(Problem::new(Code::SriovUnknown, &[&name], found));
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
        Ask::All => total(adapter, &sriov.total_vfs, &name)?,
        Ask::Exactly(count) => {
            let total = total(adapter, &sriov.total_vfs, &name)?;
            let count_text = count.to_string();
            if count == 0 || count > total {
                let found = format!("{name} can give {}.", vfs_in_words(total));
                return Err(
                    Problem::new(Code::VfCountTooHigh, &[&name, &count_text], found)
                        .needed(format!("A number from 1 to {total}.")),
                );
            }
            count
        }
    };
    if adapter.driver == Observed::Known(None) {
        let found = format!("No driver is bound to {address}.");
        let names = [name.as_str(), address.as_str()];
        return Err(Problem::new(Code::SriovMissingPfDriver, &names, found));
    }
    let whole = from == to && adapter.vfs.len() == to as usize;
    if whole && adapter.vfs.iter().all(is_settled) {
        let steps = match sriov.drivers_autoprobe {
            Observed::Known(false) => Vec::new(),
            _ => vec![Step::KeepDriversOff],
        };
        return Ok(Plan {
            from,
            to,
            steps,
            why: format!("{} there already; none is made anew.", are(to)),
        });
    }
    unused(adapter, &name)?;
    let mut steps = vec![Step::KeepDriversOff];
    let why = match from {
        0 => "There are no VFs yet.".to_owned(),
        from if from == to && !whole => {
            steps.push(Step::Destroy { vfs: from });
            let seen = adapter.vfs.len();
            format!(
                "{} switched on and {seen} can be seen; all are made anew, since none is in use.",
                are(from)
            )
        }
        from if from == to => {
            steps.push(Step::Destroy { vfs: from });
            "VFs have host drivers; all are made anew without, since none is in use.".to_owned()
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
        why,
    })
}

/// Removing all VFs.
fn off(adapter: &Adapter, from: u32, name: &str) -> Result<Plan, Problem> {
    if from == 0 {
        return Ok(Plan {
            from,
            to: 0,
            steps: vec![Step::LetDriversOn],
            why: "There are no VFs.".to_owned(),
        });
    }
    unused(adapter, name)?;
    Ok(Plan {
        from,
        to: 0,
        steps: vec![Step::Destroy { vfs: from }, Step::LetDriversOn],
        why: "No VF is in use.".to_owned(),
    })
}

/// How many VFs the adapter can give, at least 1.
fn total(adapter: &Adapter, total: &Observed<u32>, name: &str) -> Result<u32, Problem> {
    match total {
        Observed::Known(0) => Err(Problem::new(
            Code::FirmwareCapsVfs,
            &[name],
            format!("{} allows 0 VFs.", adapter.address),
        )),
        Observed::Known(total) => Ok(*total),
        Observed::Unknown(reason) => Err(Problem::new(
            Code::NotReadable,
            &[name, "the number of VFs it can give"],
            reason.clone(),
        )),
    }
}

/// "1 VF is" or "7 VFs are".
fn are(vfs: u32) -> String {
    match vfs {
        1 => "1 VF is".to_owned(),
        vfs => format!("{} are", vfs_in_words(vfs)),
    }
}

/// A VF that need not be made anew: somebody uses it, or no host netdev is on it.
fn is_settled(vf: &Vf) -> bool {
    let used = vf.users.known().is_none_or(|users| !users.is_empty());
    used || vf.is_ready()
}

/// No VF may be in use, and of none may that be unknown.
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
        unknown.push(format!("of {there} VFs only {seen} can be seen"));
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
