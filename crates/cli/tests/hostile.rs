//! Text from outside in every answer of an agent: no command hands it to the terminal as it is, and JSON keeps it.

#[expect(dead_code, reason = "others need all of it")]
mod support;

use std::sync::Arc;

use accelnet::args::Args;
use accelnet_api::testing::{Fake, Fixed, Serving};
use accelnet_api::types::*;
use accelnet_api::{Answer, ApiEvent, Caller, Client, News, Service};
use accelnet_model::intent::{Intent, Role};
use accelnet_model::{AdapterSummary, Capacity, Code, Node, Problem, outside};
use clap::Parser;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use support::{Booted, Shown};

/// What ends each text: it begins a line, clears the screen, turns text round, and hides.
const HOSTILE: &str = "\r\nFORGED \u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{202e}\u{200b}\u{e0041}\u{7f}";

/// The value with every text that may be any text made hostile.
fn poisoned<T: Serialize + DeserializeOwned>(value: T) -> T {
    let mut value = serde_json::to_value(value).expect("JSON");
    let mut places = Vec::new();
    texts(&value, String::new(), &mut places);
    for place in places {
        let before = value.clone();
        // Lines of ours stand there: what is to be written into which file.
        let ours = place.contains("/resolution") || place.contains("/warnings");
        let hostile = HOSTILE.replace('\n', if ours { "" } else { "\n" });
        if let Some(Value::String(text)) = value.pointer_mut(&place) {
            text.push_str(&hostile);
        }
        if serde_json::from_value::<T>(value.clone()).is_err() {
            value = before;
        }
    }
    serde_json::from_value(value).expect("a value")
}

fn texts(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(place),
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                texts(value, format!("{place}/{number}"), places);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                texts(value, format!("{place}/{name}"), places);
            }
        }
        _ => {}
    }
}

/// An agent that is asked.
struct Agent {
    client: Client,
    node: Booted,
    _serving: Serving,
    _folder: tempfile::TempDir,
}

impl Agent {
    fn serving(service: impl Service + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let callers = Arc::new(Fixed::root());
        let serving = Serving::start_for(folder.path(), Arc::new(service), callers);
        Agent {
            client: Client::new(folder.path().join("agent.sock")),
            node: support::node(|igb| igb),
            _serving: serving.expect("a socket"),
            _folder: folder,
        }
    }

    fn types(&self, command: &str) -> Shown {
        let args = Args::try_parse_from(command.split(' ')).expect("a command");
        support::run(&args, &self.node, Some(self.client.clone()), b"")
    }
}

/// An agent whose answers are hostile.
struct Hostile(Fake);

fn later<T: Serialize + DeserializeOwned + Send + 'static>(answer: Answer<T>) -> Answer<T> {
    Box::pin(async move { answer.await.map(poisoned).map_err(poisoned) })
}

fn now<T: Serialize + DeserializeOwned>(answer: Result<T, Problem>) -> Result<T, Problem> {
    answer.map(poisoned).map_err(poisoned)
}

impl Service for Hostile {
    fn name(&self) -> String {
        self.0.name()
    }

    fn status(&self) -> Result<Status, Problem> {
        let mut status = self.0.status()?;
        let problem = Problem::new(Code::VmNotFound, &["web"], "It is gone.");
        for severity in [Severity::Error, Severity::Warning] {
            let fault = Fault::new(severity, ("n1", "web"), &problem, "2026-05-01T12:00:00Z");
            status.faults.push(fault);
        }
        status.nodes_down.push("n2".to_owned());
        status.agent.cut_off_since = Some("2026-05-01T12:00:00Z".to_owned());
        status.agent.cut_off_reason = Some("it is away".to_owned());
        now(Ok(status))
    }
    fn capacity(&self) -> Result<Capacity, Problem> {
        now(self.0.capacity())
    }
    fn node(&self) -> Result<Node, Problem> {
        now(self.0.node())
    }
    fn prereq(&self, who: &Caller, intent: Option<&str>) -> Answer<PrereqAnswer> {
        later(self.0.prereq(who, intent))
    }
    fn enable(&self, who: &Caller, request: &Enable) -> Answer<ManagementChanged> {
        later(self.0.enable(who, request))
    }
    fn set(&self, who: &Caller, request: &Set) -> Answer<ManagementChanged> {
        later(self.0.set(who, request))
    }
    fn disable(&self, who: &Caller, dry_run: bool) -> Answer<ManagementChanged> {
        later(self.0.disable(who, dry_run))
    }
    fn intents(&self) -> Result<Vec<IntentView>, Problem> {
        now(Service::intents(&self.0))
    }
    fn intent_add(&self, who: &Caller, request: &IntentAdd) -> Answer<IntentChanged> {
        later(self.0.intent_add(who, request))
    }
    fn intent_set(&self, who: &Caller, name: &str, request: &IntentSet) -> Answer<IntentChanged> {
        later(self.0.intent_set(who, name, request))
    }
    fn intent_remove(&self, who: &Caller, name: &str, dry_run: bool) -> Answer<IntentChanged> {
        later(self.0.intent_remove(who, name, dry_run))
    }
    fn vms(&self, node: Option<&str>) -> Result<Vec<VmView>, Problem> {
        now(Service::vms(&self.0, node))
    }
    fn adapters(&self, node: Option<&str>) -> Result<Vec<AdapterSummary>, Problem> {
        now(Service::adapters(&self.0, node))
    }
    fn node_report(&self, node: &str) -> Result<NodeReport, Problem> {
        now(Service::node_report(&self.0, node))
    }
    fn vms_change(&self, who: &Caller, node: Option<&str>, change: &VmChange) -> Answer<VmChanged> {
        later(self.0.vms_change(who, node, change))
    }
    fn plan(&self, who: &Caller) -> Answer<PlanAnswer> {
        later(self.0.plan(who))
    }
    fn events(&self, node: Option<&str>, after: u64, limit: usize) -> Result<Events, Problem> {
        let mut events = self.0.events(node, after, limit)?;
        for event in &mut events.events {
            event.user = Some("anna".to_owned());
            event.origin = Some(Origin {
                address: "10.0.0.1:99".to_owned(),
                certificate: Some("aa".to_owned()),
                node: Some("n2".to_owned()),
            });
            event.outcomes = vec![SubjectOutcome {
                subject: "web".to_owned(),
                ok: false,
                message: "Refused.".to_owned(),
                code: Some(Code::VmNotFound),
            }];
        }
        now(Ok(events))
    }
    fn news(&self) -> Result<News, Problem> {
        self.0.news()
    }
    fn record_event(&self, remark: &ApiEvent) {
        self.0.record_event(remark);
    }
    fn nodes(&self) -> Result<Vec<NodeView>, Problem> {
        let mut nodes = self.0.nodes()?;
        nodes[0].drained = Some(Drained {
            by: "anna".to_owned(),
            at: "2026-05-01T12:00:00Z".to_owned(),
            node: None,
        });
        now(Ok(nodes))
    }
    fn node_drain(&self, who: &Caller, request: &NodeDrain) -> Answer<NodeDrained> {
        later(self.0.node_drain(who, request))
    }
    fn adapters_change(&self, who: &Caller, change: &AdaptersChange) -> Answer<AdaptersChanged> {
        later(self.0.adapters_change(who, change))
    }
}

