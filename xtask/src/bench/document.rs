//! `docs/benchmarks.md`, written from a run.

use super::limit::Limit;
use super::machine::Machine;
use super::row::Row;
use super::table::{limits_markdown, markdown};

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench --write`; do not edit. Times are medians, with the shortest and the
longest; the ratio is the median of the ratios of the rounds, and below 1 where accelnet is quicker.
Both sides run in turns, in the same run, after one round that does not count.

";

const MEANING: &str = "
## What is compared

- **Generated trees** (`accelnet --root DIR node show`): a process from its start to its end. Before it is timed,
  the answer of accelnet is checked to hold every VF with its settings, group and MSI-X vectors, and
  that of lspci to hold every function. `lspci` reads the same tree, and both sides look names up in
  a `pci.ids` of the same size. The trees are ordinary files: reading sysfs costs more, on both
  sides. `ip` cannot be given a copy of a node: it shows as many software links as the tree has
  adapters, in a network namespace of its own where the user may make one. **It reads no VFs there,
  while accelnet decodes recorded netlink answers of all of them**: the comparison is in favour of
  `ip`.
- **Lab, making VFs**: an igb that QEMU emulates, its PF up. The bare write is `0` into
  `sriov_drivers_autoprobe`, `7` into `sriov_numvfs`, and waiting until all `virtfn` links are
  there, by a process that runs already and starts nothing. accelnet is a process from its start to
  its end: it also finds the adapter by name, looks at it, takes its lock, checks that no VF is in
  use, writes through a child process that can be left behind when a driver hangs, waits until every
  VF is ready for vfio, and looks again. The first time since boot (or with another driver) it asks
  the adapter what it can do for VFs as well, and keeps that on record.
- **Lab, 1,000 MIPS**: the same node once more, but its time passes with its instructions, one each
  nanosecond, and with its waits (QEMU's `-icount shift=0`). That is a slow processor of today, where
  the plain lab is one of long ago, and is the same however busy this machine is.
- **Lab, looking**: the same node with 7 VFs, where accelnet also asks libvirt for VMs.

- **A simulated node, `accelnet status`**: a process from its start to its end, asking an agent of
  `accelnet demo --serve`; `true` is a process that does nothing.
- **Lab, a VM that runs**: its vNIC has the failover feature already, so no re-plug is needed.
  libvirt's command attaches a VF of the same pool to a VM like it, and does nothing to its
  definition; the VM of the other side is paused meanwhile. Each side has its own, because QEMU takes
  a VF for a vNIC only under the name that the first one had. accelnet also judges whether the VM may
  have it, asks its guest, writes it down, changes the definition, and looks whether it is so. libvirt runs accelnet's hook for both.
- **1,000 agents on one etcd**: real agents, stores and connections in one process beside one etcd
  with one member, on the processors named below; the nodes are simulated, and what simulating them
  costs counts. On real nodes each agent has a processor of its own. A changed rate limit counts as
  acted on when the agent has brought its node to that revision of the policy, a changed number of VFs when
  the node's adapter has its new number of VFs; of several changes the slowest figure is shown. Agents
  gather events for 0.3 s before they act.
- **The idle agent**: its CPU clock (clock_getcpuclockid(3)), in the lab, where a processor that is
  emulated takes ten to twenty times as long. Its resident memory is mostly libvirt's client library
  with what that loads, mapped from files.

What is not comparable: `lspci` and `ip` judge nothing and know nothing of libvirt, ACS or who uses
a VF; accelnet does not print what it does not need of PCI. In the lab QEMU translates every
instruction where there is no KVM: CPU time weighs ten to twenty times as much as on hardware,
while a driver's own waits do not.
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
    text += "\n## Figures and their limits\n\n";
    text += &limits_markdown(limits);
    text += MEANING;
    text += "\n## Where\n\n";
    let own = machine.facts.iter().map(|fact| ("this machine", fact));
    let node = node.iter().map(|fact| ("the lab's node", fact));
    text += "| of | what | value |\n| --- | --- | --- |\n";
    for (whose, (what, value)) in own.chain(node) {
        text += &format!("| {whose} | {what} | {value} |\n");
    }
    text
}
