//! Handshakes under way: so many at once, and so many of one network, that nobody who does not
//! get further keeps others out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Handshakes at once.
const ALL: usize = 128;
/// Of them, from one IPv4 address or one IPv6 network of 64 bits.
const FROM_ONE: usize = 16;

/// Those that are under way.
#[derive(Debug, Clone, Default)]
pub struct Handshakes(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A place for one.
#[derive(Debug)]
pub struct Place {
    all: Handshakes,
    from: IpAddr,
}

impl Handshakes {
    /// A place for one from `address`; none when there are too many.
    pub fn begin(&self, address: IpAddr) -> Option<Place> {
        let from = network(address);
        let mut all = self.lock();
        if all.values().sum::<usize>() >= ALL {
            return None;
        }
        let here = all.entry(from).or_default();
        if *here >= FROM_ONE {
            return None;
        }
        *here += 1;
        Some(Place {
            all: self.clone(),
            from,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(here) = all.get_mut(&self.from) {
            *here -= 1;
            if *here == 0 {
                all.remove(&self.from);
            }
        }
    }
}

/// What one administrator of a network can send from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
