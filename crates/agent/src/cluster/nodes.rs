//! The nodes of a cluster: who belongs to it, who is up, and who is drained.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accelnet_api::types::{NodeView, Standing};
use accelnet_model::{NodeName, Problem};
use accelnet_store::{
    Commit, Document, Documents, Json, LeaseId, Store, StoreError, Stored, Txn, Unreadable,
};
use serde::{Deserialize, Serialize};

use super::adapters;
use super::instance::Instance;
use super::liveness::LEASE;
use crate::core::settle::vms_unknown;
use crate::policy::{Policy, store_failed};
use crate::report::Report;
use crate::unread::Unread;

pub(super) const MEMBERS: &str = "members/";
pub(super) const ALIVE: &str = "alive/";
pub(super) const DOWN: &str = "down/";

/// A node that belongs to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// When it joined, RFC 3339, UTC.
    pub joined_at: String,
    /// Version of its agent.
    pub version: String,
}

/// What goes with the lease of a running agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    /// When the agent began, RFC 3339, UTC.
    pub since: String,
    /// Which agent it is; none of an earlier release.
    #[serde(default)]
    pub instance: Option<Instance>,
}

/// What came of sending a heartbeat.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Risen {
    /// It is there.
    Yes,
    /// Another live agent has the name.
    Taken(Alive),
}

/// A node whose lease ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Down {
    /// When another node saw it, RFC 3339, UTC.
    pub since: String,
}

impl Document for Member {
    const KIND: &'static str = "a member of the cluster";
    const FORMAT: u32 = 1;

    fn agrees(&self, key: &str) -> Result<(), String> {
        is_of_a_node(key, MEMBERS)
    }
}

impl Document for Alive {
    const KIND: &'static str = "the heartbeat of a node";
    const FORMAT: u32 = 1;

    fn agrees(&self, key: &str) -> Result<(), String> {
        is_of_a_node(key, ALIVE)
    }
}

impl Document for Down {
    const KIND: &'static str = "a node that is down";
    const FORMAT: u32 = 1;

    fn agrees(&self, key: &str) -> Result<(), String> {
        is_of_a_node(key, DOWN)
    }
}

fn is_of_a_node(key: &str, prefix: &str) -> Result<(), String> {
    let name = key.strip_prefix(prefix).unwrap_or(key);
    let name: Result<NodeName, _> = name.parse();
    name.map(drop).map_err(|error| error.to_string())
}

/// A node as the others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// Version of its agent; none of one that was never started.
    pub version: Option<String>,
    /// When it joined.
    pub joined_at: Option<String>,
    /// When its agent began; none while it is down, or could not say so since the store was silent.
    pub up_since: Option<String>,
    /// Since when it is down; none while it is up.
    pub down_since: Option<String>,
}

impl NodeState {
    /// Whether it sends no heartbeats.
    pub fn is_down(&self) -> bool {
        self.down_since.is_some()
    }
}

/// The nodes as they are shown: those that send heartbeats or did, and in a cluster of one the
/// one that reports.
pub(crate) fn views(nodes: &[NodeState], policy: &Policy, reports: &[Report]) -> Vec<NodeView> {
    let known = nodes.iter().map(|node| node.name.as_str());
    let names: BTreeSet<&str> = known
        .chain(reports.iter().map(|report| report.node.as_str()))
        .collect();
    let view = |name: &str| {
        let node = nodes.iter().find(|node| node.name == name);
        let report = reports.iter().find(|report| report.node == name);
        let here = policy.vms.iter().filter(|(vm, _)| vm.node == name);
        let down = node.and_then(|node| node.down_since.clone());
        NodeView {
            name: name.to_owned(),
            state: match down {
                Some(_) => Standing::Down,
                None => Standing::Up,
            },
            since: down.or_else(|| node?.up_since.clone()),
            version: match node {
                Some(node) => node.version.clone(),
                // Whoever reports to a store of its own is who is asked.
                None => Some(env!("CARGO_PKG_VERSION").to_owned()),
            },
            joined_at: node.and_then(|node| node.joined_at.clone()),
            reported_at: report.map(|report| report.observed_at.clone()),
            drained: policy.drained(name).cloned(),
            removed_intents: report.map_or_else(Vec::new, |report| removed(policy, report)),
            settings_pending: report.is_some_and(|report| {
                let applied = report.settings_revision;
                applied.is_some_and(|applied| applied < policy.management_revision)
            }),
            accelerated_vms: u32::try_from(here.count()).unwrap_or(u32::MAX),
            vms_unknown: match report {
                Some(report) => report.vms_unknown.as_deref(),
                None => Some("the store has no report of it that can be read"),
            }
            .map(|reason| vms_unknown(name, reason)),
            adapters_unknown: match report {
                Some(report) => report.all_adapters.reason(),
                None => Some("the store has no report of it that can be read"),
            }
            .map(|reason| adapters::unknown(name, reason)),
        }
    };
    names.into_iter().map(view).collect()
}

