//! Signs of life: each agent holds a lease in the store, and a node whose lease ended is down.

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
        let from = store.range(ALIVE).ok()?.revision + 1;
        let mut watch = store.watch(ALIVE, from).ok()?;
        // Whether some lease ended of which it is not known yet if its node lives.
        let mut unsure = true;
        let error = loop {
            if unsure && !store.was_silent_within(LEASE) {
                for name in nodes.unwritten().ok()? {
                    write_down(store, &nodes, node, &name, clock);
                }
                unsure = false;
            }
            match watch.next(if unsure { BEAT } else { within }) {
                Ok(changes) => {
                    let ended = |change| matches!(change, &Change::Delete { .. });
                    unsure |= changes.iter().any(ended);
                }
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
