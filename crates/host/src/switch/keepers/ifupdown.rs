//! ifupdown: `/etc/network/interfaces`, and what it names (`interfaces(5)`).

use accelnet_model::link::Link;
use accelnet_model::switch::{Keeper, Program};
use accelnet_pci::Root;

use super::files::found;

/// How deep files may name files.
const DEPTH: u32 = 4;

/// A stanza `iface`.
struct Stanza {
    file: String,
    link: String,
    method: String,
    /// Its lines, as words.
    options: Vec<Vec<String>>,
}

/// ifupdown, if it configures the link.
pub fn keeper(root: &Root, link: &Link) -> Option<Keeper> {
    let name = &link.name;
    if !["/sbin/ifup", "/usr/sbin/ifup"]
        .iter()
        .any(|it| root.exists(it))
    {
        return None;
    }
    let mut stanzas = Vec::new();
    read(root, "/etc/network/interfaces", DEPTH, &mut stanzas);
    let own = stanzas.iter().filter(|stanza| stanza.link == *name);
    let own: Vec<&Stanza> = own.collect();
    // One that only brings the link up, for whatever stands on it, has nothing to put back.
    if own.iter().all(|stanza| stanza.method == "manual") {
        return None;
    }
    let mut files: Vec<String> = own.iter().map(|stanza| stanza.file.clone()).collect();
    files.dedup();
    let mut keeper = found(Program::Ifupdown, files);
    keeper.leases = own.iter().any(|stanza| stanza.method == "dhcp");
    keeper.as_port = stanzas.iter().any(|stanza| {
        let mut options = stanza.options.iter();
        options.any(|option| match option.split_first() {
            Some((key, values)) => match key.replace('_', "-").as_str() {
                "bridge-ports" | "bond-slaves" => values.contains(name),
                "bond-master" => stanza.link == *name,
                _ => false,
            },
            None => false,
        })
    });
    Some(keeper)
}

/// Reads the stanzas of a file, and of those that it names.
fn read(root: &Root, path: &str, depth: u32, stanzas: &mut Vec<Stanza>) {
    let Ok(text) = root.text(path) else { return };
    // A line that ends with a backslash goes on.
    let text = text.replace("\\\n", " ");
    let mut within = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('#') {
            continue;
        }
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match words.iter().map(String::as_str).collect::<Vec<&str>>()[..] {
            ["source", pattern] | ["source-directory", pattern] if depth > 0 => {
                within = false;
                for file in named(root, path, pattern, words[0] == "source-directory") {
                    read(root, &file, depth - 1, stanzas);
                }
            }
            ["iface", link, _, method, ..] => {
                within = true;
                stanzas.push(Stanza {
                    file: path.to_owned(),
                    link: link.to_owned(),
                    method: method.to_owned(),
                    options: Vec::new(),
                });
            }
            [
                "auto" | "mapping" | "no-auto-down" | "no-scripts" | "template",
                ..,
            ] => within = false,
            [first, ..] if first.starts_with("allow-") => within = false,
            [_, ..] if within => {
                if let Some(stanza) = stanzas.last_mut() {
                    stanza.options.push(words);
                }
            }
            _ => {}
        }
    }
}

/// The files that a pattern names, in which `*` may stand in the last part.
fn named(root: &Root, from: &str, pattern: &str, folder: bool) -> Vec<String> {
    let here = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = match pattern.starts_with('/') {
        true => pattern.to_owned(),
        false => format!("{here}/{pattern}"),
    };
    let path = match folder {
        true => format!("{}/*", path.trim_end_matches(['/', '*'])),
        false => path,
    };
    let Some((place, last)) = path.rsplit_once('/') else {
        return Vec::new();
    };
    let Some((begins, ends)) = last.split_once('*') else {
        return vec![path];
    };
    let names = root.names(place).unwrap_or_default().into_iter();
    let names = names.filter(|name| name.starts_with(begins) && name.ends_with(ends));
    // Files that an editor or a package left have a dot.
    let names = names.filter(|name| !folder || !name.contains('.'));
    names.map(|name| format!("{place}/{name}")).collect()
}
