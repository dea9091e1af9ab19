use super::*;
use proptest::prelude::*;

/// The same by its definition, in exponential time.
fn by_definition(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], name) => name.is_empty(),
        (['*', rest @ ..], name) => (0..=name.len()).any(|at| by_definition(rest, &name[at..])),
        (['?', rest @ ..], [_, after @ ..]) => by_definition(rest, after),
        ([one, rest @ ..], [first, after @ ..]) => one == first && by_definition(rest, after),
        (_, []) => false,
    }
}

proptest! {
    #[test]
    fn it_is_what_the_definition_states(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            fits(&pattern, &name),
            by_definition(&chars(&pattern), &chars(&name))
        );
    }
}

#[test]
fn names_fit_themselves_and_stars() {
    for (pattern, name, so) in [
        ("web1", "web1", true),
        ("web1", "Web1", false),
        ("web*", "web", true),
        ("web?", "web", false),
        ("*-db", "prod-db", true),
        ("ü?", "üé", true),
        ("", "", true),
        ("a[*]b", "a*b", true),
        ("a[*]b", "axb", false),
        (r"a\*b", "a*b", true),
        (r"a\*b", "axb", false),
        (r"a\?[?]*", "a??c", true),
        (r"a\?[?]*", "abcc", false),
        (r"a\\b", r"a\b", true),
        (r"a\b", r"a\b", true),
        ("a[[]*", "a[1]", true),
        ("web[1]*", "web[1]x", true),
        ("web[1]*", "web1x", false),
    ] {
        assert_eq!(fits(pattern, name), so, "{pattern} {name}");
    }
    assert!(is_glob("web*") && is_glob("web?") && !is_glob("web[1]"));
    assert!(!is_glob("a[*]b") && !is_glob(r"a\*b") && is_glob("a[*]b*"));
}

#[test]
fn a_vm_is_matched_by_name_uuid_or_glob() {
    let uuid = "2f6a5b1c-0000-4000-8000-00000000000a";
    for (typed, so) in [
        ("web1", true),
        ("WEB1", false),
        ("2F6A5B1C-0000-4000-8000-00000000000A", true),
        ("w*", true),
        ("2f6a*", false),
        ("db", false),
    ] {
        let found = matching(typed, ["web1"], |name| (name, uuid));
        assert_eq!(!found.is_empty(), so, "{typed}");
    }
}

#[test]
fn a_name_is_taken_before_a_glob() {
    let names = ["axb", "a*b", "ab", "a*bc"];
    for (typed, expected) in [
        ("a*b", vec!["a*b"]),
        ("a*", names.to_vec()),
        ("a*b*", names.to_vec()),
        ("a[*]b", vec!["a*b"]),
        (r"a\*b*", vec!["a*b", "a*bc"]),
        ("a?b", vec!["axb", "a*b"]),
        ("b*", Vec::new()),
    ] {
        assert_eq!(
            matching(typed, names, |name| (name, "")),
            expected,
            "{typed}"
        );
    }
    let without = ["axb", "ab"];
    assert_eq!(matching("a*b", without, |name| (name, "")), without);
}

#[test]
fn a_name_that_no_vm_has_is_answered_with_the_nearest() {
    let vms = [("web01", "node1"), ("db", "node2"), ("mail", "node2")];
    let problem = not_found("web1", None, vms);
    assert_eq!(problem.message, "VM web1 does not exist.");
    assert_eq!(
        problem.found,
        "2 nodes have 3 VMs; the nearest name is web01, on node1."
    );
    for (typed, vms, found) in [
        (
            "Mail1",
            &vms[1..],
            "node2 has 2 VMs; the nearest name is mail.",
        ),
        (
            "db1",
            &vms[..1],
            "node1 has 1 VM, and none has a similar name.",
        ),
        ("web1", &vms[..0], "The cluster has no VM."),
    ] {
        assert_eq!(not_found(typed, None, vms.iter().copied()).found, found);
    }
    assert_eq!(
        not_found("web1", Some("node3"), []).found,
        "node3 has no VM."
    );
}

#[test]
fn a_node_that_is_not_there_is_answered_with_the_nearest() {
    let nodes: Vec<String> = (1..=12).map(|number| format!("node{number}")).collect();
    for (typed, count, found) in [
        (
            "node3",
            2,
            "The cluster has 2 nodes; the nearest name is node1.",
        ),
        (
            "node13",
            12,
            "The cluster has 12 nodes; the nearest name is node1.",
        ),
        (
            "db",
            12,
            "The cluster has 12 nodes, and none has a similar name.",
        ),
    ] {
        let nodes = nodes.iter().take(count).map(String::as_str);
        assert_eq!(no_node(typed, nodes).found, found);
    }
}

#[test]
fn names_with_a_comma_between_are_no_name() {
    let vms = [("web01", "n1"), ("web02", "n1")];
    let found = |typed: &str| not_found(typed, None, vms).found;
    let list = "n1 has 2 VMs. Names are separated by blanks, not by commas.";
    assert_eq!(found("web01,web02"), list);
    assert_eq!(found("web01,"), list);
    assert_eq!(
        found("db,mail"),
        "n1 has 2 VMs, and none has a similar name."
    );
}
