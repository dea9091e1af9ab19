//! Examples at the end of each command's help.

use clap::Command;

/// Command lines of each command, by its path below the program; a test reads each of them.
pub const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "accelnet prereq",
            "accelnet intent add compute --compute --adapter ens1f0",
            "accelnet enable --intent compute",
            "accelnet vm enable web01 --performance high",
        ],
    ),
    (
        "status",
        &["accelnet status", "accelnet status --output json"],
    ),
    (
        "capacity",
        &["accelnet capacity", "accelnet capacity --from cluster.json"],
    ),
    (
        "prereq",
        &[
            "accelnet prereq",
            "accelnet prereq --adapter ens1f0",
            "accelnet prereq --root /tmp/copy-of-node1",
        ],
    ),
    (
        "enable",
        &[
            "accelnet enable --intent compute",
            "accelnet enable --intent compute --node-reserve 25 --dry-run",
        ],
    ),
    (
        "set",
        &[
            "accelnet set --node-reserve 25",
            "accelnet set --performance-settings low=1:10,high=8:100 --dry-run",
        ],
    ),
    (
        "disable",
        &["accelnet disable --dry-run", "accelnet disable"],
    ),
    (
        "intent",
        &[
            "accelnet intent add compute --compute --adapter ens1f0",
            "accelnet intent status",
        ],
    ),
    (
        "intent add",
        &[
            "accelnet intent add compute --compute --adapter ens1f0",
            "accelnet intent add compute --compute --adapter ens1f0 --vfs 16 --dry-run",
            "accelnet intent add all --compute --management --adapter ens1f0,ens1f1",
        ],
    ),
    (
        "intent list",
        &["accelnet intent list", "accelnet intent list --output name"],
    ),
    ("intent show", &["accelnet intent show compute"]),
    (
        "intent status",
        &["accelnet intent status", "accelnet intent status compute"],
    ),
    (
        "intent set",
        &[
            "accelnet intent set compute --vfs 32 --dry-run",
            "accelnet intent set compute --trust on",
        ],
    ),
    (
        "intent remove",
        &[
            "accelnet intent remove compute --dry-run",
            "accelnet intent remove compute",
        ],
    ),
    (
        "vm",
        &[
            "accelnet vm list",
            "accelnet vm enable web01 --performance high",
            "accelnet vm disable web01",
        ],
    ),
    (
        "vm list",
        &[
            "accelnet vm list",
            "accelnet vm list --accelerated --output name",
            "accelnet vm list --name 'web*'",
        ],
    ),
    (
        "vm show",
        &[
            "accelnet vm show web01",
            "accelnet vm show 'web*' --output json",
        ],
    ),
    ("vm nics", &["accelnet vm nics web01"]),
    (
        "vm enable",
        &[
            "accelnet vm enable web01 --performance high",
            "accelnet vm enable 'web*' db01 --performance low --dry-run",
            "accelnet vm enable web01 --performance medium --now",
        ],
    ),
    (
        "vm set",
        &[
            "accelnet vm set web01 --performance low",
            "accelnet vm set router01 --trust on --spoof-check off",
        ],
    ),
    (
        "vm disable",
        &[
            "accelnet vm disable web01",
            "accelnet vm disable '*' --dry-run",
        ],
    ),
    ("plan", &["accelnet plan"]),
    (
        "log",
        &[
            "accelnet log --limit 20",
            "accelnet log --follow --output json",
        ],
    ),
    (
        "health",
        &["accelnet health", "accelnet health --output json"],
    ),
    (
        "faults",
        &["accelnet faults", "accelnet faults --output json"],
    ),
    ("node", &["accelnet node list", "accelnet node drain node2"]),
    (
        "node show",
        &[
            "accelnet node show",
            "accelnet node show --root /tmp/copy-of-node1",
        ],
    ),
    (
        "node list",
        &["accelnet node list", "accelnet node list --output name"],
    ),
    ("node drain", &["accelnet node drain node2"]),
    ("node undrain", &["accelnet node undrain node2"]),
    (
        "cluster",
        &[
            "accelnet cluster init --store etcd://etcd1:2379",
            "accelnet cluster join --store etcd://etcd1:2379,etcd2:2379",
        ],
    ),
    (
        "cluster init",
        &[
            "accelnet cluster init --store etcd://etcd1:2379 --dry-run",
            "accelnet cluster init --store etcd://etcd1:2379",
        ],
    ),
    (
        "cluster join",
        &[
            "accelnet cluster join --store etcd://etcd1:2379,etcd2:2379 --dry-run",
            "accelnet cluster join --store etcd://etcd1:2379,etcd2:2379",
        ],
    ),
    (
        "cluster leave",
        &[
            "accelnet cluster leave --dry-run",
            "accelnet cluster leave --node node3",
        ],
    ),
    (
        "store",
        &[
            "accelnet store check",
            "accelnet store backup /root/accelnet.backup",
        ],
    ),
    (
        "store check",
        &["accelnet store check", "accelnet store check --repair"],
    ),
    (
        "store backup",
        &["accelnet store backup /root/accelnet.backup"],
    ),
    (
        "store restore",
        &[
            "accelnet store restore /root/accelnet.backup --dry-run",
            "accelnet store restore /root/accelnet.backup",
        ],
    ),
    ("store accept", &["accelnet store accept --dry-run"]),
    (
        "store migrate",
        &[
            "accelnet store migrate --to etcd://etcd1:2379 --dry-run",
            "accelnet store migrate --to etcd://etcd1:2379",
        ],
    ),
    (
        "adapter",
        &[
            "accelnet adapter list",
            "accelnet adapter enable ens1f0 --vfs 8",
        ],
    ),
    (
        "adapter list",
        &[
            "accelnet adapter list",
            "accelnet adapter list --output json",
        ],
    ),
    (
        "adapter show",
        &[
            "accelnet adapter show ens1f0",
            "accelnet adapter show 0000:3b:00.0 --output json",
        ],
    ),
    (
        "adapter enable",
        &[
            "accelnet adapter enable ens1f0 --vfs 8 --dry-run",
            "accelnet adapter enable --all",
        ],
    ),
    (
        "adapter disable",
        &["accelnet adapter disable ens1f0 --dry-run"],
    ),
    (
        "agent",
        &[
            "accelnet agent",
            "accelnet agent --store etcd://etcd1:2379 --node node1",
        ],
    ),
    ("setup", &["accelnet setup --dry-run", "accelnet setup"]),
    (
        "explain",
        &[
            "accelnet explain vf_in_use",
            "accelnet explain 53",
            "accelnet explain",
        ],
    ),
    (
        "cmdlets",
        &[
            "accelnet cmdlets install --dir /usr/local/bin",
            "accelnet cmdlets list",
        ],
    ),
    (
        "cmdlets install",
        &["accelnet cmdlets install --dir /usr/local/bin"],
    ),
    (
        "cmdlets remove",
        &["accelnet cmdlets remove --dir /usr/local/bin"],
    ),
    ("cmdlets list", &["accelnet cmdlets list"]),
    ("demo", &["accelnet demo", "accelnet demo --serve"]),
];

/// `command` at `path`, and all below it, with examples after the rest of their help.
pub(super) fn added(mut command: Command, path: &str) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|below| below.get_name().to_owned())
        .collect();
    for name in names {
        let below = format!("{path} {name}");
        command = command.mut_subcommand(name, |command| added(command, below.trim_start()));
    }
    let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == path) else {
        return command;
    };
    let header = *command.get_styles().get_header();
    let mut text = match command.get_after_help() {
        Some(before) => format!("{}\n\n", before.ansi()),
        None => String::new(),
    };
    text.push_str(&format!("{header}Examples:{header:#}"));
    for example in *examples {
        text.push_str(&format!("\n  {example}"));
    }
    command.after_help(text)
}
