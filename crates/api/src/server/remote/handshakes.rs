//! Handshakes under way: so many at once, and so many of one network. One more takes the place of the oldest,
//! silent ones first: clients that do not get further block no other client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::server::places::Source;

/// Handshakes at once.
const ALL: usize = 128;
/// Of them, from one IPv4 address or one IPv6 network of 64 bits.
const FROM_ONE: usize = 16;

/// Those that are under way.
#[derive(Debug, Clone, Default)]
pub struct Handshakes(Arc<Mutex<UnderWay>>);

#[derive(Debug, Default)]
struct UnderWay {
    next: u64,
    /// By number: the oldest has the least.
    all: HashMap<u64, One>,
}

#[derive(Debug)]
struct One {
    from: Source,
    has_spoken: bool,
    /// Notified when another one takes its place.
    evict: oneshot::Sender<()>,
}

/// A place for one.
#[derive(Debug)]
pub struct Place {
    all: Handshakes,
    number: u64,
}

impl Handshakes {
    /// A place for one from `address`, and a signal for when it is taken away.
    pub fn begin(&self, address: IpAddr) -> (Place, oneshot::Receiver<()>) {
        let from = Source::of(address);
        let mut under_way = self.lock();
        let here = under_way
            .all
            .values()
            .filter(|one| one.from == from)
            .count();
        if here >= FROM_ONE {
            under_way.evict(Some(from));
        } else if under_way.all.len() >= ALL {
            let most = under_way.most();
            under_way.evict(most);
        }
        let number = under_way.next;
        under_way.next += 1;
        let (evict, evicted) = oneshot::channel();
        let one = One {
            from,
            has_spoken: false,
            evict,
        };
        under_way.all.insert(number, one);
        let all = self.clone();
        (Place { all, number }, evicted)
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// The source that has the most of them.
    fn most(&self) -> Option<Source> {
        let mut counts: HashMap<Source, usize> = HashMap::new();
        for one in self.all.values() {
            *counts.entry(one.from).or_default() += 1;
        }
        counts
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(from, _)| from)
    }

    /// Takes the place of one away.
    fn evict(&mut self, from: Option<Source>) {
        let those = self
            .all
            .iter()
            .filter(|(_, one)| from.is_none_or(|from| one.from == from));
        let oldest = those.min_by_key(|(number, one)| (one.has_spoken, **number));
        let Some(number) = oldest.map(|(number, _)| *number) else {
            return;
        };
        if let Some(one) = self.all.remove(&number) {
            // One that is done meanwhile does not hear it.
            let _ = one.evict.send(());
        }
    }
}

impl Place {
    /// The other side has sent what a handshake begins with.
    pub fn has_spoken(&self) {
        if let Some(one) = self.all.lock().all.get_mut(&self.number) {
            one.has_spoken = true;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.lock().all.remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
