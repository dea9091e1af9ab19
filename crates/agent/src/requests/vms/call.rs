//! A request for VMs that is under way.

use crate::requester::Requester;

/// What a request covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The VMs of this node.
    ThisNode,
    /// The VMs of all nodes, of which those of others are changed there.
    Cluster,
}

/// A request that is under way.
pub(crate) struct Call<'a> {
    pub who: &'a Requester,
    pub names: &'a [String],
    pub scope: Scope,
    pub dry_run: bool,
    /// Something was decided, so that the store has the request.
    pub decided: bool,
}
