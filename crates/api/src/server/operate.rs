//! Operations to calls of the [`Service`].

use std::collections::HashSet;
use std::pin::Pin;

use accelnet_model::performance::PerformanceSettings;
use accelnet_model::{Code, Problem};
use accelnet_rules::management;
use axum::body::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::parse::{self, bad_request};
use super::query::Query;
use super::refusals;
use crate::limits::{Body, Chars, MOST_VMS_OF_READERS, Subject};
use crate::service::Answer;
use crate::types::{VmChange, VmChanged};
use crate::{Caller, Role, Service};

/// Names of a refused request that are told.
const MAX_NAMES: usize = 10;

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    /// What it takes to ask.
    pub needs: Role,
    /// The name in its path, and the characters that it may have.
    pub name: Option<String>,
    pub chars: Option<Chars>,
    /// Its query.
    pub query: Query,
    /// Its body.
    pub body: Bytes,
}

impl Call {
    /// The name in its path.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Changes VMs of all nodes, or of the one that its query names.
    pub fn vms(&self, service: &dyn Service, change: VmChange) -> Answer<VmChanged> {
        service.vms_change(&self.caller, self.query.text("node"), &change)
    }

    /// A change is for those who may change; anybody may ask what would be done.
    fn may(&self, dry_run: bool) -> Result<(), Problem> {
        match self.caller.role >= self.needs || dry_run {
            true => Ok(()),
            false => Err(refusals::not_allowed(&self.caller, self.needs)),
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
    /// What it was about, where its path does not tell.
    pub subject: Subject,
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

/// What makes a request that was read.
pub struct Work {
    /// Whether it only reads, dry runs included.
    pub is_read: bool,
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
    /// Begins; a look at what is known is done when this returns.
    pub fn begin(self, service: &dyn Service) -> Result<Begun, Failed> {
        (self.begin)(service)
    }
}

/// What a [`Service`] returns for an answer of the type `T`.
pub trait Outcome<T>: 'static {
    /// The answer, or what it is waited for with.
    fn begun(self) -> Result<Begun, Failed>;
}

impl<T: Serialize + 'static> Outcome<T> for Result<T, Problem> {
    fn begun(self) -> Result<Begun, Failed> {
        json(&self?).map(Begun::Now)
    }
}

impl<T: Serialize + Send + 'static> Outcome<T> for Answer<T> {
    fn begun(self) -> Result<Begun, Failed> {
        Ok(Begun::Later(Box::pin(async move {
            let answer = self.await?;
            // Of thousands of VMs it takes long enough to keep other connections waiting.
            let written = tokio::task::spawn_blocking(move || json(&answer)).await;
            written.unwrap_or_else(|_| Err(fell_over().into()))
        })))
    }
}

impl Outcome<Value> for &'static str {
    fn begun(self) -> Result<Begun, Failed> {
        Ok(Begun::Now(Bytes::from_static(self.as_bytes())))
    }
}

/// Reads a request with the body `B`, which `ask` passes to the service.
pub fn work<B: Body, T, O: Outcome<T>>(
    call: Call,
    ask: fn(&dyn Service, &Call, B) -> O,
) -> Result<Work, Failed> {
    let mut body: B = parse::request(&call.body).map_err(Failed::unheard)?;
    if let Some(Err(what)) = call.chars.map(|chars| chars.judge(call.name())) {
        return Err(bad_request(&format!("the name in the path {what}")).into());
    }
    let dry_run = body.dry_run() || call.query.truth("dry_run");
    let subject = body.check(&call.caller).map_err(|problem| match dry_run {
        true => problem.into(),
        false => Failed::unheard(problem),
    })?;
    call.may(dry_run).map_err(|problem| Failed {
        subject,
        ..Failed::unheard(problem)
    })?;
    Ok(Work {
        is_read: dry_run || call.needs == Role::Reader,
        begin: Box::new(move |service| ask(service, &call, body).begun()),
    })
}

/// The VMs that a request names, each once, by whom it may be asked.
pub fn named(names: &mut Vec<String>, dry_run: bool, caller: &Caller) -> Result<Subject, Problem> {
    each_once(names)?;
    if caller.role == Role::Reader && dry_run && names.len() > MOST_VMS_OF_READERS {
        let what = format!(
            "field names has {} entries, and {MOST_VMS_OF_READERS} are the most for the role {}",
            names.len(),
            Role::Reader
        );
        return Err(bad_request(&what));
    }
    // One name too many is as good as a thousand for the administrator who reads the refusals.
    let shown = names.get(..MAX_NAMES).unwrap_or(names);
    Ok(Some(shown.join(", ")))
}

pub fn each_once(names: &mut Vec<String>) -> Result<Subject, Problem> {
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(None)
}

/// The work panicked; the thread's own words are in the log.
pub fn fell_over() -> Problem {
    let found = "It fell over while it worked on this request; that is a fault of accelnet.";
    Problem::new(Code::AgentUnreachable, &["this request"], found).resolution(
        "Report this as a defect, with the messages of 'journalctl -u accelnet'. The agent continues with other requests.",
    )
}

/// Reserve and performance settings must be in range.
pub fn judge(
    reserve: Option<i64>,
    settings: Option<&PerformanceSettings>,
) -> Result<Subject, Problem> {
    reserve.map(management::reserve_number).transpose()?;
    settings
        .map(management::judge_performance_settings)
        .transpose()?;
    Ok(None)
}

fn json(value: &impl Serialize) -> Result<Bytes, Failed> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| bad_request(&format!("the answer cannot be written: {error}")).into())
}
