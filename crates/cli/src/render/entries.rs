//! The catalogue in words.

use accelnet_model::catalogue::{Entry, Severity};

use super::table::{Table, pairs};

/// One entry, whole.
pub fn entry(entry: &Entry) -> String {
    let mut lines = vec![
        ("message", entry.named(entry.sentence)),
        ("cause", entry.found.to_owned()),
        ("needed", entry.needed.to_owned()),
        ("hint", entry.named(entry.resolution)),
        ("severity", severity(entry).to_owned()),
        ("exit status", entry.exit_status.to_string()),
        ("HTTP status", entry.http_status.to_string()),
    ];
    if let Some(document) = entry.case_of {
        lines.push(("case of", document.to_string()));
    }
    format!("{}\n{}", entry.code, pairs(&lines))
}

/// All entries, a line each.
pub fn entries(entries: &[&Entry], colour: bool, width: Option<u16>) -> String {
    let mut table = Table::new(&["CODE", "EXIT STATUS", "MESSAGE"], colour, width);
    for entry in entries {
        table.row([
            entry.code.to_string(),
            entry.exit_status.to_string(),
            entry.named(entry.sentence),
        ]);
    }
    table.text()
}

/// `error` or `warning`.
pub fn severity(entry: &Entry) -> &'static str {
    match entry.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
