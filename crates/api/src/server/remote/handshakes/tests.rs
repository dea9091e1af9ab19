use super::*;

fn at(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn one_network_keeps_nobody_else_out() {
    let all = Handshakes::default();
    let mut places: Vec<Place> = (0..FROM_ONE)
        .map(|number| {
            let address = at(&format!("2001:db8::{number:x}"));
            all.begin(address).expect("a place")
        })
        .collect();
    assert!(all.begin(at("2001:db8::ffff:1")).is_none());
    assert!(all.begin(at("2001:db8:0:1::1")).is_some());
    assert!(all.begin(at("192.0.2.1")).is_some());
    places.pop();
    assert!(all.begin(at("2001:db8::ffff:1")).is_some());
    drop(places);
    assert!(all.lock().is_empty(), "nothing is kept of those that went");
}

#[test]
fn all_networks_together_are_bounded() {
    let all = Handshakes::default();
    let places: Vec<Place> = (0..=255)
        .filter_map(|number| all.begin(at(&format!("192.0.2.{number}"))))
        .collect();
    assert_eq!(places.len(), ALL);
    let mapped = network(at("::ffff:192.0.2.1"));
    assert_eq!(mapped, at("192.0.2.1"));
}
