//! An agent that is asked from another machine: a whole agent on a simulated node, real
//! certificates, and the commands with profiles.

#[path = "support/far.rs"]
mod far;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use accelnet::target::Environment;
use accelnet_agent::simulated::Simulated;
use accelnet_agent::simulated::served::{self, Served};
use accelnet_api::server::{Files, RemoteOptions};
use accelnet_api::testing::Authority;
use accelnet_api::types::{Event, EventKind, Events, PrereqAnswer};
use accelnet_model::Code;
use accelnet_model::check::CheckName;
use far::Profiles;

/// The agent of a node with the adapter pf0 and the VM web.
struct Node {
    served: Served,
    _folder: tempfile::TempDir,
}

impl Node {
    fn new(options: &RemoteOptions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let machine = served::small(folder.path()).expect("a node");
        let edge = Box::new(Simulated::new(machine).in_real_time());
        let store = served::store().expect("a store");
        let served = Served::start(folder.path(), edge, store, Some(options)).expect("an agent");
        Node {
            served,
            _folder: folder,
        }
    }

    fn port(&self) -> u16 {
        self.served.address().expect("an address").port()
    }

    fn server(&self) -> String {
        format!("localhost:{}", self.port())
    }
}

/// A node, and its clients.
fn each_role() -> (Node, Profiles) {
    let profiles = Profiles::new();
    let folder = tempfile::tempdir().expect("a folder");
    let options = profiles.ca.door(folder.path()).expect("files");
    let node = Node::new(&options);
    let ca = &profiles.ca;
    let of = |role: &str| ca.client(role, Some(&format!("accelnet-{role}")));
    profiles.write(
        &node.server(),
        &[
            ("reader", &of("reader")),
            ("operator", &of("operator")),
            ("administrator", &of("administrator")),
            (
                "stranger",
                &Authority::new("another CA").client("mallory", Some("accelnet-administrator")),
            ),
            (
                "leaver",
                &ca.expired("leaver", Some("accelnet-administrator")),
            ),
        ],
    );
    (node, profiles)
}

fn events(profiles: &Profiles) -> Vec<Event> {
    let shown = profiles.types("accelnet --profile reader log -o json");
    let events: Events = serde_json::from_str(&shown.out).expect("events");
    events.events
}

#[test]
fn each_has_the_rights_of_its_role_and_all_changes_are_in_the_log() {
    let (_node, profiles) = each_role();
    for (who, command, status) in [
        ("reader", "status", 0),
        (
            "reader",
            "intent add lan --compute --adapter pf0 --dry-run",
            0,
        ),
        ("reader", "intent add lan --compute --adapter pf0", 66),
        ("operator", "intent add lan --compute --adapter pf0", 66),
        ("administrator", "intent add lan --compute --adapter pf0", 0),
        ("operator", "enable --intent lan", 66),
        ("administrator", "enable --intent lan --node-reserve 0", 0),
        ("reader", "vm enable web --performance low", 66),
        ("operator", "vm enable web --performance low", 0),
        ("operator", "vm disable nobody", 79),
        ("operator", "vm disable web", 0),
        ("stranger", "status", 95),
        ("leaver", "disable", 95),
        ("operator", "disable", 66),
        ("administrator", "disable", 0),
    ] {
        let shown = profiles.types(&format!("accelnet --profile {who} {command}"));
        assert_eq!(shown.status, status, "{who}: {command}: {}", shown.err);
    }
    let told: Vec<(EventKind, String, String, Option<Code>)> = events(&profiles)
        .into_iter()
        .filter(|event| event.origin.is_some())
        .map(|event| {
            let from = event.origin.expect("somewhere");
            assert!(from.address.starts_with("127.0.0.1:"), "{from:?}");
            assert_eq!(event.user.is_some(), from.certificate.is_some());
            let who = event.user.unwrap_or_default();
            (event.kind, who, event.subject, event.code)
        })
        .collect();
    let subject = |role: &str| match role {
        "" => String::new(),
        role => format!("OU=accelnet-{role},CN={role}"),
    };
    let expected = [
        (EventKind::Refused, "reader", "lan", Some(Code::NotAllowed)),
        (
            EventKind::Refused,
            "operator",
            "lan",
            Some(Code::NotAllowed),
        ),
        (EventKind::Changed, "administrator", "lan", None),
        (
            EventKind::Refused,
            "operator",
            "cluster",
            Some(Code::NotAllowed),
        ),
        (EventKind::Changed, "administrator", "cluster", None),
        (EventKind::Refused, "reader", "web", Some(Code::NotAllowed)),
        (EventKind::Changed, "operator", "web", None),
        (
            EventKind::Refused,
            "operator",
            "nobody",
            Some(Code::VmNotFound),
        ),
        (EventKind::Changed, "operator", "web", None),
        (
            EventKind::Refused,
            "",
            "API",
            Some(Code::CertificateRefused),
        ),
        (
            EventKind::Refused,
            "",
            "API",
            Some(Code::CertificateRefused),
        ),
        (
            EventKind::Refused,
            "operator",
            "cluster",
            Some(Code::NotAllowed),
        ),
        (EventKind::Changed, "administrator", "cluster", None),
    ]
    .map(|(kind, role, about, code)| (kind, subject(role), about.to_owned(), code));
    assert_eq!(told, expected);
    let shown = profiles.types("accelnet --profile reader log");
    for words in [
        "(asked by OU=accelnet-operator,CN=operator from 127.0.0.1:",
        "its certificate is not from a CA that is trusted here. [certificate_refused] (from 127.0.0.1:",
        "its certificate has expired. [certificate_refused]",
    ] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
}

