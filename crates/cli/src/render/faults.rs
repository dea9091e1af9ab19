//! Health in words.

use accelnet_api::types::{Fault, Severity, Status};
use serde::{Deserialize, Serialize};

use super::last_reports;
use super::problem::{labelled, sentence};
use super::table::{Tone, painted};
use super::words::count;

/// Whether all is well. Its JSON is part of the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Health {
    /// Whether nothing is wrong that is an error.
    pub healthy: bool,
    /// Whether VMs are monitored: management is enabled.
    pub monitored: bool,
    /// Faults that are errors.
    pub errors: u32,
    /// Faults that are warnings.
    pub warnings: u32,
    /// All of them.
    pub faults: Vec<Fault>,
}

impl Health {
    /// What `status` reports about it.
    pub fn of(status: &Status) -> Self {
        let count = |severity| {
            let has = status
                .faults
                .iter()
                .filter(|fault| fault.severity == severity);
            u32::try_from(has.count()).unwrap_or(u32::MAX)
        };
        let errors = count(Severity::Error);
        Health {
            healthy: errors == 0,
            monitored: status.enabled,
            errors,
            warnings: count(Severity::Warning),
            faults: status.faults.clone(),
        }
    }
}

/// The whole of it.
pub fn health(health: &Health, colour: bool, _width: Option<u16>) -> String {
    let mut text = match (health.errors, health.warnings) {
        (0, 0) => format!("{}\n", painted("Healthy.", Tone::Good, colour)),
        (0, warnings) => {
            let words = format!("Healthy, with {}.", count(warnings, "warning"));
            format!("{}\n", painted(&words, Tone::Notice, colour))
        }
        (errors, warnings) => {
            let (errors, warnings) = (count(errors, "error"), count(warnings, "warning"));
            let words = format!("Not healthy: {errors}, {warnings}.");
            format!("{}\n", painted(&words, Tone::Bad, colour))
        }
    };
    if !health.monitored {
        text.push_str("Accelerated Networking is not enabled, so its VMs are not monitored.\n");
    }
    if !health.faults.is_empty() {
        text.push_str(&faults(&health.faults, colour));
    }
    text
}

/// Each fault, with what to do.
pub fn faults(faults: &[Fault], colour: bool) -> String {
    if faults.is_empty() {
        return "No faults.\n".to_owned();
    }
    let mut text = String::new();
    for fault in faults {
        let word = match fault.severity {
            Severity::Error => "error:",
            Severity::Warning => "warning:",
        };
        let what = format!("{} [{}]", sentence(fault.code, &fault.message), fault.code);
        let (node, _) = last_reports::cell(&fault.node, fault.last_report.as_ref());
        let details = [
            (
                "subject",
                match fault.subject == fault.node {
                    true => node,
                    false => format!("{} on {node}", fault.subject),
                },
            ),
            ("since", fault.since.clone()),
            ("cause", fault.found.clone()),
            ("detail", fault.cause.clone().unwrap_or_default()),
            ("hint", fault.resolution.clone()),
        ];
        text.push_str(&labelled(word, &what, &details, colour));
    }
    let of = faults
        .iter()
        .map(|one| (&*one.node, one.last_report.as_ref()));
    text.push_str(&last_reports::notes(of));
    text
}
