//! A change of the number of VFs in words.

use accelnet_model::vf_plan::{Step, vfs_in_words};

use crate::change::Changed;

/// What was done, or would be.
pub fn changed(changed: &Changed) -> String {
    let plan = &changed.plan;
    let name = &changed.adapter;
    if !changed.applied {
        let mut text = format!("{name} ({}), dry run: {}\n", changed.address, plan.reason);
        for (place, step) in plan.steps.iter().enumerate() {
            text.push_str(&format!("  {}. {step}\n", place + 1));
        }
        text.push_str(&warnings(changed));
        return text;
    }
    let made = plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::Create { .. } | Step::Destroy { .. }));
    let seconds = changed.seconds;
    let what = match (plan.to, made) {
        (0, true) => format!("{} removed, in {seconds:.1} s", vfs_in_words(plan.from)),
        (0, false) => "no VFs".to_owned(),
        (to, true) => format!("{} created and ready, in {seconds:.1} s", vfs_in_words(to)),
        (1, false) => "already 1 VF".to_owned(),
        (to, false) => format!("already {}", vfs_in_words(to)),
    };
    let mut text = format!("{name}: {what}.\n");
    match changed.vfs.as_slice() {
        [] => {}
        [only] => text.push_str(&format!("VF 0 is {only}.\n")),
        [first, .., last] => text.push_str(&format!(
            "VF 0 is {first}, VF {} is {last}.\n",
            changed.vfs.len() - 1
        )),
    }
    text.push_str(&warnings(changed));
    text
}

/// A line for each warning.
fn warnings(changed: &Changed) -> String {
    let warnings = changed.warnings.iter();
    warnings
        .map(|warning| format!("warning: {warning}\n"))
        .collect()
}
