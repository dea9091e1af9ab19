//! Signs of life: each agent holds a lease in the store, and a node whose lease ended is down.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use accelnet_api::types::EventKind;
use accelnet_host::Clock;
use accelnet_model::Code;
use accelnet_store::{Change, LeaseId, Store, StoreError};

use super::nodes::{ALIVE, Nodes};
use crate::journal::{Journal, Word};

/// How long a node counts as up after its last sign of life. An agent that starts anew, or a
/// leader of etcd that is elected, takes less.
pub const LEASE: Duration = Duration::from_secs(12);
/// How often a sign of life is given.
pub const BEAT: Duration = Duration::from_secs(4);

/// Keeps the lease of this node, until it is dropped.
pub(crate) struct Liveness {
    _end: Sender<()>,
}

impl Liveness {
    /// Joins, and gives signs of life from a thread of its own. What fails is tried again with
    /// the next beat.
    pub(crate) fn begin(
        store: Arc<dyn Store>,
        node: &str,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> std::io::Result<Self> {
        let (end, ended) = channel();
        let mut beating = Beating {
            nodes: Nodes::new(store.clone(), node),
            store,
            since: clock.now(),
            lease: None,
        };
        // Others see it before anything is asked of it. What cannot be told now is told with the
        // next beat.
        drop(beating.beat());
        thread::Builder::new()
            .name("alive".to_owned())
            .spawn(move || {
                while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                    drop(beating.beat());
                }
            })?;
        Ok(Liveness { _end: end })
    }
}

struct Beating {
    nodes: Nodes,
    store: Arc<dyn Store>,
    since: String,
    lease: Option<LeaseId>,
}

impl Beating {
    fn beat(&mut self) -> Result<(), StoreError> {
        if let Some(lease) = self.lease {
            match self.store.keep_alive(lease) {
                Err(StoreError::LeaseNotFound { .. }) => self.lease = None,
                other => return other,
            }
        }
        let lease = self.store.grant(LEASE)?.id;
        self.nodes
            .rise(&self.since, env!("CARGO_PKG_VERSION"), lease)?;
        self.lease = Some(lease);
        Ok(())
    }
}

/// Listens for nodes that give no more signs of life, and writes them down. Leases that end while the
/// store is silent say nothing: their nodes have the time of a lease to give a sign again. None when
/// it has to begin anew, after a while.
pub(crate) fn watch_others(
    store: &Arc<dyn Store>,
    node: &str,
    clock: &dyn Clock,
    within: Duration,
) -> Option<()> {
    let nodes = Nodes::new(store.clone(), node);
    loop {
        let signs = store.range(ALIVE).ok()?;
        let mut watch = store.watch(ALIVE, signs.revision + 1).ok()?;
        let mut others = Others::of(node, signs.entries.iter().map(|sign| &*sign.key));
        // Who was silent before this began is looked up, once.
        let mut looked = !others.is_mine("");
        let error = loop {
            let unsure = !looked || others.ended.iter().any(|name| others.is_mine(name));
            if unsure && !store.was_silent_within(LEASE) {
                let missed = match looked {
                    true => Vec::new(),
                    false => nodes.unwritten().ok()?,
                };
                looked = true;
                // Those that look write down whatever they find: the others have not heard of it.
                for name in others.mine().into_iter().chain(missed) {
                    write_down(store, &nodes, node, &name, clock);
                    others.ended.remove(&name);
                }
                continue;
            }
            match watch.next(if unsure { BEAT } else { within }) {
                Ok(changes) => changes.iter().for_each(|change| others.hear(change)),
                Err(error) => break error,
            }
        };
        match error {
            StoreError::Closed => return Some(()),
            // Who was silent meanwhile is looked up.
            StoreError::Compacted { .. } => {}
            _ => return None,
        }
    }
}

/// How many nodes write down that one is down. If all of them ended at that moment, too, others take
/// their place when their leases end.
const WRITERS: usize = 8;

/// The nodes that one listens for.
struct Others<'n> {
    node: &'n str,
    /// Those that give signs of life.
    alive: BTreeSet<String>,
    /// Those whose lease ended, of which this node has not tried to write it down.
    ended: BTreeSet<String>,
}

impl<'n> Others<'n> {
    fn of<'k>(node: &'n str, keys: impl Iterator<Item = &'k str>) -> Self {
        Others {
            node,
            alive: keys.filter_map(name_of).collect(),
            ended: BTreeSet::new(),
        }
    }

    fn hear(&mut self, change: &Change) {
        let Some(name) = name_of(change.key()) else {
            return;
        };
        match change {
            Change::Put(_) => {
                self.ended.remove(&name);
                self.alive.insert(name);
            }
            Change::Delete { .. } => {
                self.alive.remove(&name);
                if name != self.node {
                    self.ended.insert(name);
                }
            }
        }
    }

    /// Those that are this node's to write down.
    fn mine(&self) -> Vec<String> {
        let ended = self.ended.iter();
        ended.filter(|name| self.is_mine(name)).cloned().collect()
    }

    /// Whether this node is one of the few that write down the end of `name`: in a large cluster all
    /// of them would be in each other's way.
    fn is_mine(&self, name: &str) -> bool {
        let place = |node: &str| {
            let mut hasher = DefaultHasher::new();
            (node, name).hash(&mut hasher);
            hasher.finish()
        };
        let own = place(self.node);
        let before = self.alive.iter().filter(|node| place(node) < own);
        before.take(WRITERS).count() < WRITERS
    }
}

fn name_of(key: &str) -> Option<String> {
    key.strip_prefix(ALIVE).map(str::to_owned)
}

fn write_down(store: &Arc<dyn Store>, nodes: &Nodes, own: &str, name: &str, clock: &dyn Clock) {
    let now = clock.now();
    // Whoever else listens writes it, too, when this node cannot.
    if name == own || !nodes.write_down(name, &now).unwrap_or(false) {
        return;
    }
    let word = Word {
        kind: EventKind::Failed,
        subject: name.to_owned(),
        message: format!("Node {name} gives no sign of life any more: it counts as down."),
        who: None,
        from: None,
        code: Some(Code::NodeDown),
    };
    Journal::new(store.clone(), own).tell(&now, word);
}
