//! The virtual switch that is requested.

/// The virtual switch of a compute intent on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredSwitch {
    /// Name of its bridge, unless an existing one has the adapter already.
    pub bridge: String,
    /// Its adapters on this node by the names of their links, the preferred uplink first.
    pub uplinks: Vec<String>,
    /// The bridge that these adapters had for it until now, which VMs may be on.
    pub had: Option<String>,
}
