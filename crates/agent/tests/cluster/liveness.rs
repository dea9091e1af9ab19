//! Who is up, and who is down.

use accelnet_agent::cluster::OBSERVER_SLOTS;
use accelnet_agent::cluster::nodes::Nodes;
use accelnet_model::Code;
use accelnet_store::Store;
use accelnet_store::testing::{EtcdServer, until};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::etcd::{Node, pair};

#[test]
fn a_node_whose_lease_ends_is_down_until_it_gives_a_sign_of_life() {
    let server = EtcdServer::start();
    let [one, mut other] = pair(&server);
    assert_eq!(one.status().nodes_down, [""; 0]);
    other.stop_agent();
    assert!(until(|| one.status().nodes_down == ["node2"]));
    let status = one.status();
    assert_eq!(status.nodes, 2, "its report stays");
    let reported = || {
        let events = one.client.events(0, 1000, Duration::ZERO);
        let events = events.expect("events").events;
        let down = events
            .iter()
            .filter(|event| event.code == Some(Code::NodeDown));
        down.count()
    };
    assert!(until(|| reported() == 1));
    let nodes = Nodes::new(Arc::new(server.store("cluster")), "node1");
    let all = nodes.all().expect("nodes");
    let down: Vec<bool> = all.iter().map(|node| node.is_down()).collect();
    assert_eq!(down, [false, true], "{all:?}");
    other.start_agent();
    assert!(until(|| one.status().nodes_down.is_empty()));
    assert!(nodes.down().expect("nodes").is_empty());
}

/// Few nodes look after the heartbeats of all. When all of those go at once, others take their
/// places and find that they are gone.
#[test]
fn the_places_of_those_that_look_after_all_are_taken_by_others() {
    let server = EtcdServer::start();
    let nodes: Vec<Node> = (1..=5).map(|n| Node::start(n, &server)).collect();
    let store = server.store("cluster");
    let observers = || {
        let places = store.range("observers/").expect("places").entries;
        let names = places.into_iter().map(|place| {
            let text = String::from_utf8(place.value).expect("text");
            let whole: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            whole["value"]["node"].as_str().expect("a name").to_owned()
        });
        names.collect::<BTreeSet<String>>()
    };
    assert!(until(|| observers().len() == OBSERVER_SLOTS));
    let gone = observers();
    let (mut stopped, left): (Vec<Node>, Vec<Node>) = nodes
        .into_iter()
        .partition(|node| gone.contains(&node.machine.name));
    assert_eq!(left.len(), 5 - OBSERVER_SLOTS);
    for node in &mut stopped {
        node.stop_agent();
    }
    for node in &left {
        assert!(until(|| {
            let down = node.status().nodes_down;
            down.into_iter().collect::<BTreeSet<String>>() == gone
        }));
    }
    let reported = |name: &str| {
        let events = left[0].client.events(0, 1000, Duration::ZERO);
        let events = events.expect("events").events;
        let of_it = events
            .iter()
            .filter(|event| event.code == Some(Code::NodeDown) && event.subject == name);
        of_it.count()
    };
    for name in &gone {
        assert!(until(|| reported(name) == 1), "{name}");
    }
    let names: BTreeSet<String> = left.iter().map(|node| node.machine.name.clone()).collect();
    assert!(until(|| observers() == names));

    let back = &mut stopped[0];
    back.start_agent();
    assert!(until(|| observers().len() == OBSERVER_SLOTS));
    assert!(until(
        || back.status().nodes_down.len() == OBSERVER_SLOTS - 1
    ));
    assert_eq!(reported(&back.machine.name), 1);
}
