//! An error or a warning in words: what, its cause, and a hint.

use accelnet_model::{Code, Problem};

use super::table::{Tone, painted};

/// First words of a sentence that lose their capital. Other words can be names.
const ORDINARY: [&str; 40] = [
    "A", "Adapter", "All", "An", "Another", "At", "Buses", "Each", "Every", "Failed", "Field",
    "For", "If", "In", "Intent", "It", "Its", "Missing", "More", "Neither", "No", "Node", "None",
    "Not", "Nothing", "On", "One", "Only", "Several", "Some", "Store", "The", "There", "These",
    "They", "This", "Two", "What", "With", "Without",
];

/// The whole of it.
pub fn problem(problem: &Problem, colour: bool) -> String {
    labelled("error:", &headline(problem), &details(problem), colour)
}

/// A problem that stops nothing.
pub fn warning(problem: &Problem, colour: bool) -> String {
    labelled("warning:", &headline(problem), &details(problem), colour)
}

/// The message, with its code.
pub fn headline(problem: &Problem) -> String {
    format!(
        "{} [{}]",
        sentence(problem.code, &problem.message),
        code(problem)
    )
}

fn code(problem: &Problem) -> String {
    match problem.document_code {
        Some(document) if document != problem.code => {
            format!("{}, a case of {document}", problem.code)
        }
        _ => problem.code.to_string(),
    }
}

/// A message as it stands before its code. Those of the document stay as they are.
pub fn sentence(code: Code, message: &str) -> String {
    match code.is_of_document() {
        true => message.to_owned(),
        // Its subject is named by accelnet.
        false if code == Code::NotReadable => clause(message),
        false if code.entry().sentence.starts_with('{') => unstopped(message).to_owned(),
        false => imperative(message),
    }
}

/// The cause, the requirement if it adds something, and the remedy.
pub fn details(problem: &Problem) -> Vec<(&'static str, String)> {
    let mut lines = vec![("cause", problem.found.clone())];
    lines.extend(problem.cause.clone().map(|words| ("detail", words)));
    if problem.code.entry().needs_more(&problem.needed) {
        lines.push(("needed", problem.needed.clone()));
    }
    lines.push(("hint", problem.resolution.clone()));
    lines
}

/// `label` with `what`, and below it each label with its text, in one column. A text of several lines
/// keeps them.
pub fn labelled(label: &str, what: &str, lines: &[(&str, String)], colour: bool) -> String {
    let tone = match label {
        "warning:" => Tone::Notice,
        _ => Tone::Bad,
    };
    format!("{} {what}\n{}", painted(label, tone, colour), below(lines))
}

/// Labels with their texts, in one column. Words of other programs ("detail") stay as they are.
pub fn below(lines: &[(&str, String)]) -> String {
    let lines = || lines.iter().filter(|(_, text)| !text.is_empty());
    let wide = lines().map(|(label, _)| label.len() + 1).max().unwrap_or(0);
    lines()
        .map(|(label, text)| {
            let text = match *label {
                "hint" => imperative(text),
                "detail" | "usage" => text.clone(),
                _ => clause(text),
            };
            let label = format!("{label}:");
            format!("  {label:<wide$} {text}\n")
        })
        .collect()
}

/// A sentence without its full stop, and without its capital if the first word cannot be a name.
pub fn clause(sentence: &str) -> String {
    lowered(unstopped(sentence), |word| ORDINARY.contains(&word))
}

/// A sentence of ours, whose first word is a name only if it does not look like a word.
fn imperative(sentence: &str) -> String {
    lowered(unstopped(sentence), |word| {
        let rest = word.get(1..).unwrap_or_default();
        rest.chars().all(|letter| letter.is_ascii_lowercase())
            && !["Accelerated", "Debian", "Linux"].contains(&word)
    })
}

fn unstopped(sentence: &str) -> &str {
    match sentence.strip_suffix('.') {
        Some(without) if !without.ends_with('.') => without,
        _ => sentence,
    }
}

fn lowered(sentence: &str, ordinary: impl Fn(&str) -> bool) -> String {
    let ends = |letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '_';
    let word = sentence.split(ends).next().unwrap_or_default();
    let Some(capital) = word.chars().next().filter(char::is_ascii_uppercase) else {
        return sentence.to_owned();
    };
    let after = sentence.get(word.len()..).unwrap_or_default();
    let ends_so = after.is_empty() || after.starts_with([' ', ',', ':', ';']);
    match ends_so && ordinary(word) {
        true => format!(
            "{}{}",
            capital.to_ascii_lowercase(),
            sentence.get(1..).unwrap_or_default()
        ),
        false => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests;
