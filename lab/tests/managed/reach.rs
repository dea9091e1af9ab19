//! Every station of a node reaches every other: two VMs, a network namespace on the bridge, and the node, over
//! IPv4 and IPv6, while a VM comes and goes between its paths.

use std::time::Duration;

use accelnet_lab::{Guest, Node, Vm, topologies};

use crate::running::sends_over_its_vf;
use crate::setting::{SOON, done, managed};

/// A vNIC that can take a VM's traffic while it has no VF.
const NIC: &str = "<interface type='network'><mac address='MAC'/><source network='accelnet-lan'/>\
    <model type='virtio'/><teaming type='persistent'/><alias name='ua-mine'/></interface>";
/// Who is there, by the last part of the address.
const ALL: [&str; 4] = ["web", "db", "namespace", "node"];
/// Pings of each pair in each protocol, one a second.
const PINGS: u32 = 45;
/// A ping is waited for for so long.
const LATE: u32 = 10;

fn addresses(place: usize) -> [String; 2] {
    [
        format!("192.168.60.{}", place + 1),
        format!("fd00:60::{}", place + 1),
    ]
}

/// A VM that pings the namespace.
fn guest<'node>(node: &'node Node, name: &str, place: usize) -> Vm<'node> {
    let [four, six] = addresses(place);
    let [target, _] = addresses(2);
    let arguments = format!("ip={four}/24 ip6={six}/64 ping={target}");
    let guest = Guest {
        interfaces: NIC,
        arguments: &arguments,
        reboots: false,
    };
    let vm = Vm::define_guest(node, name, &guest).unwrap_or_else(|error| panic!("{error}"));
    vm.power_on("pinging the namespace")
        .unwrap_or_else(|error| panic!("{error}"));
    vm
}

/// A node with an intent, a namespace on its bridge, and two VMs.
struct Place<'node> {
    node: &'node Node,
    web: Vm<'node>,
    db: Vm<'node>,
}

/// A node that is ready for [`Place::of`], with so many VFs.
fn prepared(vfs: u32) -> Node {
    let node = managed(&topologies::igb_acs(), Some(vfs));
    let [[ns4, ns6], [host4, host6]] = [addresses(2), addresses(3)];
    let _ = node.ok(&format!(
        "ip netns add other
         ip link add veth0 type veth peer name eth0 netns other
         ip link set veth0 master acn-lan up
         ip -n other link set eth0 up
         ip -n other addr add {ns4}/24 dev eth0
         ip -n other addr add {ns6}/64 dev eth0 nodad
         ip addr add {host4}/24 dev acn-lan
         ip addr add {host6}/64 dev acn-lan nodad"
    ));
    node
}

impl<'node> Place<'node> {
    fn of(node: &'node Node) -> Self {
        Place {
            node,
            web: guest(node, "web", 0),
            db: guest(node, "db", 1),
        }
    }

