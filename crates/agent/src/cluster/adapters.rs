//! The network adapters of all nodes, as any node shows them.

use std::sync::Arc;

use accelnet_model::{AdapterSummary, Code, Problem};

use super::last_reports::Standpoint;
use crate::reports::Report;

/// The problem of a node whose adapters are unknown.
pub(crate) fn unknown(node: &str, reason: &str) -> Problem {
    let names = [&format!("The list of adapters of {node}"), "/sys/bus/pci"];
    Problem::new(Code::NotReadable, &names, reason)
}

/// The adapters in `reports`; those of nodes that do not report now are marked.
pub(crate) fn of_reports(reports: &[Arc<Report>], from: &Standpoint<'_>) -> Vec<AdapterSummary> {
    let of = |report: &Arc<Report>| {
        let last_report = from.last_report(report);
        let adapters = report.all_adapters.known().into_iter().flatten();
        let marked = adapters.map(|adapter| AdapterSummary {
            last_report: last_report.clone(),
            ..adapter.clone()
        });
        marked.collect::<Vec<_>>()
    };
    reports.iter().flat_map(of).collect()
}
