//! What is told of a request: one event, with an outcome for each of several subjects.

use accelnet_api::types::{EventKind, SubjectOutcome};
use accelnet_model::Problem;

use super::Core;
use crate::journal::Word;

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
    /// Tells who asked for what, an imperative, and what came of it.
    pub(crate) fn tell_asked<T>(
        &self,
        who: &str,
        subject: &str,
        what: &str,
        result: &Result<T, Problem>,
    ) {
        let word = self.asked(who, subject, what, result.as_ref().err());
        self.journal.tell(&self.now(), word);
    }

    /// Who asked for what from where, an imperative, and what came of it.
    pub(super) fn asked(
        &self,
        who: &str,
        subject: &str,
        what: &str,
        problem: Option<&Problem>,
    ) -> Word {
        let (kind, message) = match problem {
            None => (EventKind::Changed, format!("Done: {what}.")),
            Some(problem) => (
                EventKind::Refused,
                format!("Refused: {what}: {} {}", problem.message, problem.found),
            ),
        };
        Word {
            who: Some(who.to_owned()),
            role: self.asked_as,
            from: self.asked_from.clone(),
            code: problem.map(|problem| problem.code),
            ..Word::of(kind, subject, message)
        }
    }

    /// The same of a request for several subjects, as `what` calls all of them; none of a request for none.
    pub(super) fn asked_for_all(&self, who: &str, what: &str, all: &[Came]) -> Option<Word> {
        let words = all
            .iter()
            .map(|one| self.asked(who, &one.subject, &one.what, one.problem.as_ref()));
        let words: Vec<Word> = words.collect();
        let [first, _, ..] = &words[..] else {
            return words.into_iter().next();
        };
        let count = words.len();
        let done = words.iter().filter(|word| word.code.is_none()).count();
        let (kind, message) = match done {
            0 => (
                EventKind::Refused,
                format!("Refused for all {count}: {what}."),
            ),
            done => (
                EventKind::Changed,
                format!("Done for {done} of {count}: {what}."),
            ),
        };
        let outcomes = words.iter().map(|word| SubjectOutcome {
            subject: word.subject.clone(),
            ok: word.code.is_none(),
            message: word.message.clone(),
            code: word.code,
        });
        Some(Word {
            kind,
            subject: format!("{} and {} more", first.subject, count - 1),
            message,
            code: words.iter().find_map(|word| word.code),
            outcomes: outcomes.collect(),
            ..first.clone()
        })
    }
}
