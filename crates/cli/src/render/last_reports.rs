//! Last reports of nodes that do not report now.

use std::collections::BTreeMap;

use accelnet_model::LastReport;

use super::table::Tone;
use super::words::count;

/// The cell of a node, marked when what is shown is of its last report.
pub fn cell(node: &str, last_report: Option<&LastReport>) -> (String, Tone) {
    match last_report {
        Some(_) => (format!("{node} (last report)"), Tone::Notice),
        None => (node.to_owned(), Tone::Plain),
    }
}

/// A line for each node that does not report now; `of` yields nodes with their last reports.
pub fn notes<'a>(of: impl Iterator<Item = (&'a str, Option<&'a LastReport>)>) -> String {
    let reports = of.filter_map(|(node, report)| Some((node, report?)));
    let reports: BTreeMap<&str, &LastReport> = reports.collect();
    let lines = reports.into_iter().map(|(node, last)| note(node, last));
    lines.collect()
}

/// The line for one node.
pub fn note(node: &str, last: &LastReport) -> String {
    let LastReport {
        at,
        seconds_ago,
        reason: why,
    } = last;
    format!(
        "note: the last report of {node} is of {at}, at least {} ago: {why}\n",
        age(*seconds_ago)
    )
}

fn age(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    count(u32::try_from(number).unwrap_or(u32::MAX), unit)
}
