//! `accelnet prereq`: every check, one row each.

use accelnet_host::observe;
use accelnet_model::Check;
use accelnet_rules::prereq::{self, Scope};
use serde::Serialize;

use super::Result;
use crate::args::{Output, Prereq};
use crate::render;
use crate::session::Session;

/// The answer. Its JSON is part of the API.
#[derive(Debug, Serialize)]
struct Answer {
    /// Whether every check passed.
    passed: bool,
    /// When the node was seen, RFC 3339, UTC.
    observed_at: String,
    /// Every row.
    checks: Vec<Check>,
}

/// Judges this node.
pub fn run(args: &Prereq, session: &mut Session<'_>) -> Result {
    let node = observe::node(&session.host);
    let scope = match (&args.intent, args.adapter.as_slice()) {
        (Some(intent), _) => Scope::Intent(intent.clone()),
        (None, []) => Scope::All,
        (None, names) => Scope::Adapters(names.to_vec()),
    };
    let answer = Answer {
        observed_at: node.observed_at.clone(),
        checks: prereq::judge(&[node], &[], &scope),
        passed: false,
    };
    let answer = Answer {
        passed: answer.checks.iter().all(|check| check.passed),
        ..answer
    };
    match args.output {
        Output::Json => session.say_json(&answer),
        Output::Table => {
            let text = render::checks(&answer.checks, session.colour, session.width);
            session.say(&text);
        }
    }
    Ok(prereq::exit_status(&answer.checks))
}
