//! Operations to calls of the [`Service`].

use std::collections::HashSet;
use std::pin::Pin;

use accelnet_model::{Code, Management, Problem};
use accelnet_rules::{management, vm_names};
use axum::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::parse::{self, bad_request};
use super::query::Query;
use super::refusals;
use crate::limits::MOST_VMS_OF_READERS;
use crate::routes::Operation;
use crate::service::Answer;
use crate::types::*;
use crate::{Caller, Role, Service};

/// Events that are reported when no limit is given.
const EVENTS: u64 = 100;
/// Names of a refused request that are reported.
const MAX_NAMES: usize = 10;

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    /// What it takes to ask.
    pub needs: Role,
    /// The name in its path.
    pub name: Option<String>,
    /// Its query.
    pub query: Query,
    /// Its body.
    pub body: Bytes,
}

impl Call {
    /// The name in its path.
    fn in_path(&self, operation: Operation) -> Result<String, Failed> {
        let name = self.name.clone().unwrap_or_default();
        match operation.name_in_path().judge(&name) {
            Ok(()) => Ok(name),
            Err(what) => Err(bad_request(&format!("the name in the path {what}")).into()),
        }
    }

    /// A change is for those who may change; anybody may ask what would be done.
    fn may(&self, dry_run: bool) -> Result<(), Failed> {
        match self.caller.role >= self.needs || dry_run {
            true => Ok(()),
            false => Err(Failed::unheard(refusals::not_allowed(
                &self.caller,
                self.needs,
            ))),
        }
    }
}

/// Why nothing came of a request.
#[derive(Debug, Clone)]
pub struct Failed {
    /// What it ends with.
    pub problem: Problem,
    /// Whether it was a change that the service, which reports changes, never received.
    pub unheard: bool,
    /// What it was about, if its path does not name it.
    pub subject: Option<String>,
}

impl Failed {
    /// A change that the service never received.
    pub fn unheard(problem: Problem) -> Self {
        Failed {
            problem,
            unheard: true,
            subject: None,
        }
    }

    fn about(self, subject: &str) -> Self {
        Failed {
            subject: Some(subject.to_owned()),
            ..self
        }
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Failed {
            problem,
            unheard: false,
            subject: None,
        }
    }
}

/// Reads a request.
fn request<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<T, Failed> {
    parse::request(body).map_err(Failed::unheard)
}

/// What makes a request that was read.
pub struct Work {
    /// Whether it only reads, dry runs included.
    pub shared_reads: bool,
    begin: Begin,
}

/// Begins a request.
type Begin = Box<dyn FnOnce(&dyn Service) -> Result<Begun, Failed> + Send>;

/// What came of beginning.
pub enum Begun {
    /// The answer.
    Now(Bytes),
    /// What it is waited for with.
    Later(Pin<Box<dyn Future<Output = Result<Bytes, Failed>> + Send>>),
}

impl Work {
    /// A read of what is known already.
    fn read<T: Serialize>(
        read: impl FnOnce(&dyn Service) -> Result<T, Problem> + Send + 'static,
    ) -> Self {
        Work {
            shared_reads: true,
            begin: Box::new(move |service| json(&read(service)?).map(Begun::Now)),
        }
    }

    /// What takes a while.
    fn later<T: Serialize + Send + 'static>(
        shared_reads: bool,
        ask: impl FnOnce(&dyn Service) -> Answer<T> + Send + 'static,
    ) -> Self {
        let begin = move |service: &dyn Service| {
            let answer = ask(service);
            Ok(Begun::Later(Box::pin(async move {
                let answer = answer.await?;
                // Of thousands of VMs it takes long enough to keep other connections waiting.
                let written = tokio::task::spawn_blocking(move || json(&answer)).await;
                written.unwrap_or_else(|_| Err(fell_over().into()))
            })))
        };
        Work {
            shared_reads,
            begin: Box::new(begin),
        }
    }

    /// Begins; a read of what is known is done when this returns.
    pub fn begin(self, service: &dyn Service) -> Result<Begun, Failed> {
        (self.begin)(service)
    }
}

