//! Every command line of the document, as it stands, typed into bash: the names are installed
//! as an administrator installs them, the agent behind them is one in memory.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use accelnet_api::Service;
use accelnet_api::testing::{Fake, Fixed, Serving};
use accelnet_model::intent::{Intent, Role};

/// A shell that finds the names, and the agent that they ask.
struct Bash {
    fake: Arc<Fake>,
    folder: tempfile::TempDir,
    _serving: Serving,
}

/// What a line did.
struct Did {
    out: String,
    err: String,
    status: i32,
    /// What reached the agent.
    asked: Vec<String>,
}

impl Bash {
    fn new(fake: Fake) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let fake = Arc::new(fake);
        let service: Arc<dyn Service> = fake.clone();
        let root = Arc::new(Fixed::root());
        let serving = Serving::start_for(folder.path(), service, root).expect("a socket");
        let installed = accelnet(&["cmdlets", "install", "--dir"], &folder.path().join("bin"));
        assert!(installed.status.success(), "{installed:?}");
        Bash {
            fake,
            folder,
            _serving: serving,
        }
    }

    /// Types a line, with nothing on standard input.
    fn types(&self, line: &str) -> Did {
        let bin = self.folder.path().join("bin");
        let output = Command::new("bash")
            .arg("-c")
            .arg(format!("export PATH=\"{}:$PATH\"\n{line}", bin.display()))
            .env("ACCELNET_SOCKET", self.folder.path().join("agent.sock"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("bash");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Did {
            out: text(output.stdout),
            err: text(output.stderr),
            status: output.status.code().expect("an end of its own"),
            asked: self.fake.asked(),
        }
    }
}

fn accelnet(args: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_accelnet"))
        .args(args)
        .arg(dir)
        .output()
        .expect("the program runs")
}

fn cluster() -> Fake {
    Fake::default()
        .intents(&[Intent {
            name: "MyIntent".parse().expect("a name"),
            roles: vec![Role::Compute],
            adapters: vec!["ens1".to_owned()],
            vfs: None,
            security: accelnet_model::VfSecurity::default(),
        }])
        .vms(&["MyVM", "MyVM01", "MyVM02"])
}

/// A line of the document, and what it asks of the agent.
const LINES: [(&str, &[&str]); 10] = [
    (
        "Enable-NetAdapterSriov",
        &[r#"adapters {"names":[],"vfs":null,"dry_run":false}"#],
    ),
    ("Get-AccelNetManagementPreReq", &[]),
    (
        r#"Enable-AccelNetManagement -IntentName "MyIntent" -NodeReservePercentage"#,
        &[
            r#"enable {"intent":"MyIntent","node_reserve_percentage":50,"performance":null,"dry_run":false}"#,
        ],
    ),
    (
        r#"Set-AccelNetManagement -IntentName "MyIntent" -NodeReservePercentage"#,
        &[
            r#"set {"intent":"MyIntent","node_reserve_percentage":50,"performance":null,"dry_run":false}"#,
        ],
    ),
    (
        r#"Enable-AccelNetVM -VMName "MyVM" -Performance High"#,
        &[
            r#"vm_enable {"names":["MyVM"],"performance":"high","now":false,"add_nic":false,"dry_run":false}"#,
        ],
    ),
    (
        r#"Get-VM -VMName "MyVM01, MyVM02" | Enable-AccelNetVM -Performance Low"#,
        &[
            r#"vm_enable {"names":["MyVM01","MyVM02"],"performance":"low","now":false,"add_nic":false,"dry_run":false}"#,
        ],
    ),
    (
        r#"Set-AccelNetManagement -VMName "MyVM" -Performance Medium"#,
        &[r#"vm_set {"names":["MyVM"],"performance":"medium","now":false,"dry_run":false}"#],
    ),
    (
        r#"Disable-AccelNetVM -VMName "MyVM""#,
        &[r#"vm_disable {"names":["MyVM"],"dry_run":false}"#],
    ),
    (
        r#"Get-VM -VMName "MyVM01, MyVM02" | Disable-AccelNetVM"#,
        &[r#"vm_disable {"names":["MyVM01","MyVM02"],"dry_run":false}"#],
    ),
    ("Disable-AccelNetManagement ", &["disable false"]),
];

#[test]
fn every_line_of_the_document_runs_as_it_stands_in_its_order() {
    let bash = Bash::new(cluster());
    for (line, asked) in LINES {
        let did = bash.types(line);
        assert_eq!(
            (did.status, did.err.as_str()),
            (0, ""),
            "{line}: {}",
            did.out
        );
        assert_eq!(did.asked, asked, "{line}");
        assert!(!did.out.is_empty(), "{line} says what it did");
    }
    let did = bash.types("Get-AccelNetManagement");
    assert!(
        did.out
            .starts_with("Accelerated Networking is not enabled."),
        "{}",
        did.out
    );
}

#[test]
fn words_and_status_are_those_of_the_native_commands() {
    for (line, native, status) in [
        (
            "Enable-AccelNetVM MyVM High",
            "vm enable MyVM --performance High",
            0,
        ),
        (
            "Enable-AccelNetVM -VMName None -Performance Low",
            "vm enable None --performance low",
            79,
        ),
        (
            "Enable-AccelNetVM -VMName MyVM -Performance Turbo",
            "vm enable MyVM --performance Turbo",
            68,
        ),
        (
            "Enable-AccelNetManagement -IntentName x -NodeReservePercentage 100",
            "enable --intent x --node-reserve 100",
            67,
        ),
        (
            "Enable-AccelNetManagement -IntentName x -NodeReservePercentage -1",
            "enable --intent x --node-reserve -1",
            67,
        ),
        (
            "Enable-AccelNetManagement -IntentName x -NodeReservePercentage abc",
            "enable --intent x --node-reserve abc",
            67,
        ),
        (
            "Enable-AccelNetManagement -IntentName x -NodeReservePercentage 3.5",
            "enable --intent x --node-reserve 3.5",
            67,
        ),
        (
            "Get-AccelNetManagementPreReq -IntentName Nobody",
            "prereq --intent Nobody",
            12,
        ),
        ("Disable-AccelNetVM *0?", "vm disable *0?", 0),
        ("Get-NetHudStatus", "health", 0),
        ("Get-NetIntent", "intent list", 0),
    ] {
        // Each on an agent of its own: a change that is repeated changes nothing.
        let bash = || Bash::new(cluster().enabled("MyIntent"));
        let one = bash().types(&format!("set -f; {line}"));
        let program = env!("CARGO_BIN_EXE_accelnet");
        let other = bash().types(&format!("set -f; {program} {native}"));
        assert_eq!(one.status, status, "{line}: {}{}", one.out, one.err);
        assert_eq!(
            (one.status, one.out, one.err, one.asked),
            (other.status, other.out, other.err, other.asked),
            "{line}"
        );
    }
}

#[test]
fn one_vm_of_two_that_is_not_there_stops_not_the_other() {
    let bash = Bash::new(cluster().enabled("MyIntent"));
    let line = r#"set -o pipefail; Get-VM -VMName "MyVM01, Nobody" | Enable-AccelNetVM -Perf Low"#;
    let did = bash.types(line);
    assert!(
        did.asked[0].contains(r#""names":["MyVM01"]"#),
        "{:?}",
        did.asked
    );
    assert!(did.err.contains("VM Nobody does not exist"), "{}", did.err);
    assert_eq!(did.status, 79);
    // Nothing on the pipe is not everything.
    let did = bash.types("Get-VM Nobody* | Disable-AccelNetVM");
    assert_eq!((did.status, did.asked), (2, vec![]), "{}", did.err);
}

#[test]
fn names_are_for_a_pipe_and_what_is_not_there_is_required() {
    let bash = Bash::new(cluster().enabled("MyIntent"));
    assert_eq!(bash.types("Get-VM").out, "MyVM\nMyVM01\nMyVM02\n");
    let did = bash.types("Enable-AccelNetVM -Performance Low");
    assert_eq!(did.status, 2);
    assert!(
        did.err
            .contains("-VMName is required, and there are no names on standard input"),
        "{}",
        did.err
    );
    let did = bash.types("echo MyVM > list; Set-AccelNetVM -Performance Low < list; rm list");
    assert_eq!(did.asked.len(), 1, "{}", did.err);
}

#[test]
fn names_are_laid_once_and_never_over_what_is_not_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("bin");
    let install = || accelnet(&["cmdlets", "install", "-o", "json", "--dir"], &dir);
    let changed = |output: Output| {
        let laid: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        laid["changed"].as_u64()
    };
    assert_eq!(changed(install()), Some(22));
    assert_eq!(changed(install()), Some(0), "it is so already");
    std::fs::remove_file(dir.join("Get-VM")).expect("removed");
    std::os::unix::fs::symlink("/old/accelnet", dir.join("Get-VM")).expect("a link");
    assert_eq!(changed(install()), Some(1), "an older one is ours, too");
    std::fs::remove_file(dir.join("Get-VM")).expect("removed");
    std::fs::write(dir.join("Get-VM"), "mine").expect("a file");
    assert_eq!(install().status.code(), Some(97));
    let remove = ["cmdlets", "remove", "-o", "json", "--dir"];
    assert_eq!(accelnet(&remove, &dir).status.code(), Some(97));
    assert!(
        dir.join("Enable-AccelNetVM").exists(),
        "nothing was changed"
    );
    std::fs::remove_file(dir.join("Get-VM")).expect("removed");
    assert_eq!(changed(accelnet(&remove, &dir)), Some(21));
    let left = std::fs::read_dir(&dir).expect("a folder").count();
    assert_eq!(left, 0);
}
