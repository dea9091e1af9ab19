//! A node with an adapter, and a gateway behind it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use accelnet_host::switch::guard::ChildGuard;
use accelnet_host::switch::hand_over::{Edge, HandedOver, Limits, NotHandedOver, hand_over};
use accelnet_host::switch::network_state;
use accelnet_host::{KernelLinks, KernelSwitches, Switches, SystemClock};
use accelnet_model::switch::{Bridge, Carried, Mention, Plan, PortRules, SwitchStep};
use accelnet_netlink::NetlinkError;
use accelnet_pci::Root;
use accelnet_rules::switch::{DesiredSwitch, SwitchRefusal, plan};

use crate::support::Namespace;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_accelnet");

/// What a node's gateways are.
pub const GATEWAYS: [&str; 2] = ["192.0.2.1", "fe80::1"];

/// A node whose adapter `up0` carries addresses and default routes, and its gateway.
pub struct Bench {
    pub node: Namespace,
    pub gateway: Namespace,
    pub folder: tempfile::TempDir,
}

impl Bench {
    /// None, with a word about it, without the right to make it.
    pub fn new(name: &str) -> Option<Self> {
        let node = Namespace::new(&format!("{name}-n"))?;
        let gateway = Namespace::new(&format!("{name}-g"))?;
        let far = gateway.name();
        node.ip("link set lo up");
        node.ip(&format!(
            "link add name up0 address 52:54:00:00:00:07 type veth peer name gw0 netns {far}"
        ));
        gateway.ip("link set gw0 up");
        gateway.ip("addr add 192.0.2.1/24 dev gw0");
        gateway.ip("addr add 198.51.100.1/24 dev gw0");
        gateway.ip("addr add 2001:db8::1/64 dev gw0 nodad");
        gateway.ip("addr add fe80::1/64 dev gw0 nodad");
        node.ip("link set up0 up");
        node.ip("addr add 192.0.2.4/24 brd 192.0.2.255 dev up0");
        node.ip("addr add 192.0.2.5/24 dev up0 label up0:1");
        node.ip("addr add 198.51.100.4/24 dev up0 noprefixroute");
        node.ip("route add 198.51.100.0/24 dev up0 proto kernel scope link metric 100");
        node.ip("addr add 2001:db8::4/64 dev up0 nodad valid_lft 3600 preferred_lft 1800");
        node.ip("route add default via 192.0.2.1 dev up0 metric 100 mtu 1400");
        node.ip("route add 203.0.113.0/24 via 198.51.100.1 dev up0 table 1000");
        node.ip("-6 route add default via fe80::1 dev up0 metric 1024 expires 1700");
        Some(Bench {
            node,
            gateway,
            folder: tempfile::tempdir().expect("a folder"),
        })
    }

    /// Everything that was handed over and comes back, as `ip` prints it.
    pub fn state(&self, link: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for question in [
            format!("-4 -o addr show dev {link}"),
            format!("-6 -o addr show dev {link} scope global"),
            format!("-4 route show table all dev {link}"),
            format!("-6 route show table main dev {link}"),
        ] {
            let told = self.node.ip_output(&question);
            let told = told.lines().map(|line| steady(line, link));
            let mut told: Vec<String> = told.filter(|line| !line.contains("fe80::/64")).collect();
            told.sort();
            lines.extend(told);
        }
        lines
    }

    /// What became of it, in the node.
    pub fn plan(&self, bridge: &str) -> Result<Plan, SwitchRefusal> {
        self.plan_with(bridge, &["up0"])
    }

    /// As [`Bench::plan`], with these adapters.
    pub fn plan_with(&self, bridge: &str, uplinks: &[&str]) -> Result<Plan, SwitchRefusal> {
        let wish = DesiredSwitch {
            bridge: bridge.to_owned(),
            uplinks: uplinks.iter().map(|name| (*name).to_owned()).collect(),
            had: None,
        };
        self.node.inside(|| {
            let root = Root::new(self.folder.path());
            let seen = network_state(&KernelSwitches, &KernelLinks, &root, &wish.uplinks);
            plan(&wish, &seen.expect("the kernel answers"))
        })
    }

    /// Does a plan in the node.
    pub fn hand_over(&self, plan: &Plan, within: Duration) -> Result<HandedOver, NotHandedOver> {
        self.hand_over_by(&KernelSwitches, plan, within)
    }

    /// As [`Bench::hand_over`], by way of these switches.
    pub fn hand_over_by(
        &self,
        switches: &dyn Switches,
        plan: &Plan,
        within: Duration,
    ) -> Result<HandedOver, NotHandedOver> {
        self.node
            .inside(|| execute(switches, plan, self.folder.path(), within))
    }

    /// Whether the node's gateways answer on `link`.
    pub fn gateways_answer(&self, link: &str) -> bool {
        self.node.inside(|| {
            GATEWAYS.iter().all(|ip| {
                let ip = ip.parse().expect("an address");
                KernelSwitches.answers(ip, link, Duration::from_secs(5))
            })
        })
    }
}

/// Does a plan in this thread's network namespace.
pub fn execute(
    switches: &dyn Switches,
    plan: &Plan,
    folder: &Path,
    within: Duration,
) -> Result<HandedOver, NotHandedOver> {
    let guard = ChildGuard {
        program: PROGRAM.into(),
        folder: folder.to_owned(),
    };
    let edge = Edge {
        switches,
        guard: &guard,
        clock: &SystemClock,
    };
    let limits = Limits {
        within,
        ..Limits::default()
    };
    hand_over(edge, plan, limits, &mut |_| {})
}

/// A line of `ip` without what changes by itself, and without the link's name.
fn steady(line: &str, link: &str) -> String {
    let line = line.split_once(": ").map_or(line, |(_, rest)| rest);
    let mut words = line.split_whitespace().peekable();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        match word {
            // Its time runs; that it has an end stays.
            "valid_lft" | "preferred_lft" | "expires" => {
                let ends = words.next().is_some_and(|time| time != "forever");
                kept.push(format!("{word} {}", if ends { "ends" } else { "forever" }));
            }
            // The kernel's account of it, not ours.
            "linkdown" | "nodad" | "dynamic" => {}
            word => kept.push(word.replace(link, "LINK")),
        }
    }
    kept.join(" ")
}

/// The kernel's switches, with something that happens before a step.
pub struct Hooked<F: Fn(&SwitchStep) + Send + Sync>(pub F);

impl<F: Fn(&SwitchStep) + Send + Sync> Switches for Hooked<F> {
    fn list_bridges(&self) -> Result<Vec<Bridge>, NetlinkError> {
        KernelSwitches.list_bridges()
    }

    fn carried(&self, link: &str) -> Result<Carried, NetlinkError> {
        KernelSwitches.carried(link)
    }

    fn port_rules(&self, bridge: &str) -> Result<Option<PortRules>, NetlinkError> {
        KernelSwitches.port_rules(bridge)
    }

    fn apply(&self, step: &SwitchStep) -> Result<(), NetlinkError> {
        (self.0)(step);
        KernelSwitches.apply(step)
    }

    fn mentions(&self, link: &str) -> Vec<Mention> {
        KernelSwitches.mentions(link)
    }

    fn answers(&self, gateway: IpAddr, link: &str, within: Duration) -> bool {
        KernelSwitches.answers(gateway, link, within)
    }
}
