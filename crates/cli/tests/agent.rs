//! The commands that ask an agent: what reaches it, what is shown, how they end.

#[path = "support/agent.rs"]
mod served;
mod support;

use accelnet_api::testing::{Fake, Fixed};
use accelnet_api::types::EventKind;
use accelnet_model::intent::{Intent, Role};
use accelnet_model::{Code, Problem};
use serde_json::Value;
use served::Agent;

fn cluster() -> Fake {
    Fake::default()
        .intents(&[Intent {
            name: "MyIntent".parse().expect("a name"),
            roles: vec![Role::Compute],
            adapters: vec!["ens1".to_owned()],
            vfs: None,
            security: accelnet_model::VfSecurity::default(),
        }])
        .vms(&["web1", "web2", "db1"])
}

fn enabled() -> Agent {
    Agent::of(cluster().enabled("MyIntent"))
}

#[test]
fn status_shows_the_state() {
    let agent = enabled();
    agent.types("accelnet vm enable web1 --performance high");
    assert_eq!(
        agent.types("accelnet status").out,
        "Accelerated Networking is enabled on intent MyIntent.\n\
         \u{20} node reserve  50 %: 0 of 1 node can be down at once\n\
         \u{20} failover      capacity ok: the VMs survive 0 node failures\n\
         \u{20} Low           1 queue pair, rate limit 10 % of the link\n\
         \u{20} Medium        2 queue pairs, rate limit 50 % of the link\n\
         \u{20} High          4 queue pairs, no rate limit\n\
         \u{20} VMs           1 High accelerated\n\
         \u{20} agent         n1 (version 0.1.0, on a simulated host), last refresh 0 s ago\n"
    );
}

