//! A VM inside a node: libvirt starts it with a VF of the node's adapter, or with a vNIC on a
//! bridge, and it pings through that.

use std::time::{Duration, Instant};

use crate::command::quote;
use crate::error::{Error, Result};
use crate::node::Node;

/// A nested VM is up and pings after about 15 s; a busy machine may take much longer.
const START: Duration = Duration::from_secs(180);
/// How often a VM is started whose own boot comes to nothing: on an emulated processor its kernel
/// hangs, or ends, now and then before it has done anything.
const STARTS: u32 = 3;
/// A line of the VM that is written to its end: the serial port is slow, and its file is
/// read while it grows.
const WHOLE: &str = "^vm: .* ping=(ok|lost)";

/// The libvirt network that hands out VFs.
const POOL: &str = "vfpool";

const NETWORK: &str = include_str!("../templates/network.xml");
const DOMAIN: &str = include_str!("../templates/domain.xml");
const STOPPED: &str = include_str!("../templates/stopped.xml");

/// A VM inside a node.
#[derive(Debug)]
pub struct Vm<'node> {
    node: &'node Node,
    name: String,
}

/// What a VM reports about its NIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmState {
    /// The NIC's name in the VM, if it has one.
    pub nic: Option<String>,
    /// The driver of the NIC: `igbvf` for a VF, `virtio_net` for a vNIC with or without a VF
    /// beside it.
    pub driver: Option<String>,
    /// Its IPv4 address with the prefix length.
    pub address: Option<String>,
    /// The name of the VF in the VM, alone or as the partner of the NIC.
    pub vf: Option<String>,
    /// Pings that were lost since the first that was answered, of those that are judged.
    pub lost: u32,
    /// The same that were answered after more than a second, as on a busy machine.
    pub late: u32,
    /// Pings that were sent, one a second.
    pub sent: u32,
    /// How many of them, the first ones, are known to be answered or lost: a ping is waited for up
    /// to ten seconds.
    pub judged: u32,
    /// Whether one was answered in the last second.
    pub pings: bool,
}

/// What a VM boots with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Guest<'a> {
    /// Its interfaces, in which `MAC` stands for its MAC.
    pub interfaces: &'a str,
    /// Further kernel arguments: those of `recipe/init-vm.sh`.
    pub arguments: &'a str,
    /// Whether a reboot from within restarts it; otherwise it ends.
    pub reboots: bool,
}

