//! Whatever is sent, the agent answers it in words and goes on.

mod remote;
mod requests;
mod wire;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use accelnet_model::intent::{Intent, Role};
use accelnet_model::{AdapterSummary, Capacity, Node, Problem};
use serde_json::{Value, json};

use super::http::{Answer as Reply, Asked, ask, send};
use crate::testing::{Fake, Fixed, Serving};
use crate::types::*;
use crate::{Answer, ApiEvent, Caller, Client, News, Service};

struct Agent {
    fake: Arc<Fake>,
    serving: Serving,
    _folder: tempfile::TempDir,
}

impl Agent {
    fn new(callers: Fixed) -> Self {
        let fake = Fake::default()
            .intents(&[Intent {
                name: "MyIntent".parse().expect("a name"),
                roles: vec![Role::Compute],
                adapters: vec!["ens1".to_owned()],
                vfs: None,
                security: accelnet_model::VfSecurity::default(),
            }])
            .vms(&["web1", "a\\b c?&%ü"])
            .enabled("MyIntent");
        let fake = Arc::new(fake);
        let folder = tempfile::tempdir().expect("a folder");
        let service: Arc<dyn Service> = fake.clone();
        let serving = Serving::start_for(folder.path(), service, Arc::new(callers));
        Agent {
            fake,
            serving: serving.expect("a socket"),
            _folder: folder,
        }
    }

    fn ask(&self, asked: &Asked) -> Reply {
        ask(self.serving.socket(), asked)
    }

    fn enable(&self, body: &str) -> Reply {
        self.ask(&Asked::new("PUT", "/v1/management").text(body))
    }

    fn client(&self) -> Client {
        Client::new(self.serving.socket())
    }

    /// It is as it was: it answers, and nothing reached it.
    fn goes_on(&self) {
        self.client().status().expect("it goes on");
        assert_eq!(self.fake.asked(), Vec::<String>::new());
    }
}

fn root() -> Agent {
    Agent::new(Fixed::root())
}

fn error(answer: &Reply) -> (String, String) {
    let json = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&json["error"]["code"]),
        format!(
            "{} {}",
            text(&json["error"]["message"]),
            text(&json["error"]["found"])
        ),
    )
}

#[test]
fn an_onlooker_looks_and_changes_nothing() {
    let agent = Agent::new(Fixed::onlooker());
    let client = agent.client();
    client.status().expect("looking is for everybody");
    client.vms().expect("looking is for everybody");
    client
        .disable(true)
        .expect("so is asking what would be done");
    assert_eq!(agent.fake.asked(), ["disable true"]);
    let refused = client.disable(false).expect_err("a change");
    assert_eq!(refused.code, accelnet_model::Code::NotAllowed);
    assert!(
        refused.message.contains("anna (uid 1000)"),
        "{}",
        refused.message
    );
    for (method, path, body) in [
        ("PUT", "/v1/management", r#"{"intent": "MyIntent"}"#),
        ("PATCH", "/v1/management", "{}"),
        ("DELETE", "/v1/management", ""),
        (
            "POST",
            "/v1/intents",
            r#"{"name": "x", "roles": ["compute"], "adapters": ["ens2"]}"#,
        ),
        ("PATCH", "/v1/intents/MyIntent", "{}"),
        ("DELETE", "/v1/intents/MyIntent", ""),
        (
            "POST",
            "/v1/vm-enable",
            r#"{"names": ["web1"], "performance": "low"}"#,
        ),
        (
            "POST",
            "/v1/vm-set",
            r#"{"names": ["web1"], "performance": "low"}"#,
        ),
        ("POST", "/v1/vm-disable", r#"{"names": ["web1"]}"#),
        ("POST", "/v1/adapters", "{}"),
    ] {
        let answer = agent.ask(&Asked::new(method, path).text(body));
        assert_eq!(
            (answer.status, error(&answer).0.as_str()),
            (403, "not_allowed"),
            "{path}"
        );
    }
    agent.goes_on();
}

#[test]
fn names_of_any_kind_come_through_a_path() {
    let agent = root();
    let vm = agent.client().vm("a\\b c?&%ü").expect("the VM");
    assert_eq!(vm.name, "a\\b c?&%ü");
    let by_uuid = agent.client().vm(&vm.uuid.to_uppercase()).expect("the VM");
    assert_eq!(by_uuid.name, vm.name);
    for name in ["enable", "..", "", "%2F"] {
        let missing = agent.client().vm(name);
        assert!(missing.is_err() || name.is_empty(), "{name}");
    }
    for name in ["a/b", "../x", "a\nb"] {
        let refused = agent.client().vm(name).expect_err("no name of a VM");
        assert_eq!(
            refused.code,
            accelnet_model::Code::BadRequest,
            "{name:?}: {refused:?}"
        );
    }
}

#[test]
fn events_are_waited_for() {
    let agent = root();
    let client = agent.client();
    let none = client.events(0, 10, Duration::ZERO).expect("an answer");
    assert_eq!(none.events, []);
    let waits = std::thread::spawn(move || client.events(0, 10, Duration::from_secs(60)));
    agent
        .fake
        .happens(EventKind::Drift, "ens1", "Its VFs are gone.");
    let events = waits.join().expect("no panic").expect("an answer").events;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].number, 1);
}

