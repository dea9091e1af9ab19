//! `accelnet store`: a store that is checked, repaired, written to a file and put back.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use accelnet_store::{Embedded, History, Store, Txn};

const MANAGEMENT: &str =
    r#"{"format":1,"value":{"enabled":true,"intent":"lan","node_reserve_percentage":10}}"#;

fn open(path: &Path) -> Embedded {
    Embedded::open(path, History::default(), || Duration::ZERO).expect("a store")
}

fn put(path: &Path, key: &str, value: &str) {
    let _ = open(path).commit(&Txn::new().put(key, value)).expect("put");
}

fn accelnet(words: &[&str], store: &Path) -> Output {
    let program = Command::new(env!("CARGO_BIN_EXE_accelnet"))
        .args(["store"])
        .args(words)
        .arg("--store")
        .arg(store)
        .output();
    program.expect("it runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn what_cannot_be_read_is_shown_and_set_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("accelnet/store");
    put(&store, "policy/management", MANAGEMENT);
    let sound = accelnet(&["check"], &store);
    assert!(sound.status.success(), "{}", text(&sound));
    put(&store, "policy/vms/\u{1b}[31m", "garbage");
    put(&store, "policy/intents/later", r#"{"format":9,"value":0}"#);
    let found = accelnet(&["check"], &store);
    assert_eq!(found.status.code(), Some(92));
    assert!(text(&found).contains("2 of 3 keys"), "{}", text(&found));
    assert!(!text(&found).contains('\u{1b}'));
    let aside = folder.path().join("aside.json");
    let words = ["check", "--repair", "--into", aside.to_str().expect("text")];
    let before = open(&store).range("").expect("a store");
    let planned = accelnet(&[&words[..], &["--dry-run"]].concat(), &store);
    let words_of_plan = text(&planned);
    for line in [
        "Dry run: ",
        "Would remove policy/vms/",
        "Would leave policy/intents/later",
    ] {
        assert!(words_of_plan.contains(line), "{words_of_plan}");
    }
    assert_eq!(planned.status.code(), Some(92));
    assert!(!aside.exists());
    assert_eq!(open(&store).range("").expect("a store"), before);
    let repaired = accelnet(&words, &store);
    assert!(
        text(&repaired).contains(aside.to_str().expect("text")),
        "{}",
        text(&repaired)
    );
    // What a later release wrote stays.
    assert_eq!(repaired.status.code(), Some(92));
    let left = open(&store).range("").expect("a store").entries;
    let left: Vec<&str> = left.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(left, ["policy/intents/later", "policy/management"]);
    let kept = std::fs::read_to_string(aside).expect("a file");
    assert!(
        kept.contains("garbage") && !kept.contains("later"),
        "{kept}"
    );
}

#[test]
fn a_backup_is_put_back_into_a_damaged_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("accelnet/store");
    put(&store, "policy/management", MANAGEMENT);
    let file = folder.path().join("backup.json");
    let file = file.to_str().expect("text");
    let planned = accelnet(&["backup", file, "--dry-run"], &store);
    assert!(planned.status.success(), "{}", text(&planned));
    assert!(
        text(&planned).starts_with("Would write 1 keys"),
        "{}",
        text(&planned)
    );
    assert!(!Path::new(file).exists());
    let made = accelnet(&["backup", file], &store);
    assert!(made.status.success(), "{}", text(&made));
    std::fs::write(&store, vec![7; 20_000]).expect("damaged");
    let refused = accelnet(&["check"], &store);
    assert!(!refused.status.success());
    let restored = accelnet(&["restore", file], &store);
    assert!(restored.status.success(), "{}", text(&restored));
    assert!(text(&restored).contains("damaged"), "{}", text(&restored));
    let back = open(&store).get("policy/management").expect("a store");
    assert_eq!(back.expect("a value").value, MANAGEMENT.as_bytes());
    let accepted = accelnet(&["accept"], &store);
    assert!(accepted.status.success(), "{}", text(&accepted));
    // While an agent has it, it reports what to do.
    let agent = open(&store);
    let held = accelnet(&["backup", file], &store);
    assert!(
        text(&held).contains("systemctl stop accelnet"),
        "{}",
        text(&held)
    );
    drop(agent);
    std::fs::write(file, "no backup").expect("written");
    let refused = accelnet(&["restore", file], &store);
    assert!(
        text(&refused).contains("neither a backup"),
        "{}",
        text(&refused)
    );
}
