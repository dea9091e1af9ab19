//! Where a link is named: rules of policy routing, and traffic control.

use std::process::Command;

use accelnet_netlink::{disciplines, rules_of};

use crate::support::Namespace;

#[test]
fn rules_and_queueing_disciplines_of_a_link_and_of_no_other_are_read() {
    let Some(space) = Namespace::new("named") else {
        return;
    };
    space.ip("link add name up0 type veth peer name up1");
    space.inside(|| {
        assert_eq!(rules_of("up0").expect("answered"), [""; 0]);
        assert_eq!(disciplines("up0").expect("answered"), [""; 0]);
    });
    space.ip("rule add iif up0 from 192.0.2.0/24 lookup 7 priority 100");
    space.ip("rule add oif up0 to 198.51.100.4 lookup 1000 priority 101");
    space.ip("-6 rule add iif up0 lookup 8 priority 102");
    space.ip("rule add iif up1 lookup 9 priority 103");
    let set = Command::new("tc")
        .args([
            "-n",
            space.name(),
            "qdisc",
            "add",
            "dev",
            "up0",
            "root",
            "handle",
            "a:",
            "pfifo",
        ])
        .status();
    assert!(set.expect("tc runs").success());
    space.inside(|| {
        assert_eq!(
            rules_of("up0").expect("answered"),
            [
                "100: from 192.0.2.0/24 iif up0 lookup 7",
                "101: from all to 198.51.100.4/32 oif up0 lookup 1000",
                "102: from all iif up0 lookup 8",
            ]
        );
        assert_eq!(disciplines("up0").expect("answered"), ["qdisc pfifo a:"]);
        assert_eq!(disciplines("up1").expect("answered"), [""; 0]);
        assert!(disciplines("up9").is_err());
    });
}
