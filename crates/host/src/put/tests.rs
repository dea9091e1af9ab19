use super::*;
use std::os::unix::fs::symlink;

fn mode(path: &Path) -> u32 {
    let found = fs::symlink_metadata(path).expect("a file");
    found.permissions().mode() & 0o7777
}

#[test]
fn a_file_has_its_own_mode_and_folders_that_only_root_writes() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("etc/accelnet/agent.env");
    let new = home.path().join("new");
    assert!(put(&file, &new, "one\n", 0o640).expect("written"));
    assert!(!put(&file, &new, "one\n", 0o640).expect("there"));
    assert_eq!(
        (mode(&file), mode(file.parent().expect("a folder"))),
        (0o640, 0o755)
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("set");
    assert!(put(&file, &new, "one\n", 0o640).expect("repaired"));
    assert_eq!(mode(&file), 0o640);
    assert!(put(&file, &new, "two\n", 0o640).expect("changed"));
    assert_eq!(fs::read_to_string(&file).expect("text"), "two\n");
    assert!(!new.exists());
}

#[test]
fn what_lies_at_the_new_name_is_neither_followed_nor_kept() {
    let home = tempfile::tempdir().expect("a folder");
    let (file, new) = (home.path().join("unit"), home.path().join("new"));
    let victim = home.path().join("victim");
    fs::write(&victim, "mine").expect("written");
    symlink(&victim, &new).expect("a link");
    assert!(put(&file, &new, "one\n", 0o644).expect("written"));
    assert_eq!(fs::read_to_string(&victim).expect("text"), "mine");
    assert_eq!(fs::read_to_string(&file).expect("text"), "one\n");
}
