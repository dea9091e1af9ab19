//! The texts in the source of the crates.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below `folder`, whose name ends with `end`.
pub fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files(&path, end, found),
            false if path.to_string_lossy().ends_with(end) => found.push(path),
            false => {}
        }
    }
}

/// The text of the file `path`, with its name.
pub fn named(path: &Path) -> (String, String) {
    let text = fs::read_to_string(path).expect("text");
    (path.display().to_string(), text)
}

/// The texts in the source of the crates, without tests: each literal that has a blank in it, with its file.
pub fn literals() -> Vec<(String, String)> {
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
                all.push((name.clone(), literal));
            }
        }
    }
    all
}

/// The string literals of Rust source, without comments; a line that goes on is one line.
pub fn strings(source: &str) -> Vec<String> {
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
