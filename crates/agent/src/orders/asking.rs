//! Changes of VMs on other nodes, asked for by the agent of this node.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use accelnet_api::types::{EventKind, VmChange, VmChanged, VmResult, VmView};
use accelnet_api::{Answer, Caller, Service, answered};
use accelnet_host::Clock;
use accelnet_model::{Code, NodeName, Problem};
use accelnet_store::{Close, LeaseId, Store};
use tokio::sync::oneshot;

use super::order::{MOST_VMS, Order, OrderedChange, State};
use super::parting::{Parts, mean_one_of, named, names_of, refused, uuids, with_names};
use super::round::{Answered, Round, Wanted, prefix_of};
use super::{ANSWER_WITHIN, TAKE_WITHIN, not_taken};
use crate::cluster::OwnLease;
use crate::cluster::nodes::Nodes;
use crate::journal::{Journal, Word};
use crate::policy::{Asked, store_failed};
use crate::service::Agent;

/// Requests of one caller for one node that wait at once.
const MOST_WAITING: usize = 8;

/// How long an order may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Until it is taken.
    pub take: Duration,
    /// From then until it is answered.
    pub answer: Duration,
}

/// Requests that wait, by node and caller.
type Counts = Arc<Mutex<BTreeMap<(String, String), usize>>>;

/// What writes orders for other nodes, in the name of this one.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(super) store: Arc<dyn Store>,
    pub(super) node: NodeName,
    pub(super) nodes: Nodes,
    pub(super) clock: Arc<dyn Clock + Send + Sync>,
    pub(super) times: Times,
    lease: OwnLease,
    counts: Counts,
}

/// A place among the requests that wait.
struct Slot {
    counts: Counts,
    key: (String, String),
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        let left = counts.get(&self.key).map_or(0, |count| count - 1);
        match left {
            0 => drop(counts.remove(&self.key)),
            left => drop(counts.insert(self.key.clone(), left)),
        }
    }
}

/// Ends the waiting for orders when the caller does not wait any more.
struct HangUp(Arc<dyn Close>);

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// VMs of one node, and what became of the order for them.
struct Part {
    node: String,
    vms: Vec<VmView>,
    answered: Answered,
}

