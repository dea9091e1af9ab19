//! The command lines of the documents can be run, and JSON has the documented fields.

#[expect(dead_code, reason = "others need all of it")]
#[path = "support/agent.rs"]
mod served;
mod support;

use std::path::PathBuf;

use accelnet::args::Args;
use accelnet_api::Client;
use accelnet_api::testing::Fake;
use accelnet_model::Code;
use clap::Parser;
use serde_json::Value;
use served::Agent;
use support::{node, run, types};

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

/// `text` without its fenced blocks, and their lines without the indentation of the fence.
fn fences(text: &str) -> (String, Vec<&str>) {
    let (mut prose, mut code, mut inside) = (String::new(), Vec::new(), false);
    for line in text.lines() {
        match (line.trim_start().starts_with("```"), inside) {
            (true, _) => inside = !inside,
            (false, true) => code.push(line.trim_start()),
            (false, false) => {
                prose.push_str(line);
                prose.push('\n');
            }
        }
    }
    assert!(!inside, "a fence that does not end");
    (prose, code)
}

/// Command lines in a document: at the begin of lines of code, and in backquotes, which may be broken.
fn commands(text: &str) -> Vec<String> {
    let (prose, code) = fences(text);
    let lines = code.into_iter().map(|line| {
        let line = line.trim_start_matches("ExecStart=/usr/local/bin/");
        // A prompt, not a heading.
        let line = line.strip_prefix("# ").unwrap_or(line);
        line.trim_start_matches("sudo ").to_owned()
    });
    let quoted = prose.split('`').skip(1).step_by(2);
    let quoted = quoted.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let all: Vec<String> = lines.chain(quoted).collect();
    all.iter()
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

/// The arguments of a command line; none if it shows help.
fn read(name: &str, command: &str) -> Option<Args> {
    // A number stands as a letter in prose.
    let words = command
        .replace("--vfs N", "--vfs 4")
        .replace("--vfs M", "--vfs 4")
        .replace('\'', "");
    match Args::try_parse_from(words.split(' ')) {
        Ok(args) => Some(args),
        Err(error) => {
            let shown = matches!(
                error.kind(),
                clap::error::ErrorKind::DisplayHelp
                    | clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            );
            assert!(shown, "{name}: {command}: {error}");
            None
        }
    }
}

/// Command lines that are parsed and not run here, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("accelnet agent", "runs until it is stopped"),
    ("accelnet demo", "tests/demo.rs runs it"),
    (
        "accelnet setup",
        "needs root and systemd: tests/setup.rs runs it",
    ),
    ("accelnet cluster", "needs an etcd: tests/setup.rs runs it"),
    ("accelnet store", "needs a store: tests/store.rs runs it"),
    (
        "accelnet cmdlets",
        "writes links: src/cmdlet/tests.rs runs it",
    ),
    ("--profile", "needs a server: tests/remote.rs runs it"),
    ("--server", "needs a server: tests/remote.rs runs it"),
    ("--follow", "waits for events: tests/agent.rs runs it"),
];

#[test]
fn every_command_line_of_the_documents_can_be_run() {
    let agent = Agent::of(Fake::default().enabled("lan"));
    let local = node(|igb| igb);
    let (mut ran, mut left) = (0, Vec::new());
    for (name, text) in documents() {
        for command in commands(&text) {
            let Some(args) = read(&name, &command) else {
                continue;
            };
            let reason = NOT_RUN.iter().find(|(part, _)| {
                command.starts_with(part) || (part.starts_with("--") && command.contains(part))
            });
            if let Some((part, _)) = reason {
                left.push(*part);
                continue;
            }
            let client = Some(Client::new(agent.socket()));
            let shown = run(&args, &local, client, b"web01\n");
            let mut codes = Code::ALL.iter().map(|code| code.entry().exit_status);
            let known = codes.any(|status| status == shown.status);
            assert!(
                shown.status == 0 || known,
                "{name}: {command}: {} {}",
                shown.status,
                shown.err
            );
            ran += 1;
        }
    }
    assert!(ran > 60, "only {ran} command lines were run");
    for (part, why) in NOT_RUN {
        assert!(left.contains(&part), "no document has {part}: {why}");
    }
}

#[test]
fn command_lines_in_lists_and_across_lines_are_found() {
    let text = "1. Run `accelnet vm\n   list`:\n\n   ```console\n   sudo accelnet prereq   # first\n   accelnet vm list -o name | accelnet vm enable -p low -\n   ```\n\naccelnet is no command here.\n";
    assert_eq!(
        commands(text),
        [
            "accelnet prereq",
            "accelnet vm list -o name",
            "accelnet vm enable -p low -",
            "accelnet vm list",
        ]
    );
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
