//! Help of every command: its width, its order, and its examples.

use accelnet::args::{Args, COLUMNS, EXAMPLES};
use clap::Command;

/// Every command with its path below the program, as it is shown.
fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
    found.push((path.to_owned(), command.clone()));
    for below in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", below.get_name());
        all(below, path.trim_start(), found);
    }
}

fn commands() -> Vec<(String, Command)> {
    let mut root = Args::with_examples().term_width(COLUMNS);
    root.build();
    let mut found = Vec::new();
    all(&root, "", &mut found);
    assert!(found.len() > 40, "{} commands", found.len());
    found
}

#[test]
fn help_fits_80_columns() {
    for (path, mut command) in commands() {
        for help in [command.render_help(), command.render_long_help()] {
            for line in help.to_string().lines() {
                let columns = line.chars().count();
                assert!(columns <= COLUMNS, "{path}: {columns} columns: {line}");
            }
        }
    }
}

#[test]
fn options_of_the_command_come_first_and_examples_last() {
    for (path, mut command) in commands() {
        let help = command.render_long_help().to_string();
        let place = |text: &str| {
            let place = help.find(&format!("\n{text}\n"));
            place.unwrap_or_else(|| panic!("{path}: no {text}\n{help}"))
        };
        let (own, global, examples) = (
            place("Options:"),
            place("Global options:"),
            place("Examples:"),
        );
        assert!(own < global && global < examples, "{path}\n{help}");
        for name in ["root", "socket", "server", "profile", "color"] {
            let at = help.find(&format!("--{name} <")).expect(name);
            assert!(global < at, "{path}: --{name}");
        }
        for line in help[examples..].lines().skip(2) {
            assert!(line.starts_with("  accelnet "), "{path}: {line:?}");
        }
    }
}

#[test]
fn each_command_has_examples_and_each_can_be_typed() {
    for (path, _) in commands() {
        let (_, examples) = EXAMPLES
            .iter()
            .find(|(of, _)| *of == path)
            .unwrap_or_else(|| panic!("{path} has no examples"));
        assert!(!examples.is_empty(), "{path}");
        let start = format!("accelnet {path}");
        for example in *examples {
            assert!(example.starts_with(start.trim_end()), "{path}: {example}");
            let words = example.split(' ').map(|word| word.trim_matches('\''));
            let words: Vec<&str> = words.collect();
            if let Err(error) = Args::read(words) {
                panic!("{example}: {error}");
            }
        }
    }
    let paths: Vec<String> = commands().into_iter().map(|(path, _)| path).collect();
    for (path, _) in EXAMPLES {
        assert!(paths.iter().any(|one| one == path), "no command {path}");
    }
}

/// Commands that take no node, and why.
const WITHOUT_NODE: [(&str, &str); 21] = [
    ("plan", "the asked agent plans for its own node only"),
    ("enable", CLUSTER),
    ("set", CLUSTER),
    ("disable", CLUSTER),
    ("intent add", CLUSTER),
    ("intent set", CLUSTER),
    ("intent remove", CLUSTER),
    (
        "node list",
        "it lists the nodes; 'node show NODE' shows one",
    ),
    ("adapter enable", MACHINE),
    ("adapter disable", MACHINE),
    ("setup", MACHINE),
    ("demo", MACHINE),
    ("cmdlets install", MACHINE),
    ("cmdlets remove", MACHINE),
    ("cmdlets list", PROGRAM),
    ("explain", PROGRAM),
    ("store check", STORE),
    ("store backup", STORE),
    ("store restore", STORE),
    ("store accept", STORE),
    ("store migrate", STORE),
];
const CLUSTER: &str = "it changes what all nodes share";
const MACHINE: &str = "it changes this machine";
const PROGRAM: &str = "it shows what the program itself has";
const STORE: &str = "it is about a store";

/// What covers nodes takes `--node`, or a node as its argument.
#[test]
fn what_covers_nodes_takes_a_node() {
    let commands = commands();
    for (path, command) in &commands {
        let mut ids = command.get_arguments().map(|arg| arg.get_id().as_str());
        let takes = ids.any(|id| id == "node");
        match WITHOUT_NODE.iter().find(|(of, _)| of == path) {
            _ if command.has_subcommands() => assert!(!takes, "{path}"),
            None => assert!(takes, "{path}: add --node, or a reason to WITHOUT_NODE"),
            Some((_, why)) => assert!(!takes, "{path} takes a node; not true: {why}"),
        }
    }
    for (path, _) in WITHOUT_NODE {
        let known = commands.iter().any(|(one, _)| one == path);
        assert!(known, "no command {path}");
    }
}
