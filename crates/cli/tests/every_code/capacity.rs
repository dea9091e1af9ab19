//! Codes of `accelnet capacity`.

use accelnet_model::Code;

use crate::support::{node, types};

fn shown(text: &str) -> serde_json::Value {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    let command = format!(
        "accelnet capacity --from {} --output json",
        file.path().display()
    );
    let shown = types(&node(|igb| igb), &command);
    assert_ne!(shown.status, 0);
    serde_json::from_str(&shown.out).expect("JSON")
}

fn code(problem: &serde_json::Value) -> Vec<Code> {
    let code = problem["code"].as_str();
    code.map(|code| code.parse().expect("a code"))
        .into_iter()
        .collect()
}

pub fn a_promise_that_does_not_hold() -> Vec<Code> {
    let answer = shown(
        r#"{"nodes": [{"name": "n1", "adapters": [{"name": "pf0", "vfs": 1}]}, {"name": "n2"}],
            "vms": [{"name": "a", "node": "n1", "performance": "low"}]}"#,
    );
    code(&answer["problem"])
}

pub fn a_file_without_nodes() -> Vec<Code> {
    code(&shown(r#"{"nodes": []}"#)["error"])
}
