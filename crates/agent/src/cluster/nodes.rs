//! The nodes of a cluster and their heartbeats, in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accelnet_model::Problem;
use accelnet_rules::vm_names;
use accelnet_store::{
    Commit, Documents, Json, LeaseId, Store, StoreError, Stored, Txn, Unreadable,
};

use super::documents::{ALIVE, Alive, DOWN, Down, MEMBERS, Member};
use super::instance::Instance;
use super::lease::LEASE;
use crate::problems::{failed, store_failed};
use crate::unread::Unread;

/// The result of a heartbeat.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// It is in the store.
    Done,
    /// Another live agent has the name.
    NameTaken(Alive),
}

/// The state of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// Version of its agent; none if it was never started.
    pub version: Option<String>,
    /// When it joined.
    pub joined_at: Option<String>,
    /// When its agent began; none while it has no heartbeat.
    pub up_since: Option<String>,
    /// Since when it is down; none while it is up.
    pub down_since: Option<String>,
}

impl NodeState {
    /// Whether it is down.
    pub fn is_down(&self) -> bool {
        self.down_since.is_some()
    }
}

/// The nodes in the store. The errors are those of the store.
#[derive(Clone)]
pub struct Nodes {
    store: Arc<dyn Store>,
    node: String,
    unread: Unread,
}

impl Nodes {
    /// The nodes in `store`; this one is `node`.
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
    fn heartbeat_key(&self) -> String {
        format!("{ALIVE}{}", self.node)
    }

    fn member_key(&self) -> String {
        format!("{MEMBERS}{}", self.node)
    }

    /// The keys of this node: its heartbeat, and its membership.
    pub(super) fn own_keys(&self) -> [String; 2] {
        [self.heartbeat_key(), self.member_key()]
    }

    /// Values of nodes that the last reading could not parse.
    pub(crate) fn unreadable(&self) -> Vec<Unreadable> {
        self.unread.get()
    }

    /// Every member, by name.
    pub fn all(&self) -> Result<Vec<NodeState>, Problem> {
        self.try_all().map_err(failed)
    }

    fn try_all(&self) -> Result<Vec<NodeState>, StoreError> {
        let members = self.store.range_json::<Member>(MEMBERS)?;
        let mut unreadable = members.unreadable.clone();
        let members = named(MEMBERS, members);
        let alive = self.store.range_json::<Alive>(ALIVE)?;
        // Revision 0: the node is cut off, and never read the others.
        if alive.revision == 0 {
            return Ok(Vec::new());
        }
        let down = self.store.range_json::<Down>(DOWN)?;
        unreadable.extend(alive.unreadable.iter().chain(&down.unreadable).cloned());
        self.unread.set(unreadable);
        // An unreadable heartbeat means neither up nor down: its agent writes it again.
        let unclear = alive.unreadable.iter();
        let unclear: BTreeSet<String> = unclear
            .filter_map(|one| one.key.strip_prefix(ALIVE).map(str::to_owned))
            .collect();
        let (alive, down) = (named(ALIVE, alive), named(DOWN, down));
        // After the store did not answer, an ended lease has no meaning for the time of one lease.
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

    /// The problem that no node is called `name`, or the store's.
    pub(crate) fn not_found(&self, name: &str) -> Problem {
        let members = match self.store.range(MEMBERS) {
            Ok(members) => members.entries,
            Err(error) => return store_failed(&error),
        };
        let names = members.iter();
        vm_names::no_node(
            name,
            names.filter_map(|entry| entry.key.strip_prefix(MEMBERS)),
        )
    }

    /// The names of the nodes that are down.
    pub fn down(&self) -> Result<BTreeSet<String>, Problem> {
        let down = self.all()?.into_iter().filter(NodeState::is_down);
        Ok(down.map(|node| node.name).collect())
    }

    /// Whether the store has this agent's heartbeat with that lease.
    pub(super) fn has_heartbeat(&self, own: &Instance, lease: LeaseId) -> Result<bool, StoreError> {
        let found = self.store.get(&self.heartbeat_key())?;
        Ok(found.is_some_and(|entry| {
            let alive = Stored::<Alive>::read(&entry).ok();
            let instance = alive.and_then(|alive| alive.value.instance);
            entry.lease == Some(lease) && instance.as_ref() == Some(own)
        }))
    }

    /// Whether this node is a member.
    pub(super) fn is_member(&self) -> Result<bool, StoreError> {
        let found = self.store.get(&self.member_key())?;
        Ok(found.is_some_and(|entry| Stored::<Member>::read(&entry).is_ok()))
    }

    /// Writes this node's membership and its heartbeat with that lease, unless another live agent has its name.
    pub(super) fn renew(
        &self,
        since: &str,
        version: &str,
        lease: LeaseId,
        own: &Instance,
    ) -> Result<Renewal, StoreError> {
        let heartbeat = self.heartbeat_key();
        let found = self.store.get(&heartbeat)?;
        let there = found.as_ref();
        let revision = there.map_or(0, |entry| entry.mod_revision);
        // An unreadable one is replaced, and one of an earlier release ends by itself.
        let other = there.and_then(|entry| Stored::<Alive>::read(entry).ok());
        if let Some(other) = other
            && let Some(instance) = &other.value.instance
            && instance != own
            && !instance.has_ended()
        {
            return Ok(Renewal::NameTaken(other.value));
        }
        let key = self.member_key();
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
            .check(&heartbeat, revision)
            .put_json(key, &member)?
            .put_json_leased(heartbeat, &alive, lease)?
            .delete(format!("{DOWN}{}", self.node));
        match self.store.commit(&txn)? {
            Commit::Done { .. } => Ok(Renewal::Done),
            // The lease ended, or another agent took the name, at this moment.
            Commit::Conflict { .. } => Err(StoreError::LeaseNotFound { lease }),
        }
    }

    /// Records that the node called `name` is down since `now`. False if it is up, has left, or another node
    /// recorded it first.
    pub(super) fn record_down(&self, name: &str, now: &str) -> Result<bool, StoreError> {
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
    pub(super) fn unrecorded(&self) -> Result<Vec<String>, StoreError> {
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
