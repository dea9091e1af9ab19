//! Management settings of a cluster: on or off, on which intent, with what reserve.

use serde::{Deserialize, Serialize};

use crate::performance::PerformanceSettings;

/// The share of nodes that may be down at once, in percent, when nothing else is said.
pub const DEFAULT_NODE_RESERVE: u8 = 50;

/// What administrators set for a whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Management {
    /// Whether VMs are managed and watched.
    pub enabled: bool,
    /// The compute intent that VMs get their VFs from; kept while disabled.
    pub intent: Option<String>,
    /// The share of nodes that may be down at once, in percent, 0..=99.
    pub node_reserve_percentage: u8,
    /// What the performance settings stand for.
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
