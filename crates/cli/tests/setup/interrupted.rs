//! Setup that is killed, or whose effects fail: the next one completes it.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::machine::{End, Files, Known, Machine, NETWORK, QEMU, RULES, UNIT};
use crate::support::{Booted, node};

const SETUP: &str = "accelnet setup";
const UNREAD: &str = "/etc/libvirt/hooks/.accelnet.unread";

/// What is there before setup runs.
#[derive(Debug, Clone, Copy)]
enum Before {
    Nothing,
    /// A unit and scripts of another user, under the names of ours.
    Others,
    /// Those of an earlier release, with the program elsewhere.
    Older,
}

fn machine(before: Before, booted: &Rc<Booted>) -> Machine {
    let machine = Machine::on(booted.clone());
    match before {
        Before::Nothing => {}
        Before::Others => {
            machine.write(UNIT, "[Service]\nExecStart=/bin/true\n");
            machine.write(NETWORK, "#!/bin/sh\necho mine\n");
        }
        Before::Older => {
            machine.known.borrow_mut().group = true;
            machine.write(UNIT, "[Service]\nExecStart=/opt/old/accelnet agent\n");
            let older = "#!/bin/sh\n# Written by accelnet; changes are overwritten.\n";
            machine.write(NETWORK, older);
            machine.write(QEMU, older);
        }
    }
    machine
}

fn booted() -> Rc<Booted> {
    Rc::new(node(|igb| igb))
}

/// What a setup leaves that nothing interrupts: files, what programs know, and how many effects it has.
fn whole(before: Before) -> (Files, Known, usize) {
    let machine = machine(before, &booted());
    let shown = machine.types(SETUP).expect("it ended");
    assert_eq!(shown.status, 0, "{}{}", shown.out, shown.err);
    let known = machine.known.borrow().clone();
    (machine.files(), known, machine.effects())
}

#[test]
fn an_interrupted_setup_is_completed_by_the_next() {
    for before in [Before::Nothing, Before::Others, Before::Older] {
        let (files, known, effects) = whole(before);
        assert!(effects > 10, "{effects}");
        let booted = booted();
        let first = machine(before, &booted).files();
        for (number, end) in (0..effects).flat_map(|n| [(n, End::Kill), (n, End::Fail)]) {
            let machine = machine(before, &booted);
            machine.end.set(Some((number, end)));
            let shown = machine.types(SETUP);
            let told = format!("{before:?}, effect {number}, {end:?}: {shown:#?}");
            match end {
                End::Kill => assert!(shown.is_none(), "{told}"),
                End::Fail => assert_eq!(shown.map(|shown| shown.status), Some(106), "{told}"),
            }
            // Each file is as it was, or as it is to be.
            let mut now = machine.files();
            // It reports that the next setup has to restart libvirt's daemons.
            now.remove(UNREAD);
            for (path, now) in now {
                let sides = [first.get(&path), files.get(&path)];
                assert!(sides.contains(&Some(&now)), "{path}: {told}");
            }
            machine.end.set(None);
            let shown = machine.types(SETUP).expect("it ended");
            assert_eq!(shown.status, 0, "{told}, then {}{}", shown.out, shown.err);
            assert_eq!(machine.files(), files, "{told}");
            assert_eq!(*machine.known.borrow(), known, "{told}");
        }
    }
}

#[test]
fn a_whole_setup_has_everything_in_its_place() {
    let (files, known, _) = whole(Before::Nothing);
    let unit = files.get(UNIT).expect("a unit");
    assert_eq!(unit.0, 0o644);
    assert!(known.group && known.enabled);
    assert_eq!(known.running.as_ref(), Some(&unit.1));
    for (place, path) in [NETWORK, QEMU].into_iter().enumerate() {
        let script = files.get(path).expect("a script");
        assert_eq!(script.0, 0o755, "{path}");
        assert_eq!(known.hooks[place].as_ref(), Some(&script.1), "{path}");
    }
    let rules = &files[RULES].1;
    assert!(rules.starts_with("# ours\n"), "{rules}");
    assert_eq!(rules.matches("PUx,").count(), 1, "{rules}");
    assert_eq!(known.profile.as_ref(), Some(&files[RULES].1));
    assert!(!files.contains_key(UNREAD));
}

#[test]
fn files_of_other_programs_are_kept_and_named() {
    let machine = machine(Before::Others, &booted());
    let first = machine.files();
    let dry = machine.types("accelnet setup --dry-run").expect("it ended");
    assert_eq!(machine.files(), first);
    let shown = machine.types(SETUP).expect("it ended");
    for (path, kept) in [
        (UNIT, "/etc/systemd/system/accelnet.service.old.1"),
        (NETWORK, "/etc/libvirt/hooks/.network.d-accelnet.old.1"),
    ] {
        let line = format!("save the content of {path} to {kept}\n");
        assert!(shown.out.contains(&line), "{}", shown.out);
        assert!(dry.out.contains(&line), "{}", dry.out);
        assert_eq!(machine.read(kept), Some(first[path].1.clone()));
    }
    // Once more, with another unit: the first one stays.
    machine.write(UNIT, "another");
    let again = machine.types(SETUP).expect("it ended");
    assert!(
        again.out.contains("accelnet.service.old.2\n"),
        "{}",
        again.out
    );
    let kept: BTreeSet<String> = machine.files().into_keys().collect();
    let kept: Vec<&String> = kept.iter().filter(|path| path.contains(".old.")).collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
}

#[test]
fn a_masked_unit_stays_masked() {
    let machine = Machine::new();
    let unit = machine.path(UNIT);
    std::fs::create_dir_all(unit.parent().expect("a folder")).expect("made");
    std::os::unix::fs::symlink("/dev/null", &unit).expect("linked");
    let shown = machine.types(SETUP).expect("it ended");
    assert_eq!(shown.status, 106);
    assert!(
        shown.err.contains("systemctl unmask accelnet"),
        "{}",
        shown.err
    );
    assert_eq!(machine.effects(), 0, "nothing was begun");
    let link = std::fs::read_link(unit).expect("a link");
    assert_eq!(link.to_str(), Some("/dev/null"));
}
