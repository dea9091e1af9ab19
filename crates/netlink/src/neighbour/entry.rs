//! An entry of the neighbour table.

use std::net::IpAddr;

use accelnet_model::Mac;

/// The kernel's state of a neighbour (`NUD_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeighbourState {
    /// Asked for the first time.
    Incomplete,
    /// It has answered lately.
    Reachable,
    /// It has answered once.
    Stale,
    /// It is asked soon.
    Delay,
    /// It is asked again.
    Probe,
    /// It did not answer.
    Failed,
    /// The link has no such question.
    NoArp,
    /// Fixed by an administrator.
    Permanent,
    /// None of these.
    None,
}

/// An entry of the neighbour table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighbourEntry {
    /// Its address.
    pub ip: IpAddr,
    /// Its MAC, where it is known and is one.
    pub mac: Option<Mac>,
    /// What is known of it.
    pub state: NeighbourState,
}
