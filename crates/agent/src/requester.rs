//! Who requested a change, and the event of it: one for each request, with an outcome for each of several subjects.

use accelnet_api::types::{EventKind, Origin, SubjectOutcome};
use accelnet_api::{Caller, Role};
use accelnet_model::past::past;
use accelnet_model::{Problem, Uuid};

use crate::context::Context;
use crate::journal::NewEvent;

/// Who requested a change.
#[derive(Debug, Clone)]
pub struct Requester {
    /// Name of the caller.
    pub(crate) name: String,
    pub(crate) role: Option<Role>,
    pub(crate) origin: Option<Origin>,
    /// The order of another node that is carried out.
    pub(crate) order: Option<Uuid>,
}

impl Requester {
    /// A caller of which only the name is known.
    #[cfg(feature = "simulated")]
    pub fn named(name: &str) -> Self {
        Requester {
            name: name.to_owned(),
            role: None,
            origin: None,
            order: None,
        }
    }

    /// A caller of the API, by an order of another node if there is one.
    pub fn of(caller: &Caller, order: Option<Uuid>) -> Self {
        Requester {
            name: caller.name.clone(),
            role: Some(caller.role),
            origin: Some(caller.from.clone()),
            order,
        }
    }

    fn sign(&self, event: NewEvent) -> NewEvent {
        NewEvent {
            who: Some(self.name.clone()),
            role: self.role,
            from: self.origin.clone(),
            ..event
        }
    }

    /// Records what was requested, an imperative, and its result.
    pub(crate) fn record<T>(
        &self,
        ctx: &Context,
        subject: &str,
        what: &str,
        result: &Result<T, Problem>,
    ) {
        let outcome = outcome(subject, what, result.as_ref().err());
        let event = NewEvent {
            code: outcome.code,
            ..NewEvent::of(kind_of(outcome.ok), subject, outcome.message)
        };
        ctx.journal.record(&ctx.now(), self.sign(event));
    }

    /// Records a refusal.
    pub(crate) fn record_refusal(&self, ctx: &Context, what: &str, problem: &Problem) {
        let refused: Result<(), &Problem> = Err(problem);
        self.record(ctx, "cluster", what, &refused.map_err(Clone::clone));
    }

    /// The event of a request for several subjects: `what` is an imperative without its object, and their plural.
    /// It has the outcome of each but `omitted` that were refused; there is none of a request for no subject.
    pub(crate) fn event_of_all(
        &self,
        (what, subjects): (&str, &str),
        outcomes: Vec<SubjectOutcome>,
        omitted: usize,
    ) -> Option<NewEvent> {
        let first = outcomes.first()?.clone();
        let count = outcomes.len() + omitted;
        let done = outcomes.iter().filter(|one| one.ok).count();
        let code = outcomes.iter().find_map(|one| one.code);
        let event = match count {
            1 => NewEvent::of(kind_of(first.ok), &first.subject, first.message),
            _ => {
                let message = match done {
                    0 => format!("Refused: {what} {count} {subjects}."),
                    done => format!("{} {done} of {count} {subjects}.", past(what)),
                };
                let subject = format!("{} and {} more", first.subject, count - 1);
                NewEvent {
                    outcomes,
                    omitted_outcomes: omitted,
                    ..NewEvent::of(kind_of(done > 0), &subject, message)
                }
            }
        };
        Some(self.sign(NewEvent { code, ..event }))
    }
}

/// The outcome of a request, an imperative, for one subject.
pub(crate) fn outcome(subject: &str, what: &str, problem: Option<&Problem>) -> SubjectOutcome {
    SubjectOutcome {
        subject: subject.to_owned(),
        ok: problem.is_none(),
        message: match problem {
            None => format!("{}.", past(what)),
            Some(problem) => format!("Refused: {what}: {} {}", problem.message, problem.found),
        },
        code: problem.map(|problem| problem.code),
    }
}

fn kind_of(ok: bool) -> EventKind {
    match ok {
        true => EventKind::Changed,
        false => EventKind::Refused,
    }
}