/// Reads what is asked.
pub fn read(operation: Operation, call: Call) -> Result<Work, Failed> {
    let who = call.caller.clone();
    let dry_run = call.query.truth("dry_run");
    let node = call.query.text("node").map(str::to_owned);
    Ok(match operation {
        Operation::Version => Work::read(|_| {
            Ok(Version {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                api: vec!["v1".to_owned()],
            })
        }),
        Operation::Openapi => Work {
            shared_reads: true,
            begin: Box::new(|_| Ok(Begun::Now(Bytes::from_static(crate::OPENAPI.as_bytes())))),
        },
        Operation::Status => Work::read(|service| service.status()),
        Operation::Capacity => Work::read(|service| service.capacity()),
        Operation::Node => Work::read(|service| service.node()),
        Operation::Prereq => {
            let intent = call.query.text("intent").map(str::to_owned);
            Work::later(true, move |service| service.prereq(&who, intent.as_deref()))
        }
        Operation::Plan => Work::later(true, move |service| service.plan(&who)),
        Operation::Events => {
            let after = call.query.number("after").unwrap_or(0);
            let limit = call.query.number("limit").unwrap_or(EVENTS);
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let node = call.query.text("node").map(str::to_owned);
            Work::read(move |service| service.events(node.as_deref(), after, limit))
        }
        Operation::Management => Work::read(|service| {
            let status = service.status()?;
            Ok(Management {
                enabled: status.enabled,
                intent: status.intent,
                node_reserve_percentage: status.node_reserve_percentage,
                performance: status.performance,
            })
        }),
        Operation::Enable => {
            let request: Enable = request(&call.body)?;
            judge(
                request.node_reserve_percentage,
                request.performance.as_ref(),
                request.dry_run,
            )?;
            call.may(request.dry_run)?;
            Work::later(request.dry_run, move |service| {
                service.enable(&who, &request)
            })
        }
        Operation::Set => {
            let request: Set = request(&call.body)?;
            judge(
                request.node_reserve_percentage,
                request.performance.as_ref(),
                request.dry_run,
            )?;
            call.may(request.dry_run)?;
            Work::later(request.dry_run, move |service| service.set(&who, &request))
        }
        Operation::Disable => {
            call.may(dry_run)?;
            Work::later(dry_run, move |service| service.disable(&who, dry_run))
        }
        Operation::Intents => Work::read(|service| service.intents()),
        Operation::IntentStatus => Work::read(|service| {
            let all = service.intents()?;
            Ok(all
                .into_iter()
                .flat_map(|view| view.status)
                .collect::<Vec<_>>())
        }),
        Operation::Intent => {
            let name = call.in_path(operation)?;
            Work::read(move |service| intent(&name, service))
        }
        Operation::IntentAdd => {
            let request: IntentAdd = request(&call.body)?;
            call.may(request.dry_run)
                .map_err(|failed| failed.about(&request.name))?;
            Work::later(request.dry_run, move |service| {
                service.intent_add(&who, &request)
            })
        }
        Operation::IntentSet => {
            let request: IntentSet = request(&call.body)?;
            let name = call.in_path(operation)?;
            call.may(request.dry_run)?;
            Work::later(request.dry_run, move |service| {
                service.intent_set(&who, &name, &request)
            })
        }
        Operation::IntentRemove => {
            let name = call.in_path(operation)?;
            call.may(dry_run)?;
            Work::later(dry_run, move |service| {
                service.intent_remove(&who, &name, dry_run)
            })
        }
        Operation::Vms => Work::read(move |service| service.vms(node.as_deref())),
        Operation::Vm => {
            let name = call.in_path(operation)?;
            Work::read(move |service| vm(&name, node.as_deref(), service))
        }
        Operation::VmEnable => {
            let mut request: VmEnable = request(&call.body)?;
            named(&call, &mut request.names, request.dry_run)?;
            vms(who, node, request.dry_run, VmChange::Enable(request))
        }
        Operation::VmSet => {
            let mut request: VmSet = request(&call.body)?;
            named(&call, &mut request.names, request.dry_run)?;
            vms(who, node, request.dry_run, VmChange::Set(request))
        }
        Operation::VmDisable => {
            let mut request: VmDisable = request(&call.body)?;
            named(&call, &mut request.names, request.dry_run)?;
            vms(who, node, request.dry_run, VmChange::Disable(request))
        }
        Operation::AdaptersChange => {
            let mut request: AdaptersChange = request(&call.body)?;
            each_once(&mut request.names);
            call.may(request.dry_run)?;
            Work::later(request.dry_run, move |service| {
                service.adapters_change(&who, &request)
            })
        }
        Operation::Adapters => {
            let node = call.query.text("node").map(str::to_owned);
            Work::read(move |service| service.adapters(node.as_deref()))
        }
        Operation::Nodes => Work::read(|service| service.nodes()),
        Operation::NodeReport => {
            let name = call.in_path(operation)?;
            Work::read(move |service| service.node_report(&name))
        }
        Operation::NodeDrain => {
            let request: NodeDrain = request(&call.body)?;
            call.may(request.dry_run)?;
            Work::later(request.dry_run, move |service| {
                service.node_drain(&who, &request)
            })
        }
    })
}

