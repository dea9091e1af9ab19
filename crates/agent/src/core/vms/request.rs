//! One request for VMs, and its one event: it is recorded with the last of what came of the VMs, by this agent
//! or, after an interruption, by the one that goes on.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_api::types::{EventKind, SubjectOutcome, VmResult};
use accelnet_model::vf_security::OnOff;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Problem, Uuid, VfSecurityOfVm, VmSetting};

use super::{Core, Seen, TURNS};
use crate::core::asked::Came;
use crate::journal::{MAX_OUTCOMES, NewEvent, shortened};
use crate::policy::{Action, Change, Policy, Request};
use crate::problems::{change_conflict, store_failed};

/// What is known of requests, beside what is in the store.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// Why VMs of one that was gone on with are not as it asks.
    problems: BTreeMap<Uuid, Problem>,
    /// Whether something was decided for the one that is under way: then the store has it.
    pub(super) decided: bool,
    /// Whether the one that is under way covers this node only.
    pub(super) own_only: bool,
}

/// A change of a VM that came to its end.
pub(super) struct Done {
    /// The setting as it was decided.
    pub decided: VmSetting,
    /// What becomes of it.
    pub change: Change,
}

impl Action {
    /// What is asked for one VM, an imperative.
    pub(super) fn of_one(self, name: &str) -> String {
        match self {
            Action::Enable => format!("enable acceleration on {name}"),
            Action::Set => format!("change acceleration on {name}"),
            Action::Disable => format!("disable acceleration on {name}"),
        }
    }

    /// The request for several: an imperative without its object, and their plural.
    pub(crate) fn of_all(self) -> (&'static str, &'static str) {
        let what = match self {
            Action::Enable => "enable acceleration on",
            Action::Set => "change acceleration on",
            Action::Disable => "disable acceleration on",
        };
        (what, "VMs")
    }

    /// What comes of it for a VM with that setting.
    pub(super) fn of(self, setting: &VmSetting) -> String {
        let (what, mac) = (self.of_one(&setting.name), setting.mac);
        match self {
            Action::Disable => format!("{what} (vNIC {mac})"),
            Action::Enable | Action::Set => {
                let security = in_words_of(setting.security);
                format!("{what} ({}, vNIC {mac}{security})", setting.performance)
            }
        }
    }
}

impl Core {
    /// A request of `who` for VMs, with what was refused before.
    pub(super) fn request(
        &self,
        who: &str,
        asked: Action,
        vms: Vec<Uuid>,
        refused: &[SubjectOutcome],
    ) -> Request {
        let first = refused.iter().take(MAX_OUTCOMES);
        Request {
            action: asked,
            who: who.to_owned(),
            role: self.asked_as,
            from: self.asked_from.clone(),
            performance: None,
            trust: None,
            spoof_check: None,
            vms,
            refused: first.map(shortened).collect(),
            more_refused: refused.len().saturating_sub(MAX_OUTCOMES),
            order: self.asked_by_order.clone(),
        }
    }

    /// Records what came of a request, its event, and the outcomes in its order, and ends it. What somebody else
    /// changed meanwhile stays.
    pub(super) fn conclude(
        &self,
        policy: &Policy,
        done: &[Done],
        word: Option<NewEvent>,
        mut order: Option<&Uuid>,
    ) -> Result<(), Problem> {
        let words: Vec<NewEvent> = word.into_iter().collect();
        let now = self.now();
        let mut newer = None;
        for _ in 0..TURNS {
            let policy = newer.as_ref().unwrap_or(policy);
            let own = done
                .iter()
                .filter(|one| policy.vm(&one.decided.uuid) == Some(&one.decided));
            let changes: Vec<Change> = own.map(|one| one.change.clone()).collect();
            let recorded = self.journal.record_with(&now, &words, |mut txn| {
                if let Some(id) = order {
                    let with_order = self.orders.record(txn, id, words.first());
                    txn = with_order.map_err(|error| store_failed(&error))?;
                }
                self.policies.conclude(policy, &changes, txn)
            });
            match recorded {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // The order ended with its lease at this moment.
                Err(_) if order.is_some_and(|id| self.orders.is_gone(id)) => order = None,
                Err(problem) => return Err(problem),
            }
            newer = Some(self.policies.read()?);
        }
        // The next pass ends it.
        Err(change_conflict(&self.name))
    }

