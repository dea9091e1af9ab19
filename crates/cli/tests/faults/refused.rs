//! The write of the number of VFs ends with an error number, and nothing has changed.

use accelnet_sim::{AdapterSpec, Fault};

use crate::page::Page;
use crate::support::{node, pf};

const ENABLE: &str = "accelnet adapter enable ens1";

/// Every refusal.
pub fn write(page: &mut Page) {
    by_number(page);
    by_the_driver(page);
    without_permission(page);
    without_a_driver(page);
    too_many(page);
    another_user(page);
}

/// The error numbers whose meaning is the kernel's own.
fn by_number(page: &mut Page) {
    let cases = [
        (
            "EBUSY",
            16,
            "vf_count_busy",
            "Another program changes the number of VFs at the same moment.",
        ),
        (
            "ENOSPC",
            28,
            "vf_no_room",
            "The driver has no room for so many VFs, say in its table of queues.",
        ),
        (
            "ENOMEM",
            12,
            "vf_no_room",
            "The kernel has no bus numbers or no memory space for so many VFs.",
        ),
        (
            "ERANGE",
            34,
            "vf_count_too_high",
            "The driver has lowered its limit between the look and the write.",
        ),
        (
            "EIO",
            5,
            "driver_refuses",
            "The adapter does not do what its driver tells it.",
        ),
        (
            "ENODEV",
            19,
            "adapter_lost",
            "The driver says that its adapter is gone.",
        ),
    ];
    for (name, errno, code, what_happens) in cases {
        page.fault(name, what_happens);
        let node = node(|igb| igb);
        page.stops(&node, Fault::Errno(errno), ENABLE, code);
        page.then("Once that has passed, the same command:");
        page.ends_well(&node, ENABLE, 7);
    }

    page.fault(
        "EBUSY while VFs are removed",
        "The number is to go from 7 to 4, through zero, and the kernel refuses the zero.",
    );
    let node = node(|igb| igb.vfs(7));
    let fewer = "accelnet adapter enable ens1 --vfs 4";
    page.stops(&node, Fault::Errno(16), fewer, "vf_count_busy");
    page.then("Once that has passed, the same command:");
    page.ends_well(&node, fewer, 4);
}

fn by_the_driver(page: &mut Page) {
    page.fault(
        "EINVAL, with the driver's own words",
        "The driver refuses, and says why in the kernel log.",
    );
    let node = node(|igb| igb);
    let words = "SR-IOV cannot be enabled while the adapter is in XDP mode";
    let fault = Fault::Refuses { errno: 22, words };
    page.stops(&node, fault, ENABLE, "driver_refuses");
    page.then("With XDP taken off, the same command:");
    page.ends_well(&node, ENABLE, 7);
}

fn without_permission(page: &mut Page) {
    page.fault("EACCES", "The caller is an ordinary user.");
    let node = node(|igb| igb);
    page.stops(&node, Fault::NotRoot, ENABLE, "permission_denied");
    page.then("As root, the same command:");
    page.ends_well(&node, ENABLE, 7);

    page.fault(
        "EROFS",
        "The caller is root in a container, where `/sys` is mounted read-only.",
    );
    let node = self::node(|igb| igb.sriov(|sriov| sriov.drivers_autoprobe = true));
    page.stops(&node, Fault::ReadOnlySys, ENABLE, "permission_denied");
    page.then("Outside of the container, the same command:");
    page.ends_well(&node, ENABLE, 7);
}

fn without_a_driver(page: &mut Page) {
    page.fault(
        "No driver",
        "No driver is bound to the adapter, which has no netdev then and is called by its address.",
    );
    let node = node(AdapterSpec::unbound);
    let by_address = "accelnet adapter enable 0000:01:00.0";
    page.fails(&node, by_address, "Sriov_support_MissingPfDriver");

    page.fault(
        "ENOENT",
        "The driver that is bound has no SR-IOV configuration at all.",
    );
    let node = self::node(|igb| igb);
    page.stops(
        &node,
        Fault::Errno(2),
        ENABLE,
        "Sriov_support_MissingPfDriver",
    );
    page.then("With the right driver bound, the same command:");
    page.ends_well(&node, ENABLE, 7);

    page.fault(
        "Firmware that allows no VFs",
        "The adapter has SR-IOV, and its firmware caps the number of VFs at zero.",
    );
    let node = self::node(|igb| igb.sriov(|sriov| sriov.total_vfs = 0));
    page.fails(&node, ENABLE, "firmware_caps_vfs");
}

fn too_many(page: &mut Page) {
    page.fault(
        "More VFs than there are",
        "The administrator asks for more than the adapter can give.",
    );
    let node = node(|igb| igb);
    page.fails(
        &node,
        "accelnet adapter enable ens1 --vfs 8",
        "vf_count_too_high",
    );
    page.then("Without a number, all that there are:");
    page.ends_well(&node, ENABLE, 7);
}

fn another_user(page: &mut Page) {
    page.fault(
        "The lock is held by another",
        "Another accelnet changes the same adapter.",
    );
    let node = node(|igb| igb);
    let other = node
        .host
        .host()
        .knobs
        .lock(pf(), "process 815, since 2026-01-02T03:00:00Z")
        .expect("the lock is free");
    page.fails(&node, ENABLE, "change_in_progress");
    drop(other);
    page.then("Once it is done, the same command:");
    page.ends_well(&node, ENABLE, 7);
}
