//! Who was turned away, reported as events: so few of them that a client that comes again and again
//! drives out of the log what others did.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accelnet_model::{Code, Problem};
use tokio::time::Instant;

use crate::types::{EventKind, Origin};
use crate::{ApiEvent, Caller, Role, Service};

/// Refusals of one kind that are reported one by one in a window; the others are counted.
const EACH: u32 = 5;
/// The first window, which doubles for as long as there are more of them than that.
const WINDOW: Duration = Duration::from_secs(60);
/// The longest window.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The longest reported name, in characters.
pub const LONGEST_NAME: usize = 200;
/// The longest message, in characters: what stands in a refused request may stand in it.
const LONGEST_MESSAGE: usize = 600;

/// Reports refusals to a service.
pub struct Refusals {
    service: Arc<dyn Service>,
    connections: Mutex<Window>,
    requests: Mutex<Window>,
}

/// What is refused; one kind does not hide the other.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Connection,
    Request,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Connection => "connections",
            Kind::Request => "requests",
        }
    }
}

/// What was reported lately.
#[derive(Debug, Clone)]
struct Window {
    ends: Option<Instant>,
    long: Duration,
    recorded: u32,
    untold: u32,
}

/// What becomes of a refusal.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// It is reported.
    Report,
    /// It is counted; the first that is starts the report of the count.
    Count(Option<Instant>),
}

impl Default for Window {
    fn default() -> Self {
        Window {
            ends: None,
            long: WINDOW,
            recorded: 0,
            untold: 0,
        }
    }
}

impl Window {
    fn take(&mut self, now: Instant) -> Turn {
        match self.ends {
            Some(ends) if now < ends => {}
            before => {
                let quiet = before.is_none_or(|ends| now >= ends + self.long);
                let crowded = self.recorded >= EACH;
                self.long = match crowded && !quiet {
                    true => (self.long * 2).min(LONGEST),
                    false => WINDOW,
                };
                self.ends = Some(now + self.long);
                self.recorded = 0;
            }
        }
        if self.recorded < EACH {
            self.recorded += 1;
            return Turn::Report;
        }
        self.untold += 1;
        Turn::Count(self.ends.filter(|_| self.untold == 1))
    }

    /// How many were counted; none are any more.
    fn counted(&mut self) -> u32 {
        std::mem::take(&mut self.untold)
    }
}

impl Refusals {
    /// Reports to `service`.
    pub fn new(service: Arc<dyn Service>) -> Arc<Self> {
        Arc::new(Refusals {
            service,
            connections: Mutex::default(),
            requests: Mutex::default(),
        })
    }

    /// A connection from `address` was turned away, and why, a fragment.
    pub async fn connection(self: &Arc<Self>, address: &str, why: &str) {
        let from = Origin {
            address: address.to_owned(),
            certificate: None,
            node: None,
        };
        let remark = ApiEvent {
            kind: EventKind::Refused,
            who: None,
            role: None,
            message: format!("Refused a connection: {why}."),
            from: Some(from),
            subject: "API".to_owned(),
            code: Some(Code::CertificateRefused),
        };
        self.record(Kind::Connection, remark).await;
    }

    /// A change was refused before the service learned of it.
    pub async fn request(
        self: &Arc<Self>,
        who: &Caller,
        subject: Option<&str>,
        summary: &str,
        problem: &Problem,
    ) {
        // Its first clause: what follows says how.
        let what = summary.split([',', ';']).next().unwrap_or_default();
        let what = uncapitalised(what);
        let remark = ApiEvent {
            kind: EventKind::Refused,
            who: Some(who.name.clone()),
            role: Some(who.role),
            from: Some(who.from.clone()),
            subject: subject.unwrap_or("cluster").to_owned(),
            message: format!("Refused: {what}: {} {}", problem.message, problem.found),
            code: Some(problem.code),
        };
        self.record(Kind::Request, remark).await;
    }

    /// Something about the way in itself.
    pub async fn noted(self: &Arc<Self>, kind: EventKind, message: String, code: Option<Code>) {
        let remark = ApiEvent {
            kind,
            who: None,
            role: None,
            from: None,
            subject: "API".to_owned(),
            message,
            code,
        };
        self.keep(remark).await;
    }

    async fn record(self: &Arc<Self>, kind: Kind, remark: ApiEvent) {
        let turn = self.window(kind).take(Instant::now());
        let ends = match turn {
            Turn::Report => return self.keep(remark).await,
            Turn::Count(None) => return,
            Turn::Count(Some(ends)) => ends,
        };
        let refusals = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep_until(ends).await;
            let count = refusals.window(kind).counted();
            let message = format!(
                "Refused {count} more {}, not recorded one by one; the first was from {}.",
                kind.name(),
                remark.from.as_ref().map_or("nowhere", |from| &from.address)
            );
            refusals.keep(ApiEvent { message, ..remark }).await;
        });
    }

    fn window(&self, kind: Kind) -> MutexGuard<'_, Window> {
        let window = match kind {
            Kind::Connection => &self.connections,
            Kind::Request => &self.requests,
        };
        window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeping an event can wait for a disk.
    async fn keep(self: &Arc<Self>, remark: ApiEvent) {
        let service = self.service.clone();
        let remark = ApiEvent {
            subject: printable(&remark.subject, LONGEST_NAME),
            message: printable(&remark.message, LONGEST_MESSAGE),
            ..remark
        };
        // A panic is reported where it happens, and affects no other client.
        drop(tokio::task::spawn_blocking(move || service.record_event(&remark)).await);
    }
}

/// Why `caller` may not do what needs the role `needs`.
pub fn not_allowed(caller: &Caller, needs: Role) -> Problem {
    let found = format!("The role of this caller is {}.", caller.role);
    let problem = Problem::new(Code::NotAllowed, &[&caller.name, needs.name()], found);
    match caller.from.is_socket() {
        true => problem,
        false => problem
            .needed(format!(
                "A certificate with the role {needs}: OU=accelnet-{needs} in its subject."
            ))
            .resolution(format!(
                "Use a profile whose certificate has the role {needs}, or ask the administrator of the CA for one (docs/remote.md)."
            )),
    }
}

/// Text from outside, at most `most` characters of it, without what would move the cursor
/// of a terminal.
pub fn printable(text: &str, most: usize) -> String {
    let visible = |letter: char| if letter.is_control() { '?' } else { letter };
    text.chars().take(most).map(visible).collect()
}

fn uncapitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_lowercase(), letters.as_str())
    })
}

#[cfg(test)]
mod tests;