fn vms(who: Caller, node: Option<String>, dry_run: bool, change: VmChange) -> Work {
    Work::later(dry_run, move |service| {
        service.vms_change(&who, node.as_deref(), &change)
    })
}

/// The VMs that a request names, each once, by whom it may be asked.
fn named(call: &Call, names: &mut Vec<String>, dry_run: bool) -> Result<(), Failed> {
    each_once(names);
    // One name too many is as good as a thousand for the client that reads who was refused what.
    let subject = || {
        names
            .iter()
            .take(MAX_NAMES)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    };
    call.may(dry_run)
        .map_err(|failed| failed.about(&subject()))?;
    if call.caller.role == Role::Reader && names.len() > MOST_VMS_OF_READERS {
        let what = format!(
            "field names has {} entries, and {MOST_VMS_OF_READERS} are the most for the role {}",
            names.len(),
            Role::Reader
        );
        return Err(bad_request(&what).into());
    }
    Ok(())
}

fn each_once(names: &mut Vec<String>) {
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
}

/// The work panicked; the thread's own words are in the log.
pub fn fell_over() -> Problem {
    let found = "It fell over while it worked on this request; that is a fault of accelnet.";
    Problem::new(Code::AgentUnreachable, &["this request"], found).resolution(
        "Report this as a defect, with the messages of 'journalctl -u accelnet'. The agent continues with other requests.",
    )
}

/// Reserve and figures must be in range.
fn judge(
    reserve: Option<i64>,
    figures: Option<&accelnet_model::performance::PerformanceSettings>,
    dry_run: bool,
) -> Result<(), Failed> {
    let reserve = reserve.map(management::reserve_number).transpose();
    let figures = figures
        .map(management::judge_performance_settings)
        .transpose();
    match reserve.and(figures) {
        Ok(_) => Ok(()),
        Err(problem) if dry_run => Err(problem.into()),
        Err(problem) => Err(Failed::unheard(problem)),
    }
}

fn intent(name: &str, service: &dyn Service) -> Result<IntentView, Problem> {
    let all = service.intents()?;
    let intents: Vec<_> = all.iter().map(|view| view.intent.clone()).collect();
    accelnet_rules::intent::find(name, &intents)?;
    all.into_iter()
        .find(|view| view.intent.name == name)
        .ok_or_else(|| bad_request("the intent does not exist"))
}

fn vm(name: &str, node: Option<&str>, service: &dyn Service) -> Result<VmView, Problem> {
    let all = service.vms(node)?;
    let is_etcd = |vm: &VmView| vm.name == name || vm.uuid.eq_ignore_ascii_case(name);
    let meant: Vec<&VmView> = all.iter().filter(|vm| is_etcd(vm)).collect();
    match meant.as_slice() {
        [only] => Ok((*only).clone()),
        [] => {
            // It may be on a node whose VMs are unknown.
            let nodes = service.nodes()?.into_iter();
            let mut nodes = nodes.filter(|view| node.is_none_or(|node| view.name == node));
            let unknown = nodes.find_map(|view| view.vms_unknown);
            let called = all.iter().map(|vm| (&*vm.name, &*vm.node));
            Err(unknown.unwrap_or_else(|| vm_names::not_found(name, node, called)))
        }
        several => {
            let nodes: Vec<String> = several.iter().map(|vm| vm.node.clone()).collect();
            Err(vm_names::ambiguous(name, &nodes))
        }
    }
}

fn json(value: &impl Serialize) -> Result<Bytes, Failed> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| bad_request(&format!("the answer cannot be written: {error}")).into())
}
