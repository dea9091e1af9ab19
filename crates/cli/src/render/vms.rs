//! VMs in words.

use accelnet_api::types::{Destination, Path, State, VmResult, VmView, VnicView};
use accelnet_model::Mac;
use accelnet_model::domain::DomainState;
use accelnet_model::vf_security::OnOff;

use super::last_reports;
use super::table::{Table, Tone, painted, pairs};
use super::words::{named, names, steps};

/// A line each.
pub fn vms(vms: &[&VmView], colour: bool, width: Option<u16>) -> String {
    if vms.is_empty() {
        return "No VMs.\n".to_owned();
    }
    let heading = [
        "NODE",
        "VM",
        "STATE",
        "VCPUS",
        "PERFORMANCE",
        "ACCELERATION",
        "TRAFFIC PATH",
    ];
    let mut table = Table::new(&heading, colour, width);
    for vm in vms {
        let (state, tone) = acceleration(vm.acceleration);
        table.toned([
            last_reports::cell(&vm.node, vm.last_report.as_ref()),
            (vm.name.clone(), Tone::Plain),
            (domain(vm.state).to_owned(), Tone::Plain),
            (vm.vcpus.to_string(), Tone::Plain),
            (
                vm.performance
                    .map_or_else(|| "-".to_owned(), |setting| setting.to_string()),
                Tone::Plain,
            ),
            (state.to_owned(), tone),
            (path(vm.path).to_owned(), Tone::Plain),
        ]);
    }
    let of = vms.iter().map(|vm| (&*vm.node, vm.last_report.as_ref()));
    format!("{}{}", table.text(), last_reports::notes(of))
}

/// One, whole.
pub fn vm(vm: &VmView, colour: bool, width: Option<u16>) -> String {
    let (state, tone) = acceleration(vm.acceleration);
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    let mut text = format!("{}\n", painted(&vm.name, Tone::Plain, colour));
    if let Some(last) = &vm.last_report {
        text.push_str(&last_reports::note(&vm.node, last));
    }
    let mut lines = vec![
        ("UUID", vm.uuid.to_string()),
        ("node", vm.node.clone()),
        ("state", domain(vm.state).to_owned()),
        ("vCPUs", vm.vcpus.to_string()),
        ("acceleration", painted_unless_plain(state, tone, colour)),
        (
            "performance",
            or_none(vm.performance.map(|setting| setting.to_string())),
        ),
        ("traffic path", path(vm.path).to_owned()),
    ];
    if let Some(vf) = vm.vf {
        let of = vm.adapter.as_deref().unwrap_or("an unknown adapter");
        lines.push(("VF", format!("{vf} of {of}")));
    }
    if let Some(security) = vm.security {
        lines.push(("trust", OnOff(security.trust).to_string()));
        lines.push(("spoof check", OnOff(security.spoof_check).to_string()));
    }
    text.push_str(&pairs(&lines));
    text.push('\n');
    text.push_str(&table(&vm.vnics, colour, width));
    if !vm.vnic_settings.is_empty() {
        text.push_str("\nSettings of its vNIC\n");
        for line in &vm.vnic_settings {
            text.push_str(&format!("  {line}\n"));
        }
    }
    if !vm.verified.is_empty() {
        text.push_str("\nChecks\n");
        for one in &vm.verified {
            let (word, tone) = match one.ok {
                Some(true) => ("ok", Tone::Good),
                Some(false) => ("failed", Tone::Bad),
                None => ("unknown", Tone::Notice),
            };
            let word = painted_unless_plain(word, tone, colour);
            text.push_str(&format!("  {}: {word}; {}\n", one.check, one.detail));
        }
    }
    if !vm.destinations.is_empty() {
        text.push_str("\nLive migration\n");
        text.push_str(&destinations(&vm.destinations, colour, width));
    }
    for condition in &vm.conditions {
        text.push_str(&format!("note: {condition}\n"));
    }
    text
}