#[test]
fn what_is_shown_is_the_other_machine() {
    let (node, profiles) = each_role();
    let reader = |command: &str| profiles.types(&format!("accelnet --profile reader {command}"));
    // The machine on which is typed has ens1.
    let here = support::types(&support::node(|igb| igb), "accelnet adapter list -o name");
    assert_eq!(here.out, "ens1\n");
    assert_eq!(reader("adapter list -o name").out, "pf0\n");
    assert!(reader("adapter show pf0").out.contains("pf0"));
    assert_eq!(reader("adapter show ens1").status, 50);
    let shown = reader("node show -o json");
    assert!(shown.out.contains("\"n1\""), "{}", shown.out);
    let shown = reader("prereq --adapter pf0 -o json");
    assert!(shown.out.contains("\"pf0\""), "{}", shown.out);
    assert_eq!(reader("adapter enable pf0").status, 66);
    drop(node);
    // Nothing of this machine in its place.
    for command in [
        "prereq",
        "prereq --adapter ens1",
        "adapter list",
        "node show",
    ] {
        let shown = reader(command);
        assert_eq!((shown.status, shown.out.as_str()), (64, ""), "{command}");
    }
}

#[test]
fn the_environment_and_the_options_select_the_agent() {
    let (node, profiles) = each_role();
    let with = |change: &dyn Fn(&mut Environment)| {
        let mut environment = profiles.environment();
        change(&mut environment);
        environment
    };
    let socket = node.served.socket().to_owned();
    let both = with(&|environment| {
        environment.profile = Some("reader".to_owned());
        environment.socket = Some(socket.clone());
    });
    let by_profile = with(&|environment| environment.profile = Some("reader".to_owned()));
    let by_socket = with(&|environment| environment.socket = Some(socket.clone()));
    let by_server = with(&|environment| environment.server = Some(node.server()));
    for (environment, command, status) in [
        (&by_profile, "accelnet status", 0),
        (&by_socket, "accelnet status", 0),
        (&both, "accelnet status", 99),
        (&both, "accelnet --profile leaver status", 95),
        (&by_profile, "accelnet --server localhost:1 status", 64),
        // There is no profile called default.
        (&by_server, "accelnet status", 99),
        (&by_server, "accelnet --profile reader status", 0),
        (&by_profile, "accelnet --server nonsense status", 99),
        (&by_profile, "accelnet explain bad_request", 0),
        (&by_profile, "accelnet --profile x --socket y status", 2),
        (&by_profile, "accelnet --profile x setup --dry-run", 2),
        (&by_profile, "accelnet --server localhost:1 store check", 2),
        (&by_profile, "accelnet --profile x store accept", 2),
        (
            &by_profile,
            "accelnet --server localhost:1 cluster leave",
            2,
        ),
        (&by_profile, "accelnet --socket y cluster leave", 2),
        (&by_profile, "accelnet --root / setup --dry-run", 2),
        (&by_profile, "accelnet --socket y capacity --from -", 2),
    ] {
        let shown = profiles.types_in(environment, command);
        assert_eq!(shown.status, status, "{command}: {}", shown.err);
    }
}

#[test]
fn a_socket_that_is_named_is_asked_and_this_machine_does_not_take_its_place() {
    let (node, profiles) = each_role();
    let socket = node.served.socket().to_owned();
    let by_socket = Environment {
        socket: Some(socket.clone()),
        ..profiles.environment()
    };
    let typed = |command: &str| {
        let line = format!("accelnet --socket {} {command}", socket.display());
        [
            profiles.types(&line),
            profiles.types_in(&by_socket, &format!("accelnet {command}")),
        ]
    };
    // The machine on which is typed has ens1, and no pf0.
    for command in ["prereq --adapter pf0 -o json", "adapter show pf0 -o json"] {
        for shown in typed(command) {
            assert!(shown.out.contains("\"pf0\""), "{command}: {shown:?}");
            assert!(!shown.out.contains("adapter_not_found"), "{shown:?}");
        }
    }
    for shown in typed("adapter show ens1") {
        assert_eq!((shown.status, shown.out.as_str()), (50, ""));
    }
    drop(node);
    for command in [
        "prereq",
        "prereq --adapter ens1",
        "adapter list",
        "adapter show ens1",
        "adapter enable ens1",
        "adapter disable ens1",
        "node show",
    ] {
        for shown in typed(command) {
            assert_eq!((shown.status, shown.out.as_str()), (64, ""), "{command}");
        }
    }
}

