//! A setting of the kernel for one link.

use serde::{Deserialize, Serialize};

/// A per-link setting of the kernel (`Documentation/networking/ip-sysctl.rst`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// `ipv4/rp_filter` for `/proc/sys/net/ipv4/conf/LINK/rp_filter`.
    pub name: String,
    /// As the kernel writes it, without white space around it.
    pub value: String,
}
