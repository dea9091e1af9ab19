//! Household words that were replaced by the field's terms do not come back: `phrases.md` lists them,
//! each with where it is looked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use accelnet::args::Args;
use accelnet_model::catalogue;
use clap::Command;

/// A text, and where it stands.
struct Text {
    place: String,
    text: String,
}

impl Text {
    fn new(place: impl Into<String>, text: &str) -> Self {
        let folded: Vec<&str> = text.split_whitespace().collect();
        Text {
            place: place.into(),
            text: folded.join(" ").to_lowercase(),
        }
    }

    /// What stands around `phrase`.
    fn around(&self, phrase: &str) -> String {
        let before = self.text.split(phrase).next().unwrap_or_default();
        let start = before.chars().count().saturating_sub(60);
        let around = self.text.chars().skip(start);
        around.take(160).collect()
    }

    /// Whether it has `phrase` as whole words.
    fn has(&self, phrase: &str) -> bool {
        let inside = |letter: Option<char>| {
            letter.is_some_and(|letter| letter.is_alphanumeric() || "-_".contains(letter))
        };
        self.text.match_indices(phrase).any(|(at, _)| {
            let before = self.text[..at].chars().next_back();
            let after = self.text[at + phrase.len()..].chars().next();
            !inside(before) && !inside(after)
        })
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below `folder`, whose name ends with `end`.
fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files(&path, end, found),
            false if path.to_string_lossy().ends_with(end) => found.push(path),
            false => {}
        }
    }
}

fn documents() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    files(&top().join("docs"), ".md", &mut paths);
    paths.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| top().join(name)));
    paths.iter().map(|path| named(path)).collect()
}

fn named(path: &Path) -> (String, String) {
    let text = fs::read_to_string(path).expect("text");
    (path.display().to_string(), text)
}

/// The help of every command below `command`.
fn helps(command: &mut Command, path: &str, found: &mut Vec<Text>) {
    found.push(Text::new(path, &command.render_help().to_string()));
    found.push(Text::new(path, &command.render_long_help().to_string()));
    for below in command.get_subcommands_mut() {
        if !below.is_hide_set() {
            let path = format!("{path} {}", below.get_name());
            helps(below, &path, found);
        }
    }
}

/// The texts in the source of the crates, without tests: each literal that has a blank in it.
fn literals() -> Vec<Text> {
    let mut paths = Vec::new();
    files(&top().join("crates"), ".rs", &mut paths);
    let mut all = Vec::new();
    for path in paths {
        let (name, source) = named(&path);
        let tests = ["/tests", "/testing", "/benches", "/examples", "crates/sim/"];
        if !name.contains("/src/") || tests.iter().any(|part| name.contains(part)) {
            continue;
        }
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for literal in strings(source) {
            if literal.contains(' ') {
                all.push(Text::new(&name, &literal));
            }
        }
    }
    all
}

/// The string literals of Rust source, without comments; a line that goes on is one line.
fn strings(source: &str) -> Vec<String> {
    let letters: Vec<char> = source.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        match (letters[at], letters.get(at + 1)) {
            ('/', Some('/')) => {
                while at < letters.len() && letters[at] != '\n' {
                    at += 1;
                }
            }
            // A character that is a quote.
            ('\'', Some('"')) if letters.get(at + 2) == Some(&'\'') => at += 3,
            ('\'', Some('\\')) => at += 3,
            ('"', _) => {
                let mut text = String::new();
                at += 1;
                while at < letters.len() && letters[at] != '"' {
                    if letters[at] == '\\' {
                        at += 1;
                    }
                    text.push(match letters.get(at) {
                        Some('n') if letters[at - 1] == '\\' => ' ',
                        Some(letter) => *letter,
                        None => ' ',
                    });
                    at += 1;
                }
                all.push(text);
                at += 1;
            }
            _ => at += 1,
        }
    }
    all
}

/// Headings of tables: literals in capitals.
fn table_headings() -> Vec<Text> {
    let mut paths = Vec::new();
    files(&top().join("crates/cli/src/render"), ".rs", &mut paths);
    let sources = paths.iter().map(|path| named(path));
    let all = sources.flat_map(|(name, source)| {
        let capitals = |text: &String| {
            text.len() > 2
                && text
                    .chars()
                    .all(|letter| letter.is_ascii_uppercase() || letter == ' ')
        };
        let headings = strings(&source).into_iter().filter(capitals);
        headings
            .map(|heading| Text::new(&name, &heading))
            .collect::<Vec<_>>()
    });
    all.collect()
}

/// All texts by their scope.
fn texts() -> BTreeMap<&'static str, Vec<Text>> {
    let mut messages = literals();
    for entry in catalogue::all() {
        for text in [entry.sentence, entry.found, entry.needed, entry.resolution] {
            messages.push(Text::new(entry.code.id(), text));
        }
    }
    let mut options = Vec::new();
    let mut root = Args::with_examples();
    root.build();
    helps(&mut root, "accelnet", &mut options);
    let documents = documents();
    let headings = documents.iter().flat_map(|(name, text)| {
        let lines = text.lines().filter(|line| line.starts_with('#'));
        lines.map(move |line| Text::new(name, line))
    });
    let headings = headings.chain(table_headings()).collect();
    let documents = documents
        .iter()
        .map(|(name, text)| Text::new(name, text))
        .collect();
    BTreeMap::from([
        ("message", messages),
        ("option", options),
        ("heading", headings),
        ("document", documents),
    ])
}

/// A row of the list.
struct Phrase {
    phrase: String,
    scopes: Vec<String>,
    instead: String,
}

fn phrases() -> Vec<Phrase> {
    let (_, list) = named(&top().join("crates/cli/tests/phrases.md"));
    let rows = list.lines().filter_map(|line| line.strip_prefix("| "));
    rows.skip(1)
        .filter(|row| !row.starts_with("---"))
        .map(|row| {
            let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
            let [phrase, scopes, instead] = cells[..] else {
                panic!("three cells: {row}");
            };
            Phrase {
                phrase: phrase.to_lowercase(),
                scopes: scopes.split(", ").map(str::to_owned).collect(),
                instead: instead.to_owned(),
            }
        })
        .collect()
}

#[test]
fn no_replaced_phrase_comes_back_in_its_scope() {
    let texts = texts();
    for (scope, texts) in &texts {
        assert!(texts.len() > 20, "{scope}: only {} texts", texts.len());
    }
    let phrases = phrases();
    assert!(phrases.len() >= 60, "only {} phrases", phrases.len());
    let mut back = Vec::new();
    for one in &phrases {
        for scope in &one.scopes {
            let texts = texts.get(&**scope);
            let texts = texts.unwrap_or_else(|| panic!("no scope {scope}"));
            for text in texts.iter().filter(|text| text.has(&one.phrase)) {
                back.push(format!(
                    "{}: \"{}\" ({scope}); use: {}\n    {}",
                    text.place,
                    one.phrase,
                    one.instead,
                    text.around(&one.phrase)
                ));
            }
        }
    }
    assert!(back.is_empty(), "{}", back.join("\n"));
}

#[test]
fn a_phrase_is_found_as_whole_words_across_lines_and_in_any_case() {
    let text = Text::new("here", "This Tells\n  What is so; re-mend nothing.");
    assert!(text.has("tells what"));
    assert!(!text.has("tell"));
    assert!(!text.has("mend"));
    let found = strings("let a = \"one \\\n   two\"; // \"three\"\nlet b = '\"'; f(\"four\\\"\");");
    assert_eq!(found.len(), 2, "{found:?}");
}
