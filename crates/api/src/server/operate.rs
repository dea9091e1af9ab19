//! Operations to calls of the [`Service`].

use std::time::Duration;

use accelnet_model::{Code, Management, Problem};
use accelnet_rules::management;
use axum::body::Bytes;
use serde::Serialize;

use super::parse::{bad_request, request};
use super::query::Query;
use crate::routes::Operation;
use crate::types::*;
use crate::{Caller, Service};

/// Events that are told when no limit is given, and at most.
const EVENTS: (u64, u64) = (100, 10_000);
/// The longest wait for an event, in seconds.
const LONGEST_WAIT: u64 = 60;

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    /// The name in its path.
    pub name: Option<String>,
    /// Its query.
    pub query: Query,
    /// Its body.
    pub body: Bytes,
}

impl Call {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// A change is for those who may change; anybody may ask what would be done.
    fn may(&self, dry_run: bool) -> Result<(), Problem> {
        match self.caller.may_change || dry_run {
            true => Ok(()),
            false => Err(Problem::new(
                Code::NotAllowed,
                &[&self.caller.name],
                format!("The request came from {}.", self.caller.name),
            )),
        }
    }
}

/// Does what is asked; gives the answer's JSON.
pub fn operate(operation: Operation, call: &Call, service: &dyn Service) -> Result<Bytes, Problem> {
    let who = &call.caller;
    let dry_run = call.query.truth("dry_run");
    match operation {
        Operation::Version => json(&Version {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api: vec!["v1".to_owned()],
        }),
        Operation::Openapi => Ok(Bytes::from_static(crate::OPENAPI.as_bytes())),
        Operation::Status => json(&service.status()?),
        Operation::Node => json(&service.node()?),
        Operation::Prereq => json(&service.prereq(call.query.text("intent"))?),
        Operation::Plan => json(&service.plan()?),
        Operation::Events => json(&events(&call.query, service)?),
        Operation::Management => {
            let status = service.status()?;
            json(&Management {
                enabled: status.enabled,
                intent: status.intent,
                node_reserve_percentage: status.node_reserve_percentage,
                performance: status.performance,
            })
        }
        Operation::Enable => {
            let request: Enable = request(&call.body)?;
            judge(
                request.node_reserve_percentage,
                request.performance.as_ref(),
            )?;
            call.may(request.dry_run)?;
            json(&service.enable(who, &request)?)
        }
        Operation::Set => {
            let request: Set = request(&call.body)?;
            judge(
                request.node_reserve_percentage,
                request.performance.as_ref(),
            )?;
            call.may(request.dry_run)?;
            json(&service.set(who, &request)?)
        }
        Operation::Disable => {
            call.may(dry_run)?;
            json(&service.disable(who, dry_run)?)
        }
        Operation::Intents => json(&service.intents()?),
        Operation::IntentStatus => {
            let all = service.intents()?;
            let status: Vec<_> = all.into_iter().flat_map(|view| view.status).collect();
            json(&status)
        }
        Operation::Intent => json(&intent(call.name(), service)?),
        Operation::IntentAdd => {
            let request: IntentAdd = request(&call.body)?;
            call.may(request.dry_run)?;
            json(&service.intent_add(who, &request)?)
        }
        Operation::IntentSet => {
            let request: IntentSet = request(&call.body)?;
            call.may(request.dry_run)?;
            json(&service.intent_set(who, call.name(), &request)?)
        }
        Operation::IntentRemove => {
            call.may(dry_run)?;
            json(&service.intent_remove(who, call.name(), dry_run)?)
        }
        Operation::Vms => json(&service.vms()?),
        Operation::Vm => json(&vm(call.name(), service)?),
        Operation::VmEnable => {
            let request: VmEnable = request(&call.body)?;
            vms(
                call,
                service,
                request.dry_run,
                &request.names.clone(),
                VmChange::Enable(request),
            )
        }
        Operation::VmSet => {
            let request: VmSet = request(&call.body)?;
            vms(
                call,
                service,
                request.dry_run,
                &request.names.clone(),
                VmChange::Set(request),
            )
        }
        Operation::VmDisable => {
            let request: VmDisable = request(&call.body)?;
            vms(
                call,
                service,
                request.dry_run,
                &request.names.clone(),
                VmChange::Disable(request),
            )
        }
        Operation::AdaptersChange => {
            let request: AdaptersChange = request(&call.body)?;
            call.may(request.dry_run)?;
            json(&service.adapters_change(who, &request)?)
        }
        Operation::Nodes => json(&service.nodes()?),
        Operation::NodeDrain => {
            let request: NodeDrain = request(&call.body)?;
            call.may(request.dry_run)?;
            json(&service.node_drain(who, &request)?)
        }
    }
}

/// Reserve and figures must be in range.
fn judge(
    reserve: Option<i64>,
    figures: Option<&accelnet_model::performance::Figures>,
) -> Result<(), Problem> {
    reserve.map(management::reserve_number).transpose()?;
    figures.map(management::judge_figures).transpose()?;
    Ok(())
}

fn vms(
    call: &Call,
    service: &dyn Service,
    dry_run: bool,
    names: &[String],
    change: VmChange,
) -> Result<Bytes, Problem> {
    if names.is_empty() {
        return Err(bad_request("names is empty, and at least one VM is needed"));
    }
    call.may(dry_run)?;
    json(&service.vms_change(&call.caller, &change)?)
}

fn events(query: &Query, service: &dyn Service) -> Result<Events, Problem> {
    let limit = query.number("limit").unwrap_or(EVENTS.0);
    let wait = query.number("wait").unwrap_or(0);
    if !(1..=EVENTS.1).contains(&limit) {
        let what = format!(
            "limit in its query is {limit} and not within 1..={}",
            EVENTS.1
        );
        return Err(bad_request(&what));
    }
    if wait > LONGEST_WAIT {
        let what = format!("wait in its query is {wait} and not within 0..={LONGEST_WAIT}");
        return Err(bad_request(&what));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    service.events(
        query.number("after").unwrap_or(0),
        limit,
        Duration::from_secs(wait),
    )
}

fn intent(name: &str, service: &dyn Service) -> Result<IntentView, Problem> {
    let all = service.intents()?;
    let intents: Vec<_> = all.iter().map(|view| view.intent.clone()).collect();
    accelnet_rules::intent::find(name, &intents)?;
    all.into_iter()
        .find(|view| view.intent.name == name)
        .ok_or_else(|| bad_request("its intent is gone"))
}

fn vm(name: &str, service: &dyn Service) -> Result<VmView, Problem> {
    let all = service.vms()?;
    let names: Vec<String> = all.iter().map(|vm| vm.name.clone()).collect();
    all.into_iter()
        .find(|vm| vm.name == name || vm.uuid.eq_ignore_ascii_case(name))
        .ok_or_else(|| accelnet_rules::vm_names::not_found(name, &names))
}

fn json(value: &impl Serialize) -> Result<Bytes, Problem> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| bad_request(&format!("its answer cannot be written: {error}")))
}
