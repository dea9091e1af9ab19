//! When leases end. Only their time to live is in the file; when they end is known here.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::LeaseId;

#[derive(Debug, Clone, Copy)]
struct Term {
    ttl: Duration,
    ends: Duration,
}

/// The leases that live, with the uptime at which each ends.
#[derive(Debug, Default)]
pub(super) struct Leases {
    terms: BTreeMap<LeaseId, Term>,
}

impl Leases {
    /// Every lease lives for its whole time to live from `now`.
    pub(super) fn begin(leases: Vec<(LeaseId, Duration)>, now: Duration) -> Self {
        let mut all = Self::default();
        for (lease, ttl) in leases {
            all.grant(lease, ttl, now);
        }
        all
    }

    pub(super) fn grant(&mut self, lease: LeaseId, ttl: Duration, now: Duration) {
        let ends = now.saturating_add(ttl);
        self.terms.insert(lease, Term { ttl, ends });
    }

    /// False when there is no such lease.
    pub(super) fn keep_alive(&mut self, lease: LeaseId, now: Duration) -> bool {
        let Some(term) = self.terms.get_mut(&lease) else {
            return false;
        };
        term.ends = now.saturating_add(term.ttl);
        true
    }

    pub(super) fn live(&self, lease: LeaseId) -> bool {
        self.terms.contains_key(&lease)
    }

    pub(super) fn end(&mut self, lease: LeaseId) {
        self.terms.remove(&lease);
    }

    /// The leases that are over, the first one first.
    pub(super) fn due(&self, now: Duration) -> Vec<LeaseId> {
        let over = self.terms.iter().filter(|(_, term)| term.ends <= now);
        let mut due: Vec<_> = over.map(|(lease, term)| (term.ends, *lease)).collect();
        due.sort();
        due.into_iter().map(|(_, lease)| lease).collect()
    }

    /// The uptime at which the next one ends.
    pub(super) fn next_end(&self) -> Option<Duration> {
        self.terms.values().map(|term| term.ends).min()
    }
}
