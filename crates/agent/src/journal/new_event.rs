//! An event before it has a number, and how much of it is kept.

use accelnet_api::Role;
use accelnet_api::types::{Event, EventKind, Origin, SubjectOutcome};
use accelnet_model::{Code, outside};

use crate::journald::{MESSAGE_ID, Record};

/// Outcomes of an event; further ones are counted.
pub(crate) const MAX_OUTCOMES: usize = 16;
/// Characters of a subject or name.
const MAX_NAME: usize = 255;
/// Characters of the message of an event.
const MAX_MESSAGE: usize = 1000;
/// Characters of the message of an outcome.
const MAX_OUTCOME: usize = 300;

/// An event to be recorded, without a number.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its kind.
    pub kind: EventKind,
    /// Its subject.
    pub subject: String,
    /// What happened, a sentence.
    pub message: String,
    /// The user who requested it.
    pub who: Option<String>,
    /// The role of the user.
    pub role: Option<Role>,
    /// Where the request came from.
    pub from: Option<Origin>,
    /// The name that the user claims to have; only the journal of the node has it.
    pub claimed: Option<String>,
    /// The code of a problem.
    pub code: Option<Code>,
    /// The outcome for each of several subjects.
    pub outcomes: Vec<SubjectOutcome>,
    /// Number of subjects whose outcomes are left out.
    pub omitted_outcomes: usize,
}

impl NewEvent {
    /// An event that no user requested.
    pub fn of(kind: EventKind, subject: &str, message: impl Into<String>) -> Self {
        NewEvent {
            kind,
            subject: subject.to_owned(),
            message: message.into(),
            who: None,
            role: None,
            from: None,
            claimed: None,
            code: None,
            outcomes: Vec::new(),
            omitted_outcomes: 0,
        }
    }

    /// The stored event: bounded, its text escaped, outcomes that changed something first.
    pub(super) fn event(&self, at: &str, node: &str) -> Event {
        let (done, refused): (Vec<_>, Vec<_>) = self.outcomes.iter().partition(|one| one.ok);
        let outcomes = done.into_iter().chain(refused).take(MAX_OUTCOMES);
        let outcomes = outcomes.map(shortened);
        let more = self.outcomes.len().saturating_sub(MAX_OUTCOMES) + self.omitted_outcomes;
        Event {
            number: 0,
            at: at.to_owned(),
            node: node.to_owned(),
            kind: self.kind,
            subject: outside::short(&self.subject, MAX_NAME),
            message: outside::short(&self.message, MAX_MESSAGE),
            user: self.who.as_deref().map(|who| outside::short(who, MAX_NAME)),
            role: self.role,
            origin: self.from.clone(),
            code: self.code,
            outcomes: outcomes.collect(),
            omitted_outcomes: u32::try_from(more).unwrap_or(u32::MAX),
        }
    }

    /// Its records in the journal of the node: one of the whole request, and one of each subject that was
    /// changed, or is among the first that were refused.
    pub(super) fn records(&self, node: &str, request: &str) -> Vec<Record> {
        let whole = self.record(node, request, &self.subject, &self.message);
        let whole = whole.with("ACCELNET_OUTCOME", kind(self.kind));
        let whole = whole.with_some("ACCELNET_CODE", self.code.map(|code| code.id()));
        let mut refused = 0;
        let each = self.outcomes.iter().filter(|one| {
            refused += usize::from(!one.ok);
            one.ok || refused <= MAX_OUTCOMES
        });
        let each = each.map(|one| {
            let outcome = match one.ok {
                true => "changed",
                false => "refused",
            };
            self.record(node, request, &one.subject, &one.message)
                .with("ACCELNET_OUTCOME", outcome)
                .with_some("ACCELNET_CODE", one.code.map(|code| code.id()))
        });
        std::iter::once(whole).chain(each).collect()
    }

    fn record(&self, node: &str, request: &str, subject: &str, message: &str) -> Record {
        let subject = outside::short(subject, MAX_NAME);
        let message = outside::short(message, MAX_MESSAGE);
        let priority = match self.kind {
            EventKind::Failed => "3",
            EventKind::Refused | EventKind::Drift => "4",
            EventKind::Changed | EventKind::Repaired => "5",
            EventKind::Noticed => "6",
        };
        let from = self.from.as_ref();
        Record::default()
            .with("MESSAGE", &format!("{subject}: {message}"))
            .with("MESSAGE_ID", MESSAGE_ID)
            .with("PRIORITY", priority)
            .with("SYSLOG_IDENTIFIER", "accelnet")
            .with("ACCELNET_NODE", node)
            .with("ACCELNET_REQUEST", request)
            .with("ACCELNET_KIND", kind(self.kind))
            .with("ACCELNET_SUBJECT", &subject)
            .with("ACCELNET_WHAT", &message)
            .with_some("ACCELNET_WHO", self.who.as_deref())
            .with_some("ACCELNET_CLAIMED", self.claimed.as_deref())
            .with_some("ACCELNET_ROLE", self.role.map(Role::name))
            .with_some("ACCELNET_FROM", from.map(|from| from.address.as_str()))
            .with_some("ACCELNET_VIA", from.and_then(|from| from.node.as_deref()))
            .with_some(
                "ACCELNET_CERTIFICATE",
                from.and_then(|from| from.certificate.as_deref()),
            )
    }
}

/// An outcome with bounded, escaped text.
pub(crate) fn shortened(one: &SubjectOutcome) -> SubjectOutcome {
    SubjectOutcome {
        subject: outside::short(&one.subject, MAX_NAME),
        message: outside::short(&one.message, MAX_OUTCOME),
        ..one.clone()
    }
}

fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Changed => "changed",
        EventKind::Refused => "refused",
        EventKind::Drift => "drift",
        EventKind::Repaired => "repaired",
        EventKind::Failed => "failed",
        EventKind::Noticed => "noticed",
    }
}