impl<'node> Vm<'node> {
    /// Starts a VM with a VF of the node's adapter `pf`, whose VFs must be there, and waits until it
    /// pings through it.
    ///
    /// # Errors
    /// When libvirt refuses it, in libvirt's words, or the VM does not ping in time.
    pub fn start(node: &'node Node, name: &str, pf: &str) -> Result<Self> {
        let network = NETWORK.replace("POOL", POOL).replace("PF", pf);
        let domain = domain(
            name,
            1,
            &format!(
                "<interface type='network'><mac address='{}'/><source network='{POOL}'/></interface>",
                mac(name)
            ),
        );
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

    /// Defines a VM with these vCPUs and interfaces that has nothing to boot, and is not started.
    ///
    /// # Errors
    /// When libvirt refuses it, in libvirt's words.
    pub fn define(node: &'node Node, name: &str, vcpus: u32, interfaces: &str) -> Result<Self> {
        let domain = fill(STOPPED, name, vcpus, interfaces);
        let script = format!("virsh define <(echo {})", quote(&domain));
        node.check(&format!("define VM {name}"), &script)?;
        Ok(Self::defined(node, name))
    }

    /// Defines a VM with 2 vCPUs and a virtio vNIC on the node's bridge `bridge`, starts it, and waits
    /// until it pings through it. With an `alias` the vNIC has it, and offers failover to a VF.
    ///
    /// # Errors
    /// When libvirt refuses it, in libvirt's words, or the VM does not ping in time.
    pub fn start_on_bridge(
        node: &'node Node,
        name: &str,
        bridge: &str,
        alias: Option<&str>,
    ) -> Result<Self> {
        let teaming = alias.map_or_else(String::new, |alias| {
            format!("<teaming type='persistent'/><alias name='{alias}'/>")
        });
        let domain = domain(
            name,
            2,
            &format!(
                "<interface type='bridge'><mac address='{}'/><source bridge='{bridge}'/>\
                 <model type='virtio'/>{teaming}</interface>",
                mac(name)
            ),
        );
        Self::define_and_start(node, name, &domain, "pinging through its vNIC")
    }

    /// Defines a VM with 2 vCPUs and these interfaces (in which `MAC` stands for its MAC), starts it,
    /// and waits until it pings `target` from `address`, which has a prefix length.
    ///
    /// # Errors
    /// When libvirt refuses it, in libvirt's words, or the VM does not ping in time.
    pub fn start_on_wire(
        node: &'node Node,
        name: &str,
        interfaces: &str,
        address: &str,
        target: &str,
    ) -> Result<Self> {
        let arguments = format!("console=ttyS0 ip={address} ping={target} ");
        let domain = domain(name, 2, &interfaces.replace("MAC", &mac(name)))
            .replace("console=ttyS0 ", &arguments);
        Self::define_and_start(node, name, &domain, "pinging over the wire")
    }

    /// Defines a VM with 2 vCPUs as `guest` describes it; it is not started.
    ///
    /// # Errors
    /// When libvirt refuses it, in libvirt's words.
    pub fn define_guest(node: &'node Node, name: &str, guest: &Guest<'_>) -> Result<Self> {
        let arguments = format!("console=ttyS0 {} ", guest.arguments);
        let mut domain = domain(name, 2, &guest.interfaces.replace("MAC", &mac(name)))
            .replace("console=ttyS0 ", &arguments);
        if guest.reboots {
            domain = domain.replace("<on_reboot>destroy", "<on_reboot>restart");
        }
        let script = format!("virsh define <(echo {})", quote(&domain));
        node.check(&format!("define VM {name}"), &script)?;
        Ok(Self::defined(node, name))
    }

    /// Defines a VM and starts it, until it pings.
    fn define_and_start(node: &'node Node, name: &str, domain: &str, what: &str) -> Result<Self> {
        let script = format!("virsh define <(echo {})", quote(domain));
        node.check(&format!("define VM {name}"), &script)?;
        let vm = Self::defined(node, name);
        vm.power_on(what)?;
        Ok(vm)
    }

    /// Starts a VM, until it pings; `what` completes "VM vm1 ...". One whose own boot comes to nothing is
    /// started again.
    ///
    /// # Errors
    /// When libvirt refuses it, in libvirt's words, or the VM does not ping in time.
    pub fn power_on(&self, what: &str) -> Result<()> {
        let (node, name) = (self.node, &self.name);
        let mut attempt = 1;
        loop {
            node.check(&format!("start VM {name}"), &format!("virsh start {name}"))?;
            match self.wait_for(what, |state| state.pings) {
                Ok(_) => return Ok(()),
                Err(error) if attempt == STARTS => return Err(error),
                Err(error) => {
                    eprintln!("{error}\nstarting it again ({attempt} of {STARTS} starts used)");
                    // It may have ended by itself.
                    let _ = node.run(&format!("virsh destroy {name}"));
                    attempt += 1;
                }
            }
        }
    }

    /// Runs a shell script inside the VM and returns what it printed, errors included. It must end
    /// within a minute; the VM's agent answers nothing else meanwhile.
    ///
    /// # Errors
    /// When the agent does not answer, or the script fails.
    pub fn exec(&self, script: &str) -> Result<String> {
        let name = &self.name;
        let script = format!(
            r#"script=$(printf %s {} | base64 -w0)
            answer=$(virsh qemu-agent-command --timeout 70 {name} \
                "{{\"execute\":\"lab-run\",\"arguments\":{{\"script\":\"$script\"}}}}") || exit 125
            echo "$answer" | sed -n 's/.*"output":"\([^"]*\)".*/\1/p' | base64 -d
            exit $(echo "$answer" | sed -n 's/.*"status":\([0-9]*\).*/\1/p')"#,
            quote(script)
        );
        let what = format!("run a script inside VM {name}");
        self.node.check(&what, &script)
    }

    /// The VM as the node that it moved to has it.
    #[must_use]
    pub fn on<'other>(&self, node: &'other Node) -> Vm<'other> {
        Vm::defined(node, &self.name)
    }

    /// A VM that was defined before, as after a reset of its node.
    #[must_use]
    pub fn defined(node: &'node Node, name: &str) -> Self {
        Self {
            node,
            name: name.to_owned(),
        }
    }

    /// The MAC of its NIC.
    #[must_use]
    pub fn mac(&self) -> String {
        mac(&self.name)
    }

    /// Its UUID.
    ///
    /// # Errors
    /// When libvirt does not know it any more.
    pub fn uuid(&self) -> Result<String> {
        let script = format!("virsh domuuid {}", self.name);
        let uuid = self.node.check("tell the UUID of the VM", &script)?;
        Ok(uuid.trim().to_owned())
    }

    /// The domain's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the VM reports next about its NIC. It speaks about once a second.
    ///
    /// # Errors
    /// When it reports nothing more.
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

    /// Pings that were not answered within a second, lost or late, of all that were sent until now.
    ///
    /// # Errors
    /// When the VM reports nothing more.
    pub fn lost(&self) -> Result<u32> {
        let sent = self.state()?.sent;
        let judged = self.wait_for("with its pings judged", |state| state.judged >= sent)?;
        Ok(judged.lost + judged.late)
    }

    /// The lines at which its VF, or its count of pings without an answer, changed.
    #[must_use]
    pub fn history(&self) -> String {
        let script = format!(
            "grep -aE '{WHOLE}' {} | awk '{{ now = $5 $6 $7; if (now != last) print; last = now }}'",
            self.log()
        );
        self.node.run(&script).stdout
    }

    /// As [`Vm::lost`], less `before`, once pings were counted for `time` more.
    ///
    /// # Errors
    /// As [`Vm::lost`].
    pub fn lost_since(&self, before: u32, time: Duration) -> Result<u32> {
        std::thread::sleep(time);
        Ok(self.lost()? - before)
    }

    /// Waits until the VM reports what is `wanted`; `what` completes "VM vm1 ...".
    ///
    /// # Errors
    /// When it does not in time, with the end of what it reported.
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
        let detail = self.node.run(&format!(
            "tail -n 15 {} {}; virsh list --all",
            self.log(),
            self.log().replace(".log", ".kernel.log")
        ));
        Err(Error::Deadline {
            what: format!("VM {} {what}", self.name),
            deadline: START,
            detail: detail.stdout,
        })
    }

    /// Ends the VM; its VF goes back to the pool. A libvirt whose own daemon ends meanwhile is asked
    /// again, and its output is in the error.
    ///
    /// # Errors
    /// When libvirt refuses it.
    pub fn destroy(self) -> Result<()> {
        let destroy = format!("virsh destroy {}", self.name);
        let first = self.node.run(&destroy);
        if first.success() {
            return Ok(());
        }
        let daemon = self
            .node
            .run("journalctl --unit libvirtd --no-pager --lines 20");
        eprintln!(
            "{first}\n{daemon}\nasking libvirt again to end VM {}",
            self.name
        );
        let ended = format!(
            "{destroy} || virsh domstate {} | grep 'shut off'",
            self.name
        );
        self.node
            .check(&format!("end VM {}", self.name), &ended)
            .map(drop)
    }

    fn log(&self) -> String {
        format!("/var/log/libvirt/{}.log", self.name)
    }
}

