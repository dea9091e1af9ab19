//! Events of VMs and virtual networks.

use accelnet_host::vms::{DomainChange, VmEvent, WatchHandle};

use crate::context::Context;
use crate::inbox::{Inbox, Message};
use crate::vital::{End, listener};

/// Watches libvirt on a thread of its own, also after a restart of its daemon.
pub(crate) fn watch_libvirt(ctx: &Context, inbox: &Inbox, end: &End) -> Option<WatchHandle> {
    let inbox = inbox.clone();
    let responder = ctx.responder.clone();
    let on_event = move |event: VmEvent| {
        // At once: the guest has no network until then.
        if let Some(response) = responder.respond(&event) {
            inbox.run(move |agent| {
                let ctx = &agent.ctx;
                ctx.record(response.kind, &response.subject, response.message);
            });
        }
        prepare(&inbox, &event);
        if let Some(message) = message(&event) {
            inbox.put(message);
        }
    };
    let on_event = Box::new(listener(end, on_event));
    ctx.edge.vms().watch(on_event).ok()
}

/// Has the reconcilers note what no later observation shows.
fn prepare(inbox: &Inbox, event: &VmEvent) {
    match event {
        VmEvent::Rebooted { uuid } => {
            let uuid = uuid.clone();
            inbox.run(move |agent| agent.guest_rebooted(&uuid));
        }
        VmEvent::FailoverNegotiated { uuid, .. } => {
            let uuid = uuid.clone();
            inbox.run(move |agent| agent.vms.paths.failover_negotiated(&uuid));
        }
        VmEvent::Domain { uuid, change, .. } => {
            let uuid = uuid.clone();
            match change {
                DomainChange::Stopped | DomainChange::Crashed => {
                    inbox.run(move |agent| agent.vm_left(&uuid));
                }
                DomainChange::Started | DomainChange::Resumed => {
                    inbox.run(move |agent| agent.vm_resumed(&uuid));
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// What is to be observed after an event; none while libvirt cannot be observed.
fn message(event: &VmEvent) -> Option<Message> {
    match event {
        VmEvent::Domain { uuid, .. }
        | VmEvent::DeviceAdded { uuid, .. }
        | VmEvent::DeviceRemoved { uuid, .. }
        | VmEvent::DeviceRemovalFailed { uuid, .. }
        | VmEvent::Agent { uuid, .. }
        | VmEvent::Rebooted { uuid }
        | VmEvent::FailoverNegotiated { uuid, .. }
        | VmEvent::Migration { uuid, .. } => Some(Message::Vm(uuid.clone())),
        VmEvent::Network { .. } | VmEvent::Reconnected => Some(Message::Node),
        VmEvent::ConnectionLost { .. } => None,
    }
}
