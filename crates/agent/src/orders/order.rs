//! An order as it is in the store.

use std::sync::Arc;

use accelnet_api::types::{
    Origin, SubjectOutcome, VmChange, VmChanged, VmDisable, VmEnable, VmResult, VmSet,
};
use accelnet_api::{Caller, Role};
use accelnet_model::{Code, NodeName, Problem, Uuid};
use accelnet_store::{
    Commit, Document, Entry, LeaseId, MAX_TXN_BYTES, Store, StoreError, Stored, Txn, Unreadable,
    Watch, renamed,
};
use serde::{Deserialize, Serialize};

use crate::journal::{Word, short_outcome};

/// VMs of an order at most: its answer fits into one value.
pub(super) const MOST_VMS: usize = 500;
/// Bytes of an answer with everything in it; a longer one goes without its views.
const ANSWER: usize = MAX_TXN_BYTES / 2;
/// Longest name of a caller, in bytes.
const NAME: usize = 1024;
/// How often a transaction on an order is repeated because the order changed.
const TURNS: u32 = 8;

/// A request for VMs that the agent of another node carries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Node that was asked.
    pub asker: NodeName,
    /// Name of the caller.
    pub who: String,
    /// Role of the caller.
    pub role: Role,
    /// The door that the caller used on the asker.
    pub from: Origin,
    /// The request; it names VMs by their UUIDs.
    pub request: OrderedChange,
    /// How far it is.
    pub state: State,
}

/// What is asked for the VMs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OrderedChange {
    /// Accelerate them.
    Enable(VmEnable),
    /// Change their settings.
    Set(VmSet),
    /// Move them to their software path.
    Disable(VmDisable),
}

