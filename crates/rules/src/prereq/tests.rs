use accelnet_model::check::{CheckName, Outcome};
use accelnet_model::{Adapter, Code, Problem};

use super::*;
use crate::sample::{adapter, node};

mod adapters;
mod cluster;
mod isolation;
mod machine;

/// The row of `check` among the rows of `node`.
fn row(node: &Node, check: CheckName) -> Check {
    let rows = judge(std::slice::from_ref(node), &[], &Scope::All);
    let mut found = rows.into_iter().filter(|row| row.name == check);
    let row = found.next().unwrap_or_else(|| panic!("no row {check:?}"));
    assert_eq!(found.next(), None, "two rows {check:?}");
    row
}

/// The row of `check` for ens1 after `change`.
fn row_of(check: CheckName, change: impl FnOnce(&mut Adapter)) -> Check {
    let mut adapter = adapter();
    change(&mut adapter);
    let mut node = node();
    node.adapters = Observed::Known(vec![adapter]);
    row(&node, check)
}

/// How a row came out, and with which code.
fn came_out(row: &Check) -> (Outcome, Option<Code>) {
    let silent = row.needed.is_empty() && row.resolution.is_empty();
    assert_eq!(silent, row.outcome == Outcome::Passed, "{row:?}");
    assert!(
        !row.found.is_empty() && !row.message.contains('{'),
        "{row:?}"
    );
    let passed = matches!(row.outcome, Outcome::Passed | Outcome::Warning);
    assert_eq!(row.passed, passed, "{row:?}");
    (row.outcome, row.code)
}

const PASSED: (Outcome, Option<Code>) = (Outcome::Passed, None);
const UNKNOWN: (Outcome, Option<Code>) = (Outcome::Unknown, Some(Code::NotReadable));

fn failed(code: Code) -> (Outcome, Option<Code>) {
    (Outcome::Failed, Some(code))
}

fn warned(code: Code) -> (Outcome, Option<Code>) {
    (Outcome::Warning, Some(code))
}

#[test]
fn a_sound_node_passes_every_check_once() {
    let rows = judge(&[node()], &[], &Scope::All);
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "kernel",
            "lockdown",
            "kvm",
            "iommu",
            "vfio",
            "libvirt",
            "qemu",
            "software-path",
            "hook",
            "platform",
            "hyperthreading",
            "sriov",
            "acs",
            "driver",
            "bus-numbers",
            "vf-memory",
            "model",
            "link"
        ]
    );
    for row in &rows {
        assert_eq!(came_out(row), PASSED, "{row:?}");
    }
    assert_eq!(exit_status(&rows), 0);
}

#[test]
fn the_exit_status_is_that_of_the_first_that_did_not_pass() {
    let mut node = node();
    node.platform.iommu = Observed::unknown("no permission");
    let rows = judge(&[node], &[], &Scope::Intent("blue".to_owned()));
    assert_eq!(exit_status(&rows), Code::NotReadable.entry().exit_status);
    let later: Vec<Check> = rows
        .into_iter()
        .filter(|row| row.name == CheckName::Intent)
        .collect();
    assert_eq!(
        exit_status(&later),
        Code::IntentNotFound.entry().exit_status
    );
}

#[test]
fn an_intent_is_searched_then_its_role_then_its_adapters() {
    let intents = [
        Intent {
            name: "vms".parse().expect("a name"),
            roles: vec![accelnet_model::intent::Role::Compute],
            adapters: vec!["ens1".to_owned(), "ens7".to_owned()],
            vfs: None,
            security: accelnet_model::VfSecurity::default(),
        },
        Intent {
            name: "disks".parse().expect("a name"),
            roles: vec![
                accelnet_model::intent::Role::Storage,
                accelnet_model::intent::Role::Management,
            ],
            adapters: Vec::new(),
            vfs: None,
            security: accelnet_model::VfSecurity::default(),
        },
    ];
    let judged = |name: &str| -> Vec<(CheckName, String, Option<Code>)> {
        judge(&[node()], &intents, &Scope::Intent(name.to_owned()))
            .into_iter()
            .skip_while(|row| row.name != CheckName::Intent)
            .map(|row| (row.name, row.subject, row.code))
            .collect()
    };
    let rows = judged("vms");
    assert_eq!(rows[0], (CheckName::Intent, "vms".to_owned(), None));
    assert_eq!(rows[1], (CheckName::IntentType, "vms".to_owned(), None));
    assert_eq!(rows[2], (CheckName::Sriov, "ens1".to_owned(), None));
    let missing = (
        CheckName::Adapters,
        "ens7".to_owned(),
        Some(Code::AdapterNotFound),
    );
    assert_eq!(rows.last(), Some(&missing));

    let rows = judged("disks");
    assert_eq!(rows[1].2, Some(Code::IntentTypeCheckFailed));

    let rows = judged("blue");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].2, Some(Code::IntentNotFound));
}

#[test]
fn adapters_can_be_named_and_are_searched_on_the_node() {
    let scope = Scope::Adapters(vec!["0000:01:00.0".to_owned()]);
    let rows = judge(&[node()], &[], &scope);
    assert!(rows.iter().any(|row| row.subject == "ens1"));

    let mut none = node();
    none.adapters = Observed::Known(Vec::new());
    assert_eq!(
        came_out(&row(&none, CheckName::Adapters)),
        failed(Code::SriovUnknown)
    );
    none.adapters = Observed::unknown("no permission");
    assert_eq!(came_out(&row(&none, CheckName::Adapters)), UNKNOWN);
}
