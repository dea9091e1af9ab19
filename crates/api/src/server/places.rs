//! Places for connections through one door: root has its own, so have those who may change things, and
//! no user takes more than a share of the rest.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Caller, Role};

/// Connections at once of root, of others who may change things, and of those who may read.
pub const CONNECTIONS: usize = 64;
/// Of them, from one user or one network: of those who may read, and of the others.
const SHARE: usize = 16;
const SHARE_OF_CHANGERS: usize = 32;
/// How long requests that are under way may take when the server stops: those of root and others who may
/// change things, and those of who may read.
const LAST: Duration = Duration::from_secs(30);
const LAST_READ: Duration = Duration::from_secs(2);

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Root, and who runs the agent.
    Owner,
    /// Another user.
    User(u32),
    /// A network: an IPv4 address, or 64 bits of an IPv6 address.
    Network(IpAddr),
}

impl Source {
    /// What one administrator of a network can send from.
    pub fn of(address: IpAddr) -> Self {
        Source::Network(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 => v4,
        })
    }
}

/// The places of one door.
#[derive(Debug, Clone)]
pub struct Places {
    owning: Arc<Semaphore>,
    changing: Arc<Semaphore>,
    reading: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<Source, usize>>>,
}

impl Default for Places {
    /// All of them are free.
    fn default() -> Self {
        let [owning, changing, reading] = [(); 3].map(|()| Arc::new(Semaphore::new(CONNECTIONS)));
        Places {
            owning,
            changing,
            reading,
            taken: Arc::default(),
        }
    }
}

/// A place for one connection, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    places: Places,
    source: Source,
    _place: OwnedSemaphorePermit,
}

impl Places {
    /// Whether clients from there get no place.
    pub fn is_full_for(&self, source: Source) -> bool {
        source != Source::Owner && self.taken_by(source) >= SHARE_OF_CHANGERS
    }

    /// A place for `caller`; none when all are taken, or those of its source.
    pub fn take(&self, caller: &Caller, source: Source) -> Option<Seat> {
        let (places, share) = match (caller.role, source) {
            (Role::Reader, Source::Owner) => (&self.reading, CONNECTIONS),
            (Role::Reader, _) => (&self.reading, SHARE),
            (_, Source::Owner) => (&self.owning, CONNECTIONS),
            _ => (&self.changing, SHARE_OF_CHANGERS),
        };
        if self.taken_by(source) >= share {
            return None;
        }
        let place = Arc::clone(places).try_acquire_owned().ok()?;
        *self.lock().entry(source).or_default() += 1;
        Some(Seat {
            places: self.clone(),
            source,
            _place: place,
        })
    }

    fn taken_by(&self, source: Source) -> usize {
        self.lock().get(&source).copied().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Source, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all are free; clients that are not done by then are left.
    pub async fn leave(&self) {
        let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
        let (owning, changing) = (&self.owning, &self.changing);
        let changed = async {
            drop(owning.acquire_many(all).await);
            drop(changing.acquire_many(all).await);
        };
        let changed = tokio::time::timeout(LAST, changed);
        let looked = tokio::time::timeout(LAST_READ, self.reading.acquire_many(all));
        drop(tokio::join!(changed, looked));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(here) = taken.get_mut(&self.source) {
            *here -= 1;
            if *here == 0 {
                taken.remove(&self.source);
            }
        }
    }
}
