//! `docs/benchmarks.md`, written from a run.

use super::limit::Limit;
use super::machine::Machine;
use super::row::Row;
use super::table::{limits_markdown, markdown};

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench --write`; do not edit. Times are medians, with the shortest and the longest. The ratio is
the median of the ratios of the rounds; below 1 accelnet is faster. Both sides run in alternation, in the same run,
after one round that does not count.

";

const MEANING: &str = "
## What is compared

- **Generated trees** (`accelnet --root DIR node show`): a process from its start to its end. Before the measurement, a
  check shows that the answer of accelnet contains every VF with its settings, group and MSI-X vectors, and that of
  `lspci` every function. `lspci` reads the same tree, and both sides use a `pci.ids` of the same size. The trees are
  ordinary files; reading sysfs takes longer for both sides. `ip` cannot read a copy of a node: it shows as many
  software links as the tree has adapters, in its own network namespace if the user can create one. **`ip` reads no
  VFs there, while accelnet decodes recorded netlink answers of all VFs**: the comparison favors `ip`.
- **Lab, creating VFs**: an emulated igb whose PF is up. The bare write is `0` to `sriov_drivers_autoprobe`, `7` to
  `sriov_numvfs`, and a wait for all `virtfn` links, by a running process that starts no other. accelnet is a process
  from its start to its end: it also finds and observes the adapter, takes its lock, checks that no VF is in use, writes
  through a child process that it can abandon if a driver hangs, waits until every VF is ready for vfio, and observes
  the adapter again. For the first time since boot, or with another driver, it also tests and records the VF features of
  the adapter.
- **Lab, 1,000 MIPS**: the same node, but its time advances with its instructions, one each nanosecond, and with its
  waits (QEMU's `-icount shift=0`). The result corresponds to a slow current processor and does not depend on the load
  of this machine.
- **Lab, `node show`**: the same node with 7 VFs. accelnet also queries libvirt for VMs.
- **A simulated node, `accelnet status`**: a process from its start to its end, which queries an agent of
  `accelnet demo --serve`. `true` is a process that does nothing.
- **Lab, a VM that runs**: its vNIC already has the failover feature, so no re-plug is needed. libvirt's command
  attaches a VF of the same pool to an equal VM and does not change its definition; the VM of the other side is paused
  meanwhile. Each side has its own VM, because QEMU accepts a VF for a vNIC only under the name of the first one.
  accelnet also checks the VM, queries its guest, records the change, changes the definition and verifies the result.
  libvirt runs accelnet's hook for both.
- **1,000 agents on one etcd**: real agents, stores and connections in one process beside an etcd with one member, on
  the processors named below. The nodes are simulated, and the cost of the simulation is included. On real nodes each
  agent has its own processor. A changed rate limit is applied when the agent has applied that revision of the
  policy, a changed number of VFs when the node's adapter has the new number. Of several changes the slowest counts.
  Agents collect events for 0.3 s before they act.
- **The idle agent**: its CPU clock (clock_getcpuclockid(3)), in the lab, where an emulated processor takes ten to
  twenty times as long. Its resident memory is mostly libvirt's client library and the libraries that it loads, mapped
  from files.

Not comparable: `lspci` and `ip` evaluate nothing, and do not use libvirt, ACS or the users of VFs. accelnet prints
only the PCI attributes that it needs. Without KVM, QEMU translates every instruction in the lab: CPU time counts ten to
twenty times as much as on hardware, waits of drivers do not.
";

/// The whole document.
pub fn text(
    machine: &Machine,
    node: &[(&'static str, String)],
    rows: &[Row],
    limits: &[Limit],
) -> String {
    let mut text = HEAD.to_owned();
    text += &markdown(rows);
    text += "\n## Values and their limits\n\n";
    text += &limits_markdown(limits);
    text += MEANING;
    text += "\n## Machines\n\n";
    let own = machine.facts.iter().map(|fact| ("this machine", fact));
    let node = node.iter().map(|fact| ("the lab's node", fact));
    text += "| machine | item | value |\n| --- | --- | --- |\n";
    for (whose, (what, value)) in own.chain(node) {
        text += &format!("| {whose} | {what} | {value} |\n");
    }
    text
}
