//! Admission of orders for other nodes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_model::{Code, NodeName, Problem};
use accelnet_store::{LeaseId, Store};

use super::problems::not_taken;
use crate::cluster::OwnLease;
use crate::cluster::nodes::Nodes;

/// Requests of one caller for one node that wait at the same time.
const MAX_WAITING: usize = 8;

/// How long a node has to take an order before it is withdrawn.
pub(super) const TAKE_WITHIN: Duration = Duration::from_secs(30);
/// How long a node that took an order has to answer it. A client waits three times as long.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10 * 60);

/// Number of waiting requests by node and caller.
type Counts = Arc<Mutex<BTreeMap<(String, String), usize>>>;

/// Writes orders of this node for other nodes.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(super) store: Arc<dyn Store>,
    pub(crate) node: NodeName,
    pub(super) nodes: Nodes,
    pub(super) clock: Arc<dyn Clock + Send + Sync>,
    lease: OwnLease,
    counts: Counts,
}

/// A place among the waiting requests.
pub(super) struct Slot {
    counts: Counts,
    key: (String, String),
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        let left = counts.get(&self.key).map_or(0, |count| count - 1);
        match left {
            0 => drop(counts.remove(&self.key)),
            left => drop(counts.insert(self.key.clone(), left)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Asker {
    /// Orders of the node called `node` in `store`, bound to `lease`.
    pub fn new(
        store: Arc<dyn Store>,
        node: NodeName,
        lease: OwnLease,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> Self {
        Asker {
            nodes: Nodes::new(store.clone(), node.as_str()),
            store,
            node,
            clock,
            lease,
            counts: Counts::default(),
        }
    }

    /// The lease that orders are bound to.
    pub(super) fn lease(&self) -> Result<LeaseId, Problem> {
        self.lease.get().flatten().ok_or_else(|| {
            let found = format!("The agent of {} has no lease in the store now.", self.node);
            Problem::new(Code::NodeCutOff, &[], found)
        })
    }

    /// The state of a node, a sentence.
    pub(super) fn state_of(&self, node: &str) -> String {
        let all = self.nodes.all().unwrap_or_default();
        match all.into_iter().find(|one| one.name == node) {
            None => format!("{node} is not a node of the cluster any more."),
            Some(one) => match one.down_since {
                Some(since) => format!(
                    "{node} has sent no heartbeat since {since}: it is down or cut off from the store."
                ),
                None => format!("{node} is up; its agent is busy."),
            },
        }
    }

    /// The problem that a node did not take an order in time.
    pub(super) fn not_taken(&self, node: &str) -> Problem {
        not_taken(node, &self.state_of(node))
    }

    /// A place for a request of `who` for `node`.
    pub(super) fn slot(&self, node: &str, who: &str) -> Result<Slot, Problem> {
        let key = (node.to_owned(), who.to_owned());
        let mut counts = lock(&self.counts);
        let count = counts.entry(key.clone()).or_default();
        if *count >= MAX_WAITING {
            let found = format!("{MAX_WAITING} requests of {who} wait for {node} already.");
            return Err(Problem::new(Code::AgentBusy, &[], found));
        }
        *count += 1;
        Ok(Slot {
            counts: self.counts.clone(),
            key,
        })
    }

    /// Why a node cannot take an order; none if it is up.
    pub(super) fn refusal(&self, node: &str) -> Result<Option<Problem>, Problem> {
        let all = self.nodes.all()?;
        let known = all.into_iter().find(|one| one.name == node);
        let since = known.map(|one| one.down_since);
        let found = match since {
            Some(None) => return Ok(None),
            Some(Some(since)) => {
                format!("No heartbeat since {since}; nothing was changed.")
            }
            None => "It is no longer a node of the cluster; nothing was changed.".to_owned(),
        };
        Ok(Some(Problem::new(Code::NodeDown, &[node], found)))
    }
}

#[cfg(test)]
mod tests;
