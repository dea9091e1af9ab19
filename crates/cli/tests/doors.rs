//! What users who may only read can do to an agent: nothing. A whole agent on a simulated node is attacked
//! through its real doors, as another user and with the certificate of a reader.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use accelnet_agent::simulated::Simulated;
use accelnet_agent::simulated::served::{self, Served};
use accelnet_api::Client;
use accelnet_api::client::{Credentials, Remote};
use accelnet_api::testing::{Authority, Certified};
use accelnet_api::types::*;
use accelnet_host::{Clock, SystemClock};
use accelnet_model::{Code, Performance, Problem};
use rustix::net::{AddressFamily, SocketType};
use rustix::process::Uid;

/// A user without rights.
const NOBODY: u32 = 65534;
/// How long anything may take before the test is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// An agent with both listeners, whose VM web is accelerated.
struct Node {
    served: Served,
    ca: Authority,
    folder: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).expect("a mode");
        let machine = served::small(folder.path()).expect("a node");
        let ca = Authority::new("the CA");
        let options = ca.door(folder.path()).expect("files");
        let edge = Box::new(Simulated::new(machine).in_real_time());
        let store = served::store().expect("a store");
        let served = Served::start(folder.path(), edge, store, Some(&options)).expect("an agent");
        served.declare().expect("a VM");
        Node { served, ca, folder }
    }

    fn socket(&self) -> &Path {
        self.served.socket()
    }

    fn address(&self) -> SocketAddr {
        self.served.address().expect("an address")
    }

    /// Root, on the socket.
    fn root(&self) -> Client {
        self.served.root()
    }

    /// A user with a certificate of that role.
    fn far(&self, role: &str) -> Client {
        let certified: Certified = self.ca.client(role, Some(&format!("accelnet-{role}")));
        let (cert, key) = certified.write(self.folder.path(), role).expect("files");
        let ca = self.folder.path().join("ca.pem");
        let server = format!("localhost:{}", self.address().port());
        let remote = Remote::new(&server, &Credentials { ca, cert, key });
        Client::remote(remote.expect("a client"))
    }

    /// What is so: an attack changes nothing of it.
    fn state(&self) -> (Vec<IntentView>, Vec<VmView>, usize) {
        let root = self.root();
        let failed = |event: &&Event| event.kind == EventKind::Failed;
        let events = root.events(0, 1000, Duration::ZERO).expect("events").events;
        let mut intents = root.intents().expect("intents");
        for status in intents.iter_mut().flat_map(|intent| &mut intent.status) {
            // It is verified again now and then.
            status.verified_at = None;
        }
        let vms = root.vms().expect("VMs");
        (intents, vms, events.iter().filter(failed).count())
    }

    /// Root, and who administers from afar, are answered.
    fn answers(&self) {
        let set = VmChange::Set(VmSet {
            names: vec!["web".to_owned()],
            performance: Some(Performance::Medium),
            now: false,
            dry_run: true,
            trust: None,
            spoof_check: None,
        });
        for client in [self.root(), self.far("administrator")] {
            assert!(client.status().expect("an answer").enabled);
            let changed = client.vms_change(&set).expect("an answer");
            assert!(changed.ok, "{changed:?}");
        }
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = SystemClock.uptime();
    while !holds() {
        let waited = SystemClock.uptime() - begun;
        assert!(waited < PATIENCE, "{what}");
        SystemClock.sleep(Duration::from_millis(20));
    }
}

/// Does `work` as a user without rights. The kernel keeps the user of each thread by itself.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    as_user(NOBODY, work)
}

fn as_user<T: Send>(user: u32, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let working = scope.spawn(|| {
            let user = Uid::from_raw(user);
            rustix::thread::set_thread_res_uid(user, user, user).expect("these tests run as root");
            work()
        });
        working.join().expect("no panic")
    })
}

