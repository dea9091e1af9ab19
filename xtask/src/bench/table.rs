//! Comparisons as a table.

use super::limit::Limit;
use super::row::{Row, Times};

const LIMITS_HEAD: [&str; 4] = ["measurement", "value", "limit", "met"];
const HEAD: [&str; 7] = [
    "where",
    "accelnet",
    "time",
    "compared with",
    "time",
    "ratio",
    "rounds",
];

/// Comparisons, for a terminal.
pub fn plain(rows: &[Row]) -> String {
    aligned(HEAD, rows.iter().map(cells))
}

/// Comparisons, for a document.
pub fn markdown(rows: &[Row]) -> String {
    barred(HEAD, rows.iter().map(cells))
}

/// Limits, for a terminal.
pub fn limits_plain(limits: &[Limit]) -> String {
    aligned(LIMITS_HEAD, limits.iter().map(limit_cells))
}

/// Limits, for a document.
pub fn limits_markdown(limits: &[Limit]) -> String {
    barred(LIMITS_HEAD, limits.iter().map(limit_cells))
}

fn aligned<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows);
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let line = |cells: &[String; N]| {
        let cells = cells.iter().enumerate();
        let padded: Vec<String> = cells
            .map(|(column, cell)| format!("{cell:0$}", width(column)))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    lines.iter().map(line).collect()
}

fn barred<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String; N]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.map(str::to_owned));
    text += &line(&head.map(|_| "---".to_owned()));
    text.extend(rows.map(|row| line(&row)));
    text
}

fn limit_cells(limit: &Limit) -> [String; 4] {
    let figure = |number: f64| format!("{}{}", rounded(number), limit.unit);
    [
        limit.what.clone(),
        figure(limit.found),
        limit.most.map_or_else(String::new, figure),
        limit
            .is_kept()
            .map_or("", |kept| if kept { "yes" } else { "no" })
            .to_owned(),
    ]
}

/// As many digits as are significant.
fn rounded(number: f64) -> String {
    let places = match number.abs() {
        small if small < 0.1 => 4,
        middle if middle < 10.0 => 2,
        _ => 1,
    };
    format!("{number:.places$}")
}

fn cells(row: &Row) -> [String; 7] {
    [
        row.place.clone(),
        row.ours.to_owned(),
        times(&row.our_times),
        row.theirs.to_owned(),
        times(&row.their_times),
        format!("{:.2}", row.ratio()),
        row.rounds().to_string(),
    ]
}

/// The median, and from the shortest to the longest.
fn times(times: &Times) -> String {
    let ms = |seconds: f64| {
        let ms = seconds * 1_000.0;
        let places = if ms < 100.0 { 1 } else { 0 };
        format!("{ms:.places$}")
    };
    let [median, least, most] = [times.median(), times.least(), times.most()].map(ms);
    format!("{median} ms ({least}-{most})")
}