fn fake() -> Fake {
    let fake = Fake::default()
        .intents(&[Intent {
            name: "MyIntent".parse().expect("a name"),
            roles: vec![Role::Compute],
            adapters: vec!["ens1".to_owned()],
            vfs: None,
            security: accelnet_model::VfSecurity::default(),
        }])
        .vms(&["web1", "web2", "db1"]);
    let fake = fake.enabled("MyIntent");
    fake.happens(EventKind::Noticed, "web1", "It runs.");
    fake
}

/// Every command that shows what an agent answers.
const COMMANDS: [&str; 30] = [
    "status",
    "capacity",
    "health",
    "faults",
    "prereq",
    "plan",
    "log",
    "node show",
    "node list",
    "node drain n1 --dry-run",
    "node drain n1",
    "node undrain n1",
    "adapter list",
    "intent list",
    "intent status",
    "intent add other --compute --adapter ens2 --dry-run",
    "intent add other --compute --adapter ens2",
    "intent remove other",
    "set --node-reserve 10",
    "enable --intent MyIntent",
    "disable --dry-run",
    "vm list",
    "vm show web*",
    "vm nics web*",
    "vm enable web* --performance low",
    "vm set web* --performance high",
    "vm disable web* nobody",
    "vm show nobody",
    "intent show nobody",
    "adapter disable ens1",
];

fn is_clean(command: &str, text: &str) {
    let wrong: Vec<char> = text
        .chars()
        .filter(|letter| *letter != '\n' && outside::is_hidden(*letter))
        .collect();
    assert!(wrong.is_empty(), "{command}: {wrong:?} in {text:?}");
    let mut lines = text.lines();
    let forged = lines.find(|line| line.starts_with("FORGED"));
    assert_eq!(forged, None, "{command}: {text}");
}

#[test]
fn no_command_writes_it_to_a_terminal_as_it_is() {
    let agent = Agent::serving(Hostile(fake()));
    let mut seen = 0;
    for command in COMMANDS {
        let shown = agent.types(&format!("accelnet {command}"));
        is_clean(command, &shown.out);
        is_clean(command, &shown.err);
        seen += usize::from(shown.out.contains("FORGED") || shown.err.contains("FORGED"));
    }
    assert!(seen >= 25, "hostile text is shown by {seen} commands");
}

#[test]
fn problems_are_as_clean() {
    let found = format!("Found{HOSTILE}");
    let problem = Problem::new(Code::LibvirtFailed, &[HOSTILE], found).cause(HOSTILE);
    let agent = Agent::serving(Hostile(fake().failing(problem)));
    let mut failed = 0;
    for command in COMMANDS {
        let shown = agent.types(&format!("accelnet {command}"));
        is_clean(command, &shown.out);
        is_clean(command, &shown.err);
        failed += usize::from(shown.status != 0 && shown.err.contains("FORGED"));
    }
    // Those about adapters read this machine unless an agent is on another.
    assert!(failed >= 25, "{failed} commands failed");
}

#[test]
fn names_alone_are_a_line_each() {
    let agent = Agent::serving(Hostile(fake()));
    for (command, names) in [("vm list", 3), ("node list", 1), ("intent list", 1)] {
        let shown = agent.types(&format!("accelnet {command} --output name"));
        is_clean(command, &shown.out);
        assert_eq!(shown.out.lines().count(), names, "{command}: {}", shown.out);
    }
}

#[test]
fn json_has_the_text_itself() {
    let agent = Agent::serving(Hostile(fake()));
    for command in ["status", "vm list", "node list", "log", "plan", "health"] {
        let shown = agent.types(&format!("accelnet {command} --output json"));
        let answer: Value = serde_json::from_str(&shown.out).expect("JSON");
        let mut places = Vec::new();
        texts(&answer, String::new(), &mut places);
        let raw = places.iter().filter(|place| {
            let text = answer.pointer(place).and_then(Value::as_str);
            text.is_some_and(|text| text.ends_with(HOSTILE))
        });
        assert!(raw.count() > 0, "{command}: {}", shown.out);
    }
}
