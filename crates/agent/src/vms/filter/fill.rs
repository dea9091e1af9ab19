//! Fills the filter of one adapter, as far as the adapter accepts entries.

use std::collections::BTreeSet;

use accelnet_host::Links;
use accelnet_model::Mac;
use accelnet_netlink::NetlinkError;
use accelnet_rules::filter::{self, Address, Owner};

use super::ports::Uplink;
use crate::filter_ledger::{Entry, Ledger};

/// Refusals that are about one address, and not about the filter (`EEXIST`, `EINVAL`, `EADDRNOTAVAIL`).
const OF_ONE_ADDRESS: [i32; 3] = [17, 22, 99];
/// There is no such link.
const ENODEV: i32 = 19;

/// An address that VMs on VFs of an adapter do not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreached {
    pub adapter: String,
    pub owner: Owner,
    pub mac: Mac,
    /// The kernel's words.
    pub words: String,
}

/// The entries of filters.
pub(super) struct Entries<'a> {
    pub links: &'a dyn Links,
    /// Those that accelnet added.
    pub ledger: &'a Ledger,
    /// Those that others added.
    pub others: &'a mut BTreeSet<Entry>,
    /// Whether VMs are known: without libvirt it is unknown which are on the software path, and nothing is removed.
    pub vms_are_known: bool,
}

impl Entries<'_> {
    /// Brings the filter of `uplink` to `wanted`; what it lacks then.
    ///
    /// A driver shows that its adapter is full by refusing one more. Then the entries that exist are all that
    /// fit, and go to the most important addresses.
    pub fn fill(&mut self, uplink: &Uplink, wanted: &[Address]) -> Vec<Unreached> {
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
            let (ours, others) = (of(&self.ledger.all(), link), of(self.others, link));
            let change = filter::change(wanted, &ours, &others, room);
            if self.vms_are_known {
                let gone = change.remove.iter().map(|mac| (link, *mac)).collect();
                remove(self.links, self.ledger, gone);
            }
            let new = change.add.iter().map(|(_, mac)| (link, *mac));
            if let Err(error) = self.ledger.remember(new) {
                let words = format!("the entries cannot be remembered: {error}");
                let missing = change.add.iter().chain(&change.left_out);
                return missing.map(|one| unreached(one, &words)).collect();
            }
            let (refused, full) = self.add(link, &change.add);
            let there = of(&self.ledger.all(), link).len();
            match full {
                Some(error) if there < room => {
                    room = there;
                    words = error.to_string();
                }
                _ => {
                    let refused = refused.iter().map(|(one, words)| unreached(one, words));
                    let left_out = change.left_out.iter().map(|one| unreached(one, &words));
                    return refused.chain(left_out).collect();
                }
            }
        }
    }

    /// Adds entries until the filter is full: those that are refused for themselves, and the error of a full filter.
    fn add(
        &mut self,
        link: u32,
        new: &[Address],
    ) -> (Vec<(Address, String)>, Option<NetlinkError>) {
        let mut refused = Vec::new();
        for (place, address) in new.iter().enumerate() {
            let entry = (link, address.1);
            match self.links.take_in(link, address.1, true) {
                Ok(true) => {}
                Ok(false) => {
                    self.ledger.forget(&BTreeSet::from([entry]));
                    self.others.insert(entry);
                }
                Err(error) if is_of_one_address(&error) => {
                    self.ledger.forget(&BTreeSet::from([entry]));
                    refused.push((address.clone(), error.to_string()));
                }
                Err(error) => {
                    let rest = new[place..].iter().map(|(_, mac)| (link, *mac));
                    self.ledger.forget(&rest.collect());
                    return (refused, Some(error));
                }
            }
        }
        (refused, None)
    }
}

/// Removes entries that accelnet added.
pub(super) fn remove(links: &dyn Links, ledger: &Ledger, entries: BTreeSet<Entry>) {
    let mut gone = entries;
    gone.retain(|(link, mac)| match links.take_in(*link, *mac, false) {
        Ok(_) => true,
        // Another error leaves it, and the next change tries again.
        Err(error) => error.errno() == Some(ENODEV),
    });
    ledger.forget(&gone);
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