/// Sends a request by hand, and does not read the answer.
fn sent(socket: &Path, method: &str, path: &str, body: &str) -> UnixStream {
    let mut stream = UnixStream::connect(socket).expect("connected");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // A user that is turned away may be so before it has asked.
    drop(stream.write_all(request.as_bytes()));
    stream
}

/// The answer of such a request, as far as it came.
fn answer(mut stream: UnixStream) -> String {
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_turned_away(problem: &Problem) -> bool {
    matches!(problem.code, Code::AgentBusy | Code::AgentUnreachable)
}

fn in_proc(folder: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{folder}"))
        .expect("proc")
        .count()
}

#[test]
fn requests_that_wait_hold_no_thread_and_end_with_their_client() {
    let node = Node::new();
    node.answers();
    let before = node.state();
    let (threads, descriptors) = (in_proc("task"), in_proc("fd"));
    as_nobody(|| {
        for _ in 0..200 {
            let path = "/v1/events?after=9000000000000000000&wait=60";
            drop(sent(node.socket(), "GET", path, ""));
        }
        // And some that stay, with another request behind the one that waits.
        let waiting: Vec<UnixStream> = (0..16)
            .map(|_| {
                let mut stream = sent(node.socket(), "GET", "/v1/events?after=1&wait=60", "");
                drop(stream.write_all(b"GET /v1/version HTTP/1.1\r\nHost: a\r\n\r\n"));
                stream
            })
            .collect();
        drop(waiting);
    });
    node.answers();
    // One that waits would hold one; a pool of a few works for those who look.
    until("threads", || in_proc("task") < threads + 32);
    until("descriptors", || in_proc("fd") < descriptors + 32);
    assert_eq!(node.state(), before);
}

/// A request that a client has sent behind one that waits keeps the agent from noticing that the client hung
/// up, until the wait is over.
#[test]
fn a_request_behind_one_that_waits_costs_no_thread_and_places_of_its_user_only() {
    let node = Node::new();
    let before = node.state();
    node.answers();
    let threads = in_proc("task");
    let both = "GET /v1/events?after=9000000000000000000&wait=60 HTTP/1.1\r\nHost: a\r\n\r\n\
                GET /v1/version HTTP/1.1\r\nHost: a\r\n\r\n";
    as_nobody(|| {
        for _ in 0..200 {
            let mut stream = UnixStream::connect(node.socket()).expect("connected");
            // In one piece, so that both are read at once.
            drop(stream.write_all(both.as_bytes()));
        }
    });
    node.answers();
    let other = as_user(NOBODY - 1, || Client::new(node.socket()).status());
    assert!(other.expect("an answer").enabled);
    until("threads", || in_proc("task") < threads + 32);
    assert_eq!(node.state(), before);
    // They wait no longer than the agent runs.
    let begun = SystemClock.uptime();
    drop(node);
    let waited = SystemClock.uptime() - begun;
    assert!(waited < PATIENCE / 4, "the end took {waited:?}");
}

/// Answers of requests on one connection, one after another.
fn one_by_one(socket: &Path, requests: impl Iterator<Item = String>) -> Vec<String> {
    let mut stream = UnixStream::connect(socket).expect("connected");
    let answers = requests.map(|request| {
        stream.write_all(request.as_bytes()).expect("sent");
        one_answer(stream.try_clone().expect("a stream"))
    });
    answers.collect()
}

fn disable_of(name: &str) -> String {
    let body = serde_json::json!({ "names": [name] }).to_string();
    format!(
        "POST /v1/vm-disable HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// As many requests of one kind as there are events: those of others stay.
#[test]
fn a_flood_of_refused_requests_pushes_out_no_event_of_others() {
    const FLOOD: usize = 1_200;
    let node = Node::new();
    let set = VmChange::Set(VmSet {
        names: vec!["web".to_owned()],
        performance: Some(Performance::Medium),
        now: false,
        dry_run: false,
        trust: None,
        spoof_check: None,
    });
    let changed = node.far("administrator").vms_change(&set);
    assert!(changed.expect("an answer").ok);
    let drain = node.far("operator").disable(false);
    assert_eq!(drain.expect_err("refused").code, Code::NotAllowed);
    let events = || {
        let events = node.root().events(0, 10_000, Duration::ZERO);
        events.expect("events").events
    };
    let others = events();
    let by = |events: &[Event], role: &str| {
        let of = |event: &&Event| event.user.as_deref().is_some_and(|who| who.contains(role));
        events.iter().filter(of).count()
    };
    assert_eq!(
        (by(&others, "administrator"), by(&others, "operator")),
        (1, 1)
    );
    // One who may, and asks for what there is not; and one who may not.
    let names = (0..FLOOD).map(|number| disable_of(&format!("nobody{number}")));
    let answers = one_by_one(node.socket(), names);
    assert_eq!(answers.len(), FLOOD);
    for answer in answers {
        assert!(answer.contains("\"vm_not_found\""), "{answer}");
    }
    let web = || std::iter::repeat_n(disable_of("web"), FLOOD);
    let answers = as_nobody(|| one_by_one(node.socket(), web()));
    assert_eq!(answers.len(), FLOOD);
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    let after = events();
    for event in others {
        assert!(after.contains(&event), "{event:#?}");
    }
    node.answers();
}

#[test]
fn a_client_without_a_place_gets_the_time_to_retry() {
    let node = Node::new();
    let before = node.state();
    let path = "/v1/events?after=9000000000000000000&wait=60";
    let answers = as_nobody(|| {
        let waiting: Vec<UnixStream> = (0..16)
            .map(|_| sent(node.socket(), "GET", path, ""))
            .collect();
        let answers: Vec<String> = (0..1_200)
            .map(|_| answer(sent(node.socket(), "GET", "/v1/status", "")))
            .collect();
        drop(waiting);
        answers
    });
    let mut told = 0;
    for answer in answers.iter().filter(|answer| !answer.is_empty()) {
        told += 1;
        assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
        assert!(answer.contains("\"agent_busy\""), "{answer}");
    }
    // While others are refused with an answer, one is closed without an answer.
    assert!(told > 0, "nobody was told");
    node.answers();
    assert_eq!(node.state(), before);
}

#[test]
fn connections_beyond_a_users_share_are_closed_at_once() {
    let node = Node::new();
    let before = node.state();
    let descriptors = in_proc("fd");
    let all: Vec<UnixStream> = as_nobody(|| {
        let connect = |_| UnixStream::connect(node.socket()).expect("connected");
        (0..600).map(connect).collect()
    });
    node.answers();
    // Both ends are in this process: 600 of the other side, 16 of the agent's, and 16 that get the reason.
    until("descriptors", || {
        in_proc("fd") < descriptors + all.len() + 64
    });
    let told = as_nobody(|| Client::new(node.socket()).status());
    let told = told.expect_err("its share is taken");
    // Some get the reason, as long as there are not too many of them.
    assert!(is_turned_away(&told), "{told:?}");
    node.answers();
    drop(all);
    until("places", || {
        as_nobody(|| Client::new(node.socket()).status()).is_ok()
    });
    assert_eq!(node.state(), before);
}

#[test]
fn many_names_and_many_looks_keep_no_change_waiting() {
    let node = Node::new();
    let before = node.state();
    let body = |count: usize, name: &dyn Fn(usize) -> String| {
        let names: Vec<String> = (0..count).map(name).collect();
        serde_json::json!({ "names": names, "dry_run": true }).to_string()
    };
    as_nobody(|| {
        // Names that are the same count once, and each user may name so many.
        let twice = body(9_000, &|_| "web".to_owned());
        let request = sent(node.socket(), "POST", "/v1/vm-disable", &twice);
        let read = one_answer(request);
        assert!(read.starts_with("HTTP/1.1 200"), "{read}");
        assert!(read.len() < 8192, "{}", read.len());
        for (count, long) in [(1_001, 8), (20_000, 1), (2, 256)] {
            let many = body(count, &|at| format!("{at:0long$}"));
            let read = one_answer(sent(node.socket(), "POST", "/v1/vm-disable", &many));
            assert!(read.starts_with("HTTP/1.1 4"), "{count}: {read}");
        }
        for number in 0..600 {
            drop(sent(node.socket(), "GET", "/v1/prereq", ""));
            let other = body(900, &|at| format!("{number}-{at}"));
            drop(sent(node.socket(), "POST", "/v1/vm-disable", &other));
            drop(sent(node.socket(), "GET", "/v1/plan", ""));
        }
    });
    node.answers();
    // Who may change things may name as many as there are.
    let many = VmChange::Disable(VmDisable {
        names: (0..10_000).map(|at| format!("vm{at}")).collect(),
        dry_run: true,
    });
    let answered = node.root().vms_change(&many).expect("an answer");
    assert_eq!(answered.results.len(), 10_000);
    assert_eq!(node.state(), before);
}

/// The answer to a request, whose connection stays open.
fn one_answer(mut stream: UnixStream) -> String {
    let mut read = Vec::new();
    let mut bytes = [0; 4096];
    // Its length stands in its head.
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if length.and_then(|length| length.parse().ok()) == Some(body.len()) {
                return text;
            }
        }
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => return text,
            Ok(count) => read.extend_from_slice(&bytes[..count]),
        }
    }
}

