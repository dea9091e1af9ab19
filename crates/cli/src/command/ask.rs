//! What the commands that ask an agent have in common.

use std::io;

use accelnet_api::Client;
use accelnet_model::{Code, Problem};
use accelnet_rules::vm_names;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::Output;
use crate::render::{self, Refused, Waiting};
use crate::session::Session;

/// Asks with a line on the terminal that reports what is waited for.
pub fn waiting<T>(session: &Session<'_>, what: &str, ask: impl FnOnce() -> T) -> T {
    let line = Waiting::begin(session.progress, what);
    let answer = ask();
    line.end();
    answer
}

/// Writes an answer as JSON, or in words.
pub fn print_answer<T: Serialize + DeserializeOwned + Clone>(
    session: &mut Session<'_>,
    output: Output,
    answer: &T,
    words: impl FnOnce(&T, bool, Option<u16>) -> String,
) {
    match output {
        Output::Json => session.print_json(answer),
        Output::Table => {
            let answer = session.for_people(answer);
            let text = words(&answer, session.colour, session.width);
            session.print(&text);
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
            session.wrong(
                "The names on standard input cannot be read",
                &unreadable(&error),
                "Write one name per line, as UTF-8 text.",
            );
            return None;
        }
        let lines = text.lines().map(str::trim);
        names.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    let invalid =
        |name: &&String| name.is_empty() || name.chars().any(|one| one == '/' || one.is_control());
    // Patterns and UUIDs have none of these either.
    if let Some(name) = names.iter().find(invalid) {
        session.wrong(
            &format!("'{name}' is not the name of a VM"),
            "A name is not empty, and has no '/' and no control characters.",
            "Run 'accelnet vm list' for all names.",
        );
        return None;
    }
    if names.is_empty() {
        session.wrong(
            "No VM is named",
            "The input is empty.",
            "Write one name per line to standard input, or name the VMs as arguments.",
        );
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
        false => Err(vm_names::no_node(node, nodes.iter().map(String::as_str))),
    }
}

/// Shows why something of these nodes is unknown, an error that several share once, and returns the exit status.
pub fn unknown_nodes(unknown: &[(String, Problem)], session: &mut Session<'_>) -> u8 {
    let cleaned: Vec<_> = unknown
        .iter()
        .map(|(node, problem)| (render::clean(node), render::clean(problem)))
        .collect();
    let refused = cleaned.iter().map(|(node, problem)| Refused {
        name: node,
        subject: node,
        problem,
    });
    session.fail_all("nodes", refused);
    unknown
        .first()
        .map_or(0, |(_, problem)| problem.exit_status())
}

/// Why an input cannot be read.
pub fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData => "It is not UTF-8 text.".to_owned(),
        _ => format!("It cannot be read: {error}."),
    }
}

/// Exit status of an invalid command line.
pub const NO_SENSE: u8 = 2;

/// The status of what matters most: of a change that may still be carried out, else of the first problem; 1 for
/// a failure without one.
pub fn worst<'a>(ok: bool, problems: impl Iterator<Item = &'a Problem> + Clone) -> u8 {
    let open = problems
        .clone()
        .find(|problem| problem.code == Code::RequestUnanswered);
    first(ok, open.into_iter().chain(problems))
}

/// The status of the first problem, and 1 for a failure without one.
pub fn first<'a>(ok: bool, mut problems: impl Iterator<Item = &'a Problem>) -> u8 {
    match ok {
        true => 0,
        false => problems.next().map_or(1, Problem::exit_status),
    }
}
