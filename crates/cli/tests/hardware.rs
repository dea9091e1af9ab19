//! Other people's hardware as generated trees: what `prereq` and `adapter enable --dry-run` report about
//! each.
//!
//! Each tree names where its figures come from: a public report, a public dump of lspci or sysfs, or the
//! kernel's source (Linux 6.12.117).

use std::path::Path;
use std::process::Command;

use accelnet_sim::{AdapterSpec, NetdevSpec, Port, Tree};
use serde_json::Value;

#[path = "hardware/drivers.rs"]
mod drivers;
#[path = "hardware/guests.rs"]
mod guests;
#[path = "hardware/isolation.rs"]
mod isolation;
#[path = "hardware/machines.rs"]
mod machines;
#[path = "hardware/ports.rs"]
mod ports;
#[path = "hardware/reach.rs"]
mod reach;
#[path = "hardware/settings.rs"]
mod settings;
#[path = "hardware/vendors.rs"]
mod vendors;

/// A row: check, subject, outcome, code ("" for none), and words of what was found or is to be done.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// A copy of a node.
struct Copy(tempfile::TempDir);

impl Copy {
    fn of(tree: Tree) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        tree.write(folder.path()).expect("a tree");
        Copy(folder)
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn ask(&self, words: &[&str]) -> (Value, i32) {
        let output = Command::new(env!("CARGO_BIN_EXE_accelnet"))
            .arg("--root")
            .arg(self.root())
            .args(words)
            .args(["--output", "json"])
            .output()
            .expect("the program runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let answer = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        (answer, output.status.code().expect("an end of its own"))
    }

    /// The rows of `prereq` that did not simply pass, those that no copy can have apart, and its exit status.
    fn prereq(&self, arguments: &[&str]) -> (Vec<Value>, i32) {
        let (answer, status) = self.ask(&[&["prereq"], arguments].concat());
        let rows = answer["checks"].as_array().expect("rows").clone();
        let quiet = |row: &Value| row["outcome"] == "passed" || row["outcome"] == "not-judged";
        (rows.into_iter().filter(|row| !quiet(row)).collect(), status)
    }

    /// Exactly these rows do not simply pass.
    #[track_caller]
    fn stands_out(&self, arguments: &[&str], expected: &[Row]) -> &Self {
        let (rows, status) = self.prereq(arguments);
        assert_eq!(rows.len(), expected.len(), "{rows:#?}");
        for (row, (check, subject, outcome, code, words)) in rows.iter().zip(expected) {
            let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
            let seen = [text("name"), text("subject"), text("outcome"), text("code")];
            assert_eq!(seen, [*check, *subject, *outcome, *code], "{row:#}");
            let said = format!("{} {}", text("found"), text("resolution"));
            assert!(said.contains(words), "{words:?} is not in {said:?}");
        }
        let fails = rows.iter().any(|row| row["passed"] == false);
        assert_eq!(fails, status != 0, "exit status {status}: {rows:#?}");
        self
    }

    /// The check of that name passes with these words.
    #[track_caller]
    fn passes(&self, check: &str, subject: &str, words: &str) -> &Self {
        let (answer, _) = self.ask(&["prereq"]);
        let mut rows = answer["checks"].as_array().expect("rows").iter();
        let row = rows.find(|row| row["name"] == check && row["subject"] == subject);
        let row = row.unwrap_or_else(|| panic!("no row {check} of {subject}: {answer:#}"));
        assert_eq!(row["outcome"], "passed", "{row:#}");
        let found = row["found"].as_str().expect("text");
        assert!(found.contains(words), "{words:?} is not in {found:?}");
        self
    }

    /// All VFs of the adapter called `name` would be so many.
    #[track_caller]
    fn would_create(&self, name: &str, vfs: u64) -> &Self {
        let (answer, status) = self.ask(&["adapter", "enable", name, "--dry-run"]);
        assert_eq!(status, 0, "{answer:#}");
        assert_eq!(answer["plan"]["to"], vfs, "{answer:#}");
        self
    }

    /// Creating VFs is refused with that code, and with the words of the row that fails.
    #[track_caller]
    fn refuses(&self, name: &str, code: &str) -> &Self {
        let (answer, status) = self.ask(&["adapter", "enable", name, "--dry-run"]);
        let error = &answer["error"];
        assert_eq!(error["code"], code, "{answer:#}");
        assert_ne!(status, 0);
        if code != "adapter_not_found" {
            let (rows, _) = self.prereq(&["--adapter", name]);
            let same = |row: &Value| row["code"] == code && row["outcome"] == "failed";
            let row = rows.iter().find(|row| same(row));
            let row = row.unwrap_or_else(|| panic!("no check fails with {code}: {rows:#?}"));
            assert_eq!(row["resolution"], error["resolution"], "{answer:#}");
        }
        self
    }
}

fn at(address: &str) -> accelnet_model::PciAddress {
    address.parse().expect("an address")
}

/// A root port with buses 01 and 02 below it.
fn port() -> Port {
    Port::root(at("0000:00:01.0"), 1, 2)
}

fn behind_a_port(adapter: AdapterSpec) -> Tree {
    Tree::new().port(port().adapter(adapter))
}

/// An adapter at 0000:01:00.0 with these ids and driver, `vfs` VFs to give and none there.
fn adapter(ids: (u16, u16), driver: &str, netdev: &str, vfs: u16) -> AdapterSpec {
    AdapterSpec {
        ids,
        driver: Some(driver.to_owned()),
        ..AdapterSpec::igb(at("0000:01:00.0"), netdev)
    }
    .sriov(|sriov| {
        sriov.hardware_vfs = vfs;
        sriov.total_vfs = vfs;
        sriov.offset = 8;
        sriov.stride = 1;
    })
}

fn netdev(name: &str) -> NetdevSpec {
    NetdevSpec {
        name: name.to_owned(),
        speed: Some(10_000),
        ..NetdevSpec::default()
    }
}