/// A connection from `source` that has sent nothing.
fn silent(source: [u8; 4], address: SocketAddr) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None);
    let socket = socket.expect("a socket");
    let source = SocketAddr::from((Ipv4Addr::from(source), 0));
    rustix::net::bind(&socket, &source).expect("an address");
    rustix::net::connect(&socket, &address).expect("connected");
    TcpStream::from(socket)
}

#[test]
fn handshakes_that_do_not_end_lock_out_no_client() {
    let node = Node::new();
    let before = node.state();
    let all: Vec<TcpStream> = (1..=9)
        .flat_map(|last| [last; 16])
        .map(|last| silent([127, 0, 0, last], node.address()))
        .collect();
    node.answers();
    assert!(node.far("reader").status().expect("an answer").enabled);
    drop(all);
    assert_eq!(node.state(), before);
}

#[test]
fn remote_readers_that_wait_delay_no_other_client() {
    let node = Node::new();
    let before = node.state();
    let readers: Vec<_> = (0..40)
        .map(|_| {
            let reader = node.far("reader");
            thread::spawn(move || reader.events(u64::MAX >> 1, 1, Duration::from_secs(60)))
        })
        .collect();
    until("refused readers", || {
        readers.iter().filter(|reader| reader.is_finished()).count() >= 24
    });
    node.answers();
    assert_eq!(node.state(), before);
    // The end of the agent is the end of what waits: all are answered at once.
    drop(node);
    let answers = readers.into_iter().map(|reader| reader.join());
    let (waited, refused): (Vec<_>, Vec<_>) = answers
        .map(|answer| answer.expect("no panic"))
        .partition(Result::is_ok);
    assert_eq!((waited.len(), refused.len()), (16, 24));
    for answer in refused {
        assert!(is_turned_away(&answer.expect_err("refused")));
    }
}

#[test]
fn an_open_log_does_not_delay_the_stop() {
    let node = Node::new();
    let path = "/v1/events?after=9000000000000000000&wait=60";
    let followed = as_nobody(|| sent(node.socket(), "GET", path, ""));
    // A request that waits for more of its own body is one, too.
    let mut slow = as_nobody(|| UnixStream::connect(node.socket()).expect("connected"));
    let head = "POST /v1/vm-disable HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    slow.write_all(head.as_bytes()).expect("sent");
    node.answers();
    drop(node);
    // It was answered, and did not just break with the end of the process.
    let answered = answer(followed);
    assert!(answered.starts_with("HTTP/1.1 200 OK"), "{answered}");
    assert!(answered.ends_with(r#"{"events":[]}"#), "{answered}");
    drop(slow);
}
