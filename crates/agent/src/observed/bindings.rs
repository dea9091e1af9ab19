//! Which adapters of this node the intents have. An intent names adapters; they are resolved once and recorded, so
//! that an adapter stays the same one when its name changes.

use std::collections::BTreeMap;

use accelnet_model::adapter::Identity;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Adapter, Code, Intent, Problem};

use super::Snapshot;
use crate::policy::PolicyStore;

/// The recorded adapters of each intent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bindings(BTreeMap<String, Vec<BoundAdapter>>);

impl Bindings {
    /// Reads what is recorded.
    pub fn read(policies: &PolicyStore) -> Result<Self, Problem> {
        Ok(Bindings(policies.all_bound()?.into_iter().collect()))
    }

    /// The recorded adapters of an intent.
    pub fn of(&self, intent: &str) -> &[BoundAdapter] {
        self.0.get(intent).map_or(&[], Vec::as_slice)
    }

    /// All intents that have adapters recorded.
    pub fn all(&self) -> impl Iterator<Item = (&str, &[BoundAdapter])> {
        let all = self.0.iter();
        all.map(|(intent, bound)| (intent.as_str(), bound.as_slice()))
    }

    /// The recorded adapters of an intent; none where it names others now.
    pub fn recorded(&self, intent: &Intent) -> Option<&[BoundAdapter]> {
        let bound = self.0.get(intent.name.as_str())?;
        let names = bound.iter().map(|bound| &bound.name);
        names.eq(&intent.adapters).then_some(bound)
    }

    /// The adapters of an intent: as they are recorded, or resolved by their names.
    pub fn adapters(
        &self,
        intent: &Intent,
        snapshot: &Snapshot,
    ) -> Result<Vec<BoundAdapter>, Problem> {
        match self.recorded(intent) {
            Some(bound) => Ok(bound.to_vec()),
            None => self.resolve(intent, snapshot),
        }
    }

    /// Resolves the names of an intent's adapters.
    pub fn resolve(
        &self,
        intent: &Intent,
        snapshot: &Snapshot,
    ) -> Result<Vec<BoundAdapter>, Problem> {
        let identities: Vec<Identity> = snapshot.adapters().iter().map(Adapter::identity).collect();
        let mut bound: Vec<BoundAdapter> = Vec::new();
        for name in &intent.adapters {
            let address = accelnet_rules::naming::find(name, &identities)?;
            let identity = identities.iter().find(|one| one.address == address);
            let mac = identity.and_then(|one| one.links.iter().find_map(|link| link.permanent_mac));
            let other = self.0.iter().find(|(other, adapters)| {
                **other != intent.name
                    && identity.is_some_and(|one| adapters.iter().any(|bound| bound.is(one)))
            });
            accelnet_rules::intent::adapter_is_free(name, other.map(|(name, _)| name.as_str()))?;
            if bound.iter().any(|other| other.address == address) {
                let found = format!("{name} is another name of an adapter that is already listed.");
                return Err(Problem::new(Code::IntentInvalid, &[&intent.name], found));
            }
            bound.push(BoundAdapter {
                name: name.clone(),
                mac,
                address,
            });
        }
        Ok(bound)
    }

    /// Records the adapters of an intent, or with none removes the record.
    pub fn record(
        &mut self,
        policies: &PolicyStore,
        intent: &str,
        adapters: Option<&[BoundAdapter]>,
    ) -> Result<(), Problem> {
        policies.bind(intent, adapters)?;
        match adapters {
            Some(adapters) => self.0.insert(intent.to_owned(), adapters.to_vec()),
            None => self.0.remove(intent),
        };
        Ok(())
    }
}
