//! Lists and shows of a cluster of four nodes, as one of them shows them: one node reports, one is down, and
//! the VMs of one are unknown.
//!
//! The pages are `everywhere.golden.md` and `elsewhere.golden.md`. After a change of words, review what `UPDATE_GOLDEN=1 cargo test -p
//! accelnet --test everywhere` made of them.

#[path = "support/agent.rs"]
#[expect(dead_code, reason = "others need all of it")]
mod served;
#[expect(dead_code, reason = "others need all of it")]
mod support;

use std::path::Path;

use accelnet_agent::orders;
use accelnet_api::testing::Fake;
use accelnet_api::types::{Fault, NodeReport, NodeView, Severity, Standing};
use accelnet_model::intent::{Intent, IntentState, IntentStatus, Role};
use accelnet_model::{AdapterSummary, Code, LastReport, Observed, Problem};
use served::Agent;

const AT: &str = "2026-11-22T09:00:00Z";
const SINCE: &str = "2026-11-22T09:58:00Z";

fn node(name: &str) -> NodeReport {
    NodeReport {
        node: NodeView {
            name: name.to_owned(),
            state: Standing::Up,
            since: Some(AT.to_owned()),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            joined_at: Some(AT.to_owned()),
            reported_at: Some(AT.to_owned()),
            drained: None,
            accelerated_vms: 0,
            vms_unknown: None,
            removed_intents: Vec::new(),
            settings_pending: false,
            adapters_unknown: None,
        },
        last_report: None,
        adapters: vec![AdapterSummary {
            node: name.to_owned(),
            name: format!("ens{}", &name[1..]),
            address: "0000:01:00.0".to_owned(),
            model: "Intel I350".to_owned(),
            driver: Observed::Known(Some("igb".to_owned())),
            link: Some(true),
            supported: true,
            reasons: Vec::new(),
            vfs_total: Observed::Known(7),
            vfs: 7,
            vfs_in_use: 1,
            vfs_use_unknown: 0,
            queue_pairs: Observed::Known(Some(2)),
            queue_pairs_total: Observed::Known(Some(8)),
            last_report: None,
        }],
        intents: Vec::new(),
        vms: Vec::new(),
        faults: Vec::new(),
    }
}

/// A node whose libvirt and PCI bus do not answer.
fn silent(name: &str) -> NodeReport {
    let mut silent = node(name);
    let found = "libvirt does not answer.";
    silent.node.vms_unknown = Some(Problem::new(Code::VmStateUnknown, &[name], found));
    let list = format!("The list of adapters of {name}");
    let found = "No such file or directory.";
    let unknown = Problem::new(Code::NotReadable, &[&list, "/sys/bus/pci"], found);
    silent.node.adapters_unknown = Some(unknown);
    silent.adapters.clear();
    silent
}

fn cluster() -> Agent {
    let mut down = node("n3");
    down.node.state = Standing::Down;
    down.node.since = Some(SINCE.to_owned());
    down.last_report = Some(LastReport {
        at: AT.to_owned(),
        seconds_ago: 150,
        reason: format!("n3 is down since {SINCE}"),
    });
    down.adapters[0].last_report.clone_from(&down.last_report);
    down.intents = vec![IntentStatus {
        intent: "lan".to_owned(),
        node: "n3".to_owned(),
        state: IntentState::Completed,
        intent_revision: 1,
        since: AT.to_owned(),
        verified_at: Some(AT.to_owned()),
        adapters: Vec::new(),
        bridge: Some("acn-lan".to_owned()),
        vfs: 7,
        problem: None,
        other_problems: Vec::new(),
        warnings: Vec::new(),
        last_report: down.last_report.clone(),
    }];
    down.faults = vec![Fault {
        severity: Severity::Warning,
        node: "n3".to_owned(),
        subject: "cache".to_owned(),
        code: Code::VmOnSoftwarePath,
        message: "VM cache is accelerated, but runs on its software path.".to_owned(),
        found: "It has no VF.".to_owned(),
        cause: None,
        resolution: "'accelnet vm show cache' shows why.".to_owned(),
        since: AT.to_owned(),
        last_report: down.last_report.clone(),
    }];
    Agent::of(
        Fake::default()
            .intents(&[Intent {
                name: "lan".parse().expect("a name"),
                roles: vec![Role::Compute],
                adapters: vec!["ens1".to_owned()],
                vfs: None,
                security: accelnet_model::VfSecurity::default(),
            }])
            .vms(&["web1", "mail"])
            .other(node("n2"), &["db1", "web1"])
            .other(down, &["cache"])
            .other(silent("n4"), &[]),
    )
}

