use accelnet_model::adapter::VfBar;

use super::{Resource, bars, resource, resources};
use crate::root::Root;

const WIDE: u32 = 0xc;

fn igb(size: u64) -> VfBar {
    VfBar {
        index: 0,
        size: Some(size),
        is_64bit: true,
        prefetchable: true,
        assigned: true,
    }
}

fn lines(lines: [&str; 6]) -> Vec<Resource> {
    let lines = lines.into_iter().map(|line| match line {
        "-" => Resource::default(),
        line => resource(line).expect("a resource"),
    });
    lines.collect()
}

#[test]
fn the_space_is_shared_by_all_vfs_of_the_hardware() {
    // QEMU's igb: 16 KiB for each of 8 VFs.
    let resources = lines([
        "0x00000000fe800000 0x00000000fe81ffff 0x000000000014220c",
        "-",
        "-",
        "0x00000000fe820000 0x00000000fe83ffff 0x000000000014220c",
        "-",
        "-",
    ]);
    let second = VfBar {
        index: 3,
        ..igb(0x4000)
    };
    let registers = [0xfe80_000c, 0, 0, 0xfe82_000c, 0, 0];
    let found = bars(&resources, Some(&registers), Some(8));
    assert_eq!(found, [igb(0x4000), second]);
}

#[test]
fn without_the_hardwares_number_there_is_no_size() {
    let line = "0x00000000fe800000 0x00000000fe81ffff 0x000000000014220c";
    let resources = lines([line, "-", "-", "-", "-", "-"]);
    let found = bars(&resources, None, None);
    assert_eq!(
        found,
        [VfBar {
            size: None,
            ..igb(0)
        }]
    );
    let found = bars(&resources, None, Some(0));
    assert_eq!(found[0].size, None);
}

#[test]
fn a_bar_without_space_is_detected_by_its_flags_or_its_register() {
    let unset = "0x0000000000000000 0x000000000001ffff 0x000000002014220c";
    let resources = lines([unset, "-", "-", "-", "-", "-"]);
    let unassigned = VfBar {
        assigned: false,
        ..igb(0x4000)
    };
    assert_eq!(bars(&resources, None, Some(8)), [unassigned]);

    let registers = [WIDE, 0, 0, WIDE, 0, 0];
    let found = bars(&[], Some(&registers), Some(8));
    let numbers: Vec<u8> = found.iter().map(|bar| bar.index).collect();
    assert_eq!(numbers, [0, 3]);
    assert!(found.iter().all(|bar| !bar.assigned && bar.size.is_none()));
}

#[test]
fn the_upper_half_of_a_wide_bar_is_no_bar() {
    let registers = [WIDE, 0x80, 0xfe80_0000, 0, 0, 0];
    let found = bars(&[], Some(&registers), Some(8));
    let numbers: Vec<(u8, bool)> = found.iter().map(|bar| (bar.index, bar.is_64bit)).collect();
    assert_eq!(numbers, [(0, true), (2, false)]);
}

#[test]
fn what_is_no_resource_is_refused() {
    assert_eq!(resource("0x1 0x2"), None);
    assert_eq!(resource("1 2 3"), None);
    let everything = resource("0x0 0xffffffffffffffff 0x200").expect("a resource");
    assert_eq!(everything.size(Some(1)), None, "its length does not fit");
}

#[test]
fn a_file_that_was_cut_short_states_nothing_about_vfs() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
    let read = |text: &str| {
        std::fs::write(folder.path().join("resource"), text).expect("a file");
        resources(&Root::new(folder.path()), "/")
    };
    assert_eq!(read(&line.repeat(13)).expect("resources").len(), 6);
    for text in ["", "xyzzy 99\n", &*line.repeat(12)] {
        let error = read(text).expect_err("cut short").to_string();
        assert!(error.contains("the resources of VFs"), "{error}");
    }
}
