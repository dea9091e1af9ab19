//! The TCP listener: accepted clients, their roles, and reports of refused ones.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;

use accelnet_model::{Code, Performance};
use rustix::net::{AddressFamily, SocketType};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;
use crate::Role as May;
use crate::client::{Credentials, Remote};
use crate::server::{RemoteOptions, Server};
use crate::testing::{Authority, Certified};

mod connected;

/// An agent with both listeners, and the CA that both sides trust.
struct Far {
    ca: Authority,
    options: RemoteOptions,
    fake: Arc<Fake>,
    serving: Serving,
    folder: tempfile::TempDir,
}

impl Far {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ca = Authority::new("the CA");
        let options = ca.door(folder.path()).expect("files");
        let fake = Fake::default().vms(&["web1"]).enabled("MyIntent");
        let fake = Arc::new(fake);
        let service: Arc<dyn Service> = fake.clone();
        let serving = Serving::start_far(folder.path(), service, &options).expect("two doors");
        Far {
            ca,
            options,
            fake,
            serving,
            folder,
        }
    }

    fn address(&self) -> SocketAddr {
        self.serving.address().expect("an address")
    }

    /// A client with a certificate, who trusts the CA of the agent.
    fn with(&self, certified: &Certified) -> Client {
        let server = format!("localhost:{}", self.address().port());
        client(&server, certified, &self.folder.path().join("ca.pem"))
    }

    fn of(&self, role: May) -> Client {
        let unit = format!("accelnet-{role}");
        self.with(&self.ca.client("anna", Some(&unit)))
    }

    fn why_refused(&self, certified: &Certified) -> (Code, String) {
        let problem = self.with(certified).status().expect_err("refused");
        (problem.code, problem.found)
    }

    /// Waits for so many events.
    fn events(&self, many: usize) -> Vec<Event> {
        let client = Client::new(self.serving.socket());
        let mut events = Vec::new();
        while events.len() < many {
            let after = u64::try_from(events.len()).expect("a number");
            let more = client.events(after, 100, Duration::from_secs(60));
            let more = more.expect("events").events;
            assert!(!more.is_empty(), "no more than {events:?}");
            events.extend(more);
        }
        events
    }
}

fn client(server: &str, certified: &Certified, ca: &Path) -> Client {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = certified.write(folder.path(), "own").expect("files");
    let ca = ca.to_owned();
    let remote = Remote::new(server, &Credentials { ca, cert, key });
    Client::remote(remote.expect("a client"))
}

/// A connection from `source` that has sent nothing.
fn silent(source: [u8; 4], far: &Far) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None);
    let socket = socket.expect("a socket");
    let source = SocketAddr::from((Ipv4Addr::from(source), 0));
    rustix::net::bind(&socket, &source).expect("an address");
    rustix::net::connect(&socket, &far.address()).expect("connected");
    TcpStream::from(socket)
}

fn enable_web1() -> VmChange {
    VmChange::Enable(VmEnable {
        names: vec!["web1".to_owned()],
        performance: Performance::Low,
        now: false,
        add_nic: false,
        dry_run: false,
        mac: None,
        trust: None,
        spoof_check: None,
    })
}

#[test]
fn each_role_has_its_rights_and_other_requests_are_reported() {
    let far = Far::new();
    let refused = |problem: Problem, needs: &str| {
        assert_eq!(problem.code, Code::NotAllowed);
        assert!(problem.message.contains(needs), "{}", problem.message);
        assert!(problem.message.contains("CN=anna"), "{}", problem.message);
    };
    let reader = far.of(May::Reader);
    assert_eq!(reader.time_there(), None);
    assert_eq!(reader.status().expect("a look").nodes, 1);
    assert!(reader.time_there().is_some_and(|time| time.ends_with('Z')));
    assert_eq!(reader.node_there().as_deref(), Some("n1"));
    reader.disable(true).expect("a dry run is a look");
    refused(
        reader.vms_change(&enable_web1()).expect_err("a change"),
        "the role operator",
    );
    refused(
        reader.disable(false).expect_err("a change"),
        "the role administrator",
    );
    let operator = far.of(May::Operator);
    assert!(operator.vms_change(&enable_web1()).expect("its own").ok);
    for problem in [
        operator.disable(false).expect_err("a change"),
        operator
            .intent_remove("MyIntent", false)
            .expect_err("a change"),
        operator
            .adapters_change(&AdaptersChange::default())
            .expect_err("a change"),
    ] {
        refused(problem, "the role administrator");
    }
    far.of(May::Administrator).disable(false).expect("all");
    assert_eq!(
        far.fake.asked().len(),
        3,
        "the dry run, and what was permitted"
    );
    let events = far.events(5);
    for event in &events {
        assert_eq!(event.kind, EventKind::Refused);
        assert_eq!(event.code, Some(Code::NotAllowed));
        let who = event.user.as_deref().expect("a user");
        assert!(
            who.contains("CN=anna") && who.contains("OU=accelnet-"),
            "{who}"
        );
        let from = event.origin.as_ref().expect("somewhere");
        assert!(from.address.starts_with("127.0.0.1:"), "{from:?}");
        assert_eq!(from.certificate.as_ref().map(String::len), Some(64));
    }
    let subjects: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["web1", "cluster", "cluster", "MyIntent", "cluster"]
    );
}

