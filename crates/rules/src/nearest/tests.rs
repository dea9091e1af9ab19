use super::*;

#[test]
fn the_name_with_the_fewest_edits_is_meant() {
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
    assert_eq!(absent("web1", vms, []), "There is no VM.");
    assert_eq!(
        absent("web1", vms, ["web01"]),
        "The only VM has another name; did you mean web01?"
    );
    assert_eq!(
        absent("web1", vms, ["db01", "web01"]),
        "None of 2 VMs has this name; did you mean web01?"
    );
    assert_eq!(
        absent("mail", vms, ["db01", "web01"]),
        "None of 2 VMs has this name."
    );
}
