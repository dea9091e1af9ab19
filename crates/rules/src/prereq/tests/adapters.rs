//! The rows of an adapter, but those of isolation.

use accelnet_model::adapter::{BusNumbers, Driver};

use super::*;
use crate::sample::change_sriov;

#[test]
fn sriov() {
    let judged = |sriov| {
        let row = row_of(CheckName::Sriov, |adapter| adapter.sriov = sriov);
        came_out(&row)
    };
    assert_eq!(judged(Observed::Known(None)), failed(Code::SriovUnknown));
    assert_eq!(judged(Observed::unknown("no permission")), UNKNOWN);
}

#[test]
fn without_sriov_there_is_nothing_further_to_judge() {
    let mut adapter = adapter();
    adapter.sriov = Observed::Known(None);
    assert_eq!(judge_adapter(&node(), &adapter).len(), 1);
}

#[test]
fn vfs_that_it_can_give() {
    let judged = |total| {
        row_of(CheckName::Sriov, |adapter| {
            change_sriov(adapter, |sriov| sriov.total_vfs = total);
        })
    };
    let capped = judged(Observed::Known(0));
    assert_eq!(came_out(&capped), failed(Code::FirmwareCapsVfs));
    assert_eq!(
        capped.found,
        "sriov_totalvfs of 0000:01:00.0 is 0; its SR-IOV capability names 8."
    );
    assert_eq!(capped.document_code, Some(Code::SriovUnknown));
    assert_eq!(came_out(&judged(Observed::unknown("?"))), UNKNOWN);
    assert_eq!(
        judged(Observed::Known(1)).found,
        "1 VF supported, 0 created."
    );
}

#[test]
fn driver() {
    let judged = |driver| {
        let row = row_of(CheckName::Driver, |adapter| adapter.driver = driver);
        came_out(&row)
    };
    let bound = |name: &str| {
        Observed::Known(Some(Driver {
            name: name.to_owned(),
            version: None,
        }))
    };
    assert_eq!(judged(bound("ixgbe")), PASSED);
    let missing = failed(Code::SriovMissingPfDriver);
    assert_eq!(judged(Observed::Known(None)), missing);
    for name in ["vfio-pci", "pci-stub", "uio_pci_generic"] {
        assert_eq!(judged(bound(name)), missing, "{name}");
    }
    assert_eq!(judged(Observed::unknown("?")), UNKNOWN);
}

#[test]
fn bus_numbers() {
    let judged = |needed, available, reachable_vfs| {
        row_of(CheckName::BusNumbers, |adapter| {
            change_sriov(adapter, |sriov| {
                sriov.bus_numbers = Observed::Known(BusNumbers {
                    needed,
                    available,
                    reachable_vfs,
                });
            });
        })
    };
    assert_eq!(came_out(&judged(2, 2, 7)), PASSED);
    let none = came_out(&judged(3, 2, 0));
    assert_eq!(none, failed(Code::SriovNoBusResources));
    let short = judged(3, 2, 3);
    assert_eq!(came_out(&short), warned(Code::VfsOutOfReach));
    assert_eq!(
        short.found,
        "The last VF needs bus 03; bridge 0000:00:01.0 has buses up to 02. \
         3 VFs can be used."
    );
    // Past the last bus that there can be.
    assert_eq!(
        came_out(&judged(0x100, 0xff, 3)),
        warned(Code::VfsOutOfReach)
    );
    let hidden = row_of(CheckName::BusNumbers, |adapter| {
        change_sriov(adapter, |sriov| sriov.bus_numbers = Observed::unknown("?"));
    });
    assert_eq!(came_out(&hidden), UNKNOWN);
}

#[test]
fn vf_memory() {
    let without = row_of(CheckName::VfMemory, |adapter| {
        change_sriov(adapter, |sriov| {
            if let Observed::Known(bars) = &mut sriov.bars {
                bars[0].assigned = false;
            }
        });
    });
    assert_eq!(came_out(&without), failed(Code::VfMemoryNotAssigned));
    assert_eq!(without.found, "VF BAR 0 of 0000:01:00.0 has no address.");
    let hidden = row_of(CheckName::VfMemory, |adapter| {
        change_sriov(adapter, |sriov| sriov.bars = Observed::unknown("?"));
    });
    assert_eq!(came_out(&hidden), UNKNOWN);
}

#[test]
fn a_model_off_record_is_a_warning() {
    let judged = |change: fn(&mut Adapter)| came_out(&row_of(CheckName::Model, change));
    let unknown = warned(Code::AdapterModelUnknown);
    assert_eq!(
        judged(|adapter| adapter.vendor.id = Observed::Known(0x1234)),
        unknown
    );
    assert_eq!(
        judged(|adapter| adapter.vendor.id = Observed::unknown("?")),
        unknown
    );
    assert_eq!(
        judged(|adapter| adapter.driver = Observed::Known(None)),
        PASSED
    );
    let other_driver = |adapter: &mut Adapter| {
        adapter.driver = Observed::Known(Some(Driver {
            name: "igb_next".to_owned(),
            version: None,
        }));
    };
    assert_eq!(judged(other_driver), unknown);
}

#[test]
fn an_adapter_that_is_down_is_a_warning() {
    let judged = |up, carrier| {
        let row = row_of(CheckName::Link, |adapter| {
            adapter.interfaces[0].link.up = up;
            adapter.interfaces[0].link.carrier = carrier;
        });
        (came_out(&row), row.found, row.resolution)
    };
    let down = warned(Code::AdapterDown);
    let (out, found, fix) = judged(true, false);
    assert_eq!((out, &*found), (down, "Up, no carrier."));
    assert_eq!(fix, "Check the cable and the switch port.");
    let (out, found, fix) = judged(false, false);
    assert_eq!((out, &*found), (down, "Its administrative state is down."));
    assert!(fix.starts_with("Run 'ip link set"), "{fix}");
}

#[test]
fn one_adapter_that_fails_leaves_the_other_as_it_is() {
    let mut node = node();
    let mut bad = adapter();
    bad.interfaces[0].link.name = "ens2".to_owned();
    bad.driver = Observed::Known(None);
    node.adapters = Observed::Known(vec![bad, adapter()]);
    let out = |node: &Node, scope: &Scope| {
        let rows = judge(std::slice::from_ref(node), &[], scope);
        let out = rows
            .into_iter()
            .filter(|row| row.outcome != Outcome::Passed);
        let out = out.map(|row| (row.subject, row.name, row.outcome));
        out.collect::<Vec<_>>()
    };
    let driver = |outcome| vec![("ens2".to_owned(), CheckName::Driver, outcome)];
    assert_eq!(out(&node, &Scope::All), driver(Outcome::NotUsable));
    let asked = Scope::Adapters(vec!["ens2".to_owned()]);
    assert_eq!(out(&node, &asked), driver(Outcome::Failed));
    if let Observed::Known(adapters) = &mut node.adapters {
        adapters.pop();
    }
    assert_eq!(out(&node, &Scope::All), driver(Outcome::Failed));
}
