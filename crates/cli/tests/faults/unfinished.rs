//! Changes that begin, and do not end as they should.

use std::time::Duration;

use accelnet_sim::Fault;

use crate::page::Page;
use crate::support::node;

const ENABLE: &str = "accelnet adapter enable ens1";
const DISABLE: &str = "accelnet adapter disable ens1";

/// Every unfinished change.
pub fn write(page: &mut Page) {
    hanging(page);
    fewer(page);
    late(page);
    host_drivers(page);
    dying(page);
    vanishing(page);
}

fn hanging(page: &mut Page) {
    page.fault(
        "A write that hangs",
        "The driver does not come back. The write cannot be taken back; it is left behind, and \
         holds the adapter's lock.",
    );
    let node = node(|igb| igb);
    let patient = "accelnet adapter enable ens1 --timeout 30";
    node.host.kernel.break_with(Fault::Hang);
    page.fails(&node, patient, "vf_count_timed_out");
    page.then("While it hangs, the next call changes nothing, and looking still answers:");
    page.fails(&node, patient, "change_in_progress");
    page.types(&node, "accelnet adapter list");
    node.host.kernel.repair().expect("repaired");
    page.then("The write comes back at last, and has made the VFs:");
    page.ends_well(&node, patient, 7);

    page.fault(
        "A removal that hangs",
        "The driver does not come back from removing its VFs.",
    );
    let node = self::node(|igb| igb.vfs(7));
    node.host.kernel.break_with(Fault::Hang);
    page.fails(&node, DISABLE, "vf_count_timed_out");
    node.host.kernel.repair().expect("repaired");
    page.then("When it has come back, the same command:");
    page.ends_well(&node, DISABLE, 0);
}

fn fewer(page: &mut Page) {
    page.fault(
        "Fewer VFs than asked",
        "The driver makes 3 VFs of 7, and reports success.",
    );
    let node = node(|igb| igb);
    page.stops(
        &node,
        Fault::FewerThanAsked(3),
        ENABLE,
        "vf_fewer_than_asked",
    );
    page.must(
        node.host.host().clock.uptime() < Duration::from_secs(2),
        "nobody waits for VFs that the kernel says are not to come",
    );
    page.then("Asked for what it can make, it is content with them:");
    page.ends_well(&node, "accelnet adapter enable ens1 --vfs 3", 3);
    page.then("Once it can make more, all of them are made anew:");
    page.ends_well(&node, ENABLE, 7);

    page.fault(
        "One VF, where two were asked for",
        "The same with the smallest numbers.",
    );
    let node = self::node(|igb| igb);
    let two = "accelnet adapter enable ens1 --vfs 2";
    page.stops(&node, Fault::FewerThanAsked(1), two, "vf_fewer_than_asked");
    page.then("Once it can make more, the same command:");
    page.ends_well(&node, two, 2);
}

fn late(page: &mut Page) {
    page.fault(
        "A VF that is late",
        "The write comes back with 5 VFs of 7, and the last two appear 3 s later.",
    );
    let fault = Fault::Late {
        at_once: 5,
        after: Duration::from_secs(3),
    };
    let node = node(|igb| igb);
    node.host.kernel.break_with(fault);
    page.ends_well(&node, ENABLE, 7);

    page.fault(
        "A VF that is too late",
        "The last two appear after the deadline.",
    );
    let node = self::node(|igb| igb);
    let hasty = "accelnet adapter enable ens1 --timeout 2";
    node.host.kernel.break_with(fault);
    page.fails(&node, hasty, "vf_not_ready");
    node.host.kernel.repair().expect("repaired");
    page.then("The same command once more, with the longer deadline that it has by itself:");
    page.ends_well(&node, ENABLE, 7);
}

fn host_drivers(page: &mut Page) {
    page.fault(
        "A VF with a host driver",
        "A udev rule binds VF 2 to its network driver, though the kernel is told to keep drivers off.",
    );
    let node = node(|igb| igb);
    page.stops(&node, Fault::HostDriver { vf: 2 }, ENABLE, "vf_not_ready");
    page.then("Without the rule, the same command:");
    page.ends_well(&node, ENABLE, 7);

    page.fault(
        "A VF with a host netdev that is up",
        "A udev rule binds VF 2 to its network driver, and NetworkManager brings its netdev up.",
    );
    let node = self::node(|igb| igb);
    page.stops(&node, Fault::HostNetdevUp { vf: 2 }, ENABLE, "vf_not_ready");
    page.then("Whoever has it up is named, and has to let go:");
    page.fails(&node, "accelnet adapter enable ens1 --vfs 6", "vf_in_use");
    page.fails(&node, DISABLE, "vf_in_use");
    take_down(&node, "ens1v2");
    page.then("With the netdev down, and without the rule:");
    page.ends_well(&node, ENABLE, 7);
}

fn take_down(node: &crate::support::Booted, netdev: &str) {
    let flags = node
        .folder
        .path()
        .join(format!("sys/class/net/{netdev}/flags"));
    std::fs::write(flags, "0x1002\n").expect("flags");
}

fn dying(page: &mut Page) {
    page.fault(
        "A driver that dies in the middle",
        "After 3 VFs the driver gives up and is unbound.",
    );
    let node = node(|igb| igb);
    node.host
        .kernel
        .break_with(Fault::DriverDies { after_vfs: 3 });
    page.fails(&node, ENABLE, "adapter_lost");
    page.then("While it is not bound again (the adapter has lost its name with its netdev):");
    let by_address = "accelnet adapter enable 0000:01:00.0";
    page.fails(&node, by_address, "Sriov_support_MissingPfDriver");
    let by_address = "accelnet adapter disable 0000:01:00.0";
    page.fails(&node, by_address, "Sriov_support_MissingPfDriver");
    node.host.kernel.repair().expect("repaired");
    page.then("With the driver bound again, the first command:");
    page.ends_well(&node, ENABLE, 7);

    page.fault(
        "A driver that oopses",
        "After 3 VFs the driver crashes inside the kernel, and takes the adapter's lock with it.",
    );
    let node = self::node(|igb| igb);
    node.host
        .kernel
        .break_with(Fault::DriverOopses { after_vfs: 3 });
    page.fails(&node, ENABLE, "adapter_lost");
    page.then("The kernel answers nothing about the adapter any more:");
    page.fails(&node, ENABLE, "vf_count_timed_out");
    node.host.kernel.repair().expect("repaired");
    page.then("After a reboot, the same command:");
    page.ends_well(&node, ENABLE, 7);
}

fn vanishing(page: &mut Page) {
    page.fault(
        "An adapter that vanishes",
        "The adapter is lost from its slot while its VFs are made.",
    );
    let node = node(|igb| igb);
    node.host.kernel.break_with(Fault::AdapterVanishes);
    page.fails(&node, ENABLE, "adapter_lost");
    page.then("While it is gone:");
    page.fails(&node, ENABLE, "adapter_not_found");
    node.host.kernel.repair().expect("repaired");
    page.then("Back in its slot, the same command:");
    page.ends_well(&node, ENABLE, 7);

    page.fault(
        "An adapter that vanishes while its VFs are waited for",
        "The write has come back, one VF has not come yet, and the adapter is lost.",
    );
    let node = self::node(|igb| igb);
    node.host.kernel.break_with(Fault::AdapterVanishesLater);
    page.fails(&node, ENABLE, "adapter_lost");
    node.host.kernel.repair().expect("repaired");
    page.then("Back in its slot, the same command:");
    page.ends_well(&node, ENABLE, 7);
}
