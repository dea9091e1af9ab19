//! What the kernel reports by itself.

use std::time::Duration;

use accelnet_netlink::{
    Event, LinkChange, Monitor, UeventAction, UeventKind, Uevents, add_address, create_bridge,
    delete_bridge, link, remove_port, set_link,
};

use crate::support::Namespace;
use crate::{address, new_bridge, pair};

fn all_events(monitor: &mut Monitor) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = monitor
        .next(Duration::from_millis(300))
        .expect("the socket stands")
    {
        events.push(event);
    }
    events
}

#[test]
fn changes_are_reported() {
    let Some(namespace) = pair("monitor") else {
        return;
    };
    namespace.inside(|| {
        let mut monitor = Monitor::open().expect("no rights needed");
        all_events(&mut monitor);
        create_bridge(&new_bridge("br0")).expect("made");
        let index = link("br0").expect("there").index;
        let name = "br0".to_owned();
        let changed = Event::Changed { index, name };
        assert!(all_events(&mut monitor).contains(&changed));
        set_link("br0", &LinkChange::Up).expect("up");
        add_address("br0", &address("192.0.2.4", 24)).expect("given");
        let events = all_events(&mut monitor);
        assert!(events.contains(&Event::Addresses { index }), "{events:?}");
        assert!(events.contains(&Event::Routes), "{events:?}");
        set_link("up0", &LinkChange::PortOf("br0".to_owned())).expect("free");
        remove_port("br0", "up0").expect("a port");
        let events = all_events(&mut monitor);
        assert!(
            !events
                .iter()
                .any(|event| matches!(event, Event::Gone { .. })),
            "{events:?}"
        );
        delete_bridge("br0").expect("deleted");
        let name = "br0".to_owned();
        assert!(all_events(&mut monitor).contains(&Event::Gone { index, name }));
        assert_eq!(monitor.next(Duration::ZERO), Ok(None));
    });
}

#[test]
fn lost_events_are_reported_and_later_ones_are_received() {
    let Some(namespace) = pair("lost") else {
        return;
    };
    namespace.inside(|| {
        let mut monitor = Monitor::with_buffer(4096).expect("no rights needed");
        for number in 1..=30 {
            let address = address(&format!("198.51.100.{number}"), 24);
            add_address("up0", &address).expect("given");
        }
        let events = all_events(&mut monitor);
        assert!(events.contains(&Event::Lost), "{} events", events.len());
        set_link("up0", &LinkChange::Mtu(1350)).expect("changed");
        let events = all_events(&mut monitor);
        let changed = |event: &Event| matches!(event, Event::Changed { name, .. } if name == "up0");
        assert!(events.iter().any(changed), "{events:?}");
    });
}

#[test]
fn devices_that_come_and_go_are_reported() {
    let Some(namespace) = Namespace::new("uevents") else {
        return;
    };
    namespace.inside(|| {
        let mut uevents = Uevents::open().expect("no rights needed");
        create_bridge(&new_bridge("br7")).expect("made");
        delete_bridge("br7").expect("deleted");
        let mut actions = Vec::new();
        while let Some(heard) = uevents
            .next(Duration::from_millis(300))
            .expect("the socket stands")
        {
            match heard {
                UeventKind::Event(event) if event.interface.as_deref() == Some("br7") => {
                    actions.push(event.action);
                }
                other => println!("{other:?}"),
            }
        }
        assert_eq!(actions, [UeventAction::Add, UeventAction::Remove]);
    });
}
