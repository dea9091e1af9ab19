//! The files of programs that configure links.

use accelnet_model::switch::{Keeper, Program};
use accelnet_pci::Root;

/// A program that was found with these files.
pub(super) fn found(program: Program, files: Vec<String>) -> Keeper {
    Keeper {
        program,
        files,
        leases: false,
        as_port: false,
        cloud_init: false,
    }
}

/// The value of the first line `KEY=VALUE` of a text, whatever blanks stand around the two.
pub(super) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(name, _)| name.trim() == key)?;
    Some(value.trim().trim_matches(['"', '\'']))
}

/// The files of a folder whose names end so, with their texts.
pub(super) fn texts(root: &Root, folder: &str, ending: &str) -> Vec<(String, String)> {
    let names = root.names(folder).unwrap_or_default();
    let names = names.into_iter().filter(|name| name.ends_with(ending));
    let paths = names.map(|name| format!("{folder}/{name}"));
    paths
        .filter_map(|path| Some((path.clone(), root.text(&path).ok()?)))
        .collect()
}

/// The files of netplan that report what is called `id` there.
pub(super) fn netplan_files(root: &Root, id: &str) -> Vec<String> {
    let entry = |line: &str| {
        let name = line.trim().split_once(':').map(|(name, _)| name);
        name.is_some_and(|name| name.trim_matches(['"', '\'']) == id)
    };
    let files = texts(root, "/etc/netplan", ".yaml").into_iter();
    let files = files.filter(|(_, text)| text.lines().any(entry));
    files.map(|(path, _)| path).collect()
}
