//! Performance settings: what Low, Medium and High stand for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The performance setting of an accelerated VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Performance {
    /// The least.
    Low,
    /// Between.
    Medium,
    /// The most.
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

/// The text is not a performance setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of Low, Medium and High")]
pub struct NotAPerformance(pub String);

impl FromStr for Performance {
    type Err = NotAPerformance;

    /// Reads a setting, in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Performance::ALL
            .into_iter()
            .find(|setting| setting.to_string().eq_ignore_ascii_case(text))
            .ok_or_else(|| NotAPerformance(text.to_owned()))
    }
}

/// Values of one performance setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PerformanceSetting {
    /// Queue pairs of the VF, 1..=64.
    pub queue_pairs: u32,
    /// Rate limit of the VF in percent of the adapter's transmit rate, 1..=100; 100 is no limit.
    pub rate_limit_percent: u32,
}

/// Values of the performance settings of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PerformanceSettings {
    /// Values of Low.
    pub low: PerformanceSetting,
    /// Values of Medium.
    pub medium: PerformanceSetting,
    /// Values of High.
    pub high: PerformanceSetting,
}

impl Default for PerformanceSettings {
    /// 1, 2 and 4 queue pairs with rate limits of 10, 50 and 100 %.
    fn default() -> Self {
        let figure = |queue_pairs, rate_limit_percent| PerformanceSetting {
            queue_pairs,
            rate_limit_percent,
        };
        PerformanceSettings {
            low: figure(1, 10),
            medium: figure(2, 50),
            high: figure(4, 100),
        }
    }
}

impl PerformanceSettings {
    /// Values of `setting`.
    pub fn of(&self, setting: Performance) -> PerformanceSetting {
        match setting {
            Performance::Low => self.low,
            Performance::Medium => self.medium,
            Performance::High => self.high,
        }
    }
}
