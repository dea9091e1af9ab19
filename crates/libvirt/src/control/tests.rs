//! Against libvirt's own test driver, and against a daemon that hangs.

use std::io::Read;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::{DomainChange, NetworkChange};

const TEST: &str = "6695eb01-f6a4-8304-79aa-97f2502e193f";
const LONG: Duration = Duration::from_secs(50);

/// A driver of its own, where libvirt is installed.
fn driver() -> Option<Control> {
    let control = Control::new("test:///default", LONG);
    match control.networks() {
        Err(error @ LibvirtError::NotInstalled { .. }) => {
            eprintln!("SKIPPED: {error}");
            None
        }
        answer => {
            answer.unwrap();
            Some(control)
        }
    }
}

#[test]
fn networks_live_and_die_any_number_of_times() {
    let Some(control) = driver() else { return };
    let xml = crate::xml::bridge_network("pool <1>", "br0");
    for _ in 0..2 {
        control.define_network(&xml, true).unwrap();
        control.start_network("pool <1>").unwrap();
    }
    let networks = control.networks().unwrap();
    let ours = networks.iter().find(|one| one.name == "pool <1>").unwrap();
    assert!(ours.active && ours.persistent && ours.autostart, "{ours:?}");
    assert!(ours.xml.contains("<bridge name='br0'/>"), "{}", ours.xml);
    for _ in 0..2 {
        control.stop_network("pool <1>").unwrap();
        control.remove_network("pool <1>").unwrap();
    }
    let error = control.start_network("pool <1>").unwrap_err();
    assert!(matches!(error, LibvirtError::NoNetwork { .. }), "{error}");
}

#[test]
fn both_sides_of_a_domain_are_reported() {
    let Some(control) = driver() else { return };
    let live = control.xml(TEST, Side::Live).unwrap();
    let config = control.xml(TEST, Side::Config).unwrap();
    assert!(live.contains("<domain type='test' id="), "{live}");
    assert!(config.contains("<domain type='test'>"), "{config}");
    control.define(&config).unwrap();
    control.start(TEST).unwrap();
    assert_eq!(
        control.saved_state(TEST).unwrap(),
        SavedState {
            managed_save: false,
            snapshots: 0
        }
    );
    let unknown = "00000000-0000-4000-8000-000000000000";
    let error = control.xml(unknown, Side::Config).unwrap_err();
    assert!(matches!(error, LibvirtError::NoDomain { .. }), "{error}");
}

#[test]
fn what_happens_is_reported_until_the_watch_ends() {
    let Some(control) = driver() else { return };
    let (sender, events) = channel();
    let watch = control
        .watch(Box::new(move |event| drop(sender.send(event))))
        .unwrap();
    let xml = crate::xml::bridge_network("watched", "br0");
    control.define_network(&xml, false).unwrap();
    control.start_network("watched").unwrap();
    let mut changes = Vec::new();
    while changes.len() < 2 {
        match events.recv_timeout(LONG).unwrap() {
            VmEvent::Network { name, change, .. } if name == "watched" => changes.push(change),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(changes, [NetworkChange::Defined, NetworkChange::Started]);
    let config = control.xml(TEST, Side::Config).unwrap();
    control.define(&config).unwrap();
    assert_eq!(
        events.recv_timeout(LONG).unwrap(),
        VmEvent::Domain {
            uuid: TEST.to_owned(),
            name: "test".to_owned(),
            change: DomainChange::Defined,
        }
    );
    watch.stop();
    control.stop_network("watched").unwrap();
    // The sender goes with the watch.
    assert!(events.recv_timeout(LONG).is_err());
}

#[test]
fn a_daemon_that_hangs_is_waited_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let daemon = UnixListener::bind(&socket).unwrap();
    let (hang_up, wait) = channel::<()>();
    // Reads requests, never answers, and hangs up on request.
    thread::spawn(move || {
        let mut stream = daemon.accept().unwrap().0;
        let mut told = [0; 8];
        drop(stream.read(&mut told));
        let _ = wait.recv();
    });
    let short = Duration::from_millis(500);
    let uri = format!("qemu+unix:///system?socket={}", socket.display());
    let control = Control::new(&uri, short);
    let error = control.define("<domain/>").unwrap_err();
    if matches!(error, LibvirtError::NotInstalled { .. }) {
        eprintln!("SKIPPED: {error}");
        return;
    }
    let late = LibvirtError::TimedOut { after: short };
    assert_eq!(error, late);
    // Nothing queues up behind it: many more calls take less than one deadline together.
    let deadline = deadline::Deadline::after(short);
    for _ in 0..100 {
        assert_eq!(control.define("<domain/>"), Err(late.clone()));
    }
    assert!(!deadline.left().is_zero(), "refused at once");
    drop(hang_up);
    let deadline = deadline::Deadline::after(LONG);
    while control.networks() == Err(late.clone()) {
        assert!(!deadline.left().is_zero(), "it comes back");
    }
    let error = control.networks().unwrap_err();
    assert!(matches!(error, LibvirtError::NotRunning { .. }), "{error}");
}