impl Asker {
    /// Orders of the node called `node` in `store`, bound to `lease`.
    pub fn new(
        store: Arc<dyn Store>,
        node: NodeName,
        lease: OwnLease,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> Self {
        Asker {
            nodes: Nodes::new(store.clone(), node.as_str()),
            store,
            node,
            clock,
            times: Times {
                take: TAKE_WITHIN,
                answer: ANSWER_WITHIN,
            },
            lease,
            counts: Counts::default(),
        }
    }

    /// The lease that orders are bound to.
    pub(super) fn lease(&self) -> Result<LeaseId, Problem> {
        self.lease.get().flatten().ok_or_else(|| {
            let found = format!("The agent of {} has no lease in the store now.", self.node);
            Problem::new(Code::NodeCutOff, &[], found)
        })
    }

    /// What is known of a node, a sentence.
    pub(super) fn state_of(&self, node: &str) -> String {
        let all = self.nodes.all().unwrap_or_default();
        match all.into_iter().find(|one| one.name == node) {
            None => format!("{node} is not a node of the cluster any more."),
            Some(one) => match one.down_since {
                Some(since) => format!(
                    "{node} has sent no heartbeat since {since}: it is down or cut off from the store."
                ),
                None => format!("{node} is up; its agent is busy."),
            },
        }
    }

    /// That a node did not take an order in time.
    pub(super) fn not_taken(&self, node: &str) -> Problem {
        not_taken(node, &self.state_of(node))
    }

    /// A place for one more request of `who` for `node`.
    fn slot(&self, node: &str, who: &str) -> Result<Slot, Problem> {
        let key = (node.to_owned(), who.to_owned());
        let mut counts = lock(&self.counts);
        let count = counts.entry(key.clone()).or_default();
        if *count >= MOST_WAITING {
            let found = format!("{MOST_WAITING} requests of {who} wait for {node} already.");
            return Err(Problem::new(Code::AgentBusy, &[], found));
        }
        *count += 1;
        Ok(Slot {
            counts: self.counts.clone(),
            key,
        })
    }

    /// Why nothing can be asked of a node now; none when it is up.
    fn refusal(&self, node: &str) -> Result<Option<Problem>, Problem> {
        let all = self.nodes.all()?;
        let known = all.into_iter().find(|one| one.name == node);
        let since = known.map(|one| one.down_since);
        let found = match since {
            Some(None) => return Ok(None),
            Some(Some(since)) => {
                format!("No heartbeat since {since}; nothing was changed.")
            }
            None => "It is no longer a node of the cluster; nothing was changed.".to_owned(),
        };
        Ok(Some(Problem::new(Code::NodeDown, &[node], found)))
    }

    /// Writes the orders of a request from a thread of its own, and waits for their answers. When the answer is
    /// dropped, orders that are not taken are withdrawn.
    fn order(
        &self,
        who: &Caller,
        change: &VmChange,
        others: BTreeMap<String, Vec<VmView>>,
    ) -> Result<impl Future<Output = Vec<Part>> + Send + use<>, Problem> {
        let mut parts = Vec::new();
        let mut wanted = Vec::new();
        let mut slots = Vec::new();
        for (node, vms) in others {
            let slot = match self.refusal(&node)? {
                Some(problem) => Err(problem),
                None => self.slot(&node, &who.name),
            };
            match slot {
                Err(problem) => parts.push(Part {
                    node,
                    vms,
                    answered: Err(problem),
                }),
                Ok(slot) => {
                    slots.push(slot);
                    let some = vms.chunks(MOST_VMS).map(<[VmView]>::to_vec);
                    wanted.extend(some.map(|vms| (self.wanted(who, change, &node, &vms), vms)));
                }
            }
        }
        let (sender, receiver) = oneshot::channel();
        let (wanted, vms): (Vec<Wanted>, Vec<Vec<VmView>>) = wanted.into_iter().unzip();
        let nodes: Vec<String> = wanted.iter().map(|one| one.node.clone()).collect();
        let hang_up = match wanted.is_empty() {
            true => None,
            false => Some(self.begin(wanted, sender)?),
        };
        Ok(async move {
            let _slots = slots;
            if let Some(hang_up) = hang_up {
                let answers = receiver.await.unwrap_or_default();
                drop(hang_up);
                let answered = nodes.into_iter().zip(vms).zip(answers);
                parts.extend(answered.map(|((node, vms), answered)| Part {
                    node,
                    vms,
                    answered,
                }));
            }
            parts
        })
    }

    fn wanted(&self, who: &Caller, change: &VmChange, node: &str, vms: &[VmView]) -> Wanted {
        Wanted {
            node: node.to_owned(),
            order: Order {
                asker: self.node.clone(),
                who: who.name.clone(),
                role: who.role,
                from: who.from.clone(),
                request: OrderedChange::of(change, &uuids(vms)),
                state: State::Waiting,
            },
        }
    }

    fn begin(
        &self,
        wanted: Vec<Wanted>,
        sender: oneshot::Sender<Vec<Answered>>,
    ) -> Result<HangUp, Problem> {
        let nodes: Vec<&str> = wanted.iter().map(|one| one.node.as_str()).collect();
        let watch = self.store.watch(&prefix_of(&nodes), 0);
        let watch = watch.map_err(|error| store_failed(&error))?;
        let hang_up = HangUp(watch.closer());
        let round = Round::new(self.clone(), watch);
        let asking = thread::Builder::new().name("orders out".to_owned());
        let asking = asking.spawn(move || drop(sender.send(round.run(&wanted))));
        asking.map_err(|error| {
            let found = format!("No thread could be created to wait for other nodes: {error}.");
            Problem::new(Code::AgentBusy, &[], found)
        })?;
        Ok(hang_up)
    }
}

impl Agent {
    /// Changes VMs, each on the node that has it.
    pub(crate) fn change_vms(
        &self,
        who: &Caller,
        node: Option<&str>,
        change: &VmChange,
    ) -> Answer<VmChanged> {
        let asker = match &self.asker {
            Some(asker) if self.cut_off().is_none() => asker,
            // A store of its own has no other nodes, and one that is away has no orders.
            _ => return self.change_own_vms(who, node, change),
        };
        let parts = match self.parted(asker, node, change) {
            Ok(Some(parts)) => parts,
            Ok(None) => return self.change_own_vms(who, node, change),
            Err(problem) => return answered(Err(problem)),
        };
        match self.change_parts(asker, who, change, parts) {
            Ok(answer) => answer,
            Err(problem) => answered(Err(problem)),
        }
    }

    fn change_own_vms(
        &self,
        who: &Caller,
        node: Option<&str>,
        change: &VmChange,
    ) -> Answer<VmChanged> {
        if let Err(problem) = node.map_or(Ok(()), |node| self.known(node)) {
            return answered(Err(problem));
        }
        let change = change.clone();
        let own_only = node.is_some();
        self.ask_for(who, move |core, who| match own_only {
            true => core.change_own_vms(who, &change),
            false => core.change_vms(who, &change),
        })
    }

