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
        walk(&value, &mut Vec::new(), &mut found);
    }
    found
}

/// One step from a value to one of its own.
#[derive(Clone, Copy)]
enum Step<'a> {
    Item(usize),
    Field(&'a str),
}

fn walk<'a>(value: &'a Value, way: &mut Vec<Step<'a>>, found: &mut Vec<Unreadable>) {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                way.push(Step::Item(number));
                walk(item, way, found);
                way.pop();
            }
        }
        Value::Object(fields) => match fields.get("unknown") {
            Some(Value::String(reason)) if fields.len() == 1 => found.push(Unreadable {
                subject: place(way),
                reason: reason.clone(),
            }),
            _ => {
                for (name, field) in fields.iter().filter(|(name, _)| *name != NOT_READ) {
                    way.push(Step::Field(name));
                    walk(field, way, found);
                    way.pop();
                }
            }
        },
        _ => {}
    }
}

fn place(way: &[Step<'_>]) -> String {
    let mut place = String::new();
    for step in way {
        match step {
            Step::Item(number) => place.push_str(&format!("[{number}]")),
            Step::Field(name) => {
                if !place.is_empty() {
                    place.push('.');
                }
                place.push_str(name);
            }
        }
    }
    place
}
