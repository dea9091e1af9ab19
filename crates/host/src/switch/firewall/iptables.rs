//! iptables with its own kernel interface; what it has nftables do is shown by nftables.

use accelnet_model::switch::Mention;
use accelnet_pci::Root;

use super::program;

/// The kernel's list of tables, and the programs that print their rules.
const FAMILIES: [(&str, &str, [&str; 2]); 2] = [
    (
        "/proc/net/ip_tables_names",
        "iptables",
        ["iptables-legacy-save", "iptables-save"],
    ),
    (
        "/proc/net/ip6_tables_names",
        "ip6tables",
        ["ip6tables-legacy-save", "ip6tables-save"],
    ),
];

/// Where iptables names `link`.
pub fn mentions(root: &Root, link: &str) -> Vec<Mention> {
    let mut mentions = Vec::new();
    for (tables, name, programs) in FAMILIES {
        // Without tables there are no rules, and the program would load what makes them.
        if root.text(tables).is_ok_and(|tables| !tables.is_empty()) {
            let unread = |reason: String| Mention::Unread {
                what: programs[0].to_owned(),
                reason,
            };
            let mut found = programs.iter().filter_map(|name| program::find(root, name));
            mentions.extend(match found.next() {
                None => vec![unread("it is not installed".to_owned())],
                Some(program) => match program::answer(&program, &[]) {
                    Ok(text) => rules(&text, name, link),
                    Err(reason) => vec![unread(reason)],
                },
            });
        }
    }
    mentions
}

/// The rules that name `link`, of what `iptables-save` prints.
pub fn rules(saved: &str, name: &str, link: &str) -> Vec<Mention> {
    let mut table = "filter";
    let mut rules = Vec::new();
    for line in saved.lines() {
        if let Some(begins) = line.strip_prefix('*') {
            table = begins;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let names = words.windows(2).any(|pair| {
            let word = matches!(pair[0], "-i" | "-o" | "--physdev-in" | "--physdev-out");
            let fits = match pair[1].strip_suffix('+') {
                Some(beginning) => link.starts_with(beginning) && !beginning.is_empty(),
                None => pair[1] == link,
            };
            word && fits
        });
        if line.starts_with("-A ") && names {
            let rule = format!("{name} -t {table} {line}");
            rules.push(Mention::Iptables { rule });
        }
    }
    rules
}
