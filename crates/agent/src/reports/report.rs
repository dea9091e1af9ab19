//! The report of a node.

use accelnet_api::types::{AdapterUse, Fault, VmView};
use accelnet_model::intent::IntentStatus;
use accelnet_model::{AdapterSummary, Check, Mac, NodeName, Observed};
use accelnet_rules::prereq::{IntentAdapter, PeerIntent, PeerReport};
use accelnet_store::{Document, MAX_TXN_BYTES, renamed};
use serde::{Deserialize, Serialize};

pub(crate) const REPORTS: &str = "reports/";

/// The report of one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The node.
    pub node: String,
    /// When it was observed, RFC 3339, UTC.
    pub observed_at: String,
    /// Whether hyperthreading is on; none if that is unknown.
    pub smt: Option<bool>,
    /// VFs and queue pairs of the adapters of compute intents.
    pub adapters: Vec<AdapterUse>,
    /// Summaries of all network adapters.
    #[serde(default = "not_reported")]
    pub all_adapters: Observed<Vec<AdapterSummary>>,
    /// Its intents.
    pub intents: Vec<IntentStatus>,
    /// Its VMs.
    pub vms: Vec<VmView>,
    /// Why its VMs are unknown, a fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vms_unknown: Option<String>,
    /// MACs in use, each with its user.
    pub macs: Vec<(Mac, String)>,
    /// Its faults.
    pub faults: Vec<Fault>,
    /// Revision of the settings of Accelerated Networking that the node applied; none from an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_revision: Option<u64>,
    /// The prerequisite checks of this machine and its adapters.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// The adapters of intents, for a comparison with those of other nodes.
    #[serde(default)]
    pub hardware: Vec<Hardware>,
    /// Names of the parts with its VMs, MACs and faults, if it is too long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<String>,
}

/// In a report of an earlier release.
fn not_reported() -> Observed<Vec<AdapterSummary>> {
    Observed::unknown("its agent is of an earlier release, which does not report them")
}

/// An adapter of an intent, for a comparison with those of other nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// The intent.
    pub intent: String,
    /// Name of the adapter.
    pub adapter: String,
    /// Vendor and model.
    pub model: String,
    /// Speed of its link, in Mb/s; none without a link.
    pub speed_mbps: Option<u32>,
    /// The highest number of queue pairs of a VF; none if that is unknown.
    pub most_queue_pairs: Option<u32>,
}

impl Hardware {
    pub(crate) fn of(adapter: IntentAdapter) -> Self {
        Hardware {
            intent: adapter.intent,
            adapter: adapter.adapter,
            model: adapter.model,
            speed_mbps: adapter.speed_mbps,
            most_queue_pairs: adapter.most_queue_pairs,
        }
    }

    fn as_rule(&self) -> IntentAdapter {
        IntentAdapter {
            intent: self.intent.clone(),
            adapter: self.adapter.clone(),
            model: self.model.clone(),
            speed_mbps: self.speed_mbps,
            most_queue_pairs: self.most_queue_pairs,
        }
    }
}

impl Document for Report {
    const KIND: &'static str = "the report of a node";
    const FORMAT: u32 = 2;
    const MOST_BYTES: usize = MAX_TXN_BYTES;

    fn agrees(&self, key: &str) -> Result<(), String> {
        let name = key.strip_prefix(REPORTS).unwrap_or(key);
        let name: NodeName = name.parse().map_err(|error| format!("{error}"))?;
        match name == self.node {
            true => Ok(()),
            false => Err(format!("it is about {:?}", self.node)),
        }
    }

    fn upgrade(format: u32, value: serde_json::Value) -> Option<serde_json::Value> {
        (format == 1).then(|| renamed(value, crate::renamed::REPORT))
    }
}

impl Report {
    /// The report of a node that was not observed yet.
    pub fn empty(node: &str, now: &str) -> Self {
        Report {
            node: node.to_owned(),
            observed_at: now.to_owned(),
            smt: None,
            adapters: Vec::new(),
            all_adapters: Observed::unknown("the node has not reported them"),
            intents: Vec::new(),
            vms: Vec::new(),
            vms_unknown: None,
            macs: Vec::new(),
            faults: Vec::new(),
            settings_revision: None,
            checks: Vec::new(),
            hardware: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The report of a node whose VMs are unknown, because of `reason`.
    pub(crate) fn unobserved(node: &str, now: &str, reason: &str) -> Self {
        Report {
            vms_unknown: Some(reason.to_owned()),
            ..Report::empty(node, now)
        }
    }

    /// What the prerequisite checks of another node need.
    pub(crate) fn as_peer(&self) -> PeerReport {
        PeerReport {
            smt: self.smt,
            checks: self.checks.clone(),
            intents: self.intents.iter().map(as_peer_intent).collect(),
            adapters: self.hardware.iter().map(Hardware::as_rule).collect(),
        }
    }

    /// Whether two reports are the same but for the times of observation.
    pub(super) fn is_same(&self, other: &Report) -> bool {
        let timeless = |report: &Report| {
            let mut report = report.clone();
            report.observed_at.clear();
            for status in &mut report.intents {
                status.verified_at = None;
            }
            report
        };
        timeless(self) == timeless(other)
    }
}

fn as_peer_intent(status: &IntentStatus) -> PeerIntent {
    PeerIntent {
        name: status.intent.clone(),
        problem: status.problem.clone(),
    }
}
