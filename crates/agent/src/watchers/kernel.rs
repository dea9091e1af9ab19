//! Events of the kernel: links, addresses, routes, devices, and addresses that bridges learn.

use accelnet_netlink::{FdbMonitor, Monitor, Uevents};

use super::thread::{INTERVAL, MACHINE_RETRY, watch};
use crate::inbox::{Inbox, Message};
use crate::vital::End;

/// Watches links, addresses, routes and devices.
pub(crate) fn watch_kernel(inbox: &Inbox, end: &End) {
    watch_events("links", inbox, end, Monitor::open, |monitor| {
        Ok(monitor.next(INTERVAL)?.is_some())
    });
    watch_events("devices", inbox, end, Uevents::open, |monitor| {
        Ok(monitor.next(INTERVAL)?.is_some())
    });
}

fn watch_events<M: 'static, E: 'static>(
    name: &str,
    inbox: &Inbox,
    end: &End,
    open: fn() -> Result<M, E>,
    next: fn(&mut M) -> Result<bool, E>,
) {
    let inbox = inbox.clone();
    watch(name, MACHINE_RETRY, end, move |again| {
        let mut monitor = open().ok()?;
        if again {
            inbox.put(Message::Node);
        }
        loop {
            if next(&mut monitor).ok()? {
                inbox.put(Message::Node);
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
