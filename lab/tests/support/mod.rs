//! Running the program under test in a node, and reading what it says.

use accelnet_lab::{Node, Topology};
use serde_json::Value;

/// A node with the program on its path.
pub fn boot(topology: &Topology) -> Node {
    Node::boot_with_accelnet(topology).unwrap_or_else(|error| panic!("{error}"))
}

/// What `accelnet ARGS --output json` answered, and its exit status.
pub fn accelnet(node: &Node, args: &str) -> (i32, Value) {
    let output = node.run(&format!("accelnet {args} --output json"));
    let answer = serde_json::from_str(&output.stdout).unwrap_or_else(|error| {
        panic!("accelnet {args} printed no JSON ({error}): {output:?}");
    });
    (output.status, answer)
}

/// The rows of `accelnet prereq` on `subject`, each with its name, outcome, code and what
/// was found.
pub fn rows(answer: &Value, subject: &str) -> Vec<[String; 4]> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rows = answer["checks"].as_array().expect("rows of checks");
    let of_subject = rows.iter().filter(|row| row["subject"] == subject);
    let rows: Vec<[String; 4]> = of_subject
        .map(|row| ["name", "outcome", "code", "found"].map(|field| text(row, field)))
        .collect();
    assert!(!rows.is_empty(), "no row on {subject}: {answer:#}");
    rows
}

/// The one row called `name`.
pub fn row<'a>(rows: &'a [[String; 4]], name: &str) -> &'a [String; 4] {
    rows.iter()
        .find(|row| row[0] == name)
        .unwrap_or_else(|| panic!("no row {name}: {rows:?}"))
}