/// Where it can move to.
fn destinations(all: &[Destination], colour: bool, width: Option<u16>) -> String {
    let mut table = Table::new(&["NODE", "CAN MIGRATE", "REASON"], colour, width);
    for one in all {
        let (word, tone) = match (one.can_migrate, one.path) {
            (true, Some(Path::Software)) => ("without VF", Tone::Notice),
            (true, _) => ("yes", Tone::Good),
            (false, _) => ("no", Tone::Bad),
        };
        table.toned([
            (one.node.clone(), Tone::Plain),
            (word.to_owned(), tone),
            (one.reason.clone(), Tone::Plain),
        ]);
    }
    table.text()
}

/// The vNICs of one.
pub fn vnics(vm: &VmView, colour: bool, width: Option<u16>) -> String {
    let last = vm.last_report.as_ref();
    let note = last.map(|last| last_reports::note(&vm.node, last));
    format!(
        "{}\n{}{}",
        painted(&vm.name, Tone::Plain, colour),
        note.unwrap_or_default(),
        table(&vm.vnics, colour, width)
    )
}

fn table(vnics: &[VnicView], colour: bool, width: Option<u16>) -> String {
    if vnics.is_empty() {
        return "No vNICs.\n".to_owned();
    }
    let heading = ["MAC", "MODEL", "SOURCE", "INTENT SWITCH", "ROLE"];
    let mut table = Table::new(&heading, colour, width);
    for vnic in vnics {
        table.row([
            vnic.mac
                .as_ref()
                .map_or_else(|| "-".to_owned(), Mac::to_string),
            vnic.model.clone(),
            vnic.source.clone().unwrap_or_else(|| "-".to_owned()),
            if vnic.on_intent_switch { "yes" } else { "no" }.to_owned(),
            vnic.role.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    table.text()
}

/// What came of a change that went well, or would.
pub fn vm_result(result: &VmResult, with_node: bool, dry_run: bool, colour: bool) -> String {
    let dry = dry_run.then(|| "dry run".to_owned());
    let node = result.node.as_ref().filter(|_| with_node);
    let of = match (names(&result.message, &result.name), node) {
        (true, node) => node.cloned(),
        (false, None) => Some(result.name.clone()),
        (false, Some(node)) => Some(format!("{} on {node}", result.name)),
    };
    let before: Vec<String> = of.into_iter().chain(dry).collect();
    let mut text = match before.as_slice() {
        [] => format!("{}\n", result.message),
        before => format!("{}: {}\n", before.join(", "), result.message),
    };
    if dry_run {
        text.push_str(&steps(&result.steps));
    }
    for warning in &result.warnings {
        text.push_str(&super::problem::warning(warning, colour));
    }
    text
}

/// VMs that need no change, in one line; `state` is what they are.
pub fn vms_unchanged(results: &[&VmResult], state: &str) -> String {
    match results {
        [] => String::new(),
        [only] => format!("{} Nothing changed.\n", named(&only.name, &only.message)),
        several => {
            let names: Vec<&str> = several.iter().map(|one| one.name.as_str()).collect();
            format!(
                "{} VMs are {state}; nothing changed: {}.\n",
                names.len(),
                names.join(", ")
            )
        }
    }
}

fn painted_unless_plain(text: &str, tone: Tone, colour: bool) -> String {
    match tone {
        Tone::Plain => text.to_owned(),
        tone => painted(text, tone, colour),
    }
}

/// The state of a VM in words.
pub fn domain(state: DomainState) -> &'static str {
    match state {
        DomainState::Running => "running",
        DomainState::Paused => "paused",
        DomainState::Suspended => "suspended",
        DomainState::ShutOff => "shut off",
        DomainState::Crashed => "crashed",
        DomainState::Unknown => "unknown",
    }
}

fn path(path: Path) -> &'static str {
    match path {
        Path::Vf => "VF",
        Path::Software => "software path",
        Path::NotRunning => "-",
        Path::Unknown => "unknown",
    }
}

fn acceleration(state: State) -> (&'static str, Tone) {
    match state {
        State::NotAccelerated => ("no", Tone::Plain),
        State::Changing => ("changing", Tone::Notice),
        State::Accelerated => ("yes", Tone::Good),
        State::WaitsForRestart => ("at next start", Tone::Notice),
        State::Degraded => ("degraded", Tone::Bad),
        State::Unmanaged => ("unmanaged", Tone::Notice),
        State::Gone => ("gone", Tone::Bad),
    }
}
