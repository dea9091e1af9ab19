//! An order in the store.

use std::sync::Arc;

use accelnet_api::types::{
    Origin, SubjectOutcome, VmChange, VmChanged, VmDisable, VmEnable, VmResult, VmSet,
};
use accelnet_api::{Caller, Role};
use accelnet_model::{Code, NodeName, Problem, Uuid};
use accelnet_store::{
    Commit, Document, Entry, LeaseId, MAX_TXN_BYTES, Store, StoreError, Stored, Txn, Watch, renamed,
};
use serde::{Deserialize, Serialize};

use super::split::{is_dry_run, names_of, refused};
use crate::journal::{NewEvent, shortened};

/// VMs of an order, so that its answer fits into one value.
pub(super) const MAX_VMS: usize = 500;
/// Bytes of a complete answer; a longer one has no views and steps.
const MAX_ANSWER: usize = MAX_TXN_BYTES / 2;
/// Bytes of the name of a caller.
const MAX_NAME: usize = 1024;
/// How often a transaction on an order is repeated because the order changed.
const ATTEMPTS: u32 = 8;

/// A request for VMs that the agent of another node carries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The node that received the request.
    pub asker: NodeName,
    /// Name of the caller.
    pub who: String,
    /// Role of the caller.
    pub role: Role,
    /// Where the request came from.
    pub from: Origin,
    /// The request; it names VMs by their UUIDs.
    #[serde(with = "StoredChange")]
    pub request: VmChange,
    /// Its state.
    pub state: State,
}

/// The stored form of a change.
#[derive(Serialize, Deserialize)]
#[serde(remote = "VmChange", rename_all = "kebab-case")]
enum StoredChange {
    Enable(VmEnable),
    Set(VmSet),
    Disable(VmDisable),
}

/// The state of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Its node has not taken it.
    Waiting,
    /// Its node carries it out.
    Taken,
    /// Carried out: its event is recorded with these outcomes.
    Recorded(Vec<SubjectOutcome>),
    /// Answered.
    Answered(Reply),
}

/// The answer to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply {
    /// A result for each VM.
    Changed(VmChanged),
    /// Refused as a whole.
    Refused(Problem),
}

impl Document for Order {
    const KIND: &'static str = "an order of another node";
    const FORMAT: u32 = 2;
    const MOST_BYTES: usize = MAX_TXN_BYTES;

    fn agrees(&self, key: &str) -> Result<(), String> {
        id_of(key)?;
        if self.who.is_empty() || self.who.len() > MAX_NAME {
            return Err(format!("its caller has a name of {} bytes", self.who.len()));
        }
        let names = names_of(&self.request);
        if !(1..=MAX_VMS).contains(&names.len()) {
            return Err(format!("it names {} VMs", names.len()));
        }
        match names.iter().find(|name| name.parse::<Uuid>().is_err()) {
            Some(name) => Err(format!("{name:?} is not {}", Uuid::WHAT)),
            None => Ok(()),
        }
    }

    fn upgrade(format: u32, value: serde_json::Value) -> Option<serde_json::Value> {
        (format == 1).then(|| renamed(value, crate::renamed::REPORT))
    }
}

/// The id in the key of an order.
fn id_of(key: &str) -> Result<Uuid, String> {
    let mut parts = key.splitn(4, '/').skip(1);
    let node: Result<NodeName, _> = parts.next().unwrap_or_default().parse();
    node.map_err(|error| error.to_string())?;
    let id: Result<Uuid, _> = parts.nth(1).unwrap_or_default().parse();
    id.map_err(|error| error.to_string())
}

/// Whether `key` is that of an order.
pub(crate) fn is_order(key: &str) -> bool {
    let mut parts = key.splitn(4, '/');
    parts.next() == Some("nodes") && parts.nth(1) == Some("orders")
}

impl Order {
    /// The caller, by way of the asker.
    pub fn caller(&self) -> Caller {
        Caller {
            name: self.who.clone(),
            role: self.role,
            from: Origin {
                node: Some(self.asker.to_string()),
                ..self.from.clone()
            },
        }
    }

    /// Refuses a caller whose role does not permit the change.
    pub fn may(&self) -> Result<(), Problem> {
        let needs = Role::Operator;
        if self.role >= needs || is_dry_run(&self.request) {
            return Ok(());
        }
        let found = format!(
            "The request came from {} by way of {}, with the role {}.",
            self.who, self.asker, self.role
        );
        Err(Problem::new(
            Code::NotAllowed,
            &[&self.who, needs.name()],
            found,
        ))
    }
}

impl Reply {
    /// The answer, shortened to the size of a value.
    pub fn of(done: Result<VmChanged, Problem>) -> Self {
        let mut changed = match done {
            Ok(changed) => changed,
            Err(problem) => return Reply::Refused(problem),
        };
        let length = |changed: &VmChanged| serde_json::to_vec(changed).map_or(0, |json| json.len());
        if length(&changed) > MAX_ANSWER {
            for result in &mut changed.results {
                result.vm = None;
                result.steps = Vec::new();
            }
        }
        Reply::Changed(changed)
    }

