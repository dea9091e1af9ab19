//! Events of VMs and virtual networks.

use accelnet_host::vms::{DomainChange, VmEvent, WatchHandle};

use crate::core::Core;
use crate::mind::{Inbox, Message};
use crate::vital::{End, listener};

/// Watches libvirt on a thread of its own, also after a restart of its daemon.
pub(crate) fn watch_libvirt(core: &Core, inbox: &Inbox, end: &End) -> Option<WatchHandle> {
    let inbox = inbox.clone();
    let responder = core.reflex();
    let on_event = move |event: VmEvent| {
        let run = |job: Box<dyn FnOnce(&mut Core) + Send>| inbox.put(Message::Do(job));
        if let Some(event) = responder.hear(&event) {
            run(Box::new(move |core| {
                core.tell(event.kind, &event.subject, event.message);
            }));
        }
        match &event {
            VmEvent::Rebooted { .. } | VmEvent::FailoverNegotiated { .. } => {
                let event = event.clone();
                run(Box::new(move |core| core.heard_of_guest(&event)));
            }
            VmEvent::Domain { uuid, change, .. } => {
                let uuid = uuid.clone();
                match change {
                    DomainChange::Stopped | DomainChange::Crashed => {
                        run(Box::new(move |core| core.vm_has_left(&uuid)));
                    }
                    DomainChange::Started | DomainChange::Resumed => {
                        run(Box::new(move |core| core.vm_goes_on(&uuid)));
                    }
                    _ => {}
                }
            }
            // libvirt cannot be observed until it is back.
            VmEvent::ConnectionLost { .. } => return,
            _ => {}
        }
        inbox.put(Message::Look);
    };
    core.edge
        .vms()
        .watch(Box::new(listener(end, on_event)))
        .ok()
}
