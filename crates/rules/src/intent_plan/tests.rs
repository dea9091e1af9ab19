use super::*;

fn network(active: bool, is_lasting: bool, bridge: &str) -> Network {
    Network {
        name: "accelnet-lan".to_owned(),
        active,
        is_lasting,
        bridge: Some(bridge.to_owned()),
        pfs: Vec::new(),
        vfs: Vec::new(),
    }
}

#[test]
fn a_network_is_defined_started_or_left_alone() {
    let name = || "accelnet-lan".to_owned();
    let target = || Target::Bridge("br0".to_owned());
    let step = |networks: &[Network]| {
        network_step(networks, name(), target(), |found| {
            found.bridge.as_deref() == Some("br0")
        })
    };
    let defined = |restart, why| {
        Some(Step::Network {
            name: name(),
            target: target(),
            restart,
            why,
        })
    };
    let table = [
        (vec![], defined(false, "libvirt has no such network")),
        (
            vec![network(true, true, "br1")],
            defined(true, "its definition differs"),
        ),
        (
            vec![network(false, true, "br1")],
            defined(false, "its definition differs"),
        ),
        (
            vec![network(true, false, "br0")],
            defined(false, "it would not come back after a reboot"),
        ),
        (
            vec![network(false, true, "br0")],
            Some(Step::StartNetwork { name: name() }),
        ),
        (vec![network(true, true, "br0")], None),
    ];
    for (networks, wanted) in table {
        assert_eq!(step(&networks), wanted, "{networks:?}");
    }
}
