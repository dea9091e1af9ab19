//! Changes of the policy, of this agent and of others.

use std::sync::Arc;

use accelnet_host::{Clock, SystemClock};
use accelnet_store::{Store, StoreError};

use super::thread::{INTERVAL, STORE_RETRY, watch};
use crate::inbox::{Inbox, Message};
use crate::policy::POLICY;
use crate::vital::End;

/// Watches the policy in `store`.
pub(crate) fn watch_policy(inbox: &Inbox, store: Arc<dyn Store>, end: &End) {
    let inbox = inbox.clone();
    watch("policy", STORE_RETRY, end, move |_| {
        loop {
            let now = store.range(POLICY).ok()?.revision;
            let mut watch = store.watch(POLICY, now + 1).ok()?;
            // Changes between the last reading of the engine and this watch.
            inbox.put(Message::Policy(now));
            loop {
                match watch.next(INTERVAL) {
                    Ok(changes) => {
                        if let Some(last) = changes.last() {
                            inbox.put(Message::Policy(last.revision()));
                        }
                    }
                    Err(StoreError::Closed) => return Some(()),
                    // Changes are missing: begin at the store's current revision.
                    Err(StoreError::Compacted { .. }) => break,
                    // The watch resumes without missing a change.
                    Err(_) => SystemClock.sleep(STORE_RETRY),
                }
            }
        }
    });
}

#[cfg(test)]
mod tests;
