//! The last reports of nodes that do not report now.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_model::LastReport;

use super::link::CutOff;
use super::nodes::NodeState;
use crate::reports::Report;

/// Since when reports of other nodes are not current, by the clock of this node, because clocks of two nodes
/// are never compared.
#[derive(Default)]
pub(crate) struct LastReports {
    /// The uptime of this node when it first observed that a node is down.
    down: Mutex<BTreeMap<String, Duration>>,
}

impl LastReports {
    /// Records which nodes are down at that uptime.
    pub fn observe(&self, nodes: &[NodeState], uptime: Duration) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        let is_down = |name: &str| nodes.iter().any(|node| node.name == name && node.is_down());
        down.retain(|name, _| is_down(name));
        for node in nodes.iter().filter(|node| node.is_down()) {
            down.entry(node.name.clone()).or_insert(uptime);
        }
    }

    fn seconds_since(&self, name: &str, uptime: Duration) -> u64 {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        let since = down.get(name).copied().unwrap_or(uptime);
        uptime.saturating_sub(since).as_secs()
    }
}

/// The state of the cluster by which reports are judged.
pub(crate) struct Standpoint<'a> {
    /// This node, whose own report is current.
    pub own: &'a str,
    /// All nodes.
    pub nodes: &'a [NodeState],
    /// Why this node does not reach the store; none if it does.
    pub cut_off: Option<CutOff>,
    /// The nodes that this node observed to be down.
    pub last_reports: &'a LastReports,
    /// The clock of this node.
    pub clock: &'a dyn Clock,
}

impl Standpoint<'_> {
    /// The last reports of nodes that do not report now, by node.
    pub fn all<'a>(
        &self,
        reports: impl IntoIterator<Item = &'a Report>,
    ) -> BTreeMap<String, LastReport> {
        let last = reports.into_iter().filter_map(|report| {
            let last = self.last_report(report)?;
            Some((report.node.clone(), last))
        });
        last.collect()
    }

    /// Why the report of a node is not current; none if it is, or if the node never reported.
    pub fn last_report(&self, report: &Report) -> Option<LastReport> {
        if report.node == self.own || report.observed_at.is_empty() {
            return None;
        }
        let node = self.nodes.iter().find(|node| node.name == report.node);
        let down = node.and_then(|node| node.down_since.as_deref());
        let uptime = self.clock.uptime();
        let (seconds_ago, reason) = match (&self.cut_off, down) {
            (Some(cut_off), _) => (
                uptime.saturating_sub(cut_off.uptime).as_secs(),
                format!(
                    "{} is cut off from the store since {}",
                    self.own, cut_off.since
                ),
            ),
            (None, Some(since)) => {
                let since = match since {
                    "" => String::new(),
                    since => format!(" since {since}"),
                };
                let seconds = self.last_reports.seconds_since(&report.node, uptime);
                (seconds, format!("{} is down{since}", report.node))
            }
            (None, None) => return None,
        };
        Some(LastReport {
            at: report.observed_at.clone(),
            seconds_ago,
            reason,
        })
    }
}

#[cfg(test)]
mod tests;
