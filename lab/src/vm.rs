//! A VM inside a node: libvirt starts it with a VF of the node's adapter, and it pings through it.

use std::time::{Duration, Instant};

use crate::command::quote;
use crate::error::{Error, Result};
use crate::node::Node;

/// A nested VM is up and pings after about 15 s; a busy machine may take much longer.
const START: Duration = Duration::from_secs(180);
/// The libvirt network that hands out VFs.
/// A line of the VM that is written to its end: the serial port is slow, and its file is
/// read while it grows.
const WHOLE: &str = "^vm: .* ping=(ok|lost)";

const POOL: &str = "vfpool";

const NETWORK: &str = include_str!("../templates/network.xml");
const DOMAIN: &str = include_str!("../templates/domain.xml");

/// A VM inside a node.
#[derive(Debug)]
pub struct Vm<'node> {
    node: &'node Node,
    name: String,
}

/// What a VM says about its NIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmState {
    /// The NIC's name in the VM, if it has one.
    pub nic: Option<String>,
    /// The driver of the NIC: `igbvf` for a VF.
    pub driver: Option<String>,
    /// Its IPv4 address with the prefix length.
    pub address: Option<String>,
    /// Whether the last ping through it was answered.
    pub pings: bool,
}

impl<'node> Vm<'node> {
    /// Starts a VM with a VF of the node's adapter `pf`, whose VFs must be there, and waits until it
    /// pings through it.
    ///
    /// # Errors
    /// When libvirt refuses it, in libvirt's words, or the VM does not ping in time.
    pub fn start(node: &'node Node, name: &str, pf: &str) -> Result<Self> {
        let network = NETWORK.replace("POOL", POOL).replace("PF", pf);
        let domain = DOMAIN
            .replace("NAME", name)
            .replace("POOL", POOL)
            .replace("MAC", &mac(name));
        let script = format!(
            "set -e
             ip link set {pf} up
             if ! virsh net-info {POOL} > /dev/null 2>&1; then
                 virsh net-define <(echo {})
                 virsh net-start {POOL}
             fi
             virsh create <(echo {})",
            quote(&network),
            quote(&domain)
        );
        node.check(&format!("start VM {name}"), &script)?;
        let vm = Self {
            node,
            name: name.to_owned(),
        };
        vm.wait_for("pinging through its VF", |state| {
            state.pings && state.driver.as_deref() == Some("igbvf")
        })?;
        Ok(vm)
    }

    /// The domain's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the VM says next about its NIC. It speaks about once a second.
    ///
    /// # Errors
    /// When it says nothing more.
    pub fn state(&self) -> Result<VmState> {
        let log = self.log();
        // Two lines further on, the line was begun after this call.
        let script = format!(
            "before=$(grep -aEc '{WHOLE}' {log}); for try in $(seq 100); do
                 [ $(grep -aEc '{WHOLE}' {log}) -ge $((before + 2)) ] && break; sleep 0.2
             done; [ $(grep -aEc '{WHOLE}' {log}) -ge $((before + 2)) ] && grep -aE '{WHOLE}' {log} | tail -n 1"
        );
        let line = self
            .node
            .wait_until(&format!("a word of VM {}", self.name), &script, START)?;
        parse(&line).ok_or_else(|| Error::Unexpected {
            what: "the VM's state".to_owned(),
            found: line.clone(),
        })
    }

    /// Waits until the VM says what is `wanted`; `what` completes "VM vm1 ...".
    ///
    /// # Errors
    /// When it does not in time, with the end of what it said.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&VmState) -> bool) -> Result<VmState> {
        let begin = Instant::now();
        while begin.elapsed() < START {
            let said = self
                .node
                .run(&format!("grep -aE '{WHOLE}' {} | tail -n 1", self.log()));
            if let Some(state) = parse(&said.stdout).filter(|state| wanted(state)) {
                return Ok(state);
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        let detail = self
            .node
            .run(&format!("tail -n 15 {}; virsh list --all", self.log()));
        Err(Error::Deadline {
            what: format!("VM {} {what}", self.name),
            deadline: START,
            detail: detail.stdout,
        })
    }

    /// Ends the VM; its VF goes back to the pool.
    ///
    /// # Errors
    /// When libvirt refuses it.
    pub fn destroy(self) -> Result<()> {
        let script = format!("virsh destroy {}", self.name);
        self.node
            .check(&format!("end VM {}", self.name), &script)
            .map(drop)
    }

    fn log(&self) -> String {
        format!("/var/log/libvirt/{}.log", self.name)
    }
}

/// A line such as `vm: nic=eth0 driver=igbvf address=10.0.2.15/24 ping=ok`.
fn parse(line: &str) -> Option<VmState> {
    let mut words = line.trim().strip_prefix("vm: ")?.split(' ');
    let mut value = |name: &str| {
        let value = words
            .next()?
            .strip_prefix(name)?
            .strip_prefix('=')?
            .to_owned();
        Some(Some(value).filter(|value| value != "none"))
    };
    Some(VmState {
        nic: value("nic")?,
        driver: value("driver")?,
        address: value("address")?,
        pings: value("ping")?.as_deref() == Some("ok"),
    })
}

/// A MAC of its own for each name.
fn mac(name: &str) -> String {
    let sum = name.bytes().fold(0u16, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    format!("52:54:00:0c:{:02x}:{:02x}", sum >> 8, sum & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_vm_is_read() {
        let state =
            parse("vm: nic=eth0 driver=igbvf address=10.0.2.15/24 ping=ok\r\n").expect("a state");
        assert_eq!(state.nic.as_deref(), Some("eth0"));
        assert_eq!(state.address.as_deref(), Some("10.0.2.15/24"));
        assert!(state.pings);
    }

    #[test]
    fn a_vm_without_nic_says_so() {
        let state = parse("vm: nic=none driver=none address=none ping=lost").expect("a state");
        assert_eq!(
            state,
            VmState {
                nic: None,
                driver: None,
                address: None,
                pings: false
            }
        );
        assert_eq!(parse("[    1.0] a kernel message"), None);
    }
}