/// Each command with what it is about.
const COMMANDS: [(&str, &str); 30] = [
    ("All VMs", "vm list"),
    ("The VMs of one node", "vm list --node n2"),
    ("The VMs of a node that is down", "vm list --node n3"),
    ("Some VMs: all are found", "vm list --name db1,mail"),
    ("Names for a pipe", "vm list --output name"),
    ("A VM of a node that is down", "vm show cache"),
    (
        "A VM that is not there, or is on the node whose VMs are unknown",
        "vm show nope",
    ),
    ("A VM that is not on a node", "vm show web --node n2"),
    (
        "Several VMs that are not on a node",
        "vm show mail backup --node n2",
    ),
    ("A node that is not there", "vm list --node n5"),
    ("All adapters", "adapter list"),
    ("The adapters of one node", "adapter list --node n2"),
    (
        "The adapters of a node that is down",
        "adapter list --node n3",
    ),
    ("An adapter of another node", "adapter show ens2"),
    (
        "An adapter of a node that is down",
        "adapter show ens3 --node n3",
    ),
    ("An adapter that no node has", "adapter show ens9"),
    ("Intents on all nodes", "intent status"),
    ("Intents on a node", "intent status --node n1"),
    ("Intents, by their state on a node", "intent list --node n3"),
    ("An intent on a node", "intent show lan --node n3"),
    ("The cluster, with the faults of a node", "status --node n3"),
    ("The capacity of a node", "capacity --node n1"),
    (
        "The capacity of a node that is not there",
        "capacity --node n9",
    ),
    ("The prerequisites of a node", "prereq --node n1"),
    ("Faults of all nodes", "faults"),
    ("A node that is down", "node show n3"),
    ("A node whose VMs are unknown", "node show n4"),
    ("Faults of a node that is not there", "faults --node n5"),
    ("Health of a node that is not there", "health --node n5"),
    ("Events of a node that is not there", "log --node n5"),
];

#[test]
fn lists_and_shows_read_as_on_record() {
    let agent = cluster();
    let mut page = "# A cluster of four nodes, shown by n1\n\n\
        Written by `crates/cli/tests/everywhere.rs`: n2 reports, n3 is down, and the VMs of n4 are unknown.\n"
        .to_owned();
    for (heading, command) in COMMANDS {
        page.push_str(&block(&agent, heading, command));
    }
    is_on_record("everywhere.golden.md", &page);
}

#[test]
fn changes_that_another_node_did_not_make_read_as_on_record() {
    let since = format!("n2 has sent no heartbeat since {SINCE}");
    let found = format!("No heartbeat since {SINCE}; nothing was changed.");
    let answers = [
        (
            "A node that is down",
            Problem::new(Code::NodeDown, &["n2"], found),
        ),
        (
            "A node that was cut off a moment ago",
            orders::not_taken(
                "n2",
                &format!("{since}: it is down or cut off from the store."),
            ),
        ),
        (
            "A node that is busy",
            orders::not_taken("n2", "n2 is up; its agent is busy."),
        ),
        (
            "A node that went down with the request",
            orders::unanswered(
                "n2",
                &format!("{since}: it is down or cut off from the store."),
            ),
        ),
    ];
    let mut page = "# Changes of a VM on n2 that n2 did not make, asked of n1\n\n\
        Written by `crates/cli/tests/everywhere.rs`.\n"
        .to_owned();
    for (heading, problem) in answers {
        let agent = Agent::of(Fake::default().vms(&["web1"]).failing(problem));
        let command = "vm enable db1 --performance low";
        page.push_str(&block(&agent, heading, command));
    }
    is_on_record("elsewhere.golden.md", &page);
}

/// What a command shows.
fn block(agent: &Agent, heading: &str, command: &str) -> String {
    let shown = agent.types(&format!("accelnet {command}"));
    format!(
        "\n## {heading}\n\n```console\n# accelnet {command}\n{}{}[exit {}]\n```\n",
        shown.out, shown.err, shown.status
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the developer's request to refresh the page is in the environment"
)]
fn is_on_record(file: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, page).expect("a page that can be written");
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        recorded == page,
        "{file} differs from what is shown now:\n{page}"
    );
}

/// A name that two nodes have means both in a show, like a pattern.
#[test]
fn a_name_on_two_nodes_shows_both() {
    let shown = cluster().types("accelnet vm show web1 --output json");
    let vms: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    let nodes: Vec<&str> = vms
        .as_array()
        .expect("a list")
        .iter()
        .map(|vm| vm["node"].as_str().expect("a node"))
        .collect();
    assert_eq!((nodes, shown.status), (vec!["n1", "n2"], 0));
}

#[test]
fn several_nodes_with_the_same_problem_share_one_error() {
    let agent = Agent::of(
        Fake::default()
            .vms(&["web1"])
            .other(silent("n4"), &[])
            .other(silent("n5"), &[]),
    );
    for command in ["accelnet vm list", "accelnet adapter list"] {
        let shown = agent.types(command);
        assert_eq!(shown.err.matches("error:").count(), 1, "{}", shown.err);
        assert!(shown.err.contains("also:  n5\n"), "{}", shown.err);
    }
}
