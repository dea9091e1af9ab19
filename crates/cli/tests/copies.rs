//! The program itself on copies of nodes (`--root`): what can be determined, and that nothing is
//! changed there.

use std::path::Path;
use std::process::{Command, Output};

use accelnet_sim::{AdapterSpec, Port, Tree};
use serde_json::Value;

/// Runs the program.
fn accelnet(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_accelnet"))
        .args(args)
        .output()
        .expect("the program runs")
}

/// The program's JSON about the copy below `root`, and its exit status.
fn asked(root: &Path, args: &[&str]) -> (Value, i32) {
    let root = root.to_str().expect("a path");
    let output = accelnet(&[args, &["--root", root, "--output", "json"]].concat());
    let text = String::from_utf8(output.stdout).expect("text");
    let answer = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (answer, output.status.code().expect("an end of its own"))
}

/// A copy of a node with one adapter, ens1, which has 2 VFs.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let igb = AdapterSpec::igb("0000:01:00.0".parse().expect("an address"), "ens1").vfs(2);
    let port = Port::root("0000:00:01.0".parse().expect("an address"), 1, 2);
    let tree = Tree::new().port(port.adapter(igb));
    tree.write(folder.path()).expect("a tree");
    folder
}

fn rows(answer: &Value) -> Vec<(&str, &str)> {
    let rows = answer["checks"].as_array().expect("rows");
    rows.iter()
        .map(|row| {
            let field = |name: &str| row[name].as_str().expect("text");
            (field("name"), field("outcome"))
        })
        .collect()
}

#[test]
fn a_copy_is_judged_except_for_what_only_a_running_node_can_show() {
    let copy = copy();
    let (answer, status) = asked(copy.path(), &["prereq"]);
    let not_passed: Vec<(&str, &str)> = rows(&answer)
        .into_iter()
        .filter(|(_, outcome)| *outcome != "passed")
        .collect();
    assert_eq!(
        not_passed,
        [("libvirt", "not-judged"), ("qemu", "not-judged")]
    );
    assert_eq!(answer["passed"], true);
    assert_eq!(status, 0);
}

#[test]
fn an_empty_folder_is_all_unknown_and_no_crash() {
    let empty = tempfile::tempdir().expect("a folder");
    let (answer, status) = asked(empty.path(), &["prereq"]);
    let rows = rows(&answer);
    let outcome = |name| rows.iter().find(|row| row.0 == name).map(|row| row.1);
    for unknown in ["kernel", "hyperthreading", "adapters"] {
        assert_eq!(outcome(unknown), Some("unknown"), "{unknown}: {answer:#}");
    }
    assert_eq!(outcome("lockdown"), Some("warning"), "{answer:#}");
    assert!(
        rows.iter().all(|(_, outcome)| *outcome != "passed"),
        "{answer:#}"
    );
    assert_eq!((status, &answer["passed"]), (39, &Value::Bool(false)));

    for command in [&["node", "show"][..], &["adapter", "list"]] {
        let (_, status) = asked(empty.path(), command);
        assert_eq!(status, 39, "{command:?}");
    }
    let (answer, status) = asked(empty.path(), &["adapter", "show", "ens1"]);
    assert_eq!(answer["error"]["code"], "not_readable", "{answer:#}");
    assert_eq!(status, 39);
}

#[test]
fn nothing_is_changed_in_a_copy() {
    let copy = copy();
    let numvfs = copy
        .path()
        .join("sys/bus/pci/devices/0000:01:00.0/sriov_numvfs");
    for change in [&["enable", "ens1", "--vfs", "1"][..], &["disable", "ens1"]] {
        let (answer, status) = asked(copy.path(), &[&["adapter"], change].concat());
        let error = &answer["error"];
        assert_eq!(error["code"], "permission_denied", "{answer:#}");
        let said = error["cause"].as_str().expect("a cause");
        assert!(said.contains("copy of a node"), "{said}");
        assert_eq!(status, 52);
        assert_eq!(std::fs::read_to_string(&numvfs).expect("a number"), "2\n");
    }
    assert!(!copy.path().join("run").exists(), "not even a lock");

    // What would be done can be asked all the same.
    let dry = ["adapter", "disable", "ens1", "--dry-run"];
    let (answer, status) = asked(copy.path(), &dry);
    assert_eq!(
        (status, &answer["applied"]),
        (0, &Value::Bool(false)),
        "{answer:#}"
    );
}

#[test]
fn names_are_listed_one_a_line() {
    let copy = copy();
    let root = copy.path().to_str().expect("a path");
    let output = accelnet(&["adapter", "list", "-o", "name", "--root", root]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ens1\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_node_that_is_read_whole_survives_its_json() {
    let copy = copy();
    let (answer, _) = asked(copy.path(), &["node", "show"]);
    let node: accelnet_model::Node = serde_json::from_value(answer.clone()).expect("a node");
    assert_eq!(serde_json::to_value(&node).expect("JSON"), answer);
    let adapters = node.adapters.known().expect("adapters");
    assert_eq!(adapters[0].vfs.len(), 2);
}
