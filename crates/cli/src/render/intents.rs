//! Intents in words.

use accelnet_api::types::{IntentChanged, IntentView};
use accelnet_model::intent::{IntentState, IntentStatus, Role};
use accelnet_model::vf_security::OnOff;

use super::last_reports;
use super::shared::{Refused, problems_of};
use super::table::{Table, Tone, painted, pairs};
use super::words::{count, steps, warnings};

/// A line each.
pub fn intents(views: &[IntentView], colour: bool, width: Option<u16>) -> String {
    if views.is_empty() {
        return "No intents. 'accelnet intent add NAME --compute --adapter ADAPTER' declares one.\n"
            .to_owned();
    }
    let heading = ["INTENT", "ROLES", "VFS", "STATUS", "ADAPTERS"];
    let mut table = Table::new(&heading, colour, width);
    for view in views {
        let intent = &view.intent;
        let (status, tone) = summary(&view.status);
        table.toned([
            (intent.name.to_string(), Tone::Plain),
            (roles(&intent.roles), Tone::Plain),
            (asked(intent.vfs), Tone::Plain),
            (status, tone),
            (intent.adapters.join(", "), Tone::Plain),
        ]);
    }
    table.text()
}

fn roles(roles: &[Role]) -> String {
    let roles: Vec<String> = roles.iter().map(Role::to_string).collect();
    roles.join(", ")
}

fn asked(vfs: Option<u32>) -> String {
    vfs.map_or_else(|| "all".to_owned(), |vfs| vfs.to_string())
}

/// The worst state, and how many nodes have it where not all do.
fn summary(status: &[IntentStatus]) -> (String, Tone) {
    let worst = [
        IntentState::Failed,
        IntentState::Applying,
        IntentState::Pending,
        IntentState::Completed,
    ]
    .into_iter()
    .find(|state| status.iter().any(|one| one.state == *state));
    let Some(worst) = worst else {
        return ("on no node".to_owned(), Tone::Notice);
    };
    let has = status.iter().filter(|one| one.state == worst).count();
    let text = match has == status.len() {
        true => worst.to_string(),
        false => format!("{worst} on {has} of {} nodes", status.len()),
    };
    (text, tone(worst))
}

fn tone(state: IntentState) -> Tone {
    match state {
        IntentState::Completed => Tone::Good,
        IntentState::Failed => Tone::Bad,
        IntentState::Pending | IntentState::Applying => Tone::Notice,
    }
}

/// One, whole.
pub fn intent(view: &IntentView, colour: bool, width: Option<u16>) -> String {
    let intent = &view.intent;
    let mut lines = vec![
        ("roles", roles(&intent.roles)),
        ("adapters", intent.adapters.join(", ")),
    ];
    if intent.is_compute() {
        lines.push(("VFs", format!("{} of each adapter", asked(intent.vfs))));
        let security = intent.security;
        lines.push(("trust", OnOff(security.trust).to_string()));
        lines.push(("spoof check", OnOff(security.spoof_check).to_string()));
        lines.push(("switch", format!("libvirt network {}", view.switch_network)));
        lines.push(("pool", format!("libvirt network {}", view.pool_network)));
    }
    format!(
        "{}\n{}\n{}",
        painted(&intent.name, Tone::Plain, colour),
        pairs(&lines),
        intent_status(&view.status, colour, width)
    )
}

/// How far intents are, by node.
pub fn intent_status(status: &[IntentStatus], colour: bool, width: Option<u16>) -> String {
    if status.is_empty() {
        return "No intent is applied on any node yet.\n".to_owned();
    }
    let heading = [
        "NODE", "INTENT", "STATUS", "BRIDGE", "VFS", "SINCE", "VERIFIED",
    ];
    let mut table = Table::new(&heading, colour, width);
    for one in status {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        table.toned([
            last_reports::cell(&one.node, one.last_report.as_ref()),
            (one.intent.clone(), Tone::Plain),
            (one.state.to_string(), tone(one.state)),
            (or_dash(&one.bridge), Tone::Plain),
            (one.vfs.to_string(), Tone::Plain),
            (one.since.clone(), Tone::Plain),
            (or_dash(&one.verified_at), Tone::Plain),
        ]);
    }
    let mut text = table.text();
    let of = status
        .iter()
        .map(|one| (&*one.node, one.last_report.as_ref()));
    text.push_str(&last_reports::notes(of));
    let subjects: Vec<String> = status
        .iter()
        .map(|one| format!("{} on {}", one.intent, one.node))
        .collect();
    let refused = status.iter().zip(&subjects).flat_map(|(one, subject)| {
        one.problems().map(|problem| Refused {
            name: &one.node,
            subject,
            problem,
        })
    });
    let problems = problems_of(refused, colour);
    if !problems.is_empty() {
        text.push_str(&format!("\n{problems}"));
    }
    text.push_str(&shared_warnings(status, &subjects));
    text
}

/// The warnings, each once with all that it is about.
fn shared_warnings(status: &[IntentStatus], subjects: &[String]) -> String {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for (one, subject) in status.iter().zip(subjects) {
        for warning in &one.warnings {
            match all.iter_mut().find(|(text, _)| text == warning) {
                Some((_, subjects)) => subjects.push(subject),
                None => all.push((warning, vec![subject])),
            }
        }
    }
    let line = |(warning, subjects): &(&str, Vec<&str>)| {
        format!("warning: {}: {warning}\n", subjects.join(", "))
    };
    all.iter().map(line).collect()
}

/// The nodes that have not applied an intent yet; empty without any.
fn under_way(status: &[IntentStatus]) -> String {
    let is_under_way =
        |one: &&IntentStatus| matches!(one.state, IntentState::Pending | IntentState::Applying);
    let nodes: Vec<&str> = status
        .iter()
        .filter(is_under_way)
        .map(|one| one.node.as_str())
        .collect();
    not_applied_yet(&nodes)
}

/// The nodes that have not applied a change yet; empty without any.
pub fn not_applied_yet(nodes: &[&str]) -> String {
    match nodes.is_empty() {
        true => String::new(),
        false => format!(
            "Not applied yet on {}; --wait waits for all nodes.\n",
            nodes.join(", ")
        ),
    }
}

/// What a change of the intent called `name` came to.
pub fn intent_changed(name: &str, changed: &IntentChanged) -> String {
    let mut text = match (&changed.intent, changed.applied) {
        (Some(view), true) => {
            let vfs: u32 = view.status.iter().map(|one| one.vfs).sum();
            let (status, _) = summary(&view.status);
            let status = match changed.unchanged {
                true => format!("unchanged: {status}"),
                false => status,
            };
            match view.intent.is_compute() {
                true => format!("Intent {name} is {status}, with {}.\n", count(vfs, "VF")),
                false => format!("Intent {name} is {status}.\n"),
            }
        }
        (None, true) => format!("Intent {name} is removed.\n"),
        (_, false) => format!("Intent {name}, dry run:\n"),
    };
    if let (Some(view), true) = (&changed.intent, changed.applied) {
        text.push_str(&under_way(&view.status));
    }
    if !changed.applied {
        text.push_str(&match changed.steps.as_slice() {
            [] => "  no change\n".to_owned(),
            some => steps(some),
        });
    }
    text.push_str(&warnings(&changed.warnings));
    text
}

#[cfg(test)]
mod tests;
