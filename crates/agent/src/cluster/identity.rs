//! The cluster that a store belongs to, and the age of its state: an agent compares both with its records
//! before it accepts a store.

use accelnet_model::Uuid;
use accelnet_store::{Document, Range, Stored};
use serde::{Deserialize, Serialize};

use crate::files::random_uuid;

/// The key of the identity: below the policy, so that both are read at one revision.
pub(crate) const IDENTITY: &str = "policy/cluster";

/// The identity of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Never changes.
    pub id: Uuid,
    /// Grows when an administrator accepts the state of the store, such as after a restore.
    #[serde(default)]
    pub epoch: u64,
}

impl Document for Identity {
    const KIND: &'static str = "the identity of a cluster";
    const FORMAT: u32 = 1;
    const MOST_BYTES: usize = 4096;
}

impl Identity {
    /// A new, unique one.
    ///
    /// # Errors
    ///
    /// The kernel provides no random number.
    pub fn make() -> std::io::Result<Self> {
        Ok(Identity {
            id: random_uuid()?,
            epoch: 1,
        })
    }

    /// The same cluster with a higher epoch, so that agents accept an older revision. `now`, the time in
    /// seconds, keeps the epochs of two restores of one backup apart.
    #[must_use]
    pub fn renewed(&self, now: u64) -> Self {
        Identity {
            id: self.id.clone(),
            epoch: now.max(self.epoch + 1),
        }
    }
}

/// What an agent records of its store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub identity: Identity,
    /// The highest revision that was observed.
    pub revision: u64,
}

/// What a reading of the policy shows of the store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is this cluster's, and not older than an earlier reading.
    Same,
    /// It is accepted with this identity: none is known, or an administrator accepted it.
    Accepted(Identity),
    /// It has no identity, and none is known.
    Unidentified,
    /// It is not accepted; why, a fragment.
    Foreign(String),
}

/// Judges a reading of the policy; `seen` is the highest revision that was observed before it began.
pub(super) fn judge(known: Option<&Identity>, seen: u64, range: &Range) -> Verdict {
    let entry = range.entries.iter().find(|entry| entry.key == IDENTITY);
    let Some(entry) = entry else {
        return match known {
            None => Verdict::Unidentified,
            Some(known) => Verdict::Foreign(format!(
                "it has no id, and this node's cluster has {}: it was emptied, or is another store",
                known.id
            )),
        };
    };
    let Ok(found) = Stored::<Identity>::read(entry) else {
        // A fault names the unreadable value; the revision is compared all the same.
        return match known {
            Some(_) if range.revision < seen => Verdict::Foreign(set_back(range.revision, seen)),
            _ => Verdict::Same,
        };
    };
    let found = found.value;
    let Some(known) = known else {
        return Verdict::Accepted(found);
    };
    if found.id != known.id {
        return Verdict::Foreign(format!(
            "it is of the cluster with the id {}, and this node's cluster has {}",
            found.id, known.id
        ));
    }
    if found.epoch > known.epoch {
        return Verdict::Accepted(found);
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
