//! What is told of a request: one event, with an outcome for each of several subjects.

use accelnet_api::Caller;
use accelnet_api::types::{EventKind, SubjectOutcome};
use accelnet_model::past::past;
use accelnet_model::{Problem, Uuid};

use super::Core;
use crate::journal::NewEvent;

/// What came of a request for one subject.
pub(super) struct Came {
    /// The subject.
    pub subject: String,
    /// What was asked for it, an imperative.
    pub what: String,
    /// Why it was not done.
    pub problem: Option<Problem>,
}

impl Core {
    /// Does what `caller` asks for, here or, with the id of an order, on another node: the events of it name
    /// the caller.
    pub(crate) fn asked_by<T>(
        &mut self,
        caller: &Caller,
        order: Option<Uuid>,
        what: impl FnOnce(&mut Core, &str) -> T,
    ) -> T {
        self.asked_from = Some(caller.from.clone());
        self.asked_as = Some(caller.role);
        self.asked_by_order = order;
        let done = what(self, &caller.name);
        self.asked_from = None;
        self.asked_as = None;
        self.asked_by_order = None;
        done
    }

    /// Tells who asked for what, an imperative, and what came of it.
    pub(crate) fn tell_asked<T>(
        &self,
        who: &str,
        subject: &str,
        what: &str,
        result: &Result<T, Problem>,
    ) {
        let word = self.asked(who, subject, what, result.as_ref().err());
        self.journal.record(&self.now(), word);
    }

    /// The same, unless it was done and changed nothing.
    pub(crate) fn tell_unless_unchanged<T>(
        &self,
        who: &str,
        subject: &str,
        what: &str,
        result: &Result<T, Problem>,
        is_unchanged: impl FnOnce(&T) -> bool,
    ) {
        if !result.as_ref().is_ok_and(is_unchanged) {
            self.tell_asked(who, subject, what, result);
        }
    }

    /// Who asked for what from where, an imperative, and what came of it.
    fn asked(&self, who: &str, subject: &str, what: &str, problem: Option<&Problem>) -> NewEvent {
        let came = Came {
            subject: subject.to_owned(),
            what: what.to_owned(),
            problem: problem.cloned(),
        };
        let outcome = came.outcome();
        NewEvent {
            who: Some(who.to_owned()),
            role: self.asked_as,
            from: self.asked_from.clone(),
            code: outcome.code,
            ..NewEvent::of(kind_of(outcome.ok), subject, outcome.message)
        }
    }

    /// The same of a request for several subjects: `what` is an imperative without its object, and their plural.
    /// With the outcome of each but `more` that were refused; none of a request for none.
    pub(super) fn asked_for_all(
        &self,
        who: &str,
        (what, subjects): (&str, &str),
        outcomes: Vec<SubjectOutcome>,
        more: usize,
    ) -> Option<NewEvent> {
        let first = outcomes.first()?.clone();
        let count = outcomes.len() + more;
        let done = outcomes.iter().filter(|one| one.ok).count();
        let code = outcomes.iter().find_map(|one| one.code);
        let word = match count {
            1 => NewEvent::of(kind_of(first.ok), &first.subject, first.message),
            _ => {
                let message = match done {
                    0 => format!("Refused: {what} {count} {subjects}."),
                    done => format!("{} {done} of {count} {subjects}.", past(what)),
                };
                let subject = format!("{} and {} more", first.subject, count - 1);
                NewEvent {
                    outcomes,
                    omitted_outcomes: more,
                    ..NewEvent::of(kind_of(done > 0), &subject, message)
                }
            }
        };
        Some(NewEvent {
            who: Some(who.to_owned()),
            role: self.asked_as,
            from: self.asked_from.clone(),
            code,
            ..word
        })
    }
}

impl Came {
    /// As an event has it.
    pub(super) fn outcome(&self) -> SubjectOutcome {
        let Came { what, problem, .. } = self;
        SubjectOutcome {
            subject: self.subject.clone(),
            ok: problem.is_none(),
            message: match problem {
                None => format!("{}.", past(what)),
                Some(problem) => {
                    format!("Refused: {what}: {} {}", problem.message, problem.found)
                }
            },
            code: problem.as_ref().map(|problem| problem.code),
        }
    }
}

fn kind_of(ok: bool) -> EventKind {
    match ok {
        true => EventKind::Changed,
        false => EventKind::Refused,
    }
}
