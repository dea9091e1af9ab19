//! One adapter's filter, filled as far as the adapter takes it.

use std::collections::BTreeSet;

use accelnet_host::Links;
use accelnet_model::Mac;
use accelnet_netlink::NetlinkError;
use accelnet_rules::filter::{self, Address};

use super::scene::Uplink;
use super::{Filter, Unreached};
use crate::filter_ledger::Entry;

/// Refusals that are about one address, and not about the filter (`EEXIST`, `EINVAL`, `EADDRNOTAVAIL`).
const OF_ONE_ADDRESS: [i32; 3] = [17, 22, 99];
/// There is no such link.
const ENODEV: i32 = 19;

impl Filter {
    /// Brings the filter of `uplink` to `wanted`. What it has not then.
    ///
    /// A driver tells that its adapter is full by refusing one more. Then the entries that are there are
    /// the room that there is, and go to the most important addresses.
    pub(super) fn fill(
        &mut self,
        links: &dyn Links,
        uplink: &Uplink,
        wanted: &[Address],
    ) -> Vec<Unreached> {
        let link = uplink.port.index;
        let unreached = |(owner, mac): &Address, words: &str| Unreached {
            adapter: uplink.port.name.clone(),
            owner: owner.clone(),
            mac: *mac,
            words: words.to_owned(),
        };
        let mut room = filter::MOST;
        let mut words = format!("accelnet adds at most {room} addresses");
        loop {
            let (ours, others) = (of(&self.ledger.all(), link), of(&self.others, link));
            let change = filter::change(wanted, &ours, &others, room);
            // Without libvirt it is not known who is on the software path.
            if self.scene.vms_are_known {
                let gone = change.remove.iter().map(|mac| (link, *mac)).collect();
                self.remove(links, gone);
            }
            let new = change.add.iter().map(|(_, mac)| (link, *mac));
            if let Err(error) = self.ledger.remember(new.clone()) {
                let words = format!("the entries cannot be remembered: {error}");
                let missing = change.add.iter().chain(&change.left_out);
                return missing.map(|one| unreached(one, &words)).collect();
            }
            let mut missing = Vec::new();
            let mut full = None;
            for (place, address) in change.add.iter().enumerate() {
                let entry = (link, address.1);
                match links.take_in(link, address.1, true) {
                    Ok(true) => {}
                    Ok(false) => {
                        self.ledger.forget(&BTreeSet::from([entry]));
                        self.others.insert(entry);
                    }
                    Err(error) if is_of_one_address(&error) => {
                        self.ledger.forget(&BTreeSet::from([entry]));
                        missing.push(unreached(address, &error.to_string()));
                    }
                    Err(error) => {
                        self.ledger.forget(&new.skip(place).collect());
                        full = Some(error);
                        break;
                    }
                }
            }
            let there = of(&self.ledger.all(), link).len();
            match full {
                Some(error) if there < room => {
                    room = there;
                    words = error.to_string();
                }
                _ => {
                    let left_out = change.left_out.iter();
                    missing.extend(left_out.map(|one| unreached(one, &words)));
                    return missing;
                }
            }
        }
    }

    /// Removes entries of ours.
    pub(super) fn remove(&mut self, links: &dyn Links, entries: BTreeSet<Entry>) {
        let mut gone = BTreeSet::new();
        for (link, mac) in entries {
            match links.take_in(link, mac, false) {
                // It stays, and the next change tries again.
                Err(error) if error.errno() != Some(ENODEV) => {}
                _ => {
                    gone.insert((link, mac));
                }
            }
        }
        self.ledger.forget(&gone);
    }
}

fn of(entries: &BTreeSet<Entry>, link: u32) -> BTreeSet<Mac> {
    let own = entries.iter().filter(|(of, _)| *of == link);
    own.map(|(_, mac)| *mac).collect()
}

fn is_of_one_address(error: &NetlinkError) -> bool {
    error
        .errno()
        .is_some_and(|errno| OF_ONE_ADDRESS.contains(&errno))
}
