//! Management settings of a cluster: on or off, on which intent, with what reserve.

use serde::{Deserialize, Serialize};

use crate::performance::PerformanceSettings;

/// The share of nodes that may be down at once, in percent, by default.
pub const DEFAULT_NODE_RESERVE: u8 = 50;

/// The settings of Accelerated Networking on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Management {
    /// Whether Accelerated Networking is enabled: VMs are managed and monitored.
    pub enabled: bool,
    /// The compute intent whose VFs the VMs get; kept while Accelerated Networking is disabled.
    pub intent: Option<String>,
    /// Node reserve: the percentage of nodes that can be down at once, 0..=99.
    pub node_reserve_percentage: u8,
    /// Values of the performance settings.
    #[serde(default)]
    pub performance: PerformanceSettings,
}

impl Default for Management {
    fn default() -> Self {
        Management {
            enabled: false,
            intent: None,
            node_reserve_percentage: DEFAULT_NODE_RESERVE,
            performance: PerformanceSettings::default(),
        }
    }
}
