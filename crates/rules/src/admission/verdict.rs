//! The result of evaluating a cluster.

use std::collections::HashSet;
use std::fmt;

/// Whether every accelerated VM fits with any of so many nodes down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Holds,
    /// With these nodes down, by their place, it does not.
    Fails(Vec<usize>),
    /// It could not be proved within the bound of the search; the nodes are those for which a
    /// simpler count, with VMs taken for larger ones, does not come out.
    Unproved(Vec<usize>),
}

impl Verdict {
    /// Whether it is proved to hold.
    pub fn holds(&self) -> bool {
        *self == Verdict::Holds
    }

    /// The nodes that were down when it did not.
    pub fn worst(&self) -> &[usize] {
        match self {
            Verdict::Holds => &[],
            Verdict::Fails(worst) | Verdict::Unproved(worst) => worst,
        }
    }
}

/// The resource that is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// Too few VFs, of adapters that can give the setting at all.
    Vfs,
    /// VFs enough, and too few queue pairs for them.
    QueuePairs,
}

impl Binding {
    /// Its name in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Binding::Vfs => "vfs",
            Binding::QueuePairs => "queue_pairs",
        }
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Binding::Vfs => "VFs",
            Binding::QueuePairs => "queue pairs",
        })
    }
}

/// Why a VM is not admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The resource that is short.
    pub binding: Binding,
    /// The nodes, by place, with which down it does not fit; none where it does not fit on its
    /// own node as things are.
    pub worst: Vec<usize>,
    /// VMs that would be left without a VF, by setting, when those nodes are down.
    pub lose: [u64; 3],
    /// Whether it is proved that it does not fit; otherwise it could not be proved that it does.
    pub proved: bool,
}

impl Refusal {
    /// Which VMs would be left without a VF, of `vms` in their order with node and setting: the
    /// last ones first, so that the VM that was requested is among them.
    pub fn losers<T>(&self, vms: impl DoubleEndedIterator<Item = (T, usize, usize)>) -> Vec<T> {
        let mut left = self.lose;
        let mut losers = Vec::new();
        // Half of ten thousand nodes may be down, with a million VMs.
        let worst: HashSet<usize> = self.worst.iter().copied().collect();
        for (vm, node, setting) in vms.rev() {
            if left == [0; 3] {
                break;
            }
            if left[setting] > 0 && worst.contains(&node) {
                left[setting] -= 1;
                losers.push(vm);
            }
        }
        losers.reverse();
        losers
    }
}
