//! A node as it was seen at one moment.

use serde::{Deserialize, Serialize};

use crate::{Adapter, Domain, Observed, Platform};

/// A snapshot of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Node {
    /// Host name.
    pub name: Observed<String>,
    /// Time of the snapshot, RFC 3339, UTC.
    pub observed_at: String,
    /// Whether it is a copy (`--root`), which holds no libvirt, QEMU or hook.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_copy: bool,
    /// Machine and software.
    pub platform: Platform,
    /// Network adapters, by PCI address.
    pub adapters: Observed<Vec<Adapter>>,
    /// VMs, by name.
    pub domains: Observed<Vec<Domain>>,
    /// Everything that could not be read, with the reason. The corresponding fields are unknown.
    pub unreadable: Vec<Unreadable>,
}

impl Node {
    /// A node of which nothing is known yet, for one `reason`.
    pub fn unseen(name: &str, now: &str, reason: &str) -> Self {
        Node {
            name: Observed::Known(name.to_owned()),
            observed_at: now.to_owned(),
            is_copy: false,
            platform: Platform::unknown(reason),
            adapters: Observed::unknown(reason),
            domains: Observed::unknown(reason),
            unreadable: Vec::new(),
        }
    }

    /// The name, or a word for a node without one.
    pub fn display_name(&self) -> &str {
        self.name.known().map_or("this node", String::as_str)
    }
}

/// A file, device or setting that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Unreadable {
    /// The file, device or setting that could not be read.
    pub subject: String,
    /// The reason.
    pub reason: String,
}
