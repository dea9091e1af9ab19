//! Command lines: invalid ones, and their errors.

mod support;

use support::{Shown, node, types};

fn typed(command: &str) -> Shown {
    types(&node(|igb| igb), command)
}

#[test]
fn what_makes_no_sense_ends_with_2_and_reports_the_reason() {
    let cases = [
        (
            "accelnet frobnicate",
            "'accelnet' has no command 'frobnicate'",
        ),
        ("accelnet adapter", "Usage: accelnet adapter"),
        ("accelnet adapter enable", "<NAME>"),
        (
            "accelnet adapter enable ens1 --vfs 0",
            "0 is not in the range 1 to 65535",
        ),
        (
            "accelnet adapter enable ens1 --vfs abc",
            "abc is not a whole number",
        ),
        (
            "accelnet adapter enable ens1 --vfs -1",
            "does not accept the negative number -1",
        ),
        (
            "accelnet adapter enable ens1 --timeout 0",
            "0 is not in the range 1 to 86400",
        ),
        (
            "accelnet adapter enable ens1 --timeout soon",
            "soon is not a whole number",
        ),
        (
            "accelnet node show --output name",
            "the values are table, json",
        ),
        (
            "accelnet prereq --intent a --adapter b",
            "cannot be used with",
        ),
    ];
    for (command, why) in cases {
        let shown = typed(command);
        assert!(shown.err.contains(why), "{command}: {}", shown.err);
        assert_eq!((shown.status, shown.out.as_str()), (2, ""), "{command}");
    }
}

#[test]
fn help_and_version_are_answers() {
    for command in [
        "accelnet --help",
        "accelnet --version",
        "accelnet adapter enable --help",
    ] {
        let shown = typed(command);
        assert_eq!((shown.status, shown.err.as_str()), (0, ""), "{command}");
        assert!(shown.out.contains("accelnet"), "{command}: {}", shown.out);
    }
}

#[test]
fn an_intent_that_is_not_there_is_reported_first_and_ends_with_12() {
    let shown = typed("accelnet prereq --intent storage");
    assert!(
        shown
            .out
            .contains("Intent validation: Failed. Intent storage not found."),
        "{}",
        shown.out
    );
    assert_eq!(shown.status, 12);
}

#[test]
fn errors_are_for_programs_where_answers_are() {
    let shown = typed("accelnet adapter enable ens9 --output json");
    let answer: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(answer["error"]["code"], "adapter_not_found");
    assert_eq!(answer["exit_status"], 50);
    assert_eq!((shown.status, shown.err.as_str()), (50, ""));
}

#[test]
fn a_dry_run_states_the_steps_and_does_none() {
    let booted = node(|igb| igb.vfs(1).sriov(|sriov| sriov.drivers_autoprobe = false));
    let shown = types(&booted, "accelnet adapter enable ens1 --vfs 2 --dry-run");
    assert_eq!(
        shown.out,
        "ens1 (0000:01:00.0), dry run: The kernel changes 1 to 2 only through 0, and \
         no VF is in use.\n  1. disable driver autoprobe for new VFs\n  2. remove 1 VF\n  \
         3. create 2 VFs\n  4. wait for all 2 VFs\n"
    );
    let device = booted
        .folder
        .path()
        .join(format!("sys/bus/pci/devices/{}", support::pf()));
    let there = std::fs::read_to_string(device.join("sriov_numvfs"));
    assert_eq!(there.expect("a number"), "1\n");
    assert!(
        !booted.folder.path().join("run").exists(),
        "not even a lock"
    );
}

#[test]
fn any_name_of_an_adapter_will_do() {
    for name in ["ens1", "0000:01:00.0", "01:00.0", "52:54:00:00:01:00"] {
        let shown = typed(&format!("accelnet adapter enable {name} --vfs 1"));
        assert!(
            shown.out.starts_with("ens1: 1 VF created and ready"),
            "{name}: {shown:?}"
        );
        assert!(shown.out.contains("VF 0 is 0000:01:10.0.\n"), "{shown:?}");
    }
}

#[test]
fn a_word_that_is_no_text_is_a_wrong_command_line() {
    use std::os::unix::ffi::OsStrExt;
    let word = std::ffi::OsStr::from_bytes(b"\xff");
    let program = env!("CARGO_BIN_EXE_accelnet");
    let output = std::process::Command::new(program).arg(word).output();
    let status = output.expect("it runs").status;
    assert_eq!(status.code(), Some(2), "101 is a panic");
}

/// The program itself, with words as a shell hands them over.
fn program(words: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_accelnet"))
        .args(words)
        .output()
        .expect("run")
}

#[test]
fn a_node_has_the_name_of_a_host_and_others_are_shown_escaped() {
    let long = "x".repeat(64 * 1024);
    let store = "--store=etcd://127.0.0.1:1";
    for name in [
        "",
        "n 1",
        "n1\nerror: forged",
        "\u{1b}[2Jn1",
        "n1\u{202e}",
        "n_1",
        &long,
    ] {
        for words in [
            &["agent", "--node", name][..],
            &["cluster", "join", store, "--dry-run", "--node", name],
            &[
                "cluster",
                "init",
                store,
                "--dry-run",
                &format!("--node={name}"),
            ],
            &["cluster", "leave", "--dry-run", "--node", name],
            &["node", "drain", "--apply", name],
            &["node", "undrain", name],
        ] {
            let refused = program(words);
            let told = String::from_utf8(refused.stderr).expect("text");
            assert_eq!(refused.status.code(), Some(2), "{words:?}: {told}");
            let plain = |letter: char| letter == '\n' || (' '..='~').contains(&letter);
            assert!(told.chars().all(plain), "{told:?}");
            assert!(!told.contains("\nerror: forged"), "{told}");
            assert!(
                told.contains("is not a host name") || name.is_empty(),
                "{told}"
            );
        }
    }
}
