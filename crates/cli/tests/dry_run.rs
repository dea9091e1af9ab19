//! Every command that changes something shows with `--dry-run` what it would do, and changes nothing.

#[path = "support/agent.rs"]
#[expect(dead_code, reason = "other tests stop the agent")]
mod served;
#[expect(dead_code, reason = "other tests need all of it")]
mod support;

use std::collections::BTreeSet;
use std::process::Command as Program;

use accelnet::args::Args;
use accelnet_api::testing::Fake;
use accelnet_model::intent::{Intent, Role};
use clap::{ArgAction, Command, CommandFactory};
use served::Agent;

/// Commands that change a node, a cluster or a file.
const CHANGES: &[&str] = &[
    "enable",
    "set",
    "disable",
    "intent add",
    "intent set",
    "intent remove",
    "vm enable",
    "vm set",
    "vm disable",
    "node drain",
    "node undrain",
    "cluster init",
    "cluster join",
    "cluster leave",
    "store check",
    "store backup",
    "store restore",
    "store accept",
    "store migrate",
    "adapter enable",
    "adapter disable",
    "setup",
    "cmdlets install",
    "cmdlets remove",
];

/// Commands that only show something.
const READS: &[&str] = &[
    "status",
    "capacity",
    "prereq",
    "plan",
    "log",
    "health",
    "faults",
    "intent list",
    "intent show",
    "intent status",
    "vm list",
    "vm show",
    "vm nics",
    "node show",
    "node list",
    "adapter list",
    "adapter show",
    "explain",
    "cmdlets list",
];

/// Programs that run until they are stopped, and what writes the generated documentation.
const OTHERS: &[&str] = &["agent", "demo", "generate"];

/// Commands without commands of their own, by their words.
fn leaves(command: &Command, words: &str, all: &mut Vec<(String, Command)>) {
    for one in command.get_subcommands() {
        let words = format!("{words} {}", one.get_name());
        match one.has_subcommands() {
            true => leaves(one, &words, all),
            false => all.push((words.trim().to_owned(), one.clone())),
        }
    }
}

fn all_leaves() -> Vec<(String, Command)> {
    let mut all = Vec::new();
    leaves(&Args::command(), "", &mut all);
    all
}

#[test]
fn every_command_is_known_to_change_something_or_not() {
    let leaves: BTreeSet<String> = all_leaves().into_iter().map(|(words, _)| words).collect();
    let lists = [CHANGES, READS, OTHERS].concat();
    let listed: BTreeSet<String> = lists.iter().map(|words| (*words).to_owned()).collect();
    assert_eq!(leaves, listed);
    assert_eq!(listed.len(), lists.len(), "each is in one list");
}

#[test]
fn every_command_that_changes_something_has_the_same_dry_run() {
    for (words, command) in all_leaves() {
        let mut arguments = command.get_arguments();
        let dry_run = arguments.find(|one| one.get_long() == Some("dry-run"));
        assert_eq!(dry_run.is_some(), CHANGES.contains(&&*words), "{words}");
        let Some(dry_run) = dry_run else {
            continue;
        };
        assert!(
            matches!(dry_run.get_action(), ArgAction::SetTrue),
            "{words}"
        );
        let help = dry_run.get_help().expect("help").to_string();
        assert_eq!(help, "Show the plan without changing anything", "{words}");
        assert!(
            !dry_run.is_hide_set() && dry_run.get_short().is_none(),
            "{words}"
        );
    }
}

#[test]
fn an_agent_is_asked_for_a_dry_run_and_changes_nothing() {
    let intent = Intent {
        name: "MyIntent".parse().expect("a name"),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs: None,
        security: accelnet_model::VfSecurity::default(),
    };
    let fake = Fake::default().intents(&[intent]).vms(&["web1"]);
    let agent = Agent::of(fake.enabled("MyIntent"));
    let shown = || {
        ["status", "intent list", "vm list", "node list"]
            .map(|command| agent.types(&format!("accelnet {command} -o json")).out)
    };
    let before = shown();
    for command in [
        "enable --intent MyIntent --node-reserve 10",
        "set --node-reserve 10",
        "disable",
        "intent add disks --storage --adapter ens2",
        "intent set MyIntent --vfs 3",
        "intent remove MyIntent",
        "vm enable web1 --performance low",
        "vm set web1 --performance low",
        "vm disable web1",
        "node drain n1",
        "node undrain n1",
    ] {
        let mut changes = CHANGES.iter();
        assert!(changes.any(|words| command.starts_with(words)), "{command}");
        let answer = agent.types(&format!("accelnet {command} --dry-run"));
        assert_eq!((answer.status, answer.err.as_str()), (0, ""), "{command}");
        assert!(!answer.out.is_empty(), "{command}");
        let asked = agent.fake.asked();
        let dry = asked
            .iter()
            .all(|one| one.ends_with("\"dry_run\":true}") || one.ends_with(" true"));
        assert!(dry && asked.len() == 1, "{command}: {asked:?}");
        assert_eq!(shown(), before, "{command}");
    }
}

#[test]
fn links_are_neither_laid_nor_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("bin");
    let cmdlets = |words: &[&str]| {
        let output = Program::new(env!("CARGO_BIN_EXE_accelnet"))
            .args(["cmdlets"])
            .args(words)
            .arg("--dir")
            .arg(&dir)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let said = cmdlets(&["install", "--dry-run"]);
    assert!(said.starts_with("Dry run: "), "{said}");
    assert!(!dir.exists());
    let _ = cmdlets(&["install"]);
    let there = || std::fs::read_dir(&dir).expect("a folder").count();
    let laid = there();
    let said = cmdlets(&["remove", "--dry-run"]);
    let would = format!("Dry run: {laid} names would be removed");
    assert!(said.starts_with(&would), "{said}");
    assert_eq!(there(), laid);
    let _ = cmdlets(&["remove"]);
    assert_eq!(there(), 0);
}
