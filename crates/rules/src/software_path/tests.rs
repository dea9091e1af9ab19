use accelnet_model::firewall::{
    BridgeFilter, Calls, Chain, Condition, Family, FilteredBridge, Firewall, Names, Policy, Rule,
    Verdict,
};

use super::*;

const ALL: Calls = Calls {
    ip: true,
    ip6: true,
    arp: true,
};

fn names(any: &str, not: bool) -> Names {
    Names {
        any: any.split(',').map(str::to_owned).collect(),
        not,
    }
}

fn input(any: &str) -> Condition {
    Condition::In(names(any, false))
}

fn output(any: &str) -> Condition {
    Condition::Out(names(any, false))
}

fn state(states: &str) -> Condition {
    Condition::State(states.split(',').map(str::to_owned).collect())
}

fn rule(conditions: &[Condition], verdict: Verdict) -> Rule {
    Rule {
        conditions: conditions.to_vec(),
        verdict,
    }
}

fn jump(conditions: &[Condition], chain: &str) -> Rule {
    rule(conditions, Verdict::Jump(chain.to_owned()))
}

fn chain(name: &str, forward: Option<Policy>, rules: &[Rule]) -> Chain {
    Chain {
        family: Family::Ip,
        table: "filter".to_owned(),
        name: name.to_owned(),
        forward,
        rules: rules.to_vec(),
    }
}

/// The chain that all forwarded packets go through, with the policy drop.
fn dropping(rules: &[Rule]) -> Chain {
    chain("FORWARD", Some(Policy::Drop), rules)
}

/// A node with bridge br0, whose ports are ens1 and vnet3, and with Docker's docker0.
fn filter(calls: Calls, chains: Vec<Chain>) -> BridgeFilter {
    let links = ["lo", "ens1", "vnet3", "br0", "docker0"];
    BridgeFilter {
        calls,
        bridges: vec![FilteredBridge {
            name: "br0".to_owned(),
            ports: vec!["ens1".to_owned(), "vnet3".to_owned()],
            has_adapter: true,
            calls: Calls::default(),
        }],
        links: links.map(str::to_owned).into(),
        firewall: Observed::Known(Firewall { chains }),
    }
}

/// How a firewall is judged for br0: "passes", "dropped" or "unclear".
fn judged(chains: Vec<Chain>) -> &'static str {
    word(&judge(&filter(ALL, chains), "br0"))
}

fn word(forwarding: &Forwarding) -> &'static str {
    match forwarding {
        Forwarding::Passes => "passes",
        Forwarding::Dropped(_) => "dropped",
        Forwarding::Unclear(_) => "unclear",
    }
}

#[test]
fn a_policy_counts_only_where_bridged_packets_come_by() {
    let dropping = || vec![dropping(&[])];
    assert_eq!(
        word(&judge(&filter(Calls::default(), dropping()), "br0")),
        "passes"
    );
    assert_eq!(judged(dropping()), "dropped");
    // Set for this bridge alone, it is the same.
    let mut own = filter(Calls::default(), dropping());
    own.bridges[0].calls = ALL;
    assert_eq!(word(&judge(&own, "br0")), "dropped");
    assert_eq!(word(&judge(&own, "br1")), "passes");
    // IPv6 has chains of its own.
    let only_ip6 = Calls {
        ip6: true,
        ..Calls::default()
    };
    assert_eq!(word(&judge(&filter(only_ip6, dropping()), "br0")), "passes");
    let accepting = chain("FORWARD", Some(Policy::Accept), &[]);
    assert_eq!(judged(vec![accepting]), "passes");
    assert_eq!(judged(Vec::new()), "passes");
}

#[test]
fn what_is_dropped_is_reported_with_its_chain_and_a_remedy() {
    let inet = Chain {
        family: Family::Inet,
        table: "fw".to_owned(),
        ..dropping(&[])
    };
    let forwarding = judge(&filter(ALL, vec![dropping(&[]), inet]), "br0");
    let problem = forwarding.must_pass("n1", Some("br0")).unwrap_err();
    assert_eq!(problem.code, Code::SoftwarePathDropped);
    assert_eq!(
        problem.message,
        "The firewall of node n1 drops the traffic that bridge br0 forwards, so VMs on their software path have no network."
    );
    assert_eq!(
        problem.found,
        "IPv4 is dropped by chain FORWARD of table ip filter (br_netfilter passes bridged packets to it); \
         IPv4 is dropped by chain FORWARD of table inet fw (br_netfilter passes bridged packets to it); \
         IPv6 is dropped by chain FORWARD of table inet fw (br_netfilter passes bridged packets to it)."
    );
    assert_eq!(
        problem.resolution,
        "Run 'sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0', and put the same into a file in /etc/sysctl.d; \
         bridged packets then bypass the firewall. Or accept them there: 'iptables -I FORWARD -i br0 -o br0 -j ACCEPT' \
         (into DOCKER-USER on a host with Docker; ip6tables for IPv6), and make that last."
    );
}