/// Intents that a node reports although they were removed.
fn removed(policy: &Policy, report: &Report) -> Vec<String> {
    let names = report.intents.iter().map(|status| &status.intent);
    let removed = names.filter(|name| policy.removed.contains(name.as_str()));
    removed.cloned().collect()
}

/// The nodes, in the store.
#[derive(Clone)]
pub struct Nodes {
    store: Arc<dyn Store>,
    node: String,
    unread: Unread,
}

impl Nodes {
    /// The nodes in `store`, as the node called `node` sees them.
    pub fn new(store: Arc<dyn Store>, node: &str) -> Self {
        Nodes {
            store,
            node: node.to_owned(),
            unread: Unread::default(),
        }
    }

    /// Name of this node.
    pub(super) fn name(&self) -> &str {
        &self.node
    }

    /// Key of this node's heartbeat.
    fn sign_of_life(&self) -> String {
        format!("{ALIVE}{}", self.node)
    }

    /// The keys by which this node is up and a member.
    pub(super) fn own_keys(&self) -> [String; 2] {
        [self.sign_of_life(), format!("{MEMBERS}{}", self.node)]
    }

    /// What of the nodes could not be read the last time.
    pub(crate) fn unreadable(&self) -> Vec<Unreadable> {
        self.unread.get()
    }

