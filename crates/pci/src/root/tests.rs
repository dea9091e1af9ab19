use std::fs;
use std::os::unix::fs::symlink;

use super::Root;

#[test]
fn values_are_read_in_their_form() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("number"), "42\n").expect("a file");
    fs::write(folder.path().join("hex"), "0x8086\n").expect("a file");
    fs::write(folder.path().join("bytes"), b"\xff\xfe").expect("a file");
    let root = Root::new(folder.path());
    assert_eq!(root.number("/number"), Ok(42u16));
    assert_eq!(root.hex("/hex"), Ok(0x8086u16));
    assert_eq!(root.hex("/number"), Ok(0x42u8));
    let reason = |error: crate::ReadError| error.to_string();
    assert_eq!(
        root.hex::<u8>("/hex").map_err(reason),
        Err("\"0x8086\" where a hexadecimal number should be reading /hex".to_owned())
    );
    assert!(root.text("/bytes").is_err());
}

#[test]
fn errors_name_the_path_below_the_root() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("sys")).expect("a folder");
    let root = Root::new(folder.path());
    let missing = root.text("/sys/none").expect_err("missing");
    assert!(missing.is_missing());
    assert_eq!(missing.to_string(), "nothing found reading /sys/none");
    let not_a_file = root.text("/sys").expect_err("a folder");
    assert_eq!(not_a_file.to_string(), "is a directory reading /sys");
}

#[test]
fn a_link_is_only_absent_where_its_folder_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("device")).expect("a folder");
    symlink("/nowhere/igb", folder.path().join("device/driver")).expect("a link");
    fs::write(folder.path().join("device/file"), "").expect("a file");
    let root = Root::new(folder.path());
    assert_eq!(root.link_name("/device/driver"), Ok(Some("igb".to_owned())));
    assert_eq!(root.link_name("/device/none"), Ok(None));
    assert!(root.link_name("/device/file").is_err(), "not a link");
    let gone = root.link_name("/gone/driver").expect_err("no folder");
    assert_eq!(gone.to_string(), "nothing found reading /gone");
}
