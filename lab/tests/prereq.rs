//! `accelnet prereq` on a real kernel: what makes an adapter fit, and each thing that does
//! not.

mod support;

use accelnet_lab::{Node, topologies};
use serde_json::Value;
use support::{accelnet, boot};

/// The rows of `accelnet prereq` on `subject`, each with its name, outcome, code and what
/// was found.
fn rows(answer: &Value, subject: &str) -> Vec<[String; 4]> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rows = answer["checks"].as_array().expect("rows of checks");
    let of_subject = rows.iter().filter(|row| row["subject"] == subject);
    let rows: Vec<[String; 4]> = of_subject
        .map(|row| ["name", "outcome", "code", "found"].map(|field| text(row, field)))
        .collect();
    assert!(!rows.is_empty(), "no row on {subject}: {answer:#}");
    rows
}

/// The one row called `name`.
fn row<'a>(rows: &'a [[String; 4]], name: &str) -> &'a [String; 4] {
    rows.iter()
        .find(|row| row[0] == name)
        .unwrap_or_else(|| panic!("no row {name}: {rows:?}"))
}

/// The PCI address of the bridge right above a netdev or PCI function.
fn bridge_above(node: &Node, device: &str) -> String {
    node.ok(&format!("basename $(dirname $(readlink -f {device}))"))
}

#[test]
fn an_igb_behind_a_port_with_acs_passes_every_check() {
    let node = boot(&topologies::igb_acs());
    let _ = node.ok("ip link set pf0 up; udevadm settle");
    let (status, answer) = accelnet(&node, "prereq --adapter pf0");
    assert_eq!(answer["passed"], true, "{answer:#}");
    assert_eq!(status, 0);
    for check in answer["checks"].as_array().expect("rows") {
        assert_eq!(check["outcome"], "passed", "{check:#}");
    }
    let names: Vec<String> = rows(&answer, "pf0")
        .iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(
        names,
        [
            "sriov",
            "acs",
            "driver",
            "bus-numbers",
            "vf-memory",
            "model",
            "link"
        ]
    );

    // The management NIC is an adapter, too, which nothing asks for.
    let (status, answer) = accelnet(&node, "prereq");
    let of_mgmt0 = rows(&answer, "mgmt0");
    assert_eq!(
        row(&of_mgmt0, "sriov")[1..3],
        ["not-usable", "Sriov_support_Unknown"]
    );
    assert!(rows(&answer, "pf0").iter().all(|row| row[1] == "passed"));
    assert_eq!(status, 0);
    assert_eq!(accelnet(&node, "prereq --adapter mgmt0").0, 14);

    // An ordinary user gets every row, and the truth about what stays hidden.
    let _ = node.ok("useradd -m guest 2>/dev/null || true");
    let seen = node.run("su guest -c 'accelnet prereq --adapter pf0 --output json'");
    let seen: Value = serde_json::from_str(&seen.stdout).expect("JSON");
    assert_eq!(row(&rows(&seen, "pf0"), "acs")[1], "passed", "{seen:#}");
    let hidden = row(&rows(&seen, "igb-acs"), "kvm").clone();
    assert!(
        hidden[1] == "unknown" && hidden[3].contains("permission denied"),
        "{hidden:?}"
    );
}

#[test]
fn a_port_without_acs_is_named() {
    let node = boot(&topologies::igb_no_acs());
    let (status, answer) = accelnet(&node, "prereq --adapter pf0");
    let bridge = bridge_above(&node, "/sys/class/net/pf0/device");
    let rows = rows(&answer, "pf0");
    let acs = row(&rows, "acs");
    assert_eq!([&acs[1], &acs[2]], ["failed", "Sriov_support_MissingAcs"]);
    assert!(
        acs[3].contains(&format!("Root port {bridge} has no ACS.")),
        "{acs:?}"
    );
    assert_eq!(status, 15);
}

