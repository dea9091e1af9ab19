//! Whose it is to write down that a node is down.

use accelnet_store::Change;

use super::{ALIVE, Others, WRITERS};

fn keys(nodes: u32) -> Vec<String> {
    (1..=nodes).map(|node| format!("{ALIVE}n{node}")).collect()
}

fn ends(name: &str) -> Change {
    Change::Delete {
        key: format!("{ALIVE}{name}"),
        revision: 1,
    }
}

/// Each node's view after the lease of each of `ended` is over; the ended ones see nothing.
fn views<'n>(names: &'n [String], ended: &[&str]) -> Vec<Others<'n>> {
    let names_left = names.iter().filter_map(|key| key.strip_prefix(ALIVE));
    let left = names_left.filter(|name| !ended.contains(name));
    left.map(|name| {
        let mut others = Others::of(name, names.iter().map(String::as_str));
        ended.iter().for_each(|name| others.hear(&ends(name)));
        others
    })
    .collect()
}

#[test]
fn a_few_of_many_write_it_down() {
    let names = keys(1000);
    let views = views(&names, &["n7"]);
    let writers = views.iter().filter(|others| others.mine() == ["n7"]);
    assert_eq!(writers.count(), WRITERS);
}

#[test]
fn of_few_all_do() {
    let names = keys(4);
    let views = views(&names, &["n2", "n3"]);
    assert_eq!(views.len(), 2);
    for others in views {
        assert_eq!(others.mine(), ["n2", "n3"]);
    }
}

/// The writers of one end at the same moment: their places are taken.
#[test]
fn when_the_writers_end_too_others_take_their_place() {
    let names = keys(100);
    let writers: Vec<&str> = views(&names, &["n7"])
        .into_iter()
        .filter(|others| !others.mine().is_empty())
        .map(|others| others.node)
        .collect();
    let ended: Vec<&str> = writers.into_iter().chain(["n7"]).collect();
    let views = views(&names, &ended);
    let now = views.iter().filter(|others| others.is_mine("n7"));
    assert_eq!(now.count(), WRITERS);
}

#[test]
fn one_that_gives_a_sign_again_is_nobodys_to_write_down() {
    let names = keys(2);
    let mut others = Others::of("n1", names.iter().map(String::as_str));
    others.hear(&ends("n2"));
    assert_eq!(others.mine(), ["n2"]);
    others.hear(&Change::Put(accelnet_store::Entry {
        key: format!("{ALIVE}n2"),
        value: Vec::new(),
        create_revision: 2,
        mod_revision: 2,
        version: 1,
        lease: None,
    }));
    assert_eq!(others.mine(), [""; 0]);
    others.hear(&ends("n1"));
    assert_eq!(others.mine(), [""; 0], "its own is not");
}
