//! What one node refuses, each with its id and its exit status.

use accelnet_lab::{Node, topologies};

use crate::setting::{define, done, refused, shown, vnic, with_agent};
use crate::support::accelnet;

/// Too few vCPUs, by one, for each setting; enough of them pass this check.
fn the_table_of_vcpus(node: &Node, minima: [(&str, u32); 3]) {
    for (place, (setting, minimum)) in (0x40..).zip(minima) {
        define(node, "few", minimum - 1, &vnic(place));
        let problem = refused(
            node,
            &format!("vm enable few --performance {setting}"),
            "vm_not_enough_vcpus",
            22,
        );
        assert_eq!(
            problem["document_code"], "ht_enabled_min_processor_counter",
            "{problem:#}"
        );
        let needed = problem["needed"].as_str().unwrap_or_default();
        assert!(needed.contains(&minimum.to_string()), "{problem:#}");
        let _ = node.ok("virsh undefine few");

        define(node, "enough", minimum, &vnic(place));
        let enable = format!("vm enable enough --performance {setting} --dry-run");
        match setting {
            // An igb's VF has 2 queue pairs.
            "high" => {
                let problem = refused(node, &enable, "cannot_provision_performance", 20);
                assert_eq!(
                    problem["needed"], "4 queue pairs for one VF.",
                    "{problem:#}"
                );
            }
            _ => {
                let _ = done(node, &enable);
            }
        }
        let _ = node.ok("virsh undefine enough");
    }
}

#[test]
fn one_node_refuses_what_cannot_be_with_its_ids() {
    let node = with_agent(&topologies::two_adapters());
    let _ = node.ok("ip link set pf0 up");

    // Management.
    let _ = refused(&node, "enable --intent lan", "Intent_not_found", 12);
    let _ = refused(
        &node,
        "vm enable web01 --performance low",
        "management_disabled",
        70,
    );
    let _ = done(&node, "intent add lan --compute --adapter pf0 --vfs 1");
    let _ = done(&node, "intent add disks --storage --adapter pf1");
    let _ = refused(
        &node,
        "enable --intent disks",
        "Intent_type_check_failed",
        13,
    );
    for (reserve, said) in [("100", "100"), ("-1", "-1"), ("abc", "abc"), ("3.5", "3.5")] {
        let args = format!("enable --intent lan --node-reserve={reserve}");
        let problem = refused(&node, &args, "node_reserve_invalid", 67);
        let message = problem["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "{problem:#}");
    }
    assert_eq!(done(&node, "status")["enabled"], false);
    let _ = done(&node, "enable --intent lan");
    let _ = refused(&node, "set --node-reserve 100", "node_reserve_invalid", 67);

    // Intents.
    for (args, code, status) in [
        (
            "intent add lan --compute --adapter pf1",
            "intent_exists",
            72,
        ),
        (
            "intent add more --compute --adapter pf1",
            "intent_adapter_taken",
            73,
        ),
        ("intent remove lan", "intent_in_use", 75),
        ("intent show wan", "Intent_not_found", 12),
        (
            "intent add none --compute --adapter pf7",
            "adapter_not_found",
            50,
        ),
    ] {
        let _ = refused(&node, args, code, status);
    }

    // VMs.
    define(&node, "bare", 2, "");
    let elsewhere = "<interface type='network'><mac address='52:54:00:0d:00:20'/>\
                     <source network='default'/><model type='virtio'/></interface>";
    define(&node, "elsewhere", 2, elsewhere);
    define(&node, "twin1", 2, &vnic(0x30));
    define(&node, "twin2", 2, &vnic(0x30));
    for (args, code, status) in [
        ("vm enable nobody -p low", "vm_not_found", 79),
        ("vm enable bare -p low", "Get_network_adapter_failed", 18),
        ("vm enable elsewhere -p low", "vm_not_on_switch", 81),
        ("vm set twin1 -p low", "vm_not_accelerated", 80),
        ("vm enable twin1 -p low", "mac_duplicate", 82),
    ] {
        let _ = refused(&node, args, code, status);
    }
    let problem = refused(&node, "vm enable twin2 -p low", "mac_duplicate", 82);
    let found = problem["found"].as_str().unwrap_or_default();
    assert!(found.contains("twin1"), "{problem:#}");
    let _ = node.ok("virsh undefine twin2");
    the_table_of_vcpus(&node, [("low", 2), ("medium", 2), ("high", 4)]);

    // With --add-nic it gets one, and the only VF; it goes again with its setting.
    let before = node.ok("virsh dumpxml elsewhere --inactive");
    let _ = done(&node, "vm enable elsewhere -p low --add-nic");
    let vm = shown(&node, "elsewhere");
    assert_eq!(vm["acceleration"], "accelerated", "{vm:#}");
    assert_eq!(vm["vnics"].as_array().map(Vec::len), Some(3), "{vm:#}");
    let problem = refused(
        &node,
        "vm enable twin1 -p low",
        "cluster_not_enough_resources",
        23,
    );
    let found = problem["found"].as_str().unwrap_or_default();
    assert!(found.contains("VFs bind"), "{problem:#}");
    let refusal = node.ok("virsh dumpxml twin1 --inactive");
    assert!(!refusal.contains("teaming"), "{refusal}");

    // Of several, each has its own result.
    let (status, answer) = accelnet(&node, "vm enable elsewhere twin1 -p low");
    assert_eq!(status, 23, "{answer:#}");
    assert_eq!(answer["results"][0]["ok"], true, "{answer:#}");
    assert_eq!(answer["results"][1]["ok"], false, "{answer:#}");
    let _ = done(&node, "vm disable elsewhere");
    assert_eq!(node.ok("virsh dumpxml elsewhere --inactive"), before);
    let _ = done(&node, "vm enable twin1 -p low");

    // Who is not of the group may read.
    let _ = node.ok("su nobody -s /bin/sh -c 'accelnet status && accelnet vm list'");
    for change in ["vm disable twin1", "disable", "intent remove disks"] {
        let said = node.run(&format!(
            "su nobody -s /bin/sh -c 'accelnet {change} --output json'"
        ));
        assert_eq!(said.status, 66, "{change}: {said}");
        assert!(said.stdout.contains("\"not_allowed\""), "{change}: {said}");
    }
    assert_eq!(shown(&node, "twin1")["acceleration"], "accelerated");
}
