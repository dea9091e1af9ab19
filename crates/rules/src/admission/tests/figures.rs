use super::super::*;

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
        let reserved = reserved_nodes(nodes, reserve);
        assert_eq!(reserved, down, "{nodes} x {reserve} %");
    }
}

#[test]
fn nodes_that_are_down_are_of_those_that_may_be() {
    let node = |down| Node {
        name: String::new(),
        down,
        adapters: Vec::new(),
        stranded: [0; 3],
    };
    let mut cluster = Cluster {
        nodes: vec![node(true), node(false), node(false), node(false)],
        sizes: [1, 2, 4],
        reserve_percentage: 50,
    };
    assert_eq!((cluster.reserved(), cluster.reserved_besides()), (2, 1));
    cluster.reserve_percentage = 0;
    assert_eq!(cluster.reserved_besides(), 0);
}
