//! A request for VMs that a node is in the middle of. It stands in the store from its first decision until its
//! event is recorded, so that the agent that goes on after an interruption records that event, once.

use std::sync::PoisonError;

use accelnet_api::Role;
use accelnet_api::types::{Origin, SubjectOutcome};
use accelnet_model::{Performance, Problem, Uuid, VfChoice};
use accelnet_store::{Document, MAX_TXN_BYTES, Txn};
use serde::{Deserialize, Serialize};

use super::{Change, Ends, Policy, PolicyStore, store_failed};

/// What is asked for VMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Accelerate them.
    Enable,
    /// Change their settings.
    Set,
    /// Take them back to their software path.
    Disable,
}

/// A request for VMs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked.
    pub asked: Asked,
    /// Who asks.
    pub who: String,
    /// With which role.
    pub role: Option<Role>,
    /// From where.
    pub from: Option<Origin>,
    /// What the VMs get; none keeps what they have.
    pub performance: Option<Performance>,
    /// The same of trust.
    pub trust: Option<VfChoice>,
    /// The same of the spoof check.
    pub spoof_check: Option<VfChoice>,
    /// The VMs that are changed.
    pub vms: Vec<Uuid>,
    /// Names that were refused before: the first ones.
    pub refused: Vec<SubjectOutcome>,
    /// How many more were.
    pub more_refused: usize,
    /// The order of another node that it is carried out for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Uuid>,
}

impl Document for Request {
    const KIND: &'static str = "a request for VMs";
    const FORMAT: u32 = 1;
    const MOST_BYTES: usize = MAX_TXN_BYTES;
}

impl PolicyStore {
    /// The request for VMs that this node is in the middle of.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn request(&self) -> Result<Option<Request>, Problem> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let request = match own.request.take() {
            Some(known) => known,
            None => {
                let all = self.read_own::<Request, _>(&self.request_key(), |request| request)?;
                all.into_values().next()
            }
        };
        Ok(own.request.insert(request).clone())
    }

    /// Makes the first changes of a request as [`PolicyStore::change`] does, the first ones together with the
    /// request itself.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn decide(
        &self,
        policy: &Policy,
        changes: &[Change],
        judged: bool,
        request: &Request,
    ) -> Result<bool, Problem> {
        let first = Txn::new().put_json(self.request_key(), request);
        let done = first.and_then(|first| {
            let ends = Ends {
                first,
                last: Txn::new(),
            };
            self.try_change(policy, changes, judged, ends)
        });
        // Where not all of it was done, it is read what is there.
        self.know_request(matches!(done, Ok(true)).then(|| Some(request.clone())));
        done.map_err(|error| store_failed(&error))
    }

    /// Makes the last changes of a request, the last ones together with `txn`, which records its event: then
    /// the request is over.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn conclude(&self, policy: &Policy, changes: &[Change], txn: Txn) -> Result<bool, Problem> {
        let ends = Ends {
            first: Txn::new(),
            last: txn.delete(self.request_key()),
        };
        let done = self.try_change(policy, changes, false, ends);
        match done {
            Ok(true) => self.know_request(Some(None)),
            Ok(false) => {}
            Err(_) => self.know_request(None),
        }
        done.map_err(|error| store_failed(&error))
    }

    fn know_request(&self, known: Option<Option<Request>>) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.request = known;
    }

    fn request_key(&self) -> String {
        format!("nodes/{}/request", self.node)
    }
}