    /// Ends the request that an agent before this one, or a store that went away, left open: once all its VMs
    /// are as they stay, or at once if `now`.
    ///
    /// # Errors
    ///
    /// The store cannot be used: the next pass tries again.
    pub(crate) fn end_request(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        now: bool,
    ) -> Result<(), Problem> {
        let Some(request) = self.policies.request()? else {
            return Ok(());
        };
        let under_way = |uuid: &Uuid| {
            let setting = policy.vm(uuid).filter(|vm| vm.node == self.name);
            let under_way = setting.is_some_and(|setting| setting.phase != Phase::Enabled);
            under_way && seen.domain(uuid).is_some()
        };
        if !now && request.vms.iter().any(under_way) {
            return Ok(());
        }
        let vms = request.vms.iter();
        let mut outcomes: Vec<SubjectOutcome> = vms
            .map(|uuid| self.came_of(&request, uuid, policy, seen).outcome())
            .collect();
        outcomes.extend(request.refused);
        let what = request.action.of_all();
        let word = self.asked_for_all(&request.who, what, outcomes, request.more_refused);
        let word = word.map(|word| NewEvent {
            role: request.role,
            from: request.from,
            ..word
        });
        self.conclude(policy, &[], word, request.order.as_ref())?;
        self.requests.problems.clear();
        if let Some(order) = &request.order {
            // What cannot be written now is written when the store answers again.
            drop(self.orders.answer_recorded(order));
        }
        Ok(())
    }

    /// What came of a request for a VM, as it is now.
    fn came_of(&self, request: &Request, uuid: &Uuid, policy: &Policy, seen: &Seen) -> Came {
        let setting = policy.vm(uuid);
        let domain = seen.domain(uuid).map(|domain| &*domain.name);
        let name = domain.or(setting.map(|setting| &*setting.name));
        let subject = name.unwrap_or(uuid.as_str()).to_owned();
        let is_so = match (request.action, setting) {
            (Action::Disable, setting) => setting.is_none(),
            (_, None) => false,
            (_, Some(setting)) => {
                let security = setting.security.with(request.trust, request.spoof_check);
                let performance = request.performance.unwrap_or(setting.performance);
                setting.phase == Phase::Enabled
                    && (setting.performance, setting.security) == (performance, security)
            }
        };
        let problem = (!is_so).then(|| match self.requests.problems.get(uuid) {
            Some(problem) => problem.clone(),
            None => {
                let found = "The agent was interrupted before the change was complete.";
                Problem::new(Code::NotVerified, &[&format!("VM {subject}")], found)
            }
        });
        Came {
            what: match setting {
                Some(setting) if is_so => request.action.of(setting),
                _ => request.action.of_one(&subject),
            },
            subject,
            problem,
        }
    }

    /// The VMs of the request that was left open.
    pub(crate) fn left_open(&self) -> BTreeSet<Uuid> {
        let request = self.policies.request().ok().flatten();
        let vms = request.map(|request| request.vms).unwrap_or_default();
        vms.into_iter().collect()
    }

    /// Records how a change was gone on with: with its request if that was left open, else by itself.
    pub(crate) fn went_on(
        &mut self,
        left_open: &BTreeSet<Uuid>,
        setting: &VmSetting,
        name: &str,
        result: Result<String, Problem>,
    ) {
        let problems = &mut self.requests.problems;
        match (result, left_open.contains(&setting.uuid)) {
            (Ok(_), true) => drop(problems.remove(&setting.uuid)),
            (Err(problem), true) => drop(problems.insert(setting.uuid.clone(), problem)),
            (Ok(message), false) => self.tell(EventKind::Repaired, name, message),
            (Err(problem), false) => self.tell_problem(EventKind::Failed, name, &problem),
        }
    }
}

/// Outcomes of what was refused.
pub(super) fn refused(asked: Action, results: &[VmResult]) -> Vec<SubjectOutcome> {
    let refused = results.iter().filter_map(|result| {
        let problem = Some(result.problem.clone()?);
        let came = Came {
            subject: result.name.clone(),
            what: asked.of_one(&result.name),
            problem,
        };
        Some(came.outcome())
    });
    refused.collect()
}

/// The outcome of what was tried.
pub(super) fn tried(
    asked: Action,
    name: &str,
    setting: &VmSetting,
    problem: Option<&Problem>,
) -> SubjectOutcome {
    let came = Came {
        subject: name.to_owned(),
        what: asked.of(setting),
        problem: problem.cloned(),
    };
    came.outcome()
}

/// What a VM has other than its intent, behind a setting; empty where it has nothing.
fn in_words_of(security: VfSecurityOfVm) -> String {
    let one = |what: &str, on: Option<bool>| {
        on.map_or(String::new(), |on| format!(", {what} {}", OnOff(on)))
    };
    one("trust", security.trust) + &one("spoof check", security.spoof_check)
}