/// A service that falls over.
struct Falls;

#[rustfmt::skip]
impl Service for Falls {
    fn name(&self) -> String { "n1".to_owned() }
    fn status(&self) -> Result<Status, Problem> { panic!("fell over") }
    fn node(&self) -> Result<Node, Problem> { panic!() }
    fn prereq(&self, _: &Caller, _: Option<&str>) -> Answer<PrereqAnswer> { panic!() }
    fn enable(&self, _: &Caller, _: &Enable) -> Answer<ManagementChanged> { panic!() }
    fn set(&self, _: &Caller, _: &Set) -> Answer<ManagementChanged> { panic!() }
    fn disable(&self, _: &Caller, _: bool) -> Answer<ManagementChanged> { panic!() }
    fn intents(&self) -> Result<Vec<IntentView>, Problem> { Ok(Vec::new()) }
    fn intent_add(&self, _: &Caller, _: &IntentAdd) -> Answer<IntentChanged> { panic!() }
    fn intent_set(&self, _: &Caller, _: &str, _: &IntentSet) -> Answer<IntentChanged> { panic!() }
    fn intent_remove(&self, _: &Caller, _: &str, _: bool) -> Answer<IntentChanged> { panic!() }
    fn vms(&self, _: Option<&str>) -> Result<Vec<VmView>, Problem> { panic!() }
    fn adapters(&self, _: Option<&str>) -> Result<Vec<AdapterSummary>, Problem> { panic!() }
    fn node_report(&self, _: &str) -> Result<NodeReport, Problem> { panic!() }
    fn vms_change(&self, _: &Caller, _: Option<&str>, _: &VmChange) -> Answer<VmChanged> { panic!() }
    fn plan(&self, _: &Caller) -> Answer<PlanAnswer> { Box::pin(async { panic!("fell over later") }) }
    fn nodes(&self) -> Result<Vec<NodeView>, Problem> { panic!() }
    fn node_drain(&self, _: &Caller, _: &NodeDrain) -> Answer<NodeDrained> { panic!() }
    fn events(&self, _: Option<&str>, _: u64, _: usize) -> Result<Events, Problem> { panic!() }
    fn news(&self) -> Result<News, Problem> { panic!() }
    fn capacity(&self) -> Result<Capacity, Problem> { panic!() }
    fn record_event(&self, _: &ApiEvent) {}
}

#[test]
fn a_request_that_panics_is_reported_and_harms_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Arc::new(Fixed::root());
    let serving = Serving::start_for(folder.path(), Arc::new(Falls), root).expect("a socket");
    let client = Client::new(serving.socket());
    let problem = client.status().expect_err("it fell over");
    assert_eq!(problem.code, accelnet_model::Code::AgentUnreachable);
    assert!(problem.found.contains("fell over"), "{}", problem.found);
    let problem = client
        .plan()
        .expect_err("it fell over while it was waited for");
    assert_eq!(problem.code, accelnet_model::Code::AgentUnreachable);
    assert_eq!(client.intents().expect("it goes on"), []);
    // Not even what no agent but one on a simulated host does is a fall.
    let problem = client
        .adapters_change(&AdaptersChange::default())
        .expect_err("refused");
    assert_eq!(problem.code, accelnet_model::Code::BadRequest);
}

#[test]
fn the_kernel_identifies_the_real_callers() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = Arc::new(Fake::default());
    let serving = Serving::start(folder.path(), fake).expect("a socket");
    let mode = std::fs::metadata(serving.socket())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o666, "anybody may look");
    let changed = Client::new(serving.socket()).disable(false);
    assert_eq!(changed.is_ok(), rustix::process::getuid().is_root());
}

#[test]
fn the_socket_goes_with_its_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Arc::new(Fixed::root());
    let serving = Serving::start_for(folder.path(), Arc::new(Falls), root).expect("a socket");
    let socket = serving.socket().to_owned();
    drop(serving);
    assert!(!socket.exists());
    let problem = Client::new(&socket).intents().expect_err("nobody");
    assert_eq!(problem.found, "The socket does not exist.");
    assert_eq!(problem.code, accelnet_model::Code::AgentUnreachable);
}

#[test]
fn a_problem_comes_through_whole() {
    let problem = Problem::new(accelnet_model::Code::LibvirtFailed, &["attach the VF"], "x")
        .cause("internal error: \"quoted\" \u{1F600}");
    let fake = Fake::default().failing(problem.clone());
    let folder = tempfile::tempdir().expect("a folder");
    let root = Arc::new(Fixed::root());
    let serving = Serving::start_for(folder.path(), Arc::new(fake), root).expect("a socket");
    assert_eq!(Client::new(serving.socket()).plan(), Err(problem));
    let answer = ask(serving.socket(), &Asked::new("GET", "/v1/plan"));
    assert_eq!(
        (answer.status, &answer.json()["exit_status"]),
        (502, &json!(87))
    );
}
