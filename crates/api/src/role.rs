//! Roles of callers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The roles of callers. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = CallerRole))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads, and plans.
    Reader,
    /// Changes the settings of VMs.
    Operator,
    /// Changes everything.
    Administrator,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Role; 3] = [Role::Reader, Role::Operator, Role::Administrator];

    /// Its name, as documents have it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Operator => "operator",
            Role::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