/// The rules of Docker 27 and 28 that matter, before and after an administrator's remedy.
#[test]
fn docker() {
    let forward = || dropping(&[jump(&[], "DOCKER-USER"), jump(&[], "DOCKER-FORWARD")]);
    let own = || {
        chain(
            "DOCKER-FORWARD",
            None,
            &[
                rule(
                    &[Condition::Other, state("related,established")],
                    Verdict::Accept,
                ),
                jump(&[], "DOCKER-ISOLATION"),
                jump(&[output("docker0")], "DOCKER"),
                rule(
                    &[input("docker0"), Condition::Out(names("docker0", true))],
                    Verdict::Accept,
                ),
            ],
        )
    };
    let isolation = || {
        let conditions = [input("docker0"), Condition::Out(names("docker0", true))];
        let rules = [jump(&conditions, "DOCKER"), rule(&[], Verdict::Return)];
        chain("DOCKER-ISOLATION", None, &rules)
    };
    let rest = || {
        let conditions = [Condition::In(names("docker0", true)), output("docker0")];
        chain("DOCKER", None, &[rule(&conditions, Verdict::Drop)])
    };
    let with = |user: &[Rule]| {
        let user = chain("DOCKER-USER", None, user);
        vec![forward(), user, own(), isolation(), rest()]
    };
    let back = rule(&[], Verdict::Return);
    assert_eq!(judged(with(std::slice::from_ref(&back))), "dropped");
    let ours = rule(&[input("br0"), output("br0")], Verdict::Accept);
    assert_eq!(judged(with(&[ours, back.clone()])), "passes");
    let bridged = rule(&[Condition::Bridged], Verdict::Accept);
    assert_eq!(judged(with(&[bridged, back.clone()])), "passes");
    // It does for one of many networks what it does for docker0: a bridge that is to be is none of them.
    assert_eq!(word(&judge_new(&filter(ALL, with(&[back])))), "dropped");
}

#[test]
fn what_depends_on_the_packet_is_unclear_unless_all_is_decided_before() {
    let some = |verdict| rule(&[Condition::Other], verdict);
    let all = |verdict| rule(&[], verdict);
    for (rules, expected) in [
        (vec![some(Verdict::Accept)], "unclear"),
        (vec![all(Verdict::Drop), some(Verdict::Accept)], "dropped"),
        (vec![all(Verdict::Accept), all(Verdict::Drop)], "passes"),
        (vec![some(Verdict::Drop), all(Verdict::Accept)], "passes"),
        (vec![some(Verdict::Return), all(Verdict::Accept)], "unclear"),
        (vec![all(Verdict::Next), all(Verdict::Accept)], "passes"),
        (vec![some(Verdict::Other)], "unclear"),
        // Connections that are there do not help those that are to be.
        (
            vec![rule(&[state("established,related")], Verdict::Accept)],
            "dropped",
        ),
        (vec![rule(&[state("new")], Verdict::Accept)], "passes"),
        (
            vec![
                rule(&[state("invalid")], Verdict::Drop),
                all(Verdict::Accept),
            ],
            "passes",
        ),
        // Nor do other protocols.
        (
            vec![rule(
                &[Condition::Transport("icmp".to_owned())],
                Verdict::Accept,
            )],
            "dropped",
        ),
        (
            vec![rule(
                &[Condition::Transport("tcp".to_owned())],
                Verdict::Accept,
            )],
            "passes",
        ),
        (
            vec![rule(&[Condition::Protocol(Protocol::Ip6)], Verdict::Accept)],
            "dropped",
        ),
        // A port is no link that a chain of IP sees.
        (vec![rule(&[input("ens1")], Verdict::Accept)], "dropped"),
        (vec![rule(&[input("br*")], Verdict::Accept)], "passes"),
        (
            vec![rule(
                &[Condition::In(names("docker0", true))],
                Verdict::Accept,
            )],
            "passes",
        ),
        (
            vec![rule(
                &[Condition::Bridge(names("br0", false))],
                Verdict::Accept,
            )],
            "passes",
        ),
    ] {
        assert_eq!(judged(vec![dropping(&rules)]), expected, "{rules:?}");
    }
    // The policy accepts, and the rest is dropped by a rule.
    for (rules, expected) in [
        (vec![some(Verdict::Drop)], "passes"),
        (vec![all(Verdict::Drop)], "dropped"),
        (vec![some(Verdict::Return), all(Verdict::Drop)], "unclear"),
        (vec![some(Verdict::Accept), all(Verdict::Drop)], "unclear"),
    ] {
        let accepting = chain("FORWARD", Some(Policy::Accept), &rules);
        assert_eq!(judged(vec![accepting]), expected, "{rules:?}");
    }
}