#[test]
fn settings_are_asked_for_as_they_were_typed() {
    let agent = Agent::of(cluster());
    let all = r#""low":{"queue_pairs":2,"rate_limit_percent":20},"medium":{"queue_pairs":2,"rate_limit_percent":50},"high":{"queue_pairs":8,"rate_limit_percent":100}"#;
    for (command, asked) in [
        (
            "enable --intent MyIntent",
            r#"enable {"intent":"MyIntent","node_reserve_percentage":null,"performance":null,"dry_run":false}"#.to_owned(),
        ),
        (
            "enable --intent MyIntent --node-reserve 0 --performance-settings low=2:20,high=8:100 --dry-run",
            format!(r#"enable {{"intent":"MyIntent","node_reserve_percentage":0,"performance":{{{all}}},"dry_run":true}}"#),
        ),
        (
            "set --node-reserve 99",
            r#"set {"intent":null,"node_reserve_percentage":99,"performance":null,"dry_run":false}"#.to_owned(),
        ),
        (
            "set --performance-settings low=2:20,high=8:100",
            format!(r#"set {{"intent":null,"node_reserve_percentage":null,"performance":{{{all}}},"dry_run":false}}"#),
        ),
        ("disable --dry-run", "disable true".to_owned()),
        (
            "intent add disks --storage --management --adapter ens2,ens3 --adapter ens4 --vfs 3",
            r#"intent_add {"name":"disks","roles":["management","storage"],"adapters":["ens2","ens3","ens4"],"vfs":3,"dry_run":false}"#.to_owned(),
        ),
        (
            "intent set disks --vfs 0 --disruptive",
            r#"intent_set disks {"roles":null,"adapters":null,"vfs":0,"disruptive":true,"dry_run":false}"#.to_owned(),
        ),
        ("intent remove disks --dry-run", "intent_remove disks true".to_owned()),
        (
            "vm enable web* db1 -p MEDIUM --now --add-nic",
            r#"vm_enable {"names":["web*","db1"],"performance":"medium","now":true,"add_nic":true,"dry_run":false}"#.to_owned(),
        ),
        (
            "vm set web1 --performance low --dry-run",
            r#"vm_set {"names":["web1"],"performance":"low","now":false,"dry_run":true}"#.to_owned(),
        ),
        (
            "vm disable web1 web2",
            r#"vm_disable {"names":["web1","web2"],"dry_run":false}"#.to_owned(),
        ),
        (
            "node drain n1 --dry-run",
            r#"drain {"node":"n1","undrain":false,"dry_run":true}"#.to_owned(),
        ),
        (
            "node drain n1",
            r#"drain {"node":"n1","undrain":false,"dry_run":false}"#.to_owned(),
        ),
        (
            "node undrain n1 --dry-run",
            r#"drain {"node":"n1","undrain":true,"dry_run":true}"#.to_owned(),
        ),
        (
            "node undrain n1",
            r#"drain {"node":"n1","undrain":true,"dry_run":false}"#.to_owned(),
        ),
    ] {
        let shown = agent.types(&format!("accelnet {command}"));
        assert_eq!((shown.status, shown.err.as_str()), (0, ""), "{command}");
        assert_eq!(agent.fake.asked(), [asked], "{command}");
    }
}

#[test]
fn nodes_are_listed_and_a_drain_shows_what_it_does_first() {
    let agent = enabled();
    let list = agent.types("accelnet node list");
    assert!(list.out.contains("up"), "{}", list.out);
    assert_eq!((list.status, list.err.as_str()), (0, ""));
    assert_eq!(agent.types("accelnet node list -o name").out, "n1\n");
    let shown = agent.types("accelnet node drain n1 --dry-run");
    assert!(shown.out.starts_with("Dry run: "), "{}", shown.out);
    assert!(shown.out.contains("web1  yes"), "{}", shown.out);
    let done = agent.types("accelnet node drain n1 -o json");
    let answer: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(answer["applied"], true);
    assert_eq!(answer["vms"][0]["has_vf"], false);
}

#[test]
fn a_drained_node_is_shown_by_every_command_that_shows_nodes() {
    let agent = enabled();
    assert!(agent.types("accelnet node drain n1").status == 0);
    for (command, words) in [
        ("status", "drained       n1\n"),
        ("node list", "by root, 2026-11-22T10:00:00Z"),
        (
            "node show",
            "Drained by root, 2026-11-22T10:00:00Z: no VM gets a VF here",
        ),
        ("node show -o json", "\"drained\": {"),
        (
            "health",
            "Healthy, with 1 warning.\nwarning: node n1 is drained [node_drained]",
        ),
        ("faults", "warning: node n1 is drained [node_drained]"),
    ] {
        let shown = agent.types(&format!("accelnet {command}"));
        assert!(shown.out.contains(words), "{command}: {}", shown.out);
    }
    assert_eq!(agent.types("accelnet node undrain n1").status, 0);
    assert_eq!(agent.types("accelnet health").out, "Healthy.\n");
    let shown = agent.types("accelnet node show");
    assert!(!shown.out.contains("Drained"), "{}", shown.out);
}

#[test]
fn vms_that_are_as_requested_are_one_block_and_a_success() {
    let agent = enabled();
    let shown = agent.types("accelnet vm disable *");
    assert_eq!(
        (shown.status, shown.out.as_str(), shown.err.as_str()),
        (
            0,
            "3 VMs are not accelerated; nothing changed: web1, web2, db1.\n",
            ""
        )
    );
    let _ = agent.types("accelnet vm enable web1 --performance high");
    let shown = agent.types("accelnet vm enable * --performance high");
    assert_eq!(
        (shown.status, shown.out.as_str()),
        (
            0,
            "web2: High, over its VF.\ndb1: High, over its VF.\n\
             web1: High, over its VF. Nothing changed.\n"
        )
    );
    let shown = agent.types("accelnet vm set * --performance high");
    let all = "3 VMs are already as requested; nothing changed: web1, web2, db1.\n";
    assert_eq!((shown.status, shown.out.as_str()), (0, all));
}

#[test]
fn a_change_of_settings_shows_what_was_set_before() {
    let agent = Agent::of(cluster());
    let reserve = |shown: &str| {
        let line = shown.lines().find(|line| line.contains("node reserve"));
        line.unwrap_or_default().trim().to_owned()
    };
    for (command, line) in [
        ("enable --intent MyIntent", "node reserve  50 %"),
        ("set --node-reserve 25", "node reserve  50 % -> 25 %"),
        ("enable --intent MyIntent", "node reserve  25 % (unchanged)"),
        (
            "enable --intent MyIntent --node-reserve 50 --dry-run",
            "node reserve  25 % -> 50 %",
        ),
    ] {
        let shown = agent.types(&format!("accelnet {command}"));
        assert_eq!((shown.status, reserve(&shown.out).as_str()), (0, line));
    }
    let shown = agent.types("accelnet enable --intent MyIntent");
    let already = "Accelerated Networking is already enabled. Nothing changed.\n";
    assert!(shown.out.starts_with(already), "{}", shown.out);
    assert_eq!(agent.types("accelnet disable").status, 0);
    let shown = agent.types("accelnet disable");
    assert_eq!(
        shown.out,
        "Accelerated Networking is already disabled. Nothing changed.\n"
    );
}

#[test]
fn an_intent_is_waited_for_on_all_nodes_and_those_that_are_pending_are_named() {
    let add = "intent add disks --storage --adapter ens2";
    // n2 is read twice before it has applied the intent, n3 never has.
    let agent = Agent::of(cluster().beside("n2", 2));
    let shown = agent.types(&format!("accelnet {add}"));
    assert_eq!(
        (shown.status, shown.out.as_str()),
        (
            0,
            "Intent disks is pending on 1 of 2 nodes.\n\
             Not applied yet on n2; --wait waits for all nodes.\n"
        )
    );
    let agent = Agent::of(cluster().beside("n2", 2));
    let shown = agent.types(&format!("accelnet {add} --wait"));
    let completed = "Intent disks is completed.\n";
    assert_eq!((shown.status, shown.out.as_str()), (0, completed));
    let agent = Agent::of(cluster().beside("n2", 2).beside("n3", u32::MAX));
    let shown = agent.types(&format!("accelnet {add} --wait=5"));
    assert_eq!(shown.status, 76, "{}", shown.err);
    let first = "error: intent disks is not complete on node n3 [intent_not_applied]";
    assert!(shown.err.starts_with(first), "{}", shown.err);
    assert!(shown.err.contains("n3 is pending"), "{}", shown.err);
    let shown = agent.types("accelnet intent set MyIntent --vfs 3 --wait=5 -o json");
    let answer: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(answer["intent"]["status"][2]["state"], "pending");
    assert_eq!((shown.status, shown.err.as_str()), (76, ""));
    for wrong in ["--wait=0", "--wait --dry-run"] {
        let shown = agent.types(&format!("accelnet {add} {wrong}"));
        assert_eq!(shown.status, 2, "{wrong}");
    }
}

/// What other nodes' agents carry out is waited for in the same way, whatever it is.
#[test]
fn a_removal_and_settings_are_waited_for_on_all_nodes() {
    for (command, first) in [
        (
            "intent remove MyIntent",
            "error: intent MyIntent is not removed on node n3 [intent_not_applied]",
        ),
        (
            "enable --intent MyIntent",
            "error: the settings are not applied on node n3 [intent_not_applied]",
        ),
        (
            "set --node-reserve 0",
            "error: the settings are not applied on node n3 [intent_not_applied]",
        ),
        (
            "disable",
            "error: the settings are not applied on node n3 [intent_not_applied]",
        ),
    ] {
        let cluster = || match command {
            "intent remove MyIntent" => cluster(),
            _ => cluster().enabled("MyIntent"),
        };
        let agent = Agent::of(cluster().beside("n2", 2));
        let shown = agent.types(&format!("accelnet {command} --wait"));
        assert_eq!((shown.status, shown.err.as_str()), (0, ""), "{command}");
        let agent = Agent::of(cluster().beside("n2", 2).beside("n3", u32::MAX));
        let shown = agent.types(&format!("accelnet {command} --wait=5"));
        assert_eq!(shown.status, 76, "{command}: {}", shown.err);
        assert!(shown.err.starts_with(first), "{}", shown.err);
        assert!(
            shown.err.contains("cause: n3 is pending\n"),
            "{}",
            shown.err
        );
        let shown = agent.types(&format!("accelnet {command} --wait --dry-run"));
        assert_eq!(shown.status, 2, "{command}");
    }
    let agent = Agent::of(cluster().beside("n2", 2));
    let shown = agent.types("accelnet intent remove MyIntent");
    assert_eq!(
        shown.out,
        "Intent MyIntent is removed.\n\
         Not applied yet on n2; --wait waits for all nodes.\n"
    );
    let agent = Agent::of(cluster().beside("n3", u32::MAX));
    let shown = agent.types("accelnet intent remove MyIntent --wait=5 -o json");
    let answer: Value = serde_json::from_str(&shown.out).expect("JSON");
    let pending = answer["warnings"][0].as_str().expect("a warning");
    assert!(pending.contains("n3"), "{pending}");
    assert_eq!((shown.status, shown.err.as_str()), (76, ""));
}

#[test]
fn an_adapter_of_another_machine_is_not_tested() {
    let agent = enabled();
    for command in [
        "adapter show ens1 --ask",
        "adapter show ens1 --ask --node n1",
    ] {
        let shown = agent.types(&format!("accelnet {command}"));
        assert_eq!(shown.status, 2, "{command}: {}", shown.out);
        let first = "error: --ask cannot test adapter ens1\n";
        assert!(shown.err.starts_with(first), "{command}: {}", shown.err);
    }
}

#[test]
fn a_time_limit_reaches_the_agent() {
    let agent = enabled();
    for (command, asked) in [
        (
            "adapter enable ens1 --timeout 7",
            r#"adapters {"names":["ens1"],"vfs":null,"timeout_seconds":7,"dry_run":false}"#,
        ),
        (
            "adapter disable ens1",
            r#"adapters {"names":["ens1"],"vfs":0,"dry_run":false}"#,
        ),
    ] {
        agent.types(&format!("accelnet {command}"));
        assert_eq!(agent.fake.asked(), [asked], "{command}");
    }
}

/// A node that is down is one error, whichever of its VMs are named.
#[test]
fn several_vms_of_a_node_that_is_down_are_one_error() {
    let down = Problem::new(Code::NodeDown, &["n2"], "It sends no heartbeats.");
    let agent = Agent::of(cluster().failing(down));
    let shown = agent.types("accelnet vm enable a b c --performance low");
    assert_eq!(shown.status, Code::NodeDown.entry().exit_status);
    assert!(
        shown.err.starts_with(
            "error: node n2 or its agent is down [node_down]\n  VMs:   a, b, c\n  cause: it sends"
        ),
        "{}",
        shown.err
    );
    let agent = enabled();
    let shown = agent.types("accelnet vm enable nope gone web1 --performance low");
    assert_eq!(shown.err.matches("error:").count(), 1, "{}", shown.err);
    assert!(shown.err.contains("\n  also:  gone\n"), "{}", shown.err);
    assert!(shown.out.starts_with("web1: "), "{}", shown.out);
}

#[test]
fn values_are_judged_before_anything_is_asked() {
    let agent = enabled();
    for (command, status) in [
        ("enable --intent MyIntent --node-reserve 100", 67),
        ("enable --intent MyIntent --node-reserve -1", 67),
        ("enable --intent MyIntent --node-reserve abc", 67),
        ("enable --intent MyIntent --node-reserve 3.5", 67),
        ("set --node-reserve 1e1", 67),
        ("vm enable web1 --performance turbo", 68),
        ("vm set web1 --performance turbo", 68),
        (
            "enable --intent MyIntent --performance-settings low=0:1",
            69,
        ),
        ("set --performance-settings nonsense", 69),
        ("intent set MyIntent", 2),
        ("set", 2),
        ("vm enable", 2),
        ("intent add x --compute", 2),
    ] {
        let shown = agent.types(&format!("accelnet {command}"));
        assert_eq!(shown.status, status, "{command}: {}", shown.err);
        assert!(shown.err.contains("error:"), "{command}: {}", shown.err);
        assert_eq!(agent.fake.asked(), Vec::<String>::new(), "{command}");
    }
}

#[test]
fn each_vm_has_its_result_and_the_first_that_failed_is_the_status() {
    let agent = enabled();
    let shown = agent.types("accelnet vm enable web1 nobody web2 --performance low");
    assert_eq!(
        shown.out,
        "web1: Low, over its VF.\nweb2: Low, over its VF.\n"
    );
    assert!(
        shown
            .err
            .starts_with("error: VM nobody does not exist [vm_not_found]\n  cause: "),
        "{}",
        shown.err
    );
    assert_eq!(shown.status, 79);
    let shown = agent.types("accelnet vm enable web1 nobody --performance low -o json");
    let answer: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(answer["results"][1]["problem"]["code"], "vm_not_found");
    assert_eq!((shown.status, shown.err.as_str()), (79, ""));
}

#[test]
fn names_come_from_standard_input() {
    let agent = enabled();
    let command = "accelnet vm disable -";
    agent.types_with(command, "web1\n\n  web2  \r\n");
    let asked = r#"vm_disable {"names":["web1","web2"],"dry_run":false}"#;
    assert_eq!(agent.fake.asked(), [asked]);
    let shown = agent.types_with(command, "\n");
    assert_eq!((shown.status, agent.fake.asked().len()), (2, 0));
    assert!(
        shown.err.contains("cause: the input is empty"),
        "{}",
        shown.err
    );
}

#[test]
fn vms_are_listed_by_what_they_are() {
    let agent = enabled();
    agent.types("accelnet vm enable web1 db1 --performance low");
    for (command, names) in [
        ("vm list -o name", "web1\nweb2\ndb1\n"),
        ("vm list --accelerated -o name", "web1\ndb1\n"),
        ("vm list --not-accelerated -o name", "web2\n"),
        ("vm list --name web* -o name", "web1\nweb2\n"),
        ("vm list --name db1,web1,web* -o name", "db1\nweb1\nweb2\n"),
        ("vm list --name no* -o name", ""),
    ] {
        let shown = agent.types(&format!("accelnet {command}"));
        assert_eq!((shown.status, shown.out.as_str()), (0, names), "{command}");
    }
    let shown = agent.types("accelnet vm list --name web1,nobody -o name");
    assert_eq!((shown.status, shown.out.as_str()), (79, "web1\n"));
    let shown = agent.types("accelnet vm show web1 web2");
    assert!(shown.out.contains("performance   Low"), "{}", shown.out);
    assert!(
        agent
            .types("accelnet vm nics web1")
            .out
            .contains("52:54:00:00:00:00")
    );
}

#[test]
fn a_dry_run_changes_nothing_and_is_labelled() {
    let agent = Agent::for_callers(cluster(), Fixed::onlooker());
    let shown = agent.types("accelnet enable --intent MyIntent --dry-run");
    assert!(
        shown
            .out
            .starts_with("Accelerated Networking would be enabled (dry run)."),
        "{}",
        shown.out
    );
    assert_eq!(shown.status, 0, "anybody may ask");
    assert!(
        agent
            .types("accelnet status")
            .out
            .contains("is not enabled.")
    );
    let shown = agent.types("accelnet enable --intent MyIntent");
    assert_eq!(shown.status, 66, "{}", shown.err);
}

#[test]
fn what_happened_is_reported_and_followed_until_the_agent_goes() {
    let mut agent = enabled();
    agent
        .fake
        .happens(EventKind::Drift, "ens1", "Its VFs are gone.");
    agent
        .fake
        .happens(EventKind::Repaired, "ens1", "7 VFs were made.");
    assert_eq!(
        agent.types("accelnet log --limit 1").out,
        "2026-11-22T10:00:00Z n1 repaired ens1: 7 VFs were made.\n"
    );
    let json: Value = serde_json::from_str(&agent.types("accelnet log -o json").out).expect("JSON");
    assert_eq!(json["events"].as_array().map(Vec::len), Some(2));
    agent.stop();
    let shown = agent.types("accelnet log --follow");
    assert_eq!(shown.status, 64);
}

#[test]
fn health_is_reported() {
    let shown = enabled().types("accelnet health");
    assert_eq!((shown.status, shown.out.as_str()), (0, "Healthy.\n"));
    assert_eq!(enabled().types("accelnet faults").out, "No faults.\n");
    let shown = Agent::of(cluster()).types("accelnet health");
    assert!(shown.out.contains("not monitored"), "{}", shown.out);
}

#[test]
fn prereq_asks_the_agent_and_does_without() {
    let mut agent = enabled();
    let shown = agent.types("accelnet prereq --intent MyIntent");
    assert_eq!((shown.status, shown.err.as_str()), (0, ""), "{}", shown.out);
    agent.stop();
    let shown = agent.types("accelnet prereq --intent MyIntent");
    assert_eq!(
        (shown.status, shown.err.as_str()),
        (
            12,
            "note: no agent, so intents are not known: The socket does not exist.\n"
        )
    );
    // Without an agent nothing is known of other nodes.
    let shown = agent.types("accelnet prereq --node n1");
    assert_eq!((shown.status, shown.out.as_str()), (64, ""));
}

#[test]
fn without_an_agent_the_hint_names_how_to_start_one() {
    let mut agent = enabled();
    agent.stop();
    let shown = agent.types("accelnet status");
    assert!(
        shown
            .err
            .starts_with("error: the agent does not answer at /agent.sock [agent_unreachable]\n"),
        "{}",
        shown.err
    );
    assert!(
        shown.err.contains("accelnet agent --serve PATH"),
        "{}",
        shown.err
    );
    assert_eq!(shown.status, 64);
    // What needs none works: the node is this one.
    assert_eq!(agent.types("accelnet adapter list -o name").out, "ens1\n");
    let shown = support::types(&support::node(|igb| igb), "accelnet status");
    assert_eq!(shown.status, 64, "a copy has no agent");
}

#[test]
fn several_adapters_are_switched_each_by_itself() {
    let node = support::node(|igb| igb);
    let shown = support::types(&node, "accelnet adapter enable ens1 ens9");
    assert!(
        shown.out.starts_with("ens1: 7 VFs created and ready"),
        "{}",
        shown.out
    );
    assert!(shown.err.contains("adapter_not_found"), "{}", shown.err);
    assert_eq!(shown.status, 50);
    let shown = support::types(&node, "accelnet adapter disable ens1 ens1 -o json");
    let answer: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(answer.as_array().map(Vec::len), Some(2));
    let shown = support::types(&node, "accelnet adapter enable --all");
    assert!(
        shown.out.starts_with("ens1: 7 VFs created and ready"),
        "{}",
        shown.out
    );
    assert_eq!(shown.status, 0);
    let none = support::node(|_| accelnet_sim::AdapterSpec::e1000e(support::pf(), "ens1"));
    let shown = support::types(&none, "accelnet adapter enable --all");
    assert!(
        shown
            .err
            .contains("note: ens1 is left out: Sriov_support_Unknown"),
        "{}",
        shown.err
    );
    assert_eq!(shown.status, 14);
}
