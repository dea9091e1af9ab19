//! The list of adapters.

use accelnet_api::types::VmView;
use accelnet_model::{AdapterSummary, Observed};

use super::last_reports;
use super::table::{Table, Tone, painted, pairs};
use super::{shown, shown_or};

/// The adapters of one node.
pub fn adapters(rows: &[AdapterSummary], colour: bool, width: Option<u16>) -> String {
    if rows.is_empty() {
        return "This node has no PCI network adapter.\n".to_owned();
    }
    list(rows, false, colour, width)
}

/// The adapters of several nodes.
pub fn adapters_of_nodes(rows: &[AdapterSummary], colour: bool, width: Option<u16>) -> String {
    if rows.is_empty() {
        return "No PCI network adapters.\n".to_owned();
    }
    let of = rows
        .iter()
        .map(|row| (&*row.node, row.last_report.as_ref()));
    let notes = last_reports::notes(of);
    format!("{}{notes}", list(rows, true, colour, width))
}

pub(super) fn list(
    rows: &[AdapterSummary],
    with_node: bool,
    colour: bool,
    width: Option<u16>,
) -> String {
    let heading = [
        "NODE",
        "ADAPTER",
        "ADDRESS",
        "LINK",
        "VFS",
        "VFS IN USE",
        "QUEUE PAIRS",
        "DRIVER",
        "SR-IOV",
        "MODEL",
    ];
    let first = usize::from(!with_node);
    let mut table = Table::new(&heading[first..], colour, width);
    for row in rows {
        let sriov = match row.reasons.as_slice() {
            [] => "yes".to_owned(),
            reasons => {
                let ids: Vec<&str> = reasons.iter().map(|code| code.id()).collect();
                ids.join(", ")
            }
        };
        let in_use = match row.vfs_use_unknown {
            0 => row.vfs_in_use.to_string(),
            doubt => format!("{}, {doubt} unknown", row.vfs_in_use),
        };
        let pairs = match (row.queue_pairs.present(), row.queue_pairs_total.present()) {
            (Some(now), Some(total)) => format!("{now}/{total}"),
            _ => "?".to_owned(),
        };
        let tone = if row.supported { Tone::Good } else { Tone::Bad };
        let cells = [
            last_reports::cell(&row.node, row.last_report.as_ref()),
            (row.name.clone(), Tone::Plain),
            (row.address.clone(), Tone::Plain),
            (link_word(row.link).to_owned(), Tone::Plain),
            (
                format!("{}/{}", row.vfs, total_word(&row.vfs_total)),
                Tone::Plain,
            ),
            (in_use, Tone::Plain),
            (pairs, Tone::Plain),
            (brief(&row.driver, "none"), Tone::Plain),
            (sriov, tone),
            (row.model.clone(), Tone::Plain),
        ];
        table.toned(cells.into_iter().skip(first));
    }
    table.text()
}

/// An adapter of another node in brief, with the VMs that have its VFs.
pub fn adapter_in_brief(
    row: &AdapterSummary,
    vms: &[VmView],
    colour: bool,
    width: Option<u16>,
) -> String {
    let mut text = format!(
        "{} ({}) on {}\n",
        painted(&row.name, Tone::Plain, colour),
        row.address,
        row.node
    );
    if let Some(last) = &row.last_report {
        text.push_str(&last_reports::note(&row.node, last));
    }
    let reasons: Vec<&str> = row.reasons.iter().map(|code| code.id()).collect();
    let pairs_of = |value: &Observed<Option<u32>>| shown_or(value, "none", u32::to_string);
    text.push_str(&pairs(&[
        ("model", row.model.clone()),
        ("driver", shown_or(&row.driver, "none bound", String::clone)),
        ("link", link_word(row.link).to_owned()),
        (
            "SR-IOV",
            match reasons.as_slice() {
                [] => "yes".to_owned(),
                reasons => reasons.join(", "),
            },
        ),
        (
            "VFs",
            format!(
                "{} created, at most {}, {} in use, {} unknown",
                row.vfs,
                shown(&row.vfs_total, u32::to_string),
                row.vfs_in_use,
                row.vfs_use_unknown
            ),
        ),
        (
            "queue pairs",
            format!(
                "{} of {}",
                pairs_of(&row.queue_pairs),
                pairs_of(&row.queue_pairs_total)
            ),
        ),
    ]));
    let users = vms
        .iter()
        .filter(|vm| vm.adapter.as_ref() == Some(&row.name));
    let users: Vec<_> = users.filter_map(|vm| Some((vm.vf?, vm))).collect();
    if !users.is_empty() {
        let mut table = Table::new(&["VF", "VM"], colour, width);
        for (vf, vm) in users {
            table.row([vf.to_string(), vm.name.clone()]);
        }
        text.push_str(&format!("\n{}", table.text()));
    }
    text.push_str(&format!(
        "note: 'accelnet adapter show {}' on {} shows all details\n",
        row.name, row.node
    ));
    text
}

pub(super) fn brief(value: &Observed<Option<String>>, without: &str) -> String {
    match value {
        Observed::Known(Some(value)) => value.clone(),
        Observed::Known(None) => without.to_owned(),
        Observed::Unknown(_) => "?".to_owned(),
    }
}

fn total_word(total: &Observed<u32>) -> String {
    total.known().map_or("?".to_owned(), u32::to_string)
}

fn link_word(link: Option<bool>) -> &'static str {
    match link {
        Some(true) => "up",
        Some(false) => "down",
        None => "no netdev",
    }
}
