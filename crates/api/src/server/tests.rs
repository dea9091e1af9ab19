//! Whatever is sent, the agent answers it in words and goes on.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use accelnet_model::intent::{Intent, Role};
use accelnet_model::{Node, Problem};
use serde_json::{Value, json};

use super::http::{Answer, Asked, ask, send};
use crate::testing::{Fake, Fixed, Serving};
use crate::types::*;
use crate::{Caller, Client, Service};

struct Agent {
    fake: Arc<Fake>,
    serving: Serving,
    _folder: tempfile::TempDir,
}

impl Agent {
    fn new(callers: Fixed) -> Self {
        let fake = Fake::default()
            .intents(&[Intent {
                name: "MyIntent".to_owned(),
                roles: vec![Role::Compute],
                adapters: vec!["ens1".to_owned()],
                vfs: None,
            }])
            .vms(&["web1", "a/b c?&%ü"])
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

    fn ask(&self, asked: &Asked) -> Answer {
        ask(self.serving.socket(), asked)
    }

    fn enable(&self, body: &str) -> Answer {
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

fn error(answer: &Answer) -> (String, String) {
    let json = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&json["error"]["code"]),
        text(&json["error"]["message"]),
    )
}

#[test]
fn wrong_json_is_told_with_its_place() {
    let agent = root();
    for (body, words) in [
        (
            "",
            "it is not JSON: EOF while parsing a value at line 1 column 0",
        ),
        (
            "{",
            "it is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "nonsense",
            "it is not JSON: expected ident at line 1 column 2",
        ),
        ("{}\u{0}", "missing field `intent`"),
        ("[]", "expected struct Enable"),
        ("null", "expected struct Enable"),
        ("{}", "missing field `intent` at line 1 column 2"),
        (
            r#"{"intent": 3}"#,
            "intent: invalid type: integer `3`, expected a string",
        ),
        (
            r#"{"intent": null}"#,
            "intent: invalid type: null, expected a string",
        ),
        (
            r#"{"intent": "x", "nodes": 3}"#,
            "unknown field `nodes`, expected one of `intent`, `node_reserve_percentage`",
        ),
        (
            r#"{"intent": "x", "intent": "y"}"#,
            "duplicate field `intent`",
        ),
        (
            r#"{"intent": "x", "dry_run": 1}"#,
            "dry_run: invalid type: integer `1`, expected a boolean",
        ),
        (
            r#"{"intent": "x", "performance": {"low": {"queue_pairs": 1, "transmit_weight": 1, "moderation": 1}}}"#,
            "performance.low.moderation: unknown field `moderation`",
        ),
        (
            r#"{"intent": "x"} {}"#,
            "trailing characters at line 1 column 17",
        ),
    ] {
        let answer = agent.enable(body);
        let (code, message) = error(&answer);
        assert_eq!(
            (answer.status, code.as_str()),
            (400, "bad_request"),
            "{body}"
        );
        assert!(message.contains(words), "{body}: {message}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(agent.enable(&deep).status, 400);
    assert_eq!(agent.enable(&format!(r#"{{"intent":{deep}"#)).status, 400);
    let asked = Asked::new("PUT", "/v1/management");
    let asked = asked
        .header("Content-Type", "application/json")
        .body(b"\xff\xfe");
    assert_eq!(agent.ask(&asked).status, 400);
    agent.goes_on();
}

#[test]
fn values_with_a_code_of_their_own_end_with_it() {
    let agent = root();
    for (value, named) in [
        ("100", "100"),
        ("-1", "-1"),
        ("\"abc\"", "abc"),
        ("3.5", "3.5"),
        ("3.0", "3.0"),
        ("true", "true"),
        ("[]", "[]"),
        ("99999999999999999999", "1e+20"),
        ("\"50\"", "\"50\""),
    ] {
        for (method, body) in [
            (
                "PUT",
                format!(r#"{{"intent": "MyIntent", "node_reserve_percentage": {value}}}"#),
            ),
            (
                "PATCH",
                format!(r#"{{"node_reserve_percentage": {value}}}"#),
            ),
        ] {
            let answer = agent.ask(&Asked::new(method, "/v1/management").text(&body));
            let (code, message) = error(&answer);
            assert_eq!(
                (answer.status, code.as_str()),
                (400, "node_reserve_invalid"),
                "{value}"
            );
            assert!(message.contains(named), "{value}: {message}");
        }
    }
    for (path, body, code) in [
        (
            "vm-enable",
            r#"{"names": ["web1"], "performance": "turbo"}"#,
            "performance_invalid",
        ),
        (
            "vm-enable",
            r#"{"names": ["web1"], "performance": "High"}"#,
            "performance_invalid",
        ),
        (
            "vm-set",
            r#"{"names": ["web1"], "performance": ""}"#,
            "performance_invalid",
        ),
        (
            "vm-set",
            r#"{"names": ["web1"], "performance": 3}"#,
            "bad_request",
        ),
        (
            "vm-set",
            r#"{"names": [], "performance": "low"}"#,
            "bad_request",
        ),
        (
            "vm-set",
            r#"{"names": "web1", "performance": "low"}"#,
            "bad_request",
        ),
    ] {
        let answer = agent.ask(&Asked::new("POST", &format!("/v1/{path}")).text(body));
        assert_eq!(
            (answer.status, error(&answer).0.as_str()),
            (400, code),
            "{body}"
        );
    }
    for figures in [
        r#"{"low": {"queue_pairs": 0, "transmit_weight": 10}}"#,
        r#"{"low": {"queue_pairs": -1, "transmit_weight": 10}}"#,
        r#"{"low": {"queue_pairs": "two", "transmit_weight": 10}}"#,
        r#"{"high": {"queue_pairs": 1, "transmit_weight": 100}}"#,
    ] {
        let body = format!(r#"{{"performance": {figures}}}"#);
        let answer = agent.ask(&Asked::new("PATCH", "/v1/management").text(&body));
        assert_eq!(error(&answer).0, "figures_invalid", "{figures}");
    }
    agent.goes_on();
}

#[test]
fn queries_are_read_strictly() {
    let agent = root();
    for (path, words) in [
        (
            "/v1/status?x=1",
            "its query has x, and nothing may stand there",
        ),
        (
            "/v1/events?after=-1",
            "after in its query is \"-1\" and not an integer from 0",
        ),
        (
            "/v1/events?limit=0",
            "limit in its query is 0 and not within 1..=10000",
        ),
        (
            "/v1/events?wait=61",
            "wait in its query is 61 and not within 0..=60",
        ),
        ("/v1/events?after=1&after=2", "its query has after twice"),
        ("/v1/events?until=1", "there may be after, limit, wait"),
    ] {
        let answer = agent.ask(&Asked::new("GET", path));
        assert_eq!(answer.status, 400, "{path}");
        let (_, message) = error(&answer);
        assert!(message.contains(words), "{path}: {message}");
    }
    let answer = agent.ask(&Asked::new("DELETE", "/v1/management?dry_run=yes"));
    assert_eq!(answer.status, 400);
    agent.goes_on();
}

#[test]
fn bodies_must_be_json_and_not_too_long() {
    let agent = root();
    let put = || Asked::new("PUT", "/v1/management");
    let json = || put().header("Content-Type", "application/json");
    for (asked, status) in [
        (put().body(b"{}"), 415),
        (put().header("Content-Type", "text/plain").body(b"{}"), 415),
        (put(), 415),
        (json(), 400),
        (json().body(&vec![b' '; 1024 * 1024]), 400),
        (json().body(&vec![b' '; 1024 * 1024 + 1]), 413),
        (json().body(&vec![b' '; 10_000_000]), 413),
        (json().chunked(&vec![b' '; 10_000_000]), 413),
        (
            json()
                .header("Content-Length", "99999999999")
                .header("Expect", "100-continue"),
            413,
        ),
        (json().header("Content-Length", "many"), 400),
        (json().header("Content-Length", "-1"), 400),
    ] {
        let answer = agent.ask(&asked);
        assert_eq!(answer.status, status, "{}", answer.text());
        if !answer.text().is_empty() {
            assert_eq!(error(&answer).0, "bad_request");
        }
    }
    let charset = put().header("Content-Type", "Application/JSON; charset=utf-8");
    let answer = agent.ask(&charset.body(br#"{"intent": "MyIntent"}"#));
    assert_eq!(answer.status, 200, "{}", answer.text());
    agent.fake.asked();
    // Announced, and never sent: the other side hangs up.
    let mut stream = UnixStream::connect(agent.serving.socket()).expect("connected");
    let head = "PUT /v1/management HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("sent");
    drop(stream);
    agent.goes_on();
}

#[test]
fn heads_that_make_no_sense_end_their_own_connection() {
    let agent = root();
    let flood: String = (0..5000).map(|at| format!("x-{at}: {at}\r\n")).collect();
    for (bytes, status) in [
        (b"nonsense\r\n\r\n".to_vec(), 400),
        (b"\x16\x03\x01\x00\xa5\x01\r\n\r\n".to_vec(), 400),
        (
            format!("GET /v1/status HTTP/1.1\r\n{flood}\r\n").into_bytes(),
            431,
        ),
        (
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1_000_000)).into_bytes(),
            431,
        ),
        (b"GET /v1/status HTTP/9.9\r\n\r\n".to_vec(), 400),
    ] {
        let answer = send(agent.serving.socket(), &bytes);
        assert!(
            [status, 400, 414, 431].contains(&answer.status),
            "{}: {}",
            answer.status,
            answer.text()
        );
    }
    // Half a head, and nobody there any more; and one who does not read the answer.
    for half in ["GET /v1/st", "GET /v1/node HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut stream = UnixStream::connect(agent.serving.socket()).expect("connected");
        stream.write_all(half.as_bytes()).expect("sent");
    }
    let waiting: Vec<UnixStream> = (0..32)
        .map(|_| UnixStream::connect(agent.serving.socket()).expect("connected"))
        .collect();
    agent.goes_on();
    drop(waiting);
}

#[test]
fn one_connection_serves_many_requests() {
    let agent = root();
    let mut stream = UnixStream::connect(agent.serving.socket()).expect("connected");
    for _ in 0..3 {
        let head = "GET /v1/version HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = [0; 1024];
        let read = stream.read(&mut answer).expect("an answer");
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn too_many_connections_are_told_so_and_leave_a_place_for_others() {
    let agent = Agent::new(Fixed::onlooker());
    let all: Vec<UnixStream> = (0..64)
        .map(|_| UnixStream::connect(agent.serving.socket()).expect("connected"))
        .collect();
    let answer = agent.ask(&Asked::new("GET", "/v1/status"));
    assert_eq!(
        (answer.status, error(&answer).0.as_str()),
        (503, "agent_unreachable")
    );
    drop(all);
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
            r#"{"name": "x", "roles": [], "adapters": []}"#,
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
    let vm = agent.client().vm("a/b c?&%ü").expect("the VM");
    assert_eq!(vm.name, "a/b c?&%ü");
    let by_uuid = agent.client().vm(&vm.uuid.to_uppercase()).expect("the VM");
    assert_eq!(by_uuid.name, vm.name);
    for name in ["enable", "..", "", "%2F"] {
        let missing = agent.client().vm(name);
        assert!(missing.is_err() || name.is_empty(), "{name}");
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
    fn status(&self) -> Result<Status, Problem> { panic!("fell over") }
    fn node(&self) -> Result<Node, Problem> { panic!() }
    fn prereq(&self, _: Option<&str>) -> Result<PrereqAnswer, Problem> { panic!() }
    fn enable(&self, _: &Caller, _: &Enable) -> Result<ManagementChanged, Problem> { panic!() }
    fn set(&self, _: &Caller, _: &Set) -> Result<ManagementChanged, Problem> { panic!() }
    fn disable(&self, _: &Caller, _: bool) -> Result<ManagementChanged, Problem> { panic!() }
    fn intents(&self) -> Result<Vec<IntentView>, Problem> { Ok(Vec::new()) }
    fn intent_add(&self, _: &Caller, _: &IntentAdd) -> Result<IntentChanged, Problem> { panic!() }
    fn intent_set(&self, _: &Caller, _: &str, _: &IntentSet) -> Result<IntentChanged, Problem> { panic!() }
    fn intent_remove(&self, _: &Caller, _: &str, _: bool) -> Result<IntentChanged, Problem> { panic!() }
    fn vms(&self) -> Result<Vec<VmView>, Problem> { panic!() }
    fn vms_change(&self, _: &Caller, _: &VmChange) -> Result<VmChanged, Problem> { panic!() }
    fn plan(&self) -> Result<PlanAnswer, Problem> { panic!() }
    fn events(&self, _: u64, _: usize, _: Duration) -> Result<Events, Problem> { panic!() }
}

#[test]
fn a_request_that_falls_over_is_told_and_harms_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Arc::new(Fixed::root());
    let serving = Serving::start_for(folder.path(), Arc::new(Falls), root).expect("a socket");
    let client = Client::new(serving.socket());
    let problem = client.status().expect_err("it fell over");
    assert_eq!(problem.code, accelnet_model::Code::AgentUnreachable);
    assert!(problem.found.contains("fell over"), "{}", problem.found);
    assert_eq!(client.intents().expect("it goes on"), []);
    // Not even what no agent but one on a simulated host does is a fall.
    let problem = client
        .adapters_change(&AdaptersChange::default())
        .expect_err("refused");
    assert_eq!(problem.code, accelnet_model::Code::BadRequest);
}

#[test]
fn the_real_callers_are_told_by_the_kernel() {
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
    assert_eq!(problem.found, "There is no such socket.");
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
