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

/// A message of `subject`, which is put before it unless the message names it.
pub fn named(subject: &str, message: &str) -> String {
    match names(message, subject) {
        true => message.to_owned(),
        false => format!("{subject}: {message}"),
    }
}

/// Whether `text` has `name` as a whole word.
pub fn names(text: &str, name: &str) -> bool {
    let inside = |letter: Option<char>| {
        letter.is_some_and(|one| one.is_alphanumeric() || "-_".contains(one))
    };
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + name.len()..].chars().next();
            !inside(before) && !inside(after)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_named_once() {
        for (subject, message, wanted) in [
            ("web", "VM web was started.", "VM web was started."),
            ("web", "Started VM web01.", "web: Started VM web01."),
            ("lan", "Removed an orphan.", "lan: Removed an orphan."),
        ] {
            assert_eq!(named(subject, message), wanted);
        }
    }
}
