//! The OpenAPI document, made from the routes and the types: `docs/openapi.json`.

pub(crate) mod schemas;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use schemas::{Schemas, with};

use crate::Role;
use crate::limits::{Chars, Kind, Limit, Parameter};
use crate::routes::{self, Gives, ROUTES, Route};
use crate::types::Failure;

/// Limits of a type of `model`.
const PERFORMANCE: &[(&str, Limit)] = &[
    ("queue_pairs", Limit::Judged(1, 64)),
    ("rate_limit_percent", Limit::Judged(1, 100)),
];

/// The document.
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths
            .entry(route.path)
            .or_insert_with(|| Value::Object(Map::new()));
        path[route.method.to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "accelnet",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The API of an accelnet agent on its Unix socket, and with mutual TLS if --listen is given. Each operation has x-accelnet-role, the role that it needs; a dry run needs the role reader. On the socket, root and the group accelnet are administrators, and other users are readers. New fields can be added at any time, and are never renamed or removed within a major version; ignore unknown fields.",
            "license": { "name": "Apache-2.0 OR MIT" }
        },
        "servers": [{ "url": "http://accelnet", "description": "By way of /run/accelnet/agent.sock" },
            { "url": "https://{address}", "description": "Where an agent was started with --listen", "variables": {
                "address": { "default": "node.example:7443", "description": "Host and port" } } }],
        "paths": paths,
        "components": { "schemas": schemas() },
    })
}

/// The document as it is committed.
pub fn text() -> String {
    // A value of our own making has no maps with odd keys.
    let text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text + "\n"
}

fn operation(route: &Route) -> Value {
    let answer = match route.gives {
        Gives::One(name) => reference(name),
        Gives::Many(name) => json!({ "type": "array", "items": reference(name) }),
        Gives::Any(_) => json!({ "type": "object" }),
    };
    let mut parameters: Vec<Value> = route.query.iter().map(query).collect();
    if let Some(chars) = route.name {
        parameters.push(json!({
            "name": "name",
            "in": "path",
            "required": true,
            "schema": text_of(chars),
        }));
    }
    let mut operation = json!({
        "operationId": snake(&format!("{:?}", route.operation)),
        "summary": route.summary,
        "x-accelnet-role": route.needs.name(),
        "responses": responses(route, answer),
    });
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some((name, _)) = route.takes {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": reference(name) } },
        });
    }
    operation
}

/// The answers of an operation, by HTTP status.
fn responses(route: &Route, answer: Value) -> Value {
    let mut responses = json!({
        "200": {
            "description": "Success.",
            "content": { "application/json": { "schema": answer } },
        },
        "400": failure("The request cannot be read, or has a value that is not permitted."),
        "429": failure("The limit of connections or requests is reached."),
        "503": failure("The agent cannot answer now."),
        "default": failure("It did not: the status is that of the code (docs/errors.md)."),
    });
    for busy in ["429", "503"] {
        responses[busy]["headers"] = json!({ "Retry-After": {
            "description": "When to ask again, in seconds.",
            "schema": { "type": "integer", "minimum": 0 },
        } });
    }
    if route.needs > Role::Reader {
        responses["403"] = failure("The caller's role is too little.");
    }
    if route.name.is_some() {
        responses["404"] = failure("The name does not exist.");
    }
    if route.takes.is_some() {
        responses["408"] = failure("The body did not come within 30 s.");
        responses["413"] = failure("The body is longer than 1 MiB, or 256 KiB from a reader.");
        responses["415"] = failure("The content type is not application/json.");
    }
    responses
}

fn failure(what: &str) -> Value {
    json!({
        "description": what,
        "content": { "application/json": { "schema": reference("Failure") } },
    })
}

fn query(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        Kind::Text(chars) => text_of(chars),
        Kind::Number(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Truth => json!({ "type": "boolean" }),
    };
    json!({
        "name": parameter.name,
        "in": "query",
        "required": false,
        "description": parameter.what,
        "schema": schema,
    })
}

/// The schema of a text.
fn text_of(chars: Chars) -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": chars.longest(),
        "pattern": chars.pattern(),
    })
}

/// Writes the limits of requests into the schemas of their types.
fn limit(schemas: &mut BTreeMap<String, Value>) {
    // A field that is not known is refused in a request; answers have these two, too, and no others.
    for strict in ["PerformanceSetting", "PerformanceSettings"] {
        if let Some(schema) = schemas.get_mut(strict) {
            schema["additionalProperties"] = Value::Bool(false);
        }
    }
    let takes = ROUTES.iter().filter_map(|route| route.takes);
    let takes = takes.chain([("PerformanceSetting", PERFORMANCE)]);
    let fields = takes.flat_map(|(owner, limits)| limits.iter().map(move |limit| (owner, limit)));
    for (owner, (field, limit)) in fields {
        let properties = schemas.get_mut(owner).map(|owner| &mut owner["properties"]);
        let Some(Value::Object(schema)) = properties.map(|all| &mut all[*field]) else {
            continue;
        };
        let (more, item) = match *limit {
            Limit::Text(chars) => (text_of(chars), None),
            Limit::Texts(least, most, chars) => (
                json!({ "minItems": least, "maxItems": most }),
                Some(text_of(chars)),
            ),
            Limit::Once(least, most, chars) => (
                json!({ "minItems": least, "maxItems": most, "uniqueItems": true }),
                Some(text_of(chars)),
            ),
            Limit::Values(least, most) => (
                json!({ "minItems": least, "maxItems": most, "uniqueItems": true }),
                None,
            ),
            Limit::Number(least, most) | Limit::Judged(least, most) => {
                (json!({ "minimum": least, "maximum": most }), None)
            }
        };
        for (key, value) in more.as_object().into_iter().flatten() {
            // A type that may be null, too, stays so.
            if key != "type" {
                schema.insert(key.clone(), value.clone());
            }
        }
        if let Some(item) = item {
            schema.insert("items".to_owned(), item);
        }
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// `VmEnable` as `vm_enable`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// Every type that a request or an answer has.
fn schemas() -> BTreeMap<String, Value> {
    let mut all = Schemas::new();
    with::<Failure>(&mut all);
    routes::schemas(&mut all);
    let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
    for (name, schema) in all {
        // A schema of our own making has no maps with odd keys.
        schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
    let flat: Vec<(String, Value)> = schemas
        .iter()
        .filter_map(|(name, schema)| Some((name.clone(), flattened(schema, &schemas)?)))
        .collect();
    schemas.extend(flat);
    limit(&mut schemas);
    schemas
}

/// A type with another one flattened into it, as the one object that its JSON is: the inner
/// one does not permit the fields of the outer one.
fn flattened(schema: &Value, all: &BTreeMap<String, Value>) -> Option<Value> {
    let parts = schema.get("allOf")?.as_array()?;
    let mut whole = json!({ "type": "object", "properties": {}, "required": [] });
    for part in parts {
        let part = match part.get("$ref").and_then(Value::as_str) {
            Some(reference) => all.get(reference.rsplit('/').next()?)?,
            None => part,
        };
        let properties = part.get("properties")?.as_object()?.clone();
        whole["properties"].as_object_mut()?.extend(properties);
        let required = part.get("required").and_then(Value::as_array).cloned();
        whole["required"]
            .as_array_mut()?
            .extend(required.unwrap_or_default());
    }
    if let Some(what) = schema.get("description") {
        whole["description"] = what.clone();
    }
    Some(whole)
}

#[cfg(test)]
mod tests;