    /// The answer if only the outcomes are known.
    pub fn of_outcomes(outcomes: &[SubjectOutcome]) -> Self {
        let result = |one: &SubjectOutcome| {
            let code = one.code.unwrap_or(Code::NotVerified);
            let problem = Problem::new(code, &[&one.subject], one.message.clone());
            VmResult {
                ok: one.ok,
                message: one.message.clone(),
                problem: (!one.ok).then(|| problem.clone()),
                ..refused(&one.subject, None, &problem)
            }
        };
        Reply::Changed(VmChanged {
            ok: outcomes.iter().all(|one| one.ok),
            results: outcomes.iter().map(result).collect(),
        })
    }
}

/// An order as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// Its key.
    pub key: String,
    /// Its id.
    pub id: Uuid,
    /// The order.
    pub order: Order,
    mod_revision: u64,
    lease: LeaseId,
}

impl Held {
    /// Parses an order; none if it cannot be carried out. One without a lease is not from an agent.
    pub fn of(entry: &Entry) -> Option<Self> {
        let order = Stored::<Order>::read(entry).ok()?.value;
        Some(Held {
            key: entry.key.clone(),
            id: id_of(&entry.key).ok()?,
            order,
            mod_revision: entry.mod_revision,
            lease: entry.lease?,
        })
    }
}

/// The orders for one node.
#[derive(Clone)]
pub(crate) struct Orders {
    store: Arc<dyn Store>,
    node: String,
}

/// Prefix of the orders for a node.
pub(crate) fn orders_of(node: &str) -> String {
    format!("nodes/{node}/orders/")
}

impl Orders {
    /// Those in `store` for the node called `node`.
    pub fn new(store: Arc<dyn Store>, node: &str) -> Self {
        Orders {
            store,
            node: node.to_owned(),
        }
    }

    /// Key of an order for this node.
    pub fn key(&self, id: &Uuid) -> String {
        format!("{}{id}", orders_of(&self.node))
    }

    /// The keys of the orders for this node, and the store's revision.
    pub fn keys(&self) -> Result<(Vec<String>, u64), StoreError> {
        let range = self.store.range(&orders_of(&self.node))?;
        let keys = range.entries.into_iter().map(|entry| entry.key);
        Ok((keys.collect(), range.revision))
    }

    /// Watches the orders for this node from a revision on.
    pub fn watch(&self, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.store.watch(&orders_of(&self.node), from)
    }

    /// The order at `key`; none if it was removed or cannot be read.
    pub fn held(&self, key: &str) -> Result<Option<Held>, StoreError> {
        Ok(self.store.get(key)?.as_ref().and_then(Held::of))
    }

    /// Changes the state of an order. Returns the new order; none if it changed meanwhile or was removed.
    pub fn step(&self, held: &Held, state: State) -> Result<Option<Held>, StoreError> {
        let order = Order {
            state,
            ..held.order.clone()
        };
        let txn = stepped(Txn::new(), held, &order)?;
        match self.store.commit(&txn) {
            Ok(Commit::Done { revision }) => Ok(Some(Held {
                order,
                mod_revision: revision,
                ..held.clone()
            })),
            Ok(Commit::Conflict { .. }) | Err(StoreError::LeaseNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Answers an order, unless it was removed.
    pub fn answer(&self, key: &str, reply: &Reply) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let Some(held) = self.held(key)? else {
                return Ok(());
            };
            if matches!(held.order.state, State::Answered(_))
                || self.step(&held, State::Answered(reply.clone()))?.is_some()
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Adds the outcomes of an order to `txn`, which records its event.
    pub fn record(&self, txn: Txn, id: &Uuid, event: Option<&NewEvent>) -> Result<Txn, StoreError> {
        let held = self.held(&self.key(id))?;
        let Some(held) = held.filter(|held| held.order.state == State::Taken) else {
            return Ok(txn);
        };
        let order = Order {
            state: State::Recorded(event.map(outcomes_of).unwrap_or_default()),
            ..held.order.clone()
        };
        stepped(txn, &held, &order)
    }

    /// Whether an order was removed, or its lease ended.
    pub fn is_gone(&self, id: &Uuid) -> bool {
        matches!(self.store.get(&self.key(id)), Ok(None))
    }

    /// Answers an order with its recorded outcomes.
    pub fn answer_recorded(&self, id: &Uuid) -> Result<(), StoreError> {
        let key = self.key(id);
        match self.held(&key)?.map(|held| held.order.state) {
            Some(State::Recorded(outcomes)) => self.answer(&key, &Reply::of_outcomes(&outcomes)),
            _ => Ok(()),
        }
    }
}

/// Adds the new state of an order to `txn`, if it has not changed since `held`.
fn stepped(txn: Txn, held: &Held, order: &Order) -> Result<Txn, StoreError> {
    txn.check(&held.key, held.mod_revision)
        .put_json_leased(&held.key, order, held.lease)
}

/// The outcomes of an event.
fn outcomes_of(event: &NewEvent) -> Vec<SubjectOutcome> {
    match event.outcomes.is_empty() {
        false => event.outcomes.iter().map(shortened).collect(),
        true => vec![shortened(&SubjectOutcome {
            subject: event.subject.clone(),
            ok: event.code.is_none(),
            message: event.message.clone(),
            code: event.code,
        })],
    }
}
