//! Household words that were replaced by the field's terms do not come back: `phrases.md` lists them,
//! each with where it is searched.

#[path = "support/source.rs"]
mod source;

use std::collections::BTreeMap;

use accelnet::args::Args;
use accelnet_model::catalogue;
use clap::Command;
use source::{files, named, strings, top};

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

fn documents() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    files(&top().join("docs"), ".md", &mut paths);
    paths.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| top().join(name)));
    paths.iter().map(|path| named(path)).collect()
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
    let literals = source::literals();
    let messages = literals.iter().map(|(name, text)| Text::new(name, text));
    let mut messages: Vec<Text> = messages.collect();
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
