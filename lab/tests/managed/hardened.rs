//! The agent as its hardened unit runs it: what it gave up, that it works all the same, and what it leaves in the
//! journal.

use accelnet_lab::{Node, Vm, topologies};
use serde_json::Value;

use crate::running::runs_over_its_vf;
use crate::setting::{SOON, done, managed, shown};

/// Records of changes in the node's journal about `subject`, the oldest first.
fn records(node: &Node, subject: &str) -> Vec<Value> {
    let id = "MESSAGE_ID=5a1d8e0f2c9b4c17a6f3d4be70c18e92";
    let text = node.ok(&format!(
        "journalctl --sync; journalctl -o json {id} ACCELNET_SUBJECT={subject}"
    ));
    let lines = text.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("a record")).collect()
}

#[test]
fn a_hardened_agent_does_all_of_its_work() {
    let node = managed(&topologies::igb_acs(), None);
    // What it gave up.
    let _ = node.ok("systemd-analyze security --no-pager --threshold=45 accelnet > /dev/null");
    let status = node.ok("cat /proc/$(systemctl show -P MainPID accelnet)/status");
    let field = |name: &str| {
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
        line.unwrap_or_else(|| panic!("no {name}: {status}"))
            .to_owned()
    };
    assert_eq!((&*field("NoNewPrivs"), &*field("Seccomp")), ("1", "2"));
    assert_eq!(field("CapBnd"), field("CapEff"));
    let limits = node.ok("cat /proc/$(systemctl show -P MainPID accelnet)/limits");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    assert!(
        files.is_some_and(|files| files.contains("16384")),
        "{limits}"
    );
    // What it does: a VM that runs, its VF, libvirt's hook.
    let vm = Vm::start_on_bridge(&node, "web01", "acn-lan", Some("ua-mine"))
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = done(&node, "vm enable web01 --performance low");
    runs_over_its_vf(&node, &vm);
    let uuid = vm.uuid().unwrap_or_else(|error| panic!("{error}"));
    let outcome = node.ok(&format!("cat /run/accelnet/vms/{uuid}.outcome.json"));
    assert!(outcome.contains("port-created"), "{outcome}");
    let features = node.ok("stat -c %a /run/accelnet/features/* /run/accelnet/agent.sock");
    assert!(
        features.lines().all(|mode| mode == "644" || mode == "666"),
        "{features}"
    );
    let faults = done(&node, "faults");
    assert_eq!(faults, Value::Array(Vec::new()), "{faults:#}");
    // A link in another network namespace is seen.
    let _ =
        node.ok("ip netns add other; ip link add inner type dummy; ip link set inner netns other");
    let _ = done(&node, "prereq --intent lan");
    let _ = done(&node, "vm disable web01");
    assert_eq!(shown(&node, "web01")["path"], "software");
    // Who requested it is in the journal.
    let records = records(&node, "web01");
    let asked: Vec<&Value> = records
        .iter()
        .filter(|record| record["ACCELNET_WHO"] == "root")
        .collect();
    assert_eq!(asked.len(), 2, "{records:#?}");
    for record in asked {
        assert_eq!(record["ACCELNET_ROLE"], "administrator", "{record:#}");
        assert_eq!(record["ACCELNET_FROM"], "socket", "{record:#}");
        assert_eq!(record["ACCELNET_OUTCOME"], "changed", "{record:#}");
        assert_eq!(record["_SYSTEMD_UNIT"], "accelnet.service", "{record:#}");
        assert_eq!(record["SYSLOG_IDENTIFIER"], "accelnet", "{record:#}");
    }
    // VFs are made and taken by writes below /sys.
    let _ = done(&node, "intent set lan --vfs 3");
    assert_eq!(
        node.ok("cat /sys/class/net/pf0/device/sriov_numvfs").trim(),
        "3"
    );
    // It dies and comes again.
    let _ = node.ok("systemctl kill --signal=KILL accelnet");
    node.wait_until("the agent again", "accelnet status", SOON)
        .unwrap_or_else(|error| panic!("{error}"));
    let denied = node.ok("journalctl -b -o cat _COMM=accelnet + UNIT=accelnet.service | grep -ciE 'permission denied|not permitted' || true");
    assert_eq!(
        denied.trim(),
        "0",
        "{}",
        node.ok("journalctl -b -o cat -u accelnet | tail -40")
    );
}