#[test]
fn clients_without_a_valid_certificate_are_refused_and_reported() {
    let far = Far::new();
    let ca = &far.ca;
    let administrator = Some("accelnet-administrator");
    let foreign = Authority::new("the CA").client("anna", administrator);
    for (certified, words) in [
        (&foreign, "It is not from a CA that the agent trusts."),
        (
            &ca.expired("anna", administrator),
            "It has expired, or is not valid yet.",
        ),
        (&ca.client("anna", Some("Sales")), "It names no role."),
        (&ca.server(&["anna"]), "It is not for clients."),
    ] {
        let refused = far.why_refused(certified);
        assert_eq!(refused, (Code::CertificateRefused, words.to_owned()));
    }
    let mut trusted = RootCertStore::empty();
    let pem = crate::pem::certificates(&far.options.files.client_ca).expect("a CA");
    trusted.add(pem[0].clone()).expect("a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let stream = TcpStream::connect(far.address()).expect("connected");
    let mut stream = StreamOwned::new(session, stream);
    let request = b"GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n";
    let asked = stream.write_all(request);
    let error = asked.and_then(|()| stream.read_to_end(&mut Vec::new()).map(drop));
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("CertificateRequired"), "{error}");
    let events = far.events(5);
    let reasons = [
        "its certificate is not from a CA that is trusted here",
        "its certificate has expired",
        "its certificate does not name one role",
        "its certificate cannot be used",
        "it came without a certificate",
    ];
    for (event, reason) in events.iter().zip(reasons) {
        assert!(event.message.contains(reason), "{}", event.message);
        assert_eq!(event.code, Some(Code::CertificateRefused));
        assert_eq!(
            (event.kind, event.user.as_ref()),
            (EventKind::Refused, None)
        );
    }
}

#[test]
fn an_invalid_handshake_is_reported_and_harms_no_client() {
    let far = Far::new();
    for bytes in [
        &b"GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"\x16\x03\x01\xff\xff\x00",
        b"",
    ] {
        let mut stream = TcpStream::connect(far.address()).expect("connected");
        stream.write_all(bytes).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("closed");
        drop(stream.read_to_end(&mut Vec::new()));
    }
    for event in far.events(3) {
        let from = event.origin.expect("somewhere").address;
        assert!(from.starts_with("127.0.0.1:"), "{from}");
    }
    far.of(May::Reader).status().expect("it goes on");
}

#[test]
fn the_agent_must_be_the_right_one() {
    let far = Far::new();
    let anna = far.ca.client("anna", Some("accelnet-reader"));
    let other = far.folder.path().join("other.pem");
    Authority::new("the CA").write(&other).expect("a file");
    let server = format!("localhost:{}", far.address().port());
    let problem = client(&server, &anna, &other).status();
    let problem = problem.expect_err("an agent of another CA");
    assert_eq!(problem.code, Code::ServerUntrusted);
    assert!(
        problem.found.starts_with("It is not from a CA in "),
        "{problem:?}"
    );
    // Its certificate is for localhost and 127.0.0.1.
    let server = format!("127.0.0.2:{}", far.address().port());
    let options = RemoteOptions {
        listen: ([127, 0, 0, 2], 0).into(),
        ..far.options.clone()
    };
    let second = tempfile::tempdir().expect("a folder");
    let served = Serving::start_far(second.path(), Arc::new(Falls), &options).expect("doors");
    let port = served.address().expect("an address").port();
    let server = server.replace(&far.address().port().to_string(), &port.to_string());
    let problem = client(&server, &anna, &far.options.files.client_ca).intents();
    let problem = problem.expect_err("an agent of another name");
    assert_eq!(problem.code, Code::ServerUntrusted);
    assert!(
        problem.found.starts_with("It is not for 127.0.0.2: "),
        "{problem:?}"
    );
}

#[test]
fn a_missing_agent_is_reported() {
    let far = Far::new();
    let anna = far.of(May::Reader);
    let port = far.address().port();
    drop(far.serving);
    let problem = anna.status().expect_err("nobody");
    assert_eq!(problem.code, Code::AgentUnreachable);
    assert_eq!(
        problem.message,
        format!("The agent does not answer at localhost:{port}.")
    );
    assert_eq!(
        problem.found,
        "The machine answers, but no agent listens on that port."
    );
}

