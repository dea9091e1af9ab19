//! `accelnet setup` and its like: who may, and from where.

#[path = "setup/interrupted.rs"]
mod interrupted;
#[path = "setup/machine.rs"]
mod machine;
#[path = "setup/recorded.rs"]
mod recorded;
#[expect(dead_code, reason = "others need all of it")]
mod support;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

/// The program where others can run and not write it.
struct Installed(tempfile::TempDir);

impl Installed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).expect("set");
        let program = folder.path().join("accelnet");
        std::fs::copy(env!("CARGO_BIN_EXE_accelnet"), program).expect("copied");
        Installed(folder)
    }

    /// Runs it as a user that is not root.
    fn as_nobody(&self, words: &[&str]) -> Output {
        let mut command = Command::new(self.0.path().join("accelnet"));
        command.args(words).current_dir("/");
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        command.output().expect("run")
    }
}

#[test]
fn only_root_makes_a_node_ready_and_is_asked_for_first() {
    let installed = Installed::new();
    let store = "--store=etcd://127.0.0.1:1";
    for words in [
        &["setup"][..],
        &["cluster", "init", store],
        &["cluster", "join", store],
        &["cluster", "leave"],
    ] {
        let refused = installed.as_nobody(words);
        let said = String::from_utf8(refused.stderr).expect("text");
        assert_eq!(refused.status.code(), Some(66), "{words:?}: {said}");
        assert!(said.contains("Nothing was changed"), "{said}");
        assert!(!said.contains("groupadd"), "{said}");
        assert!(refused.stdout.is_empty(), "no step was begun: {words:?}");
    }
}

#[test]
fn a_program_in_a_folder_of_others_is_not_run_as_root() {
    let installed = Installed::new();
    // Below a folder that every user can write, such as /tmp.
    let refused = installed.as_nobody(&["setup", "--dry-run"]);
    let said = String::from_utf8(refused.stderr).expect("text");
    assert_eq!(refused.status.code(), Some(106), "{said}");
    assert!(said.contains("install -o root -g root -m 755"), "{said}");
    assert!(refused.stdout.is_empty(), "no step was shown");
}