/// How far an order is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Written, and to be taken.
    Waiting,
    /// The node carries it out.
    Taken,
    /// Carried out, and its event is recorded with these outcomes.
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
        if self.who.is_empty() || self.who.len() > NAME {
            return Err(format!("its caller has a name of {} bytes", self.who.len()));
        }
        let names = self.request.names();
        if !(1..=MOST_VMS).contains(&names.len()) {
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

/// Whether `key` is one of an order.
pub(crate) fn is_order(key: &str) -> bool {
    let mut parts = key.splitn(4, '/');
    parts.next() == Some("nodes") && parts.nth(1) == Some("orders")
}

/// Why the order in `entry` cannot be read; none when it can.
pub(crate) fn judge(entry: &Entry) -> Option<Unreadable> {
    Stored::<Order>::read_or_why(entry).err()
}

impl OrderedChange {
    /// `change`, for the VMs with these UUIDs.
    pub fn of(change: &VmChange, vms: &[Uuid]) -> Self {
        let names: Vec<String> = vms.iter().map(ToString::to_string).collect();
        match change {
            VmChange::Enable(one) => OrderedChange::Enable(VmEnable {
                names,
                ..one.clone()
            }),
            VmChange::Set(one) => OrderedChange::Set(VmSet {
                names,
                ..one.clone()
            }),
            VmChange::Disable(one) => OrderedChange::Disable(VmDisable {
                names,
                ..one.clone()
            }),
        }
    }

    /// The same as a local request has it.
    pub fn as_change(&self) -> VmChange {
        match self {
            OrderedChange::Enable(one) => VmChange::Enable(one.clone()),
            OrderedChange::Set(one) => VmChange::Set(one.clone()),
            OrderedChange::Disable(one) => VmChange::Disable(one.clone()),
        }
    }

    /// UUIDs of its VMs.
    pub fn names(&self) -> &[String] {
        match self {
            OrderedChange::Enable(one) => &one.names,
            OrderedChange::Set(one) => &one.names,
            OrderedChange::Disable(one) => &one.names,
        }
    }

    /// Whether it changes nothing.
    pub fn is_dry_run(&self) -> bool {
        match self {
            OrderedChange::Enable(one) => one.dry_run,
            OrderedChange::Set(one) => one.dry_run,
            OrderedChange::Disable(one) => one.dry_run,
        }
    }
}

impl Order {
    /// The caller, as the audit of the node that carries it out has it.
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
        if self.role >= needs || self.request.is_dry_run() {
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
    /// What is answered, as far as it fits into the store.
    pub fn of(done: Result<VmChanged, Problem>) -> Self {
        let mut changed = match done {
            Ok(changed) => changed,
            Err(problem) => return Reply::Refused(problem),
        };
        let length = |changed: &VmChanged| serde_json::to_vec(changed).map_or(0, |json| json.len());
        if length(&changed) > ANSWER {
            for result in &mut changed.results {
                result.vm = None;
                result.steps = Vec::new();
            }
        }
        Reply::Changed(changed)
    }

    /// What is answered when only the outcomes are known.
    pub fn of_outcomes(outcomes: &[SubjectOutcome]) -> Self {
        let result = |one: &SubjectOutcome| VmResult {
            name: one.subject.clone(),
            node: None,
            ok: one.ok,
            message: one.message.clone(),
            waits_for_restart: false,
            unchanged: false,
            vm: None,
            problem: (!one.ok).then(|| {
                let code = one.code.unwrap_or(Code::NotVerified);
                Problem::new(code, &[&one.subject], one.message.clone())
            }),
            warnings: Vec::new(),
            steps: Vec::new(),
        };
        Reply::Changed(VmChanged {
            ok: outcomes.iter().all(|one| one.ok),
            results: outcomes.iter().map(result).collect(),
        })
    }
}

/// An order as it was found.
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
    /// Reads an entry; none when it is no order that can be carried out. An order without a lease is no agent's.
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

/// The orders in the store, as one node has them.
#[derive(Clone)]
pub(crate) struct Orders {
    store: Arc<dyn Store>,
    node: String,
}

/// What the keys of the orders of a node begin with.
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

    /// The keys of the orders of this node, and the store's revision.
    pub fn keys(&self) -> Result<(Vec<String>, u64), StoreError> {
        let range = self.store.range(&orders_of(&self.node))?;
        let keys = range.entries.into_iter().map(|entry| entry.key);
        Ok((keys.collect(), range.revision))
    }

    /// Watches the orders of this node from a revision on.
    pub fn watch(&self, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.store.watch(&orders_of(&self.node), from)
    }

    /// The order at `key`; none when it is gone or cannot be read.
    pub fn held(&self, key: &str) -> Result<Option<Held>, StoreError> {
        Ok(self.store.get(key)?.as_ref().and_then(Held::of))
    }

    /// Brings an order to its next state; the order then, or none when it changed meanwhile or is gone.
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

    /// Answers an order, unless it is gone.
    pub fn answer(&self, key: &str, reply: &Reply) -> Result<(), StoreError> {
        for _ in 0..TURNS {
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

    /// Adds to `txn`, which records the event of a request, the outcomes of its order.
    pub fn record(&self, txn: Txn, id: &Uuid, word: Option<&Word>) -> Result<Txn, StoreError> {
        let held = self.held(&self.key(id))?;
        let Some(held) = held.filter(|held| held.order.state == State::Taken) else {
            return Ok(txn);
        };
        let order = Order {
            state: State::Recorded(word.map(outcomes_of).unwrap_or_default()),
            ..held.order.clone()
        };
        stepped(txn, &held, &order)
    }

    /// Whether an order has no caller any more: its lease ended, or it was removed.
    pub fn is_gone(&self, id: &Uuid) -> bool {
        matches!(self.store.get(&self.key(id)), Ok(None))
    }

    /// Answers an order whose outcomes are recorded, and of which nothing more is known.
    pub fn answer_recorded(&self, id: &Uuid) -> Result<(), StoreError> {
        let key = self.key(id);
        match self.held(&key)?.map(|held| held.order.state) {
            Some(State::Recorded(outcomes)) => self.answer(&key, &Reply::of_outcomes(&outcomes)),
            _ => Ok(()),
        }
    }
}

/// `txn` with an order in its next state, if it is as `held` has it.
fn stepped(txn: Txn, held: &Held, order: &Order) -> Result<Txn, StoreError> {
    txn.check(&held.key, held.mod_revision)
        .put_json_leased(&held.key, order, held.lease)
}

/// The outcomes that an event has.
fn outcomes_of(word: &Word) -> Vec<SubjectOutcome> {
    match word.outcomes.is_empty() {
        false => word.outcomes.iter().map(short_outcome).collect(),
        true => vec![short_outcome(&SubjectOutcome {
            subject: word.subject.clone(),
            ok: word.code.is_none(),
            message: word.message.clone(),
            code: word.code,
        })],
    }
}
