//! Plans and events in words.

use accelnet_api::types::{Event, EventKind, PlanAnswer};

use super::table::{Tone, painted};
use super::words::{steps, warnings};

/// What would be done now.
pub fn plan(plan: &PlanAnswer) -> String {
    let mut text = match plan.steps.as_slice() {
        [] if plan.blocked.is_empty() => {
            "Nothing is to be done: everything is as it was asked for.\n".to_owned()
        }
        [] => "Nothing can be done now.\n".to_owned(),
        some => format!("The agent would do this now:\n{}", steps(some)),
    };
    for blocked in &plan.blocked {
        text.push_str(&format!("blocked: {blocked}\n"));
    }
    text.push_str(&warnings(&plan.warnings));
    text
}

/// One event, a line.
pub fn event(event: &Event, colour: bool) -> String {
    let (kind, tone) = match event.kind {
        EventKind::Changed => ("changed", Tone::Good),
        EventKind::Refused => ("refused", Tone::Bad),
        EventKind::Drift => ("drift", Tone::Notice),
        EventKind::Mended => ("mended", Tone::Good),
        EventKind::Failed => ("failed", Tone::Bad),
        EventKind::Noticed => ("noticed", Tone::Notice),
    };
    let from = event.from.as_ref().filter(|from| !from.is_socket());
    let from = from.map(|from| format!("from {}", from.address));
    let who = match (&event.who, from) {
        (Some(who), Some(from)) => format!(" (asked by {who} {from})"),
        (Some(who), None) => format!(" (asked by {who})"),
        (None, Some(from)) => format!(" ({from})"),
        (None, None) => String::new(),
    };
    let code = match event.code {
        Some(code) => format!(" [{code}]"),
        None => String::new(),
    };
    format!(
        "{} {} {} {}: {}{code}{who}\n",
        event.at,
        event.node,
        painted(&format!("{kind:<7}"), tone, colour),
        event.subject,
        event.message
    )
}
