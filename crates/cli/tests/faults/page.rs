//! A page of commands and what they showed, held against the one on record.

use std::path::Path;

use accelnet_sim::Fault;

use crate::support::{Booted, Shown, pf, types};

/// The page as it grows.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    wrong: Vec<String>,
}

impl Page {
    /// Adds text as it is.
    pub fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Opens the part about one fault.
    pub fn fault(&mut self, heading: &str, what_happens: &str) {
        self.text(&format!("\n## {heading}\n\n{what_happens}\n"));
    }

    /// Reports what happens next.
    pub fn then(&mut self, what_happens: &str) {
        self.text(&format!("\n{what_happens}\n"));
    }

    /// Types a command, and writes down what it showed and left behind.
    pub fn types(&mut self, node: &Booted, command: &str) -> Shown {
        let shown = types(node, command);
        let own = format!("process {}", std::process::id());
        let tidy = |text: &str| text.replace(&own, "process 4711");
        self.text(&format!("\n```console\n# {command}\n"));
        self.text(&tidy(&shown.out));
        self.text(&tidy(&shown.err));
        self.text(&format!("[exit {}; {}]\n```\n", shown.status, left(node)));
        shown
    }

    /// Types a command that must fail with `code`.
    pub fn fails(&mut self, node: &Booted, command: &str, code: &str) {
        let shown = self.types(node, command);
        let expected = code.parse::<accelnet_model::Code>().expect("a code");
        let right = shown.err.contains(code) && shown.status == expected.entry().exit_status;
        self.expect(right, command, code, &shown);
    }

    /// Types a command that must end well, with so many VFs.
    pub fn ends_well(&mut self, node: &Booted, command: &str, vfs: usize) {
        let shown = self.types(node, command);
        let right = shown.status == 0 && vfs_of(node) == Some(vfs);
        self.expect(right, command, &format!("{vfs} VFs"), &shown);
    }

    /// Something that must be so, which `what` reports.
    pub fn must(&mut self, right: bool, what: &str) {
        if !right {
            self.wrong
                .push(format!("It must be so, and is not: {what}"));
        }
    }

    /// Keeps what went otherwise than it must, for the end: the page is whole first.
    fn expect(&mut self, right: bool, command: &str, expected: &str, shown: &Shown) {
        if !right {
            self.wrong
                .push(format!("'{command}' should come to {expected}: {shown:?}"));
        }
    }

    /// A fault from heading to happy end: `fault` stops `command` with `code`; repaired, the
    /// same command ends well.
    pub fn stops(&mut self, node: &Booted, fault: Fault, command: &str, code: &str) {
        node.host.kernel.break_with(fault);
        self.fails(node, command, code);
        node.host.kernel.repair().expect("repaired");
    }

    /// Fails where something went otherwise than it must.
    pub fn is_right(&self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }

    /// Fails where this is not what is on record in `file`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the developer's wish to refresh the page is in the environment"
    )]
    pub fn compare(&self, file: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &self.text).expect("a page that can be written");
            return;
        }
        let recorded = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            recorded == self.text,
            "{file} is not what is shown now:\n\n{}\nIf the new words are better, refresh it: \
             UPDATE_GOLDEN=1 cargo test -p accelnet --test faults",
            difference(&recorded, &self.text)
        );
    }
}

/// The VFs of the adapter; none without the adapter.
fn vfs_of(node: &Booted) -> Option<usize> {
    let device = node
        .folder
        .path()
        .join(format!("sys/bus/pci/devices/{}", pf()));
    let entries = std::fs::read_dir(device).ok()?;
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let is_vf = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("virtfn");
    Some(names.filter(is_vf).count())
}

/// What there is after a command.
fn left(node: &Booted) -> String {
    let Some(vfs) = vfs_of(node) else {
        return "no adapter".to_owned();
    };
    let device = node
        .folder
        .path()
        .join(format!("sys/bus/pci/devices/{}", pf()));
    let probe = std::fs::read_to_string(device.join("sriov_drivers_autoprobe"));
    let drivers = match probe.expect("a flag").trim() {
        "0" => "do not bind to new VFs",
        _ => "bind to new VFs",
    };
    let driver = match device.join("driver").exists() {
        true => "",
        false => "; no driver",
    };
    let vfs = match vfs {
        0 => "no VFs".to_owned(),
        1 => "1 VF".to_owned(),
        vfs => format!("{vfs} VFs"),
    };
    format!("{vfs}; host drivers {drivers}{driver}")
}

/// The first lines that differ, each with a few before it.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = |lines: &[&str]| {
        lines
            .iter()
            .skip(same)
            .rev()
            .copied()
            .map(str::to_owned)
            .collect()
    };
    let (old_tail, new_tail): (Vec<String>, Vec<String>) = (tail(&old), tail(&new));
    let ends = old_tail
        .iter()
        .zip(&new_tail)
        .take_while(|(a, b)| a == b)
        .count();
    let mut text = format!("at line {}:\n", same + 1);
    for line in &old[same.saturating_sub(3)..same] {
        text.push_str(&format!("  {line}\n"));
    }
    for line in &old[same..old.len() - ends] {
        text.push_str(&format!("- {line}\n"));
    }
    for line in &new[same..new.len() - ends] {
        text.push_str(&format!("+ {line}\n"));
    }
    text
}
