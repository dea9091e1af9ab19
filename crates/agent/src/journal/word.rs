//! An event before it has a number, and how much of it is kept.

use accelnet_api::Role;
use accelnet_api::types::{Event, EventKind, Origin, SubjectOutcome};
use accelnet_model::{Code, outside};

use crate::journald::{MESSAGE_ID, Record};

/// Outcomes that an event has at most; the others are counted.
pub const MOST_OUTCOMES: usize = 16;
/// The longest subject or name, in characters.
const LONGEST_NAME: usize = 255;
/// The longest message of an event, and of an outcome, in characters.
const LONGEST_MESSAGE: usize = 1000;
const LONGEST_OUTCOME: usize = 300;

/// Something to be told, before it has a number.
#[derive(Debug, Clone)]
pub struct Word {
    /// What kind.
    pub kind: EventKind,
    /// What it is about.
    pub subject: String,
    /// What happened, a sentence.
    pub message: String,
    /// Who asked for it.
    pub who: Option<String>,
    /// With which role.
    pub role: Option<Role>,
    /// From where.
    pub from: Option<Origin>,
    /// Who asked as they say themselves: a claim, in records of the node only.
    pub claimed: Option<String>,
    /// Code, where something went wrong.
    pub code: Option<Code>,
    /// What came of it for each subject, where there are several.
    pub outcomes: Vec<SubjectOutcome>,
    /// Subjects without an outcome here.
    pub omitted_outcomes: usize,
}

impl Word {
    /// Something that nobody asked for.
    pub fn of(kind: EventKind, subject: &str, message: impl Into<String>) -> Self {
        Word {
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

    /// The event as it is kept: bounded, and its text escaped. Outcomes that changed something come first.
    pub(super) fn event(&self, at: &str, node: &str) -> Event {
        let (done, refused): (Vec<_>, Vec<_>) = self.outcomes.iter().partition(|one| one.ok);
        let outcomes = done.into_iter().chain(refused).take(MOST_OUTCOMES);
        let outcomes = outcomes.map(short_outcome);
        let more = self.outcomes.len().saturating_sub(MOST_OUTCOMES) + self.omitted_outcomes;
        Event {
            number: 0,
            at: at.to_owned(),
            node: node.to_owned(),
            kind: self.kind,
            subject: outside::short(&self.subject, LONGEST_NAME),
            message: outside::short(&self.message, LONGEST_MESSAGE),
            user: self
                .who
                .as_deref()
                .map(|who| outside::short(who, LONGEST_NAME)),
            role: self.role,
            origin: self.from.clone(),
            code: self.code,
            outcomes: outcomes.collect(),
            omitted_outcomes: u32::try_from(more).unwrap_or(u32::MAX),
        }
    }

    /// Its records in the journal of the node: one of the whole, and one of each subject of several that was
    /// changed, or is among the first that were not.
    pub(super) fn records(&self, node: &str, request: &str) -> Vec<Record> {
        let whole = self.record(node, request, &self.subject, &self.message);
        let whole = whole.with("ACCELNET_OUTCOME", kind(self.kind));
        let whole = whole.with_some("ACCELNET_CODE", self.code.map(|code| code.id()));
        let mut refused = 0;
        let each = self.outcomes.iter().filter(|one| {
            refused += usize::from(!one.ok);
            one.ok || refused <= MOST_OUTCOMES
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
        let subject = outside::short(subject, LONGEST_NAME);
        let message = outside::short(message, LONGEST_MESSAGE);
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

/// An outcome as it is kept.
pub(crate) fn short_outcome(one: &SubjectOutcome) -> SubjectOutcome {
    SubjectOutcome {
        subject: outside::short(&one.subject, LONGEST_NAME),
        message: outside::short(&one.message, LONGEST_OUTCOME),
        ..one.clone()
    }
}

/// A kind in one word.
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
