//! The document describes what the router does, and real answers match it.

use std::sync::Arc;

use accelnet_model::intent::{Intent, Role};
use serde_json::{Value, json};

use super::*;
use crate::server::http::{Asked, ask};
use crate::testing::{Fake, Fixed, Serving};
use crate::types::EventKind;

fn agent(folder: &std::path::Path) -> Serving {
    let intent = Intent {
        name: "MyIntent".parse().expect("a name"),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs: None,
        security: accelnet_model::VfSecurity::default(),
    };
    let fake = Fake::default()
        .intents(&[intent])
        .vms(&["web1", "web2"])
        .enabled("MyIntent");
    fake.happens(EventKind::Drift, "ens1", "Its VFs are gone.");
    Serving::start_for(folder, Arc::new(fake), Arc::new(Fixed::root())).expect("a socket")
}

/// A request that goes well, by operation; none where there is no body.
fn sample(operation: &str) -> Option<Value> {
    Some(match operation {
        "enable" => json!({ "intent": "MyIntent", "node_reserve_percentage": 25 }),
        "set" => json!({ "performance": { "low": { "queue_pairs": 1, "rate_limit_percent": 5 } } }),
        "intent_add" => json!({ "name": "disks", "roles": ["storage"], "adapters": ["ens2"] }),
        "intent_set" => json!({ "vfs": 4 }),
        "vm_enable" => json!({ "names": ["web*", "nobody"], "performance": "high" }),
        "vm_set" => json!({ "names": ["web1"], "performance": "low", "now": true }),
        "vm_disable" => json!({ "names": ["web2"] }),
        "adapters_change" => json!({}),
        "node_drain" => json!({ "node": "node1" }),
        _ => return None,
    })
}

/// A schema of the document, with all that it refers to.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    jsonschema::draft202012::new(&whole).expect("a schema")
}

#[test]
fn the_committed_document_is_fresh() {
    let made = text();
    let mut lines = crate::OPENAPI.lines().zip(made.lines());
    let parts = lines.find(|(is, should)| is != should);
    assert_eq!(parts, None, "'cargo xtask generate' makes it anew");
    assert_eq!(crate::OPENAPI.len(), made.len());
}

#[test]
fn every_operation_is_routed_and_answers_by_its_schema() {
    let document = document();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("an id");
            let folder = tempfile::tempdir().expect("a folder");
            let serving = agent(folder.path());
            let body = sample(id);
            let takes = operation.get("requestBody");
            assert_eq!(body.is_some(), takes.is_some(), "{id}");
            if let (Some(body), Some(takes)) = (&body, takes) {
                let schema = &takes["content"]["application/json"]["schema"];
                let wrong = validator(&document, schema).validate(body).err();
                assert!(wrong.is_none(), "{id}: {wrong:?}");
            }
            let name = match path {
                path if path.contains("vms") => "web1",
                path if path.contains("nodes") => "n1",
                _ => "MyIntent",
            };
            let mut request = Asked::new(&method.to_uppercase(), &path.replace("{name}", name));
            if let Some(body) = body {
                request = request.json(&body);
            }
            let answer = ask(serving.socket(), &request);
            assert_eq!(answer.status, 200, "{id}: {}", answer.text());
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            let errors: Vec<String> = validator(&document, schema)
                .iter_errors(&answer.json())
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{id}: {errors:?}\n{:#}", answer.json());
            asked += 1;
        }
    }
    assert_eq!(asked, ROUTES.len(), "every route is in the document");
}

#[test]
fn a_path_has_no_other_methods_than_the_documents() {
    let folder = tempfile::tempdir().expect("a folder");
    let serving = agent(folder.path());
    let document = document();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let has: Vec<&String> = item.as_object().expect("operations").keys().collect();
        for method in ["get", "put", "post", "patch", "delete"] {
            if has.iter().any(|there| *there == method) {
                continue;
            }
            let request = Asked::new(&method.to_uppercase(), &path.replace("{name}", "x"));
            let answer = ask(serving.socket(), &request);
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.json()["error"]["code"], "bad_request");
            let allow = answer.header("allow").expect("Allow").to_lowercase();
            for there in &has {
                assert!(allow.contains(*there), "{path}: {allow}");
            }
        }
    }
}

#[test]
fn failures_are_what_the_document_states() {
    let folder = tempfile::tempdir().expect("a folder");
    let serving = agent(folder.path());
    let document = document();
    let failure = validator(&document, &reference("Failure"));
    for (request, status) in [
        (Asked::new("GET", "/v1/vms/nobody"), 404),
        (Asked::new("GET", "/v1/intents/nobody"), 404),
        (Asked::new("GET", "/v2"), 404),
        (Asked::new("PUT", "/v1/management").json(&json!({})), 400),
    ] {
        let answer = ask(serving.socket(), &request);
        assert_eq!(answer.status, status, "{}", answer.text());
        let json = answer.json();
        let wrong = failure.validate(&json).err();
        assert!(wrong.is_none(), "{wrong:?}");
    }
}

#[test]
fn a_schema_refuses_what_the_server_refuses() {
    let document = document();
    for (name, body) in [
        ("Enable", json!({ "intent": "x", "nodes": 3 })),
        ("Enable", json!({ "node_reserve_percentage": 3 })),
        ("Enable", json!({ "intent": 3 })),
        (
            "VmEnable",
            json!({ "names": ["a"], "performance": "turbo" }),
        ),
        ("IntentAdd", json!({ "name": "x", "roles": ["compute"] })),
    ] {
        let schema = validator(&document, &reference(name));
        assert!(!schema.is_valid(&body), "{name} {body}");
    }
}