#[test]
fn new_files_are_used_without_a_restart_and_bad_ones_are_not() {
    let far = Far::new();
    let before = far.ca.client("anna", Some("accelnet-reader"));
    far.with(&before).status().expect("it is trusted");
    let next = Authority::new("the next CA");
    next.door(far.folder.path()).expect("files");
    let after = next.client("anna", Some("accelnet-reader"));
    // Each of them trusts the agent by the CA file, which is the next CA's now.
    far.with(&after).status().expect("it is trusted now");
    assert_eq!(far.why_refused(&before).0, Code::CertificateRefused);
    std::fs::write(&far.options.files.key, "nonsense").expect("a file");
    far.with(&after).status().expect("what was there stays");
    let told: Vec<(EventKind, String)> = far
        .events(3)
        .into_iter()
        .map(|event| (event.kind, event.message))
        .collect();
    let words = [
        (EventKind::Noticed, "The certificates were read again"),
        (EventKind::Refused, "Refused a connection"),
        (
            EventKind::Failed,
            "The certificates changed and cannot be used",
        ),
    ];
    for ((kind, words), told) in words.iter().zip(&told) {
        assert!(told.0 == *kind && told.1.starts_with(words), "{told:?}");
    }
}

#[test]
fn files_that_cannot_be_used_are_reported_at_once() {
    let far = Far::new();
    let folder = far.folder.path();
    std::fs::write(folder.join("empty"), "").expect("a file");
    let own = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join("empty"), own).expect("a mode");
    let other = far.ca.server(&["localhost"]).write(folder, "other");
    let (_, other_key) = other.expect("files");
    let with = |change: &dyn Fn(&mut RemoteOptions)| {
        let mut options = far.options.clone();
        change(&mut options);
        let second = tempfile::tempdir().expect("a folder");
        let server = Server::bind(&second.path().join("agent.sock")).expect("a socket");
        let problem = server.listen(&options).expect_err("unusable");
        (problem.code, problem.found)
    };
    for (refused, words) in [
        (
            with(&|options| options.files.cert = folder.join("none")),
            "It cannot be read: No such file or directory",
        ),
        (
            with(&|options| options.files.cert = folder.join("empty")),
            "It contains no certificate.",
        ),
        (
            with(&|options| options.files.key = folder.join("empty")),
            "It contains no private key",
        ),
        (
            with(&|options| options.files.key = other_key.clone()),
            "It is not the key of ",
        ),
        (
            with(&|options| options.files.client_ca = folder.join("empty")),
            "It contains no certificate.",
        ),
    ] {
        assert_eq!(refused.0, Code::CertificateUnusable);
        assert!(refused.1.starts_with(words), "{}", refused.1);
    }
    let taken = with(&|options| options.listen = far.address());
    assert_eq!(taken.0, Code::AgentUnreachable);
    assert!(taken.1.contains("in use"), "{}", taken.1);
}

#[test]
fn an_address_that_is_not_there_yet_can_be_listened_on() {
    let far = Far::new();
    let options = RemoteOptions {
        listen: ([192, 0, 2, 77], 0).into(),
        ..far.options.clone()
    };
    let second = tempfile::tempdir().expect("a folder");
    let server = Server::bind(&second.path().join("agent.sock")).expect("a socket");
    let server = server.listen(&options).expect("it may come");
    let address = server.address().expect("an address");
    assert_eq!(address.ip().to_string(), "192.0.2.77");
}

#[test]
fn handshakes_that_do_not_end_block_no_client() {
    let far = Far::new();
    // From the address of the client that comes after them, and from eight others.
    let own: Vec<TcpStream> = (0..16).map(|_| silent([127, 0, 0, 1], &far)).collect();
    let others = (2..10).flat_map(|last| [last; 16]);
    let others: Vec<TcpStream> = others.map(|last| silent([127, 0, 0, last], &far)).collect();
    far.of(May::Reader).status().expect("it comes in");
    far.of(May::Administrator)
        .disable(false)
        .expect("so does who changes");
    let mut evicted = &own[0];
    assert_eq!(evicted.read(&mut [0; 16]).expect("closed"), 0);
    // A client that does not shake hands is hung up on.
    let mut last = &others[others.len() - 1];
    assert_eq!(last.read(&mut [0; 16]).expect("closed"), 0);
    let events = far.events(2);
    assert!(events[0].message.contains("replaced it"), "{events:?}");
    far.of(May::Reader).status().expect("and go on");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let far = Far::new();
    let second = tempfile::tempdir().expect("a folder");
    for (mode, is_refused) in [(0o644, true), (0o620, true), (0o604, true), (0o640, false)] {
        let key = &far.options.files.key;
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(mode)).expect("a mode");
        let server = Server::bind(&second.path().join(format!("{mode}.sock")));
        let listening = server.expect("a socket").listen(&far.options);
        assert_eq!(listening.is_err(), is_refused, "{mode:o}");
        if let Err(problem) = listening {
            assert_eq!(problem.code, Code::CertificateUnusable);
            assert!(
                problem.found.contains(&format!("{mode:04o}")),
                "{}",
                problem.found
            );
            assert!(
                problem.resolution.contains("chmod 600"),
                "{}",
                problem.resolution
            );
        }
    }
}
