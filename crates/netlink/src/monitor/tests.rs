use super::*;
use crate::attr::Writer;
use crate::decode::ifinfo;

fn link(kind: u16, family: u8, name: &str) -> Vec<u8> {
    let mut header = ifinfo(7);
    header[0] = family;
    let mut body = Writer::new(&header);
    body.text(IFLA_IFNAME, name);
    message(kind, &body.finish())
}

fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    Message {
        kind,
        flags: 0,
        sequence: 0,
        body,
    }
    .encode()
}

fn named(name: &str) -> (u32, String) {
    (7, name.to_owned())
}

#[test]
fn a_port_that_leaves_its_bridge_is_not_gone() {
    let datagram = [
        link(RTM_NEWLINK, 0, "eth0"),
        link(RTM_DELLINK, AF_BRIDGE, "eth0"),
        link(RTM_DELLINK, 0, "eth0"),
    ]
    .concat();
    let (index, name) = named("eth0");
    let changed = Event::Changed {
        index,
        name: name.clone(),
    };
    assert_eq!(
        events(&datagram),
        Ok(vec![changed, Event::Gone { index, name }])
    );
}

#[test]
fn addresses_are_reported_by_link_and_routes_once() {
    let mut address = [0; IFADDR_LEN];
    address[4..].copy_from_slice(&5u32.to_ne_bytes());
    let datagram = [
        message(RTM_DELADDR, &address),
        message(RTM_NEWROUTE, &[0; RTMSG_LEN]),
        message(RTM_DELROUTE, &[0; RTMSG_LEN]),
    ]
    .concat();
    assert_eq!(
        events(&datagram),
        Ok(vec![Event::Addresses { index: 5 }, Event::Routes])
    );
}

#[test]
fn what_is_cut_is_an_error() {
    let whole = link(RTM_NEWLINK, 0, "eth0");
    let cut = message(RTM_NEWLINK, &whole[16..24]);
    let error = events(&cut).unwrap_err();
    assert_eq!(
        error.to_string(),
        "listen for changes of links: the answer is invalid: a link is short"
    );
}
