//! `accelnet prereq`: every check, one row each.

use std::collections::BTreeSet;

use accelnet_api::types::PrereqAnswer;
use accelnet_host::observe;
use accelnet_model::check::CheckName;
use accelnet_model::{Check, Code, Problem};
use accelnet_rules::prereq::{self, Scope};
use accelnet_rules::vm_names;

use super::{Result, ask};
use crate::args::Prereq;
use crate::render;
use crate::session::Session;

/// Judges this node: by its agent where one answers, which knows the intents and the nodes. An agent that is named
/// is asked in any case.
pub fn run(args: &Prereq, session: &mut Session<'_>) -> Result {
    let answer = match by_agent(args, session)? {
        Some(answer) => answer,
        None => by_itself(args, session)?,
    };
    let answer = of_node(answer, args.node.as_deref())?;
    ask::print_answer(session, args.output, &answer, |answer, colour, width| {
        render::checks(&answer.checks, colour, width)
    });
    Ok(prereq::exit_status(&answer.checks))
}

/// The checks of one node only.
fn of_node(
    mut answer: PrereqAnswer,
    node: Option<&str>,
) -> std::result::Result<PrereqAnswer, Problem> {
    let Some(node) = node else {
        return Ok(answer);
    };
    let of_cluster = |check: &&Check| check.node != prereq::CLUSTER;
    let nodes = answer.checks.iter().filter(of_cluster);
    let nodes: BTreeSet<&str> = nodes.map(|check| check.node.as_str()).collect();
    if !nodes.contains(node) {
        return Err(vm_names::no_node(node, nodes));
    }
    answer.checks.retain(|check| check.node == node);
    answer.passed = answer.checks.iter().all(|check| check.passed);
    Ok(answer)
}

/// The agent's answer; none where there is no agent, or none to ask: it judges intents, and
/// not adapters by name.
fn by_agent(
    args: &Prereq,
    session: &mut Session<'_>,
) -> std::result::Result<Option<PrereqAnswer>, Problem> {
    let Some(agent) = &session.agent else {
        return Ok(None);
    };
    if !args.adapter.is_empty() {
        return Ok(None);
    }
    let intent = args.intent.as_deref();
    let asked = ask::waiting(session, "checking", || agent.prereq(intent));
    match asked {
        Ok(answer) => Ok(Some(answer)),
        Err(problem)
            if problem.code == Code::AgentUnreachable
                && !session.asks_only_the_agent()
                && args.node.is_none() =>
        {
            session.note(&format!(
                "note: no agent, so intents are not known: {}",
                problem.found
            ));
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}

/// What can be determined without an agent.
fn by_itself(args: &Prereq, session: &Session<'_>) -> std::result::Result<PrereqAnswer, Problem> {
    let node = match &session.agent {
        Some(agent) if session.asks_only_the_agent() => agent.node()?,
        _ => observe::node(&session.host),
    };
    let scope = match (&args.intent, args.adapter.as_slice()) {
        (Some(intent), _) => Scope::Intent(intent.clone()),
        (None, []) => Scope::All,
        (None, names) => Scope::Adapters(names.to_vec()),
    };
    let observed_at = node.observed_at.clone();
    let mut checks = prereq::judge(&[node], &[], &scope);
    if let Some(agent) = session
        .agent
        .as_ref()
        .filter(|_| session.asks_only_the_agent())
    {
        // What an agent shows of its node does not hold the rules of its firewall.
        let own = agent.prereq(None)?.checks;
        let rests_on_rules =
            |one: &Check| matches!(one.name, CheckName::SoftwarePath | CheckName::Platform);
        for check in checks.iter_mut().filter(|check| rests_on_rules(check)) {
            if let Some(seen) = own.iter().find(|one| one.name == check.name) {
                *check = seen.clone();
            }
        }
    }
    Ok(PrereqAnswer {
        passed: checks.iter().all(|check| check.passed),
        observed_at,
        checks,
    })
}
