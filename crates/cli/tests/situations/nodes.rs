//! Nodes whose host is read: adapters and prerequisites.

use accelnet_libvirt::LibvirtError;
use accelnet_sim::tree::PlatformSpec;
use accelnet_sim::{AdapterSpec, Tree};

use crate::page::{Page, host};
use crate::support::{Booted, boot, node, pf, port};
use crate::{PIPE, W60, W80, W200};

fn machine(change: impl FnOnce(&mut PlatformSpec)) -> Booted {
    let igb = AdapterSpec::igb(pf(), "ens1f0");
    boot(Tree::new().platform(change).port(port().adapter(igb)))
}

pub fn sound_and_faulty(page: &mut Page) {
    page.heading("Adapters and prerequisites of a node");
    let sound = host(node(|igb| igb.vfs(4)));
    for (title, terminal, command) in [
        ("The adapters", W80, "adapter list"),
        ("An adapter", W80, "adapter show ens1"),
        ("The prerequisites of a node that has all", W80, "prereq"),
        ("The same in a narrow terminal", W60, "prereq"),
        ("VFs are created", W80, "adapter enable ens1 --vfs 4"),
        (
            "More VFs than the adapter supports",
            W80,
            "adapter enable ens1 --vfs 9",
        ),
        ("An unknown adapter", W80, "adapter show ens2"),
    ] {
        page.block(&sound, title, terminal, command);
    }
    let faulty = host(machine(|machine| {
        machine.iommus.clear();
        machine.kernel = "5.13.19".to_owned();
        machine.lockdown = Some("none [integrity] confidentiality".to_owned());
    }));
    for (title, terminal) in [
        ("The prerequisites of a node that lacks some", W80),
        ("The same in colour", W80.coloured()),
        ("The same in a wide terminal", W200),
        ("The same for a pipe", PIPE),
    ] {
        page.block(&faulty, title, terminal, "prereq");
    }
    let mut silent = node(|igb| igb);
    silent.host.libvirt.answer = Err(LibvirtError::NotInstalled {
        words: "libvirt.so.0: cannot open shared object file".to_owned(),
    });
    page.block(&host(silent), "A node without libvirt", W80, "prereq");
    let unfit = host(node(|_| AdapterSpec::e1000e(pf(), "ens1")));
    page.block(
        &unfit,
        "An adapter without SR-IOV",
        W80,
        "prereq --adapter ens1",
    );
}
