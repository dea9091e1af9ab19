//! A node that has its address and its default route from router advertisements.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::time::Duration;

use accelnet_host::{Clock, SystemClock};
use accelnet_netlink::link;
use rustix::net::{
    AddressFamily, SendFlags, SocketFlags, SocketType, ipproto, sendto, socket_with, sockopt,
};

use crate::bench::Bench;

/// Sends a router advertisement (RFC 4861, 4.2) out of `gw0`: a default router for half an
/// hour, and 2001:db8:5::/64 for addresses.
fn advertise(valid: u32) {
    let family = AddressFamily::INET6;
    let socket = socket_with(
        family,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(ipproto::ICMPV6),
    );
    let socket = socket.expect("root may");
    sockopt::set_ipv6_multicast_hops(&socket, 255).expect("set");
    let prefix: Ipv6Addr = "2001:db8:5::".parse().expect("an address");
    let mut packet = vec![134, 0, 0, 0, 64, 0];
    packet.extend_from_slice(&1800u16.to_be_bytes());
    packet.extend_from_slice(&[0; 8]);
    // Prefix information: on the link, and for addresses.
    packet.extend_from_slice(&[3, 4, 64, 0xc0]);
    packet.extend_from_slice(&valid.to_be_bytes());
    packet.extend_from_slice(&1000u32.to_be_bytes());
    packet.extend_from_slice(&[0; 4]);
    packet.extend_from_slice(&prefix.octets());
    let everyone = "ff02::1".parse().expect("an address");
    let index = link("gw0").expect("there").index;
    let to = SocketAddrV6::new(everyone, 0, 0, index);
    sendto(&socket, &packet, SendFlags::empty(), &to).expect("sent");
}

#[test]
fn the_bridge_goes_on_where_the_adapter_was() {
    let Some(bench) = Bench::new("advert") else {
        return;
    };
    let pause = || SystemClock.sleep(Duration::from_millis(300));
    bench.node.ip("-6 route del default via fe80::1 dev up0");
    // The one that the gateway sends from.
    bench.gateway.ip("-6 addr flush dev gw0 scope link");
    bench.gateway.ip("addr add fe80::1/64 dev gw0 nodad");
    SystemClock.sleep(Duration::from_secs(2));
    bench.gateway.inside(|| advertise(3600));
    pause();
    let told = |link: &str| {
        let addresses = bench
            .node
            .ip_output(&format!("-6 addr show dev {link} to 2001:db8:5::/64"));
        addresses
            + &bench
                .node
                .ip_output(&format!("-6 route show default dev {link}"))
    };
    assert!(told("up0").contains("valid_lft 3"), "{}", told("up0"));
    assert!(told("up0").contains("via fe80::1 proto ra metric 1024"));

    let plan = bench.plan("acn-vms").expect("a plan");
    bench
        .hand_over(&plan, Duration::from_secs(20))
        .expect("done");
    assert!(!told("up0").contains("2001"), "{}", told("up0"));
    assert!(told("acn-vms").contains("valid_lft 3"));
    assert!(told("acn-vms").contains("via fe80::1 proto ra metric 1025"));

    bench.gateway.inside(|| advertise(9000));
    pause();
    let renewed = told("acn-vms");
    assert!(
        renewed.contains("valid_lft 8999") || renewed.contains("valid_lft 9000"),
        "{renewed}"
    );
    assert!(renewed.contains("proto ra metric 1024"), "{renewed}");
}