    /// The parts of a request; none when all of it is for this node.
    fn parted(
        &self,
        asker: &Asker,
        node: Option<&str>,
        change: &VmChange,
    ) -> Result<Option<Parts>, Problem> {
        let own = asker.node.as_str();
        let names = names_of(change);
        match node {
            Some(node) if node == own => return Ok(None),
            Some(node) => self.known(node)?,
            None => {
                let reports = self.reports.shared()?;
                let others = reports.iter().filter(|report| report.node != own);
                if !mean_one_of(names, others.flat_map(|report| &report.vms)) {
                    return Ok(None);
                }
            }
        }
        let vms = self.vms(node)?;
        let mut parts = Parts::of(names, &vms, own);
        if let Some(node) = node {
            parts.refuse_unknown(node, &vms);
        }
        Ok(Some(parts).filter(|parts| !parts.is_own()))
    }

    fn change_parts(
        &self,
        asker: &Asker,
        who: &Caller,
        change: &VmChange,
        mut parts: Parts,
    ) -> Result<Answer<VmChanged>, Problem> {
        let own = std::mem::take(&mut parts.own);
        let others = std::mem::take(&mut parts.others);
        let only = own.is_empty() && parts.has_no_refused() && others.len() == 1;
        let there = asker.order(who, change, others)?;
        let here = (!own.is_empty()).then(|| {
            let change = with_names(change, own.clone());
            self.ask_for(who, move |core, who| core.change_vms(who, &change))
        });
        let audit = Audit::of(self, who, change);
        let own_node = asker.node.to_string();
        Ok(Box::pin(async move {
            let mut results: Vec<VmResult> = Vec::new();
            if let Some(here) = here {
                results.extend(match here.await {
                    Ok(changed) => changed.results,
                    Err(problem) => own
                        .iter()
                        .map(|name| refused_on(&own_node, name, &problem))
                        .collect(),
                });
            }
            let there = there.await;
            audit.record(&there);
            if let (
                [
                    Part {
                        answered: Err(problem),
                        ..
                    },
                ],
                true,
            ) = (there.as_slice(), only)
            {
                return Err(problem.clone());
            }
            results.extend(there.into_iter().flat_map(Part::results));
            Ok(parts.answer(results))
        }))
    }
}

/// Who asked for what, for the record of what no other node records.
struct Audit {
    journal: Journal,
    clock: Arc<dyn Clock + Send + Sync>,
    who: Caller,
    what: Asked,
    is_dry_run: bool,
}

impl Audit {
    fn of(agent: &Agent, who: &Caller, change: &VmChange) -> Self {
        let (what, is_dry_run) = match change {
            VmChange::Enable(one) => (Asked::Enable, one.dry_run),
            VmChange::Set(one) => (Asked::Set, one.dry_run),
            VmChange::Disable(one) => (Asked::Disable, one.dry_run),
        };
        Audit {
            journal: agent.journal.clone(),
            clock: agent.clock.clone(),
            who: who.clone(),
            what,
            is_dry_run,
        }
    }

    /// Records each order that its node did not answer; what a node refuses it records itself.
    fn record(&self, parts: &[Part]) {
        let unanswered = |problem: &Problem| {
            matches!(
                problem.code,
                Code::NodeDown
                    | Code::NodeCutOff
                    | Code::RequestNotTaken
                    | Code::RequestUnanswered
                    | Code::AgentBusy
            )
        };
        for part in parts.iter().filter(|_| !self.is_dry_run) {
            if let Err(problem) = &part.answered
                && unanswered(problem)
            {
                let word = self.word(part, problem);
                self.journal.tell(&self.clock.now(), word);
            }
        }
    }

    fn word(&self, part: &Part, problem: &Problem) -> Word {
        let first = part.vms.first().map_or("cluster", |vm| vm.name.as_str());
        let subject = match part.vms.len() {
            0 | 1 => first.to_owned(),
            several => format!("{first} and {} more", several - 1),
        };
        let (kind, word) = match problem.code {
            Code::RequestUnanswered => (EventKind::Failed, "Failed"),
            _ => (EventKind::Refused, "Refused"),
        };
        let (what, _) = self.what.of_all();
        let message = format!(
            "{word}: {what} {subject} on node {}: {} {}",
            part.node, problem.message, problem.found
        );
        Word {
            who: Some(self.who.name.clone()),
            role: Some(self.who.role),
            from: Some(self.who.from.clone()),
            code: Some(problem.code),
            ..Word::of(kind, &subject, message)
        }
    }
}

fn refused_on(node: &str, name: &str, problem: &Problem) -> VmResult {
    VmResult {
        node: Some(node.to_owned()),
        ..refused(name, None, problem)
    }
}

impl Part {
    fn results(self) -> Vec<VmResult> {
        match self.answered {
            Ok(changed) => named(changed.results, &self.node, &self.vms),
            Err(problem) => {
                let vms = self.vms.iter();
                vms.map(|vm| refused(&vm.name, Some(vm), &problem))
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests;