/// The definition of a VM with this vNIC.
fn domain(name: &str, vcpus: u32, interface: &str) -> String {
    fill(DOMAIN, name, vcpus, interface)
}

fn fill(template: &str, name: &str, vcpus: u32, interface: &str) -> String {
    template
        .replace("NAME", name)
        .replace("VCPUS", &vcpus.to_string())
        .replace("INTERFACE", interface)
}

/// A line such as `vm: nic=eth0 driver=igbvf address=10.0.2.15/24 vf=eth0 lost=0 late=0 sent=9
/// judged=8 ping=ok`.
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
        vf: value("vf")?,
        lost: value("lost")??.parse().ok()?,
        late: value("late")??.parse().ok()?,
        sent: value("sent")??.parse().ok()?,
        judged: value("judged")??.parse().ok()?,
        pings: value("ping")?.as_deref() == Some("ok"),
    })
}

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
        let line = "vm: nic=eth0 driver=igbvf address=10.0.2.15/24 vf=eth0 lost=3 late=1 sent=9 \
                    judged=8 ping=ok\r\n";
        let state = parse(line).expect("a state");
        assert_eq!(state.nic.as_deref(), Some("eth0"));
        assert_eq!(state.address.as_deref(), Some("10.0.2.15/24"));
        assert_eq!((state.vf.as_deref(), state.lost), (Some("eth0"), 3));
        assert_eq!((state.late, state.sent, state.judged), (1, 9, 8));
        assert!(state.pings);
    }

    #[test]
    fn a_vm_without_nic_has_an_error() {
        let line = "vm: nic=none driver=none address=none vf=none lost=0 late=0 sent=1 judged=0 \
                    ping=lost";
        let state = parse(line).expect("a state");
        assert_eq!(
            state,
            VmState {
                nic: None,
                driver: None,
                address: None,
                vf: None,
                lost: 0,
                late: 0,
                sent: 1,
                judged: 0,
                pings: false
            }
        );
        assert_eq!(parse("[    1.0] a kernel message"), None);
    }
}
