//! `accelnet capacity`: of a file, and of a cluster.

#[path = "support/agent.rs"]
#[expect(dead_code, reason = "the tests of the agent need all of it")]
mod served;
mod support;

use std::path::PathBuf;

use accelnet::args::Args;
use accelnet_api::testing::Fake;
use clap::Parser;
use serde_json::{Value, json};
use served::Agent;
use support::{Shown, node, run};

/// Types `accelnet capacity --from -` with a file on standard input.
fn asked(text: &str, output: &str) -> Shown {
    let words = ["accelnet", "capacity", "--from", "-", "--output", output];
    let args = Args::try_parse_from(words).expect("a command");
    run(&args, &node(|igb| igb), None, text.as_bytes())
}

fn answer(text: &str) -> (u8, Value) {
    let shown = asked(text, "json");
    assert_eq!(shown.err, "", "it says it all in JSON");
    (
        shown.status,
        serde_json::from_str(&shown.out).expect("JSON"),
    )
}

/// The file and the answer in docs/capacity.md, as JSON and in words.
fn documented() -> (String, Value, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/capacity.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let mut blocks = text.split("```json\n").skip(1);
    let mut block = || {
        let block = blocks.next().expect("a block");
        block.split("```").next().expect("its end").to_owned()
    };
    let file = block();
    let answer = serde_json::from_str(&block()).expect("JSON");
    let words = text.split("```text\n").nth(1).expect("a block");
    let words = words.split("```").next().expect("its end");
    (file, answer, words.to_owned())
}

#[test]
fn the_documented_file_has_the_documented_answer() {
    let (file, expected, _) = documented();
    let (status, mut answer) = answer(&file);
    assert_eq!(status, 23, "the last VM is not admitted");
    let fields = answer.as_object_mut().expect("an object");
    let besides = [
        "node_reserve_percentage",
        "node_failures_survived",
        "largest_reserve",
        "additional_vms",
        "nodes",
    ];
    for field in besides {
        assert!(fields.remove(field).is_some(), "{field}");
    }
    assert_eq!(answer, expected, "{answer:#}");
}

#[test]
fn the_file_of_the_request() {
    let (status, answer) = answer(
        r#"{"node_reserve_percentage": 50,
     "performance": {"low": {"queue_pairs": 1}, "medium": {"queue_pairs": 2}, "high": {"queue_pairs": 4}},
     "nodes": [{"name": "n1", "smt": false, "adapters": [
         {"name": "pf0", "vfs": 7, "queue_pairs": 28, "max_queue_pairs_per_vf": 4}]}],
     "vms": [{"name": "web01", "node": "n1", "adapter": "pf0", "vcpus": 4, "performance": "high"}],
     "ask": [{"name": "db01", "node": "n1", "vcpus": 8, "performance": "medium"}]}"#,
    );
    assert_eq!(status, 0);
    // Half of one node is none.
    assert_eq!(
        (&answer["survives_nodes"], &answer["holds"]),
        (&json!(0), &json!(true))
    );
    assert_eq!(
        answer["answers"],
        json!([{"name": "db01", "admitted": true, "node": "n1", "adapter": "pf0"}])
    );
    assert_eq!(
        answer["additional_vms"],
        json!({"low": 6, "medium": 6, "high": 6})
    );
    let share = json!({"total": 7, "in_use": 1, "allocated": 1, "free": 6, "unavailable": 0});
    assert_eq!(answer["nodes"][0]["vfs"], share);
}

#[test]
fn it_is_reported_in_words() {
    let (file, _, words) = documented();
    let shown = asked(&file, "table");
    assert_eq!(shown.out, words);
    assert_eq!((shown.status, shown.err.as_str()), (23, ""));
}

