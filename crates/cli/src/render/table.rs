//! Plain tables: no frame, two spaces between columns.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, Color, ContentArrangement, Table as Comfy, presets};

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

/// Rows under a heading.
pub struct Table {
    inner: Comfy,
    colour: bool,
}

impl Table {
    /// An empty table. Without `width` nothing is wrapped.
    pub fn new(heading: &[&str], colour: bool, width: Option<u16>) -> Self {
        let mut inner = Comfy::new();
        inner.load_style(presets::NOTHING);
        inner.set_header(heading.iter().copied());
        match width {
            Some(width) => {
                inner.set_width(width);
                inner.set_content_arrangement(ContentArrangement::Dynamic);
            }
            None => {
                inner.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        if colour {
            inner.enforce_styling();
        } else {
            inner.force_no_tty();
        }
        Table { inner, colour }
    }

    /// Adds a row of plain cells.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.toned(cells.into_iter().map(|cell| (cell, Tone::Plain)));
    }

    /// Adds a row of cells that mean something.
    pub fn toned(&mut self, cells: impl IntoIterator<Item = (impl Into<String>, Tone)>) {
        let colour = self.colour;
        self.inner.add_row(cells.into_iter().map(|(text, tone)| {
            let cell = Cell::new(text.into());
            match tone {
                _ if !colour => cell,
                Tone::Good => cell.fg(Color::Green),
                Tone::Notice => cell.fg(Color::Yellow),
                Tone::Bad => cell.fg(Color::Red),
                Tone::Plain => cell,
            }
        }));
    }

    /// The text, a line a row, without blanks at the ends of lines.
    pub fn text(&self) -> String {
        self.inner
            .lines()
            .map(|line| {
                format!(
                    "{}\n",
                    line.trim_end()
                        .strip_prefix(' ')
                        .unwrap_or(&line)
                        .trim_end()
                )
            })
            .collect()
    }
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
