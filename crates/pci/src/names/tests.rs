use std::collections::BTreeSet;

use accelnet_model::Observed;

use super::{Names, sections};
use crate::root::Root;

const FILE: &str = "#\tList of PCI ID's
0001  SafeNet (wrong ID)
8086  Intel Corporation
\t10c9  82576 Gigabit Network Connection
\t\t8086 a01c  Gigabit ET Dual Port Server Adapter

\t10ca  82576 Virtual Function
8088  Beijing Wangxun Technology Co., Ltd.
C 00  Unclassified device
\t01  VGA compatible unclassified device";

fn named(name: &str) -> Observed<Option<String>> {
    Observed::Known(Some(name.to_owned()))
}

fn root_with(file: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let share = folder.path().join("usr/share/hwdata");
    std::fs::create_dir_all(&share).expect("a folder");
    std::fs::write(share.join("pci.ids"), file).expect("a file");
    folder
}

#[test]
fn only_the_vendors_that_were_asked_for() {
    let folder = root_with(FILE.as_bytes());
    let names = Names::read(&Root::new(folder.path()), &BTreeSet::from([0x8086]));
    assert_eq!(names.vendor(0x8086), named("Intel Corporation"));
    let device = named("82576 Gigabit Network Connection");
    assert_eq!(names.device(0x8086, 0x10c9), device);
    assert_eq!(
        names.device(0x8086, 0x10ca),
        named("82576 Virtual Function")
    );
    assert_eq!(names.device(0x8086, 0xffff), Observed::Known(None));
    assert_eq!(names.vendor(0x0001), Observed::Known(None));
}

#[test]
fn a_last_line_without_an_end() {
    let cut = sections("8086  Intel".as_bytes(), &BTreeSet::from([0x8086]));
    assert_eq!(cut, b"8086  Intel\n");
}

#[test]
fn without_the_file_nothing_has_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = Names::read(&Root::new(folder.path()), &BTreeSet::from([0x8086]));
    assert_eq!(names.vendor(0x8086), Observed::Known(None));
}

#[test]
fn a_broken_file_reports_the_reason() {
    let folder = root_with(b"8086 \xff\n");
    let names = Names::read(&Root::new(folder.path()), &BTreeSet::from([0x8086]));
    let Observed::Unknown(reason) = names.vendor(0x8086) else {
        panic!("a name from a broken file");
    };
    assert!(reason.ends_with("in /usr/share/hwdata/pci.ids"), "{reason}");
}