#[test]
fn a_mistake_is_reported_with_its_field_and_line() {
    let cases = [
        ("", "It is empty."),
        ("[]", "It is not a JSON object, which begins with '{'."),
        (
            "{\"nodes\": [{\"name\": \"n1\"}]} x",
            "line 1, column 29: trailing characters.",
        ),
        (
            "{\"nodes\": 3}",
            "nodes (line 1, column 11): invalid type: integer `3`, expected a sequence.",
        ),
        ("{}", "line 1, column 2: missing field `nodes`."),
        (
            "{\"nodes\": [\n{\"name\": \"n1\",\n\"adapters\": [{\"name\": \"p\",\n\"vfs\": -1}]}]}",
            "nodes[0].adapters[0].vfs (line 4, column 9): invalid value: integer `-1`, expected a whole number from 0.",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\", \"adapters\": [{\"name\": \"p\"}]}]}",
            "nodes[0].adapters[0] (line 1, column 52): missing field `vfs`.",
        ),
        (
            "{\n\"node_reserve_percentage\": 100,\n\"nodes\": []}",
            "node_reserve_percentage (line 2, column 30): The node reserve percentage 100 is not an integer from 0 to 99.",
        ),
        (
            "{\"node_reserve_percentage\": 0.5, \"nodes\": []}",
            "node_reserve_percentage (line 1, column 31): invalid type: floating point `0.5`",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\"}],\n\"ask\": [{\"name\": \"a\", \"performance\": \"huge\"}]}",
            "ask[0].performance (line 2, column 44):",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\", \"colour\": 1}]}",
            "nodes[0].colour (line 1, column 34): unknown field `colour`",
        ),
        (
            "{\"nodes\": [{\"name\": \" \"}]}",
            "nodes[0].name (line 1, column 24): ' ' is not a host name: it has other characters;",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\\n\\u202e\"}]}",
            "nodes[0].name (line 1, column 33): 'n1\\n\\u{202e}' is not a host name",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\"}],\n\"vms\": [\n{\"name\": \"../a\", \"node\": \"n1\", \"performance\": \"low\"}]}",
            "vms[0].name (line 3, column 15): \"../a\" is not the name of a VM",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\"}],\n\"vms\": [{\"name\": \"a\", \"node\": \"n_1\", \"performance\": \"low\"}]}",
            "vms[0].node (line 2, column 35): 'n_1' is not a host name",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\"}],\n\"ask\": [{\"name\": \"\\u001b[31m\", \"performance\": \"low\"}]}",
            "ask[0].name (line 2, column 29): \"\\u{1b}[31m\" is not the name of a VM",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\"}],\n\"ask\": [{\"name\": \"a\", \"node\": \"-\", \"performance\": \"low\"}]}",
            "ask[0].node (line 2, column 33): '-' is not a host name",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\"}],\n\"vms\": [\n{\"name\": \"a\", \"performance\": \"low\",\n\"node\": \"n2\"}]}",
            "vms[0].node (line 4): no node is called n2.",
        ),
        (
            "{\"nodes\": [{\"name\": \"n1\"},\n{\"name\": \"n1\"}]}",
            "nodes[1].name (line 2): another node is called n1.",
        ),
        (
            "{\"nodes\": []}",
            "nodes (line 1): at least one node is needed.",
        ),
    ];
    for (text, found) in cases {
        let (status, answer) = answer(text);
        let error = &answer["error"];
        assert_eq!(
            (status, &error["code"]),
            (117, &json!("capacity_file_invalid")),
            "{text}"
        );
        let said = error["found"].as_str().expect("text");
        assert!(said.starts_with(found), "{text}\n{said}");
        assert_eq!(
            error["message"],
            "standard input does not describe a cluster."
        );
    }
}

#[test]
fn a_file_that_is_not_there() {
    let shown = support::types(&node(|igb| igb), "accelnet capacity --from /nowhere/x.json");
    assert_eq!((shown.status, shown.out.as_str()), (117, ""));
    assert!(
        shown
            .err
            .contains("/nowhere/x.json does not describe a cluster [capacity_file_invalid]"),
        "{}",
        shown.err
    );
    assert!(
        shown.err.contains("it cannot be read: No such file"),
        "{}",
        shown.err
    );
    assert!(
        shown.err.contains("name a JSON file that you can read"),
        "{}",
        shown.err
    );
}

#[test]
fn missing_failover_capacity_ends_with_its_status() {
    let (status, answer) = answer(
        r#"{"nodes": [{"name": "n1", "adapters": [{"name": "p", "vfs": 2}]}, {"name": "n2"}],
            "vms": [{"name": "a", "node": "n1", "performance": "low"}]}"#,
    );
    assert_eq!((status, &answer["holds"]), (116, &json!(false)));
    assert_eq!(answer["problem"]["code"], "reserve_not_met");
}

#[test]
fn an_agent_is_asked_without_a_file() {
    let agent = Agent::of(Fake::default());
    let shown = agent.types("accelnet capacity --output json");
    assert_eq!((shown.status, shown.err.as_str()), (0, ""));
    let answer: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(answer["nodes"][0]["vfs"]["total"], 7);
    let shown = agent.types("accelnet capacity");
    assert!(
        shown
            .out
            .contains("free capacity    7 more Low, or 7 Medium, or 7 High"),
        "{}",
        shown.out
    );
}
