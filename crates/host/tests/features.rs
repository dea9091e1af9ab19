//! What an adapter is asked, and when again: by whether it has carrier now, not when it was seen.

use accelnet_host::{features, observe};
use accelnet_model::{Adapter, PciAddress};
use accelnet_sim::{AdapterSpec, Port, SimHost, Tree};

fn pf() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

/// A node whose adapter `ens1` has 7 VFs that no process uses, and its folder.
fn booted() -> (SimHost, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let igb = AdapterSpec::igb(pf(), "ens1").vfs(7);
    let igb = igb.sriov(|sriov| sriov.drivers_autoprobe = false);
    let port = Port::root("0000:00:01.0".parse().expect("an address"), 1, 2).adapter(igb);
    let host = SimHost::boot(Tree::new().port(port), folder.path()).expect("a node");
    (host, folder)
}

fn seen(host: &SimHost) -> Adapter {
    observe::adapter(&host.host(), pf()).expect("it is there")
}

/// Whether the link has carrier from now on.
fn carrier(host: &SimHost, on: bool) {
    let speed = on.then_some(1000);
    let set = host.kernel.node().set_up("ens1", true, speed);
    set.expect("set");
}

#[test]
fn what_was_left_open_without_carrier_is_asked_once_there_is_some() {
    let (host, _folder) = booted();
    carrier(&host, true);
    let with = seen(&host);
    assert!(with.interfaces[0].link.carrier);
    assert!(!features::is_stable(&host.host(), &with), "never asked");

    // It was up when it was seen, and went down with the change.
    carrier(&host, false);
    features::ask(&host.host(), &with).expect("asked");
    let known = features::on_record(&host.host(), pf(), &with.interfaces).expect("on record");
    assert!(known.max_tx_rate.known().is_none(), "{known:?}");
    assert!(features::is_stable(&host.host(), &with), "still down");

    let without = seen(&host);
    assert!(!without.interfaces[0].link.carrier);
    carrier(&host, true);
    assert!(!features::is_stable(&host.host(), &without), "up again");
    features::ask(&host.host(), &without).expect("asked");
    let known = features::on_record(&host.host(), pf(), &with.interfaces).expect("on record");
    assert!(known.max_tx_rate.known().is_some(), "{known:?}");
    assert!(features::is_stable(&host.host(), &without), "all is told");
}
