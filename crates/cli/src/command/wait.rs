//! Waiting until every node has applied a change.

use std::time::Duration;

use accelnet_api::types::{IntentChanged, IntentView, ManagementChanged, NodeView, Standing};
use accelnet_model::intent::{IntentState, IntentStatus};
use accelnet_model::{Code, Problem};

use super::ask;
use crate::args::{Output, Wait};
use crate::session::Session;
use crate::{command, render};

const PAUSE: Duration = Duration::from_millis(500);

/// Waits as long as `wait` allows, and keeps in `changed` what each node reports then.
///
/// # Errors
///
/// The agent does not answer.
pub fn wait(
    name: &str,
    changed: &mut IntentChanged,
    wait: Wait,
    session: &Session<'_>,
) -> Result<(), Problem> {
    let (Some(seconds), Some(view)) = (wait.wait, &mut changed.intent) else {
        return Ok(());
    };
    let agent = session.agent()?;
    let what = format!("waiting for all nodes to apply intent {name}");
    let is_applied = |view: &IntentView| !view.status.iter().any(is_under_way);
    *view = until(seconds, &what, session, || agent.intent(name), is_applied)?;
    Ok(())
}

/// Polls until the answer matches or the deadline passes. Returns the last answer.
fn until<T>(
    seconds: u64,
    what: &str,
    session: &Session<'_>,
    ask: impl Fn() -> Result<T, Problem>,
    is_so: impl Fn(&T) -> bool,
) -> Result<T, Problem> {
    let clock = session.host.clock;
    let (begun, within) = (clock.uptime(), Duration::from_secs(seconds));
    ask::waiting(session, what, || {
        loop {
            let answer = ask()?;
            let over = clock.uptime().saturating_sub(begun) >= within;
            if over || is_so(&answer) {
                return Ok(answer);
            }
            clock.sleep(PAUSE);
        }
    })
}

/// A change that every node applies, beside intents that are added and set.
#[derive(Clone, Copy)]
pub enum Change<'a> {
    /// The intent of that name is removed.
    Removed(&'a str),
    /// The settings of Accelerated Networking.
    Settings,
}

impl Change<'_> {
    fn is_pending(self, node: &NodeView) -> bool {
        match self {
            Change::Removed(intent) => node.removed_intents.iter().any(|name| name == intent),
            Change::Settings => node.settings_pending,
        }
    }

    /// That nodes have not applied it.
    fn unapplied(self, left: &[NodeView]) -> Problem {
        let nodes: Vec<&str> = left.iter().map(|node| node.name.as_str()).collect();
        let nodes = nodes.join(", ");
        let (intent, message) = match self {
            Change::Removed(intent) => (
                intent,
                format!("Intent {intent} is not removed on node {nodes}."),
            ),
            Change::Settings => ("", format!("The settings are not applied on node {nodes}.")),
        };
        let each = left.iter().map(|node| match node.state {
            Standing::Up => format!("{} is pending", node.name),
            Standing::Down => format!("{} is down", node.name),
        });
        let found = format!("{}.", each.collect::<Vec<_>>().join("; "));
        Problem {
            message,
            ..Problem::new(Code::IntentNotApplied, &[intent, &nodes], found)
        }
        .resolution("The agents continue automatically. 'accelnet node list' shows the nodes.")
    }
}

/// The nodes that have not applied a change that was made: now, or when the time to wait is over.
///
/// # Errors
///
/// The agent does not answer.
pub fn left(
    change: Change<'_>,
    wait: Wait,
    session: &Session<'_>,
) -> Result<Vec<NodeView>, Problem> {
    let agent = session.agent()?;
    let what = match change {
        Change::Removed(intent) => format!("waiting for all nodes to remove intent {intent}"),
        Change::Settings => "waiting for all nodes to apply the settings".to_owned(),
    };
    let seconds = wait.wait.unwrap_or(0);
    let pending = || -> Result<Vec<NodeView>, Problem> {
        let nodes = agent.nodes()?.into_iter();
        Ok(nodes.filter(|node| change.is_pending(node)).collect())
    };
    until(seconds, &what, session, pending, |left| left.is_empty())
}

/// Waits for the settings as long as `wait` allows, and shows what came of their change.
pub fn settings(
    mut changed: ManagementChanged,
    wait: Wait,
    output: Output,
    session: &mut Session<'_>,
) -> command::Result {
    let waited = match wait.wait {
        None => None,
        Some(_) => {
            let left = left(Change::Settings, wait, session)?;
            unapplied_after(Change::Settings, &left)
        }
    };
    if let (Some(problem), Output::Json) = (&waited, output) {
        let words = format!("{} {}", problem.message, problem.found);
        changed.warnings.push(words);
    }
    ask::print_answer(session, output, &changed, |changed, _, _| {
        render::management_changed(changed)
    });
    end(waited, output, session)
}

/// The error of those that are left.
pub fn unapplied_after(change: Change<'_>, left: &[NodeView]) -> Option<Problem> {
    (!left.is_empty()).then(|| change.unapplied(left))
}

/// Ends a change that was waited for; one that is not applied everywhere is a failure.
pub fn end(waited: Option<Problem>, output: Output, session: &mut Session<'_>) -> command::Result {
    Ok(match waited {
        None => 0,
        Some(problem) => {
            if output == Output::Table {
                session.fail(&problem, false);
            }
            problem.exit_status()
        }
    })
}

/// Why a change that was waited for is not applied everywhere; none where it is.
fn unapplied(name: &str, changed: &IntentChanged) -> Option<Problem> {
    let all = changed.intent.as_ref()?.status.iter();
    let left: Vec<&IntentStatus> = all
        .filter(|status| status.state != IntentState::Completed)
        .collect();
    if left.is_empty() {
        return None;
    }
    let nodes: Vec<&str> = left.iter().map(|status| status.node.as_str()).collect();
    let each: Vec<String> = left.iter().map(|status| in_words(status)).collect();
    let found = format!("{}.", each.join("; "));
    Some(Problem::new(
        Code::IntentNotApplied,
        &[name, &nodes.join(", ")],
        found,
    ))
}

fn is_under_way(status: &IntentStatus) -> bool {
    matches!(status.state, IntentState::Pending | IntentState::Applying)
}

fn in_words(status: &IntentStatus) -> String {
    match &status.problem {
        Some(problem) => format!("{} is {}: {}", status.node, status.state, problem.message),
        None => format!("{} is {}", status.node, status.state),
    }
}

/// Shows what came of a change; one that was waited for and is not applied everywhere is a failure.
pub fn answer(
    name: &str,
    changed: &IntentChanged,
    wait: Wait,
    output: Output,
    session: &mut Session<'_>,
) -> command::Result {
    let words = |changed: &_, _, _| render::intent_changed(name, changed);
    ask::print_answer(session, output, changed, words);
    let waited = wait.wait.and_then(|_| unapplied(name, changed));
    end(waited, output, session)
}
