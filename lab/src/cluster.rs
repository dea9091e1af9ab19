//! Several nodes on one wire.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::command::quote;
use crate::error::Result;
use crate::image::build;
use crate::node::{Node, accelnet_binary};
use crate::qemu::Seat;
use crate::slots::Slot;
use crate::topology::Topology;
use crate::wire::Wire;

/// What a daemon of a node takes to answer; a busy machine may take much longer.
const SOON: Duration = Duration::from_secs(120);
/// What joins a node to the others at each of its boots.
const JOIN: &str = include_str!("../templates/wire.service");
const ETCD: &str = include_str!("../templates/etcd.service");

/// Nodes `n1`, `n2` and so on, whose `pf0` are on one wire.
///
/// There they have the addresses that [`Cluster::address`] shows, and know each other by name. All
/// are gone when this value is dropped.
#[derive(Debug)]
pub struct Cluster {
    // Dropped in this order: nodes before what they are plugged into, and before their places.
    nodes: Vec<Node>,
    wire: Wire,
    _slot: Slot,
}

impl Cluster {
    /// Boots `count` nodes (up to 9) at once, and waits until all can be used. Each finds the program
    /// under test as `accelnet` on its path.
    ///
    /// # Errors
    /// As [`Node::boot_with`]; the first node that fails.
    pub fn boot(topology: &Topology, count: u8) -> Result<Self> {
        Self::boot_each(&vec![topology.clone(); count.into()])
    }

    /// As [`Cluster::boot`], each node as it is described.
    ///
    /// # Errors
    /// As [`Cluster::boot`].
    pub fn boot_each(topologies: &[Topology]) -> Result<Self> {
        let count = u8::try_from(topologies.len()).unwrap_or(u8::MAX);
        let programs = [accelnet_binary()?];
        // Made by one, before all of them want it.
        drop(build()?);
        let slot = Slot::take_many(count.into())?;
        let wire = Wire::new(count.into())?;
        let nodes: Vec<Result<Node>> = thread::scope(|scope| {
            let boots: Vec<_> = (1..=count)
                .zip(topologies)
                .map(|(number, topology)| {
                    let seat = Seat {
                        number,
                        wire: Some(wire.socket(usize::from(number) - 1)),
                    };
                    let programs = &programs;
                    scope.spawn(move || boot_one(topology, seat, count, programs))
                })
                .collect();
            boots
                .into_iter()
                .map(|boot| {
                    boot.join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect()
        });
        Ok(Self {
            nodes: nodes.into_iter().collect::<Result<_>>()?,
            wire,
            _slot: slot,
        })
    }

    /// The node with this number, from 1.
    ///
    /// # Panics
    /// When there is no such node.
    #[must_use]
    pub fn node(&self, number: u8) -> &Node {
        &self.nodes[usize::from(number) - 1]
    }

    /// All nodes, `n1` first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The address on the wire of the node with this number.
    #[must_use]
    pub fn address(number: u8) -> String {
        format!("192.168.50.{number}")
    }

    /// The address of a station on the wire that is on none of the nodes, and answers pings.
    #[must_use]
    pub fn outside() -> String {
        crate::wire::OUTSIDE.map(|byte| byte.to_string()).join(".")
    }

    /// Cuts a node off from the others. Its adapter keeps its link.
    pub fn cut(&self, number: u8) {
        self.wire.cut(usize::from(number) - 1, true);
    }

    /// Reconnects a node that was cut off.
    pub fn reconnect(&self, number: u8) {
        self.wire.cut(usize::from(number) - 1, false);
    }

    /// Pulls a node's plug. Its disk stays as it was at that moment.
    pub fn kill(&mut self, number: u8) {
        self.nodes[usize::from(number) - 1].kill();
    }

    /// Boots a node that was killed, from the disk that it had.
    ///
    /// # Errors
    /// When it is not up in time, with the end of its console.
    pub fn start(&mut self, number: u8) -> Result<()> {
        self.nodes[usize::from(number) - 1].start_again()
    }

    /// Starts etcd on the nodes with these numbers, as one store, and waits until it answers. It
    /// starts again with its node, as unit `lab-etcd`. The answer is how an agent names it.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub fn start_etcd(&self, members: &[u8]) -> Result<String> {
        let peers: Vec<String> = members
            .iter()
            .map(|number| format!("n{number}=http://{}:2380", Self::address(*number)))
            .collect();
        let clients: Vec<String> = members
            .iter()
            .map(|number| format!("{}:2379", Self::address(*number)))
            .collect();
        for &number in members {
            let unit = ETCD
                .replace("NAME", &format!("n{number}"))
                .replace("ADDRESS", &Self::address(number))
                .replace("PEERS", &peers.join(","));
            let script = format!(
                "echo {} > /etc/systemd/system/lab-etcd.service
                 systemctl daemon-reload
                 systemctl enable --now --no-block lab-etcd",
                quote(&unit)
            );
            self.node(number).check("start etcd", &script)?;
        }
        let healthy = format!(
            "ETCDCTL_API=3 etcdctl --endpoints={} endpoint health",
            clients.join(",")
        );
        for &number in members {
            self.node(number).wait_until("etcd", &healthy, SOON)?;
        }
        Ok(format!("etcd://{}", clients.join(",")))
    }
}

/// Boots one node and joins it to the others.
fn boot_one(topology: &Topology, seat: Seat, count: u8, programs: &[PathBuf]) -> Result<Node> {
    let number = seat.number;
    let topology = Topology {
        name: format!("n{number}"),
        ..topology.clone()
    };
    let node = Node::boot_at(&topology, build()?, seat, None, programs)?;
    let hosts: String = (1..=count)
        .map(|other| format!("{} n{other}\n", Cluster::address(other)))
        .collect();
    let unit = JOIN.replace("ADDRESS", &Cluster::address(number));
    let script = format!(
        "printf %s {} >> /etc/hosts
         echo {} > /etc/systemd/system/lab-wire.service
         systemctl daemon-reload
         systemctl enable --now lab-wire",
        quote(&hosts),
        quote(&unit)
    );
    node.check("join the wire", &script)?;
    Ok(node)
}
