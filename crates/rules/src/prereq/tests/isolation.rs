//! ACS and IOMMU groups.

use accelnet_model::adapter::{Acs, Bridge, BridgeKind, IommuGroup};

use accelnet_model::platform::Iommu;

use super::*;
use crate::sample::{adapter_with, at, bridge};

const MISSING: (Outcome, Option<Code>) = (Outcome::Failed, Some(Code::SriovMissingAcs));

fn without_acs(address: &str, kind: BridgeKind) -> Bridge {
    Bridge {
        acs: Observed::Known(None),
        ..bridge(address, kind)
    }
}

/// The row of an adapter below `bridges`, nearest first, in a group with `others`.
fn in_group(bridges: Vec<Bridge>, others: &[&str]) -> Check {
    row_of(CheckName::Acs, |adapter| {
        let mut members = vec![adapter.address];
        members.extend(others.iter().map(|other| at(other)));
        adapter.iommu_group = Observed::Known(Some(IommuGroup { id: 1, members }));
        adapter.bridges = Observed::Known(bridges);
    })
}

/// The same without an IOMMU.
fn without_iommu(bridges: Vec<Bridge>) -> Check {
    row_without_group(bridges, 0)
}

/// The row of an adapter that is in none of the node's groups.
fn row_without_group(bridges: Vec<Bridge>, groups: u32) -> Check {
    let mut node = node();
    let mut adapter = adapter();
    adapter.iommu_group = Observed::Known(None);
    adapter.bridges = Observed::Known(bridges);
    node.adapters = Observed::Known(vec![adapter]);
    node.platform.iommu = node.platform.iommu.map(|iommu| Iommu { groups, ..iommu });
    row(&node, CheckName::Acs)
}

#[test]
fn an_adapter_in_no_group_of_the_node_is_not_judged_by_its_bridges() {
    let port = || vec![bridge("0000:00:01.0", BridgeKind::RootPort)];
    assert_eq!(came_out(&row_without_group(port(), 0)), PASSED);
    let row = row_without_group(port(), 12);
    assert_eq!(row.outcome, Outcome::Unknown, "{row:?}");
    let why = "It has none, although the node has an IOMMU.";
    assert_eq!(row.found, why);
}

#[test]
fn where_there_are_groups_they_decide() {
    // Quirks of the kernel separate some ports that have no ACS.
    let quirk = in_group(vec![without_acs("0000:00:01.0", BridgeKind::RootPort)], &[]);
    assert_eq!(came_out(&quirk), PASSED);
    assert!(quirk.found.contains("0000:00:01.0 has no ACS"), "{quirk:?}");

    // And join some that have it.
    let joined = in_group(
        vec![bridge("0000:00:01.0", BridgeKind::RootPort)],
        &["0000:02:00.0"],
    );
    assert_eq!(came_out(&joined), MISSING);
    assert_eq!(
        joined.found,
        "IOMMU group 1 contains the adapter and 0000:02:00.0."
    );
}

#[test]
fn the_bridge_without_acs_is_named() {
    let row = in_group(
        vec![without_acs("0000:00:01.0", BridgeKind::RootPort)],
        &["0000:00:01.0", "0000:01:00.1"],
    );
    assert_eq!(came_out(&row), MISSING);
    assert_eq!(
        row.found,
        "Root port 0000:00:01.0 has no ACS. IOMMU group 1 contains the adapter and \
         0000:00:01.0."
    );
}

#[test]
fn functions_of_the_same_card_and_its_vfs_are_no_strangers() {
    let row = row_of(CheckName::Acs, |adapter| {
        *adapter = adapter_with(2);
        let mut members = vec![adapter.address, at("0000:01:00.1")];
        members.extend(adapter.vfs.iter().map(|vf| vf.address));
        adapter.iommu_group = Observed::Known(Some(IommuGroup { id: 1, members }));
    });
    assert_eq!(came_out(&row), PASSED);
}

#[test]
fn acs_that_is_switched_off_is_named_where_a_group_is_shared() {
    let mut port = bridge("0000:00:01.0", BridgeKind::RootPort);
    port.acs = Observed::Known(Some(Acs {
        capable: Acs::ISOLATION,
        enabled: Acs::SOURCE_VALIDATION,
    }));
    let row = in_group(vec![port], &["0000:00:01.0"]);
    assert_eq!(came_out(&row), MISSING);
    let off = "Root port 0000:00:01.0 has ACS switched off.";
    assert!(row.found.starts_with(off), "{row:?}");
}

