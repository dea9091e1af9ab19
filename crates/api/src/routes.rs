//! All endpoints. The router, the client and the OpenAPI document are made from this list.

use std::time::Duration;

use accelnet_model::intent::IntentStatus;
use accelnet_model::{AdapterSummary, Capacity, Management, Node, Problem};
use axum::routing::MethodFilter;
use serde_json::Value;

use crate::limits::Chars::{self, IntentName, Printable, VmName};
use crate::limits::Limit::{self, Judged, Number, Once, Text, Texts, Values};
use crate::limits::{Body, Kind, MOST_ADAPTERS, MOST_VFS, MOST_VMS, Parameter, Subject};
use crate::server::operate::{Call, Failed, Work, each_once, judge, named, work};
use crate::types::*;
use crate::{Caller, Client, Role};

/// An answer of one value.
type One<T> = T;
/// An answer of several values.
type Many<T> = Vec<T>;
/// An answer of one value without a schema.
type Any<T> = T;

/// The form of an answer, with the name of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// One value.
    One(&'static str),
    /// Several values.
    Many(&'static str),
    /// One value without a schema.
    Any(&'static str),
}

/// An endpoint, as data.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Its operation.
    pub operation: Operation,
    /// HTTP method.
    pub method: &'static str,
    /// The same for the router.
    pub filter: MethodFilter,
    /// Path; `{name}` stands for a name.
    pub path: &'static str,
    /// The characters that `{name}` may have.
    pub name: Option<Chars>,
    /// Its effect, an imperative.
    pub summary: &'static str,
    /// Parameters of its query.
    pub query: &'static [Parameter],
    /// Type of the request's body, and the limits of its fields.
    pub takes: Option<(&'static str, &'static [(&'static str, Limit)])>,
    /// The answer.
    pub gives: Gives,
    /// The role that it needs; a dry run needs only the role reader.
    pub needs: Role,
}

macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! body {
    () => {
        ()
    };
    ($body:ident) => {
        $body
    };
}

#[cfg(feature = "schema")]
macro_rules! schema {
    ($all:ident, Any, $answer:ident) => {};
    ($all:ident, $gives:ident, $answer:ident) => {
        crate::schema::schemas::with::<$answer>($all)
    };
}

/// An endpoint is: its operation, method, path, characters of `{name}`, role and summary; its function of
/// [`Client`], with the query and the body, whose fields have limits and which a function may check; its
/// answer; and the call of the [`Service`](crate::Service).
macro_rules! endpoints {
    ($(
        $operation:ident: $method:ident $path:literal $($name:ident: $chars:ident)?, $needs:ident, $summary:literal,
        $client:ident($($parameter:ident: $type:ty = $known:ident),*)
        $(takes $body:ident { $($field:ident: $limit:expr),* } $(checked by $check:expr)?)?
        => $gives:ident<$answer:ident>, $ask:expr;
    )*) => {
        /// All operations.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {
            $(#[doc = $summary] $operation,)*
        }

        /// All endpoints.
        pub static ROUTES: &[Route] = &[$(Route {
            operation: Operation::$operation,
            method: stringify!($method),
            filter: MethodFilter::$method,
            path: $path,
            name: optional!($($chars)?),
            summary: $summary,
            query: &[$($known),*],
            takes: optional!($((stringify!($body), $body::LIMITS))?),
            gives: Gives::$gives(stringify!($answer)),
            needs: Role::$needs,
        }),*];

        /// Reads a request of `operation`.
        pub(crate) fn read(operation: Operation, call: Call) -> Result<Work, Failed> {
            match operation {
                $(Operation::$operation => work::<body!($($body)?), $gives<$answer>, _>(call, $ask),)*
            }
        }

        $($(impl Body for $body {
            const LIMITS: &'static [(&'static str, Limit)] = &[$((stringify!($field), $limit)),*];

            fn dry_run(&self) -> bool {
                self.dry_run
            }

            $(fn check(&mut self, caller: &Caller) -> Result<Subject, Problem> {
                let check: fn(&mut Self, &Caller) -> _ = $check;
                check(self, caller)
            })?
        })?)*

        impl Client {
            $(#[doc = $summary]
            pub fn $client(
                &self $(, $name: &str)? $(, $parameter: $type)* $(, request: &$body)?
            ) -> Result<$gives<$answer>, Problem> {
                let asking = self.asking(stringify!($method), $path);
                asking$(.name($name))?$(.query($known, $parameter))*$(.body::<$body>(request))?.answer()
            })*
        }

        /// Adds the types of all requests and answers.
        #[cfg(feature = "schema")]
        pub(crate) fn schemas(all: &mut crate::schema::schemas::Schemas) {
            $(schema!(all, $gives, $answer);
            $(crate::schema::schemas::with::<$body>(all);)?)*
        }
    };
}

const fn text(name: &'static str, what: &'static str) -> Parameter {
    let kind = Kind::Text(Printable);
    Parameter { name, kind, what }
}

const fn number(name: &'static str, least: u64, most: u64, what: &'static str) -> Parameter {
    let kind = Kind::Number(least, most);
    Parameter { name, kind, what }
}

const DRY_RUN: Parameter = Parameter {
    name: "dry_run",
    kind: Kind::Truth,
    what: "Show the steps, and change nothing.",
};
const NODE: Parameter = text("node", "Show only this node.");
const NODE_OF_CHANGE: Parameter = text("node", "Change only VMs on this node.");
const NODE_OF_EVENTS: Parameter = text("node", "Show only events of this node.");
const INTENT: Parameter = text("intent", "Check only the adapters of this intent.");
/// The greatest number that an event can have.
const LAST_EVENT: u64 = i64::MAX as u64;
#[rustfmt::skip]
const AFTER: Parameter = number("after", 0, LAST_EVENT, "Only events with a greater number than this.");
#[rustfmt::skip]
const LIMIT: Parameter = number("limit", 1, 10_000, "At most so many of the newest; 100 when left out.");
#[rustfmt::skip]
const WAIT: Parameter = number("wait", 0, 60, "Wait up to this number of seconds for an event; the default is 0.");

const RESERVE: Limit = Judged(0, 99);
const ROLES: Limit = Values(1, 3);
const ADAPTERS: Limit = Once(1, MOST_ADAPTERS, Printable);
const VMS: Limit = Texts(1, MOST_VMS, VmName);

endpoints! {
    Version: GET "/v1/version", Reader, "Show the version of the agent",
        version() => One<Version>, |service, _, ()| service.version();
    Openapi: GET "/v1/openapi.json", Reader, "Describe this API",
        openapi() => Any<Value>, |_, _, ()| crate::OPENAPI;
    Status: GET "/v1/status", Reader, "Show cluster status",
        status() => One<Status>, |service, _, ()| service.status();
    Capacity: GET "/v1/capacity", Reader, "Show the capacity of the cluster: in use, allocated, and free",
        capacity() => One<Capacity>, |service, _, ()| service.capacity();
    Node: GET "/v1/node", Reader, "Show the last snapshot of the node",
        node() => One<Node>, |service, _, ()| service.node();
    Prereq: GET "/v1/prereq", Reader, "Check the prerequisites of Accelerated Networking on a new snapshot",
        prereq(intent: Option<&str> = INTENT) => One<PrereqAnswer>,
        |service, call, ()| service.prereq(&call.caller, call.query.text("intent"));
    Plan: GET "/v1/plan", Reader, "Show the steps that the agent would run now",
        plan() => One<PlanAnswer>, |service, call, ()| service.plan(&call.caller);
    Events: GET "/v1/events", Reader, "Show events, oldest first",
        events_of(after: u64 = AFTER, limit: usize = LIMIT, wait: Duration = WAIT, node: Option<&str> = NODE_OF_EVENTS)
        => One<Events>, |service, call, ()| {
            let limit = call.query.number("limit").unwrap_or(100) as usize;
            service.events(call.query.text("node"), call.query.number("after").unwrap_or(0), limit)
        };

    Management: GET "/v1/management", Reader, "Show the settings of Accelerated Networking",
        management() => One<Management>, |service, _, ()| service.management();
    Enable: PUT "/v1/management", Administrator, "Enable Accelerated Networking",
        enable() takes Enable { intent: Text(Printable), node_reserve_percentage: RESERVE }
        checked by |body, _| judge(body.node_reserve_percentage, body.performance.as_ref())
        => One<ManagementChanged>, |service, call, body| service.enable(&call.caller, &body);
    Set: PATCH "/v1/management", Administrator,
        "Change the settings of Accelerated Networking; those that are not given remain unchanged",
        set() takes Set { intent: Text(Printable), node_reserve_percentage: RESERVE }
        checked by |body, _| judge(body.node_reserve_percentage, body.performance.as_ref())
        => One<ManagementChanged>, |service, call, body| service.set(&call.caller, &body);
    Disable: DELETE "/v1/management", Administrator, "Disable Accelerated Networking; VMs keep their VFs",
        disable(dry_run: bool = DRY_RUN) => One<ManagementChanged>,
        |service, call, ()| service.disable(&call.caller, call.query.truth("dry_run"));

    Intents: GET "/v1/intents", Reader, "List the intents",
        intents() => Many<IntentView>, |service, _, ()| service.intents();
    IntentAdd: POST "/v1/intents", Administrator, "Add an intent, and wait until it is applied",
        intent_add() takes IntentAdd { name: Text(IntentName), roles: ROLES, adapters: ADAPTERS, vfs: Number(1, MOST_VFS) }
        checked by |body, _| Ok(Some(body.name.clone()))
        => One<IntentChanged>, |service, call, body| service.intent_add(&call.caller, &body);
    IntentStatus: GET "/v1/intent-status", Reader, "Show the state of every intent on every node",
        intent_status() => Many<IntentStatus>, |service, _, ()| service.intent_status();
    Intent: GET "/v1/intents/{name}" name: Printable, Reader, "Show an intent",
        intent() => One<IntentView>, |service, call, ()| service.intent(call.name());
    IntentSet: PATCH "/v1/intents/{name}" name: Printable, Administrator,
        "Change an intent; settings that are not given remain unchanged",
        intent_set() takes IntentSet { roles: ROLES, adapters: ADAPTERS, vfs: Number(0, MOST_VFS) }
        => One<IntentChanged>, |service, call, body| service.intent_set(&call.caller, call.name(), &body);
    IntentRemove: DELETE "/v1/intents/{name}" name: Printable, Administrator, "Remove an unused intent",
        intent_remove(dry_run: bool = DRY_RUN) => One<IntentChanged>,
        |service, call, ()| service.intent_remove(&call.caller, call.name(), call.query.truth("dry_run"));

    Vms: GET "/v1/vms", Reader, "List the VMs of all nodes",
        vms_of(node: Option<&str> = NODE) => Many<VmView>, |service, call, ()| service.vms(call.query.text("node"));
    Vm: GET "/v1/vms/{name}" name: VmName, Reader, "Show a VM of any node, by name or UUID",
        vm_of(node: Option<&str> = NODE) => One<VmView>,
        |service, call, ()| service.vm(call.name(), call.query.text("node"));
    VmEnable: POST "/v1/vm-enable", Operator, "Enable acceleration on VMs",
        vm_enable(node: Option<&str> = NODE_OF_CHANGE) takes VmEnable { names: VMS }
        checked by |body, caller| named(&mut body.names, body.dry_run, caller)
        => One<VmChanged>, |service, call, body| call.vms(service, VmChange::Enable(body));
    VmSet: POST "/v1/vm-set", Operator, "Change the setting of accelerated VMs",
        vm_set(node: Option<&str> = NODE_OF_CHANGE) takes VmSet { names: VMS }
        checked by |body, caller| named(&mut body.names, body.dry_run, caller)
        => One<VmChanged>, |service, call, body| call.vms(service, VmChange::Set(body));
    VmDisable: POST "/v1/vm-disable", Operator, "Move VMs to their software path",
        vm_disable(node: Option<&str> = NODE_OF_CHANGE) takes VmDisable { names: VMS }
        checked by |body, caller| named(&mut body.names, body.dry_run, caller)
        => One<VmChanged>, |service, call, body| call.vms(service, VmChange::Disable(body));

    Adapters: GET "/v1/adapters", Reader, "List the network adapters of all nodes",
        adapters(node: Option<&str> = NODE) => Many<AdapterSummary>,
        |service, call, ()| service.adapters(call.query.text("node"));
    AdaptersChange: POST "/v1/adapters", Administrator, "Switch SR-IOV of adapters on or off, on a simulated host",
        adapters_change() takes AdaptersChange {
            names: Texts(0, MOST_ADAPTERS, Printable), vfs: Number(0, MOST_VFS), timeout_seconds: Number(1, 86_400)
        } checked by |body, _| each_once(&mut body.names)
        => One<AdaptersChanged>, |service, call, body| service.adapters_change(&call.caller, &body);
    Nodes: GET "/v1/nodes", Reader, "List the nodes of the cluster",
        nodes() => Many<NodeView>, |service, _, ()| service.nodes();
    NodeReport: GET "/v1/nodes/{name}" name: Printable, Reader, "Show the last report of a node",
        node_report() => One<NodeReport>, |service, call, ()| service.node_report(call.name());
    NodeDrain: POST "/v1/node-drain", Administrator, "Drain or undrain a node",
        node_drain() takes NodeDrain {}
        => One<NodeDrained>, |service, call, body| service.node_drain(&call.caller, &body);
}