#[test]
fn an_adapter_by_name_gets_the_fix_that_the_agent_prints() {
    let folder = tempfile::tempdir().expect("a folder");
    let machine = served::small(folder.path()).expect("a node");
    machine.kernel.load_br_netfilter().expect("loaded");
    machine.kernel.drop_forwarded("").expect("rules");
    let edge = Box::new(Simulated::new(machine).in_real_time());
    let store = served::store().expect("a store");
    let served = Served::start(folder.path(), edge, store, None).expect("an agent");
    let profiles = Profiles::new();
    let typed = |command: &str| {
        let socket = served.socket().display();
        profiles.types(&format!("accelnet --socket {socket} {command}"))
    };
    let checks = |command: &str| {
        let shown = typed(&format!("{command} -o json"));
        let answer: PrereqAnswer = serde_json::from_str(&shown.out).expect("JSON");
        let mut checks = answer.checks;
        checks.retain(|check| check.name == CheckName::SoftwarePath);
        checks
    };
    // The rules are not in what the agent shows of its node: its own row is taken.
    let [check] = &*checks("prereq --adapter pf0") else {
        panic!("one row");
    };
    assert_eq!(check.code, Some(Code::SoftwarePathDropped), "{check:?}");
    assert_eq!(checks("prereq").first(), Some(check));
    // A row has its fix below it.
    let shown = typed("prereq --adapter pf0");
    assert!(shown.out.contains("software-path"), "{}", shown.out);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Its first letter is a small one there.
    let fix = words(check.resolution[1..].trim_end_matches('.'));
    assert!(
        !fix.is_empty() && words(&shown.out).contains(&fix),
        "{}",
        shown.out
    );
}

/// A call of the real program.
fn program(name: &Path, profiles: &Profiles, words: &[&str]) -> (Option<i32>, String) {
    let answer = Command::new(name)
        .args(words)
        .env_clear()
        .env("XDG_CONFIG_HOME", profiles.home())
        .env("ACCELNET_PROFILE", "operator")
        .output()
        .expect("run");
    let out = String::from_utf8(answer.stdout).expect("text");
    let err = String::from_utf8(answer.stderr).expect("text");
    (answer.status.code(), out + &err)
}

#[test]
fn the_names_of_the_document_use_the_agent_of_the_environment() {
    let (_node, profiles) = each_role();
    let accelnet = PathBuf::from(env!("CARGO_BIN_EXE_accelnet"));
    let link = |name: &str| {
        let link = profiles.home().join(name);
        std::os::unix::fs::symlink(&accelnet, &link).expect("a link");
        link
    };
    let listed = program(&link("Get-VM"), &profiles, &[]);
    assert_eq!(listed, (Some(0), "web\n".to_owned()));
    let disabled = program(&link("Disable-AccelNetManagement"), &profiles, &[]);
    assert_eq!(disabled.0, Some(66), "{}", disabled.1);
    assert!(
        disabled.1.contains("the role administrator"),
        "{}",
        disabled.1
    );
    let status = program(&accelnet, &profiles, &["status"]);
    assert_eq!(status.0, Some(0), "{}", status.1);
}

/// The blocks of a document in `language`.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let parts = text.split(&begin).skip(1);
    parts
        .filter_map(|part| part.split("```").next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn certificates_made_as_documented_are_accepted() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/remote.md");
    let document = std::fs::read_to_string(document).expect("docs/remote.md");
    let profiles = Profiles::new();
    let folder = profiles.home().join("accelnet");
    for commands in blocks(&document, "sh") {
        let made = Command::new("bash")
            .args(["-e", "-c", &commands])
            .current_dir(&folder)
            .output()
            .expect("bash");
        let words = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{commands}: {words}");
    }
    let mut options = RemoteOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        files: Files {
            cert: folder.join("node1.pem"),
            key: folder.join("node1.key"),
            client_ca: folder.join("ca.pem"),
            client_crl: None,
        },
    };
    let node = Node::new(&options);
    let [profile] = blocks(&document, "toml").try_into().expect("one profile");
    let profile = profile.replace("node1.example:7443", &node.server());
    std::fs::write(folder.join("profiles.toml"), profile).expect("a file");
    let shown = profiles.types("accelnet --profile lab status");
    assert_eq!(shown.status, 0, "{}", shown.err);
    let shown = profiles.types("accelnet --profile lab disable");
    assert!(
        shown.err.contains(
            "CN=anna,OU=accelnet-operator does not have the role administrator, which this request needs"
        ),
        "{}",
        shown.err
    );
    assert_eq!(shown.status, 66);
    // The document revokes it in the end.
    options.files.client_crl = Some(folder.join("crl.pem"));
    let strict = Node::new(&options);
    let shown = profiles.types(&format!(
        "accelnet --profile lab --server {} status",
        strict.server()
    ));
    assert!(shown.err.contains("it was revoked"), "{}", shown.err);
    assert_eq!(shown.status, 95);
}
