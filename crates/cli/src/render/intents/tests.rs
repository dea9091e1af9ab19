use accelnet_model::{Code, Problem};
use serde_json::json;

use super::*;

fn failed(node: &str, problems: &[Problem]) -> IntentStatus {
    let mut problems = problems.iter();
    serde_json::from_value(json!({
        "intent": "lan", "node": node, "state": "failed", "intent_revision": 1,
        "since": "2026-11-22T10:00:00Z", "verified_at": null, "adapters": [], "bridge": null, "vfs": 0,
        "problem": problems.next(), "other_problems": problems.collect::<Vec<_>>(),
        "warnings": ["The address runs out."],
    }))
    .expect("a status")
}

fn lost(adapter: &str) -> Problem {
    let names = [adapter, "0000:01:00.0"];
    Problem::new(Code::AdapterLost, &names, "No adapter has this MAC.")
}

#[test]
fn a_problem_of_several_nodes_is_one_block_and_none_is_left_out() {
    let all = [
        failed("n1", &[lost("ens1"), lost("ens2")]),
        failed("n2", &[lost("ens1")]),
    ];
    let text = intent_status(&all, false, None);
    assert_eq!(text.matches("error:").count(), 2, "{text}");
    assert!(text.contains("subject: lan on n1, lan on n2\n"), "{text}");
    assert!(text.contains("subject: lan on n1\n"), "{text}");
    assert!(
        text.contains("warning: lan on n1, lan on n2: The address runs out.\n"),
        "{text}"
    );
}
