//! Requests as events report them: "create 7 VFs" is recorded as "Created 7 VFs".

/// First words of requests, and what an event has in their place.
const VERBS: [(&str, &str); 22] = [
    ("accept", "Accepted"),
    ("add", "Added"),
    ("attach", "Attached"),
    ("change", "Changed"),
    ("clear", "Cleared"),
    ("create", "Created"),
    ("delete", "Deleted"),
    ("detach", "Detached"),
    ("disable", "Disabled"),
    ("drain", "Drained"),
    ("enable", "Enabled"),
    ("join", "Joined"),
    ("migrate", "Migrated"),
    ("move", "Moved"),
    ("remove", "Removed"),
    ("repair", "Repaired"),
    ("replug", "Replugged"),
    ("restore", "Restored"),
    ("set up", "Set up"),
    ("set", "Set"),
    ("switch", "Switched"),
    ("undrain", "Undrained"),
];

/// The past tense of an imperative, without a full stop; with "Done: " before one of another verb.
pub fn past(imperative: &str) -> String {
    let found = VERBS.iter().find_map(|(verb, past)| {
        let rest = imperative.strip_prefix(verb)?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| format!("{past}{rest}"))
    });
    found.unwrap_or_else(|| format!("Done: {imperative}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_becomes_past_tense() {
        for (imperative, wanted) in [
            ("create 7 VFs", "Created 7 VFs"),
            ("set up this node", "Set up this node"),
            ("disable", "Disabled"),
            ("settle it", "Done: settle it"),
            ("", "Done: "),
        ] {
            assert_eq!(past(imperative), wanted);
        }
    }
}
