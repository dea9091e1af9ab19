//! What can be asked, as data: the router and the OpenAPI document are made from it.

use crate::Role;
use crate::limits::Chars;

/// Header of an answer that names the node whose agent answers: times of its rows are by the same clock as `Date`.
pub const NODE_HEADER: &str = "accelnet-node";

/// Everything that can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The version of an agent.
    Version,
    /// The OpenAPI document.
    Openapi,
    /// How things stand.
    Status,
    /// What there is to give, and what it has room for.
    Capacity,
    /// The node.
    Node,
    /// The results of the prerequisite checks.
    Prereq,
    /// What would be done now.
    Plan,
    /// What happened.
    Events,
    /// The settings of Accelerated Networking.
    Management,
    /// Enable Accelerated Networking.
    Enable,
    /// Change its settings.
    Set,
    /// Disable Accelerated Networking.
    Disable,
    /// All intents.
    Intents,
    /// What became of all intents.
    IntentStatus,
    /// One intent.
    Intent,
    /// Declare an intent.
    IntentAdd,
    /// Change an intent.
    IntentSet,
    /// Remove an intent.
    IntentRemove,
    /// All VMs.
    Vms,
    /// One VM.
    Vm,
    /// Accelerate VMs.
    VmEnable,
    /// Change accelerated VMs.
    VmSet,
    /// Move VMs to their software path.
    VmDisable,
    /// The adapters of all nodes.
    Adapters,
    /// Switch SR-IOV of adapters.
    AdaptersChange,
    /// All nodes of the cluster.
    Nodes,
    /// One node, as it reported last.
    NodeReport,
    /// Drain a node, or let it have VFs again.
    NodeDrain,
}

impl Operation {
    /// Which characters `{name}` in its path may have.
    pub fn name_in_path(self) -> Chars {
        match self {
            Operation::Vm => Chars::VmName,
            _ => Chars::Printable,
        }
    }
}

/// HTTP methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Looks.
    Get,
    /// Declares, or changes several at once.
    Post,
    /// Sets whole.
    Put,
    /// Sets what is given.
    Patch,
    /// Takes away.
    Delete,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// One value of the type with this name.
    One(&'static str),
    /// Several of them.
    Many(&'static str),
    /// The OpenAPI document.
    Document,
}

/// A part of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it does.
    pub what: &'static str,
}

/// What a part of the query holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text(Chars),
    /// An integer, at least and at most so much.
    Number(u64, u64),
    /// `true` or `false`.
    Truth,
}

/// One way to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// What is asked.
    pub operation: Operation,
    /// HTTP method.
    pub method: Method,
    /// Path; `{name}` stands for a name.
    pub path: &'static str,
    /// What it does, an imperative.
    pub summary: &'static str,
    /// What the query may have.
    pub query: &'static [Parameter],
    /// Type of the request's body; none when there is no body.
    pub takes: Option<&'static str>,
    /// The answer.
    pub gives: Gives,
    /// What it takes to ask; anybody who may look may ask for a dry run.
    pub needs: Role,
}

impl Route {
    const fn get(
        operation: Operation,
        path: &'static str,
        gives: Gives,
        summary: &'static str,
    ) -> Self {
        Route {
            operation,
            method: Method::Get,
            path,
            summary,
            query: &[],
            takes: None,
            gives,
            needs: Role::Reader,
        }
    }

    const fn asked(self, query: &'static [Parameter]) -> Self {
        Route { query, ..self }
    }

    const fn change(self, method: Method, takes: Option<&'static str>) -> Self {
        Route {
            method,
            takes,
            needs: Role::Administrator,
            ..self
        }
    }

    const fn by(self, needs: Role) -> Self {
        Route { needs, ..self }
    }
}

/// `?dry_run=true`.
const DRY_RUN: &[Parameter] = &[Parameter {
    name: "dry_run",
    kind: Kind::Truth,
    what: "Show the steps, and change nothing.",
}];

const NODE: &[Parameter] = &[Parameter {
    name: "node",
    kind: Kind::Text(Chars::Printable),
    what: "Show only this node.",
}];

const NODE_OF_CHANGE: &[Parameter] = &[Parameter {
    name: "node",
    kind: Kind::Text(Chars::Printable),
    what: "Change only VMs on this node.",
}];

const PREREQ: &[Parameter] = &[Parameter {
    name: "intent",
    kind: Kind::Text(Chars::Printable),
    what: "Check only the adapters of this intent.",
}];

/// The greatest number that an event can have.
const LAST_EVENT: u64 = i64::MAX as u64;

