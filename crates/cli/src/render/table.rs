//! Plain tables: no frame, two spaces between columns.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

/// A colour that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth knowing.
    Notice,
    /// Wrong.
    Bad,
    /// Neither.
    Plain,
}

/// Blanks between columns.
const GAP: usize = 2;

/// Rows under a heading.
pub struct Table {
    rows: Vec<Vec<(String, Tone)>>,
    colour: bool,
    width: Option<usize>,
}

impl Table {
    /// An empty table. Cells are wrapped between words to fit `width`; without it nothing is wrapped.
    pub fn new(heading: &[&str], colour: bool, width: Option<u16>) -> Self {
        let heading = heading.iter().map(|&text| (text.to_owned(), Tone::Plain));
        Table {
            rows: vec![heading.collect()],
            colour,
            width: width.map(usize::from),
        }
    }

    /// Adds a row of plain cells.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.toned(cells.into_iter().map(|cell| (cell, Tone::Plain)));
    }

    /// Adds a row of cells that mean something.
    pub fn toned(&mut self, cells: impl IntoIterator<Item = (impl Into<String>, Tone)>) {
        let cells = cells.into_iter().map(|(text, tone)| (text.into(), tone));
        self.rows.push(cells.collect());
    }

    /// The text, without blanks at the ends of lines.
    pub fn text(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths);
            let cells: Vec<(Vec<String>, Tone, usize)> = cells
                .map(|((cell, tone), width)| (wrapped(cell, *width), *tone, *width))
                .collect();
            let lines = cells.iter().map(|(lines, ..)| lines.len()).max();
            for at in 0..lines.unwrap_or(0) {
                let mut line = String::new();
                for (lines, tone, width) in &cells {
                    let part = lines.get(at).map_or("", String::as_str);
                    let blanks = " ".repeat(width.saturating_sub(columns(part)) + GAP);
                    line.push_str(&match tone {
                        Tone::Plain => part.to_owned(),
                        tone => painted(part, *tone, self.colour && !part.is_empty()),
                    });
                    line.push_str(&blanks);
                }
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        text
    }

    /// The width of each column. The widest becomes narrower while the table is too wide, but never
    /// narrower than its longest word.
    fn widths(&self) -> Vec<usize> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let most = |column: usize, of: fn(&str) -> usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(text, _)| of(text)).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..count)
            .map(|column| most(column, longest_line))
            .collect();
        let Some(width) = self.width else {
            return widths;
        };
        let least: Vec<usize> = (0..count)
            .map(|column| most(column, longest_word))
            .collect();
        while widths.iter().sum::<usize>() + GAP * count.saturating_sub(1) > width {
            let can = (0..count).filter(|&column| widths[column] > least[column]);
            let Some(widest) = can.max_by_key(|&column| (widths[column], column)) else {
                break;
            };
            widths[widest] -= 1;
        }
        widths
    }
}

/// Columns of a terminal that `text` takes; colours take none.
pub fn columns(text: &str) -> usize {
    let mut parts = text.split('\u{1b}');
    let plain = parts.next().map_or(0, UnicodeWidthStr::width);
    let coloured = parts.map(|part| part.split_once('m').map_or("", |(_, after)| after));
    plain + coloured.map(UnicodeWidthStr::width).sum::<usize>()
}

fn longest_line(text: &str) -> usize {
    text.lines().map(columns).max().unwrap_or(0)
}

fn longest_word(text: &str) -> usize {
    text.split_whitespace().map(columns).max().unwrap_or(0)
}

/// The lines of `text`, each of them wrapped between words where it is wider than `width`.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        if columns(line) <= width {
            lines.push(line.to_owned());
            continue;
        }
        let mut current = String::new();
        for word in line.split_whitespace() {
            if !current.is_empty() && columns(&current) + 1 + columns(word) > width {
                lines.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines
}

/// `text` in the colour of `tone`.
pub fn painted(text: &str, tone: Tone, colour: bool) -> String {
    let style = match tone {
        _ if !colour => Style::new(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Notice => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Plain => Style::new().bold(),
    };
    format!("{style}{text}{style:#}")
}

/// Lines of `label: value`, the values under each other.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let wide = pairs
        .iter()
        .map(|(label, _)| label.len())
        .max()
        .unwrap_or(0);
    pairs
        .iter()
        .map(|(label, value)| format!("  {label:<wide$}  {value}\n"))
        .collect()
}

#[cfg(test)]
mod tests;
