//! What the store has of a cluster itself: its nodes, their heartbeats, its observers.

use accelnet_model::NodeName;
use accelnet_store::Document;
use serde::{Deserialize, Serialize};

use super::instance::Instance;

pub(super) const MEMBERS: &str = "members/";
pub(super) const ALIVE: &str = "alive/";
pub(super) const DOWN: &str = "down/";
pub(crate) const OBSERVERS: &str = "observers/";
/// The key that a store with a cluster has.
pub(crate) const CLUSTER: &str = "cluster";
/// The key of a store to which a migration is not complete.
pub(crate) const MIGRATION: &str = "migration";
/// Prefixes of keys that depend on leases: a backup or a migration leaves them out.
const TRANSIENT: [&str; 3] = [ALIVE, DOWN, OBSERVERS];

/// Whether a key depends on a lease.
pub(super) fn is_transient(key: &str) -> bool {
    TRANSIENT.iter().any(|prefix| key.starts_with(prefix))
}

/// A node that belongs to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// When it joined, RFC 3339, UTC.
    pub joined_at: String,
    /// Version of its agent.
    pub version: String,
}

/// The heartbeat of a node, bound to the lease of its agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alive {
    /// When the agent began, RFC 3339, UTC.
    pub since: String,
    /// The agent; none of an earlier release.
    #[serde(default)]
    pub instance: Option<Instance>,
}

/// A node whose lease ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Down {
    /// When another node detected it, RFC 3339, UTC.
    pub since: String,
}

/// The node that has an observer slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Observer {
    pub(super) node: String,
}

/// The mark of a store with a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterMark {
    pub(super) at: String,
}

/// A migration that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Migration {
    /// The store that is migrated.
    pub(super) from: String,
    /// Its revision.
    pub(super) revision: u64,
}

macro_rules! documents {
    ($($name:ident = $kind:literal $(, below $prefix:ident)?;)+) => {
        $(
            impl Document for $name {
                const KIND: &'static str = $kind;
                const FORMAT: u32 = 1;

                $(
                    fn agrees(&self, key: &str) -> Result<(), String> {
                        has_node_name(key, $prefix)
                    }
                )?
            }
        )+
    };
}

documents! {
    Member = "a member of the cluster", below MEMBERS;
    Alive = "the heartbeat of a node", below ALIVE;
    Down = "a node that is down", below DOWN;
    Observer = "an observer of the nodes";
    ClusterMark = "the sign of a cluster";
    Migration = "a move of a store";
}

fn has_node_name(key: &str, prefix: &str) -> Result<(), String> {
    let name = key.strip_prefix(prefix).unwrap_or(key);
    let name: Result<NodeName, _> = name.parse();
    name.map(drop).map_err(|error| error.to_string())
}
