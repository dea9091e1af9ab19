use serde_json::json;

use super::*;

#[test]
fn every_place_of_a_ruleset_that_names_the_link_is_found() {
    let iif =
        |name| json!({"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": name}});
    let rule = |handle: u32, expr: serde_json::Value| json!({"rule": {"family": "inet", "table": "filter", "chain": "input", "handle": handle, "expr": expr}});
    let ruleset = json!({"nftables": [
        {"metainfo": {"version": "1.0.6"}},
        {"table": {"family": "inet", "name": "eth0", "handle": 1}},
        {"chain": {"family": "inet", "table": "filter", "name": "eth0", "handle": 2}},
        {"chain": {"family": "netdev", "table": "early", "name": "in", "hook": "ingress", "dev": "eth0"}},
        {"chain": {"family": "netdev", "table": "early", "name": "both", "dev": ["eth1", "eth0"]}},
        {"flowtable": {"family": "inet", "table": "filter", "name": "fast", "dev": ["eth0", "eth1"]}},
        {"set": {"family": "inet", "table": "filter", "name": "outside", "type": "ifname", "elem": ["eth1", "eth0"]}},
        {"set": {"family": "inet", "table": "filter", "name": "inside", "type": "ifname", "elem": ["eth1"]}},
        {"map": {"family": "inet", "table": "filter", "name": "by", "type": "ifname", "map": "verdict", "elem": [["eth0", {"jump": {"target": "x"}}]]}},
        rule(4, json!([iif("eth0"), {"accept": null}])),
        rule(5, json!([iif("eth1"), {"log": {"prefix": "eth0"}}, {"jump": {"target": "eth0"}}])),
        rule(6, json!([iif("eth*"), {"drop": null}])),
        rule(7, json!([{"match": {"op": "==", "left": {"concat": [{"meta": {"key": "iif"}}, {"payload": {"protocol": "tcp", "field": "dport"}}]}, "right": {"set": [{"concat": ["eth0", 22]}]}}}])),
        rule(8, json!([{"vmap": {"key": {"meta": {"key": "oifname"}}, "data": {"set": [["eth0", {"accept": null}]]}}}])),
        rule(9, json!([{"fwd": {"dev": "eth0"}}])),
        {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT_ZONES", "handle": 3, "comment": "eth0", "expr": [iif("eth0")]}},
    ]});
    let found = |by_zone| -> Vec<String> {
        let places = nftables::places(&ruleset, "eth0", by_zone);
        places.iter().map(ToString::to_string).collect()
    };
    let mut expected: Vec<String> = [
        "device of chain in of table netdev early",
        "device of chain both of table netdev early",
        "flowtable fast of table inet filter",
        "set outside of table inet filter",
        "map by of table inet filter",
    ]
    .map(str::to_owned)
    .to_vec();
    let rules = [4, 6, 7, 8, 9];
    expected.extend(rules.map(|rule| format!("rule {rule} of chain input of table inet filter")));
    assert_eq!(found(true), expected);
    expected.push("rule 3 of chain filter_INPUT_ZONES of table inet firewalld".to_owned());
    assert_eq!(found(false), expected);
    assert_eq!(nftables::places(&json!({}), "eth0", false), []);
    assert_eq!(nftables::places(&ruleset, "wan0", false), []);
}

#[test]
fn rules_of_iptables_are_reported_as_they_were_made() {
    let saved = "# Generated\n*nat\n:PREROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n*filter\n-A INPUT -i eth1 -j ACCEPT\n-A INPUT ! -i eth+ -j DROP\n-A FORWARD -m physdev --physdev-in eth0 -j ACCEPT\n-A INPUT -m comment --comment eth0 -j ACCEPT\n";
    let rules = iptables::rules(saved, "iptables", "eth0");
    let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
    assert_eq!(
        rules,
        [
            "'iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE'",
            "'iptables -t filter -A INPUT ! -i eth+ -j DROP'",
            "'iptables -t filter -A FORWARD -m physdev --physdev-in eth0 -j ACCEPT'",
        ]
    );
}

/// A node on which `nft` is a script.
fn with_nft(script: &str) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let zones = folder.path().join("etc/firewalld/zones");
    std::fs::create_dir_all(&zones).unwrap();
    let zone = |name: &str, link: &str| {
        let text = format!(
            "<zone>\n  <interface name=\"{link}\"/>\n  <service name=\"eth0\"/>\n</zone>\n"
        );
        std::fs::write(zones.join(name), text).unwrap();
    };
    zone("public.xml", "eth1");
    zone("internal.xml", "eth0");
    zone("internal.xml.old", "eth0");
    let programs = folder.path().join("usr/sbin");
    std::fs::create_dir_all(&programs).unwrap();
    let nft = programs.join("nft");
    std::fs::write(&nft, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&nft, std::fs::Permissions::from_mode(0o755)).unwrap();
    let found = mentions(&Root::new(folder.path()), "eth0");
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_program_is_called_and_its_failure_is_reported() {
    let rule = r#"{"nftables":[{"rule":{"family":"ip","table":"nat","chain":"post","handle":5,"expr":[{"match":{"left":{"meta":{"key":"oifname"}},"right":"eth0"}}]}}]}"#;
    let script = format!("[ \"$*\" = '-j list ruleset' ] && echo '{rule}'");
    assert_eq!(
        with_nft(&script),
        ["zone internal", "rule 5 of chain post of table ip nat"]
    );
    assert_eq!(
        with_nft("echo 'Operation not permitted' >&2; exit 1"),
        [
            "zone internal",
            "nft list ruleset: exit status: 1: Operation not permitted"
        ]
    );
    assert_eq!(with_nft("echo nothing").len(), 2);
}
