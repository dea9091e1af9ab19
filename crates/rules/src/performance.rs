//! Performance settings: what Low, Medium and High stand for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an accelerated VM gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Performance {
    /// 1 queue pair.
    Low,
    /// 2 queue pairs.
    Medium,
    /// 4 queue pairs.
    High,
}

impl Performance {
    /// All settings, least first.
    pub const ALL: [Performance; 3] = [Performance::Low, Performance::Medium, Performance::High];

    /// vCPUs that a VM needs at least, by whether SMT is on for the cluster.
    pub fn minimum_vcpus(self, smt: bool) -> u32 {
        match (self, smt) {
            (Performance::Low | Performance::Medium, false) => 2,
            (Performance::High, _) | (_, true) => 4,
        }
    }

    /// Queue pairs of the VF, unless the cluster has other figures.
    pub fn queue_pairs(self) -> u32 {
        match self {
            Performance::Low => 1,
            Performance::Medium => 2,
            Performance::High => 4,
        }
    }
}

impl fmt::Display for Performance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Performance::Low => "Low",
            Performance::Medium => "Medium",
            Performance::High => "High",
        })
    }
}
