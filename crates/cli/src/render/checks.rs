//! Check rows in words: the table, then each that did not pass with what to do.

use std::collections::BTreeSet;

use accelnet_model::Check;
use accelnet_model::check::Outcome;

use super::problem::{below, sentence};
use super::table::{Table, Tone, painted};

/// The node of checks of all nodes.
const CLUSTER: &str = "cluster";

/// All rows.
pub fn checks(rows: &[Check], colour: bool, width: Option<u16>) -> String {
    let mut table = Table::new(&["RESULT", "CHECK", "SUBJECT", "DETAIL"], colour, width);
    let nodes = rows.iter().map(|row| &*row.node);
    let nodes: BTreeSet<&str> = nodes.filter(|node| *node != CLUSTER).collect();
    let several = nodes.len() > 1;
    for row in rows {
        let (mark, tone) = mark(row.outcome);
        table.toned([
            (mark, tone),
            (row.name.as_str(), Tone::Plain),
            (&subject(row, several), Tone::Plain),
            (&row.found, Tone::Plain),
        ]);
    }
    let mut text = table.text();
    let explained = |row: &&Check| !matches!(row.outcome, Outcome::Passed | Outcome::NotJudged);
    for row in rows.iter().filter(explained) {
        let (word, tone) = mark(row.outcome);
        let code = row
            .code
            .map_or(String::new(), |code| match row.document_code {
                Some(document) => format!(" [{code}, a case of {document}]"),
                None => format!(" [{code}]"),
            });
        let message = row
            .code
            .map_or_else(|| row.message.clone(), |code| sentence(code, &row.message));
        let subject = subject(row, several);
        let of = match message.contains(&subject) {
            true => String::new(),
            false => format!(" of {subject}"),
        };
        let headline = format!(
            "{} {}{of}: {message}{code}",
            painted(word, tone, colour),
            row.name.as_str(),
        );
        text.push_str(&format!("\n{headline}\n"));
        let more = row
            .code
            .is_none_or(|code| code.entry().needs_more(&row.needed));
        text.push_str(&below(&[
            ("cause", row.found.clone()),
            ("detail", row.cause.clone().unwrap_or_default()),
            (
                "needed",
                if more {
                    row.needed.clone()
                } else {
                    String::new()
                },
            ),
            ("hint", row.resolution.clone()),
        ]));
    }
    text.push_str(&summary(rows));
    text
}

/// The subject of a row, with its node if there are `several` and their subjects can have the same name.
fn subject(row: &Check, several: bool) -> String {
    match several && row.node != CLUSTER && row.subject != row.node {
        true => format!("{} on {}", row.subject, row.node),
        false => row.subject.clone(),
    }
}

fn mark(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Passed => ("ok", Tone::Good),
        Outcome::Warning => ("warning", Tone::Notice),
        Outcome::Failed => ("failed", Tone::Bad),
        Outcome::Unknown => ("unknown", Tone::Bad),
        Outcome::NotJudged => ("not judged", Tone::Plain),
        Outcome::NotUsable => ("not usable", Tone::Notice),
    }
}

/// How many came out how.
fn summary(rows: &[Check]) -> String {
    let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    let mut parts = vec![format!("{} passed", count(Outcome::Passed))];
    for (outcome, words) in [
        (Outcome::Warning, "passed with a warning"),
        (Outcome::Failed, "failed"),
        (Outcome::Unknown, "could not be judged"),
        (Outcome::NotUsable, "not usable"),
        (Outcome::NotJudged, "not judged in a copy"),
    ] {
        match count(outcome) {
            0 => {}
            some => parts.push(format!("{some} {words}")),
        }
    }
    format!("\n{} checks: {}.\n", rows.len(), parts.join(", "))
}