#[test]
fn an_e1000e_has_no_sriov() {
    let node = boot(&topologies::e1000e());
    let (status, answer) = accelnet(&node, "prereq --adapter pf0");
    let rows = rows(&answer, "pf0");
    assert_eq!(rows.len(), 1, "there is nothing further to judge: {rows:?}");
    let sriov = row(&rows, "sriov");
    assert_eq!([&sriov[1], &sriov[2]], ["failed", "Sriov_support_Unknown"]);
    assert!(sriov[3].contains("82574L"), "the model is named: {sriov:?}");
    assert_eq!(status, 14);
}

#[test]
fn an_igb_without_a_driver_is_missing_its_driver() {
    let node = boot(&topologies::igb_no_driver());
    let address = node.ok("lspci -D -d 8086:10c9 | cut -d' ' -f1");
    let (status, answer) = accelnet(&node, &format!("prereq --adapter {address}"));
    let rows = rows(&answer, &address);
    let driver = row(&rows, "driver");
    assert_eq!(
        [&driver[1], &driver[2]],
        ["failed", "Sriov_support_MissingPfDriver"]
    );
    assert_eq!(row(&rows, "sriov")[1], "passed");
    assert_eq!(row(&rows, "acs")[1], "passed");
    assert_eq!(status, 16);

    // And VFs cannot be made without one, in the same words.
    let (status, answer) = accelnet(&node, &format!("adapter enable {address}"));
    assert_eq!(answer["error"]["code"], "Sriov_support_MissingPfDriver");
    assert_eq!(status, 16);
}

#[test]
fn without_an_iommu_the_node_fails_with_its_own_code() {
    let node = boot(&topologies::no_iommu());
    let (status, answer) = accelnet(&node, "prereq --adapter pf0");
    let of_node = rows(&answer, "no-iommu");
    let iommu = row(&of_node, "iommu");
    assert_eq!([&iommu[1], &iommu[2]], ["failed", "iommu_off"]);
    let whole = row(&of_node, "platform");
    assert_eq!(
        [&whole[1], &whole[2]],
        ["failed", "Accel_net_not_supported"]
    );
    assert_eq!(row(&rows(&answer, "pf0"), "acs")[1], "passed");
    assert_eq!(status, 33);

    // VFs can be made all the same, with a warning that no VM can have one.
    let (status, answer) = accelnet(&node, "adapter enable pf0 --vfs 2");
    assert_eq!(status, 0);
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("no VF has an IOMMU group"), "{answer:#}");
}

#[test]
fn a_switch_without_acs_below_it_is_named() {
    let node = boot(&topologies::switch());
    let (status, answer) = accelnet(&node, "prereq --adapter pf0 --adapter pf1");
    for name in ["pf0", "pf1"] {
        let port = bridge_above(&node, &format!("/sys/class/net/{name}/device"));
        let rows = rows(&answer, name);
        let acs = row(&rows, "acs");
        assert_eq!(acs[2], "Sriov_support_MissingAcs");
        assert!(
            acs[3].contains(&format!("Switch downstream port {port} has no ACS.")),
            "{acs:?}"
        );
        assert!(
            !acs[3].contains("Root port"),
            "the root port has ACS: {acs:?}"
        );
    }
    assert_eq!(status, 15);
}

#[test]
fn two_adapters_are_judged_each_for_itself() {
    let node = boot(&topologies::two_adapters());
    let _ = node.ok("ip link set pf0 up; ip link set pf1 up; udevadm settle");
    let (status, answer) = accelnet(&node, "prereq");
    assert!(
        rows(&answer, "pf0").iter().all(|row| row[1] == "passed"),
        "{answer:#}"
    );
    let of_pf1 = rows(&answer, "pf1");
    let failed: Vec<&str> = of_pf1
        .iter()
        .filter(|row| row[1] != "passed")
        .map(|row| row[2].as_str())
        .collect();
    assert_eq!(failed, ["Sriov_support_MissingAcs"]);
    assert_eq!(status, 0, "pf0 can be used, and nothing asks for pf1");
    assert_eq!(accelnet(&node, "prereq --adapter pf0").0, 0);
    assert_eq!(accelnet(&node, "prereq --adapter pf1").0, 15);
}
