//! Which cluster a store is of, and how old its state is: what an agent compares with what it
//! remembers before it believes a store.

use accelnet_model::Uuid;
use accelnet_store::{Document, Range, Stored};
use serde::{Deserialize, Serialize};

/// Where the identity is: beside the policy, so that both are read at one moment.
pub const IDENTITY: &str = "policy/cluster";

/// The identity of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Made once.
    pub id: Uuid,
    /// Grows whenever an administrator says that the store counts as it is: after a restore, for one.
    #[serde(default)]
    pub epoch: u64,
}

impl Document for Identity {
    const KIND: &'static str = "the identity of a cluster";
    const FORMAT: u32 = 1;
    const MOST_BYTES: usize = 4096;
}

impl Identity {
    /// One that nobody else has.
    ///
    /// # Errors
    ///
    /// The kernel provides no random number.
    pub fn make() -> std::io::Result<Self> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid")?;
        let id = id.trim().parse().map_err(std::io::Error::other)?;
        Ok(Identity { id, epoch: 1 })
    }

    /// The same cluster from now on, whatever agents remember of the time before; `now` is the time in
    /// seconds, which keeps the epochs of two restores of one backup apart.
    #[must_use]
    pub fn renewed(&self, now: u64) -> Self {
        Identity {
            id: self.id.clone(),
            epoch: now.max(self.epoch + 1),
        }
    }
}

/// What an agent remembers of its store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub identity: Identity,
    /// The highest revision that was seen.
    pub revision: u64,
}

/// What a reading of the policy says of the store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is this cluster's, and not older than what was seen.
    Same,
    /// It has this identity, and counts from now on: nothing else is known, or an administrator said so.
    Counts(Identity),
    /// It has none, and none is known.
    Nobodys,
    /// It does not count; why, a fragment.
    Foreign(String),
}

/// Judges a reading of the policy; `seen` is the highest revision that was seen before it began.
pub(super) fn judge(known: Option<&Identity>, seen: u64, range: &Range) -> Verdict {
    let entry = range.entries.iter().find(|entry| entry.key == IDENTITY);
    let Some(entry) = entry else {
        return match known {
            None => Verdict::Nobodys,
            Some(known) => Verdict::Foreign(format!(
                "it has no id, and this node's cluster has {}: it was emptied, or is another store",
                known.id
            )),
        };
    };
    let Ok(found) = Stored::<Identity>::read(entry) else {
        // It is named as what it is; the revision is judged all the same.
        return match known {
            Some(_) if range.revision < seen => Verdict::Foreign(set_back(range.revision, seen)),
            _ => Verdict::Same,
        };
    };
    let found = found.value;
    let Some(known) = known else {
        return Verdict::Counts(found);
    };
    if found.id != known.id {
        return Verdict::Foreign(format!(
            "it is of the cluster with the id {}, and this node's cluster has {}",
            found.id, known.id
        ));
    }
    if found.epoch > known.epoch {
        return Verdict::Counts(found);
    }
    if found.epoch < known.epoch || range.revision < seen {
        return Verdict::Foreign(set_back(range.revision, seen));
    }
    Verdict::Same
}

fn set_back(revision: u64, seen: u64) -> String {
    format!(
        "it is at revision {revision}, and this node has seen revision {seen}: an older state was restored"
    )
}

#[cfg(test)]
mod tests;
