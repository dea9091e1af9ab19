use proptest::prelude::*;

use super::*;

fn node(name: &str, vfs: u32, promised: u32) -> NodeVfs {
    NodeVfs {
        node: name.to_owned(),
        vfs,
        promised,
    }
}

#[test]
fn a_share_of_nodes_is_rounded_down() {
    let cases = [
        (1, 50, 0),
        (2, 50, 1),
        (3, 50, 1),
        (4, 50, 2),
        (4, 0, 0),
        (4, 99, 3),
        (100, 99, 99),
    ];
    for (nodes, reserve, down) in cases {
        assert_eq!(
            reserved_nodes(nodes, reserve),
            down,
            "{nodes} x {reserve} %"
        );
    }
}

#[test]
fn the_worst_set_and_the_remedy_are_named() {
    let nodes = [node("n1", 7, 5), node("n2", 7, 4), node("n3", 7, 0)];
    assert_eq!(admits("web1", &nodes, 50), Ok(()));
    let full = [node("n1", 7, 7), node("n2", 7, 7), node("n3", 7, 1)];
    let problem = admits("web1", &full, 50).expect_err("too many");
    assert_eq!(problem.code, Code::ClusterNotEnoughResources);
    assert!(
        problem.found.starts_with("With n1 down, 1 VF "),
        "{}",
        problem.found
    );
    assert!(
        problem.resolution.contains("to 33 or less"),
        "{}",
        problem.resolution
    );
    assert_eq!(admits("web1", &full, 33), Ok(()));
}

proptest! {
    /// The closed form says what trying every set says.
    #[test]
    fn no_set_is_worse_than_the_worst(
        sizes in prop::collection::vec((0_u32..9, 0_u32..9), 1..7),
        down in 0_u32..7,
    ) {
        let nodes: Vec<NodeVfs> = sizes
            .iter()
            .enumerate()
            .map(|(number, (vfs, promised))| node(&format!("n{number}"), *vfs, (*promised).min(*vfs)))
            .collect();
        let down = down.min(u32::try_from(nodes.len()).expect("few"));
        let mut most = 0;
        for set in 0_u32..1 << nodes.len() {
            if set.count_ones() != down {
                continue;
            }
            let (mut wanted, mut free) = (0, 0);
            for (number, one) in nodes.iter().enumerate() {
                match set >> number & 1 {
                    1 => wanted += one.promised,
                    _ => free += one.free(),
                }
            }
            most = most.max(wanted.saturating_sub(free));
        }
        prop_assert_eq!(worst(&nodes, down).1, most);
    }
}
