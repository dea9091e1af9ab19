//! Waiting until every node has applied a change of an intent.

use std::time::Duration;

use accelnet_api::types::{IntentChanged, IntentView};
use accelnet_model::intent::{IntentState, IntentStatus};
use accelnet_model::{Code, Problem};

use super::ask;
use crate::args::{Output, Wait};
use crate::session::Session;
use crate::{command, render};

const PAUSE: Duration = Duration::from_millis(500);

/// Waits as long as `wait` says, and keeps in `changed` what each node reports then.
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
    let clock = session.host.clock;
    let (begun, within) = (clock.uptime(), Duration::from_secs(seconds));
    let what = format!("waiting for all nodes to apply intent {name}");
    *view = ask::waiting(session, &what, || {
        loop {
            let view = agent.intent(name)?;
            let over = clock.uptime().saturating_sub(begun) >= within;
            if over || !view.status.iter().any(is_under_way) {
                return Ok::<IntentView, Problem>(view);
            }
            clock.sleep(PAUSE);
        }
    })?;
    Ok(())
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
    ask::tell(session, output, changed, words);
    let waited = wait.wait.and_then(|_| unapplied(name, changed));
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
