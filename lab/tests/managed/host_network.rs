//! What else configures or names an uplink: the real systemd-networkd and NetworkManager with a
//! lease, a policy rule, a rule of nftables, and a VM's macvtap.

use accelnet_lab::{Node, topologies};
use serde_json::Value;

use crate::setting::{SOON, define, done, refused, with_agent};

const ADD: &str = "intent add lan --compute --adapter pf0 --vfs 1";
const FILE: &str = "/etc/systemd/network/20-pf0.network";

/// The texts of a list of an answer.
fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// The warning that begins so.
fn warning<'a>(warnings: &'a [String], begins: &str) -> &'a str {
    let found = warnings.iter().find(|one| one.starts_with(begins));
    found.unwrap_or_else(|| panic!("no warning begins with {begins:?}: {warnings:#?}"))
}

fn status_warnings(node: &Node) -> Vec<String> {
    texts(&done(node, "intent status lan")[0]["warnings"])
}

/// Waits until the address that a DHCP server gave is on `link`, with the time that it is valid.
fn leased_on(node: &Node, link: &str) {
    let script =
        format!("ip -4 -o addr show dev {link} | grep -E 'inet 10\\..* valid_lft [0-9]+sec'");
    node.wait_until(&format!("a lease on {link}"), &script, SOON)
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Declares the intent on the leased `pf0`: what is warned of before stands in the answer, the
/// status and the plan, and the address is a fault.
fn adopted_with_a_warning(node: &Node, keeper: &str) -> Vec<String> {
    let planned = texts(&done(node, &format!("{ADD} --dry-run"))["warnings"]);
    let _ = warning(&planned, keeper);
    let expires = warning(&planned, "Address 10.").to_owned();
    assert!(
        expires.contains("no program known to accelnet renews it on acn-lan"),
        "{expires}"
    );
    let added = texts(&done(node, ADD)["warnings"]);
    for place in [
        added,
        status_warnings(node),
        texts(&done(node, "plan")["warnings"]),
    ] {
        for one in &planned {
            assert!(place.contains(one), "{one:?} is not in {place:#?}");
        }
    }
    leased_on(node, "acn-lan");
    let fault = address_fault(node).expect("a fault");
    assert_eq!(fault["code"], "address_expires", "{fault:#}");
    planned
}

fn address_fault(node: &Node) -> Option<Value> {
    let faults = done(node, "faults");
    let mut faults = faults.as_array().into_iter().flatten();
    faults
        .find(|fault| fault["code"] == "address_expires")
        .cloned()
}

/// Waits until neither fault nor warning is left of a lease and its keeper.
fn is_well(node: &Node, keeper: &str) {
    let script = format!(
        "! accelnet faults --output json | grep address_expires &&
         accelnet intent status lan --output json | grep '\"state\": \"completed\"' &&
         ! accelnet intent status lan --output json | grep -e '{keeper}' -e 'Address 10'"
    );
    let shown = "accelnet faults; accelnet intent status lan; ip addr show acn-lan; \
        head -n 20 /run/NetworkManager/devices/*; nmcli connection show; journalctl -n 40 -u NetworkManager";
    node.wait_until("a lease that is renewed on acn-lan", &script, SOON)
        .unwrap_or_else(|error| panic!("{error}\n{}", node.run(shown)));
    leased_on(node, "acn-lan");
}

/// Puts the lines of a warning into the files that it names.
fn write_files(node: &Node, warning: &str) {
    let mut file = None;
    for line in warning.lines().skip(1).map(str::trim_start) {
        match (line.strip_prefix("# "), &file) {
            (Some(head), _) if head.starts_with('/') => {
                file = head.split(',').next().map(str::to_owned);
            }
            (Some(_), _) => file = None,
            (None, Some(file)) => {
                let _ = node.ok(&format!("echo '{line}' >> {file}"));
            }
            (None, None) => {}
        }
    }
}

fn networkd(node: &Node) {
    let _ = node.ok(&format!(
        "printf '[Match]\\nName=pf0\\n[Network]\\nDHCP=ipv4\\nLinkLocalAddressing=no\\n' > {FILE}
         networkctl reload"
    ));
    leased_on(node, "pf0");
    let _ = node.ok("ip rule add iif pf0 lookup 7 priority 100
        nft add table inet lab
        nft add chain inet lab input '{ type filter hook input priority 0; }'
        nft add rule inet lab input iifname pf0 counter");
    macvtap(node);
    let keeper = format!("systemd-networkd configures pf0 by {FILE},");
    let warnings = adopted_with_a_warning(node, &keeper);
    let _ = warning(
        &warnings,
        "ip rule names pf0: '100: from all iif pf0 lookup 7'.",
    );
    let nft = warning(&warnings, "nftables names pf0: ");
    assert!(nft.contains("of chain input of table inet lab"), "{nft}");
    let tapped = warning(&warnings, "No macvtap can be on pf0");
    assert!(tapped.contains("tapped"), "{tapped}");
    write_files(node, warning(&warnings, &keeper));
    let _ = node.ok("networkctl reload; networkctl reconfigure pf0 acn-lan");
    is_well(node, "systemd-networkd");
    let left = status_warnings(node);
    let _ = warning(&left, "ip rule names pf0: ");
}

/// A VM that runs with a macvtap on the adapter keeps it.
fn macvtap(node: &Node) {
    let direct = "<interface type='direct'><mac address='52:54:00:0d:00:50'/>\
                  <source dev='pf0' mode='bridge'/><model type='virtio'/></interface>";
    define(node, "tapped", 1, direct);
    let _ = node.ok("virsh start tapped --paused");
    let problem = refused(node, ADD, "uplink_unfit", 77);
    assert_eq!(
        problem["found"],
        "These VMs run with a macvtap on pf0: tapped."
    );
    let _ = node.ok("virsh destroy tapped");
}

fn network_manager(node: &Node) {
    let _ = node.ok(
        "mkdir -p /etc/NetworkManager/conf.d
         printf '[keyfile]\\nunmanaged-devices=*,except:interface-name:pf0,except:interface-name:acn-*\\n' \
            > /etc/NetworkManager/conf.d/lab.conf
         systemctl unmask NetworkManager && systemctl start NetworkManager
         nmcli connection add type ethernet con-name 'the uplink' ifname pf0 ipv4.method auto ipv6.method disabled
         nmcli connection up 'the uplink'",
    );
    leased_on(node, "pf0");
    let keeper = "NetworkManager configures pf0 by /etc/NetworkManager/system-connections/";
    let warnings = adopted_with_a_warning(node, keeper);
    let lines = warning(&warnings, keeper).lines().skip(1);
    let lines: Vec<&str> = lines.collect();
    assert!(
        lines.iter().any(|line| line.contains("'the uplink'")),
        "{lines:#?}"
    );
    let _ = node.ok(&lines.join("\n"));
    is_well(node, "NetworkManager");
}

/// A node whose uplink no user configures yet.
fn unconfigured() -> Node {
    let node = with_agent(&topologies::igb_acs());
    let _ = node.ok("ip link set pf0 up");
    node
}

#[test]
fn a_lease_of_networkd_rules_and_macvtaps_of_an_uplink_are_respected() {
    networkd(&unconfigured());
}

#[test]
fn a_lease_of_network_manager_is_respected() {
    network_manager(&unconfigured());
}
