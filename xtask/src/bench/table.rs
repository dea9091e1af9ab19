//! Comparisons as a table.

use super::row::{Row, Times};

const HEAD: [&str; 7] = [
    "where",
    "accelnet",
    "time",
    "compared with",
    "time",
    "ratio",
    "rounds",
];

/// For a terminal.
pub fn plain(rows: &[Row]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let line = |cells: &[String; 7]| {
        let cells = cells.iter().enumerate();
        let padded: Vec<String> = cells
            .map(|(column, cell)| format!("{cell:0$}", width(column)))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    lines.iter().map(line).collect()
}

/// For a document.
pub fn markdown(rows: &[Row]) -> String {
    let line = |cells: &[String; 7]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&HEAD.map(str::to_owned));
    text += &line(&HEAD.map(|_| "---".to_owned()));
    text.extend(rows.iter().map(|row| line(&cells(row))));
    text
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
