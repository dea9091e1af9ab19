//! A change of the cluster's settings in words.

use accelnet_api::types::ManagementChanged;

use super::status::performance_settings;
use super::table::pairs;
use super::words::{steps, warnings};

/// The state after the change, or after the change that a dry run describes.
pub fn management_changed(changed: &ManagementChanged) -> String {
    let management = &changed.management;
    let intent = management.intent.as_deref().unwrap_or("none");
    let previous = changed.previous.as_ref();
    let unchanged = previous == Some(management);
    let was_enabled = previous.is_some_and(|previous| previous.enabled);
    let state = match (management.enabled, changed.applied) {
        (true, _) if unchanged => "Accelerated Networking is already enabled. Nothing changed.",
        (false, _) if unchanged => "Accelerated Networking is already disabled. Nothing changed.",
        (true, true) if was_enabled => "The settings of Accelerated Networking are changed.",
        (true, false) if was_enabled => {
            "The settings of Accelerated Networking would be changed (dry run)."
        }
        (true, true) => "Accelerated Networking is enabled.",
        (false, true) => "Accelerated Networking is disabled.",
        (true, false) => "Accelerated Networking would be enabled (dry run).",
        (false, false) => "Accelerated Networking would be disabled (dry run).",
    };
    let mut text = format!("{state}\n");
    if management.enabled {
        let mut lines = vec![
            ("intent", intent.to_owned()),
            ("node reserve", reserve(changed)),
        ];
        lines.extend(performance_settings(&management.performance));
        text.push_str(&pairs(&lines));
    }
    if !changed.applied {
        text.push_str(&steps(&changed.steps));
    }
    text.push_str(&warnings(&changed.warnings));
    text
}

/// The node reserve, and what it was where it was set before.
fn reserve(changed: &ManagementChanged) -> String {
    let now = changed.management.node_reserve_percentage;
    let before = changed.previous.as_ref();
    match before.filter(|before| before.intent.is_some()) {
        None => format!("{now} %"),
        Some(before) if before.node_reserve_percentage == now => format!("{now} % (unchanged)"),
        Some(before) => format!("{} % -> {now} %", before.node_reserve_percentage),
    }
}
