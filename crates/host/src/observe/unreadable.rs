//! Everything of a node that is unknown, in one list.

use accelnet_model::node::{Node, Unreadable};
use serde_json::Value;

/// What an adapter can do is unknown until it is asked, which is no failure to read.
const NOT_READ: &str = "features";

/// Every unknown value of `node`, each with where it stands, as in
/// `adapters[0].sriov.initial_vfs`.
pub fn all(node: &Node) -> Vec<Unreadable> {
    let mut found = Vec::new();
    // Our own types always become JSON.
    if let Ok(value) = serde_json::to_value(node) {
        walk(&value, String::new(), &mut found);
    }
    found
}

fn walk(value: &Value, place: String, found: &mut Vec<Unreadable>) {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                walk(item, format!("{place}[{number}]"), found);
            }
        }
        Value::Object(fields) => match fields.get("unknown") {
            Some(Value::String(reason)) if fields.len() == 1 => found.push(Unreadable {
                what: place,
                reason: reason.clone(),
            }),
            _ => {
                for (name, field) in fields.iter().filter(|(name, _)| *name != NOT_READ) {
                    let place = match place.as_str() {
                        "" => name.clone(),
                        place => format!("{place}.{name}"),
                    };
                    walk(field, place, found);
                }
            }
        },
        _ => {}
    }
}