    /// Every member, by name.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all(&self) -> Result<Vec<NodeState>, Problem> {
        self.try_all().map_err(|error| store_failed(&error))
    }

    fn try_all(&self) -> Result<Vec<NodeState>, StoreError> {
        let members = self.store.range_json::<Member>(MEMBERS)?;
        let mut unreadable = members.unreadable.clone();
        let members = named(MEMBERS, members);
        let alive = self.store.range_json::<Alive>(ALIVE)?;
        // A node that is cut off and never asked knows nothing of the others.
        if alive.revision == 0 {
            return Ok(Vec::new());
        }
        let down = self.store.range_json::<Down>(DOWN)?;
        unreadable.extend(alive.unreadable.iter().chain(&down.unreadable).cloned());
        self.unread.set(unreadable);
        // A sign that cannot be read says neither: its agent puts it back, and a fault names it.
        let unclear = alive.unreadable.iter();
        let unclear: BTreeSet<String> = unclear
            .filter_map(|one| one.key.strip_prefix(ALIVE).map(str::to_owned))
            .collect();
        let (alive, down) = (named(ALIVE, alive), named(DOWN, down));
        // Right after a silence of the store a lease that ended says nothing of its node.
        let silent = self.store.was_silent_within(LEASE);
        let names: BTreeSet<&String> = members.keys().chain(alive.keys()).collect();
        let states = names.into_iter().map(|name| {
            let member = members.get(name);
            let up = alive.get(name);
            let ended = || match down.get(name) {
                Some(down) => Some(down.since.clone()),
                None if silent || unclear.contains(name) => None,
                // It never sent a heartbeat, or its end is not recorded yet.
                None => Some(member.map_or_else(String::new, |member| member.joined_at.clone())),
            };
            NodeState {
                name: name.clone(),
                version: member.map(|member| member.version.clone()),
                joined_at: member.map(|member| member.joined_at.clone()),
                up_since: up.map(|up| up.since.clone()),
                down_since: match up {
                    Some(_) => None,
                    None => ended(),
                },
            }
        });
        Ok(states.collect())
    }

    /// The names of those that are down.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn down(&self) -> Result<BTreeSet<String>, Problem> {
        let down = self.all()?.into_iter().filter(NodeState::is_down);
        Ok(down.map(|node| node.name).collect())
    }

    /// Whether the heartbeat is there as this agent gave it with that lease.
    pub(super) fn is_risen(&self, own: &Instance, lease: LeaseId) -> Result<bool, StoreError> {
        let found = self.store.get(&self.sign_of_life())?;
        Ok(found.is_some_and(|entry| {
            let alive = Stored::<Alive>::read(&entry).ok();
            let instance = alive.and_then(|alive| alive.value.instance);
            entry.lease == Some(lease) && instance.as_ref() == Some(own)
        }))
    }

    /// Whether the store says that this node belongs to the cluster.
    pub(super) fn is_member(&self) -> Result<bool, StoreError> {
        let found = self.store.get(&format!("{MEMBERS}{}", self.node))?;
        Ok(found.is_some_and(|entry| Stored::<Member>::read(&entry).is_ok()))
    }

    /// This node belongs to the cluster with that version, and sends heartbeats with that
    /// lease, unless another live agent does so under its name.
    pub(super) fn rise(
        &self,
        since: &str,
        version: &str,
        lease: LeaseId,
        own: &Instance,
    ) -> Result<Risen, StoreError> {
        let sign = self.sign_of_life();
        let found = self.store.get(&sign)?;
        let there = found.as_ref();
        let revision = there.map_or(0, |entry| entry.mod_revision);
        // What cannot be read is written anew, and one of an earlier release ends by itself.
        let other = there.and_then(|entry| Stored::<Alive>::read(entry).ok());
        if let Some(other) = other
            && let Some(instance) = &other.value.instance
            && instance != own
            && !instance.has_ended()
        {
            return Ok(Risen::Taken(other.value));
        }
        let key = format!("{MEMBERS}{}", self.node);
        // One that cannot be read is written anew.
        let known = self.store.get(&key)?;
        let known = known.and_then(|entry| Stored::<Member>::read(&entry).ok());
        let member = Member {
            joined_at: match known {
                Some(known) => known.value.joined_at,
                None => since.to_owned(),
            },
            version: version.to_owned(),
        };
        let alive = Alive {
            since: since.to_owned(),
            instance: Some(own.clone()),
        };
        let txn = Txn::new()
            .check(&sign, revision)
            .put_json(key, &member)?
            .put_json_leased(sign, &alive, lease)?
            .delete(format!("{DOWN}{}", self.node));
        match self.store.commit(&txn)? {
            Commit::Done { .. } => Ok(Risen::Yes),
            // It ended, or another took the name, at this moment: the next beat finds out.
            Commit::Conflict { .. } => Err(StoreError::LeaseNotFound { lease }),
        }
    }

    /// Writes down that the node called `name` is down from now on. True when it was this node
    /// that did: not when it lives, another wrote it first, or it has left.
    pub(super) fn write_down(&self, name: &str, now: &str) -> Result<bool, StoreError> {
        let member = self.store.get(&format!("{MEMBERS}{name}"))?;
        let Some(member) = member else {
            return Ok(false);
        };
        let ended = Down {
            since: now.to_owned(),
        };
        let txn = Txn::new()
            .check(member.key, member.mod_revision)
            .check(format!("{ALIVE}{name}"), 0)
            .check(format!("{DOWN}{name}"), 0)
            .put_json(format!("{DOWN}{name}"), &ended)?;
        let done = self.store.commit(&txn)?;
        Ok(matches!(done, Commit::Done { .. }))
    }

    /// Members without a heartbeat that are not recorded as down.
    pub(super) fn unwritten(&self) -> Result<Vec<String>, StoreError> {
        let members = named(MEMBERS, self.store.range_json::<Member>(MEMBERS)?);
        let alive = named(ALIVE, self.store.range_json::<Alive>(ALIVE)?);
        let down = named(DOWN, self.store.range_json::<Down>(DOWN)?);
        let silent = members
            .into_keys()
            .filter(|name| !alive.contains_key(name) && !down.contains_key(name));
        Ok(silent.filter(|name| *name != self.node).collect())
    }
}

fn named<T>(prefix: &str, documents: Documents<T>) -> BTreeMap<String, T> {
    let name = |stored: Stored<T>| {
        let name = stored.key.strip_prefix(prefix).unwrap_or_default();
        (name.to_owned(), stored.value)
    };
    documents.values.into_iter().map(name).collect()
}
