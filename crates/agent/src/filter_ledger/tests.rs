use super::*;

const MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
const OTHER: Mac = Mac([0x52, 0x54, 0, 0, 0, 2]);

#[test]
fn what_is_remembered_is_there_for_the_next_agent() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new/filter.json");
    let ledger = Ledger::open(file.clone());
    ledger
        .remember([(4, MAC), (5, MAC), (4, OTHER)])
        .expect("written");
    ledger.forget(&BTreeSet::from([(5, MAC)]));
    let next = Ledger::open(file);
    assert_eq!(next.all(), BTreeSet::from([(4, MAC), (4, OTHER)]));
}

#[test]
fn a_file_that_is_not_ours_has_no_entries() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("filter.json");
    for text in [
        "",
        "[]",
        r#"{"format":2,"entries":[]}"#,
        r#"{"format":1,"entries":[[4,"52:54:00:00:00:01"]],"more":1}"#,
        r#"{"format":1,"entries":[[4,"33:33:00:00:00:01"]]}"#,
        r#"{"format":1,"entries":[[4,"00:00:00:00:00:00"]]}"#,
        r#"{"format":1,"entries":[[0,"52:54:00:00:00:01"]]}"#,
        r#"{"format":1,"entries":[[4,"52:54:00:00:00:01 "]]}"#,
        r#"{"format":1,"entries":[[-4,"52:54:00:00:00:01"]]}"#,
    ] {
        std::fs::write(&file, text).expect("written");
        assert_eq!(Ledger::open(file.clone()).all(), BTreeSet::new(), "{text}");
    }
    let sound = r#"{"format":1,"entries":[[4,"52:54:00:00:00:01"]]}"#;
    std::fs::write(&file, sound).expect("written");
    assert_eq!(Ledger::open(file).all(), BTreeSet::from([(4, MAC)]));
}

#[test]
fn what_cannot_be_written_is_not_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("filter.json");
    std::fs::create_dir(&file).expect("a folder in its place");
    let ledger = Ledger::open(file);
    assert!(ledger.remember([(4, MAC)]).is_err());
    assert_eq!(ledger.all(), BTreeSet::new());
}
