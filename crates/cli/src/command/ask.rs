//! What the commands that ask an agent have in common.

use accelnet_api::Client;
use accelnet_model::Problem;
use accelnet_rules::vm_names;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::Output;
use crate::render::{self, Waiting};
use crate::session::Session;

/// Asks with a line on the terminal that says what is waited for.
pub fn waiting<T>(session: &Session<'_>, what: &str, ask: impl FnOnce() -> T) -> T {
    let line = Waiting::begin(session.progress, what);
    let answer = ask();
    line.end();
    answer
}

/// Writes an answer as JSON, or in words.
pub fn tell<T: Serialize + DeserializeOwned + Clone>(
    session: &mut Session<'_>,
    output: Output,
    answer: &T,
    words: impl FnOnce(&T, bool, Option<u16>) -> String,
) {
    match output {
        Output::Json => session.say_json(answer),
        Output::Table => {
            let text = words(&render::clean(answer), session.colour, session.width);
            session.say(&text);
        }
    }
}

/// The names that were typed, with those from standard input in the place of `-`; none when
/// there is no name at all, after saying so.
pub fn names(typed: &[String], session: &mut Session<'_>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for name in typed {
        if name != "-" {
            names.push(name.clone());
            continue;
        }
        let mut text = String::new();
        if let Err(error) = session.input.read_to_string(&mut text) {
            session.note(&format!("error: standard input cannot be read: {error}"));
            return None;
        }
        let lines = text.lines().map(str::trim);
        names.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    if names.is_empty() {
        session.note("error: no VM was named: standard input was empty, so nothing was done");
        return None;
    }
    Some(names)
}

/// Refuses a node that the cluster does not have.
pub fn known_node(node: Option<&str>, agent: &Client) -> Result<(), Problem> {
    let Some(node) = node else { return Ok(()) };
    let nodes = agent.nodes()?.into_iter().map(|node| node.name);
    let nodes: Vec<String> = nodes.collect();
    match nodes.iter().any(|name| name == node) {
        true => Ok(()),
        false => Err(vm_names::no_node(node, &nodes)),
    }
}

/// Exit status of a command line that makes no sense.
pub const NO_SENSE: u8 = 2;

/// The status of the first problem, and 1 for a failure without one.
pub fn first<'a>(ok: bool, mut problems: impl Iterator<Item = &'a Problem>) -> u8 {
    match ok {
        true => 0,
        false => problems.next().map_or(1, Problem::exit_status),
    }
}