#[test]
fn without_an_iommu_the_bridges_decide() {
    let sound = vec![
        bridge("0000:02:01.0", BridgeKind::SwitchDownstream),
        without_acs("0000:01:00.0", BridgeKind::SwitchUpstream),
        bridge("0000:00:01.0", BridgeKind::RootPort),
    ];
    assert_eq!(came_out(&without_iommu(sound.clone())), PASSED);
    assert_eq!(came_out(&without_iommu(Vec::new())), PASSED);

    // A switch without ACS below it.
    let mut below = sound.clone();
    below[0].acs = Observed::Known(None);
    let row = without_iommu(below);
    assert_eq!(came_out(&row), MISSING);
    assert_eq!(row.found, "Switch downstream port 0000:02:01.0 has no ACS.");

    // An upstream port needs it only as one of several functions.
    let mut several = sound.clone();
    several[1].multifunction = Observed::Known(true);
    let row = without_iommu(several);
    assert_eq!(came_out(&row), MISSING);
    assert_eq!(row.found, "Switch upstream port 0000:01:00.0 has no ACS.");

    // A conventional bridge cannot have it, whatever its registers are.
    let mut conventional = sound;
    conventional[0].kind = Observed::Known(BridgeKind::Conventional);
    let row = without_iommu(conventional);
    assert_eq!(came_out(&row), MISSING);
    assert_eq!(
        row.found,
        "Conventional PCI bridge 0000:02:01.0 cannot have ACS."
    );
}

#[test]
fn without_an_iommu_acs_that_is_off_can_still_be_switched_on() {
    let mut port = bridge("0000:00:01.0", BridgeKind::RootPort);
    port.acs = Observed::Known(Some(Acs {
        capable: Acs::ISOLATION,
        enabled: 0,
    }));
    assert_eq!(came_out(&without_iommu(vec![port])), PASSED);
}

#[test]
fn what_a_port_cannot_switch_counts_as_on_as_in_the_kernel() {
    let acs = |capable, enabled| Acs { capable, enabled };
    assert!(acs(Acs::SOURCE_VALIDATION, Acs::SOURCE_VALIDATION).isolates());
    assert!(acs(0, 0).isolates());
    assert!(!acs(Acs::SOURCE_VALIDATION, 0).isolates());
    assert!(!acs(Acs::ISOLATION, Acs::ISOLATION & !Acs::UPSTREAM_FORWARDING).isolates());
}

#[test]
fn what_cannot_be_read_is_unknown_unless_the_groups_show_it() {
    let mut port = bridge("0000:00:01.0", BridgeKind::RootPort);
    port.acs = Observed::unknown("no permission");
    assert_eq!(came_out(&without_iommu(vec![port.clone()])), UNKNOWN);
    assert_eq!(came_out(&in_group(vec![port.clone()], &[])), PASSED);
    assert_eq!(came_out(&in_group(vec![port], &["0000:02:00.0"])), MISSING);

    let hidden = row_of(CheckName::Acs, |adapter| {
        adapter.iommu_group = Observed::Known(None);
        adapter.bridges = Observed::unknown("no permission");
    });
    assert_eq!(came_out(&hidden), UNKNOWN);
}

#[test]
fn groups_decide_even_where_the_bridges_cannot_be_read() {
    let row = row_of(CheckName::Acs, |adapter| {
        adapter.bridges = Observed::unknown("no permission");
    });
    assert_eq!(came_out(&row), PASSED);
}

/// The row of the groups of VFs, with 3 VFs.
fn groups(change: impl FnOnce(&mut Adapter)) -> Check {
    row_of(CheckName::IommuGroups, |adapter| {
        *adapter = adapter_with(3);
        change(adapter);
    })
}

#[test]
fn vfs_that_share_a_group_cannot_be_given_away_alone() {
    assert_eq!(came_out(&groups(|_| ())), PASSED);

    let shared = groups(|adapter| adapter.vfs[2].iommu_group = Observed::Known(Some(100)));
    assert_eq!(came_out(&shared), failed(Code::IommuGroupShared));
    assert_eq!(shared.found, "Group 100 holds VFs 0 and 2.");
    assert_eq!(shared.document_code, Some(Code::SriovMissingAcs));

    let with_the_adapter = groups(|adapter| adapter.vfs[2].iommu_group = Observed::Known(Some(1)));
    assert_eq!(came_out(&with_the_adapter), failed(Code::IommuGroupShared));
    assert_eq!(
        with_the_adapter.found,
        "Group 1 holds VF 2 and the adapter itself."
    );

    let all = groups(|adapter| {
        for vf in &mut adapter.vfs {
            vf.iommu_group = Observed::Known(Some(1));
        }
    });
    assert_eq!(
        all.found,
        "Group 1 holds VFs 0, 1, 2 and the adapter itself."
    );

    let hidden = groups(|adapter| adapter.vfs[0].iommu_group = Observed::unknown("?"));
    assert_eq!(came_out(&hidden), UNKNOWN);
}

#[test]
fn without_vfs_or_without_an_iommu_there_is_no_row_of_groups() {
    let rows = |adapter: &Adapter| {
        let rows = judge_adapter(&node(), adapter);
        rows.iter().any(|row| row.name == CheckName::IommuGroups)
    };
    assert!(!rows(&adapter()));
    let mut bare = adapter_with(2);
    for vf in &mut bare.vfs {
        vf.iommu_group = Observed::Known(None);
    }
    assert!(!rows(&bare));
}
