use super::*;

#[test]
fn the_name_with_the_fewest_edits_is_matched() {
    let names = ["db01", "web01", "web02", "web10"];
    for (typed, meant) in [
        ("web1", Some("web01")),
        ("wbe01", Some("web01")),
        ("WEB02", Some("web02")),
        ("web-02", Some("web02")),
        ("db1", Some("db01")),
        ("mail", None),
        ("b10", None),
        ("", None),
        ("x", None),
    ] {
        assert_eq!(nearest(typed, names), meant, "{typed}");
    }
    assert_eq!(nearest(&"web01".repeat(100), names), None);
    assert_eq!(nearest("start", ["status", "store"]), None);
    assert_eq!(nearest("vm", ["vn", "log"]), Some("vn"));
    let codes = ["Sriov_support_MissingAcs", "vm_not_found"];
    assert_eq!(nearest("missingacs", codes), Some(codes[0]));
}

#[test]
fn an_edit_is_one_character_or_two_neighbours() {
    for (one, other, count) in [
        ("", "abc", 3),
        ("abc", "abc", 0),
        ("abc", "acb", 1),
        ("abc", "abd", 1),
        ("abc", "xabc", 1),
        ("kitten", "sitting", 3),
    ] {
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        assert_eq!(
            edits(&letters(one), &letters(other)),
            count,
            "{one} {other}"
        );
        assert_eq!(
            edits(&letters(other), &letters(one)),
            count,
            "{other} {one}"
        );
    }
}

#[test]
fn a_cause_counts_the_names_and_lists_none_but_the_nearest() {
    let vms = ("VM", "VMs");
    let cause = |typed, names: &[&str]| absent(typed, "node1 has", vms, names.iter().copied());
    assert_eq!(cause("web1", &[]), "node1 has no VM.");
    assert_eq!(
        cause("web1", &["web01"]),
        "node1 has 1 VM; the nearest name is web01."
    );
    assert_eq!(
        cause("web1", &["db01", "web01"]),
        "node1 has 2 VMs; the nearest name is web01."
    );
    assert_eq!(
        cause("mail", &["db01", "web01"]),
        "node1 has 2 VMs, and none has a similar name."
    );
}

#[test]
fn a_cause_over_several_nodes_names_the_node_of_the_nearest() {
    let all = [("ens1", "node1"), ("ens2", "node1"), ("ens3", "node2")];
    let cause = |typed, count| absent_on_nodes(typed, None, ("adapter", "adapters"), &all[..count]);
    for (typed, count, found) in [
        (
            "ens4",
            3,
            "2 nodes have 3 adapters; the nearest name is ens1, on node1.",
        ),
        (
            "eth",
            3,
            "2 nodes have 3 adapters, and none has a similar name.",
        ),
        ("ens4", 2, "node1 has 2 adapters; the nearest name is ens1."),
        ("ens4", 0, "The cluster has no adapter."),
    ] {
        assert_eq!(cause(typed, count), found);
    }
}
