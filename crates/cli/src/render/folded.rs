//! Long lines of prose, broken between words where a terminal would break them anywhere.

use std::borrow::Cow;

use super::table::columns;

/// Labels whose texts are prose.
const LABELS: [&str; 10] = [
    "cause", "detail", "needed", "hint", "usage", "subject", "since", "also", "VMs", "adapters",
];
/// First words of a message.
const MESSAGES: [&str; 3] = ["error: ", "warning: ", "note: "];
/// Blanks before a label.
const BEFORE: usize = 2;
/// A narrower text is not readable: the terminal may break it.
const NARROWEST: usize = 20;

/// `text` with its lines broken at `width`; rows of tables stay.
pub fn folded(text: &str, width: Option<u16>) -> Cow<'_, str> {
    let Some(width) = width.map(usize::from) else {
        return Cow::Borrowed(text);
    };
    if text.lines().all(|line| columns(line) <= width) {
        return Cow::Borrowed(text);
    }
    let lines = text.split_inclusive('\n').map(|line| {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        match indent(line) {
            Some(indent) => hung(line, indent, width) + end,
            None => line.to_owned() + end,
        }
    });
    Cow::Owned(lines.collect())
}

/// Where the text of `line` begins, in columns; none for a row of a table.
fn indent(line: &str) -> Option<usize> {
    let plain = uncoloured(line);
    if let Some(message) = MESSAGES.iter().find(|word| plain.starts_with(**word)) {
        return Some(message.len());
    }
    let text = plain.trim_start_matches(' ');
    let before = plain.len() - text.len();
    if before == BEFORE
        && let Some((label, after)) = text.split_once(':')
        && LABELS.contains(&label)
    {
        return Some(before + label.len() + 1 + blanks(after));
    }
    // A step, with its number.
    if let Some((number, _)) = text.split_once(". ")
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some(before + number.len() + 2);
    }
    match text.split_once("  ") {
        Some((label, after)) if before == BEFORE => Some(before + label.len() + 2 + blanks(after)),
        Some(_) => None,
        None => Some(before + BEFORE),
    }
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// `line` without sequences that set a colour.
fn uncoloured(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or("", |(_, after)| after)
    })
}

/// `line` broken at `width`, the further lines below its text, which begins at `indent`. A command in quotes
/// stays on one line if it fits.
fn hung(line: &str, indent: usize, width: usize) -> String {
    if columns(line) <= width || width < indent + NARROWEST {
        return line.to_owned();
    }
    // The label, with its blanks, is no word.
    let text = line.char_indices().map(|(at, _)| at);
    let start = text
        .into_iter()
        .find(|at| columns(&line[..*at]) == indent && line[*at..].starts_with(|c| c != '\u{1b}'))
        .unwrap_or(0);
    let (label, text) = line.split_at(start);
    let mut all = label.to_owned();
    let mut used = indent;
    for word in units(text, width - indent) {
        let wide = columns(word);
        if used > indent && used + 1 + wide > width {
            all.push('\n');
            all.push_str(&" ".repeat(indent));
            used = indent;
        } else if used > indent {
            all.push(' ');
            used += 1;
        }
        all.push_str(word);
        used += wide;
    }
    all
}

/// Words of `text`, and commands in quotes as one word each if they fit in `most` columns.
fn units(text: &str, most: usize) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text.trim_start_matches(' ');
    while !rest.is_empty() {
        let word = rest.find(' ').unwrap_or(rest.len());
        let quoted = rest
            .trim_start_matches('(')
            .strip_prefix('\'')
            .and_then(|inside| {
                inside
                    .find('\'')
                    .map(|end| rest.len() - inside.len() + end + 1)
            })
            .map(|end| rest[end..].find(' ').map_or(rest.len(), |more| end + more))
            .filter(|end| columns(&rest[..*end]) <= most);
        let (unit, after) = rest.split_at(quoted.unwrap_or(word).max(word));
        all.push(unit);
        rest = after.trim_start_matches(' ');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const HINT: &str = "error: VM web1 does not exist [vm_not_found]\n  hint:  run 'accelnet vm list' for all names\n";

    #[test]
    fn a_message_is_broken_between_words_below_its_text() {
        assert_eq!(
            folded(HINT, Some(34)),
            "error: VM web1 does not exist\n       [vm_not_found]\n  hint:  run 'accelnet vm list'\n         for all names\n"
        );
    }

    #[test]
    fn a_step_is_broken_below_its_text() {
        assert_eq!(
            folded("  12. create 7 VFs (lan on n1): requested", Some(32)),
            "  12. create 7 VFs (lan on n1):\n      requested"
        );
    }

    #[test]
    fn a_command_in_quotes_stays_whole_if_it_fits() {
        let line = "  hint:  then run 'accelnet vm enable web01 --performance low'.";
        assert_eq!(
            folded(line, Some(56)),
            "  hint:  then run\n         'accelnet vm enable web01 --performance low'."
        );
        let narrow = folded(line, Some(40));
        assert!(narrow.lines().all(|line| columns(line) <= 40), "{narrow}");
    }

    #[test]
    fn colours_take_no_columns_and_tables_and_pipes_are_left() {
        let red = "\u{1b}[31merror:\u{1b}[0m one two three four five";
        assert_eq!(
            folded(red, Some(28)),
            "\u{1b}[31merror:\u{1b}[0m one two three four\n       five"
        );
        let table = "NAME  NODE  AND A LONG LINE OF A TABLE\n";
        let pair = "  settings  one two three four five";
        assert_eq!(
            folded(pair, Some(32)),
            "  settings  one two three four\n            five"
        );
        let prose = "web01: one two three four five six";
        assert_eq!(
            folded(prose, Some(30)),
            "web01: one two three four five\n  six"
        );
        assert_eq!(folded(table, Some(30)), table);
        assert_eq!(folded(HINT, None), HINT);
    }

    #[test]
    fn a_terminal_that_is_too_narrow_breaks_by_itself() {
        assert_eq!(folded(HINT, Some(10)), HINT);
    }
}
