//! A change of the number of VFs in words.

use accelnet_model::vf_plan::Step;

use crate::change::Changed;

/// What was done, or would be.
pub fn changed(changed: &Changed) -> String {
    let plan = &changed.plan;
    let name = &changed.adapter;
    if !changed.done {
        let mut text = format!(
            "{name} ({}), without doing it: {}\n",
            changed.address, plan.why
        );
        for (place, step) in plan.steps.iter().enumerate() {
            text.push_str(&format!("  {}. {step}\n", place + 1));
        }
        return text;
    }
    let made = plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::Create { .. } | Step::Destroy { .. }));
    let mut text = match (plan.to, made) {
        (0, true) => format!("{name}: {} VFs removed", plan.from),
        (0, false) => format!("{name}: there were no VFs"),
        (to, true) => format!("{name}: {to} VFs created and ready"),
        (to, false) => format!("{name}: {to} VFs were there already"),
    };
    text.push_str(&format!(", in {:.1} s.\n", changed.seconds));
    if let ([first, ..], [.., last]) = (changed.vfs.as_slice(), changed.vfs.as_slice()) {
        text.push_str(&format!(
            "VF 0 is {first}, VF {} is {last}.\n",
            changed.vfs.len() - 1
        ));
    }
    for warning in &changed.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text
}