#[test]
fn jumps_come_back_and_gotos_do_not() {
    let back = chain("more", None, &[rule(&[], Verdict::Return)]);
    let accept = rule(&[], Verdict::Accept);
    let with = |first: Verdict| {
        let rules = [rule(&[], first), accept.clone()];
        vec![dropping(&rules), back.clone()]
    };
    assert_eq!(judged(with(Verdict::Jump("more".to_owned()))), "passes");
    assert_eq!(judged(with(Verdict::Goto("more".to_owned()))), "dropped");
    // A target that is no chain, such as LOG, is passed over.
    assert_eq!(judged(with(Verdict::Jump("LOG".to_owned()))), "passes");
    // A loop, which no kernel has, ends.
    let around = chain("more", None, &[jump(&[], "more")]);
    let begins = dropping(&[jump(&[], "more")]);
    assert_eq!(judged(vec![begins, around]), "unclear");
}

#[test]
fn chains_of_bridges_and_of_arp_see_ports() {
    let family = |family, rules: &[Rule]| {
        vec![Chain {
            family,
            ..dropping(rules)
        }]
    };
    let none = Calls::default();
    let bridge = |rules: &[Rule]| word(&judge(&filter(none, family(Family::Bridge, rules)), "br0"));
    assert_eq!(bridge(&[]), "dropped");
    assert_eq!(
        bridge(&[rule(&[input("ens1")], Verdict::Accept)]),
        "unclear"
    );
    assert_eq!(
        bridge(&[rule(&[input("vnet*")], Verdict::Accept)]),
        "unclear"
    );
    assert_eq!(
        bridge(&[rule(&[input("docker0")], Verdict::Accept)]),
        "dropped"
    );
    let own = [rule(
        &[Condition::Bridge(names("br0", false))],
        Verdict::Accept,
    )];
    assert_eq!(bridge(&own), "passes");
    let forwarding = judge(&filter(none, family(Family::Bridge, &[])), "br0");
    let problem = forwarding.must_pass("n1", Some("br0")).unwrap_err();
    assert!(!problem.found.contains("br_netfilter"), "{problem:?}");
    assert_eq!(
        problem.resolution,
        "Accept what br0 forwards in the chain that is named."
    );
    let arp = |calls| word(&judge(&filter(calls, family(Family::Arp, &[])), "br0"));
    assert_eq!((arp(none), arp(ALL)), ("passes", "dropped"));
}

#[test]
fn rules_that_cannot_be_read_matter_only_where_they_count() {
    let mut unknown = filter(Calls::default(), Vec::new());
    unknown.firewall = Observed::unknown("nft is not installed");
    assert_eq!(word(&judge(&unknown, "br0")), "passes");
    unknown.calls = ALL;
    let forwarding = judge(&unknown, "br0");
    assert_eq!(forwarding.must_pass("n1", Some("br0")), Ok(()));
    let warning = forwarding.warning("n1", Some("br0")).unwrap();
    assert_eq!(warning.code, Code::SoftwarePathUnclear);
    assert_eq!(
        warning.found,
        "br_netfilter passes bridged packets to the firewall, whose rules could not be read: nft is not installed."
    );
}

#[test]
fn a_bridge_that_is_to_be_may_be_named_by_rules_already() {
    let new = |any: &str| {
        let rules = [rule(&[input(any), output(any)], Verdict::Accept)];
        word(&judge_new(&filter(ALL, vec![dropping(&rules)])))
    };
    assert_eq!(new("acn-lan"), "unclear");
    assert_eq!(new("docker0"), "dropped");
}
