//! Small words.

use accelnet_api::types::PlannedStep;

/// "1 VF", "2 VFs".
pub fn count(number: u32, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

/// Steps, numbered, each with its reason and what it costs.
pub fn steps(steps: &[PlannedStep]) -> String {
    let mut text = String::new();
    for (place, step) in steps.iter().enumerate() {
        text.push_str(&format!(
            "  {}. {} ({} on {}): {}\n",
            place + 1,
            step.action,
            step.subject,
            step.node,
            step.reason
        ));
        if !step.affected_vms.is_empty() {
            text.push_str(&format!("     affects {}\n", step.affected_vms.join(", ")));
        }
        if let Some(restarts) = &step.restarts {
            text.push_str(&format!("     restarts: {restarts}\n"));
        }
    }
    text
}

/// Warnings, a line each.
pub fn warnings(warnings: &[String]) -> String {
    warnings
        .iter()
        .map(|warning| format!("warning: {warning}\n"))
        .collect()
}
