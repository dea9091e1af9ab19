//! Events of the kernel: links, addresses, routes, devices, and addresses that bridges learn.

use accelnet_netlink::{FdbMonitor, Monitor, Uevents};

use super::{INTERVAL, MACHINE_RETRY, watch};
use crate::inbox::{Inbox, Message};
use crate::vital::End;

/// Watches links, addresses, routes and devices.
pub(crate) fn watch_kernel(inbox: &Inbox, end: &End) {
    let links = inbox.clone();
    watch("links", MACHINE_RETRY, end, move |again| {
        let mut monitor = Monitor::open().ok()?;
        if again {
            links.put(Message::Node);
        }
        loop {
            if monitor.next(INTERVAL).ok()?.is_some() {
                links.put(Message::Node);
            }
        }
    });
    let devices = inbox.clone();
    watch("devices", MACHINE_RETRY, end, move |again| {
        let mut monitor = Uevents::open().ok()?;
        if again {
            devices.put(Message::Node);
        }
        loop {
            if monitor.next(INTERVAL).ok()?.is_some() {
                devices.put(Message::Node);
            }
        }
    });
}

/// Watches addresses that bridges learn.
pub(crate) fn watch_bridges(inbox: &Inbox, end: &End) {
    let inbox = inbox.clone();
    watch("bridges", MACHINE_RETRY, end, move |_| {
        let mut monitor = FdbMonitor::open().ok()?;
        let watched = monitor.watched().ok()?;
        inbox.run(|agent| agent.watch_addresses(watched));
        loop {
            if let Some(event) = monitor.next(INTERVAL).ok()? {
                inbox.put(Message::Address(event));
            }
        }
    });
}
