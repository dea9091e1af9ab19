//! Which adapters are checked.

/// The node of checks that compare all nodes.
pub const CLUSTER: &str = "cluster";

/// Which adapters are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every adapter of every node.
    All,
    /// The adapters with these names.
    Adapters(Vec<String>),
    /// The adapters of the intent with this name.
    Intent(String),
}
