//! What the documents say that one can type, and what they say of JSON, is so.

mod support;

use std::path::PathBuf;

use accelnet::args::Args;
use clap::Parser;
use serde_json::Value;
use support::{node, types};

/// The repository's own documents, each with its name. The generated ones are checked
/// where they are generated.
fn documents() -> Vec<(String, String)> {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = std::fs::read_dir(top.join("docs")).expect("docs");
    let mut paths: Vec<PathBuf> = docs.map(|entry| entry.expect("a file").path()).collect();
    paths.extend(["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"].map(|name| top.join(name)));
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("text");
            (path.display().to_string(), text)
        })
        .collect()
}

/// Command lines in a document: in backquotes, and at the begin of lines of code.
fn commands(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| {
        let line = line.trim_start_matches("ExecStart=/usr/local/bin/");
        // A prompt, not a heading.
        let line = line.strip_prefix("# ").unwrap_or(line);
        let line = line.trim_start_matches("sudo ");
        line.starts_with("accelnet ").then_some(line)
    });
    let quoted = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| quoted.starts_with("accelnet ") && !quoted.contains('\n'));
    lines
        .chain(quoted)
        // Each side of a pipe is a command line of its own.
        .flat_map(|line| line.split(" | "))
        .filter(|line| line.starts_with("accelnet "))
        .map(|line| {
            let line = line.split(" # ").next().unwrap_or(line);
            line.replace(['[', ']'], " ").replace("...", " ")
        })
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_command_line_of_the_documents_can_be_typed() {
    let mut typed = 0;
    for (name, text) in documents() {
        for command in commands(&text) {
            // A number stands as a letter in prose.
            let words = command
                .replace("--vfs N", "--vfs 4")
                .replace("--vfs M", "--vfs 4");
            if let Err(error) = Args::try_parse_from(words.split(' ')) {
                let shown = matches!(
                    error.kind(),
                    clap::error::ErrorKind::DisplayHelp
                        | clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                );
                assert!(shown, "{name}: {command}: {error}");
            }
            typed += 1;
        }
    }
    assert!(typed > 15, "only {typed} command lines were found");
}

#[test]
fn every_field_of_json_is_documented() {
    let documents = documents();
    let (_, json) = documents
        .iter()
        .find(|(name, _)| name.ends_with("json.md"))
        .expect("docs/json.md");
    let node = node(|igb| igb);
    for command in [
        "accelnet prereq --output json",
        "accelnet node show --output json",
        "accelnet adapter list --output json",
        "accelnet adapter enable ens1 --output json",
        "accelnet adapter enable nobody --output json",
        "accelnet explain vf_in_use --output json",
        "accelnet explain iommu_off --output json",
    ] {
        let shown = types(&node, command);
        assert_eq!(shown.err, "", "{command} says it all in JSON");
        let answer: Value = serde_json::from_str(&shown.out).expect("JSON");
        let failed = answer.get("error").is_some();
        assert_eq!(failed, shown.status != 0, "{command}: {answer:#}");
        let mut fields = Vec::new();
        top_fields(&answer, &mut fields);
        assert!(!fields.is_empty(), "{command} has no fields");
        for field in fields {
            let known =
                json.contains(&format!("`{field}`")) || json.contains(&format!("\"{field}\""));
            assert!(known, "{command}: docs/json.md does not name {field}");
        }
    }
}

/// The fields of an answer, of the rows that it is or has, and of its plan or error.
fn top_fields(answer: &Value, fields: &mut Vec<String>) {
    match answer {
        Value::Array(rows) => rows.iter().for_each(|row| top_fields(row, fields)),
        Value::Object(all) => {
            for (name, value) in all {
                fields.push(name.clone());
                if ["checks", "error", "plan"].contains(&name.as_str()) {
                    top_fields(value, fields);
                }
            }
        }
        _ => {}
    }
}
