//! The agent as its API sees it: what changes goes to the mind, what only looks is answered
//! from the newest picture and the store.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use accelnet_api::types::*;
use accelnet_api::{Caller, Service};
use accelnet_host::Clock;
use accelnet_model::{Code, Node, Problem};

use crate::core::settle::vms_unknown;
use crate::core::{intents, management};
use crate::destinations;
use crate::journal::Journal;
use crate::mind::Inbox;
use crate::policy::PolicyStore;
use crate::report::Reports;
use crate::view::Picture;

/// An agent that can be asked.
pub struct Agent {
    pub(crate) inbox: Inbox,
    pub(crate) picture: Arc<RwLock<Arc<Picture>>>,
    pub(crate) policies: PolicyStore,
    pub(crate) reports: Reports,
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock + Send + Sync>,
}

impl Agent {
    fn picture(&self) -> Arc<Picture> {
        self.picture
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Has the mind do something.
    fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut crate::core::Core) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.inbox.ask(what).unwrap_or_else(|| {
            Err(Problem::new(
                Code::AgentUnreachable,
                &["its socket"],
                "The agent is ending.",
            ))
        })
    }
}

impl Service for Agent {
    fn status(&self) -> Result<Status, Problem> {
        let policy = self.policies.read()?;
        management::status(&policy, &self.reports, &self.picture(), self.clock.uptime())
    }

    fn node(&self) -> Result<Node, Problem> {
        Ok(self.picture().node.clone())
    }

    fn prereq(&self, intent: Option<&str>) -> Result<PrereqAnswer, Problem> {
        let intent = intent.map(str::to_owned);
        self.ask(move |core| core.prereq(intent.as_deref()))
    }

    fn enable(&self, who: &Caller, request: &Enable) -> Result<ManagementChanged, Problem> {
        let (who, request) = (who.name.clone(), request.clone());
        self.ask(move |core| core.enable(&who, &request))
    }

    fn set(&self, who: &Caller, request: &Set) -> Result<ManagementChanged, Problem> {
        let (who, request) = (who.name.clone(), request.clone());
        self.ask(move |core| core.set(&who, &request))
    }

    fn disable(&self, who: &Caller, dry_run: bool) -> Result<ManagementChanged, Problem> {
        let who = who.name.clone();
        self.ask(move |core| core.disable(&who, dry_run))
    }

    fn intents(&self) -> Result<Vec<IntentView>, Problem> {
        let policy = self.policies.read()?;
        Ok(intents::views(&policy, &self.reports.all()?))
    }

    fn intent_add(&self, who: &Caller, request: &IntentAdd) -> Result<IntentChanged, Problem> {
        let (who, request) = (who.name.clone(), request.clone());
        self.ask(move |core| core.add_intent(&who, &request))
    }

    fn intent_set(
        &self,
        who: &Caller,
        name: &str,
        request: &IntentSet,
    ) -> Result<IntentChanged, Problem> {
        let (who, name, request) = (who.name.clone(), name.to_owned(), request.clone());
        self.ask(move |core| core.set_intent(&who, &name, &request))
    }

    fn intent_remove(
        &self,
        who: &Caller,
        name: &str,
        dry_run: bool,
    ) -> Result<IntentChanged, Problem> {
        let (who, name) = (who.name.clone(), name.to_owned());
        self.ask(move |core| core.remove_intent(&who, &name, dry_run))
    }

    fn vms(&self) -> Result<Vec<VmView>, Problem> {
        let picture = self.picture();
        match picture.node.domains.reason() {
            None => {
                let policy = self.policies.read()?;
                let mut vms = picture.report.vms.clone();
                destinations::tell(&mut vms, &picture.node, &policy, &self.reports.all()?);
                Ok(vms)
            }
            Some(reason) => Err(vms_unknown(&picture.report.node, reason)),
        }
    }

    fn vms_change(&self, who: &Caller, change: &VmChange) -> Result<VmChanged, Problem> {
        let (who, change) = (who.name.clone(), change.clone());
        self.ask(move |core| core.change_vms(&who, &change))
    }

    fn plan(&self) -> Result<PlanAnswer, Problem> {
        self.ask(crate::core::Core::plan)
    }

    fn events(&self, after: u64, limit: usize, wait: Duration) -> Result<Events, Problem> {
        let mut events = self.journal.since(after, limit)?;
        if events.is_empty() && !wait.is_zero() {
            self.journal.wait(wait);
            events = self.journal.since(after, limit)?;
        }
        Ok(Events { events })
    }

    fn adapters_change(
        &self,
        who: &Caller,
        change: &AdaptersChange,
    ) -> Result<AdaptersChanged, Problem> {
        let (who, change) = (who.name.clone(), change.clone());
        self.ask(move |core| core.change_adapters(&who, &change))
    }
}
