//! Plans and events in words.

use accelnet_api::types::{Event, EventKind, PlanAnswer};

use super::table::{Tone, painted};
use super::words::{named, steps, warnings};

/// What would be done now.
pub fn plan(plan: &PlanAnswer) -> String {
    let mut text = match plan.steps.as_slice() {
        [] if plan.blocked.is_empty() => "No steps: the node has the requested state.\n".to_owned(),
        [] => "No step is possible now.\n".to_owned(),
        some => format!(
            "The agent's next reconcile runs these steps:\n{}",
            steps(some)
        ),
    };
    for blocked in &plan.blocked {
        text.push_str(&format!("blocked: {blocked}\n"));
    }
    text.push_str(&warnings(&plan.warnings));
    text
}

/// One event: a line, and one for each outcome of a request for several subjects.
pub fn event(event: &Event, colour: bool) -> String {
    let (kind, tone) = match event.kind {
        EventKind::Changed => ("changed", Tone::Good),
        EventKind::Refused => ("refused", Tone::Bad),
        EventKind::Drift => ("drift", Tone::Notice),
        EventKind::Repaired => ("repaired", Tone::Good),
        EventKind::Failed => ("failed", Tone::Bad),
        EventKind::Noticed => ("noticed", Tone::Notice),
    };
    let origin = event.origin.as_ref();
    let from = origin.filter(|from| !from.is_socket());
    let from = from.map(|from| format!("from {}", from.address));
    let via = origin.and_then(|from| from.node.as_ref());
    let via = via.map(|node| format!("via {node}"));
    let who = event.user.as_ref().map(|who| format!("asked by {who}"));
    let who: Vec<String> = [who, from, via].into_iter().flatten().collect();
    let who = match who.as_slice() {
        [] => String::new(),
        who => format!(" ({})", who.join(" ")),
    };
    let code = match event.code {
        Some(code) => format!(" [{code}]"),
        None => String::new(),
    };
    let mut text = format!(
        "{} {} {} {}{code}{who}\n",
        event.at,
        event.node,
        painted(&format!("{kind:<8}"), tone, colour),
        named(&event.subject, &event.message)
    );
    for one in &event.outcomes {
        text.push_str(&format!("  {}", named(&one.subject, &one.message)));
        if let Some(code) = one.code {
            text.push_str(&format!(" [{code}]"));
        }
        text.push('\n');
    }
    if event.omitted_outcomes > 0 {
        text.push_str(&format!("  and {} more\n", event.omitted_outcomes));
    }
    text
}
