//! Who is up, and who is down.

use accelnet_agent::cluster::nodes::Nodes;
use accelnet_model::Code;
use accelnet_store::testing::{EtcdServer, until};
use std::sync::Arc;
use std::time::Duration;

use crate::etcd::pair;

#[test]
fn a_node_whose_lease_ends_is_down_until_it_gives_a_sign_of_life() {
    let server = EtcdServer::start();
    let [one, mut other] = pair(&server);
    assert_eq!(one.status().nodes_down, [""; 0]);
    other.stop_agent();
    assert!(until(|| one.status().nodes_down == ["node2"]));
    let status = one.status();
    assert_eq!(status.nodes, 2, "its report stays");
    let told = || {
        let events = one.client.events(0, 1000, Duration::ZERO);
        let events = events.expect("events").events;
        let down = events
            .iter()
            .filter(|event| event.code == Some(Code::NodeDown));
        down.count()
    };
    assert!(until(|| told() == 1));
    let nodes = Nodes::new(Arc::new(server.store("cluster")), "node1");
    let all = nodes.all().expect("nodes");
    let down: Vec<bool> = all.iter().map(|node| node.is_down()).collect();
    assert_eq!(down, [false, true], "{all:?}");
    other.start_agent();
    assert!(until(|| one.status().nodes_down.is_empty()));
    assert!(nodes.down().expect("nodes").is_empty());
}