    /// Runs a script at one of [`ALL`].
    fn at(&self, place: usize, script: &str) -> String {
        let ran = match ALL[place] {
            "web" => self.web.exec(script),
            "db" => self.db.exec(script),
            "namespace" => {
                let script = format!("ip netns exec other sh <<'END'\n{script}\nEND");
                self.node.check("run in the namespace", &script)
            }
            _ => self.node.check("run on the node", script),
        };
        ran.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The node and the namespace find the VMs, which thereby know them: multicast of a VF does not reach the PF
    /// of the emulated adapter (docs/lab.md).
    fn are_found(&self) {
        for from in [2, 3] {
            for to in [0, 1] {
                let [_, six] = addresses(to);
                let _ = self.at(from, &format!("ping -c 5 -W 1 {six} > /dev/null || true"));
            }
        }
    }

    /// Does something while each pings each of the others. Of no pair and protocol more than two pings are
    /// lost.
    fn while_all_ping(&self, what: &str, does: impl FnOnce()) {
        self.are_found();
        for (from, name) in ALL.iter().enumerate() {
            let others = (0..ALL.len()).filter(|to| *to != from);
            let targets: Vec<String> = others.flat_map(addresses).collect();
            let script = format!(
                "mkdir -p /tmp/pings-{name}; rm -f /tmp/pings-{name}/*
                 for target in {}; do
                     ping -c {PINGS} -W {LATE} $target > /tmp/pings-{name}/$target 2>&1 < /dev/null &
                 done",
                targets.join(" ")
            );
            let _ = self.at(from, &script);
        }
        does();
        let mut lost = Vec::new();
        for (from, name) in ALL.iter().enumerate() {
            // Each file ends with its count once all are waited for.
            let script = format!(
                "cd /tmp/pings-{name}
                 n=0
                 while [ $(grep -l transmitted * | wc -l) -lt 6 ] && [ $n -lt 50 ]; do sleep 1; n=$((n + 1)); done
                 for target in *; do
                     echo \"$target $(sed -n 's/^\\([0-9]*\\) packets transmitted, \\([0-9]*\\).*/\\1 \\2/p' $target)\"
                 done"
            );
            // It may be asked again: an answer takes no longer than a minute.
            let _ = self.at(from, &script);
            let counts = self.at(from, &script);
            println!("{what}: {name}: {}", counts.trim().replace('\n', ", "));
            for count in counts.lines() {
                let words: Vec<&str> = count.split_whitespace().collect();
                let [target, sent, answered] = words[..] else {
                    panic!("{what}: {name}: {count:?}");
                };
                let number = |text: &str| text.parse::<u32>().expect("a number");
                let missing = number(sent) - number(answered);
                if number(sent) < PINGS || missing > 2 {
                    lost.push(format!("{name} to {target}: {missing} of {sent} lost"));
                }
            }
        }
        let shown = self.node.run(
            "bridge fdb show dev pf0; bridge fdb show br acn-lan | grep -v permanent; ip link show pf0; \
             accelnet vm list; accelnet log --limit 12",
        );
        assert!(lost.is_empty(), "{what}: {lost:#?}\n{shown}");
    }

    /// Whether the filter of the adapter has the MAC.
    fn is_in_filter(&self, mac: &str) -> bool {
        let shown = self.node.ok("bridge fdb show dev pf0");
        shown.contains(&format!("{mac} self"))
    }
}

/// Gives a VM time to be wherever it goes, and others to notice what they would.
fn rest(node: &Node) {
    let _ = node.ok("sleep 20");
}

#[test]
#[cfg_attr(not(feature = "long"), ignore = "run by 'cargo xtask test --all'")]
fn all_pairs_reach_each_other_whichever_path_a_vm_has() {
    let node = prepared(3);
    let place = Place::of(&node);
    place.while_all_ping("both on the software path", || {});
    place.while_all_ping("a VM gets its VF", || {
        let _ = done(&node, "vm enable web --performance low");
        let _ = place
            .web
            .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
            .unwrap_or_else(|error| panic!("{error}"));
        rest(&node);
    });
    sends_over_its_vf(&node, &place.web);
    assert!(place.is_in_filter(&place.db.mac()));
    assert!(!place.is_in_filter(&place.web.mac()));
    // Caches are emptied: ARP and neighbour discovery find the others.
    for from in 0..ALL.len() {
        let flush = "for link in $(ls /sys/class/net); do ip neigh flush dev $link; done; true";
        let _ = place.at(from, flush);
    }
    place.while_all_ping("one on its VF, one on the software path", || {});
    place.while_all_ping("a VM gives its VF back", || {
        let _ = done(&node, "vm disable web");
        rest(&node);
    });
    assert!(place.is_in_filter(&place.web.mac()));
}

#[test]
#[cfg_attr(not(feature = "long"), ignore = "run by 'cargo xtask test --all'")]
fn a_vm_that_falls_back_for_want_of_a_vf_is_reached() {
    let node = prepared(2);
    let place = Place::of(&node);
    for vm in ["web", "db"] {
        let _ = done(&node, &format!("vm enable {vm} --performance low"));
    }
    for vm in [&place.web, &place.db] {
        let _ = vm
            .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    rest(&node);
    // A user takes the VF of `db`, and gives it to another VM.
    let filler = "<domain type='kvm'><name>filler</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>\
        <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features><devices>\
        <controller type='usb' model='none'/><interface type='network'><source network='accelnet-lan-vf'/>\
        </interface><memballoon model='none'/></devices></domain>";
    let steal = format!(
        "virsh dumpxml db | sed -n \"/<interface type='hostdev'/,/<.interface>/p\" > /run/vf.xml
         for try in 1 2 3 4 5 6; do
             virsh detach-device db /run/vf.xml --live
             virsh create --paused <(echo \"{filler}\") && exit 0
             sleep 5
         done
         exit 1"
    );
    place.while_all_ping("a VM loses its VF", || {
        let _ = node.ok(&steal);
        node.wait_until(
            "a VM without a VF",
            "accelnet vm show db --output json | grep '\"acceleration\": \"degraded\"'",
            SOON,
        )
        .unwrap_or_else(|error| panic!("{error}"));
        rest(&node);
    });
    sends_over_its_vf(&node, &place.web);
    assert!(place.is_in_filter(&place.db.mac()));
    place.while_all_ping("a VM gets its VF back", || {
        let _ = node.ok("virsh destroy filler");
        let _ = place
            .db
            .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
            .unwrap_or_else(|error| panic!("{error}"));
        rest(&node);
    });
    let gone = format!("! bridge fdb show dev pf0 | grep '{} self'", place.db.mac());
    node.wait_until("a filter without the MAC", &gone, Duration::from_secs(60))
        .unwrap_or_else(|error| panic!("{error}"));
}
