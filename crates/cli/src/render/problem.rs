//! A problem in words: what, what was found, what was needed, who said so, what to do.

use accelnet_model::Problem;

use super::table::{Tone, painted, pairs};

/// The whole of it.
pub fn problem(problem: &Problem, colour: bool) -> String {
    let mut text = painted("error:", Tone::Bad, colour);
    text.push_str(&format!(" {}\n", problem.message));
    text.push_str(&details(
        &problem.found,
        &problem.needed,
        problem.cause.as_deref(),
        &problem.resolution,
    ));
    let also = match problem.document_code {
        Some(document) => format!(" ({document})"),
        None => String::new(),
    };
    text.push_str(&format!(
        "  code    {}{also}, exit status {}; 'accelnet explain {}' tells more\n",
        problem.code,
        problem.exit_status(),
        problem.code
    ));
    text
}

/// What was found, needed and said, and what to do.
pub fn details(found: &str, needed: &str, cause: Option<&str>, resolution: &str) -> String {
    let mut lines = vec![("found", found.to_owned()), ("needed", needed.to_owned())];
    if let Some(cause) = cause {
        lines.push(("said", cause.to_owned()));
    }
    lines.push(("do", resolution.to_owned()));
    pairs(&lines)
}