const EVENTS: &[Parameter] = &[
    Parameter {
        name: "after",
        kind: Kind::Number(0, LAST_EVENT),
        what: "Only events with a greater number than this.",
    },
    Parameter {
        name: "limit",
        kind: Kind::Number(1, 10_000),
        what: "At most so many of the newest; 100 when left out.",
    },
    Parameter {
        name: "wait",
        kind: Kind::Number(0, 60),
        what: "Wait up to this number of seconds for an event; the default is 0.",
    },
    Parameter {
        name: "node",
        kind: Kind::Text(Chars::Printable),
        what: "Show only events of this node.",
    },
];

use Gives::{Document, Many, One};
use Method::{Delete, Patch, Post, Put};
use Operation as Do;

/// Every way to ask.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    Route::get(Do::Version, "/v1/version", One("Version"), "Show the version of the agent"),
    Route::get(Do::Openapi, "/v1/openapi.json", Document, "Describe this API"),
    Route::get(Do::Status, "/v1/status", One("Status"), "Show cluster status"),
    Route::get(Do::Capacity, "/v1/capacity", One("Capacity"), "Show the capacity of the cluster: in use, allocated, and free"),
    Route::get(Do::Node, "/v1/node", One("Node"), "Show the last snapshot of the node"),
    Route::get(Do::Prereq, "/v1/prereq", One("PrereqAnswer"), "Check the prerequisites of Accelerated Networking on a new snapshot").asked(PREREQ),
    Route::get(Do::Plan, "/v1/plan", One("PlanAnswer"), "Show the steps that the agent would run now"),
    Route::get(Do::Events, "/v1/events", One("Events"), "Show events, oldest first").asked(EVENTS),
    Route::get(Do::Management, "/v1/management", One("Management"), "Show the settings of Accelerated Networking"),
    Route::get(Do::Enable, "/v1/management", One("ManagementChanged"), "Enable Accelerated Networking").change(Put, Some("Enable")),
    Route::get(Do::Set, "/v1/management", One("ManagementChanged"), "Change the settings of Accelerated Networking; those that are not given remain unchanged").change(Patch, Some("Set")),
    Route::get(Do::Disable, "/v1/management", One("ManagementChanged"), "Disable Accelerated Networking; VMs keep their VFs").asked(DRY_RUN).change(Delete, None),
    Route::get(Do::Intents, "/v1/intents", Many("IntentView"), "List the intents"),
    Route::get(Do::IntentAdd, "/v1/intents", One("IntentChanged"), "Add an intent, and wait until it is applied").change(Post, Some("IntentAdd")),
    Route::get(Do::IntentStatus, "/v1/intent-status", Many("IntentStatus"), "Show the state of every intent on every node"),
    Route::get(Do::Intent, "/v1/intents/{name}", One("IntentView"), "Show an intent"),
    Route::get(Do::IntentSet, "/v1/intents/{name}", One("IntentChanged"), "Change an intent; settings that are not given remain unchanged").change(Patch, Some("IntentSet")),
    Route::get(Do::IntentRemove, "/v1/intents/{name}", One("IntentChanged"), "Remove an unused intent").asked(DRY_RUN).change(Delete, None),
    Route::get(Do::Vms, "/v1/vms", Many("VmView"), "List the VMs of all nodes").asked(NODE),
    Route::get(Do::Vm, "/v1/vms/{name}", One("VmView"), "Show a VM of any node, by name or UUID").asked(NODE),
    Route::get(Do::VmEnable, "/v1/vm-enable", One("VmChanged"), "Enable acceleration on VMs").asked(NODE_OF_CHANGE).change(Post, Some("VmEnable")).by(Role::Operator),
    Route::get(Do::VmSet, "/v1/vm-set", One("VmChanged"), "Change the setting of accelerated VMs").asked(NODE_OF_CHANGE).change(Post, Some("VmSet")).by(Role::Operator),
    Route::get(Do::VmDisable, "/v1/vm-disable", One("VmChanged"), "Move VMs to their software path").asked(NODE_OF_CHANGE).change(Post, Some("VmDisable")).by(Role::Operator),
    Route::get(Do::Adapters, "/v1/adapters", Many("AdapterSummary"), "List the network adapters of all nodes").asked(NODE),
    Route::get(Do::AdaptersChange, "/v1/adapters", One("AdaptersChanged"), "Switch SR-IOV of adapters on or off, on a simulated host").change(Post, Some("AdaptersChange")),
    Route::get(Do::Nodes, "/v1/nodes", Many("NodeView"), "List the nodes of the cluster"),
    Route::get(Do::NodeReport, "/v1/nodes/{name}", One("NodeReport"), "Show the last report of a node"),
    Route::get(Do::NodeDrain, "/v1/node-drain", One("NodeDrained"), "Drain or undrain a node").change(Post, Some("NodeDrain")),
];
